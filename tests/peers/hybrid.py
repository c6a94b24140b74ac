"""hybrid.py - the channel `hybrid`: a fresh Fernet key for each message, and only that under RSA.

    python3 tests/peers/hybrid.py HOST PORT COMMAND...
    python3 tests/peers/hybrid.py serve PORT

RSA takes 190 bytes at a time and is slow; a symmetric cipher takes any number and is fast. So the
message goes under a key that was drawn for it, and the key under the receiver's.
"""

from cryptography.fernet import Fernet, InvalidToken

import rsa
import wire
from wire import Failure, Refused

KEY_CHARACTERS = 44  # 32 bytes in base64url


class Session(rsa.Hellos):
    def seal(self, kind, plain):
        key = Fernet.generate_key()
        token = Fernet(key).encrypt(plain)
        return self.other.encrypt(key, rsa.OAEP) + rsa.sign(self.key, token) + token

    def open(self, kind, body):
        if len(body) <= 2 * rsa.BLOCK:
            raise Refused(Failure.LENGTH)
        wrapped, signature = body[:rsa.BLOCK], body[rsa.BLOCK:2 * rsa.BLOCK]
        token = body[2 * rsa.BLOCK:]
        rsa.judge_signature(self.other, signature, token)
        key = rsa.unwrap(self.key, wrapped)
        if len(key) != KEY_CHARACTERS:
            raise Refused(Failure.SEALING)
        try:
            return Fernet(key).decrypt(token)
        except (InvalidToken, ValueError):
            raise Refused(Failure.TOKEN) from None


def connect(host, port, key=None, pin=None):
    return Session(wire.dial(host, port), True, key or rsa.make_key(), pin)


def serve(sock, key=None):
    with Session(sock, False, key or rsa.make_key()) as session:
        session.answer()


if __name__ == "__main__":
    wire.run(connect, serve)

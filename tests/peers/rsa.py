"""rsa.py - the channel `rsa`: every message in blocks that only the receiver's key opens, signed.

    python3 tests/peers/rsa.py HOST PORT COMMAND...
    python3 tests/peers/rsa.py serve PORT

Both sides just say what their public key is. So the client knows that whoever answers holds the
key that came in the server hello, and not whose it is: unless it was told the key's fingerprint.
"""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric import rsa as library

import wire
from wire import Failure, Refused, Type

BLOCK = 256       # bytes of a block, and of a signature, with a key of 2048 bits
PIECE_MAX = 190   # what a block holds
BLOCKS_MAX = 6    # so many hold a message of 1024 bytes

OAEP = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
PSS = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)


# --- Keys: also those of `hybrid` and `dhe` ---------------------------------------------------

def make_key():
    return library.generate_private_key(public_exponent=65537, key_size=8 * BLOCK)


def spki(public):
    """A public key as it travels."""
    return public.public_bytes(serialization.Encoding.DER,
                               serialization.PublicFormat.SubjectPublicKeyInfo)


def fingerprint(public):
    return hashlib.sha256(spki(public)).digest()


def judge_key(public):
    if not isinstance(public, library.RSAPublicKey) or public.key_size != 8 * BLOCK:
        raise Refused(Failure.KEY)
    return public


def read_key(body):
    try:
        public = serialization.load_der_public_key(body)
    except Exception:  # pylint: disable=broad-except  # Of many kinds: it is no key in any case.
        raise Refused(Failure.KEY) from None
    if spki(judge_key(public)) != body:  # DER has one form for each key, and nothing behind it.
        raise Refused(Failure.KEY)
    return public


def judge_pin(public, pin):
    """The client may know whom it means to talk to."""
    if pin is not None and fingerprint(public) != pin:
        raise Refused(Failure.PIN)


def sign(key, data):
    return key.sign(data, PSS, hashes.SHA256())


def judge_signature(public, signature, data):
    try:
        public.verify(signature, data, PSS, hashes.SHA256())
    except InvalidSignature:
        raise Refused(Failure.SIGNATURE) from None


def unwrap(key, block):
    try:
        return key.decrypt(block, OAEP)
    except ValueError:
        raise Refused(Failure.SEALING) from None


# --- The channel ------------------------------------------------------------------------------

class Hellos(wire.Session):
    """The handshake, which `hybrid` has too."""

    def __init__(self, sock, is_client, key, pin=None):
        self.key = key
        self.pin = pin
        self.other = None  # the public key of the other side
        super().__init__(sock, is_client)

    def shake(self):
        mine = spki(self.key.public_key())
        if self.is_client:
            self.write_message(Type.CLIENT_HELLO, mine)
            self.other = read_key(self.expect(Type.SERVER_HELLO))
            judge_pin(self.other, self.pin)
        else:
            self.other = read_key(self.expect(Type.CLIENT_HELLO))
            self.write_message(Type.SERVER_HELLO, mine)


class Session(Hellos):
    def seal(self, kind, plain):
        pieces = [plain[at:at + PIECE_MAX] for at in range(0, len(plain), PIECE_MAX)]
        blocks = b"".join(self.other.encrypt(piece, OAEP) for piece in pieces)
        return blocks + sign(self.key, blocks)

    def open(self, kind, body):
        if len(body) % BLOCK != 0 or not 1 <= len(body) // BLOCK - 1 <= BLOCKS_MAX:
            raise Refused(Failure.LENGTH)
        blocks, signature = body[:-BLOCK], body[-BLOCK:]
        judge_signature(self.other, signature, blocks)
        pieces = [unwrap(self.key, blocks[at:at + BLOCK]) for at in range(0, len(blocks), BLOCK)]
        if b"" in pieces:
            raise Refused(Failure.LENGTH)
        return b"".join(pieces)


def connect(host, port, key=None, pin=None):
    return Session(wire.dial(host, port), True, key or make_key(), pin)


def serve(sock, key=None):
    with Session(sock, False, key or make_key()) as session:
        session.answer()


if __name__ == "__main__":
    wire.run(connect, serve)

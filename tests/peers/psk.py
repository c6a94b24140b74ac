"""psk.py - the channel `psk`: both sides know a passphrase, and everything follows from it.

    python3 tests/peers/psk.py HOST PORT PASSPHRASE-FILE COMMAND...
    python3 tests/peers/psk.py serve PORT PASSPHRASE-FILE

Two fresh nonces make the keys of a session from the passphrase. The finished messages are empty,
but sealed: only who knows the passphrase could have made them.
"""

import os
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import wire
from wire import Failure, Refused, Type, header

NONCE = 32
KEY = 16
TAG = 16


class Direction:
    """What one side seals with and the other opens with."""

    def __init__(self, key):
        self.gcm = AESGCM(key)
        self.number = 0

    def next_nonce(self):
        """The number of a record is not sent: both sides count."""
        nonce = struct.pack(">IQ", 0, self.number)
        self.number += 1
        return nonce


class Session(wire.Session):
    has_end = True

    def __init__(self, sock, is_client, passphrase):
        self.passphrase = passphrase
        super().__init__(sock, is_client)

    def shake(self):
        nonce = os.urandom(NONCE)
        if self.is_client:
            self.write_message(Type.CLIENT_HELLO, nonce)
            self.make_keys(nonce + self.expect(Type.SERVER_HELLO, NONCE))
            self.read_finished()
            self.write_finished()
        else:
            salt = self.expect(Type.CLIENT_HELLO, NONCE) + nonce
            self.write_message(Type.SERVER_HELLO, nonce)
            self.make_keys(salt)
            self.write_finished()
            self.read_finished()

    def make_keys(self, salt):
        keys = HKDF(hashes.SHA256(), 2 * KEY, salt, b"pennybank lab psk").derive(self.passphrase)
        client, server = Direction(keys[:KEY]), Direction(keys[KEY:])
        self.sending, self.receiving = (client, server) if self.is_client else (server, client)

    def write_finished(self):
        self.write_message(Type.FINISHED, self.seal(Type.FINISHED, b""))

    def read_finished(self):
        self.open(Type.FINISHED, self.expect(Type.FINISHED, TAG))

    def seal(self, kind, plain):
        vouched = header(kind, len(plain) + TAG)
        return self.sending.gcm.encrypt(self.sending.next_nonce(), plain, vouched)

    def open(self, kind, body):
        if len(body) < TAG:
            raise Refused(Failure.LENGTH)
        vouched = header(kind, len(body))
        try:
            return self.receiving.gcm.decrypt(self.receiving.next_nonce(), body, vouched)
        except InvalidTag:
            wrong = Failure.PASSPHRASE if kind == Type.FINISHED else Failure.RECORD
            raise Refused(wrong) from None


def connect(host, port, passphrase):
    return Session(wire.dial(host, port), True, passphrase)


def serve(sock, passphrase):
    with Session(sock, False, passphrase) as session:
        session.answer()


def read_passphrase(path):
    """The passphrase in a file, whose line may have an end."""
    with open(path, "rb") as file:
        return file.read().rstrip(b"\r\n")


if __name__ == "__main__":
    wire.run(connect, serve, read_passphrase)

"""xor.py - the channel `xor`: three passes of a padlock that is none, then RESP under 16 bytes.

    python3 tests/peers/xor.py HOST PORT COMMAND...
    python3 tests/peers/xor.py serve PORT

The client wants the server to have X, and nobody else. It sends X under its own C; the server puts
its S on top; the client takes C off; the server takes S off. As pictures of boxes and padlocks that
is sound. As XOR it is not: pass 1 ^ pass 2 ^ pass 3 is X.
"""

import os

import wire

KEY_BYTES = 16


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


class Stream:
    """One direction: byte number i is under byte i mod 16 of the key."""

    def __init__(self, key):
        self.key = key
        self.at = 0

    def turn(self, data):
        """Puts the key on, and takes it off as well."""
        turned = bytes(byte ^ self.key[(self.at + i) % KEY_BYTES] for i, byte in enumerate(data))
        self.at += len(data)
        return turned


class Session(wire.Session):
    def shake(self):
        if self.is_client:
            key, mine = os.urandom(KEY_BYTES), os.urandom(KEY_BYTES)
            self.write(xor(key, mine))                      # X ^ C
            self.write(xor(self.read(KEY_BYTES), mine))     # X ^ C ^ S, without C
        else:
            mine = os.urandom(KEY_BYTES)
            self.write(xor(self.read(KEY_BYTES), mine))     # X ^ C, with S
            key = xor(self.read(KEY_BYTES), mine)           # X ^ S, without S
        self.sending, self.receiving = Stream(key), Stream(key)

    # There is no header, so that nothing says where a message ends, or that one was refused.

    def put(self, plain):
        self.write(self.sending.turn(plain))

    def take(self):
        try:
            return self.receiving.turn(self.socket.recv(wire.PLAIN_MAX))
        except ConnectionError:
            return b""

    def write_message(self, kind, body):
        raise AssertionError("this channel has no messages")


def connect(host, port):
    return Session(wire.dial(host, port), True)


def serve(sock):
    with Session(sock, False) as session:
        session.answer()


if __name__ == "__main__":
    wire.run(connect, serve)

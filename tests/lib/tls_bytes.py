"""tls_bytes.py - a TLS client whose cipher bytes the test sees and sends as it likes.

    peer = TlsBytes(bank, "alice")      # connected; nothing is sent yet
    peer.out()                          # the cipher bytes that the client owes
    peer.send(peer.out(), each=1)       # one by one
    peer.take()                         # reads once, gives False at the end
    peer.shake()                        # the whole handshake
    peer.say(command("PING")); peer.listen(7)

Everything that the server ever sent is in `raw`, as it came: assert_only_tls looks at it.
"""

import select
import socket
import ssl
import struct

from resp import SECONDS_MAX

RECORD_TYPES = (20, 21, 22, 23)


class TlsBytes:
    def __init__(self, bank, terminal="alice", source=None, context=None, connect=True):
        context = context or bank.tls_context(terminal)
        self.address = (bank.host, bank.port)
        self.source = source
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_hostname=bank.host)
        self.raw = bytearray()  # all that came
        self.plain = bytearray()  # what it said and nobody has taken yet
        self.ended = False  # the peer closed its half
        self.notified = False  # it said so in TLS first
        self.established = False
        self.error = None
        self.socket = None
        self.advance()  # The hello is made before anybody waits for it.
        if connect:
            self.connect()

    def connect(self):
        self.socket = socket.create_connection(self.address, SECONDS_MAX,
                                               (self.source, 0) if self.source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        if self.socket is not None:
            self.socket.close()

    def reset(self):
        """Leaves without a word: what is on its way is thrown away."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def local(self):
        """This end as the server's log names it."""
        host, port = self.socket.getsockname()[:2]
        return f"{host}:{port}"

    # --- Bytes ---

    def out(self):
        return self.outgoing.read()

    def send(self, data=None, each=None):
        data = self.out() if data is None else data
        if each is None:
            self.socket.sendall(data)
            return
        for at in range(0, len(data), each):
            self.socket.sendall(data[at:at + each])

    def take(self):
        """Reads what is there, waiting for it; False when the peer has closed."""
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            data = b""
        self.feed(data)
        return data != b""

    def feed(self, data):
        self.raw += data
        if data:
            self.incoming.write(data)
        else:
            self.ended = True
            self.incoming.write_eof()
        self.advance()

    # --- What is inside ---

    def advance(self):
        """Lets the library do what it can with what has come."""
        try:
            if not self.established:
                self.tls.do_handshake()
                self.established = True
            while True:
                data = self.tls.read(65536)
                if data == b"":
                    self.notified = True
                    return
                self.plain += data
        except ssl.SSLWantReadError:
            return
        except ssl.SSLZeroReturnError:
            self.notified = True
        except ssl.SSLError as why:
            self.error = self.error or why

    def shake(self, each=None):
        while not self.established and self.error is None and not self.ended:
            self.send(each=each)
            self.take()
        if not self.established:
            raise AssertionError(f"no handshake: {self.error}")
        self.send(each=each)
        return self

    def say(self, data, each=None):
        self.tls.write(data)
        self.send(each=each)

    def listen(self, size):
        """At least `size` plain bytes, or all there are before the end."""
        while len(self.plain) < size and self.take():
            pass
        return self.plain

    def taken(self):
        """What it said, which is the test's now."""
        data = bytes(self.plain)
        self.plain.clear()
        return data

    def until_end(self):
        while self.take():
            pass
        return self.plain

    def can_send(self, seconds):
        return select.select([], [self.socket], [], seconds)[1] != []


def not_tls(raw):
    """What there is in the bytes that is no record of TLS; b"" when there is nothing else."""
    at = 0
    while at < len(raw):
        if raw[at] not in RECORD_TYPES or raw[at + 1:at + 2] not in (b"", b"\x03"):
            return raw[at:]
        at += 5 + int.from_bytes(raw[at + 3:at + 5], "big")
    return b""

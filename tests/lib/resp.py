"""resp.py - RESP2 and RESP3 as the specification has it, written for the tests alone.

It shares nothing with the server or with any client library, and keeps the bytes of each reply,
so that a test can compare two replies byte for byte.

    wire = Wire(socket)
    wire.ask("PING")                    -> Simple("PONG")
    wire.send(command("PING") * 2); wire.reply(); wire.reply_bytes()

Replies become: Simple (a str), Error (with .word and .text), int, bytes (a bulk), None, bool,
float, list, dict, Set and Push (lists), Verbatim (bytes with .format).
"""

import socket
import time

SECONDS_MAX = 20  # that a test waits for one reply


class Simple(str):
    """A reply such as +OK."""


class Error(Exception):
    """A reply such as -FUNDS the balance would fall below the floor."""

    def __init__(self, line):
        super().__init__(line)
        self.line = line
        self.word, _, self.text = line.partition(" ")

    def __eq__(self, other):
        return isinstance(other, Error) and self.line == other.line

    def __hash__(self):
        return hash(self.line)


class Set(list):
    """~n"""


class Push(list):
    """>n"""


class Verbatim(bytes):
    """=n, without its three letters of format, which are in .format"""

    format = ""


class Broken(AssertionError):
    """The server sent what is no RESP, or nothing at all."""


def command(*words):
    """The bytes of one command as clients send it."""
    out = [b"*%d\r\n" % len(words)]
    for word in words:
        word = word if isinstance(word, bytes) else str(word).encode()
        out.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(out)


class Wire:
    """One connection; the socket may be plain or TLS."""

    def __init__(self, sock):
        self.socket = sock
        self.buffer = b""
        self.at = 0  # bytes of the buffer that the reply being read has taken

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def ask(self, *words):
        self.send(command(*words))
        return self.reply()

    def ask_bytes(self, *words):
        self.send(command(*words))
        return self.reply_bytes()

    def reply(self):
        """The next reply as a value; an Error is returned, not raised."""
        self.at = 0
        value = self._value()
        self.buffer = self.buffer[self.at:]
        return value

    def reply_bytes(self):
        """The next reply as the bytes it came in."""
        self.at = 0
        self._value()
        taken, self.buffer = self.buffer[:self.at], self.buffer[self.at:]
        return taken

    def ends(self):
        """True when the server closes the connection without saying more."""
        return self.buffer == b"" and self._more() is False

    def _more(self):
        self.socket.settimeout(SECONDS_MAX)
        try:
            data = self.socket.recv(65536)
        except socket.timeout as why:
            raise Broken(f"no reply within {SECONDS_MAX} s; so far {self.buffer!r}") from why
        except OSError:
            return False
        self.buffer += data
        return len(data) > 0

    def _line(self):
        while True:
            end = self.buffer.find(b"\r\n", self.at)
            if end >= 0:
                line, self.at = self.buffer[self.at:end], end + 2
                if b"\r" in line or b"\n" in line:
                    raise Broken(f"a line with half a line end in it: {line!r}")
                return line
            if not self._more():
                raise Broken(f"the connection ended in a reply: {self.buffer!r}")

    def _bytes(self, size):
        while len(self.buffer) < self.at + size + 2:
            if not self._more():
                raise Broken(f"the connection ended in a bulk: {self.buffer!r}")
        data = self.buffer[self.at:self.at + size]
        if self.buffer[self.at + size:self.at + size + 2] != b"\r\n":
            raise Broken(f"a bulk of {size} bytes that does not end there: {self.buffer!r}")
        self.at += size + 2
        return data

    def _value(self):
        line = self._line()
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return Simple(rest.decode())
        if kind == b"-":
            return Error(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"_":
            return None
        if kind == b"#":
            return {b"t": True, b"f": False}[rest]
        if kind == b",":
            return float(rest)
        if kind not in (b"$", b"=", b"*", b"%", b"~", b">"):
            raise Broken(f"a reply that begins with {line!r}")
        if rest == b"-1" and kind in (b"$", b"*"):
            return None
        if not rest.isdigit() or (rest[:1] == b"0" and rest != b"0"):
            raise Broken(f"a size that is none: {line!r}")
        return self._sized(kind, int(rest))

    def _sized(self, kind, size):
        if kind == b"$":
            return self._bytes(size)
        if kind == b"=":
            data = self._bytes(size)
            value = Verbatim(data[4:])
            value.format = data[:3].decode()
            if data[3:4] != b":":
                raise Broken(f"a verbatim text without a format: {data!r}")
            return value
        if kind == b"%":
            pairs = [(self._value(), self._value()) for _ in range(size)]
            value = dict(pairs)
            if len(value) != size:
                raise Broken(f"a key twice in {pairs!r}")
            return value
        values = [self._value() for _ in range(size)]
        return {b"*": list, b"~": Set, b">": Push}[kind](values)


def text(value):
    """The same value with every bulk as str, for comparing RESP2 with RESP3."""
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, dict):
        return {text(k): text(v) for k, v in value.items()}
    if isinstance(value, list):
        return [text(v) for v in value]
    return value


def fields(value):
    """A map reply as a dict of text, whichever protocol it came in."""
    if isinstance(value, Error):
        raise AssertionError(f"an error instead of a map: {value.line}")
    if isinstance(value, list):
        if len(value) % 2 != 0:
            raise AssertionError(f"a flat map of {len(value)} values: {value!r}")
        value = dict(zip(value[::2], value[1::2]))
    if not isinstance(value, dict):
        raise AssertionError(f"no map: {value!r}")
    return text(value)


def wait_until(what, ready, seconds_max=SECONDS_MAX):
    """Asks `ready` again and again; a test that waits for anything waits here."""
    end = time.monotonic() + seconds_max
    while True:
        value = ready()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds_max} s")
        time.sleep(0.01)

"""wire.py - what the peers of the laboratory's channels share: messages, alerts, and commands.

The peers are written from src/channel/lab/README.md alone. Each channel is a module with

    connect(HOST, PORT, KEYS...)        a session, once both sides have shaken hands
    serve(SOCKET, KEYS...)              the other end, which answers until the client has enough
    Session(SOCKET, IS_CLIENT, KEYS...) either of them

and a session has command(), send(), recv(), finish() and close():

    with psk.connect("127.0.0.1", 6227, b"sixteen letters!") as session:
        print(session.command("CLOCK"))
        session.finish()

Every module is also a program: a client that prints one answer, or a server of one client.

    python3 tests/peers/psk.py 127.0.0.1 6227 FILE CLOCK
    python3 tests/peers/psk.py serve 6227 FILE
"""

import contextlib
import enum
import os
import socket
import struct
import sys
from datetime import datetime

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))
from resp import Broken, Error, Wire  # pylint: disable=wrong-import-position  # noqa: E402

SECONDS_MAX = 20  # that one side waits for the other
BODY_MAX = 2304
PLAIN_MAX = 1024  # bytes of RESP in one message


class Type(enum.IntEnum):
    """What a message is."""
    CLIENT_HELLO = 1
    SERVER_HELLO = 2
    CERTIFICATE = 11
    KEY_EXCHANGE = 12
    DATA = 16
    END = 17
    FINISHED = 20
    ALERT = 21


class Failure(enum.IntEnum):
    """Why a side gives up: the body of its alert."""
    ORDER = 1
    LENGTH = 2
    KEY = 3
    SIGNATURE = 4
    SEALING = 5
    TOKEN = 6
    CERTIFICATE = 7
    GROUP = 8
    FINISHED = 9
    RECORD = 10
    PASSPHRASE = 11
    PIN = 12
    MEMORY = 13


class Refused(Exception):
    """This side gives up: what came is not what it must be."""

    def __init__(self, failure):
        super().__init__(f"refused: {failure.name.lower()}")
        self.failure = failure


class Alerted(Exception):
    """The other side has given up, and says why."""

    def __init__(self, number):
        super().__init__(f"the other side gives up: alert {number}")
        self.number = number


class Cut(Exception):
    """The connection was closed where more had to come; `got` had come of it."""

    def __init__(self, got=b""):
        super().__init__(f"the connection was cut after {len(got)} bytes of a message")
        self.got = got


def header(kind, size):
    return struct.pack(">BH", kind, size)


def message(kind, body):
    return header(kind, len(body)) + body


class Session:
    """One end of a channel. The class of a channel adds to it

        shake()             the handshake
        seal(kind, plain)   the body of a message that carries these bytes
        open(kind, body)    the bytes that a message carries; Refused where it is none

    and what it judges, it judges by raising Refused: the other side then gets the alert.
    """

    has_end = False  # whether the channel has the message `end`

    def __init__(self, sock, is_client):
        self.socket = sock
        self.is_client = is_client
        self.wire = Wire(self)  # RESP, over send() and recv() of this session
        self.told = []  # what TELL told
        with self.giving_up():
            self.shake()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @contextlib.contextmanager
    def giving_up(self):
        """Whatever is refused in here is told to the other side, and ends the connection."""
        try:
            yield
        except Refused as why:
            with contextlib.suppress(OSError):
                self.write_message(Type.ALERT, bytes([why.failure]))
            self.close()
            raise
        except (Alerted, Cut):
            self.close()
            raise

    # --- Bytes ---

    def write(self, data):
        self.socket.sendall(data)

    def read(self, size):
        data = b""
        while len(data) < size:
            try:
                piece = self.socket.recv(size - len(data))
            except ConnectionError:
                piece = b""
            if not piece:
                raise Cut(data)
            data += piece
        return data

    # --- Messages ---

    def write_message(self, kind, body):
        self.write(message(kind, body))

    def read_message(self):
        """The next message as (type, body); None where the other side has closed instead."""
        try:
            start = self.read(3)
        except Cut as why:
            if why.got == b"":
                return None
            raise
        kind, size = struct.unpack(">BH", start)
        if kind not in list(Type):
            raise Refused(Failure.ORDER)
        if size > BODY_MAX or (kind == Type.ALERT and size != 1):
            raise Refused(Failure.LENGTH)
        body = self.read(size)
        if kind == Type.ALERT:
            raise Alerted(body[0])
        return kind, body

    def expect(self, wanted, size=None):
        """The body of the next message, which must be of this type, and may have to have a size."""
        came = self.read_message()
        if came is None:
            raise Cut
        kind, body = came
        if kind != wanted:
            raise Refused(Failure.ORDER)
        if size is not None and len(body) != size:
            raise Refused(Failure.LENGTH)
        return body

    # --- What is inside ---

    def send(self, data):
        """Sends bytes of RESP, in as many messages as it takes."""
        for at in range(0, len(data), PLAIN_MAX):
            self.put(data[at:at + PLAIN_MAX])

    def recv(self, _size=None):
        """The bytes of the next message, all of them; b"" when the other side sends no more."""
        with self.giving_up():
            return self.take()

    sendall = send  # A session is a socket to those who only send and receive.

    def settimeout(self, seconds):
        self.socket.settimeout(seconds)

    def put(self, plain):
        self.write_message(Type.DATA, self.seal(Type.DATA, plain))

    def take(self):
        while True:
            came = self.read_message()
            if came is None and self.has_end:
                raise Cut
            if came is None:
                return b""
            kind, body = came
            if kind == Type.END and self.has_end:
                if self.open(kind, body) != b"":
                    raise Refused(Failure.LENGTH)
                return b""
            if kind != Type.DATA:
                raise Refused(Failure.ORDER)
            plain = self.open(kind, body)
            if len(plain) > PLAIN_MAX:
                raise Refused(Failure.LENGTH)
            if plain:  # A message of nothing says nothing, not even an end.
                return plain

    def end(self):
        """Says that nothing more will be sent; what comes can still be received."""
        if self.has_end:
            self.write_message(Type.END, self.seal(Type.END, b""))
        with contextlib.suppress(OSError):  # The other side may have gone altogether.
            self.socket.shutdown(socket.SHUT_WR)

    def finish(self):
        """Ends in order: says so, and waits until the other side has said so too."""
        self.end()
        while self.recv():
            pass
        self.close()

    def close(self):
        self.socket.close()

    # --- Commands ---

    def command(self, *words):
        """The answer to one command, as tests/lib/resp.py has values."""
        return self.wire.ask(*words)

    def answer(self):
        """Answers commands until the other side sends no more, or says QUIT."""
        three = False  # Until HELLO says so, answers have the form of RESP2.
        while not self.wire.ends():
            words = self.wire.reply()  # A command is an array of bulks, as a reply may be.
            name, arguments = words[0].upper(), words[1:]
            if name == b"HELLO" and arguments:
                three = arguments[0] == b"3"
            if name == b"TELL":
                self.told.append(arguments[0])
            self.send(reply(name, arguments, three))
            if name == b"QUIT":
                break
        self.end()


# --- A server's answers -----------------------------------------------------------------------

def bulk(data):
    data = data if isinstance(data, bytes) else data.encode()
    return b"$%d\r\n%s\r\n" % (len(data), data)


def reply(name, arguments, three):
    """The least that a client can be content with."""
    now = datetime.now().astimezone()
    if name == b"HELLO":
        start = b"%1\r\n" if three else b"*2\r\n"
        return start + bulk("proto") + (b":3\r\n" if three else b":2\r\n")
    if name == b"PING":
        return bulk(arguments[0]) if arguments else b"+PONG\r\n"
    if name == b"ECHO":
        return bulk(arguments[0])
    if name == b"TIME":
        return b"*2\r\n" + bulk(str(int(now.timestamp()))) + bulk(str(now.microsecond))
    if name == b"CLOCK":
        return bulk(now.isoformat(timespec="microseconds"))
    if name == b"DATE":
        return bulk(now.date().isoformat())
    if name == b"TELL":
        return bulk("This peer has noted it.")
    if name == b"TEMPERATURE":
        return b"-ERR sensor none: a peer has none\r\n"
    if name == b"COMMAND":
        return b"*0\r\n"
    if name == b"RESET":
        return b"+RESET\r\n"
    if name == b"QUIT":
        return b"+OK\r\n"
    return b"-NOPERM this is a laboratory\r\n"


# --- Connections ------------------------------------------------------------------------------

def dial(host, port):
    sock = socket.create_connection((host, int(port)), SECONDS_MAX)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def listen(port=0):
    return socket.create_server(("127.0.0.1", int(port)))


# --- Programs ---------------------------------------------------------------------------------

def shown(value):
    if isinstance(value, list):
        return " ".join(shown(v) for v in value)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def run(connect, serve, *readers):
    """A channel's module as a program. What is not on the command line, each reader makes of a
    word there: a passphrase of a file's name, for instance."""
    words = sys.argv[1:]
    if len(words) < 2 + len(readers) + (words[:1] != ["serve"]):
        sys.exit(sys.modules["__main__"].__doc__.rstrip())
    keys = [reader(word) for reader, word in zip(readers, words[2:])]
    try:
        if words[0] == "serve":
            with listen(words[1]) as listener:
                print(f"ready 127.0.0.1:{listener.getsockname()[1]}", flush=True)
                sock, _ = listener.accept()
            sock.settimeout(SECONDS_MAX)
            serve(sock, *keys)
            return
        with connect(words[0], words[1], *keys) as session:
            value = session.command(*words[2 + len(readers):])
            session.finish()
        if isinstance(value, Error):
            sys.exit(f"(error) {value.line}")
        print(shown(value))
    except (Refused, Alerted, Cut, Broken, OSError) as why:
        sys.exit(str(why))

"""lab.py - the laboratory's channels from outside: the real programs, and the peers of tests/peers.

    with LabServer("psk") as server:                # pennyd --lab psk
        session("psk", server.dial(), True)         # a peer's client that has shaken hands with it
    with PeerServer("psk") as peer:                 # a peer's server on a thread of its own
        penny("psk", peer.port, "CLOCK")            # and the real client

The keys of the peers are made once, as that takes time. Sessions that do something wrong are
classes of their own, made by altering() or from Muting.
"""

import contextlib
import functools
import itertools
import os
import queue
import re
import shutil
import sys
import tempfile
import threading

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bank import ROOT, SECONDS_MAX, run, starting
from lab_process import LabProcess

sys.path.insert(0, os.path.join(ROOT, "tests", "peers"))
# pylint: disable=wrong-import-position
import dhe  # noqa: E402
import hybrid  # noqa: E402
import psk  # noqa: E402
import rsa  # noqa: E402
import wire  # noqa: E402
import xor  # noqa: E402

MODULES = {"xor": xor, "rsa": rsa, "hybrid": hybrid, "dhe": dhe, "psk": psk}
PASSPHRASE = b"sixteen letters!"
WHOLE = 128  # bytes of a message that is cut at each of them
EDGE = 16    # bytes at both ends of a longer one that are as well


def meanings():
    """What each number of an alert means, by the table that the programs have too."""
    path = os.path.join(ROOT, "src", "channel", "lab", "failures.def")
    with open(path, encoding="utf-8") as file:
        rows = re.findall(r'^LAB_FAILURE\((\w+), +(\d+), +"(.*)"\)$', file.read(), re.M)
    return {int(number): (symbol, meaning) for symbol, number, meaning in rows}


# --- Sessions -----------------------------------------------------------------------------------

@functools.lru_cache(maxsize=None)
def key(is_client):
    """The RSA key of all peers on that side."""
    return rsa.make_key()


@functools.lru_cache(maxsize=None)
def authority():
    """The key and the certificate of a CA."""
    private = rsa.make_key()
    return private, dhe.make_certificate(private, "lab CA", is_ca=True)


def certificates(is_client):
    """A certificate for that side's key that a CA's other side takes, and such as it refuses."""
    ca_key, ca = authority()
    make = functools.partial(dhe.make_certificate, key(is_client))
    return make("peer", ca, ca_key), {
        "by itself": make("peer"), "of long ago": make("peer", ca, ca_key, days=-1),
        "by another in the CA's name": make("peer", ca, rsa.make_key())}


def keys(name, is_client):
    if name == "psk":
        return (PASSPHRASE,)
    return () if name == "xor" else (key(is_client),)


def session(name, sock, is_client, kind=None):
    """A session of that channel, or of a class made from the channel's."""
    return (kind or MODULES[name].Session)(sock, is_client, *keys(name, is_client))


class Muting:
    """A session that says nothing more after a message of one type, which it has altered."""

    wrong = None  # the type
    is_mute = False

    def alter(self, body):
        raise NotImplementedError

    def write_message(self, kind, body):
        if self.is_mute:
            return
        if kind == self.wrong:
            self.is_mute = True
            body = self.alter(body)
        super().write_message(kind, body)


def altering(name, kind, change):
    """A class of sessions whose first message of that type is altered by `change`. The type may be
    "hello", which is the side's own."""
    class Altering(Muting, MODULES[name].Session):
        @property
        def wrong(self):
            if kind == "hello":
                return wire.Type.CLIENT_HELLO if self.is_client else wire.Type.SERVER_HELLO
            return kind

        def alter(self, body):
            return change(body)

    return Altering


def flipped(at, bit=1):
    """Changes one bit of a body: byte number `at`, counted from the end where it is negative."""
    def change(body):
        changed = bytearray(body)
        changed[at] ^= bit
        return bytes(changed)
    return change


def slow(name):
    """A class of sessions that sends its bytes one by one."""
    class Slow(MODULES[name].Session):
        def write(self, data):
            for byte in data:
                super().write(bytes([byte]))

    return Slow


def in_pieces(name, size=1):
    """A class of sessions whose messages carry no more than that many bytes."""
    class InPieces(MODULES[name].Session):
        def send(self, data):
            for at in range(0, len(data), size):
                super().send(data[at:at + size])

        sendall = send

    return InPieces


class Stopped(Exception):
    """A session has sent what it should."""


def cut_after(name, limit):
    """A class of sessions that is gone after that many bytes."""
    class CutAfter(MODULES[name].Session):
        written = 0

        def write(self, data):
            left = limit - self.written
            with contextlib.suppress(OSError):  # The other side may have left before.
                super().write(data[:left])
            self.written += len(data)
            if len(data) >= left:
                self.close()
                raise Stopped

    return CutAfter


def sends_of(name, is_client):
    """How many bytes each write of a session sends that asks PING, or answers it, and ends."""
    sizes = []

    class Counting(MODULES[name].Session):
        def write(self, data):
            sizes.append(len(data))
            super().write(data)

    kinds = {is_client: Counting}
    with PeerServer(name, kinds.get(False)) as peer:
        with session(name, peer.dial(), True, kinds.get(True)) as asking:
            asking.command("PING")
            asking.finish()
        peer.outcome()
    return sizes


def cuts(sizes, stride=1):
    """Where to cut a session of these writes: at every byte of short ones, and of others at every
    byte near the ends and at every so many-th between."""
    at = 0
    for size in sizes:
        for within in range(size):
            is_near_end = not EDGE <= within < size - EDGE
            if size <= WHOLE or is_near_end or within % stride == 0:
                yield at + within
        at += size
    yield at


# --- Servers ------------------------------------------------------------------------------------

class PeerServer:
    """A peer's server. Of each client it keeps, once that has gone, what became of it: the session,
    or the exception that ended it. The first client may meet another class of sessions."""

    def __init__(self, name, kind=None, talk=None, first=None):
        self.name = name
        self.kinds = itertools.chain([first or kind], itertools.repeat(kind))
        self.talk = talk or (lambda one: one.answer())
        self.outcomes = queue.Queue()
        self.listener = wire.listen()
        self.port = self.listener.getsockname()[1]
        keys(name, False)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def run(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            sock.settimeout(wire.SECONDS_MAX)
            threading.Thread(target=self.serve, args=(sock, next(self.kinds)),
                             daemon=True).start()

    def serve(self, sock, kind):
        with sock:
            try:
                with session(self.name, sock, False, kind) as one:
                    self.talk(one)
                self.outcomes.put(one)
            except Exception as why:  # pylint: disable=broad-except  # The test judges it.
                self.outcomes.put(why)

    def outcome(self):
        return self.outcomes.get(timeout=SECONDS_MAX)

    def dial(self):
        return wire.dial("127.0.0.1", self.port)

    def log(self):
        return ""

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(wire.socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(SECONDS_MAX)


class Folder:
    """A folder of its own for what a program reads."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="lab-", dir=os.environ.get("PENNY_TMP"))

    def write(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb", opener=lambda p, f: os.open(p, f, 0o600)) as out:
            out.write(content)
        return path

    def write_key(self, name, private):
        return self.write(name, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8,
                                                      NoEncryption()))

    def write_certificate(self, name, certificate):
        return self.write(name, certificate.public_bytes(Encoding.PEM))

    def passphrase(self, value=PASSPHRASE):
        return self.write("passphrase", value)

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class LabServer(LabProcess):
    """`pennyd --lab NAME`, which needs no bank."""

    def __init__(self, name, *options):
        self.files = Folder()
        log_path = os.path.join(self.files.folder, "pennyd.log")
        super().__init__(name, self.files.folder, log_path, *options)
        if name == "psk":
            self.options += ("--passphrase-file", self.files.passphrase())
        try:
            self.start()
        except BaseException:
            self.close()
            raise

    def dial(self):
        return wire.dial("127.0.0.1", self.port)

    def close(self):
        self.kill()
        self.files.remove()


# --- The client ---------------------------------------------------------------------------------

def penny(name, port, *words, options=(), passphrase=PASSPHRASE, own_key=False, ca=None, **more):
    """Runs the real client once. Its key is that of the peers' clients, as one of its own takes a
    second to make; `ca` is the certificate of one, for `dhe`."""
    folder = Folder()
    try:
        conf = ["[client]"]
        if name in ("rsa", "hybrid", "dhe") and not own_key:
            conf.append(f"lab-key = {folder.write_key('client.key', key(True))}")
        if name == "dhe" and not own_key:
            certificate = dhe.make_certificate(key(True))
            conf.append(f"lab-cert = {folder.write_certificate('client.crt', certificate)}")
        if ca is not None:
            conf.append(f"lab-ca = {folder.write_certificate('ca.crt', ca)}")
        shared = ["--passphrase-file", folder.passphrase(passphrase)] if name == "psk" else []
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PENNY_")}
        environment["HOME"] = folder.folder
        return run([*starting("penny"), "-c", folder.write("c.conf", "\n".join(conf).encode()),
                    "--channel", name, "-h", "127.0.0.1", "-p", str(port), *shared, *options,
                    *words], cwd=folder.folder, env=environment, **more)
    finally:
        folder.remove()

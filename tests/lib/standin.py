"""standin.py - a server that no one here wrote: a stand-in for pennyd over Python's ssl.

It remembers the bytes of every connection and answers as a test tells it to, so that what penny
sends, resends and refuses can be seen from outside.
"""

import os
import pty
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import unittest

from bank import program

SECONDS_MAX = 60
HELLO = b"*5\r\n$5\r\nHELLO\r\n$1\r\n3\r\n$4\r\nAUTH\r\n"

OPENSSL = """
set -e
printf '[req]\\ndistinguished_name=dn\\nprompt=no\\n[dn]\\nCN=unused\\n' >req.cnf
make() {
    name=$1 subject=$2
    shift 2
    openssl req -x509 -config req.cnf -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 \\
        -days 30 -keyout $name.key -out $name.crt -subj "$subject" "$@" 2>/dev/null
}
by_ca='-CA ca.crt -CAkey ca.key -addext basicConstraints=critical,CA:FALSE'
make ca /CN=ca -addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign,cRLSign
make other /CN=other -addext basicConstraints=critical,CA:TRUE -addext keyUsage=keyCertSign
make server /CN=localhost $by_ca -addext extendedKeyUsage=serverAuth \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1
make elsewhere /CN=elsewhere $by_ca -addext extendedKeyUsage=serverAuth \
    -addext subjectAltName=DNS:elsewhere.example
make till /CN=till $by_ca -addext extendedKeyUsage=clientAuth
make stranger /CN=till -CA other.crt -CAkey other.key -addext basicConstraints=critical,CA:FALSE
"""


class Closed(Exception):
    """The client has gone."""


class Server:
    """Accepts connections on a port of its own; `talk(link)` is called for each in turn."""

    def __init__(self, certs, talk, name="server"):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_3
        self.context.load_cert_chain(f"{certs}/{name}.crt", f"{certs}/{name}.key")
        self.context.load_verify_locations(f"{certs}/ca.crt")
        self.context.verify_mode = ssl.CERT_REQUIRED
        self.context.num_tickets = 2  # As others do; penny passes over them.
        self.talk = talk
        self.links = []
        self.errors = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = str(self.listener.getsockname()[1])
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            plain.settimeout(SECONDS_MAX)
            try:
                link = Link(self.context.wrap_socket(plain, server_side=True), len(self.links))
            except (ssl.SSLError, OSError) as why:
                self.errors.append(str(why))
                plain.close()
                continue
            self.links.append(link)
            try:
                self.talk(link)
            except (Closed, ssl.SSLError, OSError):
                pass
            link.drop()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(SECONDS_MAX)


class Link:
    """One connection: its number, all bytes that came, and the commands among them."""

    def __init__(self, sock, number):
        self.socket = sock
        self.number = number
        self.bytes = b""
        self.at = 0
        self.commands = []

    def fill(self):
        piece = self.socket.recv(65536)
        if not piece:
            raise Closed
        self.bytes += piece

    def line(self):
        while b"\r\n" not in self.bytes[self.at:]:
            self.fill()
        end = self.bytes.index(b"\r\n", self.at)
        line = self.bytes[self.at:end]
        self.at = end + 2
        return line

    def read(self):
        """The words of the next command; its bytes are in self.last."""
        start = self.at
        words = []
        for _ in range(int(self.line()[1:])):
            size = int(self.line()[1:])
            while len(self.bytes) < self.at + size + 2:
                self.fill()
            words.append(self.bytes[self.at:self.at + size])
            self.at += size + 2
        self.last = self.bytes[start:self.at]
        self.commands.append(words)
        return words

    def say(self, data):
        self.socket.sendall(data)

    def drop(self):
        """Ends the connection as a crash would, without a word."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()


def answers(table):
    """A server that logs everybody in and answers by the first word, with +OK otherwise."""
    def talk(link):
        while True:
            words = link.read()
            name = words[0].upper()
            if name == b"HELLO":
                link.say(b"%1\r\n+proto\r\n:3\r\n")
            else:
                link.say(table.get(name, b"+OK\r\n"))
    return talk


class PennyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.certs = tempfile.mkdtemp(prefix="certs-", dir=os.environ.get("PENNY_TMP"))
        cls.addClassCleanup(shutil.rmtree, cls.certs)
        subprocess.run(["sh", "-c", OPENSSL], cwd=cls.certs, check=True, timeout=SECONDS_MAX)

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="penny-", dir=os.environ.get("PENNY_TMP"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.environment = {"HOME": f"{self.folder}/home", "PATH": os.environ["PATH"],
                            "TERM": "dumb"}
        os.mkdir(f"{self.folder}/home")

    def serve(self, talk, name="server"):
        server = Server(self.certs, talk, name)
        self.addCleanup(server.close)
        return server

    def options(self, server, name="till"):
        options = ["-h", "127.0.0.1", "-p", server.port if server else "1",
                   "--cacert", f"{self.certs}/ca.crt"]
        if name:
            options += ["--cert", f"{self.certs}/{name}.crt", "--key", f"{self.certs}/{name}.key"]
        return options

    def at_terminal(self, *words):
        """Starts penny with a terminal of its own; returns its pid and the other end."""
        argv = [program("penny"), *words]
        child, terminal = pty.fork()
        if child == 0:
            try:
                os.chdir(self.folder)
                os.execve(argv[0], argv, self.environment)
            finally:
                os._exit(127)
        return child, terminal

    def penny(self, *words, stdin="", code=0, **more):
        environment = dict(self.environment, **more.pop("environment", {}))
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run([program("penny"), *words], input=data, capture_output=True,
                              timeout=SECONDS_MAX, cwd=self.folder, env=environment, check=False,
                              **more)
        self.assertEqual(done.returncode, code, done.stdout[-500:] + b"\n" + done.stderr[-2000:])
        self.out, self.err = done.stdout, done.stderr.decode()
        return done.stdout.decode("utf-8", "surrogateescape")

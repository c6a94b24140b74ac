"""bank.py - a whole bank in a folder of its own, for black-box tests.

    with Bank() as bank:                        # pennyctl init --demo, pennyd on a free port
        bank.client("alice").execute_command("BALANCE")         # redis-py over mutual TLS
        with bank.wire("alice", protocol=3) as wire:            # bytes, see resp.py
            wire.ask("BALANCE")
        bank.kill(); bank.start()
        bank.check()                            # pennyctl check, which decides every entry again

The programs come from $PENNY_BUILD (default: build/ of this checkout); folders are made below
$PENNY_TMP where it is set. Every process is ended by its own pid, every wait has a limit, and
many banks run side by side. No test may measure time: limits are far above what anything takes.
"""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest

import redis

from resp import Error, Wire, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SECONDS_MAX = 60  # for one program to do its work
STOP_SECONDS_MAX = 30  # for a server to end


def program(name):
    build = os.environ.get("PENNY_BUILD", os.path.join(ROOT, "build"))
    return os.path.join(os.path.abspath(build), name)


def starting(name, host=False):
    """The words that start a program: of the build, or of the board in $PENNY_BOARD, which
    something in $PENNY_RUNNER may have to run; with `host`, of the build in any case."""
    board = os.environ.get("PENNY_BOARD")
    if board is None or host:
        return [program(name)]
    return [*os.environ.get("PENNY_RUNNER", "").split(), program(os.path.join(board, name))]


def run(argv, expect=0, **options):
    """Runs a program to its end. `expect` is the exit code wanted, None for any."""
    options.setdefault("stdin", None if "input" in options else subprocess.DEVNULL)
    done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS_MAX, check=False,
                          **{k: v for k, v in options.items() if v is not None})
    if expect is not None and done.returncode != expect:
        raise AssertionError(f"{' '.join(argv)} exited with {done.returncode}, not {expect}\n"
                             f"{done.stdout}{done.stderr}")
    return done


def library(folder, name):
    """Builds tests/lib/NAME.c into a library in that folder, to be preloaded; gives its path."""
    path = os.path.join(folder, f"{name}.so")
    run(["gcc", "-O1", "-shared", "-fPIC", "-Wall", "-Werror", "-o", path,
         os.path.join(ROOT, "tests", "lib", f"{name}.c"), "-ldl"])
    return path


def preloading(path):
    """The environment of a program that loads this library before all others."""
    # A blank in LD_PRELOAD would end the path, so the name alone stands there.
    folder, name = os.path.split(path)
    return dict(os.environ, LD_LIBRARY_PATH=folder, LD_PRELOAD=name)


class Bank:
    """One bank: its folder, its people's passwords, and its server while it runs."""

    def __init__(self, start=True, settings=(), under=(), preload=None, host_programs=False):
        self.folder = tempfile.mkdtemp(prefix="bank-", dir=os.environ.get("PENNY_TMP"))
        self.home = os.path.join(self.folder, "bank")
        self.log_path = os.path.join(self.folder, "pennyd.log")
        self.settings = list(settings)  # such as "limits.sessions=8", for every start
        self.flags = []  # such as "--read-only", for every start
        self.host_programs = host_programs  # although $PENNY_BOARD names a board
        self.process = None
        self.host = None
        self.port = None
        self._open = []
        try:
            # A message key takes a second, and few tests need one; see test_mailbox.py.
            made = self.pennyctl("init", self.home, "--demo", "--no-message-key")
            self.passwords = dict(re.findall(r"^login (\S+) (\S+)\s*$", made.stdout, re.M))
            if start:
                self.start(under=under, preload=preload)
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- The server ---

    def path(self, *parts):
        return os.path.join(self.home, *parts)

    def server_argv(self, port=0):
        argv = [*starting("pennyd", self.host_programs), self.path("pennyd.conf"),
                "--set", f"listener tls.port={port}", *self.flags]
        for setting in self.settings:
            argv += ["--set", setting]
        return argv

    def start(self, port=0, under=(), preload=None):
        """Starts the server and waits until it is ready. `under` is put in front of its words,
        such as strace's; `preload` is a library that is loaded before all others."""
        assert self.process is None, "it runs already"
        begin = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        env = preloading(preload) if preload else dict(os.environ)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*under, *self.server_argv(port)], env=env,
                                            cwd=self.folder, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=subprocess.STDOUT)

        def ready():
            found = re.search(r"^ready .*?(\S+):(\d+)", self.log()[begin:], re.M)
            if found is None and self.process.poll() is not None:
                code = self.process.returncode
                self.process = None
                raise AssertionError(f"pennyd exited with {code} instead of being ready\n"
                                     f"{self.log()[begin:]}")
            return found

        try:
            found = wait_until("pennyd is ready", ready, SECONDS_MAX)
        except AssertionError as why:
            self.kill()
            raise AssertionError(f"{why}\n{self.log()[begin:]}") from None
        self.host = found.group(1).strip("[]")
        self.port = int(found.group(2))

    def refused_start(self):
        """Starts a server that must not come up; gives its exit code and what it said."""
        process = subprocess.Popen(self.server_argv(), cwd=self.folder, text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT)
        said = ""
        with process:
            for line in process.stdout:
                said += line
                if line.startswith("ready "):
                    process.kill()
        return process.returncode, said

    def stop(self):
        """Ends the server in order and expects it to say so by its exit code."""
        code = self._end(signal.SIGTERM)
        assert code == 0, f"pennyd exited with {code} after SIGTERM\n{self.log()}"

    def kill(self):
        """Ends the server as a power cut ends a process: in the middle of anything."""
        if self.process is not None:
            self._end(signal.SIGKILL)

    def restart(self, port=0):
        self.stop()
        self.start(port)

    def ended(self):
        """Waits for a server that ends by itself and gives its exit code."""
        code = self.process.wait(SECONDS_MAX)
        self.process = None
        return code

    def _end(self, number):
        process, self.process = self.process, None
        process.send_signal(number)
        try:
            return process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"pennyd was still there {STOP_SECONDS_MAX} s after "
                                 f"{signal.Signals(number).name}\n{self.log()}") from None

    def log(self):
        with open(self.log_path, "r", encoding="utf-8", errors="replace") as text:
            return text.read()

    def files(self):
        """Every file of the bank and of this test, the log included."""
        return [os.path.join(folder, name) for folder, _, names in os.walk(self.folder)
                for name in names if os.path.isfile(os.path.join(folder, name))]

    def close(self):
        for client in self._open:
            client.close()
        self._open = []
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- Clients ---

    def cert(self, terminal):
        return self.path("certs", "clients", f"{terminal}.crt")

    def key(self, terminal):
        return self.path("certs", "clients", f"{terminal}.key")

    def ca(self):
        return self.path("certs", "ca.crt")

    def tls_context(self, terminal):
        context = ssl.create_default_context(cafile=self.ca())
        context.load_cert_chain(self.cert(terminal), self.key(terminal))
        return context

    def wire(self, name=None, protocol=2, terminal=None, password=None):
        """A connection that speaks bytes, logged in where a name is given. It is closed with the
        bank at the latest."""
        plain = socket.create_connection((self.host, self.port), timeout=SECONDS_MAX)
        try:
            context = self.tls_context(terminal or name or "alice")
            wire = Wire(context.wrap_socket(plain, server_hostname=self.host))
        except BaseException:
            plain.close()
            raise
        self._open.append(wire)
        if name is not None:
            password = password or self.passwords[name]
            reply = wire.ask("HELLO", protocol, "AUTH", name, password)
            assert not isinstance(reply, Error), reply.line
        return wire

    def client(self, name, protocol=2, terminal=None, **options):
        """A redis.Redis, logged in over mutual TLS. Protocol 3 needs redis-py 5."""
        terminal = terminal or name
        if protocol != 2:
            options["protocol"] = protocol
        client = redis.Redis(
            host=self.host, port=self.port, username=name, password=self.passwords[name],
            ssl=True, ssl_certfile=self.cert(terminal), ssl_keyfile=self.key(terminal),
            ssl_ca_certs=self.ca(), ssl_cert_reqs="required", ssl_check_hostname=True,
            socket_timeout=SECONDS_MAX, **options)
        self._open.append(client)
        return client

    def cli_options(self, name, terminal=None):
        """What redis-cli and penny have in common."""
        terminal = terminal or name
        return ["-h", self.host, "-p", str(self.port), "--cert", self.cert(terminal),
                "--key", self.key(terminal), "--cacert", self.ca(),
                "--user", name, "--pass", self.passwords[name]]

    def redis_cli(self, *words, name="alice", terminal=None, options=(), **more):
        return run(["redis-cli", "--tls", "--no-auth-warning", *self.cli_options(name, terminal),
                    *options, *words], **more)

    def penny(self, *words, name="alice", terminal=None, options=(), **more):
        return run([*starting("penny", self.host_programs), *self.cli_options(name, terminal), *options, *words], **more)

    def openssl(self, lines, terminal="alice"):
        """What the server says to lines typed into `openssl s_client`; the last should be QUIT."""
        argv = ["openssl", "s_client", "-quiet", "-connect", f"{self.host}:{self.port}",
                "-cert", self.cert(terminal), "-key", self.key(terminal), "-CAfile", self.ca(),
                "-verify_return_error"]
        typed = "".join(line + "\r\n" for line in lines)
        return run(argv, expect=None, input=typed).stdout  # With line ends as Python has them.

    def pennyctl(self, *words, **more):
        more.setdefault("cwd", self.folder)
        return run([*starting("pennyctl", self.host_programs), *words], **more)

    def check(self):
        """Stops the server if it runs, lets every entry be decided again, and gives the output."""
        if self.process is not None:
            self.stop()
        return self.pennyctl("check", self.home).stdout


class BankTest(unittest.TestCase):
    """Tests that share one running bank: `self.bank`. Each must leave a running server behind."""

    settings = ()

    @classmethod
    def setUpClass(cls):
        cls.bank = Bank(settings=cls.settings)
        cls.addClassCleanup(cls.bank.close)

    def assert_error(self, reply, word, part=""):
        self.assertIsInstance(reply, Error, f"{reply!r} instead of {word}")
        self.assertEqual(reply.word, word, reply.line)
        self.assertIn(part, reply.text)


if sys.version_info < (3, 8):
    raise SystemExit("the tests need python 3.8 or newer")

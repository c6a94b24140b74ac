"""packing.py - tests with tarballs for boards, and with a board on which a bank is served."""

import os
import shutil
import socket
import tarfile
import tempfile
import unittest
from decimal import Decimal

from bank import ROOT, Bank, program, run
from board import Board
from resp import fields

BOARD = {"x86_64": "x86_64", "aarch64": "aarch64"}[os.uname().machine]  # what runs here
NAMES = ("pennyd", "penny", "pennyctl")
CENT = Decimal("0.01")


def content(path):
    with open(path, "rb") as file:
        return file.read()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


class Packing(unittest.TestCase):
    """Tarballs, of the host's programs or of others in their place."""

    @classmethod
    def setUpClass(cls):
        cls.programs = tempfile.mkdtemp(prefix="programs-", dir=os.environ.get("PENNY_TMP"))
        cls.addClassCleanup(shutil.rmtree, cls.programs)
        for name in NAMES:
            run(["strip", "-o", os.path.join(cls.programs, name), program(name)])

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="deploy ", dir=os.environ.get("PENNY_TMP"))
        self.addCleanup(shutil.rmtree, self.folder)

    def pack(self, name, board=BOARD, time=1, umask=0o022, **programs):
        """Packs the host's programs; `pennyd=BYTES` and the like stand in for one of them."""
        folder = os.path.join(self.folder, f"programs-{name}")
        os.mkdir(folder)
        for one in NAMES:
            path = os.path.join(folder, one)
            given = programs.get(one)
            with open(path, "wb") as out:
                # What stands behind a program is not a part of it, so this is another file.
                out.write(content(os.path.join(self.programs, one)) + name.encode() if given is None else given)
            os.chmod(path, 0o755)
        out = os.path.join(self.folder, f"{name}.tar.gz")
        run([os.path.join(ROOT, "tools", "packaging", "pack"), folder, board, str(time), out,
             os.path.join(ROOT, "LICENSE")], umask=umask)
        return out

    def unpack(self, name, **programs):
        """Packs and unpacks; gives the path of the installer."""
        return self.unpack_tarball(self.pack(name, **programs))

    def unpack_tarball(self, path):
        folder = path[:-len(".tar.gz")]
        with tarfile.open(path) as tar:
            tar.extractall(folder)
        return os.path.join(folder, f"pennybank-{BOARD}", "install.sh")


class OnBoard(Packing):
    """A board, and a bank on it that the host's programs serve, named `one`."""

    def setUp(self):
        super().setUp()
        self.board = Board(os.path.join(self.folder, "a board"))
        self.addCleanup(self.board.close)

    def make_bank(self):
        """A bank that the board serves, with a little money moved."""
        self.bank = Bank(start=False)
        self.addCleanup(self.bank.close)
        os.makedirs(self.board.path("etc"))
        os.symlink(self.bank.home, self.board.path("etc", "pennyd"))
        self.bank.host, self.bank.port = "127.0.0.1", free_port()
        for name in ("pennyd.conf", "client.conf"):
            path = self.bank.path(name)
            text = content(path).decode()
            self.assertIn("port = 6226", text)
            with open(path, "w", encoding="utf-8") as out:
                out.write(text.replace("port = 6226", f"port = {self.bank.port}"))
        run(["sh", self.unpack("one")], env=dict(os.environ, ROOT=self.board.root))
        self.assertEqual(self.board.restart(), 0)
        with self.bank.wire("alice") as alice:
            fields(alice.ask("TRANSFER", "before", "bob", "1.25"))
        self.before = self.balances()

    def balances(self):
        found = {}
        for name in ("alice", "bob"):
            with self.bank.wire(name) as wire:
                found[name] = Decimal(wire.ask("BALANCE").decode())
        return found

    def deploy(self, tarball, *words, expect=0):
        return self.board.deploy("--tarball", tarball, "--tries", "8", *words, expect=expect)

    def installed(self, name="pennyd", ending=""):
        return content(self.board.bin(name) + ending)

    def assert_old_one_serves(self):
        self.assertTrue(self.installed().endswith(b"one"), "the old program is not back")
        self.assertFalse(os.path.exists(self.board.path("usr/local/lib/pennybank/unproven")))
        self.assertEqual(self.board.starts[-1], [])
        self.assertEqual(self.balances(), self.before)
        with self.bank.wire("alice") as alice:
            fields(alice.ask("TRANSFER", "after", "bob", CENT))

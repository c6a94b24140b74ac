"""tools/deploy and programs whose journal has the next format: it is written after the health check and
not before, so that the previous program can always read what a rollback finds."""

import os
import shlex
import struct
import unittest

import journal
from bank import ROOT, run
from packing import CENT, OnBoard, content
from resp import fields

NEWER = (("put_u32(writer, batch_version)", "put_u32(writer, batch_version + 1)"),
         ("version > batch_version ", "version > batch_version + 1 "),
         ("if (version != batch_version ||",
          "if ((version != batch_version && version != batch_version + 1) ||"))


def build_newer(folder):
    """A pennyd whose journal has the next format: it reads the present one and writes its own."""
    source = os.path.join(folder, "batch.cpp")
    text = content(os.path.join(ROOT, "src", "journal", "batch.cpp")).decode()
    for old, new in NEWER:
        assert old in text, old
        text = text.replace(old, new)
    with open(source, "w", encoding="utf-8") as out:
        out.write(text)
    build = os.environ.get("PENNY_BUILD", os.path.join(ROOT, "build"))
    host = os.path.join(build, "host")
    flags = shlex.split(content(os.path.join(host, "our.flags")).decode())
    result = os.path.join(folder, "pennyd-newer")
    libraries = [os.path.join(host, "lib", f"lib{name}.a")
                 for name in ("pennyport", "pennycore", "mbedtls", "uv", "argon2", "inih")]
    run([*flags, "-Wno-unused-command-line-argument", "-g0", "-o", result, source,
         os.path.join(host, "obj", "port", "posix", "main.o"), *libraries, "-lpthread", "-ldl"],
        cwd=ROOT)
    return result


class Formats(OnBoard):
    """Programs whose journal has the next format."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.newer = build_newer(cls.programs)

    def versions(self):
        """Of all batches in the journal, whether or not anybody here can read them."""
        found = set()
        for path in journal.segments(self.bank.path("data")):
            segment = content(path)
            for offset in range(0, len(segment), journal.BLOCK):
                if segment.startswith(b"PNYBATCH", offset):
                    found.add(struct.unpack_from("<I", segment, offset + 8)[0])
        return found

    def test_a_newer_format_is_written_after_the_health_check_and_not_before(self):
        self.make_bank()
        newer = shlex.quote(self.newer)
        # It reads the book, and serves it where nobody asks.
        deaf = f'#!/bin/sh\nexec {newer} "$@" --port 0\n'.encode()
        self.assertIn("the previous programs serve again",
                      self.deploy(self.pack("deaf", pennyd=deaf), "--tries", "4", expect=3).stdout)
        self.assert_old_one_serves()
        self.assertEqual(self.versions(), {1})
        self.board.stop()
        self.assertIn("the books sum to zero", self.bank.check())
        self.assertEqual(self.board.restart(), 0)
        # The same format in a program that serves.
        self.before = self.balances()
        good = f'#!/bin/sh\nexec {newer} "$@"\n'.encode()
        self.deploy(self.pack("good", pennyd=good))
        self.assertEqual(self.balances(), self.before)
        with self.bank.wire("alice") as alice:
            fields(alice.ask("TRANSFER", "newer", "bob", CENT))
        self.board.stop()
        self.assertEqual(self.versions(), {1, 2})

    def test_a_newer_format_that_was_written_too_late_to_go_back_is_named(self):
        """Without the trial this would be the end of every failed upgrade: so the trial matters."""
        self.make_bank()
        newer = shlex.quote(self.newer)
        late = (f'#!/bin/sh\ncase " $* " in *" --read-only "*) exec {newer} "$@" ;; esac\n'
                f'exec {newer} "$@" --port 0\n').encode()
        said = self.deploy(self.pack("late", pennyd=late), "--tries", "4", expect=4).stdout
        self.assertIn("can read the book, and have not written yet", said)
        self.assertIn("nobody serves: the previous programs do not answer either", said)
        self.assertIn("newer format", self.board.log())
        good = f'#!/bin/sh\nexec {newer} "$@"\n'.encode()
        self.deploy(self.pack("good", pennyd=good))
        self.assertEqual(self.balances(), self.before)


if __name__ == "__main__":
    unittest.main()

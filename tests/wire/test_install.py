"""Tarballs for boards, and the installer in them: all or nothing, back again, and never a bank."""

import os
import shutil
import tarfile
import unittest

from bank import ROOT, run
from packing import BOARD, NAMES, Packing, content


class Tarball(Packing):
    def test_the_same_files_give_the_same_bytes(self):
        one = self.pack("same", time=1234567890)
        other = os.path.join(self.folder, "other.tar.gz")
        os.rename(one, other)
        programs = os.path.join(self.folder, "programs-same")
        for name in os.listdir(programs):
            os.utime(os.path.join(programs, name), (1, 1))
        os.rename(programs, programs + "-before")
        again = self.pack("same", time=1234567890, umask=0o077)
        self.assertTrue(content(one) == content(other), "the two tarballs differ")
        self.assertEqual(one, again)

    def test_it_holds_one_folder_with_all_there_is_to_install(self):
        with tarfile.open(self.pack("one", time=1234567890)) as tar:
            members = {member.name: member for member in tar}
        top = f"pennybank-{BOARD}"
        self.assertEqual({name.split("/")[0] for name in members}, {top})
        self.assertEqual({name[len(top) + 1:] for name in members if name != top},
                         {*NAMES, "install.sh", "switch.sh", "pennyd.service",
                          "pennyd-backup.service", "pennyd-backup.timer", "pennyd-certificates.service",
                          "pennyd-certificates.timer", "penny-renew.service", "penny-renew.timer",
                          "README.md", "board.md",
                          "LICENSE", "LICENSES"})
        self.assertEqual({(m.uid, m.gid, m.mtime) for m in members.values()}, {(0, 0, 1234567890)})
        for name, member in members.items():
            runs = member.isdir() or os.path.basename(name) in (*NAMES, "install.sh", "switch.sh")
            self.assertEqual(member.mode, 0o755 if runs else 0o644, name)

    def test_make_says_which_boards_there_are(self):
        done = run(["make", "--no-print-directory", "BOARD=host", "board"], cwd=ROOT, expect=2,
                   env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")})
        self.assertRegex(done.stderr, r"say for which board, one of: aarch64 .*make board BOARD=")


class Installing(Packing):
    """install.sh by hand, into a scratch root."""

    def setUp(self):
        super().setUp()
        self.root = os.path.join(self.folder, "root")
        self.bin = os.path.join(self.root, "usr", "local", "bin")

    def install(self, script, *words, expect=0):
        return run(["sh", script, *words], expect=expect, env=dict(os.environ, ROOT=self.root))

    def files(self):
        return {os.path.relpath(os.path.join(folder, name), self.root):
                content(os.path.join(folder, name))
                for folder, _, names in os.walk(self.root) for name in names}

    def test_what_is_installed_can_be_put_back_and_removed_and_the_bank_stays(self):
        one, two = self.unpack("one"), self.unpack("two")
        said = self.install(one).stdout
        self.assertIn("pennyctl init /etc/pennyd", said)
        bank = os.path.join(self.root, "etc", "pennyd")
        run([os.path.join(self.bin, "pennyctl"), "init", bank, "--demo"])
        first = self.files()
        self.install(one, "--rollback", expect=1)
        self.assertEqual(self.files(), first)
        self.install(two)
        second = self.files()
        for name in NAMES:
            path = f"usr/local/bin/{name}"
            self.assertNotEqual(second[path], first[path])
            self.assertEqual(second[path + ".previous"], first[path])
        # As the programs that are there would do it, without the folder they came in.
        kept = os.path.join(self.root, "usr", "local", "lib", "pennybank", "install.sh")
        self.assertIn("put back", self.install(kept, "--rollback").stdout)
        self.assertEqual(self.files(), first)
        self.install(kept, "--uninstall")
        self.assertEqual({name.split("/")[0] for name in self.files()}, {"var"})
        self.assertEqual({k: v for k, v in first.items() if k.startswith("var/")}, self.files())
        self.assertTrue(os.path.exists(os.path.join(bank, "pennyd.conf")))

    def test_programs_that_do_not_run_here_change_nothing(self):
        self.install(self.unpack("one"))
        before = self.files()
        bad = self.unpack("bad", penny=b"\x7fELF of another board")
        self.assertIn("penny does not run here", self.install(bad, expect=1).stderr)
        self.assertEqual(self.files(), before)

    def test_a_word_it_does_not_know_is_usage(self):
        self.assertIn("usage", self.install(self.unpack("one"), "--help-me", expect=2).stderr)
        self.assertFalse(os.path.exists(self.root))

    def cut_at_each_command(self, script, name, check):
        """Runs the script so that the process ends before its first, second, ... call of `mv`."""
        kept = os.path.join(self.folder, "kept")
        shutil.copytree(self.root, kept, symlinks=True)
        first = os.path.join(self.folder, "first")
        os.makedirs(first, exist_ok=True)
        shim = os.path.join(first, "mv")
        with open(shim, "w", encoding="utf-8") as out:
            out.write('#!/bin/sh\nprintf x >>"$CUT.count"\n'
                      'if [ "$(wc -c <"$CUT.count")" -ge "$AT" ]; then kill -KILL $PPID; exit 1; fi\n'
                      'exec /bin/mv "$@"\n')
        os.chmod(shim, 0o755)
        cuts = 0
        for at in range(1, 40):
            shutil.rmtree(self.root)
            shutil.copytree(kept, self.root, symlinks=True)
            cut = os.path.join(self.folder, f"cut-{name}-{at}")
            done = run(["sh", script, *(["--rollback"] if name == "rollback" else [])], expect=None,
                       env=dict(os.environ, ROOT=self.root, CUT=cut, AT=str(at),
                                PATH=f"{first}:{os.environ['PATH']}"))
            if done.returncode == 0:
                return cuts
            self.assertEqual(done.returncode, -9, done.stderr)
            cuts += 1
            with self.subTest(cut=at):
                check()
        self.fail("it never came to its end")

    def test_an_upgrade_that_was_cut_off_anywhere_still_goes_back_to_what_served(self):
        self.install(self.unpack("one"))
        served = {name: content(os.path.join(self.bin, name)) for name in NAMES}
        two, three = self.unpack("two"), self.unpack("three")

        def check():
            self.install(three)
            self.install(three, "--rollback")
            for name in NAMES:
                self.assertTrue(content(os.path.join(self.bin, name)) == served[name], name)

        self.assertGreaterEqual(self.cut_at_each_command(two, "upgrade", check), 12)

    def test_a_rollback_that_was_cut_off_is_ended_by_the_next(self):
        self.install(self.unpack("one"))
        served = {name: content(os.path.join(self.bin, name)) for name in NAMES}
        two = self.unpack("two")
        self.install(two)

        def check():
            self.install(two, "--rollback")
            for name in NAMES:
                self.assertTrue(content(os.path.join(self.bin, name)) == served[name], name)

        self.assertGreaterEqual(self.cut_at_each_command(two, "rollback", check), 6)


if __name__ == "__main__":
    unittest.main()

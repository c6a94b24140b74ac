"""port/board/README.md: what its replayed blocks show is what happens, and what it says about the
programs is true of them."""

import importlib.machinery
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import unittest

import journal
from bank import ROOT, SECONDS_MAX, Bank, program, run
from packing import BOARD, OnBoard, content, free_port
from resp import fields, wait_until

PAGE = os.path.join(ROOT, "port", "board", "README.md")
BLOCK = re.compile(r"<!-- replayed -->\n```console\n(.*?)```\n", re.S)


def load_readme_tool():
    """tools/readme types commands at a terminal, and knows what differs from run to run."""
    loader = importlib.machinery.SourceFileLoader("readme", os.path.join(ROOT, "tools", "readme"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("readme", loader))
    loader.exec_module(module)
    return module


def page():
    return content(PAGE).decode()


def steps(text):
    """(where, command, what is shown below it) for each command of the replayed blocks."""
    found = []
    for block in BLOCK.findall(text):
        for line in block.splitlines():
            begin = re.match(r"(pi)?\$ (.*)", line)
            if begin:
                found.append([begin[1] or "here", begin[2], []])
            elif line.startswith("> "):
                found[-1][1] += "\n" + line[2:]
            else:
                found[-1][2].append(line)
    return found


def unit_lines(unit, key):
    text = content(os.path.join(ROOT, "tools", "packaging", unit)).decode()
    return re.findall(rf"(?m)^{key}=(.*)$", text)


class Replayed(OnBoard):
    def setUp(self):
        super().setUp()
        self.readme = load_readme_tool()
        self.maker = self.readme.Maker(self.programs)
        self.addCleanup(self.maker.close)
        os.symlink(self.programs, os.path.join(self.maker.work, "build"))
        self.maker.environment["PATH"] = (os.path.dirname(self.board.bin("pennyd")) + ":" +
                                          self.maker.environment["PATH"])
        self.maker.environment["ROOT"] = self.board.root
        self.port = str(free_port())
        self.versions = 0

    def backup_unit(self):
        """What systemd would run for the service, in the scratch root."""
        lines = " && ".join([*unit_lines("pennyd-backup.service", "ExecStartPre"),
                             *unit_lines("pennyd-backup.service", "ExecStart")])
        for word in unit_lines("pennyd-backup.service", "Environment")[0].split():
            name, value = word.split("=")
            lines = lines.replace("${%s}" % name, '"$ROOT"' + value)
        return lines.replace("/usr/local/bin/", "") + " >/dev/null"

    def meant(self, command):
        """What is run in the place of a command, by this table: the Pi is this machine, its root the
        folder $ROOT, systemd this test."""
        words = self.board.command()
        deploy = " ".join(shlex.quote(word) for word in words[:-1])
        restart = shlex.quote(words[words.index("--restart") + 1])
        tarball = shlex.quote(os.path.join(self.folder, f"page-{self.versions}.tar.gz"))
        # What ssh sends is read by a shell once more.
        root = r'\"\$ROOT\"' if command.startswith("ssh ") else '"$ROOT"'
        table = {
            "make board BOARD=aarch64": "true",  # What it packs lies in `tarball`.
            "tools/deploy --rollback pi@pi.local": f"{deploy} --rollback board",
            "tools/deploy pi@pi.local": f"{deploy} --tarball {tarball} board",
            "ssh pi@pi.local": f"ssh -F {shlex.quote(os.path.join(self.board.folder, 'ssh'))} board",
            "sudo systemctl start pennyd-backup.service": self.backup_unit(),
            "sudo systemctl start pennyd": f"PENNYD_OPTIONS= sh -c {restart}",
            "sudo systemctl enable --now pennyd-backup.timer": "true",
            "sudo systemctl enable --now pennyd-certificates.timer": "true",
            "sudo -u pennybank ": "",
            "sudo ": "",
            "/etc/pennyd": f"{root}/etc/pennyd",
            "/var/backups/pennybank": f"{root}/var/backups/pennybank",
            "pi.local": "localhost",
        }
        return re.sub("|".join(map(re.escape, table)), lambda found: table[found[0]], command)

    def as_written(self, shown):
        shown = shown.replace("\r", "").replace(self.board.root, "").replace("'/etc", "/etc")
        shown = re.sub(r"(/etc/pennyd/\w+\.conf)'", r"\1", shown)
        shown = re.sub(r"\bpenny(d|ctl|) (?:[0-9a-f]{7,}|v?[0-9]\S*|unknown)(?:-\S+)?$",
                       r"penny\1 VERSION", shown, flags=re.M)
        return shown.replace("localhost", "pi.local")

    def same(self, text):
        text = re.sub(r"pennybank-\d{4}-\d\d-\d\dT\d{6}Z", "pennybank-TIME", text)
        text = re.sub(r"(?m)^(Password for .*|Once more:) *$", lambda m: m[0].rstrip(), text)
        return self.readme.stable("run", text).strip()

    def set_port(self):
        """6226 need not be free here."""
        for folder in (self.board.path("var", "lib", "pennybank"), self.maker.work):
            for where, _, names in os.walk(folder):
                for name in (name for name in names if name.endswith(".conf")):
                    path = os.path.join(where, name)
                    text = content(path).decode()
                    if "port = 6226" in text:
                        with open(path, "w", encoding="utf-8") as out:
                            out.write(text.replace("port = 6226", f"port = {self.port}"))

    def test_every_block_shows_what_comes_back(self):
        found = steps(page())
        self.assertGreater(len(found), 12)
        for where, command, shown in found:
            with self.subTest(command=command):
                if command.startswith("make board"):
                    self.versions += 1
                    self.pack(f"page-{self.versions}")
                came = self.maker.type(self.meant(command))
                self.assertEqual(self.same(self.as_written(came)), self.same("\n".join(shown)),
                                 f"{where}: {command}")
                self.set_port()
        self.assertEqual(self.versions, 2)
        self.board.stop()
        said = run([self.board.bin("pennyctl"), "check", self.board.path("etc", "pennyd")]).stdout
        self.assertIn("the books sum to zero", said)


class True_(unittest.TestCase):
    """What is said in words."""

    def test_figures_of_the_journal(self):
        text = page()
        self.assertIn("a transfer that comes alone is one block of 4 KiB and one `fdatasync`", text)
        self.assertIn("one more block closes the journal", text)
        self.assertRegex(text, r"Segments of 8\s+MiB are filled with zeros before")
        with Bank() as bank:
            data = bank.path("data")
            with bank.wire("alice") as alice:
                fields(alice.ask("TRANSFER", "first", "bob", "0.01"))  # Notes the terminal too.
                wait_until("the journal is closed",
                           lambda: journal.batches(data)[-1].entry_count == 0)
                before = len(journal.batches(data))
                fields(alice.ask("TRANSFER", "lone", "bob", "0.01", "MEMO", "x" * 63))
                wait_until("it is closed again", lambda: len(journal.batches(data)) > before + 1)
            added = journal.batches(data)[before:]
            self.assertEqual([(batch.entry_count, batch.end - batch.offset) for batch in added],
                             [(1, 4096), (0, 4096)])
            bank.stop()
            self.assertEqual({os.path.getsize(path) for path in journal.segments(data)[1:]} or
                             {8 << 20}, {8 << 20})

    def test_what_it_says_of_units_and_options(self):
        text = page()
        self.assertIn("/var/lib/pennybank", unit_lines("pennyd.service", "RequiresMountsFor"))
        self.assertIn("`RequiresMountsFor=/var/lib/pennybank`", text)
        self.assertEqual(unit_lines("pennyd.service", "Restart"), ["on-failure"])
        self.assertEqual(unit_lines("pennyd.service", "WatchdogSec"), [])
        self.assertIn("time-sync.target", unit_lines("pennyd.service", "After")[0])
        with Bank(start=False) as bank:
            conf = content(bank.path("pennyd.conf")).decode()
            run([program("pennyd"), "--set", "server.temperature=w1:28-01234567abcd", "-t",
                 bank.path("pennyd.conf")])
        self.assertIn("\n#clock-step-max-days = 400\n", conf)
        self.assertIn("more than 400 days", text)
        self.assertIn("`temperature = w1:28-...`", text)

    def test_the_lines_of_fstab_are_read_as_they_are_meant(self):
        lines = re.search(r"```fstab\n(.*?)```", page(), re.S)[1]
        rows = [line.split() for line in lines.splitlines()]
        self.assertEqual({len(row) for row in rows}, {6})
        options = {row[1]: row[3].split(",") for row in rows}
        self.assertIn("ro", options["/"])
        self.assertIn("errors=remount-ro", options["/var/lib/pennybank"])
        self.assertNotIn("ro", options["/var/lib/pennybank"])
        self.assertNotIn("nofail", options["/var/lib/pennybank"])
        for place in unit_lines("pennyd-backup.service", "RequiresMountsFor"):
            self.assertIn(place, options)
        if shutil.which("findmnt"):
            done = subprocess.run(["findmnt", "--tab-file", "/dev/stdin", "--noheadings", "--raw",
                                   "--output", "TARGET"], input=lines, text=True,
                                  capture_output=True, timeout=SECONDS_MAX, check=False)
            self.assertEqual(done.stdout.split(), [row[1] for row in rows], done.stderr)

    def test_every_board_it_names_is_one(self):
        text = page()
        for board in ("aarch64", "armhf", "armv6"):
            self.assertIn(f"`{board}`", text)
            self.assertTrue(os.path.exists(os.path.join(ROOT, "port", "board", f"{board}.mk")))
        self.assertTrue(os.path.exists(os.path.join(ROOT, "port", "board", f"{BOARD}.mk")))


if __name__ == "__main__":
    unittest.main()

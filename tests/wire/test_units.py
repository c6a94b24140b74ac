"""The units in tools/packaging: systemd understands them, and what they run is a command line that
pennyctl takes."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from bank import Bank, ROOT, program, run

FOLDER = os.path.join(ROOT, "tools", "packaging")


def setting(unit, key):
    with open(os.path.join(FOLDER, unit), encoding="utf-8") as file:
        return re.findall(rf"(?m)^{key}=(.*)$", file.read())


class Units(unittest.TestCase):
    def test_systemd_understands_them(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd-analyze is not here")
        with tempfile.TemporaryDirectory() as folder:
            for unit in ("pennyd-backup.service", "pennyd-backup.timer"):
                with open(os.path.join(FOLDER, unit), encoding="utf-8") as file:
                    text = file.read()
                # It also looks for the program, which is not installed here.
                text = text.replace("/usr/bin/pennyctl", program("pennyctl").replace(" ", r"\x20"))
                with open(os.path.join(folder, unit), "w", encoding="utf-8") as file:
                    file.write(text)
            done = subprocess.run(
                ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
                 os.path.join(folder, "pennyd-backup.service"),
                 os.path.join(folder, "pennyd-backup.timer")],
                capture_output=True, text=True, timeout=60, check=False)
            said = [line for line in (done.stdout + done.stderr).splitlines()
                    if "pennyd-backup" in line]
            self.assertEqual((done.returncode, said), (0, []), done.stdout + done.stderr)

    def test_what_it_runs_works(self):
        line, = setting("pennyd-backup.service", "ExecStart")
        words = line.split()
        self.assertEqual(words[0], "/usr/bin/pennyctl")
        bank = Bank()
        self.addCleanup(bank.close)
        into = os.path.join(bank.folder, "backups")
        os.mkdir(into, 0o700)
        names = {"${PENNY_BANK}": bank.path("pennyd.conf"), "${PENNY_BACKUPS}": into}
        run([program("pennyctl"), *[names.get(word, word) for word in words[1:]]])
        made, = os.listdir(into)
        run([program("pennyctl"), "restore", os.path.join(into, made),
             os.path.join(bank.folder, "new")])

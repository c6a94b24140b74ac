"""The units in tools/packaging: systemd understands them, what they run is a command line that the
programs take, and what the server's unit forbids is nothing that the server does."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

from bank import Bank, ROOT, program, run
from resp import fields, wait_until

FOLDER = os.path.join(ROOT, "tools", "packaging")
UNITS = ("pennyd.service", "pennyd-backup.service", "pennyd-backup.timer",
         "pennyd-certificates.service", "pennyd-certificates.timer", "penny-renew.service",
         "penny-renew.timer")


def setting(unit, key):
    with open(os.path.join(FOLDER, unit), encoding="utf-8") as file:
        return re.findall(rf"(?m)^{key}=(.*)$", file.read())


class Units(unittest.TestCase):
    def test_systemd_understands_them(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd-analyze is not here")
        with tempfile.TemporaryDirectory() as folder:
            for name in ("pennyd", "penny", "pennyctl"):
                os.symlink(program(name), os.path.join(folder, name))
            for unit in UNITS:
                with open(os.path.join(FOLDER, unit), encoding="utf-8") as file:
                    text = file.read()
                # It also looks for the programs, which are not installed here, and takes no path
                # with a blank for one.
                text = text.replace("/usr/local/bin/", folder + "/")
                with open(os.path.join(folder, unit), "w", encoding="utf-8") as file:
                    file.write(text)
            done = subprocess.run(
                ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no",
                 *[os.path.join(folder, unit) for unit in UNITS]],
                capture_output=True, text=True, timeout=60, check=False)
            said = [line for line in (done.stdout + done.stderr).splitlines()
                    if "penny" in line]
            self.assertEqual((done.returncode, said), (0, []), done.stdout + done.stderr)

    def test_what_it_runs_works(self):
        line, = setting("pennyd-backup.service", "ExecStart")
        words = line.split()
        self.assertEqual(words[0], "/usr/local/bin/pennyctl")
        bank = Bank()
        self.addCleanup(bank.close)
        into = os.path.join(bank.folder, "backups")
        os.mkdir(into, 0o700)
        names = {"${PENNY_BANK}": bank.path("pennyd.conf"), "${PENNY_BACKUPS}": into}
        run([program("pennyctl"), *[names.get(word, word) for word in words[1:]]])
        made, = os.listdir(into)
        run([program("pennyctl"), "restore", os.path.join(into, made),
             os.path.join(bank.folder, "new")])


    def test_the_renewal_of_certificates_works(self):
        line, = setting("pennyd-certificates.service", "ExecStart")
        words = line.split()
        self.assertEqual(words[0], "/usr/local/bin/pennyctl")
        bank = Bank(start=False)
        self.addCleanup(bank.close)
        names = {"${PENNY_BANK}": bank.path("pennyd.conf")}
        done = run([program("pennyctl"), *[names.get(word, word) for word in words[1:]]])
        self.assertEqual(done.stdout, "Nothing is due.\n")

    def test_every_timer_has_its_service_and_every_service_but_the_servers_its_timer(self):
        services = {unit[:-len(".service")] for unit in UNITS if unit.endswith(".service")}
        timers = {unit[:-len(".timer")] for unit in UNITS if unit.endswith(".timer")}
        self.assertEqual(services - timers, {"pennyd"})
        self.assertEqual(timers - services, set())
        self.assertEqual(sorted(UNITS), sorted(
            name for name in os.listdir(FOLDER) if name.endswith((".service", ".timer"))))


class Server(unittest.TestCase):
    def allowed_calls(self):
        """Names of the system calls in the groups of SystemCallFilter=."""
        found, groups = set(), setting("pennyd.service", "SystemCallFilter")
        while groups:
            said = run(["systemd-analyze", "syscall-filter", groups.pop()]).stdout
            for line in said.split("\n")[1:]:
                word = line.strip()
                if word.startswith("@"):
                    groups.append(word)
                elif word and not word.startswith("#"):
                    found.add(word)
        return found

    def test_what_the_unit_runs_is_what_pennyd_takes(self):
        line, = setting("pennyd.service", "ExecStart")
        self.assertEqual(line, "/usr/local/bin/pennyd $PENNYD_OPTIONS /etc/pennyd/pennyd.conf")
        bank = Bank(start=False)
        self.addCleanup(bank.close)
        for options in ([], ["--read-only"]):
            run([program("pennyd"), *options, "-t", bank.path("pennyd.conf")])

    def test_the_server_makes_no_call_that_the_unit_forbids(self):
        done = run(["strace", "-o", "/dev/null", "true"], expect=None)
        if done.returncode != 0:
            self.skipTest("ptrace is forbidden here")
        allowed = self.allowed_calls()
        self.assertGreater(len(allowed), 200)
        bank = Bank(start=False, settings=["server.segment-size-kib=512"])
        self.addCleanup(bank.close)
        trace = os.path.join(bank.folder, "trace")
        bank.start(under=["strace", "-D", "-f", "-e", "signal=none", "-o", trace])
        with bank.wire("alice") as alice, bank.wire("admin") as admin:
            for i in range(8):
                fields(alice.ask("TRANSFER", f"t-{i}", "bob", "0.01"))
            fields(alice.ask("STATEMENT")[0])
            fields(admin.ask("CHECKPOINT"))
        bank.stop()

        def whole():
            with open(trace, encoding="utf-8", errors="replace") as file:
                text = file.read()
            return text if "+++ exited with 0 +++" in text.rstrip().split("\n")[-1] else None

        text = wait_until("the trace is whole", whole)
        calls = set(re.findall(r"^\d+ +(\w+)\(", text, re.M))
        self.assertIn("fdatasync", calls)
        self.assertEqual(calls - allowed, set())
        families = {"AF_INET", "AF_INET6", "AF_UNIX"}
        words = setting("pennyd.service", "RestrictAddressFamilies")[0].split()
        self.assertEqual(set(words), families)
        self.assertLessEqual(set(re.findall(r"\bsocket(?:pair)?\((\w+)", text)), families)
        # MemoryDenyWriteExecute= refuses both, in whatever call.
        self.assertNotRegex(text, r"PROT_WRITE\|PROT_EXEC")

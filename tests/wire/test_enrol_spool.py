"""Where the server does not sign: requests wait in data/enrol for pennyctl enrol --sign; and the rest
of pennyctl enrol, beside a running server."""

import os
import re
import shutil
import stat
import subprocess
import unittest

from bank import Bank, run
from enrolment import EnrolBank, certificates, new_key, request, state_of
from resp import wait_until


class Spooled(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bank = EnrolBank(issues=False)
        cls.addClassCleanup(cls.bank.close)

    def folder(self):
        made = os.path.join(self.bank.folder, self.id().rsplit(".", 1)[-1])
        self.addCleanup(shutil.rmtree, made, ignore_errors=True)
        return made

    def tool(self, *words, **more):
        return self.bank.pennyctl("enrol", *words, self.bank.home, **more)

    def test_the_operator_signs_and_the_same_command_takes_it(self):
        folder, code = self.folder(), self.bank.code("kiosk")
        done = self.bank.enrol(code, folder, expect=1)
        self.assertIn("pennyctl enrol --sign kiosk", done.stderr)
        self.assertIn("run the same command again", done.stderr)
        self.assertFalse(os.path.exists(os.path.join(folder, "client.conf")))
        with open(os.path.join(folder, "kiosk.key"), "rb") as file:
            key = file.read()
        self.assertEqual(self.bank.enrol(code, folder, expect=1).stderr, done.stderr)
        self.assertEqual(self.tool("--sign", "kiosk").stdout, "kiosk: signed\n")
        self.bank.enrol(code, folder)
        with open(os.path.join(folder, "kiosk.key"), "rb") as file:
            self.assertEqual(file.read(), key)
        with open(os.path.join(folder, "kiosk.crt"), "rb") as file:
            leaf = certificates(file.read())[0]
        self.assertEqual((leaf.not_valid_after - leaf.not_valid_before).days, 30)
        # Signed by the CA, and in pennyctl's register.
        with open(self.bank.path("certs", "issued"), encoding="utf-8") as register:
            self.assertIn("%x" % leaf.serial_number, register.read())
        conf = os.path.join(folder, "client.conf")
        self.assertEqual(run(self.bank.penny_argv("-c", conf, "ping")).stdout, "PONG\n")

    def test_penny_waits_for_as_long_as_it_is_told(self):
        folder, code = self.folder(), self.bank.code("waits")
        waiting = subprocess.Popen(
            self.bank.penny_argv("enrol", f"127.0.0.1:{self.bank.enrol_port()}", code, "--dir",
                                 folder, "--wait", "300"), stdout=subprocess.PIPE, text=True)
        with waiting:
            wait_until("its request is there", lambda: "waits" in self.tool("--list").stdout and
                       "terminal waits" in self.bank.log())
            self.tool("--sign")
            said, _ = waiting.communicate(timeout=60)
        self.assertEqual(waiting.returncode, 0)
        self.assertIn("enrolled waits", said)

    def test_the_list_tells_how_far_each_is(self):
        codes = {name: self.bank.code(name) for name in ("one-unused", "two-waits", "three-done")}
        for name in ("two-waits", "three-done"):
            with self.bank.stranger() as wire:
                wire.ask("ENROL", codes[name], request(new_key()))
        self.tool("--sign", "three-done")
        with self.bank.wire(terminal="bob") as wire:
            wire.ask("RENEW", request(new_key()))
        rows = {line.split()[0]: line.split(None, 3)[1:] for line in
                self.tool("--list").stdout.splitlines()}
        self.assertEqual(rows["one-unused"][2], "unused")
        self.assertEqual(rows["two-waits"][2], "waits for pennyctl enrol --sign")
        self.assertEqual(rows["three-done"][2], "answered")
        self.assertEqual(rows["bob"][::2], ["renewal", "waits for pennyctl enrol --sign"])
        for name in ("one-unused", "two-waits", "three-done", "bob"):
            self.assertEqual(self.tool("--forget", name).stdout, f"{name}: forgotten\n")
        said = self.tool("--list").stdout
        for name in ("one-unused", "two-waits", "bob"):
            self.assertNotIn(name, said)

    def test_what_is_forgotten_is_no_code_any_more(self):
        code = self.bank.code("gone")
        self.tool("--forget", "gone")
        with self.bank.stranger() as wire:
            self.assertEqual(wire.ask("ENROL", code, request(new_key())).word, "NOPERM")
        self.assertIn("nothing of gone is there", self.tool("--forget", "gone", expect=1).stderr)

    def test_old_codes_are_cleared_away_by_the_next_one(self):
        self.bank.code("ancient")
        path = [p for p in self.bank.spool() if p.endswith(".code") and
                "ancient" in self.read(p)][0]
        text = re.sub(r"expires \d{4}", "expires 2020", self.read(path))
        with open(self.bank.path("data", "enrol", path), "w", encoding="utf-8") as out:
            out.write(text)
        self.assertIn("expired", self.tool("--list").stdout)
        self.bank.code("next")
        self.assertNotIn(path, self.bank.spool())

    def read(self, name):
        with open(self.bank.path("data", "enrol", name), encoding="utf-8") as text:
            return text.read()

    def test_files_are_the_servers_alone(self):
        self.bank.code("private")
        folder = self.bank.path("data", "enrol")
        owner = os.stat(self.bank.path("data")).st_uid
        for path in (folder, *(os.path.join(folder, name) for name in os.listdir(folder))):
            facts = os.stat(path)
            self.assertEqual(stat.S_IMODE(facts.st_mode) & 0o077, 0, path)
            self.assertEqual(facts.st_uid, owner, path)

    def test_what_root_makes_is_given_to_the_owner_of_the_data(self):
        if os.geteuid() != 0:  # Only root can give anything away.
            return
        with EnrolBank(issues=False, start=False) as bank:
            for folder, _, names in os.walk(bank.path("data")):
                for path in (folder, *(os.path.join(folder, name) for name in names)):
                    os.lchown(path, 65534, 65534)
            bank.code("given")
            folder = bank.path("data", "enrol")
            for path in (folder, *(os.path.join(folder, name) for name in os.listdir(folder))):
                self.assertEqual(os.stat(path).st_uid, 65534, path)

    def test_what_is_not_understood(self):
        for words, told, code in (
                ((), "which terminal?", 2), (("Kiosk",), "cannot be a terminal's name", 1),
                (("cash",), "cannot be a terminal's name", 1), (("x", "--hours", "0"), "--hours", 2),
                (("x", "--hours", "2161"), "--hours", 2), (("--list", "--sign"), "one of", 2),
                (("x", "--for", "ever"), "no option", 2), (("--sign", "nobody"), "waits", 1)):
            argv = ["enrol", *words] + ([self.bank.home] if words else [])
            done = self.bank.pennyctl(*argv, expect=code)
            self.assertIn(told, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)

    def test_hours(self):
        said = self.tool("brief", "--hours", "1").stdout
        self.assertRegex(said, r"^code \S{39}\nexpires \S{20}\n\nOn the terminal:\n\n"
                               r"    penny enrol 127\.0\.0\.1 \S{39}\n$")

    def test_without_a_listener_there_is_no_code(self):
        with Bank(start=False) as bank:
            done = bank.pennyctl("enrol", "kiosk", bank.home, expect=1)
        self.assertIn("add a section [listener enrol]", done.stderr)

    def test_too_many_codes_are_refused(self):
        with EnrolBank(issues=False, start=False) as bank:
            bank.code("first")
            folder = bank.path("data", "enrol")
            with open(os.path.join(folder, os.listdir(folder)[0]), encoding="utf-8") as text:
                text = text.read()
            for number in range(1023):
                with open(os.path.join(folder, "%032x.code" % number), "w",
                          encoding="utf-8") as out:
                    out.write(text)
            done = bank.pennyctl("enrol", "last", bank.home, expect=1)
            self.assertIn("1024 codes wait to be used", done.stderr)

    def test_a_damaged_file_is_told_of_and_stops_nobody_else(self):
        code = self.bank.code("torn")
        path = [p for p in self.bank.spool() if p.endswith(".code") and "torn" in self.read(p)][0]
        text = self.read(path)
        for size in (0, 1, 5, 10, len(text) - 1):
            with open(self.bank.path("data", "enrol", path), "w", encoding="utf-8") as out:
                out.write(text[:size])
            with self.bank.stranger() as wire:
                answer = wire.ask("ENROL", code, request(new_key()))
                self.assertIn(answer.word, ("BUSY", "NOPERM"))
            done = self.tool("--list")
            self.assertIn("is damaged", done.stderr)
        with open(self.bank.path("data", "enrol", path), "w", encoding="utf-8") as out:
            out.write(text)
        with self.bank.stranger() as wire:
            self.assertEqual(state_of(wire.ask("ENROL", code, request(new_key())))[0], "waiting")

    def test_a_request_that_was_put_there_by_hand_is_judged_again(self):
        code = self.bank.code("planted")
        with self.bank.stranger() as wire:
            wire.ask("ENROL", code, request(new_key(), "planted"))
        path = [p for p in self.bank.spool() if p.endswith(".csr") and
                "name planted" in self.read(p.replace(".csr", ".code"))][0]
        for text in (request(new_key(), "admin"), "garbage"):
            with open(self.bank.path("data", "enrol", path), "w", encoding="utf-8") as out:
                out.write(text)
            done = self.tool("--sign", "planted", expect=1)
            self.assertIn("planted: the request is refused", done.stderr)
        self.tool("--forget", "planted")


if __name__ == "__main__":
    unittest.main()

"""pennyctl class: many people at once, with a certificate and a handout each, and their end."""

import os
import re
import shutil
import socket
import ssl
import stat
import subprocess
import unittest

from bank import SECONDS_MAX, program
from dying import Dying
from old_bank import OldBank
from resp import Error, Wire, fields

COUNT = 200
OWN = "a password of my own"
SECRET = re.compile(r"[a-km-np-z2-9]{5}(-[a-km-np-z2-9]{5}){2}\n")
FILES = ["README", "ca.crt", "client.conf", "password"]
REFUSED = "this is a first password; change it: PASSWD old new"


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


class ClassTest(unittest.TestCase):
    def setUp(self):
        self.bank = OldBank()
        self.addCleanup(self.bank.close)
        self.out = os.path.join(self.bank.folder, "out")
        self.unfinished = self.out + ".unfinished"

    def argv(self, people, *words):
        path = self.bank.file("people.csv", people)
        return ["class", path, self.out, self.bank.home, *words]

    def make(self, people, *words, expect=0, **more):
        return self.bank.pennyctl(*self.argv(people, *words), expect=expect, **more)

    def end(self, whose=None, expect=0):
        return self.bank.pennyctl("class", "--end", whose or self.out, self.bank.home,
                                  expect=expect)

    def refused(self, people, *words, part=""):
        before = self.bank.data_files(), self.certificates()
        done = self.make(people, *words, expect=1)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Apennyctl: [^\n]+\n\Z")
        self.assertIn(part, done.stderr)
        self.assertEqual((self.bank.data_files(), self.certificates()), before)
        self.assertFalse(os.path.exists(self.unfinished))
        return done.stderr

    def certificates(self):
        """The register and the lists, as they are."""
        found = {}
        for name in ("issued", "crl.pem"):
            path = self.bank.path("certs", name)
            found[name] = read(path) if os.path.exists(path) else None
        return found

    def password(self, name, out=None):
        return read(out or self.out, name, "password").rstrip("\n")

    def enter(self, name, out=None):
        """A connection by the certificate of a handout."""
        folder = os.path.join(out or self.out, name)
        context = ssl.create_default_context(cafile=os.path.join(folder, "ca.crt"))
        context.load_cert_chain(*(os.path.join(folder, f"{name}.{end}") for end in ("crt", "key")))
        plain = socket.create_connection((self.bank.host, self.bank.port), timeout=SECONDS_MAX)
        return Wire(context.wrap_socket(plain, server_hostname=self.bank.host))

    def assert_first(self, reply):
        self.assertIsInstance(reply, Error)
        self.assertEqual((reply.word, reply.text), ("NOPERM", REFUSED))

    def assert_kept_out(self, name, password):
        with self.assertRaises((OSError, EOFError, AssertionError)):
            with self.enter(name) as wire:
                wire.ask("TIME")
        with self.bank.wire(terminal="kiosk") as wire:
            reply = wire.ask("AUTH", name, password)
        self.assertIsInstance(reply, Error)
        self.assertEqual(reply.word, "WRONGPASS")


class Whole(ClassTest):
    def test_two_hundred_come_and_go(self):
        names = [f"pupil.{i}" for i in range(COUNT)]
        done = self.make("name,display name\n" +
                         "".join(f'{name},"Pupil, {i}: gr\u00fc\u00df"\r\n'
                                 for i, name in enumerate(names)), "--days", "150")
        passwords = {name: self.password(name) for name in names}
        self.assertEqual(len(set(passwords.values())), COUNT)
        self.assert_handouts(names)
        self.bank.start()
        for name in names:
            with self.enter(name) as wire:
                self.assertEqual(wire.ask("AUTH", name, passwords[name]), "OK")
                self.assert_first(wire.ask("BALANCE"))
                self.assert_first(wire.ask("TRANSFER", "t", "bob", "0.00"))
                who = fields(wire.ask("WHOAMI"))
                self.assertEqual((who["person"], who["role"], who["terminal"]),
                                 (name, "customer", name))
                self.assertIsInstance(wire.ask("PASSWD", passwords[name], passwords[name]), Error)
                self.assertEqual(wire.ask("PASSWD", passwords[name], OWN + name), "OK")
                self.assertEqual(wire.ask("BALANCE"), b"0.00")
        with self.bank.wire("admin") as admin:
            shown = [fields(row) for row in admin.ask("USER", "LIST", "AFTER", names[98])]
        self.assertEqual([row["person"] for row in shown[:100]], names[99:199])
        self.assertEqual({row["state"] for row in shown}, {"active"})
        self.assertEqual(shown[0]["name"], "Pupil, 99: gr\u00fc\u00df")
        self.bank.stop()
        said = self.end()
        self.assertEqual(said.stdout, f"locked    {COUNT} people\n"
                                      f"revoked   {COUNT} certificates\n")
        self.bank.settings = ["server.penalty-exempt=127.0.0.1"]
        self.bank.start()
        for name in names:
            self.assert_kept_out(name, OWN + name)
        with self.bank.wire("alice") as wire:
            self.assertNotIsInstance(wire.ask("BALANCE"), Error)
        self.assertIn("agrees with the journal", self.bank.check())
        log = self.bank.log() + done.stdout + done.stderr + said.stderr
        for password in passwords.values():
            self.assertNotIn(password, log)
        for path in self.bank.files():
            if not path.startswith(self.out):
                with open(path, "rb") as file:
                    self.assertNotIn(passwords[names[7]].encode(), file.read(), path)

    def assert_handouts(self, names):
        self.assertEqual(sorted(os.listdir(self.out)), sorted([*names, "people.csv"]))
        for name in names:
            folder = os.path.join(self.out, name)
            self.assertEqual(sorted(os.listdir(folder)),
                             sorted([*FILES, f"{name}.crt", f"{name}.key"]))
            self.assertEqual(stat.S_IMODE(os.stat(folder).st_mode), 0o700)
            modes = {stat.S_IMODE(os.stat(os.path.join(folder, file)).st_mode)
                     for file in os.listdir(folder)}
            self.assertEqual(modes, {0o600})
            self.assertRegex(read(folder, "password"), SECRET)
        shown = subprocess.run(["openssl", "x509", "-noout", "-subject", "-startdate", "-enddate",
                                "-in", os.path.join(self.out, names[0], f"{names[0]}.crt")],
                               capture_output=True, text=True, check=True).stdout
        self.assertIn(f"CN = {names[0]}", shown)
        dates = re.findall(r"=(\w+ +\d+ [\d:]+ \d+) GMT", shown)
        start, last = (ssl.cert_time_to_seconds(f"{date} GMT") for date in dates)
        self.assertEqual((last - start) // 86400, 150)

    def test_a_handout_is_all_that_penny_needs(self):
        self.make("hana,Hana\n", "--host", "localhost")
        conf = os.path.join(self.out, "hana", "client.conf")
        self.assertIn("For Hana, who is hana at the bank.", read(self.out, "hana", "README"))
        self.bank.start()
        text = read(conf)
        self.assertIn("host = localhost\nport = 6226\n", text)
        with open(conf, "w", encoding="utf-8") as file:
            file.write(text.replace("6226", str(self.bank.port)))
        first = self.password("hana")

        def penny(password, *words, **more):
            return subprocess.run([program("penny"), "-c", conf, *words], text=True, check=False,
                                  capture_output=True, timeout=SECONDS_MAX,
                                  env=dict(os.environ, PENNY_PASS=password), **more)
        done = penny(first, "BALANCE")
        self.assertEqual(done.returncode, 1)
        self.assertIn(REFUSED, done.stderr)
        self.assertEqual(penny(first, input=f"PASSWD {first} '{OWN}'\n").stdout, "OK\n")
        self.assertEqual(penny(OWN, "BALANCE").stdout, "0.00\n")

    def test_a_list_of_another_kind_of_table(self):
        self.make("\ufeffName , shown,\r\n\r\n\"anna\" , \"\"\"A\"\" Berg, 7b \" ,\r\n,,\r\nbert")
        people = self.bank.people()
        self.assertEqual((people["anna"][1], people["bert"][1]), ("active/first", "active/first"))
        self.assertIn('"A" Berg, 7b', self.bank.pennyctl("user", "list", self.bank.home).stdout)
        self.assertEqual(read(self.out, "people.csv"),
                         'name,name to show\nanna,"""A"" Berg, 7b "\nbert\n')
        self.assertRegex(self.bank.pennyctl("audit", self.bank.home, "--person", "bert").stdout,
                         r"\(pennyctl\) at \(local\): added bert, customer, first password\n\Z")

    def test_by_the_list_it_is_ended_too_and_only_once(self):
        people = "hana\nivo\n"
        self.make(people)
        self.bank.pennyctl("user", "lock", "ivo", self.bank.home)
        self.assertEqual(self.end(self.bank.file("ended.csv", people)).stdout,
                         "locked    1 people, and 1 were already\nrevoked   2 certificates\n")
        before = self.bank.data_files(), self.certificates()
        self.assertEqual(self.end().stdout,
                         "locked    0 people, and 2 were already\nrevoked   0 certificates\n")
        self.assertEqual((self.bank.data_files(), self.certificates()), before)
        self.bank.pennyctl("user", "del", "hana", self.bank.home)
        self.end()

    def test_done_again_it_does_nothing(self):
        self.make("hana\n")
        before = self.bank.data_files(), self.certificates()
        done = self.make("hana\n")
        self.assertEqual(done.stdout, f"{self.out}: this class is made already\n")
        self.assertEqual((self.bank.data_files(), self.certificates()), before)
        self.refused("hana\nivo\n", part="out is there already; name a folder that is not")
        self.bank.pennyctl("init", os.path.join(self.bank.folder, "other"), "--demo",
                           "--no-message-key")
        done = self.bank.pennyctl("class", self.bank.file("people.csv", "hana\n"), self.out,
                                  os.path.join(self.bank.folder, "other"), expect=1)
        self.assertIn("people.csv:1: hana: is not in the book", done.stderr)


class Refusals(ClassTest):
    def test_all_or_nothing_and_the_line_that_is_wrong(self):
        for people, part in (
                ("hana\nHana\n", "people.csv:2: Hana: is no name"),
                ("hana\n\nivo\nhana\n", "people.csv:4: hana: is in line 1 already"),
                ("hana\ncash\n", "people.csv:2: cash: the name is reserved"),
                ("hana\nca\n", "people.csv:2: ca: the name stands for one of the bank's own"),
                ("hana\nivo,Ivo,7b\n", "people.csv:2: ivo: has more than a name"),
                ("hana,\"Hana\n", "people.csv:1: a quote is not closed"),
                ("hana\nalice\n", "people.csv:2: alice: the book has a person of this name"),
                ("hana\nkiosk\n", "people.csv:2: kiosk: there is a certificate of this name"),
                ("name\n", "names nobody"), (b"hana\n\xff\n", "people.csv:2: ")):
            self.refused(people, part=part)
            self.assertFalse(os.path.exists(self.out))

    def test_more_than_there_is_room_for(self):
        self.bank.conf("accounts", 8)
        self.refused("hana\nivo\njan\n",
                     part="people.csv:3: jan: the book has no room for more people; raise [limits] "
                          "accounts from 8")
        self.make("hana\nivo\n")

    def test_beside_a_server(self):
        self.bank.start()
        pid = self.bank.process.pid
        for done in (self.make("hana\n", expect=1),
                     self.end(self.bank.file("people.csv", "alice\n"), expect=1)):
            self.assertIn(f"in use by process {pid}; stop it first: this is done to a bank at rest",
                          done.stderr)
        self.assertEqual(os.path.exists(self.out), False)

    def test_who_is_to_be_ended_is_there_and_may_be_locked(self):
        before = self.bank.data_files(), self.certificates()
        for people, part in (("alice\nhana\n", "people.csv:2: hana: there is no person"),
                             ("alice\nadmin\n", "people.csv:2: admin: the last active admin")):
            done = self.end(self.bank.file("people.csv", people), expect=1)
            self.assertIn(part, done.stderr)
            self.assertEqual((self.bank.data_files(), self.certificates()), before)

    def test_without_the_key_that_signs(self):
        os.rename(self.bank.path("certs", "ca.key"), self.bank.path("ca.key"))
        self.refused("hana\n", part="ca.key")
        os.rename(self.bank.path("ca.key"), self.bank.path("certs", "ca.key"))
        self.make("hana\n")

    def test_words(self):
        for words in ((), ("x",), ("x", "y", "z", "w"), ("x", "y", "--days", "0"),
                      ("x", "y", "--days", "many"), ("x", "y", "--host", "a b"), ("x", "y", "--no"),
                      ("--end",), ("--end", "x", "y", "z"), ("--end", "x", "--days", "5"),
                      ("--end=x", "y"), ("x", "y", "--days")):
            done = self.bank.pennyctl("class", *words, expect=2)
            self.assertRegex(done.stderr, r"\Apennyctl: [^\n]+\n\Z")
        done = self.bank.pennyctl("class", "gone.csv", self.out, self.bank.home, expect=1)
        self.assertIn("there is no file gone.csv", done.stderr)


class CutShort(ClassTest):
    """Killed, or its disk full, at any write: the same command again makes the class whole."""

    PEOPLE = "hana,Hana\nivo\n"

    def setUp(self):
        super().setUp()
        self.kept = os.path.join(self.bank.folder, "kept")
        shutil.copytree(self.bank.home, self.kept, symlinks=True)

    def again(self):
        for folder in (self.bank.home, self.out, self.unfinished):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.kept, self.bank.home, symlinks=True)

    def judge(self):
        self.assertIn("in the book", self.make(self.PEOPLE).stdout + " in the book")
        people = self.bank.people()
        self.assertEqual({name: people[name][1] for name in ("hana", "ivo")},
                         {"hana": "active/first", "ivo": "active/first"})
        self.assertEqual(len(people), 6)
        self.assertFalse(os.path.exists(self.unfinished))
        self.assertIn("Hana", self.bank.pennyctl("user", "list", self.bank.home).stdout)
        for name in ("hana", "ivo"):
            # An account that has this password already, as a first one.
            done = self.bank.pennyctl("user", "passwd", name, self.bank.home, "--first",
                                      input=self.password(name))
            self.assertEqual(done.stdout, f"{name}: it is so already\n")
            pair = [os.path.join(self.out, name, f"{name}.{end}") for end in ("crt", "key")]
            ssl.create_default_context().load_cert_chain(*pair)
            serial = subprocess.run(["openssl", "x509", "-noout", "-serial", "-in", pair[0]],
                                    capture_output=True, text=True, check=True).stdout
            self.assertIn(serial.strip().split("=")[1].lower(), self.certificates()["issued"])

    def test_making_it(self):
        argv = [program("pennyctl"), *self.argv(self.PEOPLE)]
        with Dying() as dying:
            for _, done in dying.each(argv, self.again, step=3):
                if os.path.exists(self.out):
                    self.assertFalse(os.path.exists(self.unfinished))
                self.judge()
            for _, done in dying.each_full(argv, self.again, step=11):
                self.judge()

    def test_what_another_list_has_left_is_not_gone_on_with(self):
        argv = [program("pennyctl"), *self.argv(self.PEOPLE)]
        with Dying() as dying:
            runs = dying.each(argv, self.again, step=30)
            next(runs)
            next(runs)
        self.assertTrue(os.path.exists(os.path.join(self.unfinished, "people.csv")))
        self.assertFalse(os.path.exists(self.out))
        done = self.make("hana\n", expect=1)
        self.assertIn("out.unfinished was begun with another list", done.stderr)
        self.bank.pennyctl("user", "add", "ivo", self.bank.home, input="somebody else's")
        done = self.make(self.PEOPLE, expect=1)
        self.assertIn("people.csv:2: ivo: the book has a person of this name already", done.stderr)

    def test_ending_it(self):
        self.make(self.PEOPLE)
        shutil.rmtree(self.kept)
        shutil.copytree(self.bank.home, self.kept, symlinks=True)
        kept_out = os.path.join(self.bank.folder, "kept-out")
        shutil.copytree(self.out, kept_out)
        argv = [program("pennyctl"), "class", "--end", kept_out, self.bank.home]
        with Dying() as dying:
            for _, done in dying.each(argv, self.again, step=2):
                self.end(kept_out)
                people = self.bank.people()
                self.assertEqual({people[name][1] for name in ("hana", "ivo")}, {"locked/first"})
                self.assertEqual(self.end(kept_out).stdout, "locked    0 people, and 2 were already\n"
                                                            "revoked   0 certificates\n")


if __name__ == "__main__":
    unittest.main()

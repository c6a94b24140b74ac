"""`pennyctl lab`: the keys that it makes, what it adds to client.conf, and what it leaves alone."""

import os
import re
import shutil
import stat
import tempfile
import unittest

from bank import Bank, program, run, starting
from laboratory import CHANNELS

MADE = {"ca.crt": 0o644, "ca.key": 0o600, "server.crt": 0o644, "server.key": 0o600,
        "client.crt": 0o644, "client.key": 0o600, "passphrase": 0o600}
LINES = {"lab-key": "lab/client.key", "lab-cert": "lab/client.crt", "lab-ca": "lab/ca.crt",
         "passphrase-file": "lab/passphrase"}


def tree(folder):
    found = {}
    for where, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(where, name)
            inside = os.path.relpath(path, folder)
            if os.path.islink(path):
                found[inside] = os.readlink(path)
                continue
            with open(path, "rb") as file:
                found[inside] = file.read()
    return found


class LabKeys(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="lab-", dir=os.environ.get("PENNY_TMP"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.home = os.path.join(self.folder, "bank")
        os.mkdir(self.home)

    def path(self, *parts):
        return os.path.join(self.home, *parts)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8", newline="") as file:
            file.write(text)

    def read(self, name):
        with open(self.path(name), encoding="utf-8", newline="") as file:
            return file.read()

    def lab(self, *words, expect=0, **more):
        return run([program("pennyctl"), "lab", *words], expect=expect, **more)

    def refused(self, *words, expect=1):
        before = tree(self.folder)
        done = self.lab(*words, expect=expect)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Apennyctl: [^\n]+\n\Z")
        self.assertEqual(tree(self.folder), before)
        return done.stderr

    def openssl(self, *words):
        return run(["openssl", *words]).stdout

    def assert_named(self, text):
        """A client.conf has each of the four keys once, in its section [client]."""
        section, found = "", []
        for line in text.split("\n"):
            if line.startswith("["):
                section = line.strip()
            key, equals, value = (part.strip() for part in line.partition("="))
            if equals and key in LINES:
                self.assertEqual(section, "[client]")
                found.append((key, value))
        self.assertEqual(sorted(key for key, _ in found), sorted(LINES))
        return dict(found)

    def test_what_it_makes_is_what_openssl_takes_for_it(self):
        self.lab(self.home)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("lab")).st_mode), 0o700)
        modes = {name: stat.S_IMODE(os.stat(self.path("lab", name)).st_mode)
                 for name in os.listdir(self.path("lab"))}
        self.assertEqual(modes, MADE)
        for name, purpose in (("server", "sslserver"), ("client", "sslclient")):
            self.openssl("verify", "-x509_strict", "-purpose", purpose, "-CAfile",
                         self.path("lab", "ca.crt"), self.path("lab", f"{name}.crt"))
            key = self.openssl("pkey", "-in", self.path("lab", f"{name}.key"), "-pubout")
            self.assertEqual(key, self.openssl("x509", "-in", self.path("lab", f"{name}.crt"),
                                               "-noout", "-pubkey"))
            text = self.openssl("x509", "-in", self.path("lab", f"{name}.crt"), "-noout", "-text")
            self.assertIn("Public Key Algorithm: rsaEncryption", text)
            self.assertIn("Public-Key: (2048 bit)", text)
            self.assertIn("Signature Algorithm: ecdsa-with-SHA256", text)
        authority = self.openssl("x509", "-in", self.path("lab", "ca.crt"), "-noout", "-text")
        self.assertIn("ASN1 OID: prime256v1", authority)
        self.assertRegex(authority, r"Subject: .*CN ?= ?Pennybank lab CA [0-9a-f]{8}")
        with open(self.path("lab", "passphrase"), "rb") as file:
            self.assertRegex(file.read(), rb"\A[A-Za-z0-9_-]{16}\n\Z")

    def test_no_two_runs_make_the_same(self):
        other = os.path.join(self.folder, "other")
        os.mkdir(other)
        self.lab(self.home)
        self.lab(other)
        made, again = tree(self.path("lab")), tree(os.path.join(other, "lab"))
        self.assertEqual(made.keys(), again.keys())
        for name, content in made.items():
            self.assertNotEqual(content, again[name], name)

    def test_it_never_writes_over_anything(self):
        self.lab(self.home)
        self.assertIn(f"{self.home}/lab is there already; nothing was changed",
                      self.refused(self.home))
        for name in MADE:
            shutil.rmtree(self.path("lab"))
            os.mkdir(self.path("lab"))
            self.write(os.path.join("lab", name), "mine")
            self.assertIn("is there already", self.refused(self.home))
        shutil.rmtree(self.path("lab"))
        self.write("lab", "a file")
        self.assertIn("is there already", self.refused(self.home))
        os.remove(self.path("lab"))
        os.symlink("nowhere", self.path("lab"))
        self.assertIn("is there already", self.refused(self.home))

    def test_words_that_are_none(self):
        self.assertIn("it wants a DIR", self.refused(expect=2))
        self.assertIn("no option", self.refused("--demo", self.home, expect=2))
        self.assertIn("is another", self.refused(self.home, self.home, expect=2))
        self.assertIn("there is no such folder", self.refused(self.path("nowhere")))
        self.write("file", "")
        self.assertIn("Not a directory", self.refused(self.path("file")))
        self.assertIn("usage: pennyctl lab DIR", self.lab("--help").stdout)

    def test_a_client_conf_gets_what_it_lacks(self):
        for text in ("[client]\nhost = localhost\n", "[client]\nhost = localhost",
                     "# of mine\n[client]\n\n\n", "  [client]  \r\nhost = localhost\r\n"):
            shutil.rmtree(self.path("lab"), ignore_errors=True)
            self.write("client.conf", text)
            os.chmod(self.path("client.conf"), 0o640)
            said = self.lab(self.home).stdout
            self.assertIn(f"{self.home}/client.conf names them.", said)
            self.assertTrue(self.read("client.conf").startswith(text))
            self.assertEqual(self.assert_named(self.read("client.conf").replace("  [", "[")), LINES)
            mode = stat.S_IMODE(os.stat(self.path("client.conf")).st_mode)
            self.assertEqual(mode, 0o640)

    def test_a_key_that_a_client_conf_has_stays_as_it_is(self):
        self.write("client.conf", "[client]\nlab-ca = mine.crt\n#lab-key = none\n"
                                  "passphrase-file: elsewhere\n")
        self.lab(self.home)
        named = self.read("client.conf")
        self.assertIn("lab-ca = mine.crt\n", named)
        self.assertNotIn("lab-ca = lab", named)
        self.assertNotIn("passphrase-file = lab", named)
        self.assertIn("\nlab-key = lab/client.key\nlab-cert = lab/client.crt\n", named)
        shutil.rmtree(self.path("lab"))
        self.lab(self.home)
        self.assertEqual(self.read("client.conf"), named)

    def test_a_client_conf_that_ends_elsewhere_is_left_alone_and_the_lines_are_told(self):
        for text in ("[client]\nhost = a\n[other]\nx = y\n", "", "host = a\n"):
            shutil.rmtree(self.path("lab"), ignore_errors=True)
            self.write("client.conf", text)
            said = self.lab(self.home).stdout
            self.assertEqual(self.read("client.conf"), text)
            for key, value in LINES.items():
                self.assertIn(f"\n{key} = {value}\n", said)
        os.remove(self.path("client.conf"))
        shutil.rmtree(self.path("lab"))
        self.assertIn("There is no ", self.lab(self.home).stdout)
        self.assertFalse(os.path.exists(self.path("client.conf")))

    def test_when_the_disk_is_full_nothing_is_left(self):
        self.write("client.conf", "[client]\n")
        before = tree(self.home)
        done = run(["bash", "-c", 'trap "" XFSZ; ulimit -f 1; exec "$@"', "bash",
                    program("pennyctl"), "lab", self.home], expect=1)
        self.assertRegex(done.stderr, r"\Apennyctl: .*/lab/server.key: File too large\n\Z")
        self.assertEqual(tree(self.home), before)
        self.assertEqual(os.listdir(self.home), ["client.conf"])


class LabOfABank(unittest.TestCase):
    def test_its_sections_open_the_channels_of_a_bank_that_runs_meanwhile(self):
        with Bank() as bank:
            said = bank.pennyctl("lab", bank.home).stdout
            sections = said[said.index("\n[listener "):]
            self.assertEqual(re.findall(r"(?m)^\[listener (\w+)\]$", sections), list(CHANNELS))
            with bank.wire("alice") as wire:
                self.assertEqual(wire.ask("PING"), "PONG")
            with open(bank.path("pennyd.conf"), "a", encoding="utf-8") as conf:
                conf.write(sections)
            run([*starting("pennyd"), "-t", bank.path("pennyd.conf")])
            bank.check()

    def test_a_backup_has_them_but_for_what_is_secret_where_that_is_to_stay_out(self):
        with Bank(start=False) as bank:
            bank.pennyctl("lab", bank.home)
            with open(bank.path("pennyd.conf"), "a", encoding="utf-8") as conf:
                conf.write("\n[listener psk]\nchannel = psk\nlab = yes\n"
                           "\n[listener dhe]\nchannel = dhe\nlab = yes\nlab-keys = lab\n")
            made = {name: content for name, content in tree(bank.path("lab")).items()}
            whole, open_ = (os.path.join(bank.folder, name) for name in ("whole", "open"))
            bank.pennyctl("backup", bank.home, f"{whole}.tar")
            bank.pennyctl("restore", f"{whole}.tar", whole)
            self.assertEqual(tree(os.path.join(whole, "lab")), made)
            run([*starting("pennyd"), "-t", os.path.join(whole, "pennyd.conf")])
            told = bank.pennyctl("backup", bank.home, f"{open_}.tar", "--no-keys").stdout
            self.assertIn("left out lab/passphrase", told)
            bank.pennyctl("restore", f"{open_}.tar", open_)
            self.assertEqual(sorted(os.listdir(os.path.join(open_, "lab"))),
                             ["ca.crt", "client.crt", "server.crt"])

    def test_a_backup_leads_keys_from_elsewhere_into_the_bank(self):
        """From however far: what a name of an archive has no room for is not missed."""
        for name in ("elsewhere", "ä" * 50):
            with self.subTest(name):
                self.keys_come_from(name)

    def keys_come_from(self, name):
        with Bank(start=False) as bank:
            bank.pennyctl("lab", bank.home)
            elsewhere = os.path.join(bank.folder, name)
            os.rename(bank.path("lab"), elsewhere)
            with open(bank.path("pennyd.conf"), "a", encoding="utf-8") as conf:
                conf.write(f"\n[listener dhe]\nchannel = dhe\nlab = yes\nlab-keys = {elsewhere}\n"
                           f"\n[listener psk]\nchannel = psk\nlab = yes\n"
                           f"passphrase-file = {elsewhere}/passphrase\n")
            backup, again = os.path.join(bank.folder, "b.tar"), os.path.join(bank.folder, "again")
            bank.pennyctl("backup", bank.home, backup)
            shutil.rmtree(elsewhere)
            bank.pennyctl("restore", backup, again)
            run([*starting("pennyd"), "-t", os.path.join(again, "pennyd.conf")])


if __name__ == "__main__":
    unittest.main()

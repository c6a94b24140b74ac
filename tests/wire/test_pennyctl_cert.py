"""pennyctl cert: what it makes is what openssl and the server take, and what it revokes they refuse."""

import datetime
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import unittest

from bank import Bank, BankTest, ROOT, library, preloading, program, run
from dying import Dying
from resp import Wire, wait_until

HEAD = "name,kind,serial,ends,days left,state,signer"


class CertTest(unittest.TestCase):
    """One bank for each test, which is not started."""

    def setUp(self):
        self.bank = Bank(start=False)
        self.addCleanup(self.bank.close)

    def cert(self, *words, expect=0):
        return self.bank.pennyctl("cert", words[0], *words[1:], self.bank.home, expect=expect)

    def refused(self, *words):
        done = self.cert(*words, expect=1)
        self.assertEqual(done.stdout, "")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        return done.stderr

    def rows(self, bank=None):
        lines = self.bank.pennyctl("cert", "list", "--csv", (bank or self.bank).home) \
            .stdout.splitlines()
        self.assertEqual(lines[0], HEAD)
        return [dict(zip(HEAD.split(","), line.split(","))) for line in lines[1:]]

    def states(self, name):
        return [row["state"] for row in self.rows() if row["name"] == name]

    def path(self, *parts):
        return self.bank.path("certs", *parts)

    def read(self, *parts):
        with open(self.path(*parts), "rb") as file:
            return file.read()

    def openssl(self, *words, expect=0):
        done = run(["openssl", *words], expect=expect, cwd=self.bank.folder)
        return done.stdout + done.stderr

    def verify(self, path, purpose="sslclient", expect=0):
        return self.openssl("verify", "-x509_strict", "-crl_check_all", "-purpose", purpose,
                            "-CAfile", self.path("ca.crt"), "-CRLfile", self.path("crl.pem"),
                            "-untrusted", path, path, expect=expect)

    def text(self, *parts):
        return self.openssl("x509", "-in", self.path(*parts), "-noout", "-text")

    def serial(self, *parts):
        text = self.openssl("x509", "-in", self.path(*parts), "-noout", "-serial")
        return text.strip().split("=")[1].lower()

    def life(self, *parts):
        dates = []
        for which in ("start", "end"):
            text = self.openssl("x509", "-in", self.path(*parts), "-noout", f"-{which}date")
            dates.append(datetime.datetime.strptime(text.strip().split("=")[1],
                                                    "%b %d %H:%M:%S %Y %Z"))
        return dates[1] - dates[0] - datetime.timedelta(hours=1)

    def later(self, days):
        """The environment of a program for which it is so many days later."""
        clock = os.path.join(self.bank.folder, "now")
        now = datetime.datetime.now() + datetime.timedelta(days=days)
        with open(clock, "wb") as file:
            file.write(struct.pack("=Q", round(now.timestamp() * 1000)))
        return dict(preloading(library(self.bank.folder, "set_clock")), SET_CLOCK=clock)

    def csr(self, *words, subject="/CN=whatever"):
        key = os.path.join(self.bank.folder, "some.key")
        request = os.path.join(self.bank.folder, "some.csr")
        self.openssl("req", "-new", *words, "-nodes", "-keyout", key, "-out", request, "-subj",
                     subject)
        return request, key


class Making(CertTest):
    def test_a_client_is_made_as_init_makes_one(self):
        said = self.cert("client", "zoe").stdout
        self.assertIn(self.serial("clients", "zoe.crt"), said)
        self.verify(self.path("clients", "zoe.crt"))
        self.verify(self.path("clients", "zoe.crt"), "sslserver", expect=2)
        text = self.text("clients", "zoe.crt")
        alice = self.text("clients", "alice.crt")
        names = re.compile(r"X509v3 .*")
        self.assertEqual(names.findall(text), names.findall(alice))
        self.assertEqual(self.life("clients", "zoe.crt"), datetime.timedelta(days=825))
        self.assertEqual(os.stat(self.path("clients", "zoe.key")).st_mode & 0o777, 0o600)
        self.assertEqual(os.stat(self.path("clients", "zoe.crt")).st_mode & 0o777, 0o644)
        self.cert("client", "short", "--days", "3")
        self.assertEqual(self.life("clients", "short.crt"), datetime.timedelta(days=3))

    def test_no_key_and_no_certificate_is_written_over(self):
        before = self.read("clients", "alice.key"), self.read("clients", "alice.crt")
        self.assertIn("is there already", self.refused("client", "alice"))
        self.assertIn("is there already", self.refused("server"))
        self.assertEqual((self.read("clients", "alice.key"), self.read("clients", "alice.crt")),
                         before)
        os.unlink(self.path("clients", "alice.crt"))
        self.cert("client", "alice")  # A key without a certificate is taken.
        self.assertEqual(self.read("clients", "alice.key"), before[0])
        self.verify(self.path("clients", "alice.crt"))
        os.unlink(self.path("clients", "alice.crt"))
        with open(self.path("clients", "alice.key"), "w", encoding="utf-8") as file:
            file.write("x")
        self.assertIn("none is ever replaced", self.refused("client", "alice"))
        self.assertEqual(self.read("clients", "alice.key"), b"x")
        self.assertFalse(os.path.exists(self.path("clients", "alice.crt")))

    def test_names_that_nobody_can_have_are_refused(self):
        for name in ("Zoe", "0zoe", "zoe.", "z" * 32, "", "a b", "a/b", "../a", "z\u00f6e"):
            done = self.bank.pennyctl("cert", "client", name, self.bank.home, expect=1)
            self.assertIn("is no name", done.stderr, name)
        for name in ("server", "ca", "issuing", "crl", "cash", "default"):
            self.assertIn("the name is reserved", self.refused("client", name))

    def test_days_are_a_number_within_bounds_and_never_beyond_the_signer(self):
        for days in ("0", "-1", "x", "1,2,3", "36526", "99999999999999999999", "", "1.5"):
            done = self.cert("client", "zoe", "--days", days, expect=2)
            self.assertIn("--days takes a number from 1 to 36525", done.stderr)
        self.cert("client", "zoe", "--days", "36525")
        end = self.openssl("x509", "-in", self.path("ca.crt"), "-noout", "-enddate")
        self.assertEqual(self.openssl("x509", "-in", self.path("clients", "zoe.crt"), "-noout",
                                      "-enddate"), end)

    def test_every_certificate_is_in_the_register(self):
        self.cert("client", "zoe")
        lines = self.read("issued").decode().splitlines()
        self.assertEqual(len(lines), 8)
        self.assertRegex(lines[-1], rf"\A{self.serial('clients', 'zoe.crt')} \d{{4}}-\d\d-\d\dT"
                                    r"\d\d:\d\d:\d\dZ \S+ client ca zoe\Z")
        self.assertEqual(os.stat(self.path("issued")).st_mode & 0o777, 0o600)
        self.assertEqual({row["name"] for row in self.rows() if row["kind"] == "client"},
                         {"alice", "bob", "till", "admin", "kiosk", "zoe"})

    def test_a_register_that_is_gone_or_torn_is_no_hindrance(self):
        with open(self.path("issued"), "ab") as file:
            file.write(b"0123456789abcdef 2026-12-01T14:00:0")
        self.cert("client", "zoe")
        lines = self.read("issued").decode().splitlines()
        self.assertEqual(len(lines), 8)
        self.assertTrue(lines[-1].endswith(" client ca zoe"))
        os.unlink(self.path("issued"))
        rows = self.rows()  # Found by their files.
        self.assertEqual(len(rows), 8)
        with open(self.path("issued"), "w", encoding="utf-8") as file:
            file.write("nonsense\n" * 3)
        done = self.cert("list")
        self.assertEqual(done.stderr.count("is none of a register and was passed over"), 3)

    def test_a_server_without_a_certificate_gets_one_for_the_key_that_it_has(self):
        key = self.read("server.key")
        os.unlink(self.path("server.crt"))
        self.cert("server", "--name", "bank.example")
        self.assertEqual(self.read("server.key"), key)
        self.verify(self.path("server.crt"), "sslserver")
        self.assertIn("DNS:bank.example", self.text("server.crt"))
        self.assertEqual(self.life("server.crt"), datetime.timedelta(days=366))
        os.unlink(self.path("server.crt"))
        os.unlink(self.path("server.key"))
        self.cert("server")
        self.assertNotEqual(self.read("server.key"), key)
        done = self.cert("server", "--name", "a b", expect=2)
        self.assertIn("--name takes a host's name or address", done.stderr)

    def test_what_the_ca_lacks_is_said(self):
        key = self.path("ca.key")
        os.chmod(key, 0o644)
        self.assertIn("run `chmod 600` on it", self.refused("client", "zoe"))
        os.chmod(key, 0o600)
        os.rename(key, key + ".away")
        self.assertIn("ca.key is not there", self.refused("client", "zoe"))
        shutil.copy(self.path("clients", "alice.key"), key)
        self.assertIn("do not belong together", self.refused("client", "zoe"))
        with open(key, "w", encoding="utf-8") as file:
            file.write("x")
        self.assertIn("do not belong together", self.refused("client", "zoe"))
        os.rename(key + ".away", key)
        os.rename(self.path("ca.crt"), self.path("ca.away"))
        self.assertIn("ca.crt is not there", self.refused("client", "zoe"))
        with open(self.path("ca.crt"), "w", encoding="utf-8") as file:
            file.write("x")
        self.assertIn("holds no readable certificate", self.refused("client", "zoe"))
        self.assertFalse(os.path.exists(self.path("clients", "zoe.key")))
        os.rename(self.path("ca.away"), self.path("ca.crt"))
        self.cert("client", "zoe")

    def test_an_authority_that_has_ended_signs_nothing_until_it_is_renewed(self):
        self.cert("renew", "ca", "--days", "1")
        env = self.later(2)
        done = self.bank.pennyctl("cert", "client", "zoe", self.bank.home, expect=1, env=env)
        self.assertIn("pennyctl cert renew ca makes it anew", done.stderr)
        self.bank.pennyctl("cert", "renew", "ca", self.bank.home, env=env)
        self.bank.pennyctl("cert", "client", "zoe", self.bank.home, env=env)

    def test_a_bank_that_is_not_there_and_words_too_many(self):
        for words, code in ((("client",), 2), (("client", "a", "b", "c"), 2), (("revoke",), 2),
                            (("list", "--nonsense"), 2), (("renew",), 2), (("sign", "x"), 2),
                            (("client", "zoe", "/nowhere"), 1), (("client", "zoe", "--name", "x"), 2),
                            (("renew", "alice", "--name", "x"), 2), (("renew", "crl", "--days", "3"), 2),
                            (("list", "--csv=1"), 2), (("nonsense",), 2)):
            done = self.bank.pennyctl("cert", *words, expect=code, cwd=self.bank.home)
            self.assertEqual(len(done.stderr.splitlines()), 1, words)
        empty = os.path.join(self.bank.folder, "empty")
        os.mkdir(empty)
        done = self.bank.pennyctl("cert", "list", empty, expect=1)
        self.assertIn("pennyctl init makes a bank", done.stderr)

    def test_a_folder_that_cannot_be_written_leaves_nothing(self):
        clients = self.path("clients")
        shutil.rmtree(clients)
        with open(clients, "w", encoding="utf-8"):
            pass  # Root writes wherever it likes, but no file into a file.
        self.assertIn("clients", self.refused("client", "zoe"))


class Signing(CertTest):
    def test_requests_of_openssl_are_signed_for_the_name_that_is_given(self):
        for words in (("-newkey", "rsa:2048"), ("-newkey", "ec", "-pkeyopt",
                                                "ec_paramgen_curve:P-256"),
                      ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384")):
            request, key = self.csr(*words, subject="/C=DE/CN=Whatever It Is")
            self.cert("sign", request, "--name", "rob")
            made = self.path("clients", "rob.crt")
            self.verify(made)
            self.assertIn("Subject: O = Pennybank, CN = rob", self.text("clients", "rob.crt"))
            self.assertEqual(self.openssl("x509", "-in", made, "-noout", "-pubkey"),
                             self.openssl("pkey", "-in", key, "-pubout"))
            self.assertIn("is there already", self.refused("sign", request, "--name", "rob"))
            os.unlink(made)
        out = os.path.join(self.bank.folder, "out.crt")
        self.cert("sign", request, "--name", "rob", "--out", out, "--days", "7")
        self.verify(out)
        self.assertIn("File exists", self.refused("sign", request, "--name", "rob", "--out", out))
        self.assertEqual(len([row for row in self.rows() if row["name"] == "rob"]), 5)

    def test_what_is_no_request_is_refused_with_the_reason(self):
        request, _ = self.csr("-newkey", "rsa:1024")
        self.assertIn("its key is too weak", self.refused("sign", request, "--name", "rob"))
        request, _ = self.csr("-newkey", "ed25519")
        self.assertIn("its key is of a kind that is refused",
                      self.refused("sign", request, "--name", "rob"))
        self.assertIn("No such file", self.refused("sign", "/nowhere", "--name", "rob"))
        for path, words in (("ca.crt", "not a certificate request"),
                            ("clients/alice.key", "not a certificate request")):
            self.assertIn(words, self.refused("sign", self.path(path), "--name", "rob"))
        long = os.path.join(self.bank.folder, "long.csr")
        with open(long, "wb") as file:
            file.write(b"x" * 10000)
        self.assertIn("too long", self.refused("sign", long, "--name", "rob"))
        open(long, "wb").close()
        self.assertIn("is empty", self.refused("sign", long, "--name", "rob"))
        self.assertFalse(os.path.exists(self.path("clients", "rob.crt")))


class Renewing(CertTest):
    def test_a_client_is_renewed_for_its_key_and_the_old_one_stays_good(self):
        old, key = self.read("clients", "alice.crt"), self.read("clients", "alice.key")
        self.cert("renew", "alice", "--days", "30")
        self.assertNotEqual(self.read("clients", "alice.crt"), old)
        self.assertEqual(self.read("clients", "alice.key"), key)
        self.verify(self.path("clients", "alice.crt"))
        self.assertEqual(self.life("clients", "alice.crt"), datetime.timedelta(days=30))
        self.assertEqual(self.states("alice"), ["good", "good"])
        os.unlink(self.path("clients", "alice.key"))  # It may be on its terminal alone.
        self.cert("renew", "alice")
        self.assertIn("is not there", self.refused("renew", "nobody"))
        shutil.copy(self.path("clients", "bob.crt"), self.path("clients", "zoe.crt"))
        self.assertIn("is not a certificate of zoe", self.refused("renew", "zoe"))

    def test_a_server_keeps_its_names_its_key_and_its_old_certificate(self):
        hosts = re.search(r"Alternative Name: *\n(.*)", self.text("server.crt")).group(1)
        old, key, serial = self.read("server.crt"), self.read("server.key"), self.serial("server.crt")
        self.cert("renew", "server")
        self.assertEqual(re.search(r"Alternative Name: *\n(.*)", self.text("server.crt")).group(1),
                         hosts)
        self.cert("renew", "server", "--name", "bank.example", "--name", "localhost")
        self.assertEqual(re.search(r"Alternative Name: *\n(.*)", self.text("server.crt")).group(1),
                         hosts + ", DNS:bank.example")
        self.assertEqual(self.read("server.key"), key)
        self.verify(self.path("server.crt"), "sslserver")
        self.assertEqual(self.read("old", f"server-{serial}.crt"), old)

    def test_the_ca_keeps_its_name_and_key_and_what_it_signed_stays_good(self):
        key = self.read("ca.key")
        name = self.openssl("x509", "-in", self.path("ca.crt"), "-noout", "-subject")
        serial = self.serial("ca.crt")
        self.cert("renew", "ca", "--days", "4000")
        self.assertEqual(self.read("ca.key"), key)
        self.assertEqual(self.openssl("x509", "-in", self.path("ca.crt"), "-noout", "-subject"), name)
        self.assertNotEqual(self.serial("ca.crt"), serial)
        self.verify(self.path("clients", "alice.crt"))
        self.verify(self.path("server.crt"), "sslserver")
        self.cert("client", "zoe")
        self.verify(self.path("clients", "zoe.crt"))

    def test_a_file_of_several_cas_keeps_the_others(self):
        with Bank(start=False) as other:
            with open(other.path("certs", "ca.crt"), "rb") as file:
                foreign = file.read()
        with open(self.path("ca.crt"), "ab") as file:
            file.write(foreign)
        self.cert("renew", "ca")
        self.assertTrue(self.read("ca.crt").endswith(foreign))
        with open(self.path("ca.crt"), "r+b") as file:  # And the other way round.
            own = file.read()[:-len(foreign)]
            file.seek(0)
            file.write(foreign + own)
        self.cert("client", "zoe")
        self.verify(self.path("clients", "zoe.crt"))

    def test_what_is_due_is_made_anew_and_nothing_else(self):
        self.assertEqual(self.cert("renew", "--due").stdout, "Nothing is due.\n")
        self.cert("issuing")
        with open(self.bank.path("pennyd.conf"), encoding="utf-8") as file:
            text = file.read()
        with open(self.bank.path("pennyd.conf"), "w", encoding="utf-8") as file:
            file.write(text.replace("#crl-days = 0", "crl-days = 30"))
        self.cert("renew", "crl")
        before = {name: self.read(name) for name in ("server.crt", "issuing.crt", "crl.pem", "ca.crt")}
        for days, due in ((19, set()), (21, {"crl.pem"}), (250, {"crl.pem", "server.crt"}),
                          (1300, {"crl.pem", "server.crt", "issuing.crt"})):
            env = self.later(days)
            self.bank.pennyctl("cert", "renew", "--due", self.bank.home, env=env)
            after = {name: self.read(name) for name in before}
            self.assertEqual({name for name in before if before[name] != after[name]}, due, days)
            done = self.bank.pennyctl("cert", "renew", "--due", self.bank.home, env=env)
            self.assertEqual(done.stdout, "Nothing is due.\n")
            before = after
        done = self.cert("renew", "--due", "alice", expect=2)
        done = self.bank.pennyctl("cert", "renew", "--due", self.bank.home, env=self.later(6000))
        self.assertIn("The CA ends on", done.stdout)

    def due(self, days, expect=0):
        return self.bank.pennyctl("cert", "renew", "--due", self.bank.home, env=self.later(days),
                                  expect=expect)

    def test_what_waits_for_a_key_is_refused_and_keeps_nothing_else_waiting(self):
        self.cert("issuing")
        with open(self.bank.path("pennyd.conf"), encoding="utf-8") as file:
            text = file.read()
        with open(self.bank.path("pennyd.conf"), "w", encoding="utf-8") as file:
            file.write(text.replace("#crl-days = 0", "crl-days = 30"))
        self.cert("renew", "crl")
        away = os.path.join(self.bank.folder, "ca.key")
        os.rename(self.path("ca.key"), away)
        done = self.due(25, expect=1)
        self.assertRegex(done.stdout, r"crl: \S+, issuing's list, until \d{4}-\d\d-\d\d\n")
        self.assertRegex(done.stderr, r"^pennyctl: the list of ca ends on \S+, and ca.key, .*\n$")
        done = self.due(250, expect=1)
        self.assertIn("issuing's list", done.stdout)
        self.assertIn("the list of ca ends on", done.stderr)
        self.assertIn("ca.key is not there", done.stderr)
        os.rename(away, self.path("ca.key"))
        done = self.due(250)
        self.assertIn("server: ", done.stdout)
        self.assertEqual(self.due(250).stdout, "Nothing is due.\n")

    def test_a_revoked_intermediate_keeps_no_list_waiting(self):
        self.cert("issuing", "--days", "100")
        self.cert("revoke", "issuing")
        self.assertEqual(self.due(90).stdout, "Nothing is due.\n")

    def test_a_server_certificate_that_cannot_be_renewed_here_is_refused_in_time(self):
        with open(self.path("server.crt"), "w", encoding="ascii") as file:
            file.write("junk")
        self.assertIn("no readable certificate", self.due(0, expect=1).stderr)
        self.openssl("req", "-x509", "-key", self.path("server.key"), "-subj", "/CN=localhost",
                     "-days", "90", "-out", self.path("server.crt"))
        self.due(10)
        self.assertIn("signed by somebody else", self.due(80, expect=1).stderr)

    def test_no_certificate_is_made_for_a_key_that_was_revoked(self):
        for name in ("alice", "server"):
            self.cert("revoke", name)
            self.assertIn("was revoked", self.refused("renew", name))


class Revoking(CertTest):
    def test_all_certificates_of_a_name_wherever_they_are_known_from(self):
        self.cert("renew", "alice")
        request, _ = self.csr("-newkey", "rsa:2048")
        out = os.path.join(self.bank.folder, "out.crt")
        self.cert("sign", request, "--name", "alice", "--out", out)
        self.assertIn("alice: revoked\n3 certificates more", self.cert("revoke", "alice").stdout)
        self.assertEqual(self.states("alice"), ["revoked"] * 3)
        for path in (self.path("clients", "alice.crt"), out):
            self.assertIn("certificate revoked", self.verify(path, expect=2))
        self.verify(self.path("clients", "bob.crt"))

    def test_one_alone_by_its_serial_number(self):
        serial = self.serial("clients", "alice.crt")
        self.cert("renew", "alice")
        colons = ":".join(serial[i:i + 2] for i in range(0, 32, 2)).upper()
        self.cert("revoke", colons)
        self.assertEqual(sorted(self.states("alice")), ["good", "revoked"])
        self.verify(self.path("clients", "alice.crt"))
        said = self.cert("revoke", "00112233445566778899aabbccddeeff00112233").stdout
        self.assertIn("no certificate with this serial number is known here", said)
        self.assertIn("00112233445566778899AABBCCDDEEFF00112233"[2:],
                      self.openssl("crl", "-in", self.path("crl.pem"), "-noout", "-text"))

    def test_a_serial_that_nobody_knows_is_on_the_list_of_either_signer(self):
        self.cert("issuing")
        said = self.cert("revoke", "serial=00112233445566778899AABBCCDDEEFF00112233").stdout
        self.assertIn("it is for both lists", said)
        self.assertIn("2 certificates more", said)
        lists = self.read("crl.pem").split(b"-----BEGIN X509 CRL-----")[1:]
        self.assertEqual(len(lists), 2)
        for one in lists:
            path = os.path.join(self.bank.folder, "one.pem")
            with open(path, "wb") as file:
                file.write(b"-----BEGIN X509 CRL-----" + one)
            self.assertIn("112233445566778899AABBCCDDEEFF00112233",
                          self.openssl("crl", "-in", path, "-noout", "-text"))

    def test_folders_belong_to_whom_the_bank_does(self):
        """Root makes nothing that the server's user could not write again."""
        owner = 65534 if os.geteuid() == 0 else os.geteuid()
        for folder, names, files in os.walk(self.bank.home):
            for name in [folder, *(os.path.join(folder, name) for name in names + files)]:
                os.lchown(name, owner, -1)
        self.cert("renew", "server")
        for name in ("old", "server.crt", "issued"):
            self.assertEqual(os.stat(self.path(name)).st_uid, owner, name)

    def test_twice_says_so_and_earlier_rows_stay(self):
        self.cert("revoke", "alice")
        before = self.read("crl.pem")
        self.assertEqual(self.cert("revoke", "alice").stdout, "alice: was revoked already\n")
        self.assertEqual(self.read("crl.pem"), before)
        self.cert("revoke", "bob", "alice", "till")
        for name in ("alice", "bob", "till"):
            self.verify(self.path("clients", f"{name}.crt"), expect=2)
        self.cert("renew", "crl")
        for name in ("alice", "bob", "till"):
            self.verify(self.path("clients", f"{name}.crt"), expect=2)
        self.assertEqual(self.openssl("crl", "-in", self.path("crl.pem"), "-noout", "-text")
                         .count("Serial Number"), 3)

    def test_what_cannot_be_revoked(self):
        self.assertIn("the CA cannot be revoked", self.refused("revoke", "ca"))
        self.assertIn("the CA cannot be revoked", self.refused("revoke", "bob", "ca"))
        self.assertIn("the CA's own", self.refused("revoke", self.serial("ca.crt")))
        said = self.refused("revoke", "nobody")
        self.assertIn("there are admin, alice, bob, kiosk, till", said)
        self.assertIn("nobody: there is no", self.refused("revoke", "alice", "nobody"))
        self.assertEqual(self.states("alice"), ["good"])
        self.assertIn("there is no such certificate", self.refused("revoke", "abcd"))

    def test_a_list_that_cannot_be_read_is_not_written_over(self):
        for content in (b"", b"x", self.read("crl.pem")[:-40], self.read("ca.crt")):
            with open(self.path("crl.pem"), "wb") as file:
                file.write(content)
            self.assertIn("crl.pem", self.refused("revoke", "alice"))
            self.assertEqual(self.read("crl.pem"), content)
        os.unlink(self.path("crl.pem"))
        self.cert("revoke", "alice")
        self.verify(self.path("clients", "alice.crt"), expect=2)

    def test_five_hundred_and_twelve_and_no_more(self):
        serials = [f"{number:032x}" for number in range(2 ** 126, 2 ** 126 + 511)]
        self.cert("revoke", *serials)
        self.cert("revoke", "alice")
        done = self.cert("revoke", "bob", expect=1)
        self.assertIn("the lists have room for 512 revoked certificates", done.stderr)
        self.verify(self.path("clients", "alice.crt"), expect=2)
        self.verify(self.path("clients", "bob.crt"))
        run([program("pennyd"), "-t", self.bank.path("pennyd.conf")])
        # What ended more than a year ago makes room.
        env = self.later(825 + 367)
        self.bank.pennyctl("cert", "client", "zoe", self.bank.home, env=env)
        self.bank.pennyctl("cert", "revoke", "zoe", self.bank.home, env=env)
        self.assertEqual(self.openssl("crl", "-in", self.path("crl.pem"), "-noout", "-text")
                         .count("Serial Number"), 512)

    def test_an_expired_one_is_shown_as_such(self):
        self.cert("client", "zoe", "--days", "1")
        done = self.bank.pennyctl("cert", "list", "--csv", self.bank.home, env=self.later(2))
        self.assertIn(",0,expired,ca\n", done.stdout)


class Issuing(CertTest):
    def test_it_signs_in_the_place_of_a_ca_whose_key_is_away(self):
        self.cert("issuing")
        self.assertIn("is there already", self.refused("issuing"))
        self.assertIn("CA:TRUE, pathlen:0", self.text("issuing.crt"))
        self.assertEqual(self.life("issuing.crt"), datetime.timedelta(days=1827))
        self.assertEqual(os.stat(self.path("issuing.key")).st_mode & 0o777, 0o600)
        os.rename(self.path("ca.key"), os.path.join(self.bank.folder, "ca.key"))
        self.cert("client", "zoe")
        self.assertEqual(self.read("clients", "zoe.crt").count(b"BEGIN"), 2)
        self.verify(self.path("clients", "zoe.crt"))
        self.cert("revoke", "zoe")
        self.assertIn("certificate revoked", self.verify(self.path("clients", "zoe.crt"), expect=2))
        self.verify(self.path("clients", "alice.crt"))
        self.assertIn("ca.key is not there", self.refused("revoke", "alice"))
        self.assertIn("ca.key is not there", self.refused("renew", "issuing"))
        run([program("pennyd"), "-t", self.bank.path("pennyd.conf")])

    def test_renewed_it_has_the_same_name_and_key(self):
        self.cert("issuing")
        os.rename(self.path("ca.key"), os.path.join(self.bank.folder, "ca.key"))
        self.cert("client", "zoe")
        os.rename(os.path.join(self.bank.folder, "ca.key"), self.path("ca.key"))
        key = self.read("issuing.key")
        self.cert("renew", "issuing")
        self.assertEqual(self.read("issuing.key"), key)
        self.verify(self.path("clients", "zoe.crt"))
        self.assertEqual(self.states("zoe"), ["good"])

    def test_revoked_it_takes_all_it_signed_with_it_and_makes_way(self):
        self.cert("issuing")
        os.rename(self.path("ca.key"), os.path.join(self.bank.folder, "ca.key"))
        self.cert("client", "zoe")
        os.rename(os.path.join(self.bank.folder, "ca.key"), self.path("ca.key"))
        self.cert("revoke", "issuing")
        self.verify(self.path("clients", "zoe.crt"), expect=2)
        serial = self.serial("issuing.crt")
        key = self.read("issuing.key")
        self.cert("issuing")
        self.assertEqual(self.read("old", f"issuing-{serial}.key"), key)
        self.assertNotEqual(self.read("issuing.key"), key)
        self.verify(self.path("clients", "zoe.crt"), expect=2)
        run([program("pennyd"), "-t", self.bank.path("pennyd.conf")])

    def test_an_older_ca_is_renewed_first(self):
        # As init made them: without room for an authority below.
        subject = self.openssl("x509", "-in", self.path("ca.crt"), "-noout", "-subject", "-nameopt",
                               "RFC2253").strip().split("CN=")[1].split(",")[0]
        key_id = re.search(r"Subject Key Identifier: *\n *(\S+)", self.text("ca.crt")).group(1)
        config = os.path.join(self.bank.folder, "old.cnf")
        with open(config, "w", encoding="utf-8") as file:
            file.write("[req]\ndistinguished_name = dn\nprompt = no\nx509_extensions = v3\n"
                       f"string_mask = utf8only\n[dn]\nO = Pennybank\nCN = {subject}\n"
                       "[v3]\nbasicConstraints = critical,CA:TRUE,pathlen:0\n"
                       "keyUsage = critical,keyCertSign,cRLSign\n"
                       f"subjectKeyIdentifier = {key_id}\n")
        os.unlink(self.path("ca.crt"))
        self.openssl("req", "-x509", "-config", config, "-key", self.path("ca.key"), "-days", "7000",
                     "-out", self.path("ca.crt"))
        self.verify(self.path("clients", "alice.crt"))
        self.assertIn("pennyctl cert renew ca", self.refused("issuing"))
        self.cert("renew", "ca")
        self.cert("issuing")
        self.verify(self.path("issuing.crt"), "any")
        self.verify(self.path("clients", "alice.crt"))


class Cuts(CertTest):
    """At every write the power goes, or the disk is full."""

    def each(self, check, *words, full=False):
        kept = os.path.join(self.bank.folder, "kept")
        shutil.copytree(self.bank.home, kept)

        def before():
            shutil.rmtree(self.bank.home)
            shutil.copytree(kept, self.bank.home)

        argv = [program("pennyctl"), "cert", *words, self.bank.home]
        with Dying() as dying:
            each = dying.each_full if full else dying.each
            for call, done in each(argv, before=before):
                with self.subTest(call=call):
                    check(done)
                    if full and done.returncode != 0:
                        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1))

    def server_starts(self, _):
        run([program("pennyd"), "-t", self.bank.path("pennyd.conf")])
        match = run(["openssl", "x509", "-in", self.path("server.crt"), "-noout", "-pubkey"]).stdout
        self.assertEqual(match, run(["openssl", "pkey", "-in", self.path("server.key"),
                                     "-pubout"]).stdout)

    def test_a_servers_certificate_and_key_are_never_seen_apart(self):
        self.each(self.server_starts, "renew", "server")

    def test_nor_where_the_disk_is_full(self):
        self.each(self.server_starts, "renew", "server", full=True)

    def test_a_client_is_made_by_the_next_run(self):
        def check(done):
            if not os.path.exists(self.path("clients", "zoe.crt")):
                self.assertNotEqual(done.returncode, 0)
                self.cert("client", "zoe")
            self.verify(self.path("clients", "zoe.crt"))
            serial = self.serial("clients", "zoe.crt")
            self.assertIn(serial, self.read("issued").decode())  # U1
            self.assertEqual(os.stat(self.path("clients", "zoe.key")).st_mode & 0o777, 0o600)

        for full in (False, True):
            self.each(check, "client", "zoe", full=full)
            shutil.rmtree(os.path.join(self.bank.folder, "kept"))
            os.unlink(self.path("clients", "zoe.crt"))
            os.unlink(self.path("clients", "zoe.key"))

    def test_a_list_keeps_its_rows_whatever_happens(self):
        self.cert("revoke", "bob")

        def check(_):
            self.verify(self.path("clients", "bob.crt"), expect=2)
            self.cert("revoke", "alice")
            self.verify(self.path("clients", "alice.crt"), expect=2)
            self.verify(self.path("clients", "till.crt"))

        self.each(check, "revoke", "alice")

    def test_an_intermediate_is_made_by_the_next_run(self):
        def check(_):
            run([program("pennyd"), "-t", self.bank.path("pennyd.conf")])
            if not os.path.exists(self.path("issuing.crt")):
                self.cert("issuing")
            self.cert("renew", "crl")
            self.verify(self.path("issuing.crt"), "any")

        self.each(check, "issuing")

    def test_no_revocation_is_lost_between_two_runs_at_once(self):
        names = ("alice", "bob", "till", "admin", "kiosk")
        running = [subprocess.Popen([program("pennyctl"), "cert", "revoke", name, self.bank.home],
                                    stdout=subprocess.DEVNULL) for name in names]
        self.assertEqual([process.wait(60) for process in running], [0] * 5)
        self.assertEqual([self.states(name) for name in names], [["revoked"]] * 5)


class Many(CertTest):
    def test_three_hundred_clients(self):
        for number in range(300):
            self.cert("client", f"pupil-{number}")
        rows = [row for row in self.rows() if row["name"].startswith("pupil-")]
        self.assertEqual(len(rows), 300)
        self.assertEqual(len({row["serial"] for row in rows}), 300)
        self.cert("revoke", *[f"pupil-{number}" for number in range(300)])
        self.assertEqual({row["state"] for row in self.rows() if row["name"].startswith("pupil-")},
                         {"revoked"})
        said = self.refused("revoke", "pupil-300")
        self.assertIn("more, which pennyctl cert list shows", said)
        run([program("pennyd"), "-t", self.bank.path("pennyd.conf")])


def page_commands():
    """The blocks of commands in certs/README.md that a terminal is made by, as they stand there."""
    with open(os.path.join(ROOT, "certs", "README.md"), encoding="utf-8") as file:
        page = file.read()
    section = page.split("## With openssl alone")[1].split("\n## ")[0]
    blocks = [[line[4:] for line in block.splitlines()]
              for block in re.findall(r"(?m)(?:^    .*\n)+", section)]
    assert [len(block) for block in blocks] == [4, 1], blocks
    return blocks


class OpensslAlone(BankTest):
    def make(self, lines):
        for name in os.listdir(self.bank.path("certs")):
            if name.startswith("till-7") or name == "terminal.ext":
                os.unlink(self.bank.path("certs", name))
        for line in lines:
            run(["sh", "-c", line], cwd=self.bank.path("certs"))

    def context(self):
        context = ssl.create_default_context(cafile=self.bank.ca())
        context.load_cert_chain(self.bank.path("certs", "till-7.crt"),
                                self.bank.path("certs", "till-7.key"))
        return context

    def log_in(self):
        plain = socket.create_connection((self.bank.host, self.bank.port), timeout=60)
        wire = Wire(self.context().wrap_socket(plain, server_hostname=self.bank.host))
        self.addCleanup(wire.close)
        wire.ask("HELLO", 3, "AUTH", "alice", self.bank.passwords["alice"])
        return wire.ask("WHOAMI")

    def refusal(self):
        before = len(self.bank.log())
        plain = socket.create_connection((self.bank.host, self.bank.port), timeout=60)
        with self.assertRaises(OSError):
            with self.context().wrap_socket(plain, server_hostname=self.bank.host) as peer:
                peer.sendall(b"PING\r\n")
                if peer.recv(100) == b"":
                    raise ConnectionError("closed")
        return wait_until("the log says why",
                          lambda: re.search("certificate .*", self.bank.log()[before:])).group(0)

    def test_a_terminal_of_either_kind_logs_in(self):
        (extension, key, *rest), (other_key,) = page_commands()
        for kind, line in (("rsaEncryption", key), ("id-ecPublicKey", other_key)):
            self.make([extension, line, *rest])
            text = run(["openssl", "x509", "-in", self.bank.path("certs", "till-7.crt"), "-noout",
                        "-text"]).stdout
            self.assertIn(kind, text)
            self.assertIn("alice", str(self.log_in()))

    def test_without_the_extfile_it_is_refused_and_the_log_names_what_is_missing(self):
        (extension, key, request, sign), (other_key,) = page_commands()
        self.assertIn("-extfile terminal.ext ", sign)
        bare = sign.replace("-extfile terminal.ext ", "")
        for line in (key, other_key):
            self.make([extension, line, request, bare])
            self.assertIn("certificate lacks the extended key usage clientAuth", self.refusal())

    def test_it_is_revoked_by_the_serial_number_that_the_page_asks_for(self):
        (extension, key, *rest), _ = page_commands()
        self.make([extension, key, *rest])
        serial = run(["openssl", "x509", "-in", self.bank.path("certs", "till-7.crt"), "-noout",
                      "-serial"]).stdout.strip().split("=")[1]
        said = self.bank.pennyctl("cert", "revoke", serial, self.bank.home).stdout
        pid = self.bank.process.pid
        self.assertIn(f"`kill -HUP {pid}`, or RELOAD as an admin", said)
        self.bank.process.send_signal(signal.SIGHUP)
        wait_until("the server has taken it up", lambda: " reloaded " in self.bank.log())
        self.assertIn("certificate revoked", self.refusal())


if __name__ == "__main__":
    unittest.main()

"""The certificates of a new bank, judged by openssl."""

import datetime
import os
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

from bank import program, run

CLIENTS = ["alice", "bob", "till", "admin", "kiosk"]
NAMES = ["bank.example.org", "10.1.2.3", "2001:db8::7"]


class CertificatesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="certs-", dir=os.environ.get("PENNY_TMP"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        words = [word for name in NAMES for word in ("--name", name)]
        run([program("pennyctl"), "init", os.path.join(cls.folder, "bank"), "--demo",
             "--address", "192.0.2.5", *words])
        run([program("pennyctl"), "init", os.path.join(cls.folder, "other"), "--demo"])
        cls.certs = os.path.join(cls.folder, "bank", "certs")

    def path(self, name):
        return os.path.join(self.certs, name)

    def openssl(self, *words, expect=0):
        done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False,
                              timeout=60)
        if expect is not None:
            self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def text(self, name):
        return self.openssl("x509", "-in", self.path(name), "-noout", "-text")

    def verify(self, name, purpose, certs=None, expect=0):
        certs = certs or self.certs
        return self.openssl("verify", "-x509_strict", "-crl_check", "-purpose", purpose,
                            "-CAfile", os.path.join(certs, "ca.crt"),
                            "-CRLfile", os.path.join(certs, "crl.pem"), self.path(name),
                            expect=expect)

    def extension(self, text, name):
        found = re.search(rf"X509v3 {name}: ?(critical)?\n\s+(.*)", text)
        self.assertIsNotNone(found, name)
        return found.group(2).strip(), found.group(1) == "critical"

    def test_the_strict_reading_accepts_each_for_its_purpose(self):
        self.verify("server.crt", "sslserver")
        for name in CLIENTS:
            self.verify(f"clients/{name}.crt", "sslclient")

    def test_and_for_no_other_purpose(self):
        self.verify("server.crt", "sslclient", expect=2)
        for name in CLIENTS:
            self.verify(f"clients/{name}.crt", "sslserver", expect=2)

    def test_another_bank_accepts_none_of_them(self):
        other = os.path.join(self.folder, "other", "certs")
        self.verify("server.crt", "sslserver", certs=other, expect=2)
        self.verify("clients/alice.crt", "sslclient", certs=other, expect=2)

    def test_the_authority_may_sign_leaves_lists_and_one_authority_below_it(self):
        text = self.text("ca.crt")
        self.assertEqual(self.extension(text, "Basic Constraints"), ("CA:TRUE, pathlen:1", True))
        self.assertEqual(self.extension(text, "Key Usage"), ("Certificate Sign, CRL Sign", True))
        self.assertNotIn("Extended Key Usage", text)

    def test_leaves_are_leaves(self):
        for name in ["server"] + [f"clients/{name}" for name in CLIENTS]:
            text = self.text(name + ".crt")
            self.assertEqual(self.extension(text, "Basic Constraints"), ("CA:FALSE", True))
            self.assertEqual(self.extension(text, "Key Usage"), ("Digital Signature", True))
            purpose, _ = self.extension(text, "Extended Key Usage")
            self.assertEqual(purpose, "TLS Web Server Authentication" if name == "server"
                             else "TLS Web Client Authentication")

    def test_every_certificate_names_its_key_and_its_issuers(self):
        issuer, _ = self.extension(self.text("ca.crt"), "Subject Key Identifier")
        seen = {issuer}
        for name in ["server"] + [f"clients/{name}" for name in CLIENTS]:
            text = self.text(name + ".crt")
            own, _ = self.extension(text, "Subject Key Identifier")
            self.assertNotIn(own, seen)
            seen.add(own)
            self.assertEqual(self.extension(text, "Authority Key Identifier")[0], issuer)

    def test_keys_are_p256_and_signatures_sha256(self):
        for name in ["ca", "server", "clients/alice"]:
            text = self.text(name + ".crt")
            self.assertIn("NIST CURVE: P-256", text)
            self.assertEqual(set(re.findall(r"Signature Algorithm: (\S+)", text)),
                             {"ecdsa-with-SHA256"})

    def test_keys_belong_to_their_certificates(self):
        for name in ["ca", "server"] + [f"clients/{name}" for name in CLIENTS]:
            self.openssl("ec", "-in", self.path(name + ".key"), "-check", "-noout")
            of_key = self.openssl("pkey", "-in", self.path(name + ".key"), "-pubout")
            of_certificate = self.openssl("x509", "-in", self.path(name + ".crt"), "-noout",
                                          "-pubkey")
            self.assertEqual(of_key, of_certificate)

    def test_serials_are_positive_long_and_different(self):
        seen = set()
        for name in ["ca", "server"] + [f"clients/{name}" for name in CLIENTS]:
            serial = self.openssl("x509", "-in", self.path(name + ".crt"), "-noout", "-serial")
            digits = serial.strip().split("=")[1]
            self.assertRegex(digits, r"\A[4-7][0-9A-F]{31}\Z")
            seen.add(digits)
        self.assertEqual(len(seen), 2 + len(CLIENTS))

    def test_the_server_names_every_way_to_reach_it(self):
        hosts, _ = self.extension(self.text("server.crt"), "Subject Alternative Name")
        hosts = set(hosts.split(", "))
        expected = {"DNS:localhost", "IP Address:127.0.0.1", "IP Address:0:0:0:0:0:0:0:1",
                    "IP Address:192.0.2.5", "DNS:bank.example.org", "IP Address:10.1.2.3",
                    "IP Address:2001:DB8:0:0:0:0:0:7"}
        host = socket.gethostname()
        if re.fullmatch(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*", host):
            expected |= {f"DNS:{host}", f"DNS:{host.split('.')[0]}.local"}
        self.assertEqual(hosts, expected)
        for option, name in (("-checkhost", "localhost"), ("-checkip", "127.0.0.1"),
                             ("-checkip", "::1"), ("-checkhost", "bank.example.org")):
            answer = self.openssl("x509", "-in", self.path("server.crt"), "-noout", option, name)
            self.assertIn("does match", answer)

    def test_subjects_name_whom_they_are_for(self):
        for name in CLIENTS:
            subject = self.openssl("x509", "-in", self.path(f"clients/{name}.crt"), "-noout",
                                   "-subject", "-nameopt", "RFC2253")
            self.assertEqual(subject.strip(), f"subject=CN={name},O=Pennybank")

    def date(self, name, which):
        text = self.openssl("x509", "-in", self.path(name), "-noout", f"-{which}date")
        return datetime.datetime.strptime(text.strip().split("=")[1], "%b %d %H:%M:%S %Y %Z")

    def test_lifetimes_are_those_of_the_profiles(self):
        hour = datetime.timedelta(hours=1)
        for name, days in (("ca.crt", 7305), ("server.crt", 366), ("clients/till.crt", 825)):
            begin, end = self.date(name, "start"), self.date(name, "end")
            self.assertEqual(end - begin, datetime.timedelta(days=days) + hour)

    def test_the_list_is_the_authoritys_and_empty(self):
        text = self.openssl("crl", "-in", self.path("crl.pem"), "-noout", "-text",
                            "-CAfile", self.path("ca.crt"))
        self.assertIn("verify OK", text)
        self.assertIn("No Revoked Certificates", text)
        self.assertIn("X509v3 CRL Number", text)
        self.assertIn("Version 2", text)
        end = datetime.datetime.strptime(re.search(r"Next Update: (.*)", text).group(1),
                                         "%b %d %H:%M:%S %Y %Z")
        self.assertEqual(end, self.date("ca.crt", "end"))

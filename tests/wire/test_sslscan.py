"""What sslscan, which no one here wrote, finds at the door: all of its report, line for line."""

import unittest
import xml.etree.ElementTree as xml

from bank import Bank, run
from wall import wait_until_alone

OLD = [("ssl", "2"), ("ssl", "3"), ("tls", "1.0"), ("tls", "1.1")]
SUITES = {
    "TLSv1.3": ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                "TLS_CHACHA20_POLY1305_SHA256"],
    "TLSv1.2": ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
                "ECDHE-ECDSA-CHACHA20-POLY1305"],
}
# As the program names what is strong enough in each version; others are weak, medium and null.
STRENGTH = {"TLSv1.3": "acceptable", "TLSv1.2": "strong"}
X25519, P256 = "0x001d", "0x0017"


class Sslscan(unittest.TestCase):
    def scan(self, *settings):
        bank = Bank(settings=["server.penalty-exempt=127.0.0.1", *settings])
        self.addCleanup(bank.close)
        done = run(["sslscan", "--no-colour", "--show-certificate", "--show-client-cas", "--xml=-",
                    f"--certs={bank.cert('alice')}", f"--pk={bank.key('alice')}",
                    f"{bank.host}:{bank.port}"])
        wait_until_alone(bank)
        return xml.fromstring(done.stdout).find("ssltest")

    def assert_report(self, report, versions):
        tags = {part.tag for part in report}
        self.assertEqual(tags, {"protocol", "renegotiation", "heartbleed", "cipher", "group",
                                "certificates"}, "a part that says something else")
        protocols = {(part.get("type"), part.get("version")): part.get("enabled")
                     for part in report.iter("protocol")}
        self.assertEqual(protocols, {
            **{old: "0" for old in OLD}, ("tls", "1.2"): str(int("TLSv1.2" in versions)),
            ("tls", "1.3"): "1"})
        self.assertEqual(report.find("renegotiation").attrib, {"supported": "0", "secure": "0"})
        self.assertEqual([part.attrib for part in report.iter("heartbleed")], [
            {"sslversion": version, "vulnerable": "0"} for version in versions])
        ciphers = [(part.get("sslversion"), part.get("cipher"), part.get("strength"),
                    part.get("curve"), part.get("status")) for part in report.iter("cipher")]
        self.assertEqual(ciphers, [
            (version, suite, STRENGTH[version], "25519", "accepted" if at else "preferred")
            for version in versions for at, suite in enumerate(SUITES[version])])
        for version in versions:
            groups = {part.get("id") for part in report.iter("group")
                      if part.get("sslversion") == version}
            # In TLS 1.2 it does not ask for X25519 with a certificate of P-256.
            self.assertLessEqual(groups, {X25519, P256})
            self.assertIn(P256, groups)
        self.assert_certificate(report.find("certificates"))

    def assert_certificate(self, certificates):
        whole, brief = certificates.findall("certificate")
        self.assertEqual(brief.findtext("signature-algorithm"), "ecdsa-with-SHA256")
        self.assertEqual(brief.find("pk").attrib, {"error": "false", "type": "EC",
                                                   "curve_name": "prime256v1", "bits": "128"})
        self.assertEqual(brief.findtext("self-signed"), "false")
        self.assertEqual(brief.findtext("expired"), "false")
        self.assertEqual(brief.findtext("subject"), "localhost")
        self.assertIn("DNS:localhost, IP Address:127.0.0.1", brief.findtext("altnames"))
        self.assertRegex(brief.findtext("issuer"), "^Pennybank CA [0-9a-f]{8}$")
        extensions = {part.get("name"): (part.text, part.get("level"))
                      for part in whole.iter("extension")}
        self.assertEqual(extensions["X509v3 Basic Constraints"], ("CA:FALSE", "critical"))
        self.assertEqual(extensions["X509v3 Key Usage"], ("Digital Signature", "critical"))
        self.assertEqual(extensions["X509v3 Extended Key Usage"][0],
                         "TLS Web Server Authentication")

    def test_the_door_as_it_is(self):
        report = self.scan()
        self.assert_report(report, ["TLSv1.3"])
        groups = {part.get("id") for part in report.iter("group")}
        self.assertEqual(groups, {X25519, P256})

    def test_the_door_with_version_12(self):
        self.assert_report(self.scan("listener tls.tls-min=1.2"), ["TLSv1.3", "TLSv1.2"])


if __name__ == "__main__":
    unittest.main()

"""A terminal's first certificate: the code, the listener of channel enrol, the request, the answer.

The clients are penny and Python's ssl; the requests are made by Python's cryptography and OpenSSL.
"""

import base64
import hashlib
import os
import re
import shutil
import socket
import ssl
import stat
import threading
import unittest

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

import enrolment
from bank import Bank, BankTest, run
from enrolment import EnrolBank, certificates, name_of, new_key, request, state_of
from resp import Error, command, wait_until
from tls_bytes import TlsBytes

CSR_SIZE_MAX = 4096


def openssl_request(folder, *options, name="kiosk", digest="-sha256"):
    key = os.path.join(folder, "key.pem")
    path = os.path.join(folder, "request.pem")
    run(["openssl", "req", "-new", "-nodes", *options, "-keyout", key, "-out", path,
         "-subj", f"/CN={name}", digest])
    with open(path, encoding="ascii") as text:
        return text.read()


def with_der(pem, change):
    """A request whose DER was changed."""
    body = "".join(pem.strip().splitlines()[1:-1])
    der = base64.encodebytes(change(base64.b64decode(body))).decode()
    return f"-----BEGIN CERTIFICATE REQUEST-----\n{der}-----END CERTIFICATE REQUEST-----\n"


class EnrolTest(BankTest):
    issues = True
    settings = ()

    @classmethod
    def setUpClass(cls):
        cls.bank = EnrolBank(issues=cls.issues, settings=cls.settings)
        cls.addClassCleanup(cls.bank.close)

    def folder(self):
        made = os.path.join(self.bank.folder, self.id().rsplit(".", 1)[-1])
        self.addCleanup(shutil.rmtree, made, ignore_errors=True)
        return made


class Issuing(EnrolTest):
    """Where the server signs by itself."""

    def test_a_terminal_is_enrolled_and_its_certificate_works(self):
        folder = self.folder()
        code = self.bank.code("kiosk-1")
        before = self.bank.register()
        made = self.bank.enrol(code, folder)
        self.assertIn("enrolled kiosk-1", made.stdout)
        self.assertEqual(sorted(os.listdir(folder)),
                         ["ca.crt", "client.conf", "kiosk-1.crt", "kiosk-1.key"])
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(folder, "kiosk-1.key")).st_mode), 0o600)
        with open(os.path.join(folder, "kiosk-1.crt"), "rb") as text:
            leaf, issuing = certificates(text.read())
        with open(self.bank.path("certs", "issuing.crt"), "rb") as text:
            self.assertEqual([issuing], certificates(text.read()))
        self.assertEqual(name_of(leaf), "kiosk-1")
        self.assertEqual((leaf.not_valid_after - leaf.not_valid_before).days, 30)
        # The register had it before anybody.
        line = self.bank.register()[len(before):]
        self.assertEqual([[int(row[0], 16), *row[3:]] for row in line],
                         [[leaf.serial_number, "client", "issuing", "kiosk-1"]])
        conf = os.path.join(folder, "client.conf")
        self.assertEqual(run(self.bank.penny_argv("-c", conf, "ping")).stdout, "PONG\n")
        self.assertIn("terminal kiosk-1", self.bank.log())

    def test_the_same_command_again_changes_nothing(self):
        folder = self.folder()
        code = self.bank.code("again")
        self.bank.enrol(code, folder)
        before = {name: self.read(folder, name) for name in os.listdir(folder)}
        count = len(self.bank.register())
        self.bank.enrol(code, folder)
        self.assertEqual({name: self.read(folder, name) for name in os.listdir(folder)}, before)
        self.assertEqual(len(self.bank.register()), count)

    @staticmethod
    def read(folder, name):
        with open(os.path.join(folder, name), "rb") as file:
            return file.read()

    def test_a_code_tells_for_whom_it_is(self):
        code = self.bank.code("told")
        with self.bank.stranger() as wire:
            answer = wire.ask("ENROL", code)
        with open(self.bank.ca(), "rb") as ca:
            self.assertEqual(answer, [b"name", b"told", b"port", str(self.bank.port).encode(),
                                      b"ca", ca.read()])

    def test_the_same_key_gets_the_same_answer_and_another_key_none(self):
        code, key = self.bank.code("twice"), new_key()
        asked = request(key, "twice")
        with self.bank.stranger() as wire:
            first = wire.ask_bytes("ENROL", code, asked)
        with self.bank.stranger() as wire:
            self.assertEqual(wire.ask_bytes("ENROL", code, asked), first)
            # Another request for the same key: ECDSA never signs twice the same.
            self.assertEqual(wire.ask_bytes("ENROL", code, request(key)), first)
            self.assert_error(wire.ask("ENROL", code, request(new_key(), "twice")), "STATE",
                              "another key")
            self.assertEqual(wire.ask_bytes("ENROL", code, asked), first)

    def test_a_code_is_understood_in_small_letters_without_hyphens(self):
        code = self.bank.code("small").lower().replace("-", "")
        made = self.bank.enrol(code, self.folder())
        self.assertIn("enrolled small", made.stdout)

    def test_a_code_behind_its_time_is_refused_unless_it_was_used_before(self):
        code, used, key = self.bank.code("late"), self.bank.code("in-time"), new_key()
        with self.bank.stranger() as wire:
            first = wire.ask_bytes("ENROL", used, request(key))
            self.expire("late")
            self.expire("in-time")
            self.assert_error(wire.ask("ENROL", code), "EXPIRED", "the code has expired")
            self.assert_error(wire.ask("ENROL", code, request(key)), "EXPIRED")
            self.assertEqual(wire.ask_bytes("ENROL", used, request(key)), first)

    def expire(self, name):
        folder = self.bank.path("data", "enrol")
        for file in os.listdir(folder):
            path = os.path.join(folder, file)
            with open(path, encoding="utf-8") as text:
                text = text.read()
            if file.endswith(".code") and f"name {name}\n" in text:
                with open(path, "w", encoding="utf-8") as out:
                    out.write(re.sub(r"expires \d{4}", "expires 2020", text))

    def test_codes_that_there_are_not_are_refused_and_end_the_session(self):
        code = self.bank.code("guessed")
        wrong = ("0" if code[0] != "0" else "1") + code[1:]
        for guess in (wrong, "no code", "", code + "0", code[:-1], "ü" * 32):
            with self.bank.stranger() as wire:
                self.assert_error(wire.ask("ENROL", guess), "NOPERM", "no such code")
        with self.bank.stranger() as wire:
            for _ in range(5):
                self.assert_error(wire.ask("ENROL", wrong), "NOPERM")
            self.assertTrue(wire.ends())
        wait_until("the log says why",
                   lambda: "because too many tries to enrol" in self.bank.log())

    def test_nothing_on_disk_or_in_the_log_tells_a_code(self):
        code, key = self.bank.code("hidden"), new_key()
        with self.bank.stranger() as wire:
            wire.ask("ENROL", code, request(key))
            wire.ask("ENROL", code, "nonsense")
        plain = code.replace("-", "")
        secret = bytes.fromhex("%020x" % int.from_bytes(self.bits(plain)[:10], "big"))
        self.assertIn(hashlib.sha256(secret).hexdigest()[:32] + ".code", self.bank.spool())
        told = [plain[:16], code[:19], secret.hex(), base64.b64encode(secret).decode()[:12]]
        for path in self.bank.files():
            with open(path, "rb") as file:
                content = file.read()
            for text in told:
                self.assertNotIn(text.encode(), content, path)
            self.assertNotIn(secret, content, path)

    @staticmethod
    def bits(plain):
        number = 0
        for letter in plain:
            number = number << 5 | enrolment.ALPHABET.index(letter)
        return number.to_bytes(20, "big")

    def test_the_second_half_is_of_the_ca(self):
        with open(self.bank.ca(), "rb") as text:
            ca = certificates(text.read())[0]
        half = self.bits(self.bank.code("halves").replace("-", ""))[10:]
        self.assertEqual(half, ca.fingerprint(hashes.SHA256())[:10])

    def test_every_session_without_a_certificate_waits_for_its_turn(self):
        """One job at a time; whoever comes meanwhile gets its answer all the same."""
        names = [f"crowd-{i}" for i in range(12)]
        codes = {name: self.bank.code(name) for name in names}
        got = {}

        def enrol(name):
            with self.bank.stranger() as wire:
                got[name] = state_of(wire.ask("ENROL", codes[name], request(new_key())))
        threads = [threading.Thread(target=enrol, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({name: name_of(certificates(chain)[0])
                          for name, (_, chain) in got.items()}, {name: name for name in names})
        self.assertLessEqual(set(names), {row[-1] for row in self.bank.register()})

    def test_rows_of_the_register_have_other_serials(self):
        serials = [row[0] for row in self.bank.register()]
        self.assertEqual(len(set(serials)), len(serials))

    def test_pennyd_needs_no_key_of_the_ca(self):
        with EnrolBank(start=False) as bank:
            os.remove(bank.path("certs", "ca.key"))
            bank.start()
            chain, key = bank.enrolled("keyless")
            with bank.by_certificate(chain, key) as wire:
                self.assertEqual(state_of(wire.ask("RENEW", request(new_key())))[0], "issued")

    def test_an_issuing_authority_of_another_bank_is_refused_at_the_start(self):
        with EnrolBank(start=False) as bank, EnrolBank(start=False) as other:
            for name in ("issuing.crt", "issuing.key"):
                shutil.copy(other.path("certs", name), bank.path("certs", name))
            code, said = bank.refused_start()
        self.assertEqual(code, 1)
        self.assertIn("no listener's ca has signed the issuing certificate", said)

    def test_what_is_missing_for_signing_is_told_at_the_start(self):
        for gone, told in (("issuing.key", "issuing.key: No such file"),
                           ("issuing.crt", "issuing.crt: No such file")):
            with EnrolBank(start=False) as bank:
                os.remove(bank.path("certs", gone))
                code, said = bank.refused_start()
            self.assertEqual(code, 1)
            self.assertIn(told, said)
            self.assertIn("pennyctl cert issuing", said)


class Requests(EnrolTest):
    """What is asked for: each differs in one thing from a request that is taken."""

    def setUp(self):
        self.scratch = self.folder()
        os.makedirs(self.scratch)

    def refused(self, csr, part, word="ERR"):
        """Refuses a request, leaves the code unused, and the log says why."""
        if not hasattr(self, "open_code"):
            self.open_code = self.bank.code("kiosk")
        before = self.bank.spool()
        with self.bank.stranger() as wire:
            reply = wire.ask("ENROL", self.open_code, csr)
        self.assert_error(reply, word, part)
        self.assertEqual(self.bank.spool(), before)
        self.assertTrue(f"because {part}" in self.bank.log(), part)

    def taken(self, csr, name="kiosk"):
        with self.bank.stranger() as wire:
            state, chain = state_of(wire.ask("ENROL", self.bank.code(name), csr))
        self.assertEqual(state, "issued")
        self.assertEqual(name_of(certificates(chain)[0]), name)

    def test_of_openssl_and_of_python_are_taken(self):
        self.taken(openssl_request(self.scratch, "-newkey", "rsa:2048"))
        self.taken(openssl_request(self.scratch, "-newkey", "rsa:4096"))
        self.taken(openssl_request(self.scratch, "-newkey", "ec", "-pkeyopt",
                                   "ec_paramgen_curve:P-384", digest="-sha384"))
        self.taken(request(new_key(), "kiosk"))
        self.taken(request(new_key()))
        self.taken(request(rsa.generate_private_key(65537, 3072)))

    def test_a_forged_signature(self):
        forged = with_der(request(new_key(), "kiosk"), lambda der: der[:-1] + bytes([der[-1] ^ 1]))
        self.refused(forged, "its signature is forged")
        mine, other = request(new_key(), "kiosk"), request(new_key(), "kiosk")
        # The name and the key of one, the signature of the other.
        parts = [base64.b64decode("".join(pem.strip().splitlines()[1:-1])) for pem in (mine, other)]
        if len(parts[0]) == len(parts[1]):
            mixed = with_der(mine, lambda der: der[:-60] + parts[1][-60:])
            self.refused(mixed, "its signature is forged")

    def test_weak_keys(self):
        self.refused(openssl_request(self.scratch, "-newkey", "rsa:1024"), "its key is too weak")
        for curve in ("secp224r1", "prime192v1"):
            self.refused(openssl_request(self.scratch, "-newkey", "ec", "-pkeyopt",
                                         f"ec_paramgen_curve:{curve}"),
                         "its key is of a kind that is refused")

    def test_another_name(self):
        for name in ("till", "Kiosk", "kiosk2", "kiosk "):
            self.refused(request(new_key(), name), "it is for another name")

    def test_a_weak_hash(self):
        self.refused(openssl_request(self.scratch, "-newkey", "rsa:2048", digest="-sha1"),
                     "its signature is of a kind that is refused")

    def test_what_is_no_request(self):
        good = request(new_key(), "kiosk")
        for csr in ("garbage", "-----BEGIN CERTIFICATE REQUEST-----\n", "\x00" * 100, "é" * 500,
                    good.replace("REQUEST", "REQUESX"), "x" * CSR_SIZE_MAX):
            self.refused(csr, "it is not a certificate request")
        with open(self.bank.ca(), encoding="ascii") as ca:
            self.refused(ca.read(), "it is not a certificate request")
        self.refused("", "it is empty")
        self.refused("x" * (CSR_SIZE_MAX + 1), "it is too long")

    def test_cut_at_each_byte(self):
        good = request(new_key(), "kiosk").rstrip("\n")
        code = self.bank.code("kiosk")
        spooled = self.bank.spool()
        sizes = range(1, len(good))
        wire = None
        for tries, size in enumerate(sizes):
            if tries % 4 == 0:
                if wire is not None:
                    wire.close()
                wire = self.bank.stranger()
            self.assert_error(wire.ask("ENROL", code, good[:size]), "ERR", "the request is refused")
        wire.close()
        self.assertEqual(self.bank.spool(), spooled)
        with self.bank.stranger() as wire:
            self.assertEqual(state_of(wire.ask("ENROL", code, good))[0], "issued")

    def test_longer_than_anybody_needs_ends_the_session(self):
        code = self.bank.code("kiosk")
        with self.bank.stranger() as wire:
            self.assert_error(wire.ask("ENROL", code, "x" * 5120), "ERR", "Protocol error")
            self.assertTrue(wire.ends())

    def test_each_refusal_and_each_certificate_is_one_line_of_the_log(self):
        code, key = self.bank.code("lines"), new_key()
        start = len(self.bank.log())
        with self.bank.stranger() as wire:
            wire.ask("ENROL", code, "garbage")
            wire.ask("ENROL", code, request(key))
            wire.ask("ENROL", code, request(new_key()))
            serial = "%x" % certificates(state_of(wire.ask("ENROL", code, request(key)))[1])[
                0].serial_number
        lines = [re.sub(r"session \d+", "session N", line.split(" ", 2)[2])
                 for line in self.bank.log()[start:].splitlines() if " enrol" in line]
        lines = [re.sub(r"until \S+", "until T", line) for line in lines if "connected" not in line]
        self.assertEqual(lines, [
            "enrolment refused session N terminal lines because it is not a certificate request",
            f"enrolled session N terminal lines serial {serial} until T",
            "enrolment refused session N terminal lines because the code was used with another key",
            f"enrolled session N terminal lines serial {serial} until T"])


class Strangers(EnrolTest):
    """Who else comes to the listener, and who stands in between."""

    settings = ("server.handshake-ms=1500",)

    def test_it_is_tls_1_3_and_asks_for_no_certificate(self):
        with self.assertRaises(ssl.SSLError):
            context = self.bank.stranger_context()
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            with socket.create_connection((self.bank.host, self.bank.enrol_port()), 60) as plain:
                context.wrap_socket(plain, server_hostname=self.bank.host)
        argv = ["openssl", "s_client", "-msg", "-showcerts", "-connect",
                f"{self.bank.host}:{self.bank.enrol_port()}", "-CAfile", self.bank.ca()]
        said = run(argv, expect=None, input="QUIT\r\n").stdout
        self.assertNotIn("CertificateRequest", said)
        self.assertIn("Verify return code: 0", said)
        with open(self.bank.ca(), encoding="ascii") as ca:
            self.assertIn(ca.read().strip(), said)  # The terminal gets to know it.

    def test_a_certificate_is_not_looked_at(self):
        context = self.bank.tls_context("admin")
        with socket.create_connection((self.bank.host, self.bank.enrol_port()), 60) as plain:
            wire = enrolment.Wire(context.wrap_socket(plain, server_hostname=self.bank.host))
            self.assert_error(wire.ask("WHOAMI"), "NOPERM", "channel enrol carries")

    def test_a_code_for_another_bank_is_not_sent(self):
        with Bank(start=False) as other:
            with open(other.ca(), "rb") as text:
                ca = certificates(text.read())[0]
        code = self.bank.code("elsewhere")
        half = int.from_bytes(ca.fingerprint(hashes.SHA256())[:10], "big")
        foreign = "".join(enrolment.ALPHABET[half >> 75 - 5 * i & 31] for i in range(16))
        mistyped = code[:-1] + ("0" if code[-1] != "0" else "1")
        for wrong in (code[:20] + foreign, mistyped):
            start = len(self.bank.log())
            folder = self.folder()
            done = self.bank.enrol(wrong, folder, expect=1)
            self.assertIn("nothing of it was sent", done.stderr)
            self.assertFalse(os.path.exists(folder))
            said = wait_until("the session ended", lambda: re.search(
                r"ended session .*", self.bank.log()[start:]))
            self.assertIn("commands 0", said.group())

    def test_a_man_in_the_middle_gets_nothing(self):
        """One with a certificate of his own, alone or with the bank's CA behind it."""
        code = self.bank.code("middle")
        folder = self.folder()
        os.makedirs(folder)
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "9", "-subj", "/CN=127.0.0.1", "-addext",
             "subjectAltName=IP:127.0.0.1", "-keyout", f"{folder}/m.key", "-out", f"{folder}/m.crt"])
        with open(f"{folder}/m.crt", encoding="ascii") as own, \
                open(self.bank.ca(), encoding="ascii") as ca, \
                open(f"{folder}/both.crt", "w", encoding="ascii") as both:
            both.write(own.read() + ca.read())
        for chain, told in (("m.crt", "nothing of it was sent"), ("both.crt", "not signed by our CA")):
            with Middle(f"{folder}/{chain}", f"{folder}/m.key") as middle:
                done = self.bank.enrol(code, f"{folder}/dir", port=middle.port, expect=1)
                self.assertIn(told, done.stderr)
            self.assertEqual(middle.plain, b"")
            self.assertFalse(os.path.exists(f"{folder}/dir/middle.key"))
        self.bank.enrol(code, f"{folder}/dir")

    def test_a_server_of_another_name_gets_nothing(self):
        code = self.bank.code("renamed")
        folder = self.folder()
        done = run(self.bank.penny_argv("enrol", f"127.0.0.2:{self.bank.enrol_port()}", code,
                                        "--dir", folder), expect=None)
        self.assertEqual(done.returncode, 1)
        # Nobody listens there; one that does is the bank's own under another name.
        with Forward(self.bank.host, self.bank.enrol_port(), "127.0.0.2") as forward:
            done = run(self.bank.penny_argv("enrol", f"127.0.0.2:{forward.port}", code,
                                            "--dir", folder), expect=1)
        self.assertIn("certificate is for another name", done.stderr)

    def test_the_request_alone_is_sent_and_the_key_stays(self):
        """All that penny says, seen by a server with the bank's own key."""
        folder = self.folder()
        code = self.bank.code("watched")
        os.makedirs(folder)
        with open(self.bank.path("certs", "server.crt"), encoding="ascii") as own, \
                open(self.bank.ca(), encoding="ascii") as ca, \
                open(f"{folder}/chain.crt", "w", encoding="ascii") as chain:
            chain.write(own.read() + ca.read())
        answer = b"*6\r\n$4\r\nname\r\n$7\r\nwatched\r\n$4\r\nport\r\n$4\r\n6226\r\n$2\r\nca\r\n$0\r\n\r\n"
        waiting = b"*2\r\n$5\r\nstate\r\n$7\r\nwaiting\r\n"
        with Middle(f"{folder}/chain.crt", self.bank.path("certs", "server.key"),
                    answers=[answer, waiting]) as middle:
            done = self.bank.enrol(code, f"{folder}/dir", port=middle.port, expect=1)
            self.assertIn("pennyctl enrol --sign watched", done.stderr)
        with open(f"{folder}/dir/watched.key", "rb") as file:
            text = file.read()
        number = load_pem_private_key(text, None).private_numbers().private_value.to_bytes(32, "big")
        for secret in (number, number.hex().encode(), text, *text.splitlines()[1:-1]):
            self.assertNotIn(secret, middle.plain)
        csr = re.search(rb"-----BEGIN CERTIFICATE REQUEST-----.*-----END CERTIFICATE REQUEST-----\n",
                        middle.plain, re.S).group()
        words = command("ENROL", code) + command("ENROL", code, csr)
        self.assertEqual(middle.plain, words)

    def test_a_handshake_cut_at_each_byte_disturbs_nobody(self):
        code, key = self.bank.code("cut"), new_key()
        with self.peer() as peer:
            hello = peer.out()
        for size in range(1, len(hello), 7):
            with socket.create_connection((self.bank.host, self.bank.enrol_port()), 60) as plain:
                plain.sendall(hello[:size])
        with self.peer() as peer:  # Behind the server's part of it.
            peer.send(peer.out())
            peer.take()
            rest = peer.out()
        for size in range(1, len(rest), 7):
            with self.peer() as peer:
                peer.send(peer.out())
                peer.take()
                peer.send(peer.out()[:size])
        with self.bank.stranger() as wire:
            self.assertEqual(state_of(wire.ask("ENROL", code, request(key)))[0], "issued")

    def peer(self):
        return TlsBytes(Place(self.bank), context=self.bank.stranger_context())

    def test_handshakes_that_take_too_long_are_ended_and_block_nobody(self):
        code, key = self.bank.code("slow"), new_key()
        start = len(self.bank.log())
        slow = [socket.create_connection((self.bank.host, self.bank.enrol_port()), 60)
                for _ in range(10)]
        try:
            with self.peer() as peer:
                hello = peer.out()
            for i, plain in enumerate(slow):
                plain.sendall(hello[:1 + 20 * i])
            with self.bank.stranger() as wire:
                self.assertEqual(state_of(wire.ask("ENROL", code, request(key)))[0], "issued")
            with self.bank.wire("alice") as wire:
                self.assertEqual(wire.ask("PING"), "PONG")
            wait_until("all have ended", lambda: self.bank.log()[start:].count(
                "because the handshake took too long") == len(slow))
        finally:
            for plain in slow:
                plain.close()

    def test_who_says_nothing_is_ended(self):
        with EnrolBank(issues=False, settings=["server.login-ms=500"]) as bank:
            with bank.stranger() as wire:
                self.assertTrue(wire.ends())
            wait_until("the log says why", lambda: "nobody logged in in time" in bank.log())


class Reloaded(EnrolTest):
    """What a reload changes for who enrols."""

    def reload(self):
        with self.bank.wire("admin") as admin:
            return admin.ask("RELOAD")

    def read(self, name):
        with open(self.bank.path("certs", name), "rb") as file:
            return file.read()

    def test_a_session_goes_on_and_is_signed_by_what_there_is_now(self):
        code, key = self.bank.code("over"), new_key()
        with self.bank.stranger() as wire:
            self.assertIsInstance(wire.ask("ENROL", code), list)
            before = self.read("issuing.crt")
            self.bank.pennyctl("cert", "renew", "issuing", self.bank.home)
            self.assertNotEqual(self.read("issuing.crt"), before)
            self.assertEqual(self.reload(), "OK")
            state, chain = state_of(wire.ask("ENROL", code, request(key)))
        self.assertEqual(state, "issued")
        self.assertEqual(certificates(chain)[1:], certificates(self.read("issuing.crt")))
        with self.bank.by_certificate(chain, key) as wire:
            self.assertEqual(state_of(wire.ask("RENEW", request(new_key())))[0], "issued")

    def test_the_days_that_a_signer_has_left_are_told_and_follow_it(self):
        days = []
        for more in ((), ("--days", "20")):
            self.bank.pennyctl("cert", "renew", "issuing", self.bank.home, *more)
            self.assertEqual(self.reload(), "OK")
            with self.bank.wire("admin") as admin:
                info = admin.ask("INFO", "certificates").decode()
            days.append(int(re.search(r"issuing_certificate_days_left:(\d+)", info).group(1)))
        self.assertGreater(days[0], 1800)
        self.assertIn(days[1], (19, 20))
        wait_until("it is told", lambda: "ends soon: the issuing certificate days " in
                   self.bank.log(), 60)
        self.bank.pennyctl("cert", "renew", "issuing", self.bank.home)
        self.assertEqual(self.reload(), "OK")

    def test_a_signer_that_cannot_be_leaves_everything_as_it_was(self):
        kept = self.read("issuing.key")
        path = self.bank.path("certs", "issuing.key")
        with open(path, "wb") as file:
            file.write(enrolment.pem_of_key(new_key()))
        self.assert_error(self.reload(), "ERR", "the issuing key does not belong to the issuing")
        chain, key = self.bank.enrolled("as-before")
        with self.bank.by_certificate(chain, key):
            pass
        with open(path, "wb") as file:
            file.write(kept)
        self.assertEqual(self.reload(), "OK")


class Place:
    """The listener of channel enrol as TlsBytes looks for it."""

    def __init__(self, bank):
        self.host, self.port = bank.host, bank.enrol_port()


class Middle:
    """A server of somebody else's, which keeps what it is told and gives the answers it was given."""

    def __init__(self, chain, key, answers=()):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(chain, key)
        self.answers = list(answers)
        self.plain = b""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)  # Whoever waits there must not take another's.
        self.listener.close()

    def serve(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            try:
                with self.context.wrap_socket(plain, server_side=True) as tls:
                    while data := tls.recv(65536):
                        self.plain += data
                        if self.answers:
                            tls.sendall(self.answers.pop(0))
            except (OSError, ssl.SSLError):
                pass


class Forward:
    """The same server under another address."""

    def __init__(self, host, port, address):
        self.target = (host, port)
        self.listener = socket.create_server((address, 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)  # Whoever waits there must not take another's.
        self.listener.close()

    def serve(self):
        while True:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.create_connection(self.target)
            for here, there in ((near, far), (far, near)):
                threading.Thread(target=self.copy, args=(here, there), daemon=True).start()

    @staticmethod
    def copy(here, there):
        try:
            while data := here.recv(65536):
                there.sendall(data)
            there.shutdown(socket.SHUT_WR)
        except OSError:
            pass


if __name__ == "__main__":
    unittest.main()

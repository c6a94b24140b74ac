"""RELOAD and SIGHUP: certificates, keys, CAs, revocations and terminals change together or not at
all, and whoever may not stay is gone within a second."""

import datetime
import ipaddress
import os
import re
import signal
import socket
import ssl
import struct
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import serialization

import pki
from bank import Bank, SECONDS_MAX
from resp import Error, Simple, command, wait_until


def key_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


class Club:
    """A CA that is not our tools', and what it has signed for a bank."""

    def __init__(self, common="Club", **options):
        self.root = pki.Authority(common, **options)
        self.revoked = []

    def ca_pem(self):
        return pki.pem_of("CERTIFICATE", self.root.der)

    def server(self, kind="p256", **options):
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        return self.root.leaf("server", kind=kind, usages=(pki.SERVER,), extra=[(names, False)],
                              **options)

    def crl_pem(self, **options):
        return pki.pem_of("X509 CRL", self.root.crl(self.revoked, **options))


def serial_of(der):
    return x509.load_der_x509_certificate(der).serial_number


class ReloadTest(unittest.TestCase):
    settings = ()

    def new_bank(self, start=True, settings=()):
        bank = Bank(start=False, settings=[*self.settings, *settings])
        self.addCleanup(bank.close)
        self.club = Club()
        self.serials = {}
        self.wear(bank, self.club)
        for name in ("alice", "bob", "till", "admin", "kiosk"):
            self.give(bank, name)
        if start:
            bank.start()
        return bank

    def write(self, bank, name, text, mode=0o644):
        path = bank.path("certs", name)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        os.chmod(path, mode)

    def wear(self, bank, club, kind="p256"):
        der, key = club.server(kind)
        self.write(bank, "ca.crt", club.ca_pem())
        self.write(bank, "server.crt", pki.pem_of("CERTIFICATE", der))
        self.write(bank, "server.key", key_pem(key), 0o600)
        self.write(bank, "crl.pem", club.crl_pem())
        return der

    def give(self, bank, name, club=None, chain=(), **options):
        der, key = (club or self.club).root.leaf(name, **options)
        self.write(bank, f"clients/{name}.crt", pki.pem_of("CERTIFICATE", der, *chain))
        self.write(bank, f"clients/{name}.key", key_pem(key), 0o600)
        self.serials[name] = serial_of(der)

    def revoke(self, bank, *names):
        self.club.revoked += [self.serials[name] for name in names]
        self.write(bank, "crl.pem", self.club.crl_pem())

    def reload(self, bank, admin=None):
        with admin or bank.wire("admin") as wire:
            reply = wire.ask("RELOAD")
        self.assertEqual(reply, Simple("OK"), getattr(reply, "line", reply))

    def hang_up(self, bank):
        """By SIGHUP; waits for its line in the log."""
        before = self.lines(bank, "reload")
        bank.process.send_signal(signal.SIGHUP)
        wait_until("the reload is logged", lambda: self.lines(bank, "reload") > before,
                   SECONDS_MAX)

    def lines(self, bank, begin):
        return len(re.findall(rf"^\S* ?.*\b{begin}", bank.log(), re.M))

    def assert_alive(self, wire):
        self.assertEqual(wire.ask("PING"), Simple("PONG"))

    def assert_ended(self, wire):
        """In order: no reset, and the closing message of TLS."""
        wire.socket.settimeout(SECONDS_MAX)
        self.assertEqual(wire.socket.recv(100), b"")

    def assert_told(self, bank, pattern):
        wait_until(f"the log has {pattern}", lambda: re.search(pattern, bank.log()), SECONDS_MAX)

    def assert_refused(self, bank, terminal):
        with self.assertRaises((ssl.SSLError, OSError, AssertionError)):
            wire = bank.wire(terminal=terminal)
            reply = wire.ask("PING")
            if isinstance(reply, Error):
                raise AssertionError(reply.line)


class Revocation(ReloadTest):
    def test_of_a_hundred_sessions_exactly_its_own_end(self):
        bank = self.new_bank(settings=["limits.sessions=160", "limits.strangers-per-source=80"])
        sessions = {name: [bank.wire(name) for _ in range(count)]
                    for name, count in (("alice", 40), ("bob", 20), ("till", 40))}
        for ours in sessions.values():
            for wire in ours:
                self.assert_alive(wire)
        self.revoke(bank, "till")
        self.reload(bank)
        for wire in sessions["till"]:
            self.assert_ended(wire)
        for wire in [*sessions["alice"], *sessions["bob"]]:
            self.assert_alive(wire)
        wait_until("all 40 are told", lambda: len(re.findall(
            r"ended session .* terminal till .*because certificate revoked", bank.log())) == 40,
            SECONDS_MAX)
        self.assertNotRegex(bank.log(), r"terminal (alice|bob) .*because certificate revoked")
        self.assertIn("ended 40", bank.log())
        self.assert_refused(bank, "till")
        # Nobody of those who were ended keeps a place.
        wait_until("their places are free", lambda: b"connected_clients:60\r\n" in
                   sessions["alice"][0].ask("INFO", "clients"), SECONDS_MAX)

    def test_by_sighup(self):
        bank = self.new_bank()
        alice, kiosk = bank.wire("alice"), bank.wire("bob", terminal="kiosk")
        self.revoke(bank, "kiosk")
        self.hang_up(bank)
        self.assert_ended(kiosk)
        self.assert_alive(alice)

    def test_movement_under_way_is_answered_first(self):
        bank = self.new_bank()
        till = bank.wire("till")
        self.revoke(bank, "till")
        till.send(b"".join(b"*4\r\n$7\r\nDEPOSIT\r\n$4\r\nid%02d\r\n$4\r\n1.00\r\n$5\r\nalice\r\n"
                           % number for number in range(20)))
        for _ in range(20):
            self.assertNotIsInstance(till.reply(), Error)
        self.reload(bank)
        self.assert_ended(till)
        self.assertEqual(bank.wire("alice").ask("BALANCE"), b"70.00")

    def test_of_the_authority_between(self):
        between = None
        bank = self.new_bank(start=False)
        between = pki.Authority("Issuing", parent=self.club.root, path_length=0)
        chain = [between.der]
        der, key = between.leaf("kiosk")
        self.write(bank, "clients/kiosk.crt", pki.pem_of("CERTIFICATE", der, *chain))
        self.write(bank, "clients/kiosk.key", key_pem(key), 0o600)
        bank.start()
        kiosk, alice = bank.wire("bob", terminal="kiosk"), bank.wire("alice")
        self.assert_alive(kiosk)
        self.club.revoked.append(serial_of(between.der))
        self.write(bank, "crl.pem", self.club.crl_pem())
        self.reload(bank)
        self.assert_ended(kiosk)
        self.assert_alive(alice)
        self.assert_told(bank, "because its authority's certificate was revoked")

    def test_same_serial_of_another_issuer_is_not_meant(self):
        bank = self.new_bank(start=False)
        between = pki.Authority("Issuing", parent=self.club.root, path_length=0)
        der, key = between.leaf("kiosk", serial=self.serials["alice"])
        self.write(bank, "clients/kiosk.crt", pki.pem_of("CERTIFICATE", der, between.der))
        self.write(bank, "clients/kiosk.key", key_pem(key), 0o600)
        bank.start()
        kiosk, alice = bank.wire("bob", terminal="kiosk"), bank.wire("alice")
        self.revoke(bank, "alice")
        self.reload(bank)
        self.assert_ended(alice)
        self.assert_alive(kiosk)


class Exchange(ReloadTest):
    def served_serial(self, bank):
        with socket.create_connection((bank.host, bank.port), timeout=SECONDS_MAX) as plain:
            with bank.tls_context("alice").wrap_socket(plain, server_hostname=bank.host) as tls:
                return serial_of(tls.getpeercert(binary_form=True))

    def test_a_new_server_certificate_serves_who_comes_new(self):
        bank = self.new_bank()
        alice = bank.wire("alice")
        before = self.served_serial(bank)
        for kind in ("p384", "rsa2048"):
            der = self.wear(bank, self.club, kind)
            self.reload(bank)
            self.assertEqual(self.served_serial(bank), serial_of(der))
            self.assertNotEqual(serial_of(der), before)
            self.assert_alive(alice)

    def test_receipts_are_signed_with_the_new_key(self):
        bank = self.new_bank()
        till = bank.wire("till")
        for number, kind in enumerate(("p256", "rsa2048", "p384")):
            self.wear(bank, self.club, kind)
            self.reload(bank)
            entry = till.ask("DEPOSIT", f"r{number}", "1.00", "alice")
            entry = dict(zip(entry[::2], entry[1::2]))[b"entry"]
            receipt = till.ask("RECEIPT", entry)
            self.assertNotIsInstance(receipt, Error, getattr(receipt, "line", None))
            path = os.path.join(bank.folder, "receipt")
            with open(path, "wb") as file:
                file.write(receipt)
            bank.pennyctl("receipt", "verify", path, "--cert", bank.path("certs", "server.crt"))

    def test_a_removed_authority_ends_its_sessions(self):
        bank = self.new_bank()
        alice = bank.wire("alice")
        admin = bank.wire("admin")
        other = Club("Other")
        self.wear(bank, other)
        self.give(bank, "bob", other)
        self.reload(bank, admin)
        self.assert_ended(alice)
        self.assert_told(bank, "because its authority was removed")
        self.assert_alive(bank.wire("bob"))
        self.assert_refused(bank, "alice")

    def test_an_added_authority_and_one_renewed_end_nobodys(self):
        bank = self.new_bank()
        alice = bank.wire("alice")
        other = Club("Other")
        renewed = pki.certificate(
            self.club.root, self.club.root.name, self.club.root.key.public_key(),
            extensions=[(x509.BasicConstraints(True, 1), True),
                        (pki.key_usage("key_cert_sign", "crl_sign"), True)],
            not_after=pki.now() + 900 * pki.DAY)
        self.write(bank, "ca.crt", pki.pem_of("CERTIFICATE", renewed, other.root.der))
        self.give(bank, "bob", other)
        self.reload(bank)
        self.assert_alive(alice)
        self.assert_alive(bank.wire("bob"))
        self.assert_alive(bank.wire("till"))

    def test_over_and_over(self):
        """Nothing is left behind by two hundred of them, half of which are refused."""
        bank = self.new_bank()
        alice, admin = bank.wire("alice"), bank.wire("admin")
        with open(bank.path("certs", "server.key"), "rb") as file:
            key = file.read()
        for turn in range(200):
            self.write(bank, "server.key", key if turn % 2 == 0 else b"junk", 0o600)
            reply = admin.ask("RELOAD")
            if turn % 2 == 0:
                self.assertEqual(reply, Simple("OK"), reply)
            else:
                self.assertIn("server.key", reply.line)
        self.assert_alive(alice)
        self.assert_alive(bank.wire("bob"))
        info = bank.wire("admin").ask("INFO", "certificates")
        self.assertIn(b"reloads:100\r\nreloads_failed:100\r\n", info)

    def test_many_listeners_and_long_lists(self):
        bank = self.new_bank(start=False)
        self.club.revoked = list(range(0x100000, 0x100000 + 500))
        self.wear(bank, self.club, "rsa4096")
        with open(bank.path("pennyd.conf"), "a", encoding="utf-8") as conf:
            for number in range(3):
                conf.write(f"\n[listener more{number}]\nport = 0\ncertificate = certs/server.crt\n"
                           "key = certs/server.key\nca = certs/ca.crt\ncrl = certs/crl.pem\n")
        bank.start()
        admin = bank.wire("admin")
        for _ in range(3):
            self.assertEqual(admin.ask("RELOAD"), Simple("OK"))
        self.assert_alive(bank.wire("alice"))


class Refused(ReloadTest):
    """What cannot be taken leaves everything as it was, and is told by file."""

    def refuse(self, admin, bank, *parts):
        reply = admin.ask("RELOAD")
        self.assertIsInstance(reply, Error, f"{reply} instead of a refusal")
        self.assertTrue(reply.line.startswith("ERR everything stays as it was: "), reply.line)
        for part in parts:
            self.assertIn(part, reply.line)
            self.assertIn(part, bank.log())
        self.assertIn("reload failed, everything stays as it was: ", bank.log())

    def test_files(self):
        bank = self.new_bank()
        alice, admin = bank.wire("alice"), bank.wire("admin")
        other = Club("Other")
        der, key = other.server(key=pki.key_of("p256 another"))
        cases = {
            "server.crt": ["junk", "", None, pki.pem_of("CERTIFICATE", der)],
            "server.key": ["junk", "", None, key_pem(key).decode()],
            "ca.crt": ["junk", "", None],
            "crl.pem": ["junk", "", None, other.crl_pem()],
        }
        for name, texts in cases.items():
            path = bank.path("certs", name)
            with open(path, "rb") as file:
                sound = file.read()
            for text in texts:
                with self.subTest(name, text=text):
                    if text is None:
                        os.remove(path)
                    else:
                        self.write(bank, name, text, 0o600)
                    self.refuse(admin, bank, name)
                    self.write(bank, name, sound, 0o600)
        with self.subTest("a key that others may read"):
            os.chmod(bank.path("certs", "server.key"), 0o644)
            self.refuse(admin, bank, "server.key", "chmod 600")
        self.assert_alive(alice)
        self.assert_alive(bank.wire("bob"))
        os.chmod(bank.path("certs", "server.key"), 0o600)
        self.reload(bank)

    def test_no_half_of_it_is_taken(self):
        """The second listener's files are broken, so the first one's stay too."""
        bank = self.new_bank(start=False)
        with open(bank.path("pennyd.conf"), "a", encoding="utf-8") as conf:
            conf.write("\n[listener more]\nport = 0\ncertificate = certs/more.crt\n"
                       "key = certs/server.key\nca = certs/ca.crt\n")
        with open(bank.path("certs", "server.crt"), "rb") as file:
            self.write(bank, "more.crt", file.read())
        bank.start()
        alice, admin = bank.wire("alice"), bank.wire("admin")
        self.revoke(bank, "alice")
        self.write(bank, "more.crt", "junk")
        self.refuse(admin, bank, "listener more", "more.crt")
        self.assert_alive(alice)
        self.assert_alive(bank.wire("alice"))

    def test_configurations(self):
        bank = self.new_bank()
        alice, admin = bank.wire("alice"), bank.wire("admin")
        path = bank.path("pennyd.conf")
        with open(path, encoding="utf-8") as file:
            sound = file.read()
        cases = [
            (sound + "\n[terminal kiosk]\namount-max = 1.234\n", "amount-max"),
            (sound.replace("[server]", "[server]\nnonsense = 1\n", 1), "nonsense"),
            (sound.replace("[listener tls]", "[listener other]"), "listener"),
            (re.sub(r"(?m)^#? ?currency = .*$", "currency = CHF", sound), "[ledger]"),
            (None, "pennyd.conf"),
        ]
        for text, part in cases:
            with self.subTest(part):
                if text is None:
                    os.remove(path)
                else:
                    with open(path, "w", encoding="utf-8") as file:
                        file.write(text)
                self.refuse(admin, bank, part)
        with open(path, "w", encoding="utf-8") as file:
            file.write(sound)
        self.assert_alive(alice)
        self.reload(bank)

    def test_only_an_admin_may(self):
        bank = self.new_bank()
        for name in ("alice", "till"):
            reply = bank.wire(name).ask("RELOAD")
            self.assertEqual(reply.word, "NOPERM", reply.line)
        self.assertEqual(bank.wire(terminal="admin").ask("RELOAD").word, "NOAUTH")
        self.assertEqual(bank.wire("admin").ask("RELOAD", "now").word, "ERR")

    def test_several_at_once(self):
        """One is under way, one waits, and who comes then is told so."""
        bank = self.new_bank()
        wires = [bank.wire("admin") for _ in range(5)]
        for wire in wires:
            wire.send(b"*1\r\n$6\r\nRELOAD\r\n")
        replies = [wire.reply() for wire in wires]
        self.assertGreaterEqual(replies.count(Simple("OK")), 2)
        for reply in replies:
            if isinstance(reply, Error):
                self.assertEqual(reply.line, "BUSY another reload is under way, and one waits")

    def test_who_waits_for_the_next_one_and_goes_holds_up_nothing(self):
        """The first one is held up by a pipe in the place of the configuration."""
        bank = self.new_bank()
        path, aside = bank.path("pennyd.conf"), bank.path("aside")
        one, two, admin = bank.wire("admin"), bank.wire("admin"), bank.wire("admin")
        for waits, revokes in ((one, False), (two, True)):
            with self.subTest(revokes=revokes):
                os.rename(path, aside)
                os.mkfifo(path)
                bank.process.send_signal(signal.SIGHUP)
                with open(path, "wb") as pipe:  # It is being read now.
                    waits.send(command("RELOAD"))
                    self.assertEqual(admin.ask("PING"), "PONG")
                    if revokes:
                        self.give(bank, "admin")
                        self.revoke(bank, "admin")
                    else:
                        waits.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                                struct.pack("ii", 1, 0))
                        waits.socket.close()
                        self.assertEqual(admin.ask("PING"), "PONG")
                    with open(aside, "rb") as file:
                        text = file.read()
                    os.rename(aside, path)
                    pipe.write(text)
                if not revokes:
                    wait_until("another one is taken", lambda: admin.ask("RELOAD") == "OK",
                               SECONDS_MAX)
        bank.stop()

    def test_what_waits_for_a_restart_is_named(self):
        bank = self.new_bank()
        with open(bank.path("pennyd.conf"), encoding="utf-8") as file:
            text = file.read()
        with open(bank.path("pennyd.conf"), "w", encoding="utf-8") as file:
            file.write(text.replace("[server]", "[server]\nidle-s = 77\n", 1)
                       + "\n[listener later]\nport = 0\ncertificate = certs/server.crt\n"
                         "key = certs/server.key\nca = certs/ca.crt\n"
                         "\n[terminal kiosk]\nlogin = yes\n")
        self.reload(bank)
        self.assertIn("these options were changed, and wait for a restart: server idle-s, "
                      "listener later\n", bank.log())


class Terminals(ReloadTest):
    def set_terminal(self, bank, *lines):
        self.section(bank, "kiosk", *lines)
        self.reload(bank)

    @staticmethod
    def section(bank, name, *lines):
        """Puts a section in the place of the one there is, or takes it away."""
        with open(bank.path("pennyd.conf"), encoding="utf-8") as file:
            text = file.read()
        text = re.sub(rf"\n\[terminal {name}\][^[]*", "", text)
        with open(bank.path("pennyd.conf"), "w", encoding="utf-8") as file:
            file.write(text + (f"\n[terminal {name}]\n" + "\n".join(lines) + "\n" if lines else ""))

    def test_bounds_hold_for_sessions_that_are_open(self):
        bank = self.new_bank()
        till = bank.wire("till", terminal="kiosk")
        self.assertNotIsInstance(till.ask("DEPOSIT", "a", "50.00", "alice"), Error)
        self.set_terminal(bank, "amount-max = 10.00")
        self.assertEqual(till.ask("DEPOSIT", "b", "50.00", "alice").word, "NOPERM")
        self.assertNotIsInstance(till.ask("DEPOSIT", "e", "10.00", "alice"), Error)
        self.set_terminal(bank, "roles = customer")
        self.assertEqual(till.ask("DEPOSIT", "c", "1.00", "alice").word, "NOPERM")
        self.set_terminal(bank)
        self.assertNotIsInstance(till.ask("DEPOSIT", "d", "50.00", "alice"), Error)

    def test_what_comes_behind_a_reload_in_one_write_is_judged_by_it(self):
        """Even where the section goes by which the asker was judged."""
        bank = self.new_bank(start=False)
        self.section(bank, "admin", "login = yes")
        bank.start()
        admin = bank.wire("admin")
        self.section(bank, "admin")
        admin.send(command("RELOAD") + command("PING"))
        self.assertEqual([admin.reply(), admin.reply()], ["OK", "PONG"])
        self.section(bank, "admin", "roles = customer")
        admin.send(command("RELOAD") + command("USER", "LIST"))
        self.assertEqual(admin.reply(), "OK")
        self.assertEqual(admin.reply().word, "NOPERM")

    def test_a_group_that_was_queued_before_books_nothing(self):
        bank = self.new_bank()
        till = bank.wire("till", terminal="kiosk")
        self.assertEqual(till.ask("MULTI"), "OK")
        self.assertEqual(till.ask("DEPOSIT", "g", "50.00", "alice"), "QUEUED")
        self.set_terminal(bank, "amount-max = 10.00")
        self.assertIsInstance(till.ask("EXEC"), Error)
        self.assertEqual(bank.wire("alice").ask("BALANCE"), b"50.00")

    def test_login_that_becomes_needless_and_needed(self):
        bank = self.new_bank(settings=["server.login-ms=3600000"])
        kiosk = bank.wire(terminal="kiosk")
        self.assertEqual(kiosk.ask("PING").word, "NOAUTH")
        self.set_terminal(bank, "login = no")
        self.assert_alive(kiosk)
        self.set_terminal(bank, "login = yes")
        self.assertEqual(kiosk.ask("PING").word, "NOAUTH")


class Handshakes(ReloadTest):
    def test_one_that_stands_still_has_a_second(self):
        bank = self.new_bank(settings=["server.handshake-ms=600000", "server.login-ms=600000"])
        with socket.create_connection((bank.host, bank.port), timeout=SECONDS_MAX) as plain:
            plain.sendall(b"\x16\x03\x01\x02\x00\x01")
            wait_until("the server has seen it", lambda: b"connected_clients:2" in
                       self.clients(bank), SECONDS_MAX)
            self.revoke(bank, "kiosk")
            self.reload(bank)
            self.assertEqual(plain.recv(100), b"")
        self.assert_told(bank, "because its handshake began before a reload")
        self.reload(bank)
        self.assert_alive(bank.wire("alice"))

    def clients(self, bank):
        with bank.wire("admin") as wire:
            return wire.ask("INFO", "clients")

    def test_one_under_way_is_judged_by_the_new_list(self):
        """Its last flight comes behind the reload."""
        bank = self.new_bank(settings=["server.handshake-ms=600000", "server.login-ms=600000"])
        admin = bank.wire("admin")
        for name, is_let_in in (("kiosk", False), ("alice", True)):
            with socket.create_connection((bank.host, bank.port), timeout=SECONDS_MAX) as plain:
                incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
                tls = bank.tls_context(name).wrap_bio(incoming, outgoing,
                                                      server_hostname=bank.host)
                self.shake(tls)
                plain.sendall(outgoing.read())
                while self.shake(tls):
                    incoming.write(plain.recv(65536))
                last = outgoing.read()
                if not is_let_in:
                    self.revoke(bank, name)
                self.assertEqual(admin.ask("RELOAD"), Simple("OK"))
                plain.sendall(last)
                if is_let_in:
                    tls.write(b"PING\r\n")
                    plain.sendall(outgoing.read())
                self.assertEqual(self.answer(plain, tls, incoming),
                                 b"-NOAUTH Authentication required.\r\n" if is_let_in else b"")

    @staticmethod
    def shake(tls):
        try:
            tls.do_handshake()
            return False
        except ssl.SSLWantReadError:
            return True

    @staticmethod
    def answer(plain, tls, incoming):
        """The first plain bytes; none when the session ended, in whatever way."""
        while True:
            try:
                return tls.read(1000)
            except ssl.SSLWantReadError:
                found = plain.recv(65536)
                if not found:
                    return b""
                incoming.write(found)
            except ssl.SSLError:
                return b""


class Ends(ReloadTest):
    def test_of_its_certificate_ends_a_session(self):
        bank = self.new_bank(start=False)
        self.give(bank, "kiosk", not_after=pki.now() + datetime.timedelta(seconds=8))
        bank.start()
        alice, kiosk = bank.wire("alice"), bank.wire("bob", terminal="kiosk")
        self.assert_alive(kiosk)
        self.assert_ended(kiosk)
        self.assert_alive(alice)
        self.assert_told(bank, r"ended session .* terminal kiosk .*because certificate expired")

    def test_in_the_time_of_grace_nothing_but_renewal(self):
        bank = self.new_bank(settings=["server.renew-grace-days=2",
                                       "listener tls.certificate-is-user=yes"])
        self.give(bank, "alice", not_after=pki.now() - datetime.timedelta(days=1))
        wire = bank.wire(terminal="alice")
        for words in (["PING"], ["AUTH", "alice", bank.passwords["alice"]], ["BALANCE"],
                      ["HELLO", "3", "AUTH", "alice", bank.passwords["alice"]], ["NONSENSE"],
                      ["RESET"]):
            reply = wire.ask(*words)
            self.assertEqual(reply.word, "NOPERM", f"{words}: {reply}")
            self.assertIn("expired", reply.line)
        self.assertEqual(wire.ask("QUIT"), Simple("OK"))

    def test_grace_ends(self):
        bank = self.new_bank(settings=["server.renew-grace-days=2"])
        for days, name in ((3, "alice"), (400, "bob")):
            self.give(bank, name, not_after=pki.now() - datetime.timedelta(days=days),
                      not_before=pki.now() - datetime.timedelta(days=900))
            self.assert_refused(bank, name)
        self.assert_told(bank, "because certificate expired")

    def test_no_grace_for_what_is_wrong_otherwise(self):
        bank = self.new_bank()
        old = {"not_after": pki.now() - pki.DAY, "not_before": pki.now() - 9 * pki.DAY}
        self.give(bank, "alice", **old)
        self.revoke(bank, "alice")
        self.give(bank, "bob", usages=(pki.SERVER,), **old)
        self.give(bank, "till", Club("Other"), **old)
        self.reload(bank)
        for name in ("alice", "bob", "till"):
            self.assert_refused(bank, name)
        between = pki.Authority("Old", parent=self.club.root, path_length=0, **old)
        der, key = between.leaf("kiosk")
        self.write(bank, "clients/kiosk.crt", pki.pem_of("CERTIFICATE", der, between.der))
        self.write(bank, "clients/kiosk.key", key_pem(key), 0o600)
        self.assert_refused(bank, "kiosk")

    def test_are_told_ahead(self):
        bank = self.new_bank(start=False)
        self.give(bank, "kiosk", not_after=pki.now() + 6 * pki.DAY + pki.HOUR)
        der, key = self.club.server(not_after=pki.now() + 20 * pki.DAY + pki.HOUR)
        self.write(bank, "server.crt", pki.pem_of("CERTIFICATE", der))
        self.write(bank, "server.key", key_pem(key), 0o600)
        self.write(bank, "crl.pem", self.club.crl_pem(after=pki.now() + pki.HOUR))
        bank.start()
        with bank.wire("bob", terminal="kiosk"), bank.wire("admin") as admin:
            info = admin.ask("INFO", "certificates").decode()
            for line in ("server_certificate_days_left:20", "authority_certificate_days_left:299",
                         "revocation_list_days_left:0", "terminal_certificate_days_left:6",
                         "terminal_certificates_seen:2", "terminal_certificates_ending:1"):
                self.assertIn(line + "\r\n", info)
            wanted = (r"ends soon: the server's certificate days 20 at ",
                      r"ends soon: a list of revoked certificates days 0 at ",
                      r"ends soon: a terminal's certificate terminal kiosk days 6 at ")
            wait_until("all three are told",
                       lambda: all(re.search(line, bank.log()) for line in wanted), SECONDS_MAX)
            for line in wanted:
                self.assertEqual(len(re.findall(line, bank.log())), 1, line)


if __name__ == "__main__":
    unittest.main()

"""A terminal's next certificate: RENEW over the connection that it has, penny renew, and by itself.

The clients are penny and Python's ssl; certificates near their end are signed by Python.
"""

import datetime
import os
import re
import shutil
import signal
import socket
import ssl
import stat
import time
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from bank import BankTest, run
from dying import Dying
from enrolment import (EnrolBank, certificates, name_of, new_key, pem_of_key, request, state_of)
from reach import forms_of, rows
from resp import Error, command, wait_until

CALLS_MAX = 200
PER_DAY = 8


def signed(bank, name, key, days_ago, days_left):
    """A terminal's certificate as pennyctl makes them, at other times."""
    with open(bank.ca(), "rb") as text:
        ca = x509.load_pem_x509_certificate(text.read())
    with open(bank.path("certs", "ca.key"), "rb") as text:
        ca_key = serialization.load_pem_private_key(text.read(), None)
    now = datetime.datetime.utcnow()
    usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
    made = (x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(ca.subject).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=days_ago))
            .not_valid_after(now + datetime.timedelta(days=days_left))
            .add_extension(x509.BasicConstraints(False, None), True)
            .add_extension(usage, True)
            .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH]), True)
            .sign(ca_key, hashes.SHA256()))
    return made.public_bytes(serialization.Encoding.PEM)


class RenewTest(BankTest):
    issues = True

    @classmethod
    def setUpClass(cls):
        cls.bank = EnrolBank(issues=cls.issues)
        cls.addClassCleanup(cls.bank.close)

    def terminal(self, name, days_ago=25, days_left=5):
        """A folder with a client.conf, as penny enrol leaves it, whose certificate is that old."""
        folder = os.path.join(self.bank.folder, self.id().rsplit(".", 1)[-1])
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        os.makedirs(folder)
        key = new_key()
        shutil.copy(self.bank.ca(), os.path.join(folder, "ca.crt"))
        with open(os.path.join(folder, f"{name}.key"), "wb") as file:
            file.write(pem_of_key(key))
        os.chmod(file.name, 0o600)
        with open(os.path.join(folder, f"{name}.crt"), "wb") as file:
            file.write(signed(self.bank, name, key, days_ago, days_left))
        conf = os.path.join(folder, "client.conf")
        with open(conf, "w", encoding="utf-8") as file:
            file.write(f"[client]\nhost = {self.bank.host}\nport = {self.bank.port}\n"
                       f"cacert = ca.crt\ncert = {name}.crt\nkey = {name}.key\n")
        return folder, conf

    def penny(self, conf, *words, **more):
        return run(self.bank.penny_argv("-c", conf, *words), **more)

    def serial(self, folder, name):
        with open(os.path.join(folder, f"{name}.crt"), "rb") as file:
            return certificates(file.read())[0].serial_number

    @staticmethod
    def pair(folder, name):
        with open(os.path.join(folder, f"{name}.crt"), "rb") as file:
            chain = file.read()
        with open(os.path.join(folder, f"{name}.key"), "rb") as file:
            return chain, serialization.load_pem_private_key(file.read(), None)

    def assert_pair(self, folder, name):
        """Certificate and key belong together, for other programs too."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_cert_chain(os.path.join(folder, f"{name}.crt"),
                                os.path.join(folder, f"{name}.key"))


class Server(RenewTest):
    def test_a_terminal_gets_its_next_certificate_on_the_connection_it_has(self):
        chain, key = self.bank.enrolled("next")
        fresh = new_key()
        with self.bank.by_certificate(chain, key) as wire:
            state, renewed = state_of(wire.ask("RENEW", request(fresh)))
            self.assertEqual(state, "issued")
            leaf = certificates(renewed)[0]
            self.assertEqual(name_of(leaf), "next")
            self.assertEqual((leaf.not_valid_after - leaf.not_valid_before).days, 30)
            self.assertEqual([int(self.bank.register()[-1][0], 16), *self.bank.register()[-1][3:]],
                             [leaf.serial_number, "client", "issuing", "next"])
        with self.bank.by_certificate(renewed, fresh) as wire:
            self.assertEqual(wire.ask("HELLO", "3", "AUTH", "alice", self.bank.passwords["alice"])
                             [b"proto"], 3)
        self.assertIn("renewed session", self.bank.log())

    def test_what_nobody_waits_for_counts_and_is_told(self):
        """Who leaves while the server signs gets no more of them than who stays."""
        chain, key = self.bank.enrolled("hasty")
        for turn in range(8 * PER_DAY):
            wire = self.bank.by_certificate(chain, key)
            wire.send(command("RENEW", request(new_key())))
            time.sleep(turn / 40000)  # Some of them leave just while the server signs.
            os.write(wire.socket.fileno(), b"no record of TLS")
            wire.close()
        with self.bank.by_certificate(chain, key) as wire:
            while not isinstance(wire.ask("RENEW", request(new_key())), Error):
                pass
        made = [row for row in self.bank.register() if row[-1] == "hasty"]
        self.assertEqual(len(made), 1 + PER_DAY)
        told = re.findall(r"(?:enrolled|renewed) session \d+ terminal hasty ", self.bank.log())
        self.assertEqual(len(told), 1 + PER_DAY)

    def test_nobody_need_log_in_and_the_book_is_untouched(self):
        with self.bank.wire("admin") as admin:
            before = admin.ask("DIGEST")
        with self.bank.wire(terminal="bob") as wire:
            self.assertEqual(state_of(wire.ask("RENEW", request(new_key(), "bob")))[0], "issued")
            self.assert_error(wire.ask("BALANCE"), "NOAUTH")
        with self.bank.wire("admin") as admin:
            self.assertEqual(admin.ask("DIGEST"), before)

    def test_the_name_is_the_connections_whatever_the_request_says(self):
        chain, key = self.bank.enrolled("mine")
        with self.bank.by_certificate(chain, key) as wire:
            self.assert_error(wire.ask("RENEW", request(new_key(), "admin")), "ERR",
                              "it is for another name")
            for csr in ("", "garbage", "x" * 4097):
                self.assert_error(wire.ask("RENEW", csr), "ERR", "the request is refused")
            state, renewed = state_of(wire.ask("RENEW", request(new_key())))
        self.assertEqual(name_of(certificates(renewed)[0]), "mine")

    def test_eight_a_day(self):
        chain, key = self.bank.enrolled("eager")
        with self.bank.by_certificate(chain, key) as wire:
            for _ in range(3):  # What is refused does not count.
                self.assert_error(wire.ask("RENEW", "garbage"), "ERR")
            for _ in range(PER_DAY):
                self.assertEqual(state_of(wire.ask("RENEW", request(new_key())))[0], "issued")
            for _ in range(3):
                self.assert_error(wire.ask("RENEW", request(new_key())), "BUSY", "often enough")
        with self.bank.by_certificate(*self.bank.enrolled("modest")) as wire:
            self.assertEqual(state_of(wire.ask("RENEW", request(new_key())))[0], "issued")

    def test_a_long_request_is_for_renew_alone_before_a_login(self):
        chain, key = self.bank.enrolled("long")
        for words, taken in ((("RENEW", "x" * 4000), True), (("renew", "x" * 4000), True),
                             (("ECHO", "x" * 600), False), (("AUTH", "x" * 600), False),
                             (("RENEW", "x" * 4300), False)):
            with self.bank.by_certificate(chain, key) as wire:
                answer = wire.ask(*words)
                self.assertEqual("Protocol error" not in answer.text, taken, (words[0], answer))
                self.assertEqual(wire.ends() if not taken else False, not taken)

    def test_in_a_group_it_is_refused(self):
        with self.bank.wire("alice") as wire:
            wire.ask("MULTI")
            self.assert_error(wire.ask("RENEW", request(new_key())), "ERR", "queued in a group")


class Penny(RenewTest):
    def test_when_asked_for(self):
        folder, conf = self.terminal("asked", days_ago=1, days_left=29)
        before, key = self.serial(folder, "asked"), self.key(folder, "asked")
        said = self.penny(conf, "renew").stdout
        self.assertRegex(said, r"^asked: renewed until \d{4}-\d\d-\d\d\n$")
        self.assertNotEqual(self.serial(folder, "asked"), before)
        self.assertNotEqual(self.key(folder, "asked"), key)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(folder, "asked.key")).st_mode), 0o600)
        self.assertEqual(sorted(os.listdir(folder)),
                         ["asked.crt", "asked.key", "ca.crt", "client.conf"])
        self.assert_pair(folder, "asked")
        self.assertEqual(self.penny(conf, "ping").stdout, "PONG\n")
        run(self.bank.penny_argv("renew", "-c", conf))

    def test_a_link_is_not_replaced_and_drafts_of_others_stay(self):
        folder, conf = self.terminal("linked", days_ago=29, days_left=1)
        draft = os.path.join(folder, "penny-draft-of-mine")
        real = os.path.join(folder, "real.key")
        with open(draft, "w", encoding="ascii") as file:
            file.write("precious")
        os.rename(os.path.join(folder, "linked.key"), real)
        os.symlink(real, os.path.join(folder, "linked.key"))
        done = self.penny(conf, "renew", expect=1)
        self.assertIn("linked.key is a link", done.stderr)
        self.assertEqual(self.penny(conf, "ping").stdout, "PONG\n")
        os.remove(os.path.join(folder, "linked.key"))
        os.rename(real, os.path.join(folder, "linked.key"))
        self.penny(conf, "renew")
        self.assertTrue(os.path.exists(draft))
        mode = os.stat(os.path.join(folder, "linked.key")).st_mode
        self.assertEqual(stat.S_IMODE(mode), 0o600)

    def test_when_due_and_only_then(self):
        """As the timer of a terminal types it, every day."""
        for name, days_left, renews in (("late", 5, True), ("early", 20, False)):
            with self.subTest(name):
                folder, conf = self.terminal(name, 30 - days_left, days_left)
                before = self.serial(folder, name)
                done = run(self.bank.penny_argv("renew", "-c", conf, "--due"))
                self.assertEqual(done.stdout != "", renews)
                self.assertEqual(self.serial(folder, name) != before, renews)
                self.assertEqual(self.penny(conf, "renew", "--due").stdout, "")
                shutil.rmtree(folder)
        _, conf = self.terminal("typed", 1, 29)
        for words in (["--dues"], ["--due", "now"], ["-c"]):
            self.assertIn("renew takes no words but", self.penny(conf, "renew", *words,
                                                                 expect=2).stderr)

    @staticmethod
    def key(folder, name):
        with open(os.path.join(folder, f"{name}.key"), "rb") as file:
            return file.read()

    def test_by_itself_when_less_than_a_third_is_left_and_quietly(self):
        for name, days_left, renews in (("old", 5, True), ("just", 9, True), ("young", 20, False)):
            with self.subTest(name):
                folder, conf = self.terminal(name, 30 - days_left, days_left)
                before = self.serial(folder, name)
                start = len(self.bank.log())
                done = self.penny(conf, "ping")
                self.assertEqual((done.stdout, done.stderr), ("PONG\n", ""))
                self.assertEqual(self.serial(folder, name) != before, renews)
                # In the connection that there is anyway.
                self.assertEqual(self.bank.log()[start:].count(" connected "), 1)
                self.assert_pair(folder, name)
                shutil.rmtree(folder)

    def test_before_any_command_and_any_login(self):
        folder, conf = self.terminal("clerk")
        before = self.serial(folder, "clerk")
        done = run(self.bank.penny_argv("-c", conf, "--user", "alice", "--pass",
                                        self.bank.passwords["alice"], "BALANCE"))
        self.assertEqual(done.stdout, "50.00\n")
        self.assertNotEqual(self.serial(folder, "clerk"), before)

    def test_not_with_a_certificate_of_the_command_line(self):
        folder, _ = self.terminal("named")
        before = self.serial(folder, "named")
        run(self.bank.penny_argv("-h", self.bank.host, "-p", str(self.bank.port), "--cacert",
                                 self.bank.ca(), "--cert", f"{folder}/named.crt", "--key",
                                 f"{folder}/named.key", "ping"))
        self.assertEqual(self.serial(folder, "named"), before)

    def test_a_failure_is_one_line_and_stops_nothing(self):
        folder, conf = self.terminal("full")
        with self.bank.by_certificate(*self.pair(folder, "full")) as wire:
            for _ in range(PER_DAY):
                wire.ask("RENEW", request(new_key()))
        done = self.penny(conf, "ping")
        self.assertEqual(done.stdout, "PONG\n")
        self.assertRegex(done.stderr, r"^penny: not renewed: BUSY [^\n]*\n$")
        os.chmod(os.path.join(folder, "full.key.next"), 0o644)
        done = self.penny(conf, "ping")
        self.assertEqual(done.stdout, "PONG\n")
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)

    def test_cut_at_each_write_it_leaves_a_pair_that_works(self):
        with Dying() as dying:
            for call in range(1, CALLS_MAX):
                name = f"cut-{call}"  # Each has a day's budget of its own.
                folder, conf = self.terminal(name)
                argv = self.bank.penny_argv("-c", conf, "renew")
                done = dying._run(argv, "DIE_AT", call, {})
                # A young one would be left alone; this one is renewed by the next command.
                again = self.penny(conf, "ping")
                self.assertEqual((again.stdout, again.stderr), ("PONG\n", ""), call)
                self.assert_pair(folder, name)
                self.assertEqual(sorted(os.listdir(folder)),
                                 ["ca.crt", "client.conf", f"{name}.crt", f"{name}.key"], call)
                shutil.rmtree(folder)
                if done.returncode != -signal.SIGKILL:
                    break
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertGreater(call, 8)

    def test_cut_between_the_two_names_the_next_penny_puts_it_right_without_the_server(self):
        folder, conf = self.terminal("half", days_ago=1, days_left=29)
        fresh = new_key()
        with self.bank.by_certificate(*self.pair(folder, "half")) as wire:
            _, chain = state_of(wire.ask("RENEW", request(fresh)))
        with open(f"{folder}/half.key.next", "wb") as file:
            file.write(pem_of_key(fresh))
        os.chmod(file.name, 0o600)
        with open(f"{folder}/half.crt", "wb") as file:
            file.write(chain)
        count = len(self.bank.register())
        self.assertEqual(self.penny(conf, "ping").stdout, "PONG\n")
        self.assert_pair(folder, "half")
        self.assertEqual(len(self.bank.register()), count)

    def test_an_answer_for_another_key_is_not_taken(self):
        """A server that lies: the pair stays what it was."""
        folder, conf = self.terminal("lied")
        _, chain = self.bank.enrolled("lied"), None
        with self.bank.by_certificate(*self.pair(folder, "lied")) as wire:
            _, chain = state_of(wire.ask("RENEW", request(new_key())))
        before = self.serial(folder, "lied")
        from test_enrol import Middle
        bulk = b"$%d\r\n%s\r\n" % (len(chain), chain)
        answer = b"*4\r\n$5\r\nstate\r\n$6\r\nissued\r\n$11\r\ncertificate\r\n" + bulk
        with Middle(self.bank.path("certs", "server.crt"), self.bank.path("certs", "server.key"),
                    [answer]) as middle:
            done = run(self.bank.penny_argv("-c", conf, "-p", str(middle.port), "renew"), expect=1)
        self.assertIn("the server's answer is refused: it is for another key", done.stderr)
        self.assertEqual(self.serial(folder, "lied"), before)
        self.assert_pair(folder, "lied")
        self.assertNotIn(b"PRIVATE KEY", middle.plain)


class Expired(RenewTest):
    """A certificate that has ended is good for its renewal, for some time."""

    def test_it_reaches_renew_and_quit_alone(self):
        folder, _ = self.terminal("ended", days_ago=40, days_left=-10)
        asked = [words for name, least, most in rows() if name not in ("RENEW", "QUIT")
                 for words in forms_of(name, least, most)]
        asked += [("HELLO", "3", "AUTH", "alice", self.bank.passwords["alice"]), ("SET", "a", "b")]
        with self.bank.by_certificate(*self.pair(folder, "ended")) as wire:
            for words in asked:
                self.assert_error(wire.ask(*words), "NOPERM", "the certificate has expired")
            self.assertEqual(state_of(wire.ask("RENEW", request(new_key())))[0], "issued")
            self.assert_error(wire.ask("WHOAMI"), "NOPERM")
            self.assertEqual(wire.ask("QUIT"), "OK")

    def test_penny_renews_it_by_itself_and_goes_on_with_the_command(self):
        for name, words in (("ended-1", ("ping",)), ("ended-2", ("WHOAMI",))):
            folder, conf = self.terminal(name, days_ago=40, days_left=-10)
            before = self.serial(folder, name)
            done = run(self.bank.penny_argv(
                "-c", conf, *(() if words == ("ping",) else
                              ("--user", "alice", "--pass", self.bank.passwords["alice"])), *words))
            self.assertEqual(done.stderr, "")
            self.assertIn("PONG" if words == ("ping",) else name, done.stdout)
            self.assertNotEqual(self.serial(folder, name), before)
            self.assert_pair(folder, name)
            shutil.rmtree(folder)

    def test_behind_the_time_of_grace_nothing_is_left(self):
        folder, conf = self.terminal("gone", days_ago=100, days_left=-61)
        done = self.penny(conf, "renew", expect=1)
        self.assertIn("did not accept our certificate", done.stderr)
        wait_until("the log says why", lambda: "because certificate expired" in self.bank.log())


class Revoked(RenewTest):
    def test_a_revoked_certificate_renews_nothing(self):
        folder, conf = self.terminal("lost")
        chain, key = self.bank.enrolled("lost")
        with open(f"{folder}/lost.crt", "wb") as file:
            file.write(chain)
        with open(f"{folder}/lost.key", "wb") as file:
            file.write(pem_of_key(key))
        serial = self.serial(folder, "lost")
        with self.bank.by_certificate(chain, key) as wire:
            self.bank.pennyctl("cert", "revoke", "lost", self.bank.home)
            with self.bank.wire("admin") as admin:
                self.assertEqual(admin.ask("RELOAD"), "OK")
            self.assertTrue(wire.ends())  # On the connection that it had, neither.
        done = self.penny(conf, "renew", expect=1)
        self.assertIn("did not accept our certificate", done.stderr)
        wait_until("the log says why", lambda: "because certificate revoked" in self.bank.log())
        self.assertEqual(self.serial(folder, "lost"), serial)


class Spooled(RenewTest):
    """Where the operator signs."""

    issues = False

    def test_a_renewal_waits_and_the_command_goes_on(self):
        folder, conf = self.terminal("patient")
        before = self.serial(folder, "patient")
        for _ in range(3):
            done = self.penny(conf, "ping")
            self.assertEqual((done.stdout, done.stderr), ("PONG\n", ""))
        self.assertEqual(self.serial(folder, "patient"), before)
        self.assertIn("renew-patient.csr", self.bank.spool())
        self.assertIn("patient", self.bank.pennyctl("enrol", "--list", self.bank.home).stdout)
        done = self.penny(conf, "renew", expect=1)
        self.assertIn("pennyctl enrol --sign patient", done.stderr)
        self.bank.pennyctl("enrol", "--sign", "patient", self.bank.home)
        self.assertEqual(self.penny(conf, "ping").stdout, "PONG\n")
        self.assertNotEqual(self.serial(folder, "patient"), before)
        self.assert_pair(folder, "patient")
        self.assertEqual(self.penny(conf, "ping").stdout, "PONG\n")

    def test_another_key_takes_the_place_of_the_request_that_waits(self):
        first, second = new_key(), new_key()
        with self.bank.wire(terminal="bob") as wire:
            for key in (first, second, second):
                self.assertEqual(state_of(wire.ask("RENEW", request(key)))[0], "waiting")
            self.bank.pennyctl("enrol", "--sign", self.bank.home)
            state, chain = state_of(wire.ask("RENEW", request(second)))
            self.assertEqual(state, "issued")
            again = state_of(wire.ask("RENEW", request(second)))
            self.assertEqual(again, (state, chain))  # M4
            self.assertEqual(state_of(wire.ask("RENEW", request(first)))[0], "waiting")
        self.assertNotIn("renew-bob.crt", self.bank.spool())


if __name__ == "__main__":
    unittest.main()

"""The wall of bad input, in what the operator wrote: each mistake is one sentence that says what,
where and what to do, before anything is touched. And words that people make up: names, amounts."""

import os
import re
import shutil
import tempfile
import unittest
from decimal import Decimal

from bank import Bank, BankTest, library, preloading, program, run
from resp import Error, command, fields, wait_until
from tls_bytes import TlsBytes, not_tls
from wall import why_ended


class StartTest(unittest.TestCase):
    """Tests that share the folder of a bank whose server does not run."""

    @classmethod
    def setUpClass(cls):
        cls.bank = Bank(start=False)
        cls.addClassCleanup(cls.bank.close)
        cls.kept = os.path.join(cls.bank.folder, "kept")
        shutil.copytree(cls.bank.home, cls.kept, symlinks=True)

    def setUp(self):
        shutil.rmtree(self.bank.home)
        shutil.copytree(self.kept, self.bank.home, symlinks=True)

    def config(self):
        with open(self.bank.path("pennyd.conf"), encoding="utf-8") as file:
            return file.read()

    def write_config(self, text):
        with open(self.bank.path("pennyd.conf"), "w", encoding="utf-8") as file:
            file.write(text)

    def refused(self, *words):
        """What one refused start says, with and without -t, and that it says it in one line."""
        said = None
        for options in (["-t"], []):
            done = run([program("pennyd"), self.bank.path("pennyd.conf"), *words, *options],
                       expect=1)
            self.assertEqual(done.stdout, "")
            self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
            self.assertTrue(done.stderr.startswith("pennyd: "), done.stderr)
            self.assertIn(said, (None, done.stderr))
            said = done.stderr
        return said

    def line_of(self, text):
        return self.config().split("\n").index(text) + 1

    def assert_says(self, said, *parts):
        for part in parts:
            self.assertIn(part, said)


class Configuration(StartTest):
    def after(self, section, *lines):
        """Puts lines behind the head of a section and gives the number of the last of them."""
        head = f"[{section}]\n"
        text = self.config()
        self.assertEqual(text.count(head), 1)
        self.write_config(text.replace(head, head + "".join(line + "\n" for line in lines)))
        return self.line_of(lines[-1])

    def test_an_unknown_key_is_named_with_the_one_that_was_meant(self):
        line = self.after("limits", "sesions = 4")
        self.assert_says(self.refused(), f"pennyd.conf:{line}: ", '"sesions"', "limits",
                         "did you mean sessions")

    def test_a_key_of_another_section_is_told_where_it_belongs(self):
        line = self.after("server", "sessions = 4")
        self.assert_says(self.refused(), f"pennyd.conf:{line}: ", "belongs to section limits")

    def test_a_value_out_of_range_is_told_the_range(self):
        for value in ("0", "20001", "-1", "4.0", "0x10", "99999999999999999999999", "many", ""):
            with self.subTest(value):
                self.setUp()
                line = self.after("limits", f"sessions = {value}")
                self.assert_says(self.refused(), f"pennyd.conf:{line}: ", f'"{value}"',
                                 "from 1 to 20000 sessions")

    def test_two_sections_of_one_name_are_both_named(self):
        for section in ("limits", "listener tls"):
            with self.subTest(section):
                self.setUp()
                first = self.line_of(f"[{section}]")
                self.write_config(self.config() + f"\n[{section}]\n")
                second = self.config().count("\n")
                self.assert_says(self.refused(), f"pennyd.conf:{second}: ", f'"{section}"',
                                 f"line {first}")

    def test_a_key_twice_is_named_with_both_lines(self):
        line = self.after("limits", "sessions = 4", "sessions = 5")
        self.assert_says(self.refused(), f"pennyd.conf:{line}: ", f"line {line - 1}")

    def test_what_does_not_fit_together_is_told_with_both_numbers(self):
        self.after("limits", "sessions = 4", "handshakes = 16")
        self.assert_says(self.refused(), "handshakes", "16", "sessions", "4")

    def test_bytes_that_are_no_text_are_shown_escaped(self):
        with open(self.bank.path("pennyd.conf"), "ab") as file:
            file.write(b"\n[\x1b[2J\xff]\n")
        said = self.refused()
        self.assertNotIn("\x1b", said)
        self.assert_says(said, "\\x1b[2J\\xff", "there are server, ledger, limits")

    def test_a_configuration_that_is_not_there_names_how_to_make_one(self):
        os.unlink(self.bank.path("pennyd.conf"))
        self.assert_says(self.refused(), "pennyd.conf: No such file", "pennyctl init")

    def test_a_time_zone_that_is_not_there_is_never_taken_for_utc(self):
        for name in ("Europe/Berlni", "Mars", "right/Europe/Berlin"):
            said = self.refused("--set", f"server.time-zone={name}")
            self.assert_says(said, f'"{name}" is no time zone', "Europe/Berlin or UTC")

    def test_without_zones_the_machine_and_the_option_are_named(self):
        bare = dict(os.environ, TZDIR=self.bank.path("no-zones"))
        argv = [program("pennyd"), "-t", self.bank.path("pennyd.conf"), "--set"]
        done = run([*argv, "server.time-zone=Europe/Berlin"], expect=1, env=bare)
        self.assert_says(done.stderr, "the time zone Europe/Berlin cannot be found",
                         "install tzdata, or take [server] time-zone = UTC")
        run([*argv, "server.time-zone=UTC"], env=bare)

    def test_a_zone_of_the_system_that_is_none_is_told_and_utc_taken(self):
        done = run([program("pennyd"), "-t", self.bank.path("pennyd.conf")],
                   env=dict(os.environ, TZ="Mars"))
        self.assertEqual(done.stdout, "the configuration is fine\n")
        self.assertRegex(done.stderr, r'^\S+ warning "Mars" is no time zone .*'
                         r"\[server\] time-zone = NAME overrides it\); until then local times are "
                         r"UTC\n$")

    def test_another_currency_is_refused_with_both(self):
        done = run([program("pennyd"), self.bank.path("pennyd.conf"), "--set",
                    "ledger.currency=USD"], expect=1)
        self.assert_says(done.stderr, "USD", "EUR", "never changes", "[ledger]")

    def test_a_limit_below_what_is_in_use_is_refused_with_both_numbers(self):
        done = run([program("pennyd"), self.bank.path("pennyd.conf"), "--set",
                    "limits.accounts=4"], expect=1)
        self.assertRegex(done.stderr, r"holds 6 rows.*`accounts` is 4")


class Files(StartTest):
    def test_a_key_that_others_can_read_is_not_used(self):
        path = self.bank.path("certs", "server.key")
        for mode in (0o604, 0o640, 0o644, 0o602, 0o666):
            with self.subTest(oct(mode)):
                os.chmod(path, mode)
                self.assert_says(self.refused(), path, "can be read by others", "chmod 600")
        os.chmod(path, 0o600)
        run([program("pennyd"), self.bank.path("pennyd.conf"), "-t"])

    def test_a_file_that_is_not_there_is_named(self):
        for name in ("server.crt", "server.key", "ca.crt", "crl.pem"):
            with self.subTest(name):
                self.setUp()
                path = self.bank.path("certs", name)
                os.unlink(path)
                self.assert_says(self.refused(), "listener tls", path, "No such file")

    def test_a_file_that_is_empty_or_no_file_is_named(self):
        """An empty list of revoked certificates is a list that was lost, not a list of none."""
        for name in ("server.crt", "server.key", "ca.crt", "crl.pem"):
            with self.subTest(name):
                self.setUp()
                path = self.bank.path("certs", name)
                with open(path, "wb"):
                    pass
                self.assert_says(self.refused(), "listener tls", path, "is empty")
                os.unlink(path)
                os.mkdir(path)
                self.assert_says(self.refused(), "listener tls", path, "Is a directory")

    def test_a_file_that_is_cut_is_named(self):
        for name, what in (("server.crt", "certificate"), ("server.key", "private key"),
                           ("ca.crt", "certificate"), ("crl.pem", "revocation list")):
            with self.subTest(name):
                self.setUp()
                path = self.bank.path("certs", name)
                os.truncate(path, os.path.getsize(path) // 2)
                self.assert_says(self.refused(), "listener tls", path, what)

    def test_a_key_of_another_certificate_is_told_so(self):
        path = self.bank.path("certs", "server.key")
        shutil.copy(self.bank.path("certs", "ca.key"), path)
        self.assert_says(self.refused(), "listener tls", "does not belong to the certificate", path)

    def test_a_list_of_another_authority_is_told_so(self):
        with Bank(start=False) as other:
            shutil.copy(other.path("certs", "crl.pem"), self.bank.path("certs", "crl.pem"))
        self.assert_says(self.refused(), "listener tls", "crl.pem")


class DataFolder(StartTest):
    def test_a_folder_in_use_names_who_uses_it_and_what_to_do(self):
        with Bank() as bank:
            before = bank.process.pid
            done = run([program("pennyd"), bank.path("pennyd.conf"), "--port", "0"], expect=1)
            self.assertRegex(done.stderr, rf"^pennyd: .*/data: in use by process {before}; .*stop")
            with bank.wire("till") as till:
                fields(till.ask("DEPOSIT", "one", "1", "alice"))
            bank.check()

    def test_a_lock_that_a_killed_server_left_is_no_lock(self):
        bank = Bank()
        self.addCleanup(bank.close)
        bank.kill()
        bank.start()

    def test_a_folder_without_a_book_names_init(self):
        done = run([program("pennyd"), self.bank.path("pennyd.conf"), "--set", "server.data=no"],
                   expect=1)
        self.assert_says(done.stderr, "/no: ", "pennyctl init")

    def test_a_port_in_use_is_named(self):
        with Bank() as bank:
            done = run([program("pennyd"), self.bank.path("pennyd.conf"), "--port",
                        str(bank.port)], expect=1)
            self.assert_says(done.stderr.split("\n")[-2], "listener tls",
                             f"127.0.0.1:{bank.port}", "in use")
        self.bank.start()  # The refused start has let go of the folder.
        self.bank.check()


class Random(unittest.TestCase):
    """P11: without random bytes nothing secret is made, and everything else goes on."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=os.environ.get("PENNY_TMP"))
        self.addCleanup(folder.cleanup)
        self.library = library(folder.name, "fail_random")
        self.switch = os.path.join(folder.name, "fail")
        os.environ["FAIL_RANDOM"] = self.switch
        self.addCleanup(os.environ.pop, "FAIL_RANDOM")

    def set_failing(self, fails):
        if fails:
            with open(self.switch, "wb"):
                return
        os.unlink(self.switch)

    def new_bank(self, *settings):
        bank = Bank(start=False, settings=settings)
        self.addCleanup(bank.close)
        return bank

    def test_a_running_server_goes_on_without_and_heals(self):
        bank = self.new_bank()
        bank.start(preload=self.library)
        with bank.wire("alice") as alice, bank.wire("admin") as admin, bank.wire("till") as till:
            self.set_failing(True)
            for _ in range(20):
                with TlsBytes(bank) as peer:
                    peer.send()
                    self.assertEqual(peer.until_end(), b"")
                    self.assertFalse(peer.established)
                    self.assertEqual(not_tls(peer.raw), b"")
                    local = peer.local()
                self.assertIn("no random bytes", why_ended(bank, local))
            wait_until("the operator hears of it", lambda: re.search(
                r" error the system gives no random bytes .* no handshake", bank.log()))
            # Who is in stays in, and money needs none.
            fields(till.ask("DEPOSIT", "one", "5", "alice"))
            fields(alice.ask("TRANSFER", "two", "bob", "1"))
            # No new hash is made, an old one can still be compared.
            reply = admin.ask("REGISTER", "newcomer", "a long password")
            self.assertEqual(reply.word, "BUSY")
            self.assertEqual(admin.ask("PASSWD", bank.passwords["admin"], "another long one").word,
                             "BUSY")
            self.assertEqual(alice.ask("AUTH", "alice", bank.passwords["alice"]), "OK")
            self.assertEqual(alice.ask("AUTH", "alice", "wrong password").word, "WRONGPASS")
            self.set_failing(False)
            self.assertEqual(admin.ask("REGISTER", "newcomer", "a long password"), "OK")
        with bank.wire("alice") as alice:
            fields(alice.ask("TRANSFER", "three", "bob", "1"))
        bank.check()

    def test_no_segment_is_made_and_the_log_says_why(self):
        bank = self.new_bank()
        for path in os.listdir(bank.path("data", "journal")):
            self.assertEqual(path, "00000001.journal", "the next one is not made yet")
        bank.start(preload=self.library)

        def made():
            return os.path.exists(bank.path("data", "journal", "00000002.journal"))

        wait_until("the next segment is made", made)
        bank.kill()
        os.unlink(bank.path("data", "journal", "00000002.journal"))
        # Fails from the first look on that is not part of the start.
        begin = len(bank.log())
        bank.start(preload=self.library)
        self.set_failing(True)
        if made():
            return  # It was made before; the start is not to be held up for that.
        wait_until("the log says why",
                   lambda: "no random bytes" in bank.log()[begin:] or made())
        for line in bank.log()[begin:].split("\n"):
            self.assertNotRegex(line, r" error *$", "a line that says nothing")

    def test_a_start_without_is_refused_with_a_sentence(self):
        bank = self.new_bank()
        self.set_failing(True)
        with self.assertRaises(AssertionError):
            bank.start(preload=self.library)
        self.assertIn("pennyd: listener tls: the system gives no random bytes", bank.log())
        self.set_failing(False)
        bank.start(preload=self.library)

    def test_no_bank_and_no_key_is_made_without(self):
        bank = self.new_bank()
        self.set_failing(True)
        home = os.path.join(bank.folder, "another")
        done = bank.pennyctl("init", home, "--demo", expect=1,
                             env=preloading(self.library))
        self.assertIn("the system gives no random bytes", done.stderr)
        self.assertFalse(os.path.exists(home), "nothing is left of it")


class Names(BankTest):
    bad = ("", "a\nb", "a\r\n+OK", "a\0b", "\0", "a" * 32, "ünal", "a\xc3\xbc", "名", "Alice", "1a",
           "a b", "a.", "-a", "../x", "a/b", "a:b", b"\xff\xfe", "\x1b[2J")
    reserved = ("cash", "shop", "server", "default", "auth", "before", "count", "expires", "from",
                "memo", "pin", "price", "setname")

    def test_a_person_cannot_have_them(self):
        with self.bank.wire("admin") as admin:
            for name in self.bad:
                self.assert_error(admin.ask("REGISTER", name, "a long password"), "ERR",
                                  "a name is a letter and up to 30 of [a-z0-9._-]")
            for name in self.reserved:
                self.assert_error(admin.ask("REGISTER", name, "a long password"), "ERR",
                                  "reserved")
            self.assertEqual(admin.ask("REGISTER", "a" * 31, "a long password"), "OK")

    def test_a_payment_to_them_says_no_more_than_printable_text(self):
        with self.bank.wire("till") as till, self.bank.wire("alice") as alice:
            fields(till.ask("DEPOSIT", "n", "1", "alice"))
            before = alice.ask("BALANCE")
            for number, name in enumerate(self.bad):
                for reply in (alice.ask("TRANSFER", f"n{number}", name, "0.01"),
                              till.ask("DEPOSIT", f"n{number}", "0.01", name)):
                    self.assert_error(reply, "NOACCT", "no account '")
                    self.assertTrue(reply.text.isprintable(), reply.text)
                for words in (("BALANCE", name), ("STATEMENT", name)):
                    reply = till.ask(*words)
                    self.assertIn(getattr(reply, "word", None), ("NOACCT", "NOPERM", None))
            for name in self.reserved:
                if name != "shop":  # That one can be paid.
                    reply = alice.ask("TRANSFER", f"r-{name}", name, "0.01")
                    self.assertIn(reply.word, ("NOACCT", "NOPERM"))
            self.assertEqual(alice.ask("BALANCE"), before)

    def test_nobody_logs_in_under_them(self):
        with self.bank.wire() as wire:
            for name in self.bad[1:] + self.reserved:
                self.assert_error(wire.ask("AUTH", name, "a long password"), "WRONGPASS")

    def test_the_log_stays_one_line_each(self):
        with self.bank.wire() as wire:
            wire.ask("AUTH", "x\n2026-01-01T00:00:00.000Z error forged", "a long password")
        self.assertNotIn("\n2026-01-01T00:00:00.000Z error forged", self.bank.log())
        self.assertNotRegex(self.bank.log(), "[\x00-\x09\x0b-\x1f\x7f]")


class Sums(unittest.TestCase):
    """The sum of amounts that are each allowed never wraps: LIMIT, and nothing is lost."""

    most = Decimal("10000000000000.00")

    def fill(self, till, name, start, count):
        till.send(b"".join(command("DEPOSIT", f"{name}-{start + i}", self.most, name)
                           for i in range(count)))
        return [till.reply() for _ in range(count)]

    def fill_up(self, till):
        """Deposits ever smaller amounts until not a cent more is taken; gives their sum."""
        total = Decimal(0)
        for exponent in range(12, -3, -1):
            amount = f"{Decimal(10) ** exponent:.2f}"
            for number in range(10):
                if isinstance(till.ask("DEPOSIT", f"rest{exponent}:{number}", amount, "alice"),
                              Error):
                    break
                total += Decimal(amount)
        return total

    def test_the_sum_of_deposits_stops_at_the_limit(self):
        bank = Bank(settings=("server.refused-per-minute=6000",))
        self.addCleanup(bank.close)
        with bank.wire("till") as till:
            before = Decimal(till.ask("BALANCE", "alice").decode())
            replies = []
            while not any(isinstance(reply, Error) for reply in replies[-16:]):
                self.assertLess(len(replies), 10000, "no limit at all")
                replies += self.fill(till, "alice", len(replies), 16)
            taken = [reply for reply in replies if not isinstance(reply, Error)]
            for reply in replies[len(taken):]:
                self.assertEqual(reply.word, "LIMIT", reply.line)
            paid_in = self.most * len(taken) + self.fill_up(till)
            balance = Decimal(till.ask("BALANCE", "alice").decode())
            self.assertEqual(balance - before, paid_in)
            self.assertLess(balance * 100, 2 ** 63)
            # Not a cent more, nor whatever else could tip it over.
            for number, amount in enumerate(("0.01", "9999999999999.99", self.most)):
                for name in ("alice", "bob"):
                    reply = till.ask("DEPOSIT", f"more{number}{name}", amount, name)
                    self.assertEqual(reply.word, "LIMIT", reply.line)
            for amount in ("10000000000000.01", "92233720368547758.07", "92233720368547758.08",
                           "-92233720368547758.08", "184467440737095516.16", "1" + "0" * 400):
                reply = till.ask("DEPOSIT", "never", amount, "alice")
                self.assertEqual(reply.word, "AMOUNT")
            self.assertEqual(Decimal(till.ask("BALANCE", "alice").decode()), balance)
        with bank.wire("alice") as alice:
            fields(alice.ask("TRANSFER", "some", "bob", self.most))
            self.assertEqual(Decimal(alice.ask("BALANCE").decode()), balance - self.most)
        bank.kill()
        bank.start()
        with bank.wire("till") as till:
            self.assertEqual(Decimal(till.ask("BALANCE", "alice").decode()), balance - self.most)
            self.assertGreaterEqual(Decimal(till.ask("BALANCE", "bob").decode()), self.most)
        bank.check()


if __name__ == "__main__":
    unittest.main()

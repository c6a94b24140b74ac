"""[terminal NAME]: what may be done from where a certificate is used, whoever is logged in there."""

import unittest
from datetime import date

from bank import Bank, BankTest, program, run
from clock import ClockBank
from resp import Error, command, fields

QUICK = "server.password-memory-kib=4096"


class Rights(BankTest):
    settings = (QUICK,
                "terminal kiosk.roles=customer", "terminal kiosk.accounts=shop bob",
                "terminal kiosk.amount-max=20.00", "terminal till.roles=till, admin",
                "terminal nobody-has-this.roles=auditor")

    def test_a_role_that_the_terminal_does_not_permit_may_do_nothing_there(self):
        with self.bank.wire("admin", terminal="kiosk") as wire:
            for words in (("PING",), ("WHOAMI",), ("BALANCE",), ("USER", "LIST"), ("SHUTDOWN",)):
                self.assert_error(wire.ask(*words), "NOPERM")
            self.assert_error(wire.ask("PING"), "NOPERM", "this terminal does not permit your role")
            self.assertEqual(len(wire.ask("TIME")), 2, "what needs nobody")
        with self.bank.wire("alice", terminal="till") as wire:
            self.assert_error(wire.ask("BALANCE"), "NOPERM", "this terminal")
        with self.bank.wire("admin", terminal="till") as wire:
            self.assertEqual(wire.ask("PING"), "PONG")

    def test_logging_in_again_never_climbs(self):
        """P6: neither another person nor another way to log in adds to the terminal's rights."""
        with self.bank.wire("alice", terminal="kiosk") as wire:
            for name in ("admin", "till"):
                self.assertEqual(wire.ask("AUTH", name, self.bank.passwords[name]), "OK")
                self.assert_error(wire.ask("DEPOSIT", "c-" + name, "1.00", "bob"), "NOPERM")
                wire.ask("HELLO", 3, "AUTH", name, self.bank.passwords[name])
                self.assert_error(wire.ask("USER", "LIST"), "NOPERM")
                wire.ask("HELLO", 2)
                self.assertEqual(wire.ask("RESET"), "RESET")
            self.assertEqual(wire.ask("AUTH", "alice", self.bank.passwords["alice"]), "OK")
            self.assertIsNotNone(wire.ask("BALANCE"))

    def test_a_terminal_without_a_section_has_no_bounds(self):
        with self.bank.wire("alice", terminal="bob") as wire:
            self.assertNotIsInstance(wire.ask("DEPOSIT", "free", "1000.00"), Error)
        with self.bank.wire("admin", terminal="bob") as wire:
            self.assertEqual(wire.ask("PING"), "PONG")

    def test_only_listed_accounts_are_touched_beside_the_own(self):
        with self.bank.wire("alice", terminal="alice") as wire:
            wire.ask("DEPOSIT", "+", "100.00")
        with self.bank.wire("alice", terminal="kiosk") as wire:
            self.assertNotIsInstance(wire.ask("TRANSFER", "a1", "shop", "1.00"), Error)
            self.assertNotIsInstance(wire.ask("TRANSFER", "a2", "bob", "1.00"), Error)
            for words in (("TRANSFER", "a3", "till", "1.00"), ("HOLD", "a4", "till", "1.00"),
                          ("TRANSFER", "a5", "no-such-account", "1.00"),
                          ("DEPOSIT", "a6", "1.00"), ("WITHDRAW", "a7", "1.00")):
                self.assert_error(wire.ask(*words), "NOPERM", "this terminal does not move money")
        # Nothing of that was journaled: the ids are free elsewhere.
        with self.bank.wire("alice", terminal="alice") as wire:
            for words in (("TRANSFER", "a3", "bob", "1.00"), ("DEPOSIT", "a6", "2.00")):
                self.assertNotIsInstance(wire.ask(*words), Error)
            held = fields(wire.ask("HOLD", "a8", "till", "5.00"))["hold"]
            mine = fields(wire.ask("HOLD", "a9", "bob", "5.00"))["hold"]
        # The hold's accounts are what it is about; its payee may take one that is for the kiosk.
        with self.bank.wire("bob", terminal="kiosk") as wire:
            self.assert_error(wire.ask("CAPTURE", "b1", mine), "NOPERM", "that account")
        with self.bank.wire("till", terminal="till") as wire:
            self.assertEqual(fields(wire.ask("VOID", "b2", held))["hold"], held)
            self.assertEqual(fields(wire.ask("CAPTURE", "b3", mine))["hold"], mine)

    def test_no_movement_is_larger_than_the_terminals_bound(self):
        with self.bank.wire("alice", terminal="alice") as wire:
            wire.ask("DEPOSIT", "+", "100.00")
            self.assertNotIsInstance(wire.ask("TRANSFER", "n0", "bob", "20.01"), Error)
        with self.bank.wire("alice", terminal="kiosk") as wire:
            self.assertNotIsInstance(wire.ask("TRANSFER", "n1", "bob", "20.00"), Error)
            for words in (("TRANSFER", "n2", "bob", "20.01"), ("HOLD", "n3", "bob", "20.01")):
                self.assert_error(wire.ask(*words), "NOPERM",
                                  "this terminal moves at most 20.00 at once")
            # Not even an answer that was given elsewhere.
            self.assert_error(wire.ask("TRANSFER", "n0", "bob", "20.01"), "NOPERM")
            self.assertEqual(wire.ask("MULTI"), "OK")
            self.assert_error(wire.ask("TRANSFER", "n4", "bob", "20.01"), "NOPERM")
            self.assert_error(wire.ask("EXEC"), "EXECABORT")

    def test_a_hold_that_is_let_go_moves_nothing_and_has_no_bound(self):
        with self.bank.wire("bob", terminal="bob") as wire:
            wire.ask("DEPOSIT", "+", "100.00")
            hold = fields(wire.ask("HOLD", "v0", "alice", "30.00"))["hold"]
        with self.bank.wire("alice", terminal="kiosk") as wire:
            self.assert_error(wire.ask("CAPTURE", "v1", hold), "NOPERM", "at most 20.00 at once")
            self.assertEqual(fields(wire.ask("VOID", "v2", hold))["hold"], hold)


class Days(unittest.TestCase):
    """What a terminal moves on a local day. The clock is set."""

    settings = (QUICK, "server.time-zone=Europe/Berlin", "terminal kiosk.day-max=10.00",
                "terminal default.day-max=30.00")

    def bank(self, moment):
        bank = ClockBank(moment, settings=self.settings)
        self.addCleanup(bank.close)
        return bank

    def pay_in(self, wire, number, amount):
        reply = wire.ask("DEPOSIT", number, amount)
        if isinstance(reply, Error):
            self.assertEqual(reply.word, "LIMIT", reply.line)
            self.assertEqual(reply.text, f"this terminal cannot move {amount} more today")
            return False
        return True

    def test_the_bound_holds_over_a_restart_and_ends_at_local_midnight(self):
        bank = self.bank("2036-11-20T21:59:00Z")  # 22:59 in Berlin
        wire = bank.wire("alice", terminal="kiosk")
        self.assertTrue(self.pay_in(wire, "a", "9.99"))
        self.assertFalse(self.pay_in(wire, "b", "0.02"))
        self.assertTrue(self.pay_in(wire, "c", "0.01"))
        bank.restart()
        wire = bank.wire("alice", terminal="kiosk")
        self.assertFalse(self.pay_in(wire, "d", "0.01"))
        bank.kill()
        bank.start()
        wire = bank.wire("alice", terminal="kiosk")
        self.assertFalse(self.pay_in(wire, "e", "0.01"))
        with bank.wire("alice", terminal="bob") as other:
            self.assertTrue(self.pay_in(other, "f", "30.00"), "the default's bound, its own total")
            self.assertFalse(self.pay_in(other, "g", "0.01"))
        bank.set_clock("2036-11-20T22:59:59Z")
        self.assertFalse(self.pay_in(wire, "h", "0.01"))
        bank.set_clock("2036-11-20T23:00:00Z")  # midnight in Berlin
        # P3: what was refused stays refused, and is told in the same words.
        self.assertFalse(self.pay_in(wire, "h", "0.01"))
        self.assertTrue(self.pay_in(wire, "i", "10.00"))
        self.assertFalse(self.pay_in(wire, "j", "0.01"))
        with open(bank.path("data", "current", "MANIFEST"), encoding="ascii") as file:
            self.assertIn("pennybank-checkpoint 3\n", file.read())
        self.assertIn("the books sum to zero", bank.check())
        today = (date(2036, 11, 20) - date(1970, 1, 1)).days
        with open(bank.path("data", "current", "days"), encoding="ascii") as file:
            self.assertEqual(file.read(), f"kiosk:{today + 1}:10.00:0\nbob:{today}:30.00:0\n")

    def test_a_night_with_a_changed_clock_is_one_day(self):
        bank = self.bank("2036-10-25T22:30:00Z")  # 00:30 in Berlin; at 03:00 it is 02:00 again
        wire = bank.wire("alice", terminal="kiosk")
        self.assertTrue(self.pay_in(wire, "a", "10.00"))
        for moment in ("2036-10-26T00:30:00Z", "2036-10-26T01:30:00Z", "2036-10-26T22:59:59Z"):
            bank.set_clock(moment)
            wire = bank.wire("alice", terminal="kiosk")
            self.assertFalse(self.pay_in(wire, "n" + moment, "0.01"), moment)
        bank.set_clock("2036-10-26T23:00:00Z")
        self.assertTrue(self.pay_in(bank.wire("alice", terminal="kiosk"), "b", "10.00"))
        self.assertIn("the books sum to zero", bank.check())

    def test_a_group_is_within_the_bound_or_refused_as_a_whole(self):
        bank = self.bank("2036-11-20T12:00:00Z")
        wire = bank.wire("alice", terminal="kiosk")
        self.assertTrue(self.pay_in(wire, "a", "4.00"))

        def group(first, *amounts):
            self.assertEqual(wire.ask("MULTI"), "OK")
            for i, amount in enumerate(amounts):
                self.assertEqual(wire.ask("TRANSFER", f"{first}-{i}", "bob", amount), "QUEUED")
            return wire.ask("EXEC")

        reply = group("g", "3.00", "3.01")
        self.assertIsInstance(reply, Error)
        self.assertIn("2 LIMIT this terminal cannot move 3.01 more today", reply.line)
        self.assertEqual(group("g", "3.00", "3.01").line, reply.line)
        self.assertNotIsInstance(group("h", "3.00", "3.00"), Error)
        self.assertIn("the books sum to zero", bank.check())


class Nobody(BankTest):
    settings = (QUICK, "terminal kiosk.login=no", "server.login-ms=300")

    def test_what_concerns_no_person_is_answered_without_a_login(self):
        with self.bank.wire(terminal="kiosk") as wire:
            self.assertEqual(wire.ask("PING"), "PONG")
            self.assertEqual(wire.ask("ECHO", "x"), b"x")
            self.assertEqual(wire.ask("SELECT", "0"), "OK")
            info = wire.ask("INFO").decode()
            self.assertIn("currency:EUR", info)
            self.assertNotIn("own_ids", info)
            for words in (("BALANCE",), ("WHOAMI",), ("DEPOSIT", "x", "1.00"), ("DIGEST",),
                          ("USER", "LIST"), ("PIN", "UNLOCK", "alice"), ("MULTI",)):
                self.assert_error(wire.ask(*words), "NOAUTH")
        with self.bank.wire(terminal="bob") as wire:
            self.assert_error(wire.ask("PING"), "NOAUTH")

    def test_its_session_is_not_ended_for_want_of_a_login(self):
        with self.bank.wire(terminal="kiosk") as kiosk, self.bank.wire(terminal="bob") as other:
            self.assertTrue(other.ends(), "login-ms ended this one")
            self.assertEqual(kiosk.ask("PING"), "PONG")
            self.assertEqual(kiosk.ask("AUTH", "alice", self.bank.passwords["alice"]), "OK")
            self.assertIsNotNone(kiosk.ask("BALANCE"))
            self.assertEqual(kiosk.ask("RESET"), "RESET")
            self.assertEqual(kiosk.ask("PING"), "PONG")


class Machines(BankTest):
    settings = (QUICK, "listener tls.certificate-is-user=yes", "terminal alice.roles=till")

    def test_a_certificate_logs_in_the_person_it_names(self):
        with self.bank.wire(terminal="bob") as wire:
            self.assertEqual(fields(wire.ask("WHOAMI")),
                             {"person": "bob", "role": "customer", "terminal": "bob"})
            self.assertEqual(wire.ask("RESET"), "RESET")
            self.assert_error(wire.ask("BALANCE"), "NOAUTH")
        with self.bank.wire(terminal="kiosk") as wire:
            self.assert_error(wire.ask("BALANCE"), "NOAUTH", "Authentication")
        with self.bank.wire(terminal="alice") as wire:
            self.assert_error(wire.ask("BALANCE"), "NOPERM", "this terminal")
        self.assertRegex(self.bank.log(), "logged in by certificate .*person bob")

    def test_not_one_who_is_locked_or_removed(self):
        with self.bank.wire("admin") as admin:
            self.assertEqual(admin.ask("USER", "LOCK", "bob"), "OK")
            with self.bank.wire(terminal="bob") as wire:
                self.assert_error(wire.ask("BALANCE"), "NOAUTH")
            self.assertEqual(admin.ask("USER", "UNLOCK", "bob"), "OK")
            with self.bank.wire(terminal="bob") as wire:
                self.assertIsNotNone(wire.ask("BALANCE"))


class Registrations(BankTest):
    settings = (QUICK, "server.register=open", "server.register-per-day=3")

    def test_a_terminal_registers_so_many_a_day_and_an_admin_more(self):
        with self.bank.wire(terminal="kiosk") as wire:
            for i in range(3):
                self.assertEqual(wire.ask("REGISTER", f"new{i}", "a long password"), "OK")
            self.assert_error(wire.ask("REGISTER", "new3", "a long password"), "NOPERM",
                              "this terminal registers at most 3 people a day")
            # P10: one that is there may be sent again.
            self.assertEqual(wire.ask("REGISTER", "new1", "a long password"), "OK")
            self.assert_error(wire.ask("REGISTER", "new1", "another password"), "EXISTS")
        self.bank.kill()
        self.bank.start()
        with self.bank.wire(terminal="kiosk") as wire:
            self.assert_error(wire.ask("REGISTER", "new3", "a long password"), "NOPERM")
        with self.bank.wire("admin", terminal="kiosk") as wire:
            self.assertEqual(wire.ask("REGISTER", "new4", "a long password"), "OK")
            self.assertEqual(wire.ask("USER", "ADD", "new5", "a long password"), "OK")
        with self.bank.wire(terminal="alice") as wire:
            wires = [self.bank.wire(terminal="alice") for _ in range(6)]
            for i, one in enumerate(wires):
                one.send(command("REGISTER", f"at-once{i}", "a long password"))
            replies = [one.reply() for one in wires]
            self.assertEqual(replies.count("OK"), 3, replies)
            self.assert_error(wire.ask("REGISTER", "new6", "a long password"), "NOPERM")
        self.assertIn("the books sum to zero", self.bank.check())
        self.bank.start()


class Sections(unittest.TestCase):
    def check(self, bank, *settings):
        words = [word for setting in settings for word in ("--set", setting)]
        return run([program("pennyd"), "-t", bank.path("pennyd.conf"), *words], expect=None)

    def test_a_file_with_sections_is_judged_before_anything_starts(self):
        with Bank(start=False) as bank:
            path = bank.path("pennyd.conf")
            with open(path, encoding="utf-8") as file:
                text = file.read()
            # For a certificate that nobody has made yet.
            self.assertEqual(self.check(bank, "terminal somewhere.day-max=5").returncode, 0)
            for line, allowed in (
                    ("roles = customer, boss",
                     "one or more of customer, till, treasurer, auditor and admin"),
                    ("accounts = Alice", "up to 16 names of accounts, or none"),
                    ("amount-max = much", "a decimal amount above 0, or none"),
                    ("login = maybe", "yes or no")):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(f"{text}\n[terminal kiosk]\n{line}\n")
                done = self.check(bank)
                self.assertEqual(done.returncode, 1)
                self.assertIn(f"pennyd.conf:{text.count(chr(10)) + 3}: ", done.stderr)
                self.assertIn(f"it takes {allowed}", done.stderr)
                code, said = bank.refused_start()
                self.assertEqual(code, 1)
                self.assertIn(allowed, said)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            done = self.check(bank, "terminal kiosk.day-max=1.005")
            self.assertEqual(done.returncode, 1)
            self.assertIn("terminal kiosk: day-max is 1.005", done.stderr)

    def test_a_zone_that_is_not_there_is_no_zone_to_count_days_by(self):
        with Bank(start=False) as bank:
            done = self.check(bank, "server.time-zone=Europe/Atlantis")
            self.assertEqual(done.returncode, 1)
            self.assertIn("\"Europe/Atlantis\" is no time zone that this machine knows",
                          done.stderr)
            self.assertEqual(self.check(bank, "server.time-zone=Europe/Berlin").returncode, 0)


if __name__ == "__main__":
    unittest.main()

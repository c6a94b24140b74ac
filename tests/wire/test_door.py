"""The door: who guesses passwords waits, also behind a restart; who only mistypes, or sits beside a
guesser, does not. Sources are addresses of 127.0.0.0/8."""

import os
import shutil
import stat
import subprocess
import unittest

from bank import SECONDS_MAX, Bank
from door import REFUSED, DoorTest
from resp import command, wait_until


class Guessing(DoorTest):
    def test_ten_thousand_guesses_from_one_address(self):
        bank = self.new_bank()
        with self.wire(bank, "kiosk") as wire:
            replies = set()
            for _ in range(100):
                wire.send(command("AUTH", "alice", "wrong password") * 100)
                replies |= {wire.reply_bytes() for _ in range(100)}
        self.assertEqual(replies, {REFUSED})
        # Three are free, the fourth begins the penalty, and nobody hashes the others.
        self.assertEqual(self.info(bank, "logins_failed"), 4)
        self.assertEqual(self.info(bank, "logins_refused"), 9996)
        wait_until("the penalty is counted", lambda: self.info(bank, "penalties_in_force") == 1)
        self.assertEqual(self.log_in(bank, "alice", "till", "127.0.0.2"), REFUSED)
        self.assertEqual(self.log_in(bank, "bob", "bob", "127.0.0.3"), b"+OK\r\n")
        self.assertEqual(self.log_in(bank, "bob", "kiosk"), b"+OK\r\n")
        bank.check()

    def test_ten_thousand_guesses_from_hundreds_of_addresses(self):
        bank = self.new_bank("limits.penalty-sources=16")
        for number in range(300):
            source = f"127.1.{number // 200}.{number % 200 + 1}"
            self.assertEqual(self.guess(bank, "alice", 34, source=source), [REFUSED] * 34)
        self.assertEqual(self.info(bank, "logins_failed"), 4)
        self.assertEqual(self.info(bank, "logins_refused"), 10196)
        self.assertEqual(self.log_in(bank, "alice", "till", "127.0.0.2"), REFUSED)
        self.assertEqual(self.log_in(bank, "bob", "bob", "127.1.0.1"), b"+OK\r\n")
        bank.check()

    def test_two_hundred_for_alice_delay_only_alice_and_not_at_home(self):
        bank = self.new_bank()
        self.assertEqual(self.log_in(bank, "alice", "alice", "127.0.0.5"), b"+OK\r\n")
        self.assertEqual(self.guess(bank, "alice", 200), [REFUSED] * 200)
        self.assertEqual(self.log_in(bank, "alice", "till", "127.0.0.2"), REFUSED)
        self.assertEqual(self.log_in(bank, "alice", "alice", "127.0.0.1"), b"+OK\r\n")
        self.assertEqual(self.log_in(bank, "bob", "bob", "127.0.0.2"), b"+OK\r\n")

    def test_the_right_password_is_refused_for_the_stated_time_only(self):
        bank = self.new_bank("server.penalty-first-ms=300", lasting=False)
        with self.wire(bank, "kiosk") as wire:
            wire.send(command("AUTH", "alice", "wrong password") * 4 +
                      command("AUTH", "alice", bank.passwords["alice"]))
            self.assertEqual([wire.reply_bytes() for _ in range(5)], [REFUSED] * 5)
        # Knocking meanwhile makes it no longer.
        wait_until("alice is let in", lambda: self.log_in(bank, "alice", "kiosk") == b"+OK\r\n")
        self.assertEqual(self.info(bank, "logins_failed"), 4)

    def test_thirty_behind_one_address_of_whom_five_mistype_thrice(self):
        bank = self.new_bank()
        with bank.wire("admin") as admin:
            for number in range(30):
                self.assertEqual(admin.ask("REGISTER", f"member{number}", "a long password"), "OK")
        with self.wire(bank, "alice", "127.0.0.9") as wire:
            for number in range(5):
                for _ in range(3):
                    self.assertEqual(wire.ask_bytes("AUTH", f"member{number}", "a lone password"),
                                     REFUSED)
        for number in range(30):
            with self.wire(bank, "alice", "127.0.0.9") as wire:
                self.assertEqual(wire.ask("AUTH", f"member{number}", "a long password"), "OK")
        self.assertEqual(self.info(bank, "logins_refused"), 0)

    def test_one_address_does_not_go_through_all_names(self):
        bank = self.new_bank()
        for terminal in ("kiosk", "till", "alice"):
            with self.wire(bank, terminal) as wire:
                for number in range(20):
                    reply = wire.ask_bytes("AUTH", f"{terminal}{number}", "password")
                    self.assertEqual(reply, REFUSED)
        self.assertEqual(self.info(bank, "logins_failed"), 31)
        self.assertEqual(self.log_in(bank, "bob", "bob", "127.0.0.1"), REFUSED)
        self.assertEqual(self.log_in(bank, "bob", "bob", "127.0.0.2"), b"+OK\r\n")

    def test_many_at_once_gain_nothing(self):
        bank = self.new_bank()
        wires = [self.wire(bank, "kiosk", f"127.0.2.{number + 1}") for number in range(24)]
        for wire in wires:
            wire.send(command("AUTH", "alice", "wrong password"))
        self.assertEqual({wire.reply_bytes() for wire in wires}, {REFUSED})
        for wire in wires:
            wire.close()
        self.assertEqual(self.info(bank, "logins_failed"), 4)
        self.assertEqual(self.info(bank, "logins_refused"), 20)

    def test_who_does_not_wait_for_the_answer_has_guessed_all_the_same(self):
        bank = self.new_bank()
        for count in range(1, 5):
            wire = self.wire(bank, "kiosk")
            wire.send(command("AUTH", "alice", "wrong password"))
            wire.close()
            wait_until("it was counted", lambda: self.info(bank, "logins_failed") == count)
        self.assertEqual(self.log_in(bank, "alice", "kiosk"), REFUSED)

    def test_a_name_that_nobody_has_is_treated_as_one_that_somebody_has(self):
        bank = self.new_bank()
        for source, name in enumerate(("alice", "nobody", "cash", "Not A Name", ""), 1):
            with self.subTest(name):
                before = self.info(bank, "logins_failed")
                terminal = ("alice", "bob", "till", "kiosk", "kiosk")[source - 1]
                replies = self.guess(bank, name, 10, terminal, f"127.0.3.{source}")
                self.assertEqual(replies, [REFUSED] * 10)
                self.assertEqual(self.info(bank, "logins_failed") - before, 4)

    def test_hello_register_and_passwd_are_no_way_around(self):
        bank = self.new_bank("server.register=open", "server.self-service=yes")
        with self.wire(bank, "kiosk") as wire:
            for _ in range(2):
                self.assert_word(wire.ask("REGISTER", "alice", "wrong password"), "EXISTS")
                self.assertEqual(wire.ask_bytes("HELLO", 3, "AUTH", "alice", "wrong"), REFUSED)
            self.assertEqual(wire.ask_bytes("REGISTER", "alice", bank.passwords["alice"]), REFUSED)
            self.assertEqual(wire.ask_bytes("HELLO", 3, "AUTH", "alice", bank.passwords["alice"]),
                             REFUSED)
            self.assertEqual(wire.ask("REGISTER", "somebody-new", "a long password"), "OK")
        with bank.wire("bob") as wire:
            for _ in range(6):
                self.assertEqual(wire.ask_bytes("PASSWD", "wrong password", "a new password"),
                                 REFUSED)
            self.assertEqual(wire.ask_bytes("PASSWD", bank.passwords["bob"], "a new password"),
                             REFUSED)
        self.assertEqual(self.info(bank, "logins_failed"), 8)

    def test_pin_set_and_user_add_are_no_way_around(self):
        bank = self.new_bank()
        with bank.wire("admin") as wire:
            for _ in range(4):
                self.assert_word(wire.ask("USER", "ADD", "alice", "wrong password"), "EXISTS")
            for password in ("wrong password", bank.passwords["alice"]):
                self.assertEqual(wire.ask_bytes("USER", "ADD", "alice", password), REFUSED)
            self.assertEqual(wire.ask("USER", "ADD", "somebody-new", "a long password"), "OK")
            # What does not tell a right password from a wrong one is no guess.
            self.assertEqual(wire.ask("USER", "PASSWD", "alice", "a new password"), "OK")
        self.assertEqual(self.log_in(bank, "alice", "kiosk"), REFUSED)
        with bank.wire("bob") as wire:
            for _ in range(6):
                self.assertEqual(wire.ask_bytes("PIN", "SET", "wrong password", "1234"), REFUSED)
            self.assertEqual(wire.ask_bytes("PIN", "SET", bank.passwords["bob"], "1234"), REFUSED)
        self.assertEqual(self.info(bank, "logins_failed"), 8)

    def test_who_has_a_right_role_but_another_asked_for_has_not_guessed(self):
        bank = self.new_bank()
        with bank.wire("admin") as wire:
            for _ in range(6):
                self.assert_word(wire.ask("USER", "ADD", "alice", bank.passwords["alice"], "ROLE",
                                          "till"), "EXISTS")
            self.assertEqual(wire.ask("USER", "ADD", "alice", bank.passwords["alice"]), "OK")
        self.assertEqual(self.info(bank, "logins_failed"), 0)

    def test_a_right_password_makes_pin_set_begin_the_pair_anew(self):
        bank = self.new_bank()
        with bank.wire("bob") as wire:
            for number in range(4):
                for _ in range(3):
                    self.assertEqual(wire.ask_bytes("PIN", "SET", "wrong password", "1234"),
                                     REFUSED)
                self.assertEqual(wire.ask("PIN", "SET", bank.passwords["bob"], f"123{number}"),
                                 "OK")

    def test_a_certificate_that_logs_in_guesses_nothing_and_waits_for_nobody(self):
        bank = self.new_bank("listener tls.certificate-is-user=yes")
        self.assertEqual(self.guess(bank, "alice", 10), [REFUSED] * 10)
        for _ in range(6):
            with self.wire(bank, "alice") as wire:
                self.assertEqual(wire.ask("WHOAMI")[1], b"alice")
        self.assertEqual(self.log_in(bank, "alice", "alice"), REFUSED)
        self.assertEqual(self.info(bank, "logins_failed"), 4)
        self.assertEqual(self.info(bank, "familiar_pairs"), 1, "the admin who asks")

    def test_a_success_begins_the_pair_anew(self):
        bank = self.new_bank()
        for _ in range(5):
            with self.wire(bank, "alice") as wire:
                self.assertEqual(wire.ask("AUTH", "alice", bank.passwords["alice"]), "OK")
                for _ in range(3):
                    self.assertEqual(wire.ask_bytes("AUTH", "alice", "wrong password"), REFUSED)
        self.assertEqual(self.info(bank, "logins_refused"), 0)

    def test_an_exempt_address_is_never_a_source(self):
        bank = self.new_bank("server.penalty-exempt=127.0.0.0/30", "server.penalty-shared-free=5")
        for number, terminal in enumerate(("kiosk", "till", "alice") * 3):
            self.guess(bank, f"name{number}", 1, terminal, "127.0.0.2")
        self.assertEqual(self.log_in(bank, "bob", "bob", "127.0.0.2"), b"+OK\r\n")
        for number, terminal in enumerate(("kiosk", "till") * 3):
            self.guess(bank, f"name{number}", 1, terminal, "127.0.0.4")
        self.assertEqual(self.log_in(bank, "admin", "bob", "127.0.0.4"), REFUSED)

    def test_a_list_that_is_none_is_refused(self):
        with Bank(start=False) as bank:
            with open(bank.path("pennyd.conf"), "r+", encoding="utf-8") as file:
                text = file.read().replace("#penalty-exempt = ", "penalty-exempt = 127.0.0.1/33")
                file.seek(0)
                file.write(text)
            done = subprocess.run([*bank.server_argv()[:2], "-t"], text=True, capture_output=True,
                                  timeout=SECONDS_MAX, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr,
                             r"pennyd.conf:\d+: penalty-exempt cannot be \"127.0.0.1/33")


class Restart(DoorTest):
    def setUp(self):
        self.bank = self.new_bank()
        self.path = self.bank.path("data", "penalties")

    def assert_alice_waits(self, waits):
        self.assertEqual(self.log_in(self.bank, "alice", "till", "127.0.0.2"),
                         REFUSED if waits else b"+OK\r\n")

    def test_people_wait_and_are_known_behind_it(self):
        self.assertEqual(self.log_in(self.bank, "alice", "alice"), b"+OK\r\n")
        self.guess(self.bank, "alice", 4)
        self.bank.restart()
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)
        with open(self.path, encoding="ascii") as file:
            text = file.read()
        self.assertRegex(text, r"^pennybank-penalties 1\ntime \d+\nperson alice 4 \d+ \d+\n"
                               r"pair alice alice \d+ 0 0 0\nsum [0-9a-f]{64}\n$")
        self.assert_alice_waits(True)
        self.assertEqual(self.log_in(self.bank, "alice", "alice", "127.0.0.3"), b"+OK\r\n")
        self.bank.restart()
        self.assert_alice_waits(True)
        self.bank.check()

    def test_it_is_written_while_the_server_runs(self):
        self.guess(self.bank, "alice", 4)

        def is_written():
            return os.path.exists(self.path) and b"person alice 4 " in open(self.path, "rb").read()

        wait_until("the penalties are on disk", is_written, SECONDS_MAX)
        self.bank.kill()
        self.bank.start()
        self.assert_alice_waits(True)

    def test_a_missing_or_damaged_text_is_ignored(self):
        def change(how):
            with open(self.path, "rb") as file:
                text = file.read()
            os.unlink(self.path)
            if how == "cut":
                text = text[:-1]
            elif how == "altered":
                text = text.replace(b"alice", b"alicE")
            elif how == "zeros":
                text = bytes(len(text))
            elif how == "newer":
                text = b"pennybank-penalties 2\n" + text
            elif how == "endless":
                text = b"pennybank-penalties 1\ntime 1\n" + b"person alice 9 0 9\n" * 1000000
            if how == "folder":
                os.mkdir(self.path)
            elif how == "pipe":
                os.mkfifo(self.path)
            elif how != "missing":
                with open(self.path, "wb") as file:
                    file.write(text)

        for how in ("cut", "altered", "zeros", "newer", "endless", "pipe", "folder", "missing"):
            with self.subTest(how):
                self.guess(self.bank, "alice", 4)
                self.bank.stop()
                change(how)
                before = len(self.bank.log())
                self.bank.start()
                said = "data/penalties: " in self.bank.log()[before:]
                self.assertEqual(said, how != "missing", self.bank.log()[before:])
                self.assertEqual("it is ignored" in self.bank.log()[before:], how != "missing")
                self.assertEqual(self.info(self.bank, "penalties_in_force"), 0)
                self.assertEqual(self.info(self.bank, "familiar_pairs"), 1, "the admin who asks")
                self.assertEqual(self.guess(self.bank, "alice", 1), [REFUSED])
                self.assertEqual(self.info(self.bank, "logins_failed"), 1, "it was looked at")
                if how == "folder":  # In the way of the rename; that is said, and not for ever.
                    self.bank.stop()
                    self.assertIn("penalties could not be written", self.bank.log()[before:])
                    os.rmdir(self.path)
                    self.bank.start()

    def test_a_restored_bank_knows_who_guessed(self):
        self.guess(self.bank, "alice", 4)
        self.bank.stop()
        archive = os.path.join(self.bank.folder, "bank.tar")
        self.bank.pennyctl("backup", self.bank.home, archive)
        shutil.rmtree(self.bank.home)
        self.bank.pennyctl("restore", archive, self.bank.home)
        self.bank.start()
        self.assert_alice_waits(True)
        self.bank.check()


if __name__ == "__main__":
    unittest.main()

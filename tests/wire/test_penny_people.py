"""penny and a person at a terminal: signing in, a new account, and a PIN that is asked for."""

import os
import unittest

from bank import BankTest
from standin import PennyTest, answers
from terminal import converse

NEEDED = b"-NOPERM a PIN is needed above 20.00: end the command with PIN and the PIN\r\n"
BOOKED = b"%1\r\n+entry\r\n:7\r\n"
PASSWORD = b"a word of hers"


def account(name, password=PASSWORD, again=None):
    question = b"Password for " + name + b": "
    return [(b"Name of the new account: ", name), (question, password),
            (b"The same password again: ", password if again is None else again)]


START = (b"User to sign in as, + to create an account, or empty for nobody: ", b"+")


class Account(PennyTest):
    def test_plus_makes_an_account_and_signs_in_with_it(self):
        server = self.serve(answers({}))
        shown = converse(self, self.at_terminal(*self.options(server), "WHOAMI"),
                         [START, *account(b"mary")])
        self.assertNotIn(PASSWORD, shown)
        self.assertEqual([link.commands for link in server.links],
                         [[[b"REGISTER", b"mary", PASSWORD]],
                          [[b"HELLO", b"3", b"AUTH", b"mary", PASSWORD], [b"WHOAMI"]]])

    def test_two_passwords_that_differ_are_asked_for_again(self):
        server = self.serve(answers({}))
        shown = converse(self, self.at_terminal(*self.options(server), "WHOAMI"),
                         [START, *account(b"mary", again=b"another word"), *account(b"mary")])
        self.assertIn(b"the two passwords differ", shown)
        self.assertEqual(server.links[0].commands, [[b"REGISTER", b"mary", PASSWORD]])

    def test_a_name_that_is_taken_is_said_and_another_asked_for(self):
        def talk(link):
            while True:
                words = link.read()
                taken = words[:2] == [b"REGISTER", b"bob"]
                link.say(b"-EXISTS the name is taken\r\n" if taken else b"+OK\r\n")
        server = self.serve(talk)
        shown = converse(self, self.at_terminal(*self.options(server), "WHOAMI"),
                         [START, *account(b"bob"), *account(b"mary")])
        self.assertIn(b"EXISTS the name is taken", shown)
        self.assertEqual(server.links[-1].commands[0][3], b"mary")

    def test_where_nobody_may_register_it_ends(self):
        text = b"NOPERM new people are made at a till"
        server = self.serve(answers({b"REGISTER": b"-" + text + b"\r\n"}))
        shown = converse(self, self.at_terminal(*self.options(server), "WHOAMI"),
                         [START, *account(b"mary"), *account(b"mary"), *account(b"mary")], code=1)
        self.assertEqual(shown.count(text), 3)
        self.assertEqual({words[0] for link in server.links for words in link.commands},
                         {b"REGISTER"})

    def test_a_registration_whose_answer_is_lost_is_sent_again(self):
        def talk(link):
            words = link.read()
            if link.number == 0:
                return
            while True:
                link.say(b"+OK\r\n")
                words = link.read()
            self.fail(words)
        server = self.serve(talk)
        converse(self, self.at_terminal(*self.options(server), "WHOAMI"), [START, *account(b"mary")])
        self.assertEqual(server.links[0].commands, server.links[1].commands)
        self.assertEqual(server.links[2].commands[0][3], b"mary")


class Pin(PennyTest):
    def serve_pin(self):
        def talk(link):
            while True:
                words = link.read()
                if words[0] == b"TRANSFER":
                    has_pin = words[-2].upper() == b"PIN"
                    link.say(BOOKED if has_pin and words[-1] == b"4711" else
                             b"-WRONGPASS the PIN is wrong\r\n" if has_pin else NEEDED)
                elif words[0] in (b"MULTI", b"DISCARD"):
                    link.say(b"+OK\r\n")
                else:
                    link.say(b"+something\r\n")
        return self.serve(talk)

    def test_it_is_asked_for_without_echo_and_the_id_stays(self):
        server = self.serve_pin()
        shown = converse(self, self.at_terminal(*self.options(server), "--user", "", "TRANSFER",
                                                "+", "bob", "30.00"), [(b"PIN: ", b"4711")])
        first, second = server.links[0].commands
        self.assertEqual(second, [*first, b"PIN", b"4711"])
        self.assertEqual(len(first[1]), 20, "an id of penny's own")
        self.assertNotIn(b"4711", shown)
        self.assertNotIn(b"NOPERM", shown)
        self.assertIn(b"entry", shown)

    def test_a_wrong_one_is_said_and_none_leaves_the_refusal(self):
        server = self.serve_pin()
        for pin, said in ((b"1234", b"WRONGPASS the PIN is wrong"), (b"", b"NOPERM a PIN is needed"),
                          (b"1234567890123", b"NOPERM a PIN is needed")):
            shown = converse(self, self.at_terminal(*self.options(server), "--user", "", "TRANSFER",
                                                    "a", "bob", "30.00"), [(b"PIN: ", pin)], code=1)
            self.assertIn(said, shown)
        self.assertEqual([len(link.commands) for link in server.links], [2, 1, 1])

    def test_a_script_gets_the_refusal(self):
        server = self.serve_pin()
        self.penny(*self.options(server), "TRANSFER", "a", "bob", "30.00", code=1)
        self.assertIn("a PIN is needed", self.err)
        self.assertEqual(len(server.links[0].commands), 1)

    def test_in_a_group_the_refusal_stands(self):
        server = self.serve_pin()
        prompt = f"127.0.0.1:{server.port}> ".encode()
        shown = converse(self, self.at_terminal(*self.options(server), "--user", ""),
                         [(prompt, b"MULTI"), (prompt, b"TRANSFER a bob 30.00"), (prompt, b"DISCARD"),
                          (prompt, b"exit")], code=1)
        self.assertIn(b"NOPERM a PIN is needed", shown)
        self.assertEqual([words[0] for words in server.links[0].commands],
                         [b"MULTI", b"TRANSFER", b"DISCARD"])

    def test_a_line_with_one_is_not_kept_for_the_arrow_keys(self):
        self.environment["TERM"] = "vt100"
        server = self.serve_pin()
        prompt = f"127.0.0.1:{server.port}> ".encode()
        up = b"\x1b[A"
        converse(self, self.at_terminal(*self.options(server), "--user", ""),
                 [(prompt, b"THIS"), (prompt, b"TRANSFER a bob 30.00 pin 4711"), (prompt, up),
                  (prompt, b"exit")])
        self.assertEqual([words[0] for words in server.links[0].commands],
                         [b"THIS", b"TRANSFER", b"THIS"])


class Real(BankTest):
    """The same with the server: an account, money above the bound, and its PIN."""

    settings = ("server.password-memory-kib=4096", "server.pin-above=20.00",
                "server.register=open", "server.self-service=yes")

    def at_terminal(self, *words):
        return PennyTest.at_terminal(self, *self.bank.cli_options("alice")[:-4], *words)

    def setUp(self):
        self.folder = self.bank.folder
        self.environment = {"HOME": self.folder, "PATH": os.environ["PATH"], "TERM": "dumb"}

    def test_an_account_is_made_and_a_pin_asked_for(self):
        shown = converse(self, self.at_terminal(), [
            START, *account(b"mary"), (b"> ", b"PIN SET '" + PASSWORD + b"' 4711"),
            (b"> ", b"DEPOSIT one 30.00"), (b"PIN: ", b"4711"), (b"30.00", b"BALANCE"),
            (b"30.00", b"exit")])
        self.assertNotIn(b"NOPERM", shown)
        with self.bank.wire("mary", terminal="alice", password=PASSWORD.decode()) as wire:
            self.assertEqual(wire.ask("BALANCE"), b"30.00")


if __name__ == "__main__":
    unittest.main()

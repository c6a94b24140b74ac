"""penny --menu: a person at a terminal, and scripts; with the server and with a stand-in for it."""

import os
import re
import unittest

from bank import BankTest, program, run
from standin import Closed, PennyTest, answers
from terminal import converse

CHOICE = b"Your choice: "
END = (CHOICE, b"exit")
START = b"User to sign in as, + to create an account, or empty for nobody: "
AGAIN = b"Send it again? It is booked once at most. (y, or empty for the menu): "
BACK = b""
CONNECTED = re.compile(rb"Connected from (127\.0\.0\.1:\d+) to (127\.0\.0\.1:\d+); "
                       rb"the key exchange took \d+\.\d{3} ms\.\r?\n")
ANSWERED = re.compile(rb"Answered within \d+\.\d{3} ms\.\r?\n")
MADE_ID = re.compile(rb"(?<![0-9a-z])[0-9a-f]{20}(?![0-9a-z])")
PASSWORD = b"a word of hers"

CHOICES = {"sign in": b"1", "balance": b"2", "deposit": b"3", "withdraw": b"4", "transfer": b"5",
           "order": b"6", "orders": b"7", "statement": b"8", "messages": b"9", "time": b"10",
           "date": b"11", "temperature": b"12", "reset": b"13", "print": b"14", "exit": b"0"}


def choose(name, *answered):
    """The number of a choice, and what is answered behind it as (question, answer)."""
    return [(CHOICE, CHOICES[name]), *answered]


def bulk(text):
    data = text.encode() if isinstance(text, str) else text
    return b"$%d\r\n%s\r\n" % (len(data), data)


def one(value):
    if value is None:
        return b"_\r\n"
    return b":%d\r\n" % value if isinstance(value, int) else bulk(value)


def pairs(**values):
    return b"%%%d\r\n" % len(values) + b"".join(
        bulk(name) + one(value) for name, value in values.items())


def rows(*maps):
    return b"*%d\r\n" % len(maps) + b"".join(maps)


class BankMenu(BankTest):
    """With the server."""

    settings = ("server.password-memory-kib=4096", "server.register=open",
                "server.self-service=yes", "server.pin-above=400.00")

    def setUp(self):
        self.folder = self.bank.folder
        self.environment = {"HOME": self.folder, "PATH": os.environ["PATH"], "TERM": "dumb"}

    def menu(self, steps, name="alice", code=0, bank=None, user=None):
        options = (bank or self.bank).cli_options(name)[:-4]
        words = ["--user", user] if user else []
        at = PennyTest.at_terminal(self, *options, *words, "--menu")
        self.shown = converse(self, at, steps, code)
        self.assertIsNone(MADE_ID.search(self.shown), self.shown)
        return self.shown

    def sign_in(self, name="alice", question=START):
        password = self.bank.passwords[name].encode()
        return [(question, name.encode()), (b"Password for " + name.encode() + b": ", password)]

    def script(self, *lines, name="alice", code=0, options=()):
        done = self.bank.penny("--menu", name=name, options=options, expect=code,
                               input="".join(line + "\n" for line in lines))
        self.err = done.stderr
        return done.stdout

    def balance(self, name):
        with self.bank.wire(name) as wire:
            return wire.ask("BALANCE").decode()

    def assert_lines(self, *lines):
        text = self.shown.replace(b"\r", b"").split(b"\n")
        for line in lines:
            self.assertIn(line, text)


class Real(BankMenu):
    """What a person does, and a script."""

    def test_a_person_signs_in_and_moves_money(self):
        before = float(self.balance("bob"))
        self.menu([*self.sign_in(), *choose("balance"), *choose("deposit", (b"Amount: ", b"7.50")),
                   *choose("withdraw", (b"Amount: ", b"2.50")),
                   *choose("transfer", (b"To whom: ", b"bob"), (b"Amount: ", b"0.25"),
                           (b"What for (- for nothing): ", b"a round of drinks")),
                   *choose("transfer", (b"To whom: ", b"bob"), (b"Amount: ", b"0.50"),
                           (b"What for (- for nothing): ", b"-")),
                   *choose("statement", (b"newest first: ", b"4")), *choose("balance"), END])
        self.assertNotIn(self.bank.passwords["alice"].encode(), self.shown)
        self.assert_lines(b"Signed in as alice, customer, at the terminal alice.",
                          f"The balance is {self.balance('alice')}.".encode())
        self.assertEqual(float(self.balance("bob")) - before, 0.75)
        table = self.shown[self.shown.index(b"  entry  time (UTC)"):].split(b"\r\n")[:5]
        self.assertIn(b"a round of drinks", table[2])
        amounts = [re.search(rb"-?\d+\.\d\d", line).span()[1] for line in table[1:]]
        self.assertEqual(len(set(amounts)), 1, "the amounts end in one column")
        self.assertEqual(len(ANSWERED.findall(self.shown)), 8)  # The first is the signing in.

    def test_the_choices_are_printed_at_the_start_and_when_asked_for(self):
        self.menu([*self.sign_in(), *choose("print"), (CHOICE, b"0")])
        for text in (b"  13  reset the connection\r\n", b"   0  exit\r\n"):
            self.assertEqual(self.shown.count(text), 2)

    def test_time_date_and_temperature(self):
        self.menu([*self.sign_in(), *choose("time"), *choose("date"), *choose("temperature"), END])
        self.assertRegex(self.shown, rb"\n20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+\d\d:\d\d\r\n")
        self.assertRegex(self.shown, rb"\n20\d\d-\d\d-\d\d\r\n")
        self.assertRegex(self.shown, rb"\n-?\d+\.\d+ degrees celsius \(simulated\)\.\r\n")

    def test_a_reset_is_a_new_connection_of_the_same_person(self):
        self.menu([*self.sign_in(), *choose("reset"), *choose("balance"), END])
        first, second = CONNECTED.findall(self.shown)
        self.assertNotEqual(first[0], second[0], "another port of one's own")
        self.assertEqual(first[1], second[1])
        self.assertEqual(first[1], f"{self.bank.host}:{self.bank.port}".encode())
        self.assertEqual(self.shown.count(b"Signed in as alice"), 2)
        self.assertIn(b"The balance is ", self.shown)

    def test_what_is_no_choice_is_said_in_one_line_and_the_menu_goes_on(self):
        said = b"penny: a choice is a number from 0 to 14; 14 prints what they are\r\n"
        wrong = [b"x", b"balance", b"", b"15", b"-1", b"1.5", b"99999999999999999999999", b"2 2",
                 b"\xff\xfe", b"x" * 2000]
        self.menu([*self.sign_in(), *((CHOICE, line) for line in wrong), *choose("balance"), END])
        self.assertEqual(self.shown.count(said), len(wrong))
        self.assertIn(b"The balance is ", self.shown)

    def test_wrong_answers_end_the_choice_and_change_nothing(self):
        before = self.balance("bob")
        self.menu([*self.sign_in("bob"), *choose("deposit", (b"Amount: ", b"much")),
                   *choose("deposit", (b"Amount: ", b"-1")), *choose("deposit", (b"Amount: ", BACK)),
                   *choose("deposit", (b"Amount: ", b"9" * 2000)),
                   *choose("transfer", (b"To whom: ", b"nobody-here"), (b"Amount: ", b"1"),
                           (b"What for", b"-")),
                   *choose("transfer", (b"To whom: ", b"alice"), (b"Amount: ", b"399"),
                           (b"What for", b"-")),
                   *choose("transfer", (b"To whom: ", b"alice"), (b"Amount: ", BACK)),
                   *choose("statement", (b"newest first: ", b"0")),
                   *choose("statement", (b"newest first: ", b"many")), *choose("balance"), END], name="bob")
        for word, count in ((b"AMOUNT", 2), (b"NOACCT", 1), (b"FUNDS", 1), (b"ERR", 2)):
            self.assertEqual(len(re.findall(rb"Refused: [^\r\n]+ \(" + word + rb"\)\r\n",
                                            self.shown)), count, word)
        self.assertEqual(self.shown.count(b"penny: that line is too long, or not text; "
                                          b"nothing was sent"), 1)
        self.assert_lines(f"The balance is {before}.".encode())
        self.assertEqual(self.balance("bob"), before)

    def test_a_wrong_password_signs_nobody_in_and_the_menu_goes_on(self):
        self.menu([(START, b"bob"), (b"Password for bob: ", b"not this one"), *choose("balance"),
                   *choose("sign in", *self.sign_in("bob")), *choose("balance"), END])
        self.assertEqual(self.shown.count(b"login refused: WRONGPASS"), 1)
        self.assertRegex(self.shown, rb"Refused: [^\r\n]+ \(NOAUTH\)\r\n")
        self.assertNotIn(b"not this one", self.shown)
        self.assert_lines(b"Signed in as bob, customer, at the terminal alice.",
                          f"The balance is {self.balance('bob')}.".encode())

    def test_after_a_refused_login_nobody_is_signed_in_any_more(self):
        self.menu([*self.sign_in(), *choose("sign in", (START, b"bob"),
                                            (b"Password for bob: ", b"not this one")),
                   *choose("balance"), END])
        self.assertRegex(self.shown, rb"Refused: [^\r\n]+ \(NOAUTH\)\r\n")

    def test_an_empty_name_leaves_who_is_signed_in(self):
        self.menu([*self.sign_in(), *choose("sign in", (START, BACK)), *choose("balance"), END])
        self.assertIn(b"The balance is ", self.shown)

    def test_an_account_is_made(self):
        self.menu([(START, BACK), *choose("balance"), *choose(
            "sign in", (START, b"+"), (b"Name of the new account: ", b"mary"),
            (b"Password for mary: ", PASSWORD), (b"The same password again: ", PASSWORD)),
            *choose("deposit", (b"Amount: ", b"3.00")), END])
        self.assertNotIn(PASSWORD, self.shown)
        self.assert_lines(b"Signed in as mary, customer, at the terminal alice.",
                          b"The balance is 3.00.")
        with self.bank.wire("mary", terminal="alice", password=PASSWORD.decode()) as wire:
            self.assertEqual(wire.ask("BALANCE"), b"3.00")

    def test_two_passwords_that_differ_and_no_name_make_none(self):
        self.menu([*self.sign_in(), *choose(
            "sign in", (START, b"+"), (b"new account: ", b"anna"), (b"for anna: ", PASSWORD),
            (b"again: ", b"another"), (b"new account: ", b"")), *choose("balance"), END])
        self.assertIn(b"the two passwords differ", self.shown)
        self.assertIn(b"no name was given", self.shown)
        self.assertIn(b"The balance is ", self.shown)  # alice's, as before.

    def test_the_end_of_input_ends_the_menu_and_in_the_middle_the_choice(self):
        before = self.balance("alice")
        self.menu([*self.sign_in(), *choose("deposit", (b"Amount: ", b"\x04")), *choose("balance"),
                   (CHOICE, b"\x04")])
        self.assertEqual(self.shown.count(b"the input ended in the middle of a choice; nothing was "
                                          b"sent"), 1)
        self.assert_lines(f"The balance is {before}.".encode())

    def test_a_till_is_asked_whose_account(self):
        before = float(self.balance("bob"))
        self.menu([*self.sign_in("till"), *choose("deposit", (b"Amount: ", b"4.00"),
                                                  (b"Whose account (- for your own): ", b"bob")),
                   *choose("balance", (b"Whose account (- for your own): ", b"bob")), END],
                  name="till")
        self.assertEqual(float(self.balance("bob")), before + 4)
        self.assert_lines(f"The balance is {self.balance('bob')}.".encode())

    def test_what_looks_like_an_option_word_is_an_answer_all_the_same(self):
        self.menu([*self.sign_in("till"), *choose("deposit", (b"Amount: ", b"MEMO"),
                                                  (b"Whose account", b"-")), END], name="till")
        self.assertRegex(self.shown, rb"Refused: [^\r\n]+ \(AMOUNT\)\r\n")

    def test_what_the_role_may_not_do_the_server_says(self):
        self.menu([*self.sign_in("admin"), *choose("deposit", (b"Amount: ", b"4.00"),
                                                   (b"Whose account", b"bob")), END], name="admin")
        self.assertRegex(self.shown, rb"Refused: [^\r\n]+ \(NOPERM\)\r\n")

    def test_a_pin_is_asked_for_and_not_shown(self):
        with self.bank.wire("alice") as wire:
            self.assertEqual(wire.ask("PIN", "SET", self.bank.passwords["alice"], "4711"), "OK")
        before = float(self.balance("alice"))
        self.menu([*self.sign_in(), *choose("deposit", (b"Amount: ", b"401.00"),
                                            (b"PIN: ", b"4711")), END])
        self.assertEqual(float(self.balance("alice")), before + 401)
        self.assertNotIn(b"4711", self.shown)

    def test_a_name_on_the_command_line_is_asked_for_its_password_only(self):
        password = self.bank.passwords["alice"].encode()
        self.menu([(b"Password for alice: ", password), *choose("balance"), END], user="alice")
        self.assertNotIn(START, self.shown)
        self.assertIn(b"The balance is ", self.shown)

    def test_a_script_answers_by_lines(self):
        before = self.balance("alice")
        out = self.script("2", "3", "5.00", "4", "5.00", "nonsense", "13", "2", "exit", "never")
        self.assertEqual(out.count(f"The balance is {before}.\n"), 3, out)
        self.assertEqual(len(CONNECTED.findall(out.encode())), 2)
        self.assertNotIn("Your choice", out)
        self.assertNotIn("Amount", out)
        self.assertEqual(self.err.count("\n"), 1, self.err)
        self.assertIsNone(MADE_ID.search((out + self.err).encode()))

    def test_a_script_ends_with_its_lines_also_in_the_middle_of_a_choice(self):
        before = self.balance("alice")
        self.script("2")
        self.assertEqual(self.err, "")
        self.script("5", "bob", "1.00")
        self.assertIn("the input ended in the middle of a choice", self.err)
        self.script("5\0", "x" * 5000, "3", "1" * 5000)
        self.assertEqual(self.err.count("a choice is a number"), 2)
        self.assertEqual(self.err.count("too long, or not text"), 1)
        self.assertEqual(self.balance("alice"), before)

    def test_a_script_signs_in_by_lines(self):
        bob = self.bank.passwords["bob"]
        out = self.script("1", "bob", bob, "2", "1", "bob", "not this one", "2",
                          "1", "+", "nina", PASSWORD.decode(), PASSWORD.decode(), "2")
        self.assertIn(f"The balance is {self.balance('bob')}.\n", out)
        self.assertIn("Signed in as nina", out)
        self.assertIn("(NOAUTH)", out)
        self.assertIn("WRONGPASS", self.err)
        self.assertNotIn(bob, out + self.err)
        self.assertNotIn(PASSWORD.decode(), out + self.err)

    def test_a_script_gives_its_password_beside_its_lines(self):
        options = [*self.bank.cli_options("alice")[:-2], "--menu"]
        done = run([program("penny"), *options], input=self.bank.passwords["alice"] + "\n2\n",
                   expect=1)
        self.assertIn("no password for alice: use", done.stderr)
        self.assertNotIn("The balance is", done.stdout)

    def test_a_script_that_cannot_sign_in_ends_at_once(self):
        out = self.script("2", options=("--pass", "not this one"), code=1)
        self.assertNotIn("(NOAUTH)", out)
        self.assertIn("WRONGPASS", self.err)


class Restarted(BankMenu):
    """A server that goes away in between."""

    def test_a_session_that_the_server_closed_is_replaced(self):
        def restart():
            self.bank.restart(port=self.bank.port)
            return CHOICES["balance"]
        self.menu([*self.sign_in(), *choose("balance"), (CHOICE, restart),
                   *choose("deposit", (b"Amount: ", b"1.00")), END])
        self.assertEqual(len(CONNECTED.findall(self.shown)), 2)
        self.assertEqual(self.shown.count(b"The balance is 50.00."), 2)
        self.assertIn(b"The balance is 51.00.", self.shown)

    def test_without_a_server_each_choice_says_so_and_the_menu_goes_on(self):
        def stop():
            self.bank.stop()
            return CHOICES["balance"]

        def start():
            self.bank.start(port=self.bank.port)
            return CHOICES["balance"]
        self.menu([*self.sign_in(), (CHOICE, stop), *choose("reset"), (CHOICE, start), END])
        self.assertEqual(self.shown.count(b"Connection refused"), 2, self.shown)
        self.assertIn(b"The balance is ", self.shown)


class StandInMenu(PennyTest):
    """With a stand-in, which can be made to answer anything."""

    def menu(self, server, steps, code=0, options=()):
        at = self.at_terminal(*self.options(server), "--user", "alice", "--pass", "x" * 8, *options,
                              "--menu")
        self.shown = converse(self, at, steps, code)
        return self.shown

    def said(self, server, *names):
        return [words for link in server.links for words in link.commands if words[0] in names]


class Alone(StandInMenu):
    """Answers that are refusals, nonsense, or lost."""

    def test_help_lists_the_choices_and_what_they_send(self):
        out = self.penny("--help")
        self.assertRegex(out, r"\n +5  transfer +TRANSFER \+ to amount MEMO memo\n")
        self.assertRegex(out, r"\n +0  exit\b")
        self.assertIn("--menu", out)

    def test_wrong_usage_is_two(self):
        for words in (["--menu", "PING"], ["--menu", "--json"], ["--menu", "--raw"]):
            self.penny(*self.options(None), *words, code=2)
            self.assertEqual(self.err.count("\n"), 1)

    def test_where_nobody_listens_it_ends_in_one_line(self):
        self.assertEqual(self.penny(*self.options(None), "--menu", code=1), "")
        self.assertEqual(self.err.count("\n"), 1)

    def test_a_reset_closes_the_old_session_before_the_new_one(self):
        # The stand-in takes the next connection only when the one before has ended.
        server = self.serve(answers({}))
        self.menu(server, [*choose("reset"), *choose("reset"), END])
        self.assertEqual(len(CONNECTED.findall(self.shown)), 3)
        self.assertEqual([link.commands[0][0] for link in server.links], [b"HELLO"] * 3)

    def test_a_server_that_cannot_is_said_in_one_sentence(self):
        server = self.serve(answers({
            b"DEPOSIT": b"-MISCONF no room on the disk; reading goes on\r\n",
            b"TRANSFER": b"-BUSY too many requests; try again in a second\r\n",
            b"ITEMS": b"-ERR unknown command 'ITEMS'\r\n",
            b"INBOX": b"-ERR unknown command 'INBOX'\r\n",
            b"ORDERS": b"-\r\n", b"CLOCK": b"-NOWORDS\r\n"}))
        self.menu(server, [*choose("deposit", (b"Amount: ", b"1")),
                           *choose("transfer", (b"To whom: ", b"bob"), (b"Amount: ", b"1"),
                                   (b"What for", b"x y")),
                           *choose("order"), *choose("messages"), *choose("orders"),
                           *choose("time"), END])
        for line in (b"Refused: no room on the disk; reading goes on (MISCONF)\r\n",
                     b"Refused: too many requests; try again in a second (BUSY)\r\n",
                     b"Refused: unknown command 'ITEMS' (ERR)\r\n",
                     b"Refused: unknown command 'INBOX' (ERR)\r\n", b"Refused: \r\n",
                     b"Refused: NOWORDS\r\n"):
            self.assertEqual(self.shown.count(line), 1, line)
        _, words = self.said(server, b"DEPOSIT", b"TRANSFER")
        self.assertEqual(words[2:], [b"bob", b"1", b"MEMO", b"x y"])

    def test_replies_that_make_no_sense_are_survived(self):
        nonsense = [b"+OK\r\n", b":7\r\n", b"_\r\n", b"*0\r\n", b"%0\r\n", b"*2\r\n:1\r\n$1\r\nx\r\n",
                    b"*1\r\n*1\r\n*1\r\n:1\r\n", b"%1\r\n*1\r\n:1\r\n%1\r\n+a\r\n:1\r\n",
                    b"*1\r\n%2\r\n+entry\r\n*0\r\n+amount\r\n_\r\n", rows(pairs(item="x", price="p"))]
        for reply in nonsense:
            server = self.serve(answers({name: reply for name in (
                b"BALANCE", b"DEPOSIT", b"STATEMENT", b"TEMPERATURE", b"CLOCK", b"WHOAMI",
                b"ORDERS")}))
            self.menu(server, [*choose("balance"), *choose("deposit", (b"Amount: ", b"1")),
                               *choose("statement", (b"first: ", b"1")), *choose("temperature"),
                               *choose("time"), END])

    def test_what_people_wrote_is_not_obeyed_by_the_terminal(self):
        evil = "\x1b[2J\x07\r\nadmin"
        server = self.serve(answers({
            b"STATEMENT": rows(pairs(entry=1, time="2026-11-21T16:09:14.729Z", operation="transfer",
                                     amount="-1.00", balance="2.00", account=evil, memo=evil)),
            b"WHOAMI": pairs(person=evil, role="customer", terminal=evil),
            b"TEMPERATURE": pairs(temperature=evil, unit=evil, source=evil),
            b"CLOCK": bulk(evil)}))
        self.menu(server, [*choose("statement", (b"first: ", b"1")), *choose("temperature"),
                           *choose("time"), END])
        self.assertNotIn(b"\x1b[2J", self.shown)
        self.assertNotIn(b"\x07", self.shown)
        self.assertEqual(self.shown.count(rb"\x1b[2J\x07\x0d\x0aadmin"), 8, self.shown)

    def lossy(self, **more):
        """A server that hangs up over DEPOSIT while `self.lost`."""
        self.lost = True

        def talk(link):
            table = {b"HELLO": b"%0\r\n", b"INFO": bulk("ids_forgotten:0\r\n"), **more}
            while True:
                words = link.read()
                if words[0] == b"DEPOSIT" and self.lost:
                    raise Closed
                link.say(pairs(entry=7, balance="9.00") if words[0] == b"DEPOSIT" else
                         table.get(words[0], b"+OK\r\n"))
        return self.serve(talk)

    def find(self):
        self.lost = False
        return b"y"

    def test_a_lost_answer_is_asked_for_again_by_itself(self):
        server = self.lossy()

        def talk(link, inner=server.talk):
            self.lost = link.number == 0
            inner(link)
        server.talk = talk
        self.menu(server, [*choose("deposit", (b"Amount: ", b"1")), END])
        first, second = self.said(server, b"DEPOSIT")
        self.assertEqual(first, second)
        self.assertRegex(first[1], MADE_ID)
        self.assertNotIn(first[1], self.shown)
        self.assertIn(b"penny: no answer yet", self.shown)
        self.assertIn(b"The balance is 9.00.", self.shown)

    def test_an_unknown_outcome_is_settled_with_the_same_id(self):
        server = self.lossy()
        self.menu(server, [*choose("deposit", (b"Amount: ", b"1")), (AGAIN, b"y"),
                           (AGAIN, self.find), END], options=("--timeout", "1"))
        sent = self.said(server, b"DEPOSIT")
        self.assertGreater(len(sent), 2)
        self.assertTrue(all(words == sent[0] for words in sent))
        self.assertEqual(self.shown.count(b"outcome unknown: id " + sent[0][1]), 2)
        self.assertIn(b"The balance is 9.00.", self.shown)

    def test_who_does_not_settle_it_is_told_how_to_later(self):
        server = self.lossy()
        self.menu(server, [*choose("deposit", (b"Amount: ", b"1")), (AGAIN, BACK), END],
                  options=("--timeout", "1"))
        words = self.said(server, b"DEPOSIT")[0]
        self.assertIn(b"look at the statement", self.shown)
        self.assertIn(b"\n  penny " + b" ".join(words) + b"\r\n", self.shown)

    def test_what_the_server_may_have_forgotten_is_not_sent_again(self):
        forgetful = ("ids_forgotten:1\r\nown_ids_forgotten:1\r\nids_age_seconds:0\r\n"
                     "own_ids_age_seconds:0\r\n")
        server = self.lossy(**{"INFO": b""})

        def talk(link):
            while True:
                words = link.read()
                if words[0] == b"DEPOSIT":
                    raise Closed
                link.say(bulk(forgetful) if words[0] == b"INFO" else b"+OK\r\n")
        server.talk = talk
        sent = []

        def again():
            sent.append(len(self.said(server, b"DEPOSIT")))
            return b"y"
        self.menu(server, [*choose("deposit", (b"Amount: ", b"1")), (AGAIN, again), (AGAIN, again),
                           (AGAIN, BACK), END], options=("--timeout", "1"))
        # Once by itself at most, before a quarter of no second is over.
        self.assertEqual(sent, [len(self.said(server, b"DEPOSIT"))] * 2)
        self.assertIn(b"may have forgotten the id", self.shown)


class Shop(StandInMenu):
    """Orders."""

    ITEM = b"Number of the item: "
    MANY = b"How many: "
    SURE = b"Order it? (y, or empty for the menu): "

    def shop(self, role="customer", **replies):
        pages = {b"": rows(pairs(item="mate", title="Club-Mate", price="1.50", stock=12),
                           pairs(item="pretzel", title="Pretzel\x1b[2J", price="12.20", stock=None)),
                 b"pretzel": rows(pairs(item="water", title="", price="0", stock=None))}

        def talk(link):
            while True:
                words = link.read()
                link.say(self.answer(words, pages, role, replies))
        return self.serve(talk)

    def answer(self, words, pages, role, replies):
        name = words[0].decode()
        if name in replies:
            return replies[name]
        if name == "ITEMS":
            return pages.get(words[2] if len(words) > 2 else b"", rows())
        if name == "WHOAMI":
            return pairs(person="alice", role=role, terminal="till")
        if name == "ORDER":
            return pairs(entry=9, balance="7.00", order=9, item=words[2].decode(),
                         quantity=int(words[3]), price="1.50")
        if name == "ORDERS":
            return rows(pairs(order=41, item="mate", quantity=1, price="1.50", amount="1.50",
                              account="alice", time="2026-11-21T16:09:14.729Z", state="open"),
                        pairs(order=42, item="pretzel", quantity=10, price="1.20", amount="12.00",
                              account="alice", time="2026-11-21T16:09:14.729Z", state="open"))
        if name == "CANCEL":
            return pairs(entry=10, balance="19.00")
        return b"+OK\r\n"

    def test_an_item_is_picked_from_all_pages_and_ordered_at_the_price_that_was_shown(self):
        server = self.shop()
        self.menu(server, [*choose("order", (self.ITEM, b"1"), (self.MANY, b"2"),
                                   (self.SURE, b"y")), END])
        words = self.said(server, b"ORDER")[0]
        self.assertEqual(words[2:], [b"mate", b"2", b"PRICE", b"1.50"])
        self.assertRegex(words[1], MADE_ID)
        self.assertNotIn(words[1], self.shown)
        self.assertIn(b"2 x mate at 1.50 is 3.00.\r\n", self.shown)
        self.assertIn(b"Ordered for 3.00.\r\nThe balance is 7.00.\r\n", self.shown)
        self.assertIn(b"   1  mate     Club-Mate        1.50    12\r\n", self.shown)
        self.assertIn(rb"   2  pretzel  Pretzel\x1b[2J  12.20" + b"\r\n", self.shown)
        self.assertIn(b"   3  water ", self.shown)
        # WHOAMI, the list, and the order: each with its time.
        self.assertEqual(len(ANSWERED.findall(self.shown)), 3)

    def test_what_is_not_confirmed_or_cannot_be_is_not_ordered(self):
        server = self.shop()
        tries = [[(self.ITEM, b"9")], [(self.ITEM, b"0")], [(self.ITEM, b"mate")],
                 [(self.ITEM, BACK)], [(self.ITEM, b"1"), (self.MANY, b"0")],
                 [(self.ITEM, b"1"), (self.MANY, b"4294967296")], [(self.ITEM, b"1"),
                                                                  (self.MANY, BACK)],
                 [(self.ITEM, b"3"), (self.MANY, b"1")],
                 [(self.ITEM, b"1"), (self.MANY, b"2"), (self.SURE, b"n")],
                 [(self.ITEM, b"1"), (self.MANY, b"2"), (self.SURE, BACK)]]
        steps = [step for one in tries for step in choose("order", *one)]
        self.menu(server, [*steps, END])
        self.assertEqual(self.said(server, b"ORDER"), [])
        self.assertEqual(self.shown.count(b"a number from 1 to 3 is wanted"), 3)
        self.assertEqual(self.shown.count(b"a number from 1 to 4294967295 is wanted"), 2)
        self.assertEqual(self.shown.count(b"more than can be paid"), 1)

    def test_a_price_that_moved_is_said(self):
        server = self.shop(ORDER=b"-STATE the price is 1.70 now\r\n")
        self.menu(server, [*choose("order", (self.ITEM, b"1"), (self.MANY, b"2")),
                           (self.SURE, b"y"), END])
        self.assertIn(b"Refused: the price is 1.70 now (STATE)\r\n", self.shown)

    def test_a_sum_is_exact_or_refused(self):
        server = self.shop(ITEMS=b"")

        def talk(link):
            while True:
                words = link.read()
                link.say(rows(pairs(item="gold", title="", price="9999999999999.99", stock=None))
                         if words == [b"ITEMS"] else rows() if words[0] == b"ITEMS" else b"+OK\r\n")
        server.talk = talk
        self.menu(server, [*choose("order", (self.ITEM, b"1"), (self.MANY, b"1"), (self.SURE, BACK)),
                           *choose("order", (self.ITEM, b"1"), (self.MANY, b"4294967295")), END])
        self.assertIn(b"1 x gold at 9999999999999.99 is 9999999999999.99.\r\n", self.shown)
        self.assertEqual(self.shown.count(b"more than can be paid"), 1)

    def test_a_till_orders_for_somebody(self):
        server = self.shop(role="till")
        self.menu(server, [*choose("order", (self.ITEM, b"2"), (self.MANY, b"1"),
                                   (b"Whose account (- for your own): ", b"bob")),
                           (self.SURE, b"yes"), END])
        self.assertEqual(self.said(server, b"ORDER")[0][2:],
                         [b"pretzel", b"1", b"FROM", b"bob", b"PRICE", b"12.20"])

    def test_a_till_sees_the_orders_of_whom_it_names(self):
        server = self.shop(role="till")
        number = b"Number of the order to cancel, or empty for the menu: "
        whose = b"Whose orders (- for everybody's): "
        self.menu(server, [*choose("orders", (whose, b"bob"), (number, BACK)),
                           *choose("orders", (whose, b"-"), (number, BACK)), END])
        self.assertEqual(self.said(server, b"ORDERS"), [[b"ORDERS", b"bob"], [b"ORDERS"]])

    def test_nothing_to_order(self):
        self.menu(self.shop(ITEMS=rows(), ORDERS=rows()), [*choose("order"), *choose("orders"), END])
        self.assertIn(b"There is nothing to order.", self.shown)
        self.assertIn(b"No order is open.", self.shown)

    def test_an_order_is_cancelled_by_its_number_in_the_list(self):
        server = self.shop()
        number = b"Number of the order to cancel, or empty for the menu: "
        self.menu(server, [*choose("orders", (number, BACK)), *choose("orders", (number, b"3")),
                           *choose("orders", (number, b"2")), END])
        words, = self.said(server, b"CANCEL")
        self.assertEqual(words[2:], [b"42"])
        self.assertIn(b"   2  2026-11-21 16:09:14  pretzel        10   12.00  alice    open\r\n",
                      self.shown)
        self.assertIn(b"The order is cancelled.\r\nThe balance is 19.00.\r\n", self.shown)


class Letters(StandInMenu):
    """Sealed messages."""

    LETTER = b"Number to read, w to write one, or empty for the menu: "
    MAKE = b"Make one? (y, or empty for the menu): "

    def post(self):
        self.keys = {}
        self.letters = []
        self.lost = False
        return self.serve(self.talk)

    def talk(self, link):
        while True:
            words = link.read()
            link.say(self.answer(words))

    def answer(self, words):
        name = words[0]
        if name == b"KEY" and words[1] == b"SET":
            self.keys[b"alice"] = words[2]
            return b"+OK\r\n"
        if name == b"KEY":
            return pairs(name=words[1], jwk=self.keys.get(words[1]))
        if name == b"SEND":
            if self.lost:
                raise Closed
            self.letters.append((words[1], words[3]))
            return pairs(message=100 + len(self.letters))
        if name == b"INBOX":
            return rows(*(pairs(number=101 + at, **{"from": "alice"}, id=id, size=len(envelope),
                                time="2026-11-21T16:09:14.729Z")
                          for at, (id, envelope) in enumerate(self.letters)))
        if name == b"READ":
            id, envelope = self.letters[int(words[1]) - 101]
            return pairs(number=int(words[1]), **{"from": "alice"}, id=id, envelope=envelope)
        return b"%0\r\n" if name == b"HELLO" else bulk("ids_forgotten:0\r\n")

    def write(self, text):
        return choose("messages", (self.LETTER, b"w"), (b"To whom: ", b"alice"),
                      (b"Text: ", text))

    def test_a_key_is_made_and_a_message_written_and_read(self):
        server = self.post()
        self.menu(server, [*choose("messages", (self.MAKE, b"y"), (self.LETTER, BACK)),
                           *self.write(b"the fridge is empty"),
                           *choose("messages", (self.LETTER, b"1")), END])
        self.assertIn(b"You have no key for messages yet.", self.shown)
        self.assertIn(b"The mailbox is empty.", self.shown)
        self.assertIn(b"Sent, signed and sealed.", self.shown)
        self.assertRegex(self.shown, rb"   1  alice  2026-11-21 16:09:14  +\d+\r\n")
        self.assertIn(b"text: the fridge is empty\r\n", self.shown)
        self.assertNotIn(b"the fridge", self.letters[0][1])
        self.assertRegex(self.letters[0][0], MADE_ID)
        self.assertNotIn(self.letters[0][0], self.shown)
        self.assertEqual(self.said(server, b"READ"), [[b"READ", b"101"]])

    def test_without_a_key_nothing_is_made_unasked(self):
        server = self.post()
        self.keys[b"alice"] = b"{}"
        self.menu(server, [*choose("messages", (self.MAKE, b"n")),
                           *choose("messages", (self.MAKE, BACK)), END])
        self.assertEqual(self.shown.count(b"Your key for messages is not here"), 2)
        self.assertEqual(self.keys[b"alice"], b"{}")
        self.assertEqual(os.listdir(f"{self.folder}/home/.config/penny/messages/alice"), [])

    def test_wrong_answers_and_refusals_leave_the_menu(self):
        server = self.post()
        self.menu(server, [*choose("messages", (self.MAKE, b"y"), (self.LETTER, b"1")),
                           *choose("messages", (self.LETTER, b"x")),
                           *choose("messages", (self.LETTER, b"w"), (b"To whom: ", b"bob"),
                                   (b"Text: ", b"x")),
                           *choose("messages", (self.LETTER, b"w"), (b"To whom: ", b"NO NAME"),
                                   (b"Text: ", b"x")),
                           *choose("messages", (self.LETTER, b"w"), (b"To whom: ", BACK)),
                           *self.write(b"--file"), END])
        self.assertEqual(self.shown.count(b"the number of a message in the list, is wanted"), 2)
        self.assertIn(b"bob has no key yet", self.shown)
        self.assertIn(b"'NO NAME' is no name", self.shown)
        self.assertIn(b"a word of penny's own", self.shown)
        self.assertEqual(self.letters, [])

    def test_a_message_whose_answer_is_lost_is_sent_again_under_its_id(self):
        server = self.post()

        def lose():
            self.lost = True
            return b"one"

        def find():
            self.lost = False
            return b"y"
        self.menu(server, [*choose("messages", (self.MAKE, b"y"), (self.LETTER, b"w"),
                                   (b"To whom: ", b"alice"), (b"Text: ", lose)), (AGAIN, find),
                           END], options=("--timeout", "2"))
        sent = self.said(server, b"SEND")
        self.assertGreater(len(sent), 1)
        self.assertTrue(all(words == sent[0] for words in sent))
        self.assertIn(b"Sent, signed and sealed.", self.shown)


class Whole(BankMenu):
    """The shop and the mailbox with the server."""

    def test_an_order_is_made_shown_and_cancelled(self):
        before = float(self.balance("alice"))
        picked = ((Shop.ITEM, b"1"), (Shop.MANY, b"2"), (Shop.SURE, b"y"))
        number = b"Number of the order to cancel, or empty for the menu: "
        self.menu([*self.sign_in(), *choose("order", *picked), *choose("order", *picked),
                   *choose("orders", (number, b"1")), *choose("orders", (number, BACK)),
                   *choose("statement", (b"newest first: ", b"3")), END])
        self.assertIn(b"2 x mate at 1.50 is 3.00.\r\n", self.shown)
        self.assertEqual(self.shown.count(b"Ordered for 3.00.\r\n"), 2)
        self.assertIn(f"The balance is {before - 6:.2f}.\r\n".encode(), self.shown)
        self.assertIn(f"The order is cancelled.\r\nThe balance is {before - 3:.2f}.".encode(),
                      self.shown)
        self.assertEqual(float(self.balance("alice")), before - 3)
        with self.bank.wire("alice") as wire:
            self.assertEqual(len(wire.ask("ORDERS")), 1)

    def test_what_is_dearer_by_now_is_refused(self):
        with self.bank.wire("admin") as admin:
            def agree():
                self.assertEqual(admin.ask("ITEM", "SET", "coffee", "1.10"), "OK")
                return b"y"
            self.menu([*self.sign_in(), *choose("order", (Shop.ITEM, b"3"), (Shop.MANY, b"1"),
                                                (Shop.SURE, agree)), END])
        self.assertIn(b"Refused: the price of coffee is 1.10 now (STATE)\r\n", self.shown)

    def test_letters_go_both_ways_and_to_the_server(self):
        made = choose("messages", (Letters.MAKE, b"y"), (Letters.LETTER, BACK))

        def write(to, text):
            return choose("messages", (Letters.LETTER, b"w"), (b"To whom: ", to),
                          (b"Text: ", text))
        self.menu([*self.sign_in("bob"), *made, END], name="bob")
        self.menu([*self.sign_in(), *made, *write(b"bob", b"the fridge is empty"), END])
        self.assertIn(b"Sent, signed and sealed.", self.shown)
        self.menu([*self.sign_in("bob"), *choose("messages", (Letters.LETTER, b"1")),
                   *write(b"alice", b"I bring ten bottles"), END], name="bob")
        self.assertIn(b"text: the fridge is empty\r\n", self.shown)
        self.menu([*self.sign_in(), *choose("messages", (Letters.LETTER, b"1")), END])
        self.assertIn(b"from: bob\r\n", self.shown)
        self.assertIn(b"text: I bring ten bottles\r\n", self.shown)


if __name__ == "__main__":
    unittest.main()

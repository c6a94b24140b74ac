"""pennyctl user: what USER does, for a bank that is stopped."""

import os
import pty
import select
import unittest

from bank import SECONDS_MAX, program
from old_bank import OldBank
from resp import Error

VERBS = ("list", "add", "del", "role", "passwd", "lock", "unlock", "name")
SECRET = "a long password"
USUAL = "/etc/pennyd/pennyd.conf"  # Of a bank that is none of ours.


class UserTool(unittest.TestCase):
    def setUp(self):
        self.bank = OldBank()
        self.addCleanup(self.bank.close)

    def user(self, verb, *words, expect=0, **more):
        return self.bank.pennyctl("user", verb, *words, self.bank.home, expect=expect, **more)

    def refused(self, verb, *words, **more):
        done = self.user(verb, *words, expect=1, **more)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Apennyctl: [^\n]+\n\Z")
        return done.stderr

    def login(self, name, password):
        wire = self.bank.wire(terminal="alice")
        reply = wire.ask("AUTH", name, password)
        wire.close()
        return reply.word if isinstance(reply, Error) else reply

    def test_a_lost_password_of_the_admin(self):
        self.assertEqual(self.user("passwd", "admin", input=SECRET + "\n").stdout,
                         "admin: has a new password\n")
        self.bank.start()
        self.assertEqual(self.login("admin", SECRET), "OK")
        self.assertEqual(self.login("admin", self.bank.passwords["admin"]), "WRONGPASS")
        self.assertIn("the books sum to zero", self.bank.check())
        audit = self.bank.pennyctl("audit", self.bank.home, "--person", "admin").stdout
        self.assertTrue(audit.endswith("(pennyctl) at (local): password admin\n"), audit)

    def test_an_admin_who_was_locked_is_let_in_again(self):
        self.user("add", "boss", "--role", "admin", input=SECRET)
        self.assertEqual(self.user("lock", "admin").stdout, "admin: locked\n")
        self.assertIn("boss: the last active admin stays", self.refused("lock", "boss"))
        self.assertIn("boss: the last active admin stays", self.refused("role", "boss", "till"))
        self.assertIn("boss: the last active admin stays", self.refused("del", "boss"))
        self.assertEqual(self.user("unlock", "admin").stdout, "admin: active\n")
        self.bank.start()
        self.assertEqual(self.login("admin", self.bank.passwords["admin"]), "OK")

    def test_every_verb_does_what_its_word_does(self):
        self.assertEqual(self.user("add", "dora", input=SECRET + "\n").stdout, "dora: added\n")
        self.assertEqual(self.user("role", "dora", "till").stdout, "dora: till\n")
        self.user("name", "dora", "Dora \u00d6l")
        self.user("lock", "bob")
        self.user("add", "emil", "--password-file=-", input=SECRET)
        self.user("del", "emil")
        lines = self.user("list").stdout.splitlines()
        self.assertRegex(lines[-2], r"^dora +till +active +none +Dora \u00d6l$")
        self.assertRegex(lines[-1], r"^emil +customer +removed +none$")
        self.assertEqual(self.bank.people()["bob"], ["customer", "locked", "none"])
        self.bank.start()
        self.assertEqual(self.login("dora", SECRET), "OK")
        self.assertEqual(self.login("bob", self.bank.passwords["bob"]), "WRONGPASS")
        self.assertEqual(self.login("emil", SECRET), "WRONGPASS")
        with self.bank.wire("admin", protocol=3) as admin:
            row = admin.ask("USER", "LIST", "AFTER", "admin")[0]
            self.assertEqual((row[b"person"], row[b"role"], row[b"name"]),
                             (b"dora", b"till", "Dora \u00d6l".encode()))
        self.assertIn("the books sum to zero", self.bank.check())
        self.user("name", "dora", "")
        self.assertRegex(self.user("list").stdout.splitlines()[-2], r"none$")

    def test_all_is_safe_to_do_again(self):
        self.user("add", "dora", input=SECRET)
        self.assertIn("dora: the name is taken", self.refused("add", "dora", input=SECRET))
        for words, first in ((("role", "dora", "till"), "till"), (("lock", "dora"), "locked"),
                             (("unlock", "dora"), "active"),
                             (("name", "dora", "D"), "has a new name to show"),
                             (("passwd", "dora"), "has a new password"),
                             (("del", "dora"), "removed for good")):
            self.assertEqual(self.user(*words, input="another password").stdout,
                             f"dora: {first}\n")
            before = self.bank.data_files()
            if words[0] != "del":
                self.assertEqual(self.user(*words, input="another password").stdout,
                                 "dora: it is so already\n")
                self.assertEqual(self.bank.data_files(), before, words)
        self.assertEqual(self.user("del", "dora").stdout, "dora: it is so already\n")
        self.assertIn("this person was removed", self.refused("passwd", "dora", input=SECRET))
        self.assertIn("this person was removed", self.refused("unlock", "dora"))
        self.assertIn("dora: the name is taken", self.refused("add", "dora", input=SECRET))

    def test_what_cannot_be(self):
        before = self.bank.data_files()
        self.assertIn("alice: the account still has money", self.refused("del", "alice"))
        self.assertIn("there is no person nobody", self.refused("lock", "nobody"))
        self.assertIn("there is no person ALICE", self.refused("lock", "ALICE"))
        self.assertIn("is no name", self.refused("add", "A b", input=SECRET))
        self.assertIn("the name is reserved", self.refused("add", "cash", input=SECRET))
        self.assertIn("8 to 128 bytes", self.refused("add", "dora", input="short"))
        self.assertIn("8 to 128 bytes", self.refused("passwd", "bob", input="x" * (1 << 20)))
        self.assertIn("8 to 128 bytes", self.refused("passwd", "bob"))
        self.assertIn("63 bytes", self.refused("name", "bob", "x" * 64))
        self.assertIn("63 bytes", self.refused("name", "bob", "a\tb"))
        self.assertIn("No such file", self.refused("passwd", "bob", "--password-file", "gone"))
        for words in (("role", "bob"), ("role", "bob", "king"), ("add",), ("list", "x", "y"),
                      ("add", "x", "--role", "king"), ("lock", "bob", "--role", "till"),
                      ("role", "bob", "till", "--password-file", "x"), ("passwd", "bob", "--role"),
                      ("passwd", "--password", "bob")):
            done = self.bank.pennyctl("user", *words, self.bank.home if words[0] == "list" else
                                      "--", expect=2)
            self.assertRegex(done.stderr, r"\Apennyctl: [^\n]+\n\Z")
        self.assertEqual(self.bank.data_files(), before)

    def test_more_people_than_there_is_room_for(self):
        self.bank.conf("accounts", 7)
        self.user("add", "dora", input=SECRET)
        self.assertIn("raise [limits] accounts", self.refused("add", "emil", input=SECRET))
        self.bank.conf("accounts", 6)
        self.assertIn("accounts", self.refused("lock", "bob"))

    def test_beside_a_server(self):
        self.bank.start()
        for verb, words in (("list", ()), ("add", ("dora",)), ("del", ("bob",)),
                            ("role", ("bob", "till")), ("passwd", ("admin",)),
                            ("lock", ("bob",)), ("unlock", ("bob",)), ("name", ("bob", "B"))):
            self.assertIn(f"in use by process {self.bank.process.pid}; stop it, or do it as an "
                          "admin, with USER", self.refused(verb, *words, input=SECRET))

    def test_every_verb_has_help(self):
        whole = self.bank.pennyctl("user", "--help").stdout
        for verb in VERBS:
            said = self.bank.pennyctl("user", verb, "--help").stdout
            self.assertTrue(said.startswith(f"usage: pennyctl user {verb} "), said)
            self.assertIn(f"  pennyctl user {verb} ", whole)
        self.assertIn('no verb "user add-all"',
                      self.bank.pennyctl("user", "add-all", expect=2).stderr)
        self.assertIn("pennyctl user --help", self.bank.pennyctl("user", expect=2).stderr)

    def test_the_bank_of_the_folder_is_meant_where_none_is_named(self):
        self.assertIn("bob", self.bank.pennyctl("user", "list", cwd=self.bank.home).stdout)
        if not os.path.exists(USUAL):
            self.assertIn("which bank?", self.bank.pennyctl("user", "list", expect=1).stderr)
        data = self.bank.path("data")
        self.assertIn("bob: locked", self.bank.pennyctl("user", "lock", "bob", data).stdout)

    @unittest.skipUnless(os.geteuid() == 0, "only root can be somebody else here")
    def test_another_user_leaves_no_files_that_the_server_cannot_read(self):
        os.chown(self.bank.path("data"), 12345, 12345)
        before = self.bank.data_files()
        for words in (("list",), ("lock", "bob"), ("passwd", "admin")):
            self.assertIn("belongs to user 12345", self.refused(*words, input=SECRET))
        self.assertEqual(self.bank.data_files(), before)

    def test_at_a_terminal_the_password_is_asked_twice_and_not_shown(self):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(program("pennyctl"), ["pennyctl", "user", "passwd", "bob", self.bank.home])
        shown, answered = "", 0
        while True:
            if not select.select([terminal], [], [], SECONDS_MAX)[0]:
                os.kill(pid, 9)
                break
            try:
                piece = os.read(terminal, 4096).decode()
            except OSError:
                break
            if not piece:
                break
            shown += piece
            asked = shown.count("Password for bob") + shown.count("Once more: ")
            if asked > answered:
                answered = asked
                os.write(terminal, SECRET.encode() + b"\n")
        os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), 0, shown)
        self.assertEqual(answered, 2)
        self.assertNotIn(SECRET, shown)
        self.assertIn("bob: has a new password", shown)

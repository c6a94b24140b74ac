"""`pennyctl init`: what it makes, what it refuses, and that it never writes over anything."""

import os
import pty
import re
import select
import shlex
import shutil
import stat
import subprocess
import tempfile
import unittest

from bank import SECONDS_MAX, Bank, program, run

PUBLIC = ["pennyd.conf", "client.conf", "certs/ca.crt", "certs/server.crt", "certs/crl.pem"]
SECRET = ["certs/ca.key", "certs/server.key"]
DEMO_CERTIFICATES = ["alice", "bob", "till", "admin", "kiosk"]
DEMO_PEOPLE = {"alice": "customer", "bob": "customer", "till": "till", "admin": "admin"}


def tree(folder):
    """Every path below a folder with its content, to see whether anything changed."""
    found = {}
    for where, folders, files in os.walk(folder):
        for name in folders:
            found[os.path.relpath(os.path.join(where, name), folder)] = None
        for name in files:
            path = os.path.join(where, name)
            content = os.readlink(path) if os.path.islink(path) else open(path, "rb").read()
            found[os.path.relpath(path, folder)] = content
    return found


class InitTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="init-", dir=os.environ.get("PENNY_TMP"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.home = os.path.join(self.folder, "bank")

    def path(self, *parts):
        return os.path.join(self.home, *parts)

    def init(self, *words, expect=0, **options):
        return run([program("pennyctl"), "init", *words], expect=expect, **options)

    def refused(self, *words, expect=1, **options):
        """Runs an init that must be refused with one line, and gives that line."""
        done = self.init(*words, expect=expect, **options)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Apennyctl: [^\n]+\n\Z")
        return done.stderr

    def password_file(self, text):
        path = os.path.join(self.folder, "password")
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def mode(self, *parts):
        return stat.S_IMODE(os.stat(self.path(*parts)).st_mode)

    # --- What is made ---

    def test_a_demo_has_everything_and_says_the_passwords_once(self):
        done = self.init(self.home, "--demo")
        self.assertEqual(done.stderr, "")
        passwords = dict(re.findall(r"^login (\S+) (\S+)$", done.stdout, re.M))
        self.assertEqual(set(passwords), set(DEMO_PEOPLE))
        self.assertEqual(len(set(passwords.values())), 4)
        for password in passwords.values():
            self.assertRegex(password, r"\A[a-km-np-z2-9]{12}\Z")
        clients = [f"certs/clients/{name}" for name in DEMO_CERTIFICATES]
        for path in PUBLIC + [client + ".crt" for client in clients]:
            self.assertEqual(self.mode(path), 0o644, path)
        for path in SECRET + [client + ".key" for client in clients]:
            self.assertEqual(self.mode(path), 0o600, path)
        self.assertEqual(self.mode("data"), 0o700)
        self.assertEqual(sorted(os.listdir(self.home)),
                         ["certs", "client.conf", "data", "pennyd.conf"])
        self.assertEqual(len(os.listdir(self.path("certs", "clients"))), 10)
        for path, content in tree(self.home).items():
            if content is not None and not isinstance(content, str):
                for password in passwords.values():
                    self.assertNotIn(password.encode(), content, path)

    def test_the_people_of_a_demo_are_in_its_book(self):
        self.init(self.home, "--demo")
        with open(self.path("data", "passwd"), encoding="ascii") as text:
            rows = {line.split(":")[0]: line.split(":") for line in text if ":" in line}
        for name, role in DEMO_PEOPLE.items():
            self.assertEqual(rows[name][1], role)
            self.assertIn("$argon2id$v=19$m=19456,t=2,p=1$", ":".join(rows[name]))

    def test_two_demos_share_nothing(self):
        other = os.path.join(self.folder, "other")
        first, second = self.init(self.home, "--demo"), self.init(other, "--demo")
        logins = [set(re.findall(r"^login .*", done.stdout, re.M)) for done in (first, second)]
        self.assertFalse(logins[0] & logins[1])
        for path in SECRET + ["certs/ca.crt"]:
            texts = [open(os.path.join(home, path), "rb").read() for home in (self.home, other)]
            self.assertNotEqual(*texts)

    def test_a_bank_without_demo_has_one_admin_and_names_the_next_commands(self):
        done = self.init(self.home, "--password-file", self.password_file("long enough\n"))
        self.assertNotIn("login ", done.stdout)
        commands = re.findall(r"^  (penny\S* .*)$", done.stdout, re.M)
        self.assertEqual(len(commands), 3)
        self.assertIn(f"pennyd {shlex.quote(self.path('pennyd.conf'))}", commands)
        self.assertEqual(sorted(os.listdir(self.path("certs", "clients"))),
                         ["admin.crt", "admin.key"])
        with open(self.path("pennyd.conf"), encoding="utf-8") as text:
            conf = text.read()
        self.assertIn("\nregister = till\n", conf)
        self.assertIn("\n#[terminal default]\n", conf)
        self.assertIn("\nself-service = no\n", conf)
        self.assertNotIn("DEMO", conf)

    def test_tills_have_a_certificate_a_role_and_a_client_conf_that_can_be_moved(self):
        text = "the admin's own\nthe first till's\nthe other's own\n"
        self.init(self.home, "--till", "till", "--till=bar-2", "--name", "localhost",
                  "--password-file", self.password_file(text))
        self.assertEqual(sorted(os.listdir(self.path("certs", "clients"))),
                         ["admin.crt", "admin.key", "bar-2.conf", "bar-2.crt", "bar-2.key",
                          "till.conf", "till.crt", "till.key"])
        with open(self.path("data", "passwd"), encoding="ascii") as text:
            rows = dict(line.split(":")[:2] for line in text if ":" in line)
        self.assertEqual(rows, {"admin": "admin", "till": "till", "bar-2": "till"})
        moved = os.path.join(self.folder, "on the till")
        shutil.copytree(self.path("certs"), moved)
        os.remove(os.path.join(moved, "ca.key"))
        with Bank(start=False) as bank:  # For its server alone.
            shutil.rmtree(bank.home)
            shutil.copytree(self.home, bank.home, symlinks=True)
            bank.start()
            for name, password in (("till", "the first till's"), ("bar-2", "the other's own")):
                done = run([program("penny"), "-c", os.path.join(moved, "clients", f"{name}.conf"),
                            "-p", str(bank.port), "DEPOSIT", f"{name}-1", "5.00", "admin"],
                           env=dict(os.environ, PENNY_PASS=password))
                self.assertRegex(done.stdout, "^entry: ")

    def test_a_till_without_a_password_is_refused(self):
        line = self.refused(self.home, "--till", "till", "--password-file",
                            self.password_file("one alone\n"))
        self.assertIn("has 1 lines, and 2 passwords are wanted", line)
        line = self.refused(self.home, "--till", "till", "--password-file",
                            self.password_file("one alone\nshort\n"))
        self.assertIn("8 to 128 bytes", line)
        self.assertFalse(os.path.exists(self.home))

    def test_the_configuration_says_what_was_asked_for(self):
        self.init(self.home, "--demo", "--currency", "CHF", "--scale=3", "--address", "::1")
        with open(self.path("pennyd.conf"), encoding="utf-8") as text:
            conf = text.read()
        for line in ("currency = CHF", "scale = 3", "address = ::1", "register = open",
                     "self-service = yes", "data = data", "certificate = certs/server.crt"):
            self.assertIn(f"\n{line}\n", conf)
        self.assertIn("THIS IS A DEMO", conf)
        with open(self.path("client.conf"), encoding="utf-8") as text:
            client = text.read()
        for line in ("host = ::1", "port = 6226", "cacert = certs/ca.crt", "user = alice",
                     "cert = certs/clients/alice.crt", "key = certs/clients/alice.key"):
            self.assertIn(f"\n{line}\n", client)

    def test_a_folder_that_is_there_is_used_and_its_other_files_stay(self):
        os.mkdir(self.home)
        with open(self.path("notes.txt"), "w", encoding="ascii") as out:
            out.write("mine")
        self.init(self.home, "--demo")
        with open(self.path("notes.txt"), encoding="ascii") as text:
            self.assertEqual(text.read(), "mine")

    def test_a_password_may_come_from_standard_input(self):
        self.init(self.home, "--password-file", "-", input="from a pipe\n")
        self.assertTrue(os.path.exists(self.path("pennyd.conf")))

    # --- What is refused ---

    def test_nothing_is_ever_overwritten(self):
        self.init(self.home, "--demo")
        before = tree(self.home)
        self.assertIn(self.path("pennyd.conf"), self.refused(self.home, "--demo"))
        self.assertEqual(tree(self.home), before)

    def test_any_single_file_in_the_way_is_named_and_kept(self):
        for path in PUBLIC + SECRET + ["data", "certs/clients/kiosk.key", "certs/clients/bob.crt"]:
            with self.subTest(path):
                home = os.path.join(self.folder, path.replace("/", "_"))
                os.makedirs(os.path.dirname(os.path.join(home, path)))
                with open(os.path.join(home, path), "w", encoding="ascii") as out:
                    out.write("mine")
                before = tree(home)
                self.assertIn(f"{home}/{path}", self.refused(home, "--demo"))
                self.assertEqual(tree(home), before)

    def test_a_link_in_the_way_is_not_followed(self):
        os.makedirs(self.path("certs"))
        os.symlink(os.path.join(self.folder, "elsewhere"), self.path("certs", "ca.key"))
        self.assertIn("certs/ca.key", self.refused(self.home, "--demo"))
        self.assertFalse(os.path.exists(os.path.join(self.folder, "elsewhere")))

    def test_a_failure_half_way_leaves_only_what_was_there(self):
        os.makedirs(self.path("certs"))
        with open(self.path("certs", "clients"), "w", encoding="ascii") as out:
            out.write("a file where a folder must be")
        before = tree(self.home)
        self.assertIn("certs/clients", self.refused(self.home, "--demo"))
        self.assertEqual(tree(self.home), before)

    def test_passwords_that_cannot_be_printed_undo_the_bank(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([program("pennyctl"), "init", self.home, "--demo"], check=False,
                                  stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE,
                                  timeout=SECONDS_MAX, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\Apennyctl: [^\n]+\n\Z")
        self.assertFalse(os.path.exists(self.home))

    def test_a_parent_that_is_missing_is_named(self):
        home = os.path.join(self.folder, "no", "bank")
        self.assertIn(home, self.refused(home, "--demo"))

    def test_wrong_words_are_refused_with_2_before_anything_is_made(self):
        for words in (["--currency", "eur"], ["--currency", ""], ["--currency", "ABCDEFGHI"],
                      ["--currency", "E1"], ["--currency"], ["--scale", "5"], ["--scale", "-1"],
                      ["--scale", "two"], ["--scale", "02"], ["--address", "localhost"],
                      ["--address", "1.2.3"], ["--address", ""], ["--name", "a b"],
                      ["--name", "*.example.org"], ["--name", ""], ["--name", "a,CN=b"],
                      ["--demo=yes"], ["--frob"], ["another"], ["--password-file"],
                      ["--name", "a"] * 9, ["--demo", "--password-file", "x"], ["--till"],
                      ["--till", "admin"], ["--till", "Till"], ["--till", "cash"],
                      ["--till", "a", "--till", "a"], ["--demo", "--till", "bar"],
                      ["--till", "a", "--till", "b", "--till", "c", "--till", "d"]):
            with self.subTest(words):
                self.refused(self.home, *words, expect=2)
                self.assertFalse(os.path.exists(self.home))
        self.refused(expect=2)
        self.refused("", expect=2)

    def test_short_and_long_passwords_are_refused(self):
        for text in ("", "\n", "seven b\n", "x" * 129 + "\n", "\neight bytes on the second line\n"):
            with self.subTest(text):
                line = self.refused(self.home, "--password-file", self.password_file(text))
                self.assertIn("8 to 128 bytes", line)
                self.assertFalse(os.path.exists(self.home))
        self.init(self.home, "--password-file", self.password_file("x" * 128))

    def test_a_password_file_that_is_not_there_is_named(self):
        path = os.path.join(self.folder, "absent")
        self.assertIn(path, self.refused(self.home, "--password-file", path))
        self.assertFalse(os.path.exists(self.home))

    def test_without_a_terminal_it_says_what_to_do(self):
        line = self.refused(self.home, start_new_session=True)
        self.assertIn("--password-file", line)
        self.assertFalse(os.path.exists(self.home))

    # --- The terminal ---

    def ask(self, *answers):
        """Runs init on a terminal of its own; gives the exit code and all that was shown."""
        pid, fd = pty.fork()
        if pid == 0:
            os.execv(program("pennyctl"), ["pennyctl", "init", self.home])
        shown, sent = b"", 0
        try:
            while True:
                ready, _, _ = select.select([fd], [], [], SECONDS_MAX)
                self.assertTrue(ready, f"nothing more is shown after {shown!r}")
                try:
                    part = os.read(fd, 4096)
                except OSError:
                    break
                if not part:
                    break
                shown += part
                asked = len(re.findall(rb"Password for [^:]*: |Once more: ", shown))
                while sent < min(asked, len(answers)):
                    os.write(fd, answers[sent])
                    sent += 1
        finally:
            os.close(fd)
            _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status), shown.decode()

    def test_the_password_is_asked_twice_and_never_shown(self):
        code, shown = self.ask(b"a fine password\n", b"a fine password\n")
        self.assertEqual(code, 0, shown)
        self.assertIn("Password for admin", shown)
        self.assertIn("Once more", shown)
        self.assertNotIn("fine", shown)
        self.assertTrue(os.path.exists(self.path("pennyd.conf")))

    def test_a_repetition_that_differs_is_asked_again(self):
        code, shown = self.ask(b"a fine password\n", b"another password\n",
                               b"third password\n", b"third password\n")
        self.assertEqual(code, 0, shown)
        self.assertIn("They differ", shown)

    def test_a_short_password_on_the_terminal_makes_nothing(self):
        code, shown = self.ask(b"short\n")
        self.assertEqual(code, 1, shown)
        self.assertFalse(os.path.exists(self.home))

    def test_an_interrupt_while_asking_makes_nothing(self):
        code, _ = self.ask(b"\x03")
        self.assertEqual(code, -2)  # SIGINT
        self.assertFalse(os.path.exists(self.home))


class ToolTest(unittest.TestCase):
    def test_help_and_version(self):
        for words in (["--help"], ["-h"], ["init", "--help"]):
            self.assertIn("pennyctl init DIR", run([program("pennyctl"), *words]).stdout)
        self.assertRegex(run([program("pennyctl"), "--version"]).stdout, r"\Apennyctl \S+\n\Z")

    def test_no_verb_and_an_unknown_one_are_usage(self):
        for words in ([], ["frobnicate"], [""]):
            done = run([program("pennyctl"), *words], expect=2)
            self.assertEqual(done.stdout, "")
            self.assertRegex(done.stderr, r"\Apennyctl: [^\n]*--help[^\n]*\n\Z")

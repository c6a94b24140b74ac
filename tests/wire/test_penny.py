"""penny against a server that no one here wrote; see tests/lib/standin.py."""

import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time

from bank import program
from standin import HELLO, SECONDS_MAX, PennyTest, answers


class CommandLine(PennyTest):
    def test_help_and_version_need_nothing(self):
        self.assertIn("--cacert", self.penny("--help"))
        self.assertTrue(self.penny("--version").startswith("penny "))
        self.assertIn("TRANSFER id to amount", self.penny("help", "transfer"))
        self.penny("help", "NOSUCH", code=1)

    def test_ping_asks_without_logging_in(self):
        server = self.serve(answers({b"TIME": b"*2\r\n$1\r\n7\r\n$1\r\n0\r\n"}))
        options = [*self.options(server), "--user", "alice"]
        self.assertEqual(self.penny(*options, "ping"), "PONG\n")
        self.assertEqual(self.penny(*options, "--json", "ping"), '"PONG"\n')
        self.assertEqual([link.commands for link in server.links], [[[b"TIME"]]] * 2)
        self.assertIn("    ping ", self.penny("--help"))
        for verb in ("key [show", "send NAME TEXT", "inbox\n", "read N"):
            self.assertIn(f"    {verb}", self.penny("--help"))

    def test_ping_fails_in_one_line_where_nobody_answers_in_time(self):
        refusing = self.serve(answers({b"TIME": b"-LOADING soon\r\n"}))
        silent = socket.create_server(("127.0.0.1", 0))  # It takes connections and says nothing.
        self.addCleanup(silent.close)
        nobody = [*self.options(None)]
        deaf = self.options(refusing)
        deaf[3] = str(silent.getsockname()[1])
        for options in (nobody, deaf, self.options(refusing)):
            self.assertEqual(self.penny(*options, "--timeout", "1", "ping", code=1), "")
            self.assertEqual(self.err.count("\n"), 1, self.err)
        self.penny(*nobody, "ping", "me", code=2)

    def test_a_word_of_its_own_goes_to_the_server_behind_two_dashes(self):
        server = self.serve(answers({}))
        for word in ("help", "ping"):
            self.penny(*self.options(server), "--", word)
        self.assertEqual([link.commands for link in server.links], [[[b"help"]], [[b"ping"]]])

    def test_wrong_usage_exits_with_two_and_one_line(self):
        for words in (["--nosuch"], ["--host"], ["--json=yes"], ["-p", "0", "PING"],
                      ["-p", "65536", "PING"], ["--timeout", "0"], ["--timeout", "x"],
                      ["--cert", "a", "PING"], ["--key", "a", "PING"], ["host:", "PING"],
                      ["host:0", "PING"], ["::1:6226", "PING"], ["[::1]", "PING"], [":1", "PING"],
                      ["--raw", "PING"], ["--pass", "x" * 129, "PING"], ["PING"]):
            with self.subTest(words=words):
                self.assertEqual(self.penny(*words, code=2), "")
                self.assertEqual(self.err.count("\n"), 1)
                self.assertTrue(self.err.startswith("penny: "))

    def test_an_address_may_come_first(self):
        server = self.serve(answers({}))
        for address in (f"127.0.0.1:{server.port}", f"localhost:{server.port}",
                        f"[127.0.0.1]:{server.port}"):
            options = self.options(None)[4:]
            self.assertEqual(self.penny(*options, address, "PING"), "OK\n")

    def test_words_behind_the_command_are_never_options(self):
        server = self.serve(answers({}))
        self.penny(*self.options(server), "ECHO", "--json", "-h", "")
        self.penny(*self.options(server), "--", "--echo")
        self.assertEqual(server.links[0].commands, [[b"ECHO", b"--json", b"-h", b""]])
        self.assertEqual(server.links[1].commands, [[b"--echo"]])

    def test_too_many_and_too_long_words_are_refused(self):
        server = self.serve(answers({}))
        self.penny(*self.options(server), *(["x"] * 17), code=2)
        self.penny(*self.options(server), "ECHO", "x" * 17000, code=2)
        self.assertEqual(server.links, [])

    def test_every_address_of_a_name_is_tried(self):
        # Where localhost is ::1 too, nobody listens there.
        server = self.serve(answers({}))
        options = ["-h", "localhost"] + self.options(server)[2:]
        self.assertEqual(self.penny(*options, "PING"), "OK\n")


class Configuration(PennyTest):
    def write(self, path, text):
        path = f"{self.folder}/{path}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def conf(self, server, **keys):
        keys = {"host": "127.0.0.1", "port": server.port, "cacert": f"{self.certs}/ca.crt",
                "cert": f"{self.certs}/till.crt", "key": f"{self.certs}/till.key", **keys}
        return "# one\n[client]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items() if v)

    def test_files_are_looked_for_in_order(self):
        server = self.serve(answers({}))
        good = self.conf(server)
        self.penny("PING", code=2)
        self.write("home/.config/penny/client.conf", good)
        self.penny("PING")
        self.assertEqual(self.err, f"penny: using {self.folder}/home/.config/penny/client.conf\n")
        self.write("client.conf", good)
        self.penny("PING")
        self.assertEqual(self.err, "penny: using ./client.conf\n")
        named = self.write("named.conf", good)
        self.penny("PING", environment={"PENNY_CONF": named})
        self.assertEqual(self.err, f"penny: using {named}\n")
        self.penny("-c", named, "PING")
        self.assertEqual(self.err, "")

    def test_a_file_that_was_named_must_be_there(self):
        self.penny("-c", "absent.conf", "PING", code=1)
        self.assertIn("absent.conf: No such file", self.err)
        self.penny("PING", code=1, environment={"PENNY_CONF": "absent.conf"})

    def test_paths_are_relative_to_the_file(self):
        server = self.serve(answers({}))
        for name in ("ca.crt", "till.crt", "till.key"):
            os.makedirs(f"{self.folder}/deep/certs", exist_ok=True)
            shutil.copy(f"{self.certs}/{name}", f"{self.folder}/deep/certs/")
        text = self.conf(server, cacert="certs/ca.crt", cert="certs/till.crt",
                         key="certs/till.key")
        self.write("deep/client.conf", text)
        self.assertEqual(self.penny("-c", "deep/client.conf", "PING"), "OK\n")

    def test_the_command_line_goes_before_the_file(self):
        server = self.serve(answers({}))
        self.write("client.conf", self.conf(server, host="absent.example", port="1", user="bob"))
        self.penny("-h", "127.0.0.1", "-p", server.port, "--user", "", "PING")
        self.assertEqual(server.links[0].commands, [[b"PING"]])

    def test_unknown_keys_and_sections_are_named_with_their_line(self):
        for text, line in (("[client]\nhots = x\n", 2), ("[server]\nport = 1\n", 2),
                           ("[client]\n\nnonsense\n", 3)):
            self.write("client.conf", text)
            self.penny("PING", code=1)
            self.assertIn(f"./client.conf:{line}: ", self.err)

    def test_files_that_do_not_fit_are_refused_with_a_reason(self):
        base = ["-h", "127.0.0.1", "-p", "1"]
        self.penny(*base, "--cacert", "absent.crt", "PING", code=1)
        self.assertIn("absent.crt", self.err)
        self.penny(*base, "--cacert", f"{self.certs}/till.key", "PING", code=1)
        self.assertIn("the CA file holds no readable certificate", self.err)
        self.penny(*base, "--cacert", f"{self.certs}/ca.crt", "--cert", f"{self.certs}/till.crt",
                   "--key", f"{self.certs}/ca.key", "PING", code=1)
        self.assertIn("the key does not belong to the certificate", self.err)


class Trust(PennyTest):
    def test_a_server_of_another_name_is_refused(self):
        server = self.serve(answers({}), "elsewhere")
        self.penny(*self.options(server), "PING", code=1)
        self.assertIn("certificate is for another name", self.err)
        self.assertEqual(server.links, [])

    def test_a_server_of_another_ca_is_refused(self):
        server = self.serve(answers({}))
        options = self.options(server)
        options[5] = f"{self.certs}/other.crt"
        self.penny(*options, "PING", code=1)
        self.assertIn("certificate not signed by our CA", self.err)

    def test_a_refused_terminal_is_told_so(self):
        server = self.serve(answers({}))
        for name in ("stranger", None):
            self.penny(*self.options(server, name), "TRANSFER", "a1", "bob", "1", code=1)
            self.assertIn("did not accept our certificate", self.err)
            self.assertNotIn("outcome unknown", self.err)

    def test_a_server_without_tls_is_refused(self):
        with socket.create_server(("127.0.0.1", 0)) as plain:
            def talk():
                link, _ = plain.accept()
                link.sendall(b"-ERR this port speaks no TLS\r\n")
                link.recv(65536)
                link.close()
            thread = threading.Thread(target=talk, daemon=True)
            thread.start()
            options = self.options(None)
            options[3] = str(plain.getsockname()[1])
            self.penny(*options, "PING", code=1)
            thread.join(SECONDS_MAX)
        self.assertIn("not a TLS record", self.err)

    def test_nobody_there_is_one_line(self):
        self.penny(*self.options(None), "PING", code=1)
        self.assertEqual(self.err, "penny: 127.0.0.1 port 1: Connection refused\n")


class Replies(PennyTest):
    TREE = (b"%4\r\n+name\r\n$5\r\nalice\r\n+list\r\n*2\r\n:1\r\n%1\r\n+a\r\n_\r\n"
            b"+yes\r\n#t\r\n+half\r\n,0.5\r\n")

    def ask(self, reply, *options, code=0):
        server = self.serve(answers({b"X": reply}))
        return self.penny(*self.options(server), *options, "X", code=code)

    def test_values_are_readable(self):
        for reply, shown in ((b":7\r\n", "(integer) 7\n"), (b"$-1\r\n", "(nil)\n"),
                             (b"_\r\n", "(nil)\n"), (b"$3\r\nabc\r\n", "abc\n"),
                             (b"*0\r\n", "(empty array)\n"), (b"%0\r\n", "(empty map)\n"),
                             (b"~1\r\n+a\r\n", "1) a\n"), (b"=8\r\ntxt:a\r\nb\r\n", "a\nb\n"),
                             (b"*2\r\n+a\r\n*2\r\n+b\r\n+c\r\n", "1) a\n2) 1) b\n   2) c\n"),
                             (self.TREE, "name: alice\nlist:\n  1) (integer) 1\n  2) a: (nil)\n"
                                         "yes: (true)\nhalf: 0.5\n")):
            with self.subTest(reply=reply):
                self.assertEqual(self.ask(reply), shown)

    def test_json_is_one_line(self):
        tree = json.loads(self.ask(self.TREE, "--json"))
        self.assertEqual(tree, {"name": "alice", "list": [1, {"a": None}], "yes": True,
                                "half": "0.5"})
        self.assertEqual(json.loads(self.ask(b"-ERR \"no\"\r\n", "--json", code=1)),
                         {"error": "ERR \"no\""})
        self.assertEqual(json.loads(self.ask(b"$4\r\na\xff\x1b\\\r\n", "--json")), "a\xff\x1b\\")

    def test_an_error_goes_to_standard_error_and_exits_with_one(self):
        self.assertEqual(self.ask(b"-FUNDS too little\r\n", code=1), "")
        self.assertEqual(self.err, "(error) FUNDS too little\n")

    def test_control_bytes_do_not_reach_the_terminal(self):
        nasty = bytes(range(256)) + b"\xc2\x9b31m\xe2\x80\xa8"
        for reply in (b"$%d\r\n%s\r\n" % (len(nasty), nasty),
                      b"*1\r\n$%d\r\n%s\r\n" % (len(nasty), nasty),
                      b"%%1\r\n$%d\r\n%s\r\n:1\r\n" % (len(nasty), nasty)):
            for style in ([], ["--json"]):
                self.ask(reply, *style)
                self.assertFalse(re.search(rb"[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]", self.out))
                self.out.decode()  # nothing but UTF-8
        self.ask(b"-ERR \x1b[2J\r\n", code=1)
        self.assertEqual(self.err, "(error) ERR \\x1b[2J\n")

    def test_a_line_end_inside_a_reply_cannot_pass_for_another_reply(self):
        self.assertEqual(self.ask(b"*1\r\n$9\r\na\n2) b: c\r\n"), "1) a\\x0a2) b: c\n")

    def test_what_is_pushed_is_shown_before_the_reply(self):
        self.assertEqual(self.ask(b">1\r\n+mail\r\n+OK\r\n"), "(push) 1) mail\nOK\n")

    def test_long_replies_in_records_of_full_size(self):
        text = b"x" * 100000
        self.assertEqual(self.ask(b"$100000\r\n" + text + b"\r\n"), text.decode() + "\n")

    def test_what_is_no_reply_is_refused(self):
        for reply in (b"hello\r\n", b"*1\r\n" * 20 + b"+a\r\n", b"$2000000\r\n" + b"x" * 2000000):
            self.ask(reply, "--timeout", "20", code=1)
            self.assertIn("penny: ", self.err)


class Lines(PennyTest):
    def test_each_line_is_sent_and_answered_in_order(self):
        server = self.serve(answers({b"A": b"+one\r\n", b"B": b"-ERR two\r\n", b"C": b":3\r\n"}))
        out = self.penny(*self.options(server), stdin="A\n\n  \nB x\r\nC", code=1)
        self.assertEqual(out, "one\n(error) ERR two\n(integer) 3\n")
        self.assertEqual(server.links[0].commands, [[b"A"], [b"B", b"x"], [b"C"]])

    def test_words_are_quoted_as_redis_does(self):
        server = self.serve(answers({}))
        self.penny(*self.options(server), stdin="A \"b c\" 'd \"e' \"\\x41\\n\" \"\" f\\g\n")
        self.assertEqual(server.links[0].commands,
                         [[b"A", b"b c", b"d \"e", b"A\n", b"", b"f\\g"]])

    def test_a_line_that_cannot_be_read_is_named_and_the_rest_goes_on(self):
        server = self.serve(answers({}))
        out = self.penny(*self.options(server),
                         stdin=b'A "b\n*1\n' + b"x" * 2000 + b"\nA\0B\nLAST\n", code=1)
        self.assertEqual(out, "OK\n")
        for line in (1, 2, 3, 4):
            self.assertIn(f"line {line}: ", self.err)
        self.assertEqual(server.links[0].commands, [[b"LAST"]])

    def test_exit_and_help_are_words_of_our_own(self):
        server = self.serve(answers({}))
        out = self.penny(*self.options(server), stdin="A\nhelp balance\nexit\nB\n")
        self.assertTrue(out.startswith("OK\nBALANCE [account]\n"))
        self.assertEqual(server.links[0].commands, [[b"A"]])

    def test_a_stale_connection_is_replaced_before_the_next_command(self):
        gone = threading.Event()

        def talk(link):
            link.read()
            link.say(b"+OK\r\n")
            link.drop()
            gone.set()
        server = self.serve(talk)
        process = subprocess.Popen([program("penny"), *self.options(server)], cwd=self.folder,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, env=self.environment)
        process.stdin.write(b"REGISTER a b\n")
        process.stdin.flush()
        self.assertTrue(gone.wait(SECONDS_MAX))
        time.sleep(0.2)
        out, err = process.communicate(b"REGISTER c d\n", timeout=SECONDS_MAX)
        self.assertEqual((process.returncode, out, err), (0, b"OK\nOK\n", b""))
        self.assertEqual([link.commands for link in server.links],
                         [[[b"REGISTER", b"a", b"b"]], [[b"REGISTER", b"c", b"d"]]])


class Login(PennyTest):
    def test_it_logs_in_with_hello_and_keeps_to_resp3(self):
        server = self.serve(answers({}))
        self.penny(*self.options(server), "--user", "alice", "--pass", "se cret", "PING")
        self.assertEqual(server.links[0].bytes,
                         HELLO + b"$5\r\nalice\r\n$7\r\nse cret\r\n*1\r\n$4\r\nPING\r\n")

    def test_an_old_server_gets_auth(self):
        def talk(link):
            while True:
                old = link.read()[0] == b"HELLO"
                link.say(b"-ERR unknown command 'HELLO'\r\n" if old else b"+OK\r\n")
        server = self.serve(talk)
        self.penny(*self.options(server), "--user", "alice", "--pass", "secret", "PING")
        self.assertEqual(server.links[0].commands[1:], [[b"AUTH", b"alice", b"secret"], [b"PING"]])

    def test_a_refused_login_sends_nothing_else(self):
        server = self.serve(lambda link: (link.read(), link.say(b"-WRONGPASS \x1bno\r\n"),
                                          link.read()))
        self.penny(*self.options(server), "--user", "a", "--pass", "b", "TRANSFER", "1", "b", "1",
                   code=1)
        self.assertIn("login refused: WRONGPASS \\x1bno", self.err)
        self.assertEqual(len(server.links[0].commands), 1)

    def test_the_environment_holds_the_password_too(self):
        server = self.serve(answers({}))
        self.penny(*self.options(server), "--user", "alice", "PING",
                   environment={"PENNY_PASS": "from env"})
        self.assertEqual(server.links[0].commands[0][4], b"from env")

    def test_a_missing_password_is_usage(self):
        self.penny(*self.options(None), "--user", "alice", "PING", code=2)
        self.assertIn("no password for alice", self.err)

    def test_the_password_is_not_left_on_the_command_line(self):
        started, seen = threading.Event(), threading.Event()

        def talk(link):
            link.read()
            started.set()
            seen.wait(SECONDS_MAX)
            link.say(b"+OK\r\n")
            link.read()
            link.say(b"+OK\r\n")
        for form in (["--pass", "hunter2hunter2"], ["--pass=hunter2hunter2"], []):
            started.clear()
            seen.clear()
            server = self.serve(talk)
            environment = dict(self.environment, PENNY_PASS="hunter2hunter2")
            process = subprocess.Popen(
                [program("penny"), *self.options(server), "--user", "alice", *form, "PING"],
                cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.assertTrue(started.wait(SECONDS_MAX))
            for name in ("cmdline", "environ"):
                with open(f"/proc/{process.pid}/{name}", "rb") as shown:
                    self.assertNotIn(b"hunter2", shown.read(), name)
            seen.set()
            process.communicate(timeout=SECONDS_MAX)
            self.assertEqual(process.returncode, 0)
            self.assertEqual(server.links[0].commands[0][4], b"hunter2hunter2")

    def test_a_person_at_a_terminal_is_asked_without_echo(self):
        server = self.serve(answers({}))
        child, terminal = self.at_terminal(*self.options(server), "PING")
        shown = b""
        for question, answer in ((b"User", b"alice\n"), (b"Password for alice: ", b"hidden99\n")):
            while question not in shown:
                shown += os.read(terminal, 1024)
            time.sleep(0.1)  # The question and the end of echo are not one step.
            os.write(terminal, answer)
        try:
            while True:
                shown += os.read(terminal, 1024)
        except OSError:
            pass  # the other end has gone
        _, status = os.waitpid(child, 0)
        os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0, shown)
        self.assertNotIn(b"hidden99", shown)
        self.assertIn(b"OK", shown)
        self.assertEqual(server.links[0].commands[0][3:], [b"alice", b"hidden99"])


class Resending(PennyTest):
    def losing(self, times, table=None, info=b"ids_forgotten:0\r\n"):
        """Reads the command and ends without an answer, `times` times."""
        def talk(link):
            for words in iter(link.read, None):
                if words[0] == b"HELLO":
                    link.say(b"%0\r\n")
                elif words[0] == b"INFO":
                    link.say(b"$%d\r\n%s\r\n" % (len(info), info))
                elif link.number < times:
                    return
                else:
                    link.say((table or {}).get(words[0], b"+OK\r\n"))
        return self.serve(talk)

    def transfer(self, server, *words, **more):
        return self.penny(*self.options(server), "--user", "alice", "--pass", "secret",
                          *(words or ("TRANSFER", "+", "bob", "1.00", "MEMO", "a b")), **more)

    def test_the_same_bytes_are_sent_again_until_there_is_an_answer(self):
        server = self.losing(3)
        self.assertEqual(self.transfer(server), "OK\n")
        self.assertEqual(len(server.links), 4)
        self.assertEqual(len({link.last for link in server.links}), 1)
        made = re.fullmatch(r"id ([0-9a-f]{20})\n", self.err).group(1)
        self.assertEqual(server.links[3].commands[-1][1].decode(), made)

    def test_the_id_is_printed_before_it_is_sent(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            options = self.options(None)
            options[3] = str(listener.getsockname()[1])
            process = subprocess.Popen([program("penny"), *options, "DEPOSIT", "+", "1"],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, cwd=self.folder,
                                       env=self.environment)
            link, _ = listener.accept()
            # No handshake has happened, so nothing can have been sent.
            self.assertRegex(process.stderr.readline(), rb"^id [0-9a-f]{20}\n$")
            link.close()
        process.communicate(timeout=SECONDS_MAX)
        self.assertEqual(process.returncode, 1)

    def test_ids_are_made_in_their_place_and_nowhere_else(self):
        server = self.serve(answers({}))
        for words, place in ((["DEPOSIT", "+", "1"], 1), (["withdraw", "+", "1"], 1),
                             (["HOLD", "+", "bob", "1"], 1), (["CAPTURE", "+", "5"], 1),
                             (["VOID", "+", "5"], 1), (["REVERSE", "+", "5"], 1),
                             (["ORDER", "+", "cola"], 1), (["ORDER", "DONE", "+", "5"], 2),
                             (["CANCEL", "+", "5"], 1), (["SEND", "+", "bob", "x"], 1),
                             (["ECHO", "+"], None), (["DEPOSIT", "x", "+"], None),
                             (["BALANCE", "+"], None)):
            with self.subTest(words=words):
                self.penny(*self.options(server), *words)
                sent = [word.decode() for word in server.links[-1].commands[-1]]
                if place is None:
                    self.assertEqual((sent, self.err), (words, ""))
                else:
                    self.assertEqual(self.err, f"id {sent[place]}\n")
                    self.assertRegex(sent[place], "^[0-9a-f]{20}$")
                    sent[place] = "+"
                    self.assertEqual(sent, words)

    def test_fresh_ids_differ(self):
        server = self.serve(answers({}))
        for _ in range(20):
            self.penny(*self.options(server), "DEPOSIT", "+", "1")
        self.assertEqual(len({link.commands[0][1] for link in server.links}), 20)

    def test_a_typed_id_and_a_command_that_reads_are_sent_again(self):
        for words in (["TRANSFER", "t-1", "bob", "1"], ["BALANCE"], ["statement", "COUNT", "3"]):
            server = self.losing(1)
            self.transfer(server, *words)
            self.assertEqual(len(server.links), 2)
            self.assertEqual(server.links[0].last, server.links[1].last)

    def test_an_id_that_may_be_forgotten_is_not_sent_again(self):
        def info(lost, age, own_lost, own_age):
            return (f"# Book\r\nids_forgotten:{lost}\r\nids_age_seconds:{age}\r\n"
                    f"own_ids_forgotten:{own_lost}\r\nown_ids_age_seconds:{own_age}\r\n").encode()
        for figures, again in (((5, 0, 5, 0), False), ((5, 4000, 5, 0), True),
                               ((5, 0, 5, 4000), True), ((0, 0, 0, 0), True),
                               ((5, 0, 0, 0), True)):
            with self.subTest(figures=figures):
                server = self.losing(2, info=info(*figures))
                # The second attempt comes after more than a quarter of a second.
                if again:
                    self.assertEqual(self.transfer(server, "TRANSFER", "t-1", "bob", "1"), "OK\n")
                else:
                    self.transfer(server, "TRANSFER", "t-1", "bob", "1", code=1)
                    self.assertIn("outcome unknown: id t-1", self.err)
                    self.assertIn("may have forgotten the id", self.err)

    def test_a_group_is_never_continued_on_another_connection(self):
        def talk(link):
            for words in iter(link.read, None):
                if words[0] == b"TRANSFER" and link.number == 0:
                    return
                link.say(b"+OK\r\n")
        server = self.serve(talk)
        self.penny(*self.options(server), "--user", "alice", "--pass", "secret", code=1,
                   stdin="MULTI\nTRANSFER a bob 1\nTRANSFER b bob 1\nEXEC\n")
        self.assertIn("nothing of it was booked; begin again with MULTI", self.err)
        self.assertNotIn("unknown", self.err)
        self.assertEqual([link.commands[-1][0] for link in server.links], [b"TRANSFER"])

    def test_an_exec_without_an_answer_says_to_send_all_of_it_again(self):
        def talk(link):
            for words in iter(link.read, None):
                if words[0] == b"EXEC":
                    return
                link.say(b"+OK\r\n")
        server = self.serve(talk)
        self.penny(*self.options(server), code=1,
                   stdin="MULTI\nTRANSFER a bob 1\nEXEC\n")
        self.assertIn("outcome unknown: EXEC", self.err)
        self.assertIn("send all of it again with the same ids", self.err)
        self.assertEqual(len(server.links), 1)

    def test_other_commands_are_not(self):
        for words in (["REGISTER", "a", "b"], ["DEPOSIT", "*", "1"], ["SHUTDOWN"], ["KEY", "SET"],
                      ["DEPOSIT"], ["WHATEVER", "+"]):
            server = self.losing(1)
            self.transfer(server, *words, code=1)
            self.assertEqual(len(server.links), 1)
            self.assertIn(f"outcome unknown: {words[0]} may or may not", self.err)
            self.assertEqual(self.err.count("\n"), 1)

    def test_after_the_time_the_outcome_is_unknown(self):
        server = self.losing(1000)
        options = [*self.options(server), "--timeout", "1"]
        self.penny(*options, "TRANSFER", "t-1", "bob", "1", code=1)
        self.assertRegex(self.err, "^penny: outcome unknown: id t-1 may or may not have been "
                                   "booked; run the same line again: ")
        self.penny(*options, "TRANSFER", "+", "bob", "1", code=1)
        made = re.match(r"id (\w+)\n", self.err).group(1)
        self.assertIn(f"id {made} may or may not have been booked; run the same line again with "
                      "this id for +", self.err)
        self.penny(*options, "BALANCE", code=1)
        self.assertIn("no answer to BALANCE", self.err)

    def test_a_server_that_stays_silent_is_not_waited_for_longer(self):
        hold = threading.Event()
        self.addCleanup(hold.set)
        server = self.serve(lambda link: (link.read(), hold.wait(SECONDS_MAX)))
        self.penny(*self.options(server), "--timeout", "1", "TRANSFER", "t-1", "bob", "1", code=1)
        self.assertIn("outcome unknown: id t-1", self.err)

    def test_a_server_that_is_still_loading_is_asked_again(self):
        def talk(link):
            for words in iter(link.read, None):
                if link.number == 0 and words[0] != b"HELLO":
                    return
                if link.number in (1, 2):
                    link.say(b"-LOADING the journal is being read\r\n")
                else:
                    link.say(b"+OK\r\n")
        server = self.serve(talk)
        self.assertEqual(self.transfer(server, "TRANSFER", "t-1", "bob", "1"), "OK\n")
        self.assertEqual(len(server.links), 4)

    def test_a_passing_refusal_of_the_second_sending_settles_nothing(self):
        def talk(link):
            link.read()
            if link.number == 0:
                return
            link.say(b"-BUSY try later\r\n")
            link.read()
            link.say(b"+booked\r\n")
        server = self.serve(talk)
        self.assertEqual(self.penny(*self.options(server), "DEPOSIT", "d-1", "1"), "booked\n")

    def test_a_first_refusal_is_an_answer(self):
        server = self.serve(answers({b"DEPOSIT": b"-BUSY try later\r\n"}))
        self.penny(*self.options(server), "DEPOSIT", "d-1", "1", code=1)
        self.assertEqual(self.err, "(error) BUSY try later\n")

    def test_a_stream_ends_at_the_first_unknown_outcome(self):
        server = self.losing(1)
        out = self.penny(*self.options(server), stdin="REGISTER a b\nREGISTER c d\n", code=1)
        self.assertEqual(out, "")
        self.assertEqual(len(server.links), 1)

    def test_a_new_connection_comes_as_the_person_who_logged_in_by_hand(self):
        def talk(link):
            for words in iter(link.read, None):
                if link.number == 0 and words[0] == b"DEPOSIT":
                    return
                link.say(b"+OK\r\n")
        server = self.serve(talk)
        out = self.penny(*self.options(server), stdin="AUTH alice secret\nDEPOSIT d-1 1\n")
        self.assertEqual(out, "OK\nOK\n")
        self.assertEqual(server.links[1].commands[0], [b"HELLO", b"3", b"AUTH", b"alice",
                                                       b"secret"])


class Raw(PennyTest):
    def test_bytes_go_both_ways_unchanged(self):
        data = os.urandom(300000)

        def talk(link):
            while True:
                piece = link.socket.recv(65536)
                if not piece:
                    break
                link.bytes += piece
                link.socket.sendall(piece)
            link.socket.unwrap()
        server = self.serve(talk)
        self.penny(*self.options(server), "--raw", stdin=data)
        self.assertTrue(self.out == data)
        self.assertTrue(server.links[0].bytes == data)

    def test_the_end_of_input_is_told_and_the_rest_still_read(self):
        late = b"late \x1b[31m\0" * 5000

        def talk(link):
            while link.socket.recv(65536):  # until close_notify
                pass
            link.say(late)
            link.socket.unwrap()
        server = self.serve(talk)
        self.penny(*self.options(server), "--raw", stdin=b"question")
        self.assertTrue(self.out == late)

    def test_a_server_that_drops_the_line_is_an_error(self):
        server = self.serve(lambda link: link.say(b"half"))
        self.penny(*self.options(server), "--raw", stdin=b"", code=1)
        self.assertEqual(self.out, b"half")
        self.assertIn("hung up", self.err)


class Explain(PennyTest):
    def test_each_step_is_told_and_no_password(self):
        server = self.serve(answers({}))
        self.penny(*self.options(server), "--explain", "--user", "alice", "--pass", "hidden99",
                   "PING")
        for words in ("looking up 127.0.0.1", "client hello, ", "server hello, ",
                      "TLSv1.3 with TLS_", "logged in", "sending PING, 14 bytes",
                      "reply of 5 bytes", "closing"):
            self.assertIn(words, self.err)
        self.assertNotIn("hidden99", self.err)
        self.assertEqual(self.out, b"OK\n")
        self.assertRegex(self.err, "\nWhat tls is worth:\n +confidentiality: .*\n +integrity: .*\n"
                                   " +authenticated: .*\n +forward secrecy: .*\n"
                                   " +replay protection: .*\n +reviewed: .*\n$")


class Prompt(PennyTest):
    def test_a_person_gets_a_prompt_and_replies(self):
        server = self.serve(answers({b"A": b"+one\r\n"}))
        child, terminal = self.at_terminal(*self.options(server), "--user", "")
        prompt = f"127.0.0.1:{server.port}> ".encode()
        shown = b""
        for line in (b"A\n", b"exit\n"):
            while shown.count(prompt) < (1 if line == b"A\n" else 2):
                shown += os.read(terminal, 1024)
            os.write(terminal, line)
        try:
            while True:
                shown += os.read(terminal, 1024)
        except OSError:
            pass
        _, status = os.waitpid(child, 0)
        os.close(terminal)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0, shown)
        self.assertIn(b"one", shown)


"""What every client of RESP relies on: commands of the connection, limits, order of replies."""

import random
import socket
import ssl
import unittest

from bank import BankTest, SECONDS_MAX
from resp import Error, Simple, Verbatim, Wire, command, fields, text

WORDS_MAX = {"login": 10, "ready": 16}
BULK_MAX = {"login": 512, "ready": 15 * 1024}
LINE_MAX = 1024  # bytes, line end included


class Hello(BankTest):
    def test_two_and_three_have_the_same_seven_fields(self):
        with self.bank.wire("alice", 2) as two, self.bank.wire("alice", 3) as three:
            flat = two.ask("HELLO")
            self.assertIsInstance(flat, list)
            self.assertEqual(len(flat), 14)
            real = three.ask("hello")
            self.assertIsInstance(real, dict)
            for reply, protocol in ((fields(flat), 2), (fields(real), 3)):
                self.assertEqual(list(reply), ["server", "version", "proto", "id", "mode", "role",
                                               "modules"])
                self.assertEqual(reply["proto"], protocol)
                self.assertIsInstance(reply["version"], str)
                self.assertEqual(reply["modules"], [])
            for key in flat[::2]:
                self.assertIsInstance(key, bytes, "redis-cli aborts on other keys")

    def test_it_switches_back_and_forth(self):
        with self.bank.wire("alice", 3) as wire:
            self.assertIsInstance(wire.ask("HELLO", 2), list)
            self.assertIsInstance(wire.ask("HELLO"), list)
            self.assertIsInstance(wire.ask("HELLO", 3), dict)

    def test_other_versions_are_refused_and_change_nothing(self):
        with self.bank.wire("alice", 3) as wire:
            for version in (0, 1, 4, 99):
                self.assert_error(wire.ask("HELLO", version), "NOPROTO",
                                  "unsupported protocol version")
            for version in ("x", "", "-3", "3.0"):
                self.assert_error(wire.ask("HELLO", version), "ERR")
            self.assertIsInstance(wire.ask("HELLO"), dict)

    def test_before_login_it_needs_auth(self):
        with self.bank.wire() as wire:
            for words in (("HELLO",), ("HELLO", 2), ("HELLO", 3), ("HELLO", 3, "SETNAME", "x")):
                self.assert_error(wire.ask(*words), "NOAUTH",
                                  "HELLO must be called with the client already authenticated")

    def test_options_may_have_any_case_and_any_order(self):
        password = self.bank.passwords["alice"]
        for words in (("auth", "alice", password, "setname", "me"),
                      ("SetName", "me", "AUTH", "alice", password)):
            with self.bank.wire(terminal="alice") as wire:
                self.assertEqual(fields(wire.ask("hello", 3, *words))["proto"], 3)
                self.assertEqual(wire.ask("PING"), "PONG")

    def test_a_wrong_option_is_a_syntax_error(self):
        with self.bank.wire("alice") as wire:
            for words in (("FOO",), ("AUTH", "alice"), ("SETNAME",), ("AUTH",)):
                self.assert_error(wire.ask("HELLO", 3, *words), "ERR")
            self.assert_error(wire.ask("HELLO", 3, "SETNAME", "two words"), "ERR")
            self.assertIsInstance(wire.ask("HELLO"), list, "a refusal left the protocol alone")

    def test_a_wrong_password_leaves_protocol_and_person_alone(self):
        with self.bank.wire("alice", 2) as wire:
            self.assert_error(wire.ask("HELLO", 3, "AUTH", "bob", "wrong password"), "WRONGPASS")
            self.assertIsInstance(wire.ask("HELLO"), list)
            self.assertEqual(fields(wire.ask("WHOAMI"))["person"], "alice")


class Login(BankTest):
    def test_auth_takes_name_and_password(self):
        with self.bank.wire(terminal="alice") as wire:
            reply = wire.ask("AUTH", "alice", self.bank.passwords["alice"])
            self.assertEqual(reply, Simple("OK"))
            self.assertEqual(fields(wire.ask("WHOAMI")),
                             {"person": "alice", "role": "customer", "terminal": "alice"})

    def test_auth_with_a_password_alone_means_the_person_of_the_terminal(self):
        with self.bank.wire(terminal="bob") as wire:
            self.assertEqual(wire.ask("AUTH", self.bank.passwords["bob"]), "OK")
            self.assertEqual(fields(wire.ask("WHOAMI"))["person"], "bob")

    def test_a_failed_login_says_what_clients_look_for(self):
        with self.bank.wire(terminal="alice") as wire:
            for words in (("alice", "wrong password"), ("nobody", "wrong password"), ("alice", ""),
                          ("no name", "x"), ("alice", "x" * 500), ("\xff\0", "\r\n")):
                self.assert_error(wire.ask("AUTH", *words), "WRONGPASS",
                                  "invalid username-password pair or user is disabled, "
                                  "or too many tries: wait and try again")
            self.assert_error(wire.ask("PING"), "NOAUTH")
            self.assert_error(wire.ask("AUTH", "a", "b", "c"), "ERR")
            self.assert_error(wire.ask("AUTH"), "ERR",
                              "wrong number of arguments for 'auth' command")

    def test_before_login_only_a_few_commands_work(self):
        with self.bank.wire() as wire:
            for words in (("PING",), ("ECHO", "x"), ("INFO",), ("SELECT", 0), ("WHOAMI",),
                          ("BALANCE",), ("DEPOSIT", "i", "1"), ("TRANSFER", "i", "bob", "1"),
                          ("STATEMENT",), ("CHECKPOINT",), ("DIGEST",), ("SHUTDOWN",),
                          ("PASSWD", "long enough", "long enough too")):
                self.assert_error(wire.ask(*words), "NOAUTH", "Authentication required.")
            self.assertEqual(len(wire.ask("TIME")), 2)
            self.assert_error(wire.ask("NONSENSE"), "ERR", "unknown command")

    def test_reset_logs_out_and_returns_to_resp_two(self):
        with self.bank.wire("alice", 3) as wire:
            self.assertEqual(wire.ask("RESET"), Simple("RESET"))
            self.assert_error(wire.ask("PING"), "NOAUTH")
            self.assertEqual(wire.ask("AUTH", "alice", self.bank.passwords["alice"]), "OK")
            self.assertIsInstance(wire.ask("WHOAMI"), list)

    def test_another_person_may_log_in_on_the_same_session(self):
        with self.bank.wire("alice") as wire:
            self.assertEqual(wire.ask("AUTH", "bob", self.bank.passwords["bob"]), "OK")
            self.assertEqual(fields(wire.ask("WHOAMI")),
                             {"person": "bob", "role": "customer", "terminal": "alice"})

    def test_without_a_certificate_nothing_is_said(self):
        context = ssl.create_default_context(cafile=self.bank.ca())
        with socket.create_connection((self.bank.host, self.bank.port), SECONDS_MAX) as plain:
            with self.assertRaises((ssl.SSLError, ConnectionError)):
                with context.wrap_socket(plain, server_hostname=self.bank.host) as tls:
                    tls.sendall(command("PING"))
                    if tls.recv(1) == b"":
                        raise ConnectionError("closed without a word")

    def test_without_tls_nothing_is_said_either(self):
        plain = socket.create_connection((self.bank.host, self.bank.port), SECONDS_MAX)
        with Wire(plain) as wire:
            wire.send(command("PING"))
            said = b""
            while wire._more():
                said = wire.buffer
            self.assertNotIn(b"PONG", said)
            self.assertNotIn(b"NOAUTH", said)


class Connection(BankTest):
    def test_ping_and_echo(self):
        every_byte = bytes(range(256))
        for protocol in (2, 3):
            with self.bank.wire("alice", protocol) as wire:
                self.assertEqual(wire.ask_bytes("PING"), b"+PONG\r\n")
                self.assertEqual(wire.ask_bytes("ping", "hi"), b"$2\r\nhi\r\n")
                self.assertEqual(wire.ask_bytes("PING", ""), b"$0\r\n\r\n")
                self.assertEqual(wire.ask("EcHo", every_byte), every_byte)
                self.assertEqual(wire.ask("ECHO", b"x" * BULK_MAX["ready"]),
                                 b"x" * BULK_MAX["ready"])

    def test_select_accepts_the_only_database(self):
        with self.bank.wire("alice") as wire:
            self.assertEqual(wire.ask("SELECT", 0), "OK")
            self.assert_error(wire.ask("SELECT", 1), "ERR", "DB index is out of range")
            self.assert_error(wire.ask("SELECT", "x"), "ERR", "is not an integer or out of range")

    def test_quit_answers_and_then_closes(self):
        for name in ("alice", None):
            with self.bank.wire(name) as wire:
                wire.send(command("QUIT") + command("TIME"))
                self.assertEqual(wire.reply(), "OK")
                self.assertTrue(wire.ends(), "nothing after QUIT is answered")

    def test_time_has_the_shape_of_redis(self):
        with self.bank.wire() as wire:
            seconds, micros = wire.ask("TIME")
            self.assertTrue(seconds.isdigit() and int(seconds) > 1_600_000_000)
            self.assertTrue(micros.isdigit() and int(micros) < 1_000_000)

    def test_info_is_text_that_clients_can_read(self):
        with self.bank.wire("alice", 2) as two, self.bank.wire("alice", 3) as three:
            plain, verbatim = two.ask("INFO"), three.ask("INFO")
            self.assertIsInstance(plain, bytes)
            self.assertIsInstance(verbatim, Verbatim)
            self.assertEqual(verbatim.format, "txt")
            for info in (plain.decode(), verbatim.decode()):
                self.assertIn("\r\nredis_version:", info)
                self.assertIn("\r\nloading:0\r\n", info)
                self.assertIn("\r\npennybank_version:", info)
                for line in info.split("\r\n"):
                    self.assertTrue(line == "" or line.startswith("# ") or ":" in line, line)

    def test_info_shows_the_sections_asked_for(self):
        with self.bank.wire("alice") as wire:
            self.assertEqual(wire.ask("INFO", "server").count(b"# "), 1)
            self.assertEqual(wire.ask("INFO", "Server", "BOOK").count(b"# "), 2)
            self.assertEqual(wire.ask("INFO", "nonsense"), b"")
            self.assertEqual(wire.ask("INFO", "everything").count(b"# "),
                             wire.ask("INFO").count(b"# "))

    def test_an_unknown_command_is_answered_and_never_closes(self):
        with self.bank.wire("alice") as wire:
            self.assert_error(wire.ask("GET", "key"), "ERR",
                              "unknown command 'GET', with args beginning with: 'key' ")
            self.assert_error(wire.ask("foo"), "ERR",
                              "unknown command 'foo', with args beginning with: ")
            for words in (("",), ("\r\n+OK",), (b"\xff" * 300,), ("MONITOR",), ("SET", "a", "b"),
                          ("SUBSCRIBE", "x"), ("PING\0",), ("PING ",)):
                self.assert_error(wire.ask(*words), "ERR", "unknown command '")
            self.assertEqual(wire.ask("PING"), "PONG")

    def test_a_wrong_number_of_words_is_named(self):
        with self.bank.wire("alice") as wire:
            for words in (("ECHO",), ("ECHO", 1, 2), ("PING", 1, 2), ("TIME", 1), ("QUIT", 1),
                          ("BALANCE", 1, 2), ("DEPOSIT", "i"), ("WITHDRAW", "i"),
                          ("TRANSFER", "i", "bob"), ("REGISTER", "x"), ("PASSWD", "x"),
                          ("transfer", *"12345678")):
                name = words[0].lower()
                self.assert_error(wire.ask(*words), "ERR",
                                  f"wrong number of arguments for '{name}' command")

    def test_inline_lines_work_from_openssl(self):
        password = self.bank.passwords["alice"]
        said = self.bank.openssl(["PING", f'AUTH alice "{password}"', "", "ping",
                                  'ECHO "two words\\x21"', "ECHO 'it\\'s'", "nonsense", "QUIT"])
        lines = said.split("\n")
        self.assertTrue(lines[0].startswith("-NOAUTH "), said)
        self.assertEqual(lines[1:7], ["+OK", "+PONG", "$10", "two words!", "$4", "it's"], said)
        self.assertTrue(lines[7].startswith("-ERR unknown command 'nonsense'"), said)
        self.assertEqual(lines[8], "+OK", said)

    def test_redis_cli_is_a_client(self):
        self.assertEqual(self.bank.redis_cli("PING").stdout, "PONG\n")
        self.assertEqual(self.bank.redis_cli("ECHO", "two words").stdout, "two words\n")
        self.assertIn("person", self.bank.redis_cli("WHOAMI", options=["-3"]).stdout)
        self.assertIn("redis_version:", self.bank.redis_cli("INFO").stdout)

    def test_redis_py_is_a_client(self):
        client = self.bank.client("alice")
        self.assertTrue(client.ping())
        self.assertEqual(client.echo("hi"), b"hi")
        self.assertIn("redis_version", client.info())
        self.assertEqual(len(client.time()), 2)


class Limits(BankTest):
    def sessions(self):
        """A session before login, and one after it."""
        yield "login", self.bank.wire()
        yield "ready", self.bank.wire("alice")

    def assert_ends_with(self, wire, line):
        self.assertEqual(wire.reply(), Error("ERR Protocol error: " + line))
        self.assertTrue(wire.ends(), "a broken protocol ends the session")
        wire.close()

    def test_words_are_bounded(self):
        for phase, wire in self.sessions():
            most = WORDS_MAX[phase]
            reply = wire.ask(*["NONSENSE"] * most)
            self.assert_error(reply, "ERR", "unknown command")
            wire.send(b"*%d\r\n" % (most + 1))
            self.assert_ends_with(wire, "unauthenticated multibulk length" if phase == "login"
                                  else "invalid multibulk length")

    def test_a_word_is_bounded(self):
        for phase, wire in self.sessions():
            most = BULK_MAX[phase]
            self.assert_error(wire.ask("NONSENSE", "x" * most), "ERR", "unknown command")
            wire.send(b"*2\r\n$4\r\nECHO\r\n$%d\r\n" % (most + 1))
            self.assert_ends_with(wire, "unauthenticated bulk length" if phase == "login"
                                  else "invalid bulk length")

    def test_a_line_is_bounded(self):
        for _, wire in self.sessions():
            wire.send(b"NONSENSE " + b"x" * (LINE_MAX - 11) + b"\r\n")
            self.assert_error(wire.reply(), "ERR", "unknown command")
            wire.send(b"y" * LINE_MAX)
            self.assert_ends_with(wire, "too big inline request")

    def test_a_whole_request_is_bounded(self):
        with self.bank.wire() as wire:
            wire.send(b"*3\r\n$1\r\nx\r\n$512\r\n" + b"x" * 512 + b"\r\n$512\r\n")
            self.assert_ends_with(wire, "unauthenticated bulk length")
        with self.bank.wire("alice") as wire:
            wire.send(b"*3\r\n$1\r\nx\r\n$15360\r\n" + b"x" * 15360 + b"\r\n$1024\r\n")
            self.assert_ends_with(wire, "invalid bulk length")

    def test_a_count_string_is_bounded(self):
        for start, line in ((b"*", "too big mbulk count string"),
                            (b"*1\r\n$", "too big bulk count string")):
            for _, wire in self.sessions():
                wire.send(start + b"0" * 40)
                self.assert_ends_with(wire, line)

    def test_broken_framing_is_told_and_closed(self):
        for sent, line in ((b"*x\r\n", "invalid multibulk length"),
                           (b"*1\r\nPING\r\n", "expected '$', got 'P'"),
                           (b"*1\r\n$x\r\n", "invalid bulk length"),
                           (b"*1\r\n$-1\r\n", "invalid bulk length"),
                           (b"ECHO \"x\r\n", "unbalanced quotes in request"),
                           (b"ECHO 'x'y\r\n", "unbalanced quotes in request")):
            for _, wire in self.sessions():
                wire.send(sent)
                self.assert_ends_with(wire, line)

    def test_what_came_before_broken_framing_is_answered(self):
        with self.bank.wire("alice") as wire:
            wire.send(command("PING") + command("ECHO", "x") + b"*x\r\n" + command("PING"))
            self.assertEqual(wire.reply(), "PONG")
            self.assertEqual(wire.reply(), b"x")
            self.assert_ends_with(wire, "invalid multibulk length")

    def test_empty_requests_are_passed_over(self):
        for _, wire in self.sessions():
            wire.send(b"\r\n*0\r\n*-1\r\n\n   \r\n" + command("TIME"))
            self.assertEqual(len(wire.reply()), 2)
            wire.close()

    def test_a_browser_is_sent_away_without_a_word(self):
        for line in (b"POST / HTTP/1.1\r\nHost: bank\r\n\r\n", b"Host: bank\r\n", b"post x\r\n",
                     command("POST", "/")):
            for _, wire in self.sessions():
                wire.send(line + command("TIME"))
                self.assertTrue(wire.ends(), line)
                wire.close()


class Pipeline(BankTest):
    def requests(self, count, seed):
        """Commands and the replies they must get."""
        chosen = random.Random(seed)
        for number in range(count):
            kind = chosen.randrange(6)
            if kind == 0:
                yield command("ECHO", number), b"$%d\r\n%d\r\n" % (len(str(number)), number)
            elif kind == 1:
                yield b"PING %d\r\n" % number, b"$%d\r\n%d\r\n" % (len(str(number)), number)
            elif kind == 2:
                data = b"\r\n*" * chosen.randrange(600)
                yield command("ECHO", data), b"$%d\r\n%s\r\n" % (len(data), data)
            elif kind == 3:
                yield command("SELECT", 9), b"-ERR DB index is out of range\r\n"
            elif kind == 4:
                yield b"\r\n", b""
            else:
                yield command("PING"), b"+PONG\r\n"

    def read(self, wire, size):
        while len(wire.buffer) < size:
            self.assertTrue(wire._more(), f"{len(wire.buffer)} of {size} bytes")
        return wire.buffer

    def test_replies_come_in_the_order_of_requests(self):
        sent, wanted = zip(*self.requests(2000, seed=1))
        with self.bank.wire("alice") as wire:
            wire.socket.setblocking(True)
            position = 0
            data, replies = b"".join(sent), b"".join(wanted)
            # The server stops reading when its replies are not taken, so both go on in turn.
            expected = 0
            for request, reply in zip(sent, wanted):
                wire.send(request)
                position += len(request)
                expected += len(reply)
                if expected - len(wire.buffer) > 60000:
                    self.read(wire, expected)
            self.assertEqual(position, len(data))
            self.assertEqual(self.read(wire, len(replies)), replies)

    def test_bytes_may_come_one_at_a_time(self):
        sent, wanted = zip(*self.requests(40, seed=2))
        data, replies = b"".join(sent)[:6000], b"".join(wanted)
        with self.bank.wire("alice") as wire:
            wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(len(data)):
                wire.send(data[at:at + 1])
            wire.send(b"".join(sent)[6000:])
            self.assertEqual(self.read(wire, len(replies)), replies)

    def test_any_cut_of_a_request_gives_the_same_reply(self):
        request = command("ECHO", "hello") + b"ECHO \"a b\"\r\n"
        with self.bank.wire("alice") as wire:
            wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for cut in range(1, len(request)):
                wire.send(request[:cut])
                wire.send(request[cut:])
                self.assertEqual(text([wire.reply(), wire.reply()]), ["hello", "a b"])

    def test_a_client_that_does_not_read_only_stops_itself(self):
        """Far more replies than any buffer holds; another client is served meanwhile."""
        big = b"x" * 15000
        count = 2000  # 30 MB of replies
        with self.bank.wire("alice") as wire, self.bank.wire("bob") as other:
            wire.socket.settimeout(0.2)
            sent = 0
            try:
                while sent < count:
                    wire.send(command("ECHO", big))
                    sent += 1
            except (TimeoutError, socket.timeout, ssl.SSLWantWriteError):
                pass  # The server took no more, as it should.
            self.assertLess(sent, count, "the server buffers without a bound")
            self.assertEqual(other.ask("PING"), "PONG")


if __name__ == "__main__":
    unittest.main()

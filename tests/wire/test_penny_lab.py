"""penny on the channels of the laboratory: real servers, whatever stands between, and none."""

import os
import re
import socket
import threading
import unittest

from bank import SECONDS_MAX, run
from laboratory import ALERT, CHANNELS, DATA, PASSPHRASE, WITH_KEYS, Between, Laboratory, messages
from resp import wait_until
from standin import PennyTest
from terminal import converse

TIME = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d"
TOLD = "Hello from the bank."
WORD_SIZE_MAX = 512  # bytes, where nobody logs in
CHOICE = b"Your choice: "
CONNECTED = re.compile(rb"Connected from 127\.0\.0\.1:\d+ to 127\.0\.0\.1:\d+; "
                       rb"the key exchange took \d+\.\d{3} ms\.\r?\n")
ANSWERED = re.compile(rb"Answered within \d+\.\d{3} ms\.\r?\n")
MENU = (b"   1  get time", b"   2  get date", b"   3  get temperature", b"   4  reset connection",
        b"   5  exit", b"   6  print menu")

# What --explain names for one command, in order; a size where README.md fixes it.
XOR = ["--> first pass: X ^ C, 16 bytes", "<-- second pass: X ^ C ^ S, 16 bytes",
       "--> third pass: X ^ S, 16 bytes", "--> data, 15 bytes", "<-- data, "]
HELLOS = ["--> client hello, 297 bytes", "<-- server hello, 297 bytes"]
EXCHANGES = {
    "xor": XOR,
    "rsa": [*HELLOS, "--> data, 515 bytes", "<-- data, 515 bytes"],
    "hybrid": [*HELLOS, "--> data, ", "<-- data, "],
    "dhe": ["--> client hello, 51 bytes", "<-- server hello, 51 bytes", "<-- certificate, ",
            "<-- key exchange, 515 bytes", "--> certificate, ", "--> key exchange, 515 bytes",
            "--> finished, 35 bytes", "<-- finished, 35 bytes", "--> data, 75 bytes",
            "<-- data, ", "--> end, 75 bytes"],
    "psk": ["--> client hello, 35 bytes", "<-- server hello, 35 bytes", "<-- finished, 19 bytes",
            "--> finished, 19 bytes", "--> data, 34 bytes", "<-- data, ", "--> end, 19 bytes"],
}
PROPERTIES = ("confidentiality", "integrity", "authenticated", "forward secrecy",
              "replay protection", "reviewed")


class LabTest(PennyTest):
    """One server for each channel."""

    @classmethod
    def setUpClass(cls):
        cls.labs = {}
        for channel in CHANNELS:
            cls.labs[channel] = Laboratory(channel)
            cls.addClassCleanup(cls.labs[channel].close)

    def on(self, channel, *words, port=None, **more):
        """penny on that channel; gives what it printed."""
        return self.penny(*self.labs[channel].client_options(port), *words, **more)


class Commands(LabTest):
    def test_the_time_is_told_on_each(self):
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                self.assertRegex(self.on(channel, "CLOCK"), f"^{TIME}\n$")
                self.assertEqual(self.err, "")

    def test_a_text_reaches_the_log_and_is_answered(self):
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                text = f"hello over {channel}"
                self.assertEqual(self.on(channel, "TELL", text), TOLD + "\n")
                wait_until("the log has it", lambda: text in self.labs[channel].log(), SECONDS_MAX)

    def test_a_text_of_the_greatest_size_goes_through(self):
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                text = "x" * WORD_SIZE_MAX
                self.assertEqual(self.on(channel, "ECHO", text), text + "\n")

    def test_lines_of_standard_input_are_commands(self):
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                shown = self.on(channel, stdin="DATE\nPING\nTEMPERATURE\nBALANCE\n", code=1)
                self.assertRegex(shown, r"^20\d\d-\d\d-\d\d\nPONG\n")
                self.assertIn("NOPERM", shown)

    def test_json(self):
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                self.assertRegex(self.on(channel, "--json", "CLOCK"), f'^"{TIME}"\n$')

    def test_raw_bytes_go_both_ways_and_end_in_order(self):
        question = b"*1\r\n$5\r\nCLOCK\r\n"
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                self.on(channel, "--raw", stdin=question * 3)
                self.assertRegex(self.out.decode(), rf"^(\$32\r\n{TIME}\r\n){{3}}$")

    def test_much_is_sent_at_once(self):
        text = b"$%d\r\n" % WORD_SIZE_MAX + b"y" * WORD_SIZE_MAX + b"\r\n"
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                self.on(channel, "--raw", stdin=(b"*2\r\n$4\r\nECHO\r\n" + text) * 100)
                self.assertEqual(self.out, text * 100)

    def test_ping_and_help(self):
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                self.assertEqual(self.on(channel, "ping"), "PONG\n")
        self.assertIn("CLOCK", self.penny("--channel", "xor", "help", "CLOCK"))

    def test_sealed_messages_are_not_tried(self):
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                self.on(channel, "key", "new", code=1)
                self.assertIn("NOPERM", self.err)
                self.assertFalse(os.path.exists(self.labs[channel].path("messages")))

    def test_keys_are_made_where_there_are_none(self):
        for channel in WITH_KEYS:
            with self.subTest(channel=channel):
                self.assertRegex(self.penny("--channel", channel, "--explain", "-p",
                                            str(self.labs[channel].port), "CLOCK"), f"^{TIME}\n$")
                self.assertIn("making an RSA key of 2048 bits for this run\n", self.err)

    def test_what_the_environment_and_the_conf_say_of_people_is_passed_over(self):
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                conf = os.path.join(self.labs[channel].folder, "more.conf")
                with open(self.labs[channel].path("client.conf"), encoding="utf-8") as file:
                    text = file.read()
                with open(conf, "w", encoding="utf-8") as file:
                    file.write(text + "".join(f"{key} = none\n" for key in
                                              ("port", "cert", "key", "cacert", "user")))
                self.assertRegex(self.on(channel, "-c", conf, "CLOCK",
                                         environment={"PENNY_PASS": "hidden99"}), f"^{TIME}\n$")


class Menu(LabTest):
    def menu(self, channel, *steps, code=0):
        at = PennyTest.at_terminal(self, *self.labs[channel].client_options(), "--menu")
        return converse(self, at, [(CHOICE, line) for line in steps], code)

    def test_a_person_chooses(self):
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                shown = self.menu(channel, b"1", b"2", b"3", b"4", b"1", b"6", b"5")
                self.assertEqual(len(CONNECTED.findall(shown)), 2)
                self.assertEqual(len(ANSWERED.findall(shown)), 4)
                self.assertEqual(len(re.findall(TIME.encode() + rb"\r\n", shown)), 2)
                self.assertRegex(shown, rb"\n20\d\d-\d\d-\d\d\r\n")
                self.assertRegex(shown, rb"\n-?\d+\.\d+ degrees celsius \(simulated\)\.\r\n")
                for line in MENU:  # At the start, and when asked for.
                    self.assertEqual(shown.count(line + b"\r\n"), 2)

    def test_nobody_is_asked_who_he_is(self):
        shown = self.menu("xor", b"exit")
        self.assertNotIn(b"sign in", shown)
        self.assertNotIn(b"Password", shown)

    def test_what_is_no_choice_is_said_and_the_menu_goes_on(self):
        wrong = (b"0", b"7", b"x", b"", b"-1", b"99999999999999999999999", b"y" * 2000)
        shown = self.menu("psk", *wrong, b"1", b"5")
        self.assertEqual(shown.count(b"penny: a choice is a number from 1 to 6; 6 prints what "
                                     b"they are\r\n"), len(wrong))
        self.assertRegex(shown, TIME.encode())

    def test_a_script_chooses(self):
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                shown = self.on(channel, "--menu", stdin="1\n2\n3\n4\n5\nnever\n").encode()
                self.assertEqual(len(CONNECTED.findall(shown)), 2)
                self.assertEqual(len(ANSWERED.findall(shown)), 3)
                self.assertEqual(self.err, "")

    def test_a_server_that_vanishes_and_comes_back(self):
        with Laboratory("psk") as lab:
            at = PennyTest.at_terminal(self, *lab.client_options(), "--timeout", "1", "--menu")
            port = lab.port

            def vanish():
                lab.kill()
                return b"1"

            def come_back():
                lab.start(port=port)
                return b"1"
            shown = converse(self, at, [(CHOICE, b"1"), (CHOICE, vanish), (CHOICE, come_back),
                                        (CHOICE, b"5")])
            self.assertEqual(len(re.findall(TIME.encode() + rb"\r\n", shown)), 2)
            self.assertIn(b"Connection refused", shown)
            self.assertEqual(len(CONNECTED.findall(shown)), 2)


class Explain(LabTest):
    def lines(self):
        return [line[14:] for line in self.err.splitlines()]

    def in_order(self, expected):
        told = [line for line in self.lines() if line.startswith(("-->", "<--"))]
        self.assertEqual(len(told), len(expected), self.err)
        for line, begin in zip(told, expected):
            self.assertTrue(line.startswith(begin), f"{line} is not {begin}")
            self.assertRegex(line, r", \d+ bytes$")

    def test_each_message_is_named_in_order_with_its_size(self):
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                self.on(channel, "--explain", "CLOCK")
                self.in_order(EXCHANGES[channel])
                self.assertLessEqual(max(map(len, self.err.splitlines())), 14 + 160)

    def test_the_end_is_the_table_with_tls_beside_it(self):
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                self.on(channel, "--explain", "CLOCK")
                table = self.err.splitlines()[-13:]
                self.assertEqual(table[0], f"What {channel} is worth, and tls beside it:")
                rows = [line.split(": ", 1)[0].strip() for line in table[1:]]
                self.assertEqual(rows, [name for row in PROPERTIES for name in (row, "tls")])

    def parts_of(self, key):
        """The beginnings of the secret numbers of an RSA key, in hex."""
        text = run(["openssl", "pkey", "-in", key, "-text", "-noout"]).stdout
        return [found.replace(":", "").replace("\n", "").replace(" ", "")[2:18] for found in
                re.findall(r"^(?:privateExponent|prime1|prime2):([0-9a-f:\s]+)", text, re.M)]

    def test_no_secret_is_told(self):
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                self.on(channel, "--explain", "CLOCK")
                secrets = []
                if channel == "psk":
                    secrets = [PASSPHRASE.decode(), PASSPHRASE[:8].hex()]
                if channel in WITH_KEYS:
                    secrets = self.parts_of(self.labs[channel].path("client.key"))
                if channel == "xor":
                    passes = [int(text, 16) for text in
                              re.findall(r"bytes ([0-9a-f]{32}) \(16 bytes\)", self.err)[:3]]
                    self.assertEqual(len(passes), 3, "whoever reads this can do the sum")
                    secrets = [f"{passes[0] ^ passes[1] ^ passes[2]:032x}"]
                for secret in secrets:
                    self.assertNotIn(secret, self.err)


class Pin(LabTest):
    def fingerprint(self, channel):
        self.on(channel, "--explain", "CLOCK")
        told = [line for line in self.err.splitlines() if "fingerprint" in line]
        return re.search(r"fingerprint ([0-9a-f]{64}) ", told[-1]).group(1)

    def test_the_right_one_goes_through(self):
        for channel in WITH_KEYS:
            with self.subTest(channel=channel):
                pin = self.fingerprint(channel)
                self.assertRegex(self.on(channel, "--pin", pin, "CLOCK"), f"^{TIME}\n$")

    def test_another_one_is_refused_before_anything_is_asked(self):
        for channel in WITH_KEYS:
            with self.subTest(channel=channel):
                lab = self.labs[channel]
                between = Between(lab, lambda way, data: data)
                self.on(channel, "--pin", "ab" * 32, "CLOCK", port=between.port, code=1)
                between.close()
                self.assertEqual(self.err, f"penny: 127.0.0.1 port {between.port}: the server's "
                                           "key is not the pinned one\n")
                told, _ = messages(between.seen["up"])
                self.assertEqual(told[-1], bytes([ALERT, 0, 1, 12]))
                self.assertNotIn(DATA, [message[0] for message in told])


class Passphrase(LabTest):
    def find(self, port=None):
        return ["--channel", "psk", "-p", str(port or self.labs["psk"].port)]

    def test_another_one_is_an_error_by_name(self):
        with open(f"{self.folder}/other", "wb") as file:
            file.write(b"another secret!!")
        self.penny(*self.find(), "--passphrase-file", "other", "CLOCK", code=1)
        self.assertIn("the other side has another passphrase, or it was altered\n", self.err)
        self.assertEqual(self.err.count("\n"), 1)

    def test_a_file_of_another_size_is_refused(self):
        for size in (0, 1, 15, 17, 18, 19, 5000):
            with open(f"{self.folder}/other", "wb") as file:
                file.write(b"x" * size)
            self.penny(*self.find(), "--passphrase-file", "other", "CLOCK", code=1)
            self.assertEqual(self.err, "penny: other: the passphrase has not exactly 16 bytes\n")
        self.penny(*self.find(), "--passphrase-file", "none", "CLOCK", code=1)
        self.assertEqual(self.err, "penny: none: No such file or directory\n")

    def test_a_person_is_asked_without_echo(self):
        at = PennyTest.at_terminal(self, *self.find(), "CLOCK")
        shown = converse(self, at, [(b"Passphrase: ", PASSPHRASE)])
        self.assertNotIn(PASSPHRASE, shown)
        self.assertRegex(shown, TIME.encode())

    def test_ps_does_not_show_it(self):
        seen = []
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        child, terminal = PennyTest.at_terminal(self, *self.find(port), "CLOCK")

        def look():
            link, _ = listener.accept()  # The passphrase is known by now.
            for name in ("cmdline", "environ"):
                with open(f"/proc/{child}/{name}", "rb") as file:
                    seen.append(file.read())
            link.close()
        watcher = threading.Thread(target=look)
        watcher.start()
        converse(self, (child, terminal), [(b"Passphrase: ", PASSPHRASE)], code=1)
        watcher.join(SECONDS_MAX)
        listener.close()
        self.assertEqual(len(seen), 2)
        self.assertNotIn(PASSPHRASE, b"".join(seen))

    def test_what_a_person_types_has_the_size_or_is_refused(self):
        for line in (b"", b"short", PASSPHRASE + b"x", b"z" * 200):
            at = PennyTest.at_terminal(self, *self.find(), "CLOCK")
            shown = converse(self, at, [(b"Passphrase: ", line)], code=1)
            self.assertIn(b"penny: the passphrase has not exactly 16 bytes\r\n", shown)

    def test_without_a_terminal_it_says_how(self):
        self.penny(*self.find(), "CLOCK", code=1, start_new_session=True)
        self.assertEqual(self.err, "penny: there is no terminal to ask for the passphrase; use "
                                   "--passphrase-file\n")


class Refused(PennyTest):
    """No server is needed for what penny does not even try."""

    @classmethod
    def setUpClass(cls):
        pass

    def refused(self, *words, code=2):
        self.penny(*words, "CLOCK", code=code)
        self.assertEqual(self.err.count("\n"), 1, self.err)
        self.assertEqual(self.out, b"")
        return self.err

    def test_options_of_people_and_terminals(self):
        for channel in CHANNELS:
            for words in (("--cert", "a", "--key", "b"), ("--cert", "a"), ("--key", "b"),
                          ("--cacert", "c")):
                self.assertIn("takes no terminal's certificate",
                              self.refused("--channel", channel, *words))
            for words in (("--user", "alice"), ("--user", ""), ("--pass", "x"), ("--askpass",)):
                self.assertIn("nobody logs in", self.refused(*words, "--channel", channel))

    def test_options_of_other_channels(self):
        pin = "ab" * 32
        for channel in ("tls", "xor", "psk"):
            self.assertIn("--pin is for", self.refused("--channel", channel, "--pin", pin))
        for channel in ("tls", "xor", *WITH_KEYS):
            self.assertIn("--passphrase-file is for",
                          self.refused("--channel", channel, "--passphrase-file", "f"))
        for words in (("--pin", pin), ("--passphrase-file", "f")):
            self.assertIn("is for", self.refused(*words))

    def test_what_is_no_pin(self):
        for pin in ("", "ab", "ab" * 33, "zz" * 32, "ab" * 31 + "a"):
            self.assertIn("64 hex digits", self.refused("--channel", "rsa", "--pin", pin))

    def test_what_is_no_channel(self):
        for name in ("", "TLS", "foo", "rsa2", "rs"):
            self.assertEqual(self.refused("--channel", name),
                             f"penny: there is no channel '{name}'; there are xor rsa hybrid dhe "
                             "psk and tls\n")

    def test_files_that_the_conf_names_and_that_are_not_there(self):
        keys = {"rsa": "lab-key", "hybrid": "lab-key", "dhe": "lab-ca", "psk": "passphrase-file"}
        for channel, key in keys.items():
            with open(f"{self.folder}/client.conf", "w", encoding="utf-8") as file:
                file.write(f"[client]\n{key} = nowhere\n")
            said = self.refused("--channel", channel, "-c", f"{self.folder}/client.conf", code=1)
            self.assertEqual(said, f"penny: {self.folder}/nowhere: No such file or directory\n")

    def test_files_that_hold_something_else(self):
        with open(f"{self.folder}/client.conf", "w", encoding="utf-8") as file:
            file.write("[client]\nlab-key = client.conf\n")
        for channel in WITH_KEYS:
            said = self.refused("--channel", channel, "-c", f"{self.folder}/client.conf", code=1)
            self.assertTrue(said.startswith(f"penny: {channel}: "), said)

    def test_nobody_listens(self):
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        listener.close()
        self.assertEqual(self.refused("--channel", "xor", "-p", str(port), code=1),
                         f"penny: 127.0.0.1 port {port}: Connection refused\n")


class Altered(LabTest):
    """Somebody between the two changes one bit."""

    def flip(self, channel, way, *words, at=-1, code=1):
        flipped = []

        def alter(this_way, data):
            is_data = len(data) != 16 if channel == "xor" else data[0] == DATA
            if this_way != way or flipped or not is_data:
                return data
            flipped.append(data)
            data = bytearray(data)
            data[at] ^= 1
            return bytes(data)
        between = Between(self.labs[channel], alter)
        self.on(channel, *words, port=between.port, code=code)
        between.close()
        self.assertEqual(len(flipped), 1)
        return between

    FOUND = {"rsa": "the signature does not fit the message",
             "hybrid": "the signature does not fit the message",
             "dhe": "the record was altered, repeated, lost or moved",
             "psk": "the record was altered, repeated, lost or moved"}
    NUMBERS = {"rsa": 4, "hybrid": 4, "dhe": 10, "psk": 10}

    def test_a_reply_that_was_altered_is_no_reply_and_the_server_hears_of_it(self):
        for channel in self.FOUND:
            with self.subTest(channel=channel):
                between = self.flip(channel, "down", "CLOCK")
                self.assertEqual(self.out, b"")
                self.assertEqual(self.err, f"penny: no answer to CLOCK: {self.FOUND[channel]}\n")
                told, _ = messages(between.seen["up"])
                self.assertEqual(told[-1], bytes([ALERT, 0, 1, self.NUMBERS[channel]]))

    def test_a_command_that_was_altered_is_refused_by_name(self):
        for channel in self.FOUND:
            with self.subTest(channel=channel):
                self.flip(channel, "up", "TELL", "altered on the way")
                self.assertEqual(self.err, "penny: outcome unknown: TELL may or may not have been "
                                           "carried out: the other side gave up: "
                                           f"{self.FOUND[channel]}\n")
                self.assertNotIn("altered on the way", self.labs[channel].log())

    def test_on_xor_nobody_notices(self):
        self.flip("xor", "down", "ECHO", "aaaa", at=4, code=0)
        self.assertEqual(self.out, b"`aaa\n")
        self.assertEqual(self.err, "")


class Vanishing(LabTest):
    """Whoever is there hangs up."""

    def hang_up(self, channel, after):
        def talk():
            link, _ = listener.accept()
            with link:
                link.settimeout(SECONDS_MAX)
                got = b""
                while len(got) < after:
                    got += link.recv(65536)
        listener = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        self.on(channel, "--timeout", "2", "CLOCK", port=listener.getsockname()[1], code=1)
        thread.join(SECONDS_MAX)
        listener.close()

    def test_within_the_handshake(self):
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                for after in (0, 16):
                    self.hang_up(channel, after)
                    self.assertEqual(self.err.count("\n"), 1, self.err)
                    self.assertRegex(self.err, "^penny: 127.0.0.1 port .*: the (server hung up|"
                                               "connection is lost)")

    def cut(self, channel, *words, **more):
        """The line is cut in front of the first reply."""
        cuts = []

        def alter(way, data):
            if way == "down" and (len(data) != 16 if channel == "xor" else data[0] == DATA):
                cuts.append(data)
                raise OSError
            return data
        between = Between(self.labs[channel], alter)
        self.on(channel, "--timeout", "2", *words, port=between.port, **more)
        between.close()
        self.assertEqual(len(cuts), 1)

    def test_in_front_of_a_reply(self):
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                self.cut(channel, "TELL", "gone", code=1)
                self.assertIn("outcome unknown: TELL may or may not have been carried out: the ",
                              self.err)

    def test_only_some_channels_tell_an_end_from_a_cut(self):
        for channel in CHANNELS:
            with self.subTest(channel=channel):
                tells = channel in ("dhe", "psk")
                self.cut(channel, "--raw", stdin=b"*1\r\n$5\r\nCLOCK\r\n", code=int(tells))
                self.assertEqual(self.out, b"")
                self.assertEqual("hung up" in self.err or "lost" in self.err, tells)

    def test_a_silent_server_has_its_time(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            for channel in CHANNELS:
                with self.subTest(channel=channel):
                    self.on(channel, "--timeout", "1", "CLOCK", port=port, code=1)
                    self.assertEqual(self.err, f"penny: 127.0.0.1 port {port}: no answer in time\n")


if __name__ == "__main__":
    unittest.main()

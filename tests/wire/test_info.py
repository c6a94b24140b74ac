"""What is asked beside money: TELL, CLOCK, DATE and TEMPERATURE, from every source, and from files
that hold anything but a temperature."""

import json
import os
import re
import subprocess
import tempfile
import unittest
from datetime import datetime
from zoneinfo import ZoneInfo

from bank import Bank, BankTest, library, program, run
from clock import ClockBank, ms_of
from resp import Error, fields, wait_until

DEVICE = "28-0123456789ab"
SHOWN = "72 01 4b 46 7f ff 0e 10 57"
LINES = f"{SHOWN} : crc=57 YES\n{SHOWN} t=23125\n"
NONE = "what its file says is no temperature"


class Kernel:
    """A folder that looks as the kernel's /sys does to who looks for sensors."""

    def __init__(self, test):
        folder = tempfile.TemporaryDirectory(dir=os.environ.get("PENNY_TMP"))
        test.addClassCleanup(folder.cleanup)
        self.root = folder.name

    def path(self, *parts):
        path = os.path.join(self.root, *parts)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return path

    def zone(self, number=0):
        return self.path("class", "thermal", f"thermal_zone{number}", "temp")

    def device(self, name="temperature"):
        return self.path("bus", "w1", "devices", DEVICE, name)


def put(path, content):
    """Writes a file beside its place and moves it there, so that nobody reads half of it."""
    with open(f"{path}.new", "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    os.rename(f"{path}.new", path)


class SensorTest(BankTest):
    """One bank, whose sensor's file is changed by the tests. A reading holds for a second, so each
    waits until another answer comes."""

    option = ""
    source = ""

    @classmethod
    def setUpClass(cls):
        cls.kernel = Kernel(cls)
        cls.settings = (f"server.temperature={cls.option}",
                        f"server.sensor-root={cls.kernel.root}")
        super().setUpClass()

    def becomes(self, wire, wanted):
        """Waits for the temperature, or for what the error says."""
        def looked():
            reply = wire.ask("TEMPERATURE")
            if isinstance(reply, Error):
                self.assertEqual(reply.word, "ERR")
                self.assertTrue(reply.text.startswith(f"sensor {self.source}: "),
                                reply.text)
                return reply.text.split(": ", 1)[1] == wanted
            reply = fields(reply)
            self.assertEqual(reply["unit"], "celsius")
            self.assertEqual(reply["source"], self.source)
            self.assertEqual(len(reply), 3)
            return reply["temperature"] == wanted
        wait_until(f"the sensor says {wanted!r}", looked)


class Thermal(SensorTest):
    option = "thermal"
    source = "thermal:0"

    def test_a_zone_is_told_in_degrees_and_its_absence_as_an_error(self):
        with self.bank.wire("alice") as wire:
            self.becomes(wire, "its file is not there")
            put(self.kernel.zone(), "48312\n")
            self.becomes(wire, "48.312")
            put(self.kernel.zone(), "-500\n")
            self.becomes(wire, "-0.5")
            put(self.kernel.zone(), "")
            self.becomes(wire, NONE)
            put(self.kernel.zone(), "-274000\n")
            self.becomes(wire, "it says what cannot be, less than -273.15 or more than 1000 degrees")
            put(self.kernel.zone(), "48000\n")
            self.becomes(wire, "48.0")

    def test_it_is_the_same_map_for_everybody_before_a_login_too(self):
        put(self.kernel.zone(), "48000\n")
        with self.bank.wire(terminal="bob") as wire:
            self.becomes(wire, "48.0")
            self.assertEqual(wire.ask("TEMPERATURE"), [b"temperature", b"48.0", b"unit", b"celsius",
                                                       b"source", b"thermal:0"])
        with self.bank.wire("bob", protocol=3) as wire:
            self.assertEqual(wire.ask("TEMPERATURE"), {b"temperature": b"48.0",
                                                       b"unit": b"celsius",
                                                       b"source": b"thermal:0"})
        self.assertEqual(self.bank.client("till").execute_command("TEMPERATURE")[1], b"48.0")
        self.assertEqual(self.bank.penny("TEMPERATURE").stdout,
                         "temperature: 48.0\nunit: celsius\nsource: thermal:0\n")
        said = json.loads(self.bank.penny("TEMPERATURE", options=["--json"]).stdout)
        self.assertEqual(said, {"temperature": "48.0", "unit": "celsius", "source": "thermal:0"})

    def test_the_operator_hears_of_a_failure_once_and_of_its_end(self):
        with self.bank.wire("alice") as wire:
            put(self.kernel.zone(), "1000\n")
            self.becomes(wire, "1.0")
            begin = len(self.bank.log())
            os.remove(self.kernel.zone())
            self.becomes(wire, "its file is not there")
            first = ms_of_last_reading(wire)
            wait_until("it was read again", lambda: ms_of_last_reading(wire) > first + 1100)
            put(self.kernel.zone(), "2000\n")
            self.becomes(wire, "2.0")
        told = re.findall(r"^\S+ (\w+) (the sensor .*)$", self.bank.log()[begin:], re.M)
        self.assertEqual(told, [
            ("warning", f"the sensor tells no temperature file {self.kernel.zone()} because its "
                        "file is not there"),
            ("info", f"the sensor answers file {self.kernel.zone()}")])

    def test_with_a_client_that_waits_for_several_answers_they_come_in_order(self):
        with self.bank.wire("alice") as wire:
            put(self.kernel.zone(), "3000\n")
            self.becomes(wire, "3.0")
            words = ("BALANCE", "TEMPERATURE", "DATE", "TEMPERATURE", "BALANCE")
            wire.send("".join(word + "\r\n" for word in words).encode())
            replies = [wire.reply() for _ in words]
        self.assertEqual(replies[0], replies[4])
        for reply in (replies[1], replies[3]):
            self.assertEqual(fields(reply)["temperature"], "3.0")


def ms_of_last_reading(wire):
    """The server's time just behind an answer."""
    wire.ask("TEMPERATURE")
    seconds, micros = wire.ask("TIME")
    return int(seconds) * 1000 + int(micros) // 1000


class Device(SensorTest):
    option = f"w1:{DEVICE}"
    source = f"w1:{DEVICE}"

    def test_a_device_tells_what_it_measured_and_nothing_else(self):
        with self.bank.wire("alice") as wire:
            self.becomes(wire, "its file is not there")
            put(self.kernel.device("w1_slave"), LINES)
            self.becomes(wire, "23.125")
            put(self.kernel.device("w1_slave"), LINES.replace("YES", "NO"))
            self.becomes(wire, "the checksum of its reading is wrong")
            put(self.kernel.device("w1_slave"), LINES.replace("t=23125", "t=85000"))
            self.becomes(wire, "it says 85 degrees, as it does before it has measured")
            put(self.kernel.device("w1_slave"), LINES.replace("t=23125", "t=-127000"))
            self.becomes(wire, "it says what it cannot measure, less than -55 or more than 125 "
                               "degrees")
            put(self.kernel.device("w1_slave"), LINES[:40])
            self.becomes(wire, NONE)
            # A newer kernel's file is taken before that one.
            put(self.kernel.device(), "-5125\n")
            self.becomes(wire, "-5.125")
            put(self.kernel.device(), "85000\n")
            self.becomes(wire, "it says 85 degrees, as it does before it has measured")
            os.remove(self.kernel.device())
            put(self.kernel.device("w1_slave"), LINES)
            self.becomes(wire, "23.125")


class File(BankTest):
    """Every kind of thing that may lie where a script should have written a number."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(dir=os.environ.get("PENNY_TMP"))
        cls.addClassCleanup(folder.cleanup)
        cls.path = os.path.join(folder.name, "a number")
        cls.settings = (f"server.temperature=file:{cls.path}",)
        super().setUpClass()

    def clear(self):
        if os.path.isdir(self.path) and not os.path.islink(self.path):
            os.rmdir(self.path)
        elif os.path.lexists(self.path):
            os.remove(self.path)

    def test_only_a_number_in_a_small_regular_file_is_a_temperature(self):
        cases = (
            ("regular", lambda: put(self.path, "21.4375\n"), "21.438"),
            ("1 MB", lambda: put(self.path, b"1" * (1 << 20)), "its file is longer than a reading is"),
            ("a fifo", lambda: os.mkfifo(self.path), "its file is no regular file"),
            ("nothing", lambda: None, "its file is not there"),
            ("a folder", lambda: os.mkdir(self.path), "its file is no regular file"),
            ("no end", lambda: put(self.path, " -7"), "-7.0"),
            ("a device", lambda: os.symlink("/dev/zero", self.path), "its file is no regular file"),
            ("a loop", lambda: os.symlink(self.path, self.path), "its file cannot be read"),
            ("bytes", lambda: put(self.path, bytes(range(256))), NONE),
            ("hot", lambda: put(self.path, "1000.001"),
             "it says what cannot be, less than -273.15 or more than 1000 degrees"),
            ("a link", lambda: (put(f"{self.path}.at", "20"),
                                os.symlink(f"{self.path}.at", self.path)), "20.0"),
        )
        with self.bank.wire("alice") as wire:
            for name, make, wanted in cases:
                self.clear()
                make()

                def looked():
                    reply = wire.ask("TEMPERATURE")
                    if isinstance(reply, Error):
                        self.assertEqual(reply.word, "ERR")
                        self.assertNotIn(self.path, reply.line)
                        return reply.text == f"sensor file: {wanted}"
                    reply = fields(reply)
                    self.assertEqual(reply["source"], "file")
                    return reply["temperature"] == wanted

                wait_until(f"{name} is told as {wanted!r}", looked)
            self.assertEqual(wire.ask("BALANCE"), b"50.00")


class Slow(unittest.TestCase):
    def test_a_sensor_that_does_not_answer_keeps_nobody_waiting(self):
        with tempfile.TemporaryDirectory(dir=os.environ.get("PENNY_TMP")) as folder:
            sensor, marker = os.path.join(folder, "t"), os.path.join(folder, "slow")
            put(sensor, "21.5")
            put(marker, "")
            os.environ.update(SLOW_FILE=sensor, SLOW_WHILE=marker)
            try:
                bank = Bank(settings=(f"server.temperature=file:{sensor}", "server.threads=2",
                                      "limits.buffers=16", "limits.sessions=16"),
                            preload=library(folder, "slow_file"))
            finally:
                del os.environ["SLOW_FILE"], os.environ["SLOW_WHILE"]
            with bank:
                waiting = [bank.wire("alice") for _ in range(6)]
                for wire in waiting:
                    wire.send(b"TEMPERATURE\r\n")
                # Meanwhile everything else goes on, a login on the other thread included.
                with bank.wire("bob") as wire:
                    self.assertEqual(wire.ask("BALANCE"), b"20.00")
                for wire in waiting:
                    self.assertEqual(wire.reply().line,
                                     "ERR sensor file: it has not answered for 3 seconds")
                    self.assertEqual(wire.ask("TEMPERATURE").line,
                                     "ERR sensor file: it has not answered for 3 seconds")
                os.remove(marker)
                wait_until("it answers", lambda: not isinstance(waiting[0].ask("TEMPERATURE"), Error))
                self.assertEqual(fields(waiting[1].ask("TEMPERATURE"))["temperature"], "21.5")
                bank.stop()


class Configured(unittest.TestCase):
    def test_without_a_sensor_the_option_is_named(self):
        with Bank(settings=("server.temperature=none",)) as bank, bank.wire("alice") as wire:
            self.assertEqual(wire.ask("TEMPERATURE").line,
                             "ERR sensor none: there is none; [server] temperature names one")

    def test_a_simulated_one_says_so_and_stays_within_its_bounds(self):
        with Bank(settings=("server.temperature=simulated",)) as bank, bank.wire("alice") as wire:
            told = set()

            def several():
                reply = fields(wire.ask("TEMPERATURE"))
                self.assertEqual((reply["unit"], reply["source"]), ("celsius", "simulated"))
                self.assertRegex(reply["temperature"], r"^-?\d{1,3}\.\d{1,3}$")
                self.assertLessEqual(abs(float(reply["temperature"])), 100)
                told.add(reply["temperature"])
                return len(told) >= 3

            wait_until("three of them were told", several)

    def test_a_form_that_is_none_is_refused_and_a_file_that_is_not_there_is_not(self):
        with Bank(start=False) as bank:
            argv = [program("pennyd"), "-t", bank.path("pennyd.conf"), "--set"]
            for value in ("", "thermal:x", "thermal:1000", "w1:", "w1:../../../etc/passwd",
                          f"w1:{DEVICE}0", "file:", "file:t", "file:../t", "cpu", "Simulated"):
                done = run([*argv, f"server.temperature={value}"], expect=2)
                self.assertIn("it takes none, thermal, thermal:N, w1:ID, file:/PATH or simulated",
                              done.stderr)
            done = run([*argv, "server.sensor-root=sys"], expect=2)
            self.assertIn("it takes a folder's name from / on", done.stderr)
            for value in ("thermal:999", f"w1:{DEVICE}", "file:/no/such file", "simulated"):
                run([*argv, f"server.temperature={value}"])

    def test_a_backup_leaves_the_sensors_of_the_machine_as_they_are(self):
        with Bank(start=False) as bank:
            lines = ("temperature = file:/run/some sensor", "sensor-root = /other/sys")
            with open(bank.path("pennyd.conf"), encoding="utf-8") as file:
                conf = file.read()
            conf = re.sub(r"(?m)^#?(temperature|sensor-root) = .*\n", "", conf)
            conf = conf.replace("[server]\n", "[server]\n" + "\n".join(lines) + "\n")
            with open(bank.path("pennyd.conf"), "w", encoding="utf-8") as file:
                file.write(conf)
            backup, again = os.path.join(bank.folder, "b.tar"), os.path.join(bank.folder, "again")
            bank.pennyctl("backup", bank.home, backup)
            bank.pennyctl("restore", backup, again)
            with open(os.path.join(again, "pennyd.conf"), encoding="utf-8") as file:
                restored = file.read().split("\n")
            for line in lines:
                self.assertIn(line, restored)
            run([program("pennyd"), "-t", os.path.join(again, "pennyd.conf")])


class Clock(unittest.TestCase):
    """The server's clock is set by the test, and its zone by the option; Python's own zones say what
    is right."""

    def told(self, zone, moments):
        with ClockBank(moments[0], settings=(f"server.time-zone={zone}",)) as bank:
            with bank.wire("alice") as wire:
                for moment in moments:
                    bank.set_clock(moment)
                    local = datetime.fromtimestamp(ms_of(moment) / 1000, ZoneInfo(zone))
                    clock = wire.ask("CLOCK").decode()
                    self.assertEqual(clock, local.isoformat(timespec="microseconds"), moment)
                    self.assertEqual(datetime.fromisoformat(clock).timestamp(), ms_of(moment) / 1000)
                    self.assertEqual(wire.ask("DATE").decode(), local.date().isoformat())
                    self.assertEqual(wire.ask("TIME"),
                                     [str(ms_of(moment) // 1000).encode(),
                                      str(ms_of(moment) % 1000 * 1000).encode()])
                    yield clock

    def test_both_nights_on_which_the_clock_is_set_are_told_apart(self):
        told = list(self.told("Europe/Berlin", (
            "2037-03-28T22:59:59.999Z", "2037-03-28T23:00:00.000Z", "2037-03-29T00:59:59.999Z",
            "2037-03-29T01:00:00.250Z", "2037-10-25T00:30:00.000Z", "2037-10-25T01:30:00.000Z")))
        self.assertEqual(told[2], "2037-03-29T01:59:59.999000+01:00")
        self.assertEqual(told[3], "2037-03-29T03:00:00.250000+02:00")
        self.assertEqual(told[4], "2037-10-25T02:30:00.000000+02:00")
        self.assertEqual(told[5], "2037-10-25T02:30:00.000000+01:00")

    def test_the_date_is_that_of_the_place(self):
        for zone in ("Pacific/Kiritimati", "America/St_Johns", "Asia/Kathmandu", "UTC"):
            with self.subTest(zone=zone):
                told = list(self.told(zone, ("2036-12-31T09:59:59.000Z", "2036-12-31T10:00:00.000Z",
                                             "2037-01-01T03:29:59.000Z", "2040-02-29T12:00:00.000Z",
                                             "2041-07-01T00:00:00.000Z")))
                self.assertEqual(len(told), 5)

    def test_the_zone_of_the_system_is_taken_where_none_is_written_down(self):
        before = os.environ.get("TZ")
        os.environ["TZ"] = "Asia/Tokyo"
        try:
            with ClockBank("2036-12-31T15:00:00Z") as bank, bank.wire("alice") as wire:
                self.assertEqual(wire.ask("CLOCK"), b"2037-01-01T00:00:00.000000+09:00")
                self.assertEqual(wire.ask("DATE"), b"2037-01-01")
        finally:
            del os.environ["TZ"]
            if before is not None:
                os.environ["TZ"] = before


class Tell(BankTest):
    settings = ("server.message=Grüße aus der Küche",)

    def lines(self, begin):
        return re.findall(r"^\S+ info (told .*)$", self.bank.log()[begin:], re.M)

    def test_a_text_becomes_one_line_that_says_whose_it_is(self):
        begin = len(self.bank.log())
        answer = "Grüße aus der Küche"
        with self.bank.wire("bob", terminal="alice") as wire:
            self.assertEqual(wire.ask("TELL", "Kühlschrank ist leer").decode(), answer)
            forged = b"x\"\n2026-01-01T00:00:00.000Z info told session 1 person admin\x1b[2J\xff\\"
            self.assertEqual(wire.ask("TELL", forged).decode(), answer)
            self.assertEqual(wire.ask("TELL", "").decode(), answer)
        self.assertEqual(self.bank.penny("TELL", "a b").stdout, answer + "\n")
        self.assertEqual(self.bank.client("alice").execute_command("TELL", "c").decode(), answer)
        self.assertIn(answer, self.bank.openssl([f"AUTH alice {self.bank.passwords['alice']}",
                                                 'TELL "typed by hand"', "QUIT"]))
        told = [re.sub(r"session \d+", "session N", line, count=1) for line in self.lines(begin)]
        bob, alice = ("told session N terminal alice person " + name for name in ("bob", "alice"))
        self.assertEqual(told, [
            f'{bob} text "Kühlschrank ist leer"',
            f'{bob} text "x\\x22\\x0a2026-01-01T00:00:00.000Z info told session 1 person admin'
            '\\x1b[2J\\xff\\x5c"',
            f'{bob} text ""', f'{alice} text "a b"', f'{alice} text "c"',
            f'{alice} text "typed by hand"'])

    def test_nobody_tells_before_a_login_nor_more_than_the_log_takes(self):
        begin = len(self.bank.log())
        with self.bank.wire(terminal="till") as wire:
            self.assert_error(wire.ask("TELL", "x"), "NOAUTH")
            self.assert_error(wire.ask("TELL"), "ERR", "wrong number of arguments")
        with self.bank.wire("till") as wire:
            self.assert_error(wire.ask("TELL", "x" * 256), "ERR",
                              "a text of 256 bytes; the log takes at most 255")
            self.assertEqual(self.lines(begin), [])
            wire.ask("TELL", b"\x00" * 255)
            self.assertTrue(self.lines(begin)[0].endswith('"' + "\\x00" * 255 + '"'))

    def test_a_loop_of_it_does_not_fill_the_log(self):
        begin = len(self.bank.log())
        with self.bank.wire("admin") as wire:
            for _ in range(2):  # The minute may turn in between, once.
                replies = [wire.ask("TELL", "again") for _ in range(61)]
                if isinstance(replies[-1], Error):
                    break
            self.assert_error(replies[-1], "BUSY", "try later")
            told = sum(1 for line in self.lines(begin) if line.endswith('"again"'))
            self.assertLessEqual(told, 120)
            with self.bank.wire("till") as other:
                self.assertNotIsInstance(other.ask("TELL", "somebody else"), Error)


class Help(BankTest):
    def test_the_commands_are_in_the_help_and_what_is_wrong_about_them_is_said(self):
        shown = subprocess.run([program("penny"), "help"], capture_output=True, text=True,
                               check=True).stdout
        for usage in ("TELL text", "TIME", "CLOCK", "DATE", "TEMPERATURE"):
            self.assertRegex(shown, rf"(?m)^{usage} ?$")
        with self.bank.wire("alice") as wire:
            for word in ("CLOCK", "DATE", "TEMPERATURE"):
                self.assert_error(wire.ask(word, "now"), "ERR",
                                  f"wrong number of arguments for '{word.lower()}' command")
            self.assertEqual(wire.ask("MULTI"), "OK")
            self.assert_error(wire.ask("TEMPERATURE"), "ERR", "may be queued in a group")
            self.assert_error(wire.ask("EXEC"), "EXECABORT")


if __name__ == "__main__":
    unittest.main()

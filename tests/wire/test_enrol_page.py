"""certs/README.md: a terminal is enrolled, renewed and revoked by the literal commands of the page.

What a test must have of its own is put in: the code, the ports, and where the programs are.
"""

import os
import re
import subprocess
import unittest

from bank import ROOT, Bank, program
from resp import wait_until

PAGE = os.path.join(ROOT, "certs", "README.md")


def section():
    with open(PAGE, encoding="utf-8") as text:
        found = re.search(r"^## A terminal enrolled, renewed and revoked\n(.*?)^## ", text.read(),
                          re.S | re.M)
    return found.group(1)


def blocks(text):
    """The indented parts, as lists of lines without their comments."""
    found = re.findall(r"(?:^    .*\n)+", text, re.M)
    return [[re.sub(r" +# .*", "", line[4:]) for line in block.splitlines()] for block in found]


class Page(unittest.TestCase):
    def setUp(self):
        self.bank = Bank(start=False)
        self.addCleanup(self.bank.close)
        # The page calls it by this name, in the folder in which everything is typed.
        self.assertEqual(os.path.basename(self.bank.home), "bank")

    def type(self, line, expect=0):
        path = os.path.dirname(program("penny")) + os.pathsep + os.environ["PATH"]
        done = subprocess.run(["/bin/sh", "-c", line], cwd=self.bank.folder, capture_output=True,
                              text=True, timeout=60, check=False, stdin=subprocess.DEVNULL,
                              env=dict(os.environ, PATH=path, HOME=self.bank.folder))
        self.assertEqual(done.returncode, expect, f"{line}\n{done.stdout}{done.stderr}")
        return done

    def test_the_literal_commands(self):
        listener, signing, then = blocks(section())
        with open(self.bank.path("pennyd.conf"), "a", encoding="utf-8") as conf:
            conf.write("\n" + "\n".join([*listener, "port = 0"]) + "\n")
        for line in signing:
            self.type(line)
        self.bank.start()
        port = re.search(r"^ready enrol 127\.0\.0\.1:(\d+)$", self.bank.log(), re.M).group(1)
        make, enrol, ping, renew, revoke, reload, refused = then
        code = re.search(r"^code (\S+)$", self.type(make).stdout, re.M).group(1)
        self.assertIn("penny enrol 127.0.0.1 CODE --dir kiosk-2", enrol)
        self.type(enrol.replace("127.0.0.1 CODE", f"127.0.0.1:{port} {code}"))
        self.assertEqual(self.type(ping).stdout, "PONG\n")
        self.assertIn("kiosk-2: renewed until", self.type(renew).stdout)
        self.assertEqual(self.type(ping).stdout, "PONG\n")
        self.type(revoke)
        self.type(reload)
        wait_until("the server has read it", lambda: " reloaded " in self.bank.log())
        self.assertIn("did not accept our certificate", self.type(refused, expect=1).stderr)
        wait_until("the log says why", lambda: "because certificate revoked" in self.bank.log())

    def test_without_the_two_lines_the_operator_signs(self):
        listener, _, then = blocks(section())
        with open(self.bank.path("pennyd.conf"), "a", encoding="utf-8") as conf:
            conf.write("\n" + "\n".join([*listener, "port = 0"]) + "\n")
        self.bank.start()
        port = re.search(r"^ready enrol 127\.0\.0\.1:(\d+)$", self.bank.log(), re.M).group(1)
        code = re.search(r"^code (\S+)$", self.type(then[0]).stdout, re.M).group(1)
        enrol = then[1].replace("127.0.0.1 CODE", f"127.0.0.1:{port} {code}")
        said = self.type(enrol, expect=1).stderr
        typed = re.search(r"who types: (pennyctl enrol --sign kiosk-2)$", said, re.M).group(1)
        self.type(typed + " bank")
        self.type(enrol)
        self.assertEqual(self.type(then[2]).stdout, "PONG\n")


if __name__ == "__main__":
    unittest.main()

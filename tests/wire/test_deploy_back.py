"""What tools/deploy takes back: programs that do not run, do not serve, or stop serving."""

import os
import shlex
import unittest

from bank import program, run
from packing import NAMES, OnBoard, content


class Back(OnBoard):
    def not_serving(self, name, what="exit 1"):
        """A tarball with a server that takes the configuration, and then does not serve."""
        real = shlex.quote(program("pennyd"))
        text = f'case " $* " in *" --version "* | *" -t "*) exec {real} "$@" ;; esac\n{what}\n'
        return self.pack(name, pennyd=f"#!/bin/sh\n{text}".encode())

    def test_programs_that_do_not_run_are_refused_before_anything_changes(self):
        self.make_bank()
        del self.board.starts[:]
        said = self.deploy(self.pack("bad", pennyd=b"#!/bin/sh\nexit 1\n"), expect=1).stdout
        self.assertIn("pennyd does not run here; nothing was changed", said)
        self.assertEqual(self.board.starts, [])
        self.board.starts.append([])
        self.assert_old_one_serves()

    def test_a_server_that_ends_or_never_answers_is_taken_back(self):
        self.make_bank()
        silent = ("exec /usr/bin/python3 -c 'import signal, socket\n"
                  f"taken = socket.create_server((\"127.0.0.1\", {self.bank.port}))\n"
                  "print(\"ready and deaf\", flush=True)\nsignal.pause()'")
        for name, serving in (("ends", "exit 1"), ("silent", silent)):
            with self.subTest(server=name):
                self.before = self.balances()
                bad = self.not_serving(name, serving)
                said = self.deploy(bad, "--tries", "4", expect=3).stdout
                self.assertIn("the previous programs serve again", said)
                self.assertEqual(self.installed("penny")[-3:], b"one")
                self.assert_old_one_serves()

    def test_a_server_that_systemd_starts_again_and_again_is_given_up(self):
        self.make_bank()
        words = self.board.command()
        restart = words[words.index("--restart") + 1]
        said = os.path.join(self.folder, "said")
        systemctl = os.path.join(self.board.first, "systemctl")
        with open(systemctl, "w", encoding="utf-8") as out:
            out.write(f"""#!/bin/bash
echo "$*" >>{shlex.quote(said)}
mark={shlex.quote(self.board.path("usr/local/lib/pennybank/unproven"))}
case "$*" in
"restart pennyd.service") [ ! -e "$mark" ] || . "$mark"; export PENNYD_OPTIONS
    ({restart}); exit 0 ;;
"is-failed "*) exit 1 ;;
"show "*) if [ -e "$mark" ]; then echo 2; else echo 0; fi ;;
esac
""")
        os.chmod(systemctl, 0o755)
        script = os.path.join(os.path.dirname(self.unpack_tarball(self.not_serving("ends"))),
                              "switch.sh")
        done = run(["sh", script], expect=3,
                   env=dict(os.environ, ROOT=self.board.root, TRIES="9999",
                            PATH=f"{self.board.first}:{os.environ['PATH']}"))
        self.assertIn("the previous programs serve again", done.stdout)
        self.assertIn("reset-failed pennyd.service\nrestart pennyd.service\n",
                      content(said).decode())
        self.assert_old_one_serves()

    def test_nothing_to_go_back_to_is_said(self):
        self.make_bank()
        for name in NAMES:
            os.remove(self.board.bin(name))
        self.assertIn("there is nothing to go back to",
                      self.deploy(self.not_serving("bad"), expect=4).stdout)

    def test_a_board_that_stopped_in_the_middle_reads_alone_until_the_next_deploy(self):
        self.make_bank()
        run(["sh", self.unpack("two"), "--unproven"],
            env=dict(os.environ, ROOT=self.board.root))
        self.assertTrue(self.installed().endswith(b"two"))
        self.assertIn("PENNYD_OPTIONS=--read-only",
                      content(self.board.path("usr/local/lib/pennybank/unproven")).decode())
        self.assertIn("cut off", self.deploy(self.not_serving("bad"), expect=3).stdout)
        self.assert_old_one_serves()
        self.deploy(self.pack("three"))
        self.assertTrue(self.installed("pennyd", ".previous").endswith(b"one"))


if __name__ == "__main__":
    unittest.main()

"""README.md against the tools: what they print now, what lies in the tree, what make can do."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

from bank import ROOT, program

SECONDS_MAX = 150


def read(*parts):
    with open(os.path.join(ROOT, *parts), encoding="utf-8") as file:
        return file.read()


def readme(*options):
    return subprocess.run([sys.executable, "-B", os.path.join(ROOT, "tools", "readme"),
                           "--build", os.path.dirname(program("penny")), *options],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=SECONDS_MAX, check=False)


class Made(unittest.TestCase):
    def test_what_is_printed_in_it_is_what_the_tools_print_now(self):
        done = readme("--check")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def check_text(self, text, *options):
        with tempfile.NamedTemporaryFile("w+", encoding="utf-8", suffix=".md",
                                         dir=os.environ.get("PENNY_TMP")) as file:
            file.write(text)
            file.flush()
            done = readme("--file", file.name, *options)
            file.seek(0)
            return done, file.read()

    def test_a_difference_is_shown_and_made_good(self):
        part = re.search(r"<!-- commands.*?<!-- end -->\n", read("README.md"), re.S).group(0)
        other = part.replace("Show a balance", "Show a secret")
        self.assertNotEqual(other, part)
        done, left = self.check_text(other, "--check")
        self.assertEqual((done.returncode, left), (1, other))
        self.assertRegex(done.stdout, r"(?m)^-.*Show a secret.*\n\+.*Show a balance")
        done, left = self.check_text(other)
        self.assertEqual((done.returncode, left), (0, part), done.stderr)

    def test_a_part_without_an_end_is_refused(self):
        done, _ = self.check_text("<!-- commands: made by tools/readme -->\n", "--check")
        self.assertEqual(done.returncode, 1)
        self.assertIn("has no <!-- end -->", done.stderr)


class Written(unittest.TestCase):
    def test_the_two_commands_and_how_to_get_make_are_in_the_first_screen(self):
        screen = "\n".join(read("README.md").split("\n")[:24])
        for line in ("make demo ", "make check ",
                     "sudo apt-get update && sudo apt-get install -y make"):
            self.assertIn(f"\n{line}", screen)

    def test_the_map_names_what_is_there_and_every_room(self):
        text = read("README.md")
        paths = re.findall(r"`((?:src|port|tools|tests|certs)/[^`*]*)`", text)
        for path in paths:
            self.assertTrue(os.path.exists(os.path.join(ROOT, path)), path)
        for entry in os.scandir(os.path.join(ROOT, "src")):
            if entry.is_dir():
                self.assertIn(f"src/{entry.name}/", paths)

    def test_make_alone_prints_a_line_of_help_for_every_target(self):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
        done = subprocess.run(["make"], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        shown = re.findall(r"^  make (\S+) +\S", done.stdout, re.M)
        self.assertEqual(len(shown), len(done.stdout.splitlines()))
        named = re.search(r"^\.PHONY: help (.*)$", read("Makefile"), re.M).group(1).split()
        self.assertEqual(sorted(shown), sorted(named))

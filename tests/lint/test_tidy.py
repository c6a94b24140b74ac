"""The text of the tree is kept tidy, and each rule can fail."""

import os
import subprocess
import tempfile
import unittest

import lint_tidy

ROOT = os.environ["PENNY_ROOT"]


def plant(folder, path, text):
    full = os.path.join(folder, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8") as out:
        out.write(text)


REFUSED = {
    **{f"docs/{word.lower()}.md": f"one\n// {word}: later\n" for word in lint_tidy.BANNED},
    "README.md": "one\nblank \n",
    "tests/a.patch": " \n+blank \n",
    "src/base/a.cpp": "one\n\tint x;\n",
    "tools/deps/b": "one\n\tx\n",
    "src/base/c.h": "one\n" + "x" * 101 + "\n",
    "port/posix/d.cpp": "one\n" + "é" * 101 + "\n",
}

ACCEPTED = {
    "src/base/a.cpp": "x" * 100 + "\n" + "é" * 100 + "\n",
    "tools/deps/a.tsv": "a\tb\t" + "x" * 200 + "\n",
    "Makefile": "a:\n\tb\n",
    "README.md": "x" * 300 + "\n",
    "docs/words.md": lint_tidy.BANNED[0] + "S and " + lint_tidy.BANNED[3].lower() + "\n",
    "certs/binary.der": "\0 \n",
    "tests/a.patch": " one\n \n-two\n",
    "tests/fuzz/corpus/resp/ping": "*1\r\n$4\r\nPING\r\n",
}


class Tidy(unittest.TestCase):
    def clean(self, found):
        if found:
            self.fail("\n" + "\n".join(found))

    def test_the_tree_is_tidy(self):
        self.clean(lint_tidy.violations(ROOT))

    def test_each_planted_violation_is_found(self):
        for path, text in REFUSED.items():
            with self.subTest(path), tempfile.TemporaryDirectory() as folder:
                plant(folder, path, text)
                found = lint_tidy.violations(folder)
                self.assertEqual(len(found), 1, found)
                self.assertTrue(found[0].startswith(f"{path}:2: "), found)

    def test_what_is_tidy_is_accepted(self):
        with tempfile.TemporaryDirectory() as folder:
            for path, text in ACCEPTED.items():
                plant(folder, path, text)
            self.clean(lint_tidy.violations(folder))

    def test_only_tracked_files_are_read_where_git_knows_them(self):
        with tempfile.TemporaryDirectory() as folder:
            plant(folder, "tracked.md", "blank \n")
            plant(folder, "untracked.md", "blank \n")
            for words in (["init", "-q"], ["add", "tracked.md"]):
                subprocess.run(["git", "-C", folder] + words, check=True)
            self.assertEqual([v.split(":")[0] for v in lint_tidy.violations(folder)],
                             ["tracked.md"])

    def test_long_files_and_functions_are_reported(self):
        with tempfile.TemporaryDirectory() as folder:
            plant(folder, "src/long.cpp", "int f() {\n" + "    x();\n" * 600 + "}\n")
            plant(folder, "src/short.cpp", "int f() {\n" + "    x();\n" * 58 + "}\n")
            notes = lint_tidy.report(folder)
            self.assertEqual(len(notes), 2, notes)
            self.assertIn("602 lines", notes[0])
            self.assertIn("src/long.cpp:1: a function of 602 lines", notes[1])

"""lint_tidy.py - how text is kept in the tree: what fails, and what is only reported.

    python3 tests/lint/lint_tidy.py     prints the report

Fails: a word that postpones work, a blank at a line's end (but for the one that stands for an empty
line in a patch), a tab where none is needed, a line of more than 100 columns. Only reported: a file of more than 600 lines, a function of more than 60.
"""

import os
import re
import subprocess
import sys

COLUMNS_MAX = 100
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 60

# Put together here, so that this file does not hold them.
BANNED = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]
BANNED_WORD = re.compile(r"\b(" + "|".join(BANNED) + r")\b")

CODE_TREES = ("src/", "port/", "tools/")
CODE_ENDINGS = (".h", ".c", ".cpp", ".def")
TABS_NEEDED = (".tsv", ".mk", "Makefile")  # Recipes, and tables whose cells hold blanks.
WIDE = (".tsv", "Makefile", ".md")  # Pages have tables, and what programs print.
NOT_OURS_TO_TIDY = ("tests/fuzz/corpus/",)  # Bytes as a peer or a disk would have them.
FUNCTION_START = re.compile(r"^[A-Za-z_\[].*\)\s*(const\s*)?\{\s*(//.*)?$")


def each_file(root):
    """Tracked files; without git, all but what is built or hidden."""
    listed = subprocess.run(["git", "-C", root, "-c", "safe.directory=*", "ls-files", "-z"],
                            capture_output=True, check=False)
    if listed.returncode == 0:
        paths = [p for p in listed.stdout.decode().split("\0") if p]
        return sorted(p for p in paths if os.path.isfile(os.path.join(root, p)))
    paths = []
    for folder, folders, names in os.walk(root):
        folders[:] = [f for f in folders if f not in ("build", "__pycache__", ".git")]
        paths += [os.path.relpath(os.path.join(folder, n), root) for n in names]
    return sorted(paths)


def read_text(root, path):
    """The lines of a text file, or None for any other."""
    if path.startswith(NOT_OURS_TO_TIDY):
        return None
    with open(os.path.join(root, path), "rb") as data:
        content = data.read()
    if b"\0" in content:
        return None
    try:
        return content.decode("utf-8").split("\n")
    except UnicodeDecodeError:
        return None


def line_violations(path, line):
    match = BANNED_WORD.search(line)
    if match:
        yield f"the word {match.group(1)} postpones work"
    if line != line.rstrip() and not (path.endswith(".patch") and line == " "):
        yield "blanks at the end of the line"
    if path.startswith(CODE_TREES):
        if "\t" in line and not path.endswith(TABS_NEEDED):
            yield "a tab"
        if len(line) > COLUMNS_MAX and not path.endswith(WIDE):
            yield f"{len(line)} columns, more than {COLUMNS_MAX}"


def violations(root):
    found = []
    for path in each_file(root):
        for number, line in enumerate(read_text(root, path) or [], 1):
            found += [f"{path}:{number}: {why}" for why in line_violations(path, line)]
    return found


def long_functions(lines):
    """Yields (line, length) of functions that begin in the first column."""
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and FUNCTION_START.match(line):
            start = number
        elif start is not None and line.startswith("}"):
            if number - start + 1 > FUNCTION_LINES_MAX:
                yield start, number - start + 1
            start = None


def report(root):
    notes = []
    for path in each_file(root):
        if not path.endswith(CODE_ENDINGS):
            continue
        lines = read_text(root, path) or []
        if len(lines) - 1 > FILE_LINES_MAX:
            notes.append(f"{path}: {len(lines) - 1} lines, aim below {FILE_LINES_MAX}")
        notes += [f"{path}:{start}: a function of {length} lines, aim below {FUNCTION_LINES_MAX}"
                  for start, length in long_functions(lines)]
    return notes


if __name__ == "__main__":
    for note in report(sys.argv[1] if len(sys.argv) > 1 else "."):
        print(f"  note     {note}")

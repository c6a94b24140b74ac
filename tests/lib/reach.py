"""reach.py - every row of commands.def in several forms, for the proofs of what cannot be reached."""

import os
import re
import shutil
import subprocess

from bank import ROOT

TABLE = os.path.join(ROOT, "src", "service", "commands.def")
WORDS_MAX = 10  # of a request by somebody whom nobody knows; more ends the session
ROW = re.compile(r'^COMMAND\((\w+), +"(\w+)", +(\d+), (\d+),', re.M)


def rows():
    """Name, least and most words of every row."""
    with open(TABLE, encoding="utf-8") as text:
        found = ROW.findall(text.read())
    assert len(found) > 40, "the table was not understood"
    return [(name, int(least), int(most)) for _, name, least, most in found]


def forms_of(name, least, most):
    """What is asked for each row: bare, as short and as long as it may be, and in small letters."""
    words = ["alice", "1.00", "bob", "x", "y"] + ["z"] * 16
    yield [name]
    yield [name, *words[:least - 1]]
    yield [name, *words[:min(most, WORDS_MAX) - 1]]
    yield [name.lower(), *words[:least - 1]]


def planted_server(name, row, instead):
    """Builds pennyd with one row of the table changed, as re.sub has it; gives its path."""
    build = os.environ.get("PENNY_BUILD", os.path.join(ROOT, "build"))
    folder = os.path.join(build, "sim-planted", name)
    service = os.path.join("src", "service")
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(folder, service))
    with open(os.path.join(ROOT, service, "commands.cpp"), encoding="utf-8") as text:
        code = text.read()
    with open(TABLE, encoding="utf-8") as text:
        planted, count = re.subn(row, instead, text.read())
    assert count == 1, "the table has no such row"
    include = '#include "service/commands.def"\n'
    assert include in code, "the table is not where it was"
    with open(os.path.join(folder, service, "commands.cpp"), "w", encoding="utf-8") as text:
        text.write(code.replace(include, planted))
    relative = os.path.relpath(build, ROOT)
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS")}
    subprocess.run(["make", f"BUILD={relative}", f"PLANT={name}",
                    os.path.join(relative, "sim-planted", name, "pennyd")],
                   cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL)
    return os.path.join(folder, "pennyd")

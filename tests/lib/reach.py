"""reach.py - every row of commands.def in several forms, for the proofs of what cannot be reached."""

import os
import re

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

#!/usr/bin/python3
"""make.py NAME - keeps a new bank with an entry of every kind as tests/formats/NAME.

Run once whenever a format on disk gets a new version, with the programs that write it. What is kept
is never made again: it stands for the banks that people have.
"""

import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import formats  # noqa: E402
from bank import Bank  # noqa: E402
from resp import Error, wait_until  # noqa: E402


def ask(wire, *words, refused=False):
    reply = wire.ask(*words)
    assert isinstance(reply, Error) == refused, (words, reply)
    return reply


def live(bank):
    with bank.wire("alice", protocol=3) as alice, bank.wire("bob", protocol=3) as bob, \
            bank.wire("till", protocol=3) as till, bank.wire("admin", protocol=3) as admin:
        deposit = ask(till, "DEPOSIT", "d-1", "12.34", "alice")
        ask(till, "WITHDRAW", "w-1", "2.00", "bob")
        ask(alice, "TRANSFER", "t-1", "bob", "1.50", "MEMO", "zwei Brezn: gr\u00fc\u00df dich")
        ask(alice, "TRANSFER", "t-2", "bob", "5000", refused=True)
        ask(alice, "TRANSFER", "t-3", "nobody", "1", refused=True)
        kept = ask(alice, "HOLD", "h-1", "bob", "3.00")[b"hold"]
        ask(alice, "HOLD", "h-2", "bob", "4.00")
        gone = ask(alice, "HOLD", "h-3", "bob", "0.10", "EXPIRES", 1)[b"hold"]
        ask(bob, "CAPTURE", "c-1", kept, "2.50")
        ask(admin, "CHECKPOINT")
        ask(admin, "ACCOUNT", "OPEN", "fund")
        ask(admin, "ACCOUNT", "LIMIT", "fund", "0.00", "50.00")
        ask(admin, "ACCOUNT", "OPEN", "old")
        ask(admin, "ACCOUNT", "CLOSE", "old")
        ask(admin, "REGISTER", "carol", "a word of hers")
        ask(till, "REVERSE", "r-1", deposit[b"entry"])
        for words in (("MULTI",), ("TRANSFER", "g-1", "bob", "0.20"), ("TRANSFER", "g-2", "fund", "1"),
                      ("EXEC",)):
            ask(alice, *words)
        for words in (("MULTI",), ("TRANSFER", "g-3", "bob", "0.20"),
                      ("TRANSFER", "g-4", "fund", "50")):
            ask(alice, *words)
        ask(alice, "EXEC", refused=True)
        ask(bob, "PASSWD", bank.passwords["bob"], "another word")
        wait_until("the hold has expired",
                   lambda: ask(till, "DEPOSIT", "+", "0.01", "alice") and
                   isinstance(till.ask("VOID", "+", gone), Error))
        return {name: ask(till, "BALANCE", name).decode() for name in ("alice", "bob", "fund")}


def main(name):
    with Bank() as bank:
        balances = live(bank)
        said = bank.check()
        facts = {"digest": re.search(r"^digest\s+(\w+)", said, re.M).group(1),
                 "entries": int(re.search(r"^entries\s+(\d+)", said, re.M).group(1)),
                 "balances": balances,
                 "passwords": {who: bank.passwords[who] for who in ("alice", "till", "admin")}}
        formats.keep(bank.path("data"), name, facts)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])

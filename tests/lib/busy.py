"""busy.py - a busy day at a bank: random business, and what must have come of it.

    day = busy_day(bank, seed, 200)
    day.balances["alice"]      in minor units, added up here from what was answered
    day.moved                  every movement that was acknowledged, in order
    day.refused                how often each word was answered
"""

import random
import re
from collections import Counter, namedtuple
from decimal import Decimal

from resp import Error

Moved = namedtuple("Moved", "entry operation giver taker minor memo")

# What a peer may write, and no program behind the journal may take for more than text.
MEMOS = ("", "", "a round of drinks", "=1+1", "@SUM(A1)", "+49 30 1234", "-5", "a;=1+1",
         "50 % off, really",
         "\"quoted\" and, so", "x ; y", "x, date:2001-01-01, by:admin", "[2001-01-01]",
         "Größe: 3 Öl für 日本 \U0001f37a", "  two  blanks  ", "back\\slash \\x0a", "    cash  5.00 EUR",
         "include /etc/passwd", "a\u202eb\u2028c\u0085d", "e\u0301" * 20)
GROUPED = "all, or none"
BAD_MEMO = b"\xff\xfe not UTF-8 \xc3"
FUNDS = ("coffee", "summer-trip")


class Day:
    def __init__(self, bank, seed):
        self.bank = bank
        self.random = random.Random(seed)
        self.balances = Counter()
        self.moved = []
        self.refused = Counter()
        self.reserved = Counter()
        self.holds = {}
        self.reverses = {}  # the entry that moved back, and what
        self.groups = {}    # an entry, and the first of its group
        self.ids = 0

    def note(self, entry, operation, giver, taker, minor, memo=""):
        self.moved.append(Moved(entry, operation, giver, taker, minor, memo))
        self.balances[giver] -= minor
        self.balances[taker] += minor

    def id(self):
        self.ids += 1
        return self.random.choice(("", "-", ".")) + f"busy-{self.ids}"

    def ask(self, wire, *words):
        reply = wire.ask(*words)
        if isinstance(reply, Error):
            self.refused[reply.word] += 1
            return None
        return dict(zip(reply[::2], reply[1::2]))


def text_of(minor):
    return str(Decimal(minor) / 100)


def busy_day(bank, seed, count):
    day = Day(bank, seed)
    dice = day.random
    day.note(9, "deposit", "cash", "alice", 5000)  # As the demo begins.
    day.note(10, "deposit", "cash", "bob", 2000)
    with bank.wire("till") as till, bank.wire("admin") as admin, bank.wire("alice") as alice, \
            bank.wire("bob") as bob:
        wires = {"alice": alice, "bob": bob}
        assert admin.ask("ACCOUNT", "OPEN", FUNDS[0]) == "OK"
        assert admin.ask("ACCOUNT", "OPEN", FUNDS[1], "OWNER", "alice") == "OK"
        assert alice.ask("PASSWD", bank.passwords["alice"], bank.passwords["alice"]) == "OK"
        for _ in range(count):
            minor = dice.choice((1, 5, 99, 100, 101, 250, 1999, 12345, 999999))
            name = dice.choice(("alice", "bob"))
            what = dice.choice(("deposit", "deposit", "withdraw", "transfer", "transfer", "transfer",
                                "hold", "capture", "void", "nobody", "again", "reverse", "group"))
            if what == "deposit":
                reply = day.ask(till, "DEPOSIT", day.id(), text_of(minor), name)
                if reply:
                    day.note(reply[b"entry"], what, "cash", name, minor)
            elif what == "withdraw":
                reply = day.ask(till, "WITHDRAW", day.id(), text_of(minor), name)
                if reply:
                    day.note(reply[b"entry"], what, name, "cash", minor)
            elif what == "transfer":
                taker = dice.choice(("bob" if name == "alice" else "alice", "shop", *FUNDS))
                memo = dice.choice(MEMOS + (BAD_MEMO,))
                reply = day.ask(wires[name], "TRANSFER", day.id(), taker, text_of(minor),
                                *(("MEMO", memo) if memo else ()))
                if reply:
                    day.note(reply[b"entry"], what, name, taker, minor, memo)
            elif what == "hold":
                taker = dice.choice(("shop", "admin"))
                reply = day.ask(wires[name], "HOLD", day.id(), taker, text_of(minor))
                if reply:
                    day.reserved[what] += 1
                    day.holds[reply[b"hold"]] = (name, taker, minor)
            elif what in ("capture", "void") and day.holds:
                number = dice.choice(sorted(day.holds))
                giver, taker, held = day.holds.pop(number)
                part = dice.randint(1, held)
                words = (("CAPTURE", day.id(), number, text_of(part)) if what == "capture" else
                         ("VOID", day.id(), number))
                reply = day.ask(till, *words)
                assert reply, (what, number)
                if what == "capture":
                    day.note(reply[b"entry"], what, giver, taker, part)
                else:
                    day.reserved[what] += 1
            elif what == "nobody":
                day.ask(wires[name], "TRANSFER", day.id(), "nobody", text_of(minor))
            elif what == "reverse":
                # A till takes back what it entered itself, once.
                own = [m for m in day.moved[2:] if m.operation in ("deposit", "withdraw")]
                if own:
                    back = dice.choice(own)
                    reply = day.ask(till, "REVERSE", day.id(), back.entry)
                    if reply:
                        day.note(reply[b"entry"], what, back.taker, back.giver, back.minor)
                        day.reverses[reply[b"entry"]] = back.entry
            elif what == "group":
                takers = [dice.choice(("shop", *FUNDS)) for _ in range(3)]
                assert wires[name].ask("MULTI") == "OK"
                for taker in takers:
                    wires[name].ask("TRANSFER", day.id(), taker, text_of(minor),
                                    "MEMO", GROUPED)
                replies = wires[name].ask("EXEC")
                if isinstance(replies, Error):  # One of them was, and the others with it.
                    day.refused[re.match(r"\d+ (\w+) ", replies.text).group(1)] += 1
                    day.refused[replies.word] += len(takers) - 1
                else:
                    entries = [dict(zip(reply[::2], reply[1::2]))[b"entry"] for reply in replies]
                    for taker, entry in zip(takers, entries):
                        day.note(entry, "transfer", name, taker, minor, GROUPED)
                        day.groups[entry] = entries[0]
            elif what == "again":
                again = ("TRANSFER", day.id(), "shop", "0.01")
                reply = day.ask(wires[name], *again)
                assert day.ask(wires[name], *again) == reply or not reply
                if reply:
                    day.note(reply[b"entry"], "transfer", name, "shop", 1)
                else:
                    day.refused["FUNDS"] -= 1  # The same refusal a second time is no new entry.
    return day


def balances_of(bank, names):
    with bank.wire("till") as till:
        return {name: round(Decimal(till.ask("BALANCE", name).decode()) * 100) for name in names}

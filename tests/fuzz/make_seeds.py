"""make_seeds.py - writes the seeds of the fuzz targets into tests/fuzz/corpus.

    python3 tests/fuzz/make_seeds.py

A seed shows a target one thing that it can read; the fuzzer makes the rest of it. Layouts are
written down here a second time, from the headers and not from the code. What a fuzzer found is
kept beside the seeds, in files whose names begin with `found-`, and is left alone here.
"""

import base64
import hashlib
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))

import recording
from entries import (ADDED, BOUND, CANCELLED, CANCEL_ORDER, CAPTURE, CLOSE, CLOSED, DEPOSIT, DONE,
                     EXECABORT, EXPIRED, FUNDS, HOLD, ITEM_DEL, LIMIT, LIMITED, LOCK, NOACCT, NONE,
                     NOT_SOLD, NO_ITEM, OK, ORDER, ORDER_DONE, PASSWORD, PHC, PIN_LOCK, PIN_SET,
                     PIN_UNLOCK, PRICE, REHASH, REMOVE, REVERSE, ROLE, STATE, STOCK, TITLE,
                     TRANSFER, UNKNOWN, UNLOCK, VOID, WITHDRAW, account, forget, genesis, item, key,
                     limits, movement, numbered, ordering, person, person2, terminal_row)
from entries import MODULUS as KEY_MODULUS
from entries import message as mail_message

CORPUS = os.path.join(HERE, "corpus")
BANK = bytes(range(1, 17))
LOGIN, READY = b"\0", b"\1"

# --- Entries: made to fit by the targets ---------------------------------------------------------

def fitted(body, fits=1):
    return struct.pack("<BH", fits, len(body)) + body


def unfitted(seq, body):
    """An entry that is not made to fit, as the entry number `seq` of batches at time 1000."""
    return fitted(numbered(seq, 1000, body), 0)


def reverse(debit, credit, amount, number, reverses, **more):
    return movement(REVERSE, debit, credit, amount, number, reverses=reverses, **more)


def group(*moves):
    """The movements as one group: (operation, debit, credit, amount, number, status) each."""
    return [movement(*move[:5], status=move[5] if len(move) > 5 else OK, asked_by=0,
                     place=i + 1, group=len(moves)) for i, move in enumerate(moves)]


BEGIN = [genesis(BANK), limits(), account(b"cash"), account(b"shop")]
PEOPLE = [person(b"alice"), person(b"bob", role=1)]
MONEY = [movement(DEPOSIT, 0, 2, 5000, b"a1"),
         movement(TRANSFER, 2, 3, 1250, b"a:2", memo=b"two beers", asked_by=0)]
REFUSED = [movement(TRANSFER, 2, 3, 99900, b"a3", status=FUNDS, asked_by=0),
           movement(TRANSFER, 2, NONE, 100, b"a4", missing=b"carol", status=NOACCT, asked_by=0)]
TILL = [terminal_row(b"till-1"), movement(WITHDRAW, 3, 0, 50, b"+9", asked_by=1, terminal=0)]
HOLDS = [movement(HOLD, 2, 3, 100, b"h1", asked_by=0, expires=3600),
         movement(HOLD, 2, 3, 50, b"h2", asked_by=0, expires=1),
         movement(CAPTURE, 2, 3, 50, b"h3", asked_by=1, hold=1),
         movement(VOID, 2, 3, 50, b"h4", asked_by=1, hold=2, whole=1),
         movement(CAPTURE, NONE, NONE, 0, b"h5", status=STATE, asked_by=1, hold=9, whole=1)]
BOUNDS = [account(b"bob", -500, 100000, LIMIT, 3, owner=1), account(b"shop", operation=CLOSE, row=1,
                                                                    state=1)]
NEW_PASSWORD = [person(b"alice", operation=PASSWORD, row=2)]
# Version 2 of both kinds; the fitting puts in names, rows and totals.
CHANGES = [person2(b"bob", ROLE, number=1, role=4), person2(b"bob", LOCK, number=1, state=1),
           person2(b"bob", UNLOCK, number=1),
           person2(b"alice", TITLE, title="Ann\u00e9: 1 %".encode()),
           person2(b"alice", PIN_SET, record=PHC), person2(b"alice", PIN_LOCK),
           person2(b"alice", PIN_UNLOCK), person2(b"alice", REHASH, record=PHC),
           person2(b"alice", PASSWORD, record=PHC, first=1),
           person2(b"bob", REMOVE, number=1, state=2)]
DAYS = [terminal_row(b"kiosk"),
        movement(DEPOSIT, 0, 2, 5000, b"k1", terminal=0, day=1, total=5000, most=6000),
        movement(DEPOSIT, 0, 2, 1250, b"k2", terminal=0, day=1, total=5000, most=6000, beyond=1,
                 status=LIMITED),
        movement(TRANSFER, 2, 3, 50, b"k3", terminal=0, day=1, total=5050, asked_by=0),
        person2(b"carol", ADDED, record=PHC, day=1, registered=1, most=20, terminal=0)]
# Entry 7 is the deposit of MONEY, entry 8 the transfer.
REVERSALS = [reverse(3, 2, 1250, b"r1", 8, asked_by=1),
             reverse(2, 0, 5000, b"r2", 7, asked_by=1),
             reverse(NONE, NONE, 0, b"r3", 8, status=STATE, asked_by=1),
             reverse(NONE, NONE, 0, b"r4", 1, status=EXPIRED, asked_by=1)]
ITEMS = [item(b"mate", 50, 9, title="M\u00e4te".encode()), item(b"tea", 5, row=1)]
# Entry 11 is the first order, entry 12 the second.
ORDERS = ITEMS + [
    ordering(ORDER, 2, 1, 100, b"o1", 0, 2, 50, asked=50, asked_by=0),
    ordering(ORDER, 2, 1, 5, b"o2", 1, 1, 5, asked_by=1),
    ordering(CANCEL_ORDER, 1, 2, 100, b"o3", 0, 2, 50, order=11, asked_by=0),
    ordering(ORDER_DONE, NONE, NONE, 0, b"o4", 1, 1, 5, order=12, asked_by=1),
    ordering(ORDER, 2, 1, 0, b"o5", NONE, 1, missing=b"beer", status=STATE, reason=NO_ITEM,
             asked_by=0),
    ordering(ORDER, 2, 1, 50, b"o6", 0, 1, 50, asked=5, status=STATE, reason=PRICE, told=50,
             asked_by=0),
    ordering(ORDER, 2, 1, 5000, b"o7", 0, 100, 50, status=STATE, reason=STOCK, told=9, asked_by=0),
    ordering(ORDER, 2, 1, 99900, b"o8", 0, 1, 99900, status=FUNDS, asked_by=0),
    ordering(CANCEL_ORDER, NONE, NONE, 0, b"o9", order=11, status=STATE, reason=CANCELLED,
             asked_by=0),
    ordering(ORDER_DONE, NONE, NONE, 0, b"p0", order=12, status=STATE, reason=DONE, asked_by=1),
    ordering(CANCEL_ORDER, NONE, NONE, 0, b"p1", order=99, status=STATE, reason=UNKNOWN,
             asked_by=0),
    item(b"tea", 5, operation=ITEM_DEL, row=1),
    ordering(ORDER, 2, 1, 5, b"p2", 1, 1, 5, status=STATE, reason=NOT_SOLD, asked_by=0)]
MANY_ORDERS = ITEMS + [
    ordering(ORDER, 2, 1, 5, b"q1", 1, 1, 5), ordering(ORDER_DONE, NONE, NONE, 0, b"q2", order=11),
    ordering(ORDER, 2, 1, 5, b"q3", 1, 1, 5), ordering(ORDER, 2, 1, 5, b"q4", 1, 1, 5),
    ordering(ORDER, 2, 1, 5, b"q5", 1, 1, 5), ordering(ORDER, 2, 1, 5, b"q6", 1, 1, 5)]
BOOKED = group((TRANSFER, 2, 3, 100, b"g1"), (HOLD, 2, 3, 50, b"g2"), (TRANSFER, 3, 2, 5, b"g3"))
BOOKED[1] = movement(HOLD, 2, 3, 50, b"g2", asked_by=0, expires=60, place=2, group=3)
ABORTED = group((TRANSFER, 2, 3, 100, b"x1", EXECABORT), (TRANSFER, 2, 3, 99900, b"x2", FUNDS),
                (TRANSFER, 3, 2, 5, b"x3", EXECABORT))
NO_CULPRIT = group((TRANSFER, 2, 3, 100, b"n1", EXECABORT), (TRANSFER, 2, 3, 50, b"n2", EXECABORT))
TWO_CULPRITS = group((TRANSFER, 2, 3, 99900, b"t1", FUNDS), (TRANSFER, 2, 3, 99900, b"t2", FUNDS))
HALF_BOOKED = group((TRANSFER, 2, 3, 100, b"m1"), (TRANSFER, 2, 3, 99900, b"m2", FUNDS))

# Accounts 2 and 3 are alice's and bob's. The message to bob begins at entry 9.
KEYS = [key(0), key(1)]
MAIL = (KEYS + mail_message(0, 3, b"m1", b"x" * 400) + mail_message(1, 2, b"m2", b"y" * 17) +
        mail_message(0, NONE, b"m3", b"z", NOACCT, b"carol"))
REFUSED_MAIL = (mail_message(0, 3, b"s1", b"x", STATE) +
                [person2(b"bob", REMOVE, number=1, state=2)] +
                mail_message(0, 3, b"s2", b"x", CLOSED))
TWO_PARTS = mail_message(0, 3, b"m4", b"x" * 400)


def entry_seeds():
    whole = BEGIN + PEOPLE + MONEY + REFUSED + TILL + NEW_PASSWORD
    return {
        "begin": b"".join(fitted(e) for e in BEGIN),
        "people": b"".join(fitted(e) for e in BEGIN + PEOPLE),
        "whole": b"".join(fitted(e) for e in whole),
        "holds": b"".join(fitted(e) for e in BEGIN + PEOPLE + MONEY + HOLDS + BOUNDS),
        "mail": b"".join(fitted(e) for e in BEGIN + PEOPLE + MAIL + [forget(1, 9)]),
        "mail-refused": b"".join(fitted(e) for e in BEGIN + PEOPLE + REFUSED_MAIL),
        "mail-of-the-removed": b"".join(
            fitted(e) for e in BEGIN + PEOPLE + MAIL + [person2(b"bob", REMOVE, number=1,
                                                                state=2)]),
        "mail-that-ends-in-its-middle": b"".join(
            fitted(e) for e in BEGIN + PEOPLE + KEYS + TWO_PARTS[:1] + [terminal_row(b"till-1")]),
        "mail-without-a-key": b"".join(fitted(e) for e in BEGIN + PEOPLE + TWO_PARTS),
        "mail-forgotten-twice": b"".join(
            fitted(e) for e in BEGIN + PEOPLE + MAIL + [forget(1, 9)] * 2),
        "changes": b"".join(fitted(e) for e in BEGIN + PEOPLE + CHANGES),
        "days": b"".join(fitted(e) for e in BEGIN + PEOPLE + DAYS),
        "orders": b"".join(fitted(e) for e in BEGIN + PEOPLE + MONEY + ORDERS),
        "orders-pushed-out": b"".join(fitted(e) for e in BEGIN + PEOPLE + MONEY + MANY_ORDERS),
        "order-at-a-terminal": b"".join(
            fitted(e) for e in BEGIN + PEOPLE + MONEY + ITEMS + DAYS[:1] +
            [ordering(ORDER, 2, 1, 100, b"o1", 0, 2, 50, terminal=0, day=1, total=100, most=6000)]),
        "order-of-more-than-there-is": b"".join(
            fitted(e) for e in BEGIN + PEOPLE + MONEY + ITEMS +
            [ordering(ORDER, 2, 1, 500, b"o1", 0, 10, 50)]),
        "order-that-overflows": b"".join(
            fitted(e) for e in BEGIN + PEOPLE + MONEY + [item(b"yacht", 10**15)] +
            [ordering(ORDER, 2, 1, 5, b"o1", 0, 10**6, 10**15)]),
        "order-cancelled-twice": b"".join(
            fitted(e) for e in BEGIN + PEOPLE + MONEY + ORDERS[:5] +
            [ordering(CANCEL_ORDER, 1, 2, 100, b"c2", 0, 2, 50, order=11)]),
        "removed-with-money": b"".join(
            fitted(e) for e in BEGIN + PEOPLE + MONEY + [person2(b"alice", REMOVE, state=2)]),
        "changed-after-removal": b"".join(
            fitted(e) for e in BEGIN + PEOPLE + CHANGES +
            [person2(b"bob", TITLE, number=1, title=b"B")]),
        "day-from-the-future": b"".join(
            fitted(e) for e in BEGIN + PEOPLE + DAYS[:2] +
            [movement(DEPOSIT, 0, 2, 50, b"k4", terminal=0, day=3)]),
        "day-of-no-terminal": b"".join(
            fitted(e) for e in BEGIN + PEOPLE + [movement(DEPOSIT, 0, 2, 50, b"k4", terminal=0,
                                                          day=1)]),
        "unfitted": b"".join(fitted(e) for e in BEGIN) + fitted(MONEY[0], 0),
        "reversals": b"".join(fitted(e) for e in BEGIN + PEOPLE + MONEY + REVERSALS),
        "reversed-twice": b"".join(
            fitted(e) for e in BEGIN + PEOPLE + MONEY + REVERSALS[:1] +
            [reverse(2, 3, 50, b"r5", 8, asked_by=1)]),
        "reversed-from-later": b"".join(
            fitted(e) for e in BEGIN + PEOPLE + MONEY + [reverse(3, 2, 50, b"r5", 9)]),
        "reversed-nothing": b"".join(
            fitted(e) for e in BEGIN + PEOPLE + MONEY + [reverse(3, 2, 50, b"r5", 0)]),
        # The smallest window, and further back than its bits reach.
        "reversed-out-of-reach": b"".join(
            fitted(e) for e in BEGIN + [limits(reversible=1)] + PEOPLE + MONEY +
            [movement(DEPOSIT, 0, 2, 5, b"d%d" % i) for i in range(40)] +
            [reverse(2, 0, 5000, b"r5", 8)]),
        "no-window-of-reversals": b"".join(
            fitted(e) for e in BEGIN[:1] + [limits(reversible=0)] + BEGIN[2:]),
        "groups": b"".join(fitted(e) for e in BEGIN + PEOPLE + MONEY + BOOKED + ABORTED),
        "group-torn": b"".join(fitted(e) for e in BEGIN + PEOPLE + MONEY + BOOKED[:2] + TILL),
        "group-unended": b"".join(fitted(e) for e in BEGIN + PEOPLE + MONEY + BOOKED[:2]),
        "group-without-culprit": b"".join(
            fitted(e) for e in BEGIN + PEOPLE + MONEY + NO_CULPRIT),
        "group-with-two-culprits": b"".join(
            fitted(e) for e in BEGIN + PEOPLE + MONEY + TWO_CULPRITS),
        "group-half-booked": b"".join(fitted(e) for e in BEGIN + PEOPLE + MONEY + HALF_BOOKED),
        "group-of-one": b"".join(
            fitted(e) for e in BEGIN + PEOPLE + MONEY + group((TRANSFER, 2, 3, 5, b"o1"))),
        # More requests of one person than there are prints.
        "asked": b"".join(fitted(e) for e in BEGIN + PEOPLE + MONEY +
                          [movement(TRANSFER, 2, 3, 5, b"q%d" % i, asked_by=0)
                           for i in range(36)]),
        "window": b"".join(fitted(e) for e in BEGIN + PEOPLE + MONEY + [limits(ids=1)] + TILL),
        # Money leaves an account that is above its ceiling (M2).
        "above-its-ceiling": b"".join(
            fitted(e) for e in BEGIN + [account(b"fund", -BOUND, -1),
                                        movement(TRANSFER, 2, 1, 5, b"b1")]),
        # What was once installed, and must not be.
        "hold-that-expires-too-late": b"".join(
            fitted(e) for e in BEGIN + PEOPLE + MONEY +
            [movement(HOLD, 2, 3, 100, b"h1", asked_by=0, expires=0xFFFF0000)]),
        "id-twice": b"".join(fitted(e) for e in BEGIN + PEOPLE + MONEY + [MONEY[0]]),
        "no-genesis": b"".join(fitted(e) for e in BEGIN[1:] + PEOPLE),
        "no-limits": b"".join(fitted(e) for e in BEGIN[:1] + BEGIN[2:] + PEOPLE + MONEY),
        "no-cash": b"".join(fitted(e) for e in BEGIN[:2] + PEOPLE),
        "currency-with-a-blank": b"".join(fitted(e) for e in [genesis(BANK, b"E R")] + BEGIN[1:]),
        "refusal-with-a-balance": b"".join(fitted(e) for e in BEGIN + PEOPLE + MONEY) +
                                  unfitted(9, movement(TRANSFER, 2, 3, 99900, b"a3", status=FUNDS,
                                                        asked_by=0, debit_after=-2**63)),
        "floor-at-the-upper-bound": b"".join(
            fitted(e) for e in BEGIN + [account(b"fund", BOUND, BOUND)]),
        "ceiling-at-the-lower-bound": b"".join(
            fitted(e) for e in BEGIN + [account(b"fund", -BOUND, -BOUND)]),
    }


# --- Segments: the orders of journal_fuzz.cpp ---------------------------------------------------

def batch(entries, field=0, value=0):
    head = struct.pack("<BB", 0, field) + (struct.pack("<Q", value) if field else b"")
    return head + struct.pack("<B", len(entries)) + b"".join(fitted(e) for e in entries)


def damage(place, bits):
    return struct.pack("<BHB", 1, place, bits)


BLANK, NEXT, CLOSING = b"\2", b"\3", batch([], 6, 1)
KNOWS, NEAR_END, RAW = 1, 2, 4
MADE = batch(BEGIN) + batch(PEOPLE + MONEY)


def journal_seeds():
    def seed(flags, *orders, marked=0):
        return bytes([flags, marked]) + b"".join(orders)

    return {
        "two-batches": seed(KNOWS, MADE),
        "holds": seed(KNOWS, MADE, batch(HOLDS[:2]), batch(HOLDS[2:] + BOUNDS)),
        "mail": seed(KNOWS, MADE, batch(KEYS), batch(TWO_PARTS)),
        "mail-in-two-batches": seed(KNOWS, MADE, batch(KEYS), batch(TWO_PARTS[:1]),
                                    batch(TWO_PARTS[1:])),
        "reversals": seed(KNOWS, MADE, batch(REVERSALS[:2]), batch(REVERSALS[2:])),
        "groups": seed(KNOWS, MADE, batch(BOOKED + ABORTED), CLOSING),
        "group-torn": seed(KNOWS, MADE, batch(BOOKED[:2]), batch(BOOKED[2:])),
        "group-torn-at-the-end": seed(KNOWS, MADE, batch(TILL + BOOKED[:1])),
        "group-with-two-culprits": seed(KNOWS, MADE, batch(TWO_CULPRITS)),
        "closed": seed(0, MADE, batch(REFUSED), CLOSING),
        "two-segments": seed(KNOWS | NEAR_END, MADE, batch(REFUSED), NEXT, batch(TILL), CLOSING),
        "whole": seed(KNOWS | NEAR_END, MADE, batch(REFUSED + TILL), NEXT, batch(NEW_PASSWORD), marked=2),
        "torn-tail": seed(KNOWS, MADE, batch(TILL), damage(2 * 4096 + 200, 4)),
        "damaged": seed(KNOWS, MADE, batch(TILL), damage(4096 + 200, 4)),
        "damaged-marked": seed(KNOWS, batch(BEGIN), damage(200, 1), marked=1),
        "hole": seed(KNOWS, batch(BEGIN), BLANK, batch(PEOPLE)),
        "misplaced": seed(KNOWS, batch(BEGIN), batch(PEOPLE, 2, 8192)),
        "too-far-back": seed(KNOWS | NEAR_END, MADE, batch(REFUSED), batch(TILL)),
        "of-another-length": seed(KNOWS, batch(BEGIN), batch(PEOPLE, 10, 1 << 20)),
        "out-of-sequence": seed(KNOWS, batch(BEGIN), batch(PEOPLE, 3, 9)),
        "raw": seed(RAW, b"PNYBATCH" + struct.pack("<II", 1, 128) + BANK + bytes(200)),
        "raw-newer": seed(RAW, b"PNYBATCH" + struct.pack("<II", 2, 192) + BANK + bytes(200)),
    }


# --- Checkpoints: the parts of tables_fuzz.cpp --------------------------------------------------

def checkpoint(passwd="", balance="", terminals="", ids="", limits_line="8 64 4 8 64",
               currency="EUR", chain="0a" * 32, holds="", given=0, asked="", reversed_rows="",
               reversible=1, forgotten=0, newest=12, people=None, days=None, items=None,
               orders="", ordered="", keys=None, mail=None, version=1):
    tables = {"passwd": passwd, "balance": balance, "terminals": terminals, "asked": asked,
              "holds": holds, "ids": ids, "reversed": reversed_rows}
    if keys is not None or mail is not None:
        version = 3
    if people is not None or days is not None:
        version = max(version, 2)
    if items is not None:
        version = 3
    if version >= 2:
        tables["people"], tables["days"] = people or "", days or ""
    if version >= 3:
        tables.update(items=items or "", orders=orders, ordered=ordered, keys=keys or "",
                      mail=mail or "")
    return (f"pennybank-checkpoint {version}\nbank {BANK.hex()}\ncurrency {currency} 2\nentry {newest}\n"
            f"limits {limits_line}\nholds {given}\nreversible {reversible}\nforgotten {forgotten}\n" +
            "".join(f"= {name}\n{rows}" for name, rows in tables.items()) +
            f"= place\nbatch 3\nsegment 1\noffset 12288\nsalt 77\ntime 1002\n"
            f"chain {chain}\n").encode()


def id_row(seq, person_name, operation, outcome, number, debit, credit, amount, balance,
           missing="-", memo="00" * 16, hold=0, expires=0, whole="-", reversed_entry=0,
           place="0/0", time=1002):
    return (f"{seq}:{time}:{person_name}:{operation}:{outcome}:{number}:{debit}:{credit}:{missing}:"
            f"{amount}:{balance}:{memo}:{hold}:{expires}:{whole}:{reversed_entry}:{place}\n")


def tables_seeds():
    phc = "$argon2id$v=19$m=4096,t=1,p=1$c2FsdA$aGFzaA"
    first = f"alice:customer:active/first:{phc}\nbob:till:locked/first:{phc}\n"
    own = "cash:0.00:0.00:-:-:-:open:0.0\nshop:0.00:0.00:-:-:-:open:0.0\n"
    book = {
        "passwd": f"alice:customer:active:{phc}\nbob:till:locked:{phc}\n",
        "balance": "cash:-49.50:0.00:-:-:-:open:1.8500\nshop:0.00:0.00:-:-:-:open:0.0\n"
                   "alice:37.50:1.00:0.00:-:alice:open:1.4800\n"
                   "bob:12.00:0.00:-5.00:100.00:bob:open:1.8500\n"
                   "fund:0.00:0.00:0.00:-:alice:closed:0.0\n",
        "asked": "alice:4:1.8400:1001:0123456789abcdef\nbob:1:1.8500:1002:00ff\n",
        "holds": "3:alice:bob:1.00:5000:11\n",
        "given": 3,
    }
    ids = (id_row(7, "-", "deposit", "OK", "a1", "cash", "alice", "50.00", "50.00", time=1001) +
           id_row(8, "alice", "transfer", "OK", "a%3a2", "alice", "bob", "12.50", "37.50",
                  memo="5e" * 16, time=1001) +
           id_row(9, "alice", "transfer", "FUNDS", "a3", "alice", "bob", "999.00", "37.50") +
           id_row(10, "alice", "transfer", "NOACCT", "a4", "alice", "-", "1.00", "37.50",
                  missing="carol") +
           id_row(11, "alice", "hold", "OK", "h1", "alice", "bob", "1.00", "37.50", hold=3,
                  expires=3600) +
           id_row(12, "bob", "withdraw", "OK", "+9", "bob", "cash", "0.50", "12.00"))
    reversals = (id_row(13, "bob", "reverse", "OK", "r1", "bob", "alice", "12.50", "50.00",
                        whole="whole", reversed_entry=8) +
                 id_row(14, "bob", "reverse", "STATE", "r2", "-", "-", "0.00", "0.00",
                        whole="whole", reversed_entry=8))
    groups = (id_row(13, "alice", "transfer", "OK", "g1", "alice", "bob", "1.00", "36.50",
                     place="1/2") +
              id_row(14, "alice", "transfer", "OK", "g2", "alice", "bob", "1.00", "35.50",
                     place="2/2") +
              id_row(15, "alice", "transfer", "EXECABORT", "x1", "alice", "bob", "1.00", "35.50",
                     place="1/2") +
              id_row(16, "alice", "transfer", "FUNDS", "x2", "alice", "bob", "999.00", "35.50",
                     place="2/2"))
    bought = (id_row(13, "alice", "order", "OK", "o1", "alice", "shop", "3.00", "34.50") +
              id_row(14, "bob", "done", "OK", "o2", "-", "-", "0.00", "0.00") +
              id_row(15, "alice", "order", "STATE", "o3", "alice", "shop", "0.00", "34.50",
                     missing="beer") +
              id_row(16, "bob", "cancel", "STATE", "o4", "-", "-", "0.00", "0.00"))
    shop = {"items": "mate:M%c3%a4te:1.50:7:listed\ntea::0.05:-:deleted\n",
            "orders": "13:mate:2:1.50:alice:alice:-:1002:done\n"
                      "17:tea:1:0.05:bob:-:till-1:1002:open\n",
            "ordered": "13:mate:2:0.00:13:-:0\n14:mate:2:0.00:13:-:0\n15:-:1:1.50:0:no-item:0\n"
                       "16:-:0:0.00:13:done:0\n"}
    sent = (id_row(13, "alice", "message", "OK", "m%3a1", "-", "bob", "0.00", "0.00",
                   memo="5e" * 16) +
            id_row(15, "alice", "message", "NOACCT", "m3", "-", "-", "0.00", "0.00",
                   missing="carol", memo="5e" * 16))
    modulus = base64.urlsafe_b64encode(KEY_MODULUS).decode()
    prints = "0a1b" * 32

    def of_book(**changes):
        return checkpoint(**{**book, **changes})

    one = id_row(9, "bob", "withdraw", "OK", "b", "bob", "cash", "0.50", "12.00")
    return {
        "empty": checkpoint(balance=own),
        "whole": of_book(terminals="till-1\nkiosk\n", ids=ids),
        "reversals": of_book(ids=ids + reversals, reversed_rows="8\n", newest=14),
        "groups": of_book(ids=ids + groups, newest=16),
        "asked-more-than-prints": of_book(
            asked=f"alice:40:1.8400:1001:{prints}\nbob:0:0.0:0:\n", newest=50),
        "reversed-near-the-last-number": checkpoint(
            balance=own, reversed_rows=f"{2**64 - 20}\n", newest=2**64 - 2,
            reversible=2**64 - 60),
        "forgotten": of_book(ids=ids, forgotten=6),
        "people": of_book(people=f"alice:Ann%c3%a9%3a%201:set:{phc}\nbob:Bob:none:\n"),
        "days": of_book(terminals="till-1\nkiosk\n", days="till-1:1:12.50:0\nkiosk:1:0.00:3\n"),
        "orders": of_book(terminals="till-1\n", ids=ids + bought, newest=17, **shop),
        "items": of_book(ids=ids, items=shop["items"]),
        "nothing-of-version-3": of_book(items=""),
        "orders-forgotten-by-ids": of_book(
            terminals="till-1\n", ids=ids + bought, newest=17, limits_line="8 2 4 8 64", **shop),
        "order-without-the-rest": of_book(
            terminals="till-1\n", ids=ids + bought, newest=17, **{**shop, "ordered": ""}),
        "orders-out-of-order": of_book(
            terminals="till-1\n", ids=ids + bought, newest=17,
            **{**shop, "orders": shop["orders"].replace("17:", "12:")}),
        "order-from-the-future": of_book(
            terminals="till-1\n", ids=ids + bought, newest=16, **shop),
        "removed": of_book(
            passwd=book["passwd"] + "carol:customer:removed:\n",
            balance=book["balance"] + "carol:0.00:0.00:0.00:-:carol:closed:0.0\n",
            asked=book["asked"] + "carol:0:0.0:0:\n", people="carol::none:\n",
            ids=id_row(9, "bob", "deposit", "LIMIT", "d1", "cash", "bob", "0.50", "12.00",
                       whole="day")),
        "nothing-of-version-2": of_book(people="", days=""),
        "mail": of_book(ids=ids + sent, keys=f"alice:{modulus}\nbob:{modulus}\n",
                        mail="13:alice:bob:m%3a1:1001:400:1.9000\n14:bob:bob:m2:1002:4608:1.9500\n",
                        newest=15),
        "mail-known-by-an-id-alone": of_book(ids=ids + sent, newest=15, version=3),
        "nothing-of-version-3": of_book(ids=ids, version=3),
        "nothing-of-version-4": of_book(ids=ids, version=4),
        "first-passwords": of_book(passwd=first, ids=ids, version=4),
        "first-passwords-in-version-3": of_book(passwd=first, ids=ids, version=3),
        "id-of-mail-in-version-1": of_book(ids=ids + sent, newest=15),
        "keys-out-of-order": of_book(keys=f"bob:{modulus}\nalice:{modulus}\n"),
        "key-of-nobody": of_book(keys=f"carol:{modulus}\n"),
        "mail-without-a-key": of_book(mail="9:alice:bob:m1:1001:400:1.9000\n"),
        "mail-from-the-future": of_book(keys=f"bob:{modulus}\n",
                                        mail="13:alice:bob:m1:1001:400:1.9000\n"),
        "removed-in-version-1": of_book(
            passwd=f"alice:customer:removed:\nbob:till:locked:{phc}\n"),
        "people-out-of-order": of_book(people="bob:Bob:none:\nalice:A:none:\n"),
        "people-of-nothing": of_book(people="bob::none:\n"),
        "pin-of-nobody": of_book(people=f"carol::set:{phc}\n"),
        "day-of-no-terminal": of_book(days="till-1:1:12.50:0\n"),
        "day-from-the-future": of_book(terminals="till-1\n", days="till-1:2:12.50:0\n"),
        "small-window-of-reversals": checkpoint(
            balance=own, reversed_rows="20\n90\n99\n", newest=100, limits_line="8 64 4 8 1000"),
        # Each of them must be refused: not the account's sum, out of order, never given.
        "hold-not-held": of_book(holds=book["holds"].replace("1.00", "1.01")),
        "holds-out-of-order": of_book(
            holds="3:alice:bob:0.50:5000:11\n2:alice:bob:0.50:5000:10\n"),
        "hold-never-given": of_book(given=2),
        "small-window": of_book(terminals="till-1\n", ids=ids, limits_line="8 3 4 8 64"),
        "unbalanced": checkpoint(balance=own.replace("0.00", "1.00", 1)),
        "too-many-terminals": checkpoint(balance=own, terminals="a\nb\nc\nd\ne\n"),
        "reversed-out-of-order": of_book(reversed_rows="8\n7\n"),
        "reversed-out-of-reach": of_book(reversed_rows="8\n", reversible=9),
        "reversed-from-the-future": of_book(reversed_rows="13\n"),
        "reversible-from-the-future": of_book(reversible=14),
        "forgotten-from-the-future": of_book(ids=ids, forgotten=14),
        "reversal-of-nothing": of_book(ids=reversals.replace(":8:0/0", ":0:0/0"), newest=14),
        "aborted-alone": of_book(ids=groups.replace("1/2", "0/0"), newest=16),
        "group-behind-its-end": of_book(ids=groups.replace("2/2", "3/2"), newest=16),
        "asked-nothing-somewhere": of_book(asked="alice:0:1.8400:0:\nbob:0:0.0:0:\n"),
        "asked-nowhere": of_book(asked="alice:1:0.0:1001:0123\nbob:0:0.0:0:\n"),
        "asked-more-than-there-is": of_book(
            asked=f"alice:40:1.8400:1001:{prints}\nbob:0:0.0:0:\n"),
        "asked-by-nobody": of_book(asked="alice:0:0.0:0:\ncarol:0:0.0:0:\n"),
        "asked-by-too-few": of_book(asked="alice:0:0.0:0:\n"),
        "prints-missing": of_book(asked="alice:4:1.8400:1001:0123\nbob:0:0.0:0:\n"),
        # What was once loaded, and must not be.
        "upper-case-hex": checkpoint(balance=own, chain="0A" * 32),
        "currency-with-a-nul": checkpoint(balance=own, currency="E\0R"),
        "no-window": checkpoint(balance=own, limits_line="8 0 4 8 64"),
        "no-window-of-reversals": checkpoint(balance=own, limits_line="8 64 4 8 0"),
        "no-cash": checkpoint(balance=own.replace("cash", "cosh")),
        "id-from-the-future": of_book(ids=one.replace("9:", "13:", 1)),
        "ids-out-of-order": of_book(ids=one + one.replace("9:", "8:", 1).replace(":b:", ":c:")),
        "amount-below-zero": of_book(ids=one.replace("0.50", "-0.50")),
    }


# --- Configurations -----------------------------------------------------------------------------

CONFIG_WHOLE = b"""; A bank for a bar.
[server]
data = /var/lib/penny
register = till          ; tills too
self-service = yes
message = Hello "bar" \\ caf\xc3\xa9
segment-size-kib = 8192

[ledger]
currency = EUR
scale = 2

[limits]
sessions = 64
handshakes = 8
buffers = 32

[listener tls]
channel = tls
address = ::1
port = 6226
certificate = certs/server.crt
key = certs/server.key
ca = certs/ca.crt
crl = certs/crl.pem
tls-min = 1.2

[listener two]
address = fe80::1%eth0
port = 0
certificate-is-user = yes

[terminal default]
roles = customer, till
accounts = shop fund
amount-max = 20.00
day-max = 500

[terminal kiosk]
pin-above = 0
login = no
"""


def config_seeds():
    return {
        "whole": CONFIG_WHOLE,
        "set": b"server.threads=4\n",
        "set-listener": b"listener a.b.port = 7000\n",
        "slip": b"[server]\nthread = 4\n",
        "range": b"[ledger]\nscale = 9\n",
        "twice": b"[server]\nthreads = 4\nthreads = 5\n",
        "no-section": b"threads = 4\n",
        "no-value": b"[server]\nthreads\n",
        "bad-section": b"[listener A]\n",
        "mark": b"\xef\xbb\xbf[ledger]\ncurrency = CHF # francs\n",
        "sensor": b"[server]\ntemperature = w1:28-0123456789ab\nsensor-root = /sys\n",
        "nine-listeners": b"".join(b"[listener l%d]\nport = 0\n" % i for i in range(9)),
    }


# --- Temperatures: base/temperature.h ---------------------------------------------------------------

def temperature_seeds():
    shown = b"72 01 4b 46 7f ff 0e 10 57"
    lines = shown + b" : crc=57 YES\n" + shown + b" t=23125\n"
    device = b"w1:28-0123456789ab\n"
    return {
        "zone": b"thermal\n48312\n",
        "other-zone": b"thermal:7\n48312\n",
        "device": device + b"23125\n",
        "lines": device + lines,
        "file": b"file:/run/temperature\n21.437\n",
        "rounded": b"file:/run/temperature\n +21.43749 \r\n",
        "none": b"none\n",
        "simulated": b"simulated\n",
        # None of these is a temperature.
        "wrong-checksum": device + lines.replace(b"YES", b"NO"),
        "unmeasured": device + b"85000\n",
        "no-sensor": device + b"-127000\n",
        "too-cold": b"file:/t\n-273.151\n",
        "too-hot": b"file:/t\n1000.001\n",
        "empty": b"file:/t\n",
        "part": b"thermal",
    }


# --- Penalties: access/penalties.h ----------------------------------------------------------------

def penalties_text(*rows, version=1, time=1799999990000):
    lines = [f"pennybank-penalties {version}", f"time {time}", *rows]
    return "".join(line + "\n" for line in lines).encode()


def penalties_seeds():
    fits, in_bytes, as_it_is = b"\xfe", b"\0", b"\xff"
    alice = "person alice 5 1000 600000"
    pairs = [f"pair {name} till-{i} 1799999900000 2 500 0" for name in ("alice", "bob")
             for i in range(3)]
    text = penalties_text(alice, "person carol 5 0 0", pairs[0])
    return {
        "none": fits + penalties_text(),
        "person": fits + penalties_text(alice),
        "pairs": fits + penalties_text(alice, *pairs),
        "in-bytes": in_bytes + text,
        "old": fits + penalties_text(alice, time=1000),
        "from-later": fits + penalties_text(alice, time=2**63),
        "whole": as_it_is + text + b"sum " + hashlib.sha256(text).hexdigest().encode() + b"\n",
        # None of these is what the server wrote.
        "wrong-sum": as_it_is + text + b"sum " + b"0" * 64 + b"\n",
        "cut": as_it_is + text,
        "newer": fits + penalties_text(version=2),
        "behind-the-sum": fits + text + b"sum " + hashlib.sha256(text).hexdigest().encode(),
        "too-much": fits + penalties_text("person alice 4294967296 0 0"),
    }


# --- Receipts: service/receipt.h ------------------------------------------------------------------

def receipt(entry=13, operation="transfer", amount="-12.50 EUR", balance="237.50 EUR", more="",
            name="id: round-1\n", signature="AQIDBA=="):
    return (f"Pennybank receipt 1\nbank: {BANK.hex()}\nentry: {entry}\n"
            f"time: 2026-11-20T13:55:11.284Z\nbatch: 9\nchain: {'ab' * 32}\n"
            f"operation: {operation}\naccount: alice\nother: bob\namount: {amount}\n"
            f"balance: {balance}\n{more}{name}certificate: {'cd' * 32}\n"
            f"signature: {signature}\n").encode()


def receipt_seeds():
    whole = receipt(name="id: round-1\nmemo: a%20round:%20100%25%0a\n")
    return {
        "whole": whole,
        "hold": receipt(14, "hold", more="hold: 7\n"),
        "release": receipt(14, "release", "0.01 EUR", "-5.00 EUR", "hold: 7\n", ""),
        "reverse": receipt(14, "reverse", more="reversed: 13\n"),
        "no-decimals": receipt(amount="12 JPY", balance="0 JPY"),
        "pasted": b"\n" + whole.replace(b"\n", b" \r\n") + b"\r\n\r\n",
        "long-signature": receipt(signature="A" * 683 + "="),
        # None of these is a receipt.
        "other-version": whole.replace(b"receipt 1", b"receipt 2"),
        "two-currencies": receipt(balance="237.50 CHF"),
        "upper-case-hex": whole.replace(b"abab", b"ABAB"),
        "wrong-order": whole.replace(b"batch: 9\n", b"") + b"batch: 9\n",
        "part": whole[:200],
        "two": whole + whole,
    }


# --- Requests -----------------------------------------------------------------------------------

def resp(*words):
    text = b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)
    return b"*%d\r\n%s" % (len(words), text)


def resp_seeds():
    return {
        "echo": READY + resp(b"ECHO", b"hello"),
        "transfer": READY + resp(b"TRANSFER", b"id-17", b"bob", b"12.50", b"MEMO", b"two beers"),
        "pipeline": READY + resp(b"PING") + resp(b"ECHO", b"\0\r\n$5") + b"*0\r\n*-1\r\n" +
                    resp(b"BALANCE", b"alice"),
        "login": LOGIN + resp(b"HELLO", b"3", b"AUTH", b"alice", b"correct horse"),
        "login-many-words": LOGIN + resp(*[b"w"] * 11),
        "login-large-word": LOGIN + b"*1\r\n$513\r\n",
        "part": READY + resp(b"ECHO", b"hello")[:-4],
        "bad-count": READY + b"*3x\r\n",
        "bad-size": READY + b"*1\r\n$-1\r\n",
        "long-size": READY + b"*1\r\n$" + b"0" * 40,
        "not-a-bulk": READY + b"*1\r\n:1\r\n",
        "bad-end": READY + b"*1\r\n$4\r\nPINGxx",
    }


def inline_seeds():
    return {
        "plain": READY + b"TRANSFER id-17 bob 12.50\r\n",
        "escapes": READY + b'ECHO "a\\x21\\n\\"b\\"" next\r\n',
        "single": READY + b"ECHO 'it\\'s' \"\"\r\n",
        "pipeline": LOGIN + b'\r\nPING\nECHO "x\\x41y" \'z\'\n  ECHO  two  \r\n',
        "login": LOGIN + b'AUTH alice "correct horse"\r\n',
        "unbalanced": READY + b'ECHO "a\r\n',
        "close-then-letter": READY + b'ECHO "a"b\r\n',
        "part": READY + b'ECHO "a\\x2',
        "many-words": READY + b"w " * 17 + b"\r\n",
        "long": READY + b"a" * 1100 + b"\r\n",
        "written": READY + b"ECHO \0\3abc   \r\n",
    }


# --- Backups and archives: base/tar.h, journal/backup.h, journal/archived.h -------------------

def tar_header(name, size=227, kind=b"0"):
    head = (name.ljust(100, b"\0") + b"0000600\0" + b"0000000\0" * 2 + b"%011o\0" % size +
            b"%011o\0" % 1795262173 + b" " * 8 + kind + b"\0" * 100 + b"ustar\00000" +
            b"\0" * 64 + b"0000000\0" * 2)
    return head.ljust(512, b"\0")


def backup_manifest(files="", without="", keys=1):
    zero = "0" * 64
    return (f"pennybank-backup 1\nbank {BANK.hex()}\nmade 1795262173825\nbatch 3\nentry 10\n"
            f"time 1795262173675\nsegment 1\noffset 12288\nchain {zero}\ndigest {zero}\n"
            f"keys {keys}\n{files}{without}").encode()


def archived(*parts, segment=4):
    lines = "".join(f"part {part}\n" for part in parts)
    return (f"pennybank-archived 1\nbank {BANK.hex()}\nsegment {segment}\nbatch 900\n"
            f"entry 5000\ntime 1795262173675\nchain {'0' * 64}\n{lines}").encode()


def backup_seeds():
    zero = "0" * 64
    files = (f"file 227 227 {zero} certs/ca.key\n"
             f"file 12288 8388608 {zero} data/journal/00000001.journal\n")
    return {
        "header": b"\0" + tar_header(b"certs/ca.key"),
        "header-of-a-link": b"\0" + tar_header(b"certs/ca.key", kind=b"2"),
        "header-that-climbs": b"\0" + tar_header(b"certs/../../x"),
        "manifest": b"\1" + backup_manifest(files),
        "manifest-without-keys": b"\1" + backup_manifest(
            f"file 1 1 {zero} a%20b\n", "without certs/ca.key\n", keys=0),
        "manifest-that-climbs": b"\1" + backup_manifest(f"file 1 1 {zero} ../x\n"),
        "end": b"\2pennybank-backup-end 1\nfiles 24\n",
        "archived": b"\3" + archived("1 3 5000 attic"),
        "archived-twice": b"\3" + archived("1 2 4000 attic", "3 3 5000 cellar%20room"),
        "archived-with-a-gap": b"\3" + archived("1 1 4000 attic", "3 3 5000 cellar"),
    }


# --- Keys and messages: crypto/jose_text.h, crypto/message.h -------------------------------------

def url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


# Numbers of the right size; the targets read texts and do no cryptography.
MODULUS = bytes([0xc3] + [i * 7 & 255 for i in range(1, 383)] + [0x01])


def jwk(more=b"", n=MODULUS, e=b"\1\0\1"):
    return b'{"e":"%s","kty":"RSA","n":"%s"%s}' % (url(e), url(n), more)


def jws(header, payload=b"{}"):
    return b".".join((url(header), url(payload), url(MODULUS)))


def jwe(header, content=b"sealed"):
    return b".".join((url(header), url(MODULUS), url(bytes(12)), url(content), url(bytes(16))))


def message(content, to=b"bob"):
    return (b'{"from":"alice","to":"%s","id":"m-1","time":"2026-11-21T13:08:57.426Z",%s}'
            % (to, content))


def jose_seeds():
    kid = url(bytes(range(32)))
    sealed = b'{"alg":"RSA-OAEP-256","enc":"A256GCM"'
    return {
        "key": b"\0" + jwk(),
        "key-with-more": b"\0 " + jwk(b', "kid" : "alice\\u0027s", "x":-1.5e3'),
        "key-private": b"\0" + jwk(b',"d":"AQAB"'),
        "key-for-one-use": b"\0" + jwk(b',"use":"sig"'),
        "key-small-exponent": b"\0" + jwk(e=b"\3"),
        "key-even": b"\0" + jwk(n=MODULUS[:-1] + b"\2"),
        "key-short": b"\0" + jwk(n=MODULUS[:256]),
        "signature": b"\1" + jws(b'{"alg":"PS256","kid":"%s"}' % kid),
        "signature-none": b"\1" + jws(b'{"alg":"none"}'),
        "signature-twice": b"\1" + jws(b'{"alg":"PS256","alg":"PS256"}'),
        "signature-critical": b"\1" + jws(b'{"alg":"PS256","crit":["exp"],"exp":1}'),
        "envelope": b"\2" + jwe(sealed + b',"cty":"JWT","kid":"%s"}' % kid),
        "envelope-plain": b"\2" + jwe(sealed + b"}", b""),
        "envelope-zipped": b"\2" + jwe(sealed + b',"zip":"DEF"}'),
        "text": b"\3" + message(b'"text":"caf\\u00e9 \\ud83d\\ude00 \\"x\\"\\n"'),
        "text-to-the-server": b"\3" + message(b'"text":""', b"@server"),
        "file": b"\3" + message(b'"bytes":"AP8K"'),
        "both": b"\3" + message(b'"bytes":"AP8K","text":""'),
        "turned": b'\3{ "text":"x", "time":"2026-11-21T13:08:57.426Z", "id":"m-1", "to":"bob",'
                  b' "from":"alice" }',
    }


# --- An older bank: tools/pennyctl/old_books.h ------------------------------------------------------

MD5 = b"0123456789abcdef0123456789abcdef"


def old_books_seeds():
    people = b"Anna:" + MD5 + b"\r\n\n" + b"bert \t" + MD5.upper() + b"\n"

    def books(passwd, balance, scale=b"\2"):
        return scale + passwd + b"%\n" + balance

    return {
        "whole": books(people, b"anna 12.50\nBERT\t0.00\n"),
        "marked": books(b"\xef\xbb\xbf" + people, b"\xef\xbb\xbf\r\nbert:12.50\r\n"),
        "no-decimals": books(people, b"anna 3\n", b"\0"),
        "nobody": books(b"\n", b""),
        # None of these is taken.
        "twice": books(people + people, b""),
        "cut": books(b"anna:" + MD5[:31] + b"\n", b""),
        "cut-name": books(people + b"cara\n", b""),
        "no-end": books(people, b"anna 12.50"),
        "reserved": books(b"cash:" + MD5 + b"\n", b""),
        "empty-password": books(b"anna:d41d8cd98f00b204e9800998ecf8427e\n", b""),
        "stranger": books(people, b"cara 3.00\n"),
        "below-zero": books(people, b"anna -3.00\n"),
        "too-exact": books(people, b"anna 3.001\n"),
        "long": books(b" " * 300 + b"\n", b""),
        "many": books(b"".join(b"p%d %s\n" % (i, MD5) for i in range(9)), b""),
    }


# --- Password records: crypto/password_record.h -----------------------------------------------------

def password_seeds():
    tail = b"$cGVubnlzYWx0MA$xs5Oon8JpBArQhzI/23IjxovloFinuA/SHorgjqnki0"
    whole = b"$argon2id$v=19$m=4096,t=2,p=1" + tail
    return {
        "whole": whole,
        "wrapped": whole.replace(b"argon2id", b"argon2id-md5"),
        "usual": whole.replace(b"4096", b"19456"),
        "lanes": whole.replace(b"p=1", b"p=4"),
        # None of these is a record.
        "other": whole.replace(b"argon2id", b"argon2i"),
        "other-wrapped": whole.replace(b"argon2id", b"argon2id-md4"),
        "other-version": whole.replace(b"19", b"16"),
        "cut": whole[:-20],
        "bits-left": whole[:-1] + b"1",
        "little-memory": whole.replace(b"4096", b"7"),
        "zero-in-front": whole.replace(b"4096", b"04096"),
    }


# --- Recordings of packets: tools/penny/capture.h ---------------------------------------------------

def capture_seeds():
    key = bytes(range(16))

    def mix(data, other=key):
        return bytes(byte ^ other[i % 16] for i, byte in enumerate(data))

    locks = bytes(range(64, 80)), bytes(range(128, 144))
    said = [(recording.CLIENT, mix(key, locks[0])),
            (recording.SERVER, mix(mix(key, locks[0]), locks[1])),
            (recording.CLIENT, mix(key, locks[1]) + mix(b"*1\r\n$5\r\nCLOCK\r\n")),
            (recording.SERVER, mix(b"$10\r\n2026-11-20\r\n"))]
    four = recording.Conversation().packets(said)
    six = recording.Conversation(6, extensions=b"\0\6\0\1\4\0\0\0\0").packets(said, end=False)
    bare = recording.Conversation(ip_options=b"\1" * 4, tcp_options=b"\1" * 4).packets(
        said, begin=False, end=False)
    talk = recording.Conversation(sums=recording.LEFT_TO_CARD)
    pieces = talk.packets([], end=False) + [
        talk.data(recording.CLIENT, at, b"".join(s for e, s in said if e == 0)[at:at + 20])
        for at in (20, 0, 10, 40)]
    return {
        "ethernet": recording.write_pcap(four),
        "tagged": recording.write_pcap(four, tags=(0x88A8, 0x8100), nano=True),
        "raw-big": recording.write_pcap(six, recording.RAW, ">"),
        "null": recording.write_pcap(bare, recording.NULL),
        "loop": recording.write_pcap(bare, recording.LOOP, ">"),
        "cooked": recording.write_pcapng(bare, recording.COOKED),
        "cooked2-big": recording.write_pcapng(six, recording.COOKED2, ">"),
        "simple": recording.write_pcapng(bare, recording.IPV4, simple=True),
        "pieces": recording.write_pcap(pieces, recording.RAW),
        # None of these is taken whole.
        "cut": recording.write_pcap(four)[:-5],
        "in-part": recording.write_pcap(four, size_max=60),
        "gap": recording.write_pcap(four[:4] + four[5:]),
    }


# --- The laboratory's channels: src/channel/lab/README.md -----------------------------------------

XOR, RSA, HYBRID, DHE, PSK = range(5)
SERVER, CLIENT = 0, 8                              # whose end it is that reads
FIRST, BEHIND, SEALED, TOKEN = 0, 0x10, 0x20, 0x30  # what it reads


def der(tag, *parts):
    content = b"".join(parts)
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 128 + len(digits)]) + digits + content


def lab_key():
    """A SubjectPublicKeyInfo of RSA-2048 with a number that nobody has the factors of."""
    number = b"".join(hashlib.sha256(bytes([i])).digest() for i in range(8))
    number = bytes([number[0] | 0x80]) + number[1:-1] + bytes([number[-1] | 1])
    key = der(0x30, der(2, b"\0", number), der(2, b"\1\0\1"))
    return der(0x30, der(0x30, der(6, bytes.fromhex("2a864886f70d010101")), der(5)),
               der(3, b"\0", key))


def lab_certificate():
    """One that nobody signed: its last field has the right size."""
    by = der(0x30, der(6, bytes.fromhex("2a864886f70d01010b")), der(5))
    name = der(0x30, der(0x31, der(0x30, der(6, b"\x55\x04\x03"), der(12, b"lab"))))
    dates = der(0x30, der(23, b"260101000000Z"), der(23, b"460101000000Z"))
    signed = der(0x30, der(0xa0, der(2, b"\2")), der(2, b"\1"), by, name, dates, name, lab_key())
    return der(0x30, signed, by, der(3, b"\0", b"s" * 256))


def lab_message(kind, body):
    return struct.pack(">BH", kind, len(body)) + body


def lab_seeds():
    key, data, end = lab_key(), 16, 17
    hello, hello_back = lab_message(1, b"n" * 48), lab_message(2, b"n" * 48)
    keys = lab_message(11, lab_certificate()) + lab_message(12, b"\2" * 256 + b"s" * 256)
    done = lab_message(20, b"t" * 16)
    ping = lab_message(data, b"PING\r\n")
    # The specification's, without its HMAC.
    token = bytes.fromhex("80000000001dc09eb0" + bytes(range(16)).hex() +
                          "2d36d5ca46556299fde13008633804b2")
    seeds = {
        "xor-server": (XOR + SERVER + FIRST, b"1" * 16 + b"3" * 16 + b"PING\r\n"),
        "xor-client": (XOR + CLIENT + FIRST, b"2" * 16 + b"+PONG\r\n"),
        "rsa-server": (RSA + SERVER + FIRST, lab_message(1, key)),
        "rsa-client": (RSA + CLIENT + FIRST, lab_message(2, key)),
        "rsa-record": (RSA + SERVER + BEHIND, lab_message(data, b"b" * 512)),
        "hybrid-server": (HYBRID + SERVER + FIRST, lab_message(1, key)),
        "hybrid-client": (HYBRID + CLIENT + FIRST, lab_message(2, key)),
        "hybrid-record": (HYBRID + CLIENT + BEHIND, lab_message(data, b"b" * 512 + b"gAAA" * 25)),
        "dhe-server": (DHE + SERVER + FIRST, hello + keys + lab_message(20, b"f" * 32)),
        "dhe-client": (DHE + CLIENT + FIRST, hello_back + keys),
        "dhe-record": (DHE + SERVER + BEHIND, lab_message(data, bytes(8) + b"i" * 16 + b"c" * 16 +
                                                          b"h" * 32)),
        "psk-server": (PSK + SERVER + FIRST, lab_message(1, b"n" * 32) + done),
        "psk-client": (PSK + CLIENT + FIRST, lab_message(2, b"n" * 32) + done),
        "psk-record": (PSK + CLIENT + BEHIND, lab_message(data, b"m" * 5 + b"t" * 16)),
        "alert": (PSK + SERVER + BEHIND, lab_message(21, b"\x0d")),
        "alert-of-nothing": (RSA + CLIENT + FIRST, lab_message(21, b"")),
        "too-long": (DHE + SERVER + FIRST, b"\1\xff\xff"),
        "rsa-sealed": (RSA + SERVER + SEALED, ping),
        "hybrid-sealed": (HYBRID + CLIENT + SEALED, ping),
        "dhe-sealed": (DHE + SERVER + SEALED, ping * 2 + lab_message(end, b"")),
        "psk-sealed": (PSK + CLIENT + SEALED, ping * 2 + lab_message(end, b"")),
        "end-with-more": (DHE + CLIENT + SEALED, lab_message(end, b"x")),
        "token": (TOKEN, token),
        "token-cut": (TOKEN, token[:-1]),
        "token-other-version": (TOKEN, b"\x81" + token[1:]),
    }
    return {name: bytes([first]) + rest for name, (first, rest) in seeds.items()}


# --- Enrolment: crypto/request.h, access/enrol_code.h, access/enrol_spool.h, crypto/issued.h --------

# Requests that openssl made for keys which nobody has kept.
REQUEST = ("MIHMMHQCAQAwEjEQMA4GA1UEAwwHa2lvc2stMjBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOrFhiYL2hWETNsY"
           "AdXN2h/yH+SqkGHj9K/Clh0fAjliYbt27VxNXz2uszxqRRaUaFBKkYb+1BI/QUUxCIQORsCgADAKBggqhkjOPQQD"
           "AgNIADBFAiEAlBRm7acjON4/2EnP7zZfXrkVzYnogJsTPMynpYn/AokCIDS1edmpyUDKcUwxe4BMR5HsMdqfX6hF"
           "+eyzBHNYzOny")
NAMELESS = ("MIH2MH8CAQAwADB2MBAGByqGSM49AgEGBSuBBAAiA2IABOVsFNbRtp4mwj2DXAlRNOoDywcekhaYjhcZu6PJqB87"
            "PAF4bQXq6xmbRvIUEOhfR5IgY7U79N2XF7ik7396kyLlrofrBFphwCPBO/H7xx3jSofqsiiVwcIxox37vyvC0aAA"
            "MAoGCCqGSM49BAMCA2cAMGQCMGT4864hAthdMtnQnk6+ZzUfDItOq+LSUECiEaMSJ/ovPXxAZZAKjEvPcyFJtxDY"
            "3gIwdmv2kOC6PreANoAbLuTiOisc8t6GSEME/FQPv5khT3NyhhpqaSJjDJ9ZWMTvYocv")


def pem(digits):
    lines = [digits[at:at + 64] for at in range(0, len(digits), 64)]
    kind = "CERTIFICATE REQUEST"
    return "\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""]).encode()


def enrol_seeds():
    row = b"4f0c11e1 2026-12-01T14:00:00Z 2029-03-05T15:00:00Z client ca till-1"
    seeds = {
        "request": b"\0" + pem(REQUEST),
        "request-nameless": b"\0" + pem(NAMELESS),
        "request-forged": b"\0" + pem(REQUEST.replace("+eyzBHNYzOny", "+eyzBHNYzOnz")),
        "request-cut": b"\0" + pem(REQUEST[:160]),
        "code": b"\x01" + b"0123-4567-89AB-CDEF-GHJK-MNPQ-RSTV-WXYZ",
        "code-as-typed": b"\x01" + b"o1i345l789abcdefghjkmnpqrstvwxyz",
        "code-short": b"\x01" + b"0123-4567",
        "grant": b"\x02" + b"name kiosk-2\nexpires 2026-12-02T15:00:00Z\n",
        "grant-of-nobody": b"\x02" + b"name \nexpires 2026-12-02T15:00:00Z\n",
        "grant-without-end": b"\x02" + b"name kiosk-2\nexpires 2026-12-02T15:00:00Z",
        "row": b"\x03" + row,
        "row-of-an-authority": b"\x03" + row.replace(b"client ca till-1",
                                                    b"authority self Pennybank CA 1f"),
        "row-of-issuing": b"\x03" + row.replace(b"client ca", b"client issuing"),
        "row-without-name": b"\x03" + row[:-6],
        "base": b"\x04" + b"0123456789abcdef" * 2,
        "base-of-a-renewal": b"\x04" + b"renew-kiosk-2",
    }
    return seeds


TARGETS = {"resp": resp_seeds, "inline": inline_seeds, "entry": entry_seeds,
           "journal": journal_seeds, "tables": tables_seeds, "config": config_seeds,
           "receipt": receipt_seeds, "backup": backup_seeds,
           "temperature": temperature_seeds, "jose": jose_seeds,
           "old_books": old_books_seeds, "password": password_seeds,
           "penalties": penalties_seeds, "capture": capture_seeds, "lab": lab_seeds,
           "enrol": enrol_seeds}


def main():
    for target, seeds in TARGETS.items():
        folder = os.path.join(CORPUS, target)
        os.makedirs(folder, exist_ok=True)
        for name in os.listdir(folder):
            if not name.startswith("found-"):
                os.remove(os.path.join(folder, name))
        for name, content in seeds().items():
            with open(os.path.join(folder, name), "wb") as out:
                out.write(content)


if __name__ == "__main__":
    main()

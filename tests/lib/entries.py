"""entries.py - lays out entries as ledger/entry.h has them: the one place in the tests that knows.

Written down a second time, from the header and not from the code. An entry here is without the
size in front; `framed` puts it there.
"""

import hashlib
import struct

NONE = 0xFFFFFFFF
BOUND = 4 * 10**18

(GENESIS, LIMITS, PERSON, ACCOUNT, MOVEMENT, TERMINAL, ITEM, KEY, MESSAGE,
 FORGET) = range(1, 11)
OK, FUNDS, LIMITED, NOACCT, CLOSED, EXPIRED, STATE, EXECABORT = 0, 22, 23, 24, 25, 26, 27, 28
(DEPOSIT, WITHDRAW, TRANSFER, HOLD, CAPTURE, VOID, RELEASE, REVERSE, ORDER, CANCEL_ORDER,
 ORDER_DONE) = range(1, 12)
NO_ITEM, NOT_SOLD, PRICE, STOCK, UNKNOWN, DONE, CANCELLED = range(1, 8)
ITEM_SET, ITEM_DEL = 1, 2
OPEN, CLOSE, LIMIT = 1, 2, 3
(ADDED, PASSWORD, ROLE, LOCK, UNLOCK, REMOVE, TITLE, PIN_SET, PIN_LOCK, PIN_UNLOCK,
 REHASH) = range(1, 12)

HEAD = struct.Struct("<BBIQQII")  # kind, status, person, sequence, time, terminal, version
MOVED = struct.Struct("<IIqqqQQQBBBBBB2x")
HELD = struct.Struct("<QIB3x")
REVERSED = struct.Struct("<Q")
COUNTED = struct.Struct("<qqIB3x")
ORDERED = struct.Struct("<IIqqQQqB7x")
SIZE = struct.Struct("<H")


def entry(kind, body, status=OK, person=NONE, terminal=NONE, seq=0, time_ms=0, version=1):
    return HEAD.pack(kind, status, person, seq, time_ms, terminal, version) + body


def numbered(seq, time_ms, body):
    """The same entry with this sequence and time."""
    kind, status, person, _, _, terminal, version = HEAD.unpack_from(body)
    return HEAD.pack(kind, status, person, seq, time_ms, terminal, version) + body[HEAD.size:]


def framed(body):
    return SIZE.pack(SIZE.size + len(body)) + body


def genesis(bank, currency=b"EUR"):
    return entry(GENESIS, bank + struct.pack("<BB", 2, len(currency)) + currency)


def limits(accounts=8, ids=64, terminals=4, holds=8, reversible=64):
    return entry(LIMITS, struct.pack("<IIIII", accounts, ids, terminals, holds, reversible))


def account(name, floor=-BOUND, ceiling=BOUND, operation=OPEN, row=0, state=0, owner=NONE):
    head = struct.pack("<IIqqBBB5x", row, owner, floor, ceiling, state, len(name), operation)
    return entry(ACCOUNT, head + name)


PHC = b"$argon2id$v=19$m=4096,t=1,p=1$c2FsdA$aGFzaA"


def person(name, operation=ADDED, row=0, role=0, number=0):
    head = struct.pack("<IIBBBBB3x", number, row, operation, role, 0, len(name), len(PHC))
    return entry(PERSON, head + name + PHC)


def person2(name, operation, row=0, role=0, number=0, state=0, record=b"", title=b"", day=0,
            registered=0, most=0, terminal=NONE, first=0):
    """Version 2: what is more than a role and a password; 3: a password that is a first one."""
    head = struct.pack("<IIBBBBBBBxIII", number, row, operation, role, state, len(name),
                       len(record), len(title), first, day, registered, most)
    return entry(PERSON, head + name + record + title, terminal=terminal, version=2 + first)


def movement(operation, debit, credit, amount, number, memo=b"", missing=b"", status=OK,
             asked_by=NONE, terminal=NONE, debit_after=0, credit_after=0, debit_previous=0,
             credit_previous=0, asked_previous=0, place=0, group=0, hold=0, expires=0, whole=0,
             reverses=0, seq=0, time_ms=0, day=0, total=0, most=0, beyond=0):
    head = MOVED.pack(debit, credit, amount, debit_after, credit_after, debit_previous,
                      credit_previous, asked_previous, operation, len(number), len(memo),
                      len(missing), place, group)
    counted = COUNTED.pack(total, most, day, beyond) if day else b""
    about = b""
    if HOLD <= operation <= RELEASE:
        about = HELD.pack(hold, expires, whole)
    elif operation == REVERSE:
        about = REVERSED.pack(reverses)
    return entry(MOVEMENT, head + counted + about + number + memo + missing, status, asked_by,
                 terminal, seq, time_ms, version=2 if day else 1)


MODULUS = b"\xff" + (bytes(range(256)) * 2)[:382] + b"\x01"  # high byte first, odd
PART_SIZE = 384  # bytes of an envelope in one entry


def key(asked_by, modulus=MODULUS):
    return entry(KEY, modulus, person=asked_by, version=3)


def forget(asked_by, number):
    return entry(FORGET, struct.pack("<Q", number), person=asked_by, version=3)


def message(asked_by, to, number, envelope, status=OK, missing=b"", asked_previous=0):
    """The entries of one message: one for each of its parts, or one that was refused."""
    cut = [envelope[at:at + PART_SIZE] for at in range(0, len(envelope), PART_SIZE)]
    if status != OK:
        cut = [b""]
    parts = len(cut) if status == OK else 0
    first = struct.pack("<BBBBII4xQ", min(parts, 1), parts, len(number), len(missing), to,
                        len(envelope), asked_previous)
    bodies = [first + hashlib.sha256(envelope).digest() + number + missing + cut[0]]
    bodies += [struct.pack("<BBBB", place, parts, 0, 0) + part
               for place, part in enumerate(cut[1:], 2)]
    return [entry(MESSAGE, body, status, asked_by, version=3) for body in bodies]


def terminal_row(name):
    return entry(TERMINAL, struct.pack("<IB3x", 0, len(name)) + name)


def item(name, price, stock=None, operation=ITEM_SET, row=0, title=b""):
    head = struct.pack("<IIqBBBB", row, stock or 0, price, operation, stock is not None, len(name),
                       len(title))
    return entry(ITEM, head + name + title, version=3)


def ordering(operation, debit, credit, amount, number, row=NONE, quantity=0, price=0, asked=0,
             order=0, evicted=0, told=0, reason=0, missing=b"", status=OK, asked_by=NONE,
             terminal=NONE, place=0, group=0, day=0, total=0, most=0, beyond=0):
    """Version 3 of a movement: ORDER, CANCEL and ORDER DONE."""
    head = MOVED.pack(debit, credit, amount, 0, 0, 0, 0, 0, operation, len(number), 0,
                      len(missing), place, group)
    about = ORDERED.pack(row, quantity, price, asked, order, evicted, told, reason)
    return entry(MOVEMENT, head + COUNTED.pack(total, most, day, beyond) + about + number + missing,
                 status, asked_by, terminal, version=3)

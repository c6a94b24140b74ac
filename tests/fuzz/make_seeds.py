"""make_seeds.py - writes the seeds of the fuzz targets into tests/fuzz/corpus.

    python3 tests/fuzz/make_seeds.py

A seed shows a target one thing that it can read; the fuzzer makes the rest of it. Layouts are
written down here a second time, from the headers and not from the code. What a fuzzer found is
kept beside the seeds, in files whose names begin with `found-`, and is left alone here.
"""

import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))

from entries import (BOUND, CAPTURE, CLOSE, DEPOSIT, FUNDS, HOLD, LIMIT, NOACCT, NONE, STATE,
                     TRANSFER, VOID, WITHDRAW, account, genesis, limits, movement, numbered,
                     person, terminal_row)

CORPUS = os.path.join(HERE, "corpus")
BANK = bytes(range(1, 17))
LOGIN, READY = b"\0", b"\1"

# --- Entries: made to fit by the targets ---------------------------------------------------------

def fitted(body, fits=1):
    return struct.pack("<BH", fits, len(body)) + body


def unfitted(seq, body):
    """An entry that is not made to fit, as the entry number `seq` of batches at time 1000."""
    return fitted(numbered(seq, 1000, body), 0)


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
PASSWORD = [person(b"alice", operation=2, row=2)]


def entry_seeds():
    whole = BEGIN + PEOPLE + MONEY + REFUSED + TILL + PASSWORD
    return {
        "begin": b"".join(fitted(e) for e in BEGIN),
        "people": b"".join(fitted(e) for e in BEGIN + PEOPLE),
        "whole": b"".join(fitted(e) for e in whole),
        "holds": b"".join(fitted(e) for e in BEGIN + PEOPLE + MONEY + HOLDS + BOUNDS),
        "unfitted": b"".join(fitted(e) for e in BEGIN) + fitted(MONEY[0], 0),
        "window": b"".join(fitted(e) for e in BEGIN + PEOPLE + MONEY + [limits(ids=1)] + TILL),
        # Money leaves an account that is above its ceiling (M2).
        "above-its-ceiling": b"".join(
            fitted(e) for e in BEGIN + [account(b"fund", -BOUND, -1),
                                        movement(TRANSFER, 2, 1, 5, b"b1")]),
        # What was once installed, and must not be.
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
        "closed": seed(0, MADE, batch(REFUSED), CLOSING),
        "two-segments": seed(KNOWS | NEAR_END, MADE, batch(REFUSED), NEXT, batch(TILL), CLOSING),
        "whole": seed(KNOWS | NEAR_END, MADE, batch(REFUSED + TILL), NEXT, batch(PASSWORD), marked=2),
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
               currency="EUR", chain="0a" * 32, holds="", given=0, asked=None, reverted="",
               forgotten=0, reversible=1):
    if asked is None:  # Nobody has asked for anything.
        asked = "".join(line.split(":")[0] + ":0:0.0:0:\n" for line in passwd.splitlines())
    return (f"pennybank-checkpoint 1\nbank {BANK.hex()}\ncurrency {currency} 2\nentry 12\n"
            f"limits {limits_line}\nholds {given}\nreversible {reversible}\n"
            f"forgotten {forgotten}\n"
            f"= passwd\n{passwd}= balance\n{balance}= terminals\n{terminals}= asked\n{asked}"
            f"= holds\n{holds}= ids\n{ids}= reversed\n{reverted}= place\nbatch 3\nsegment 1\n"
            f"offset 12288\nsalt 77\ntime 1002\nchain {chain}\n").encode()


def tables_seeds():
    phc = "$argon2id$v=19$m=4096,t=1,p=1$c2FsdA$aGFzaA"
    own = "cash:0.00:0.00:-:-:-:open:0.0\nshop:0.00:0.00:-:-:-:open:0.0\n"
    passwd = f"alice:customer:active:{phc}\nbob:till:locked:{phc}\n"
    balance = ("cash:-49.50:0.00:-:-:-:open:1.8500\nshop:0.00:0.00:-:-:-:open:0.0\n"
               "alice:37.50:1.00:0.00:-:alice:open:1.4800\n"
               "bob:12.00:0.00:-5.00:100.00:bob:open:1.8500\n"
               "fund:0.00:0.00:0.00:-:alice:closed:0.0\n")
    memo = "00" * 16
    ids = (f"7:1001:-:deposit:OK:a1:cash:alice:-:50.00:50.00:{memo}:0:0:-:0:0/0\n"
           f"8:1001:alice:transfer:OK:a%3a2:alice:bob:-:12.50:37.50:{'5e' * 16}:0:0:-:0:0/0\n"
           f"9:1002:alice:transfer:FUNDS:a3:alice:bob:-:999.00:37.50:{memo}:0:0:-:0:0/0\n"
           f"10:1002:alice:transfer:NOACCT:a4:alice:-:carol:1.00:37.50:{memo}:0:0:-:0:0/0\n"
           f"11:1002:alice:hold:OK:h1:alice:bob:-:1.00:37.50:{memo}:3:3600:-:0:0/0\n"
           f"12:1002:bob:withdraw:OK:+9:bob:cash:-:0.50:12.00:{memo}:0:0:-:0:0/0\n")
    hold = "3:alice:bob:1.00:5000:11\n"
    return {
        "empty": checkpoint(balance=own),
        "whole": checkpoint(passwd, balance, "till-1\nkiosk\n", ids, holds=hold, given=3),
        "reversals": checkpoint(
            passwd, balance, "till-1\n", ids, holds=hold, given=3, reverted="7\n8\n", reversible=3,
            asked="alice:4:1.4800:0:0a0b0c0dffff0001\nbob:1:1.8500:1002:00fe\n"),
        # Each of them must be refused: not the account's sum, out of order, never given.
        "hold-not-held": checkpoint(passwd, balance, holds=hold.replace("1.00", "1.01"), given=3),
        "holds-out-of-order": checkpoint(
            passwd, balance, holds="3:alice:bob:0.50:5000:11\n2:alice:bob:0.50:5000:10\n", given=3),
        "hold-never-given": checkpoint(passwd, balance, holds=hold, given=2),
        "small-window": checkpoint(passwd, balance, "till-1\n", ids, "8 3 4 8 64", holds=hold, given=3),
        "unbalanced": checkpoint(balance=own.replace("0.00", "1.00", 1)),
        "too-many-terminals": checkpoint(balance=own, terminals="a\nb\nc\nd\ne\n"),
        # What was once loaded, and must not be.
        "upper-case-hex": checkpoint(balance=own, chain="0A" * 32),
        "currency-with-a-nul": checkpoint(balance=own, currency="E\0R"),
        "no-window": checkpoint(balance=own, limits_line="8 0 4 8 64"),
        "no-cash": checkpoint(balance=own.replace("cash", "cosh")),
        "id-from-the-future": checkpoint(
            passwd, balance, holds=hold, given=3, ids=f"13:1002:bob:withdraw:OK:b:bob:cash:-:0.50:12.00:{memo}:0:0:-:0:0/0\n"),
        "ids-out-of-order": checkpoint(
            passwd, balance, holds=hold, given=3, ids="".join(f"{n}:1002:bob:withdraw:OK:b{n}:bob:cash:-:0.50:12.00:"
                                         f"{memo}:0:0:-:0:0/0\n" for n in (9, 8))),
        "amount-below-zero": checkpoint(
            passwd, balance, holds=hold, given=3, ids=f"9:1002:bob:withdraw:OK:b:bob:cash:-:-0.50:12.00:{memo}:0:0:-:0:0/0\n"),
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
        "nine-listeners": b"".join(b"[listener l%d]\nport = 0\n" % i for i in range(9)),
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


TARGETS = {"resp": resp_seeds, "inline": inline_seeds, "entry": entry_seeds,
           "journal": journal_seeds, "tables": tables_seeds, "config": config_seeds,
           "receipt": receipt_seeds, "backup": backup_seeds}


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

#!/usr/bin/python3
"""make.py KIND-VERSION - keeps a journal with an entry of every kind, an archived one, a backup or
a receipt as tests/formats/KIND-VERSION.

Run once whenever a format on disk gets a new version, with the programs that write it. What is kept
is never made again: it stands for the banks that people have. Certificates name the host, so it
wants one that is nobody's:

    unshare --uts sh -c 'hostname bank && python3 tests/formats/make.py KIND-VERSION'
"""

import hashlib
import json
import os
import re
import shutil
import socket
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lib"))

import formats  # noqa: E402
import journal  # noqa: E402
from bank import Bank  # noqa: E402
from jose import letter, make_key  # noqa: E402
from resp import Error, fields, wait_until  # noqa: E402
from segments import newest  # noqa: E402


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
        change_people(bank, admin, till)
        sell(alice, till, admin)
        write_letters(bank, alice, bob, admin)
        hand_out(bank, admin)
        return {name: ask(till, "BALANCE", name).decode() for name in ("alice", "bob", "fund")}


# What version 2 of entries and checkpoints came with: people, PINs, and the days of terminals.
BOUNDS = ("terminal till.day-max=40.00", "terminal till.pin-above=20.00",
          "terminal kiosk.pin-above=20.00", "server.register=open", "limits.orders=16",
          "server.refused-per-minute=6000")


def change_people(bank, admin, till):
    for words in (("ADD", "dora", "a word of hers", "ROLE", "auditor"), ("ROLE", "dora", "till"),
                  ("NAME", "dora", "Dora: the 2nd, gr\u00fc\u00df dich"), ("LOCK", "dora"),
                  ("ADD", "emil", "a word of his"), ("LOCK", "emil"), ("UNLOCK", "emil"),
                  ("PASSWD", "emil", "another word"), ("ADD", "fred", "a word of his"),
                  ("NAME", "fred", "Fred"), ("DEL", "fred")):
        ask(admin, "USER", *words)
    ask(till, "PIN", "SET", bank.passwords["till"], "4711")
    ask(till, "DEPOSIT", "p-1", "21.00", "bob", "PIN", "4711")
    ask(till, "DEPOSIT", "p-2", "19.50", "bob", refused=True)  # The day's bound.
    for group in (("q-1", "1.00"), ("q-2", "18.00")):
        ask(till, "MULTI")
        ask(till, "DEPOSIT", group[0] + "a", group[1], "bob")
        ask(till, "DEPOSIT", group[0] + "b", group[1], "bob")
        ask(till, "EXEC", refused=group[0] == "q-2")
    with bank.wire("emil", terminal="kiosk", password="another word") as emil:
        ask(emil, "REGISTER", "gina", "a word of hers")
        ask(emil, "PIN", "SET", "another word", "123456")
        for _ in range(3):
            ask(emil, "DEPOSIT", "r-1", "30.00", "PIN", "9999", refused=True)
    ask(admin, "PIN", "UNLOCK", "till")


# What version 3 came with: items, orders, keys and sealed messages.
def sell(alice, till, admin):
    for words in (("SET", "mate", "0.15", "TITLE", "Mate: 0,5 l, gr\u00fc\u00df dich", "STOCK", 9),
                  ("SET", "soup", "0.35"), ("SET", "gone", "0.01"), ("DEL", "gone")):
        ask(admin, "ITEM", *words)
    orders = [ask(alice, "ORDER", f"o-{n}", "mate")[b"order"] for n in range(3)]
    ask(alice, "ORDER", "o-4", "soup", 2, "PRICE", "0.35")
    for words in (("o-5", "mate", 1, "PRICE", "0.10"), ("o-6", "mate", 10), ("o-7", "gone"),
                  ("o-8", "never"), ("o-9", "soup", 10000)):
        ask(alice, "ORDER", *words, refused=True)
    ask(till, "ORDER", "DONE", "n-1", orders[0])
    ask(alice, "CANCEL", "x-1", orders[1])
    ask(alice, "CANCEL", "x-2", orders[1], refused=True)
    ask(admin, "ITEM", "SET", "mate", "0.16", "STOCK", 3)
    ask(admin, "ITEM", "SET", "nut", "0.01")
    for n in range(16):  # Closed ones are pushed out of the table.
        ask(till, "ORDER", "DONE", f"n-{n + 2}", ask(alice, "ORDER", f"m-{n}", "nut")[b"order"])
    ask(alice, "MULTI")
    for words in (("ORDER", "g-5", "mate"), ("ORDER", "g-6", "soup"), ("CANCEL", "g-7", orders[2])):
        ask(alice, *words)
    ask(alice, "EXEC")
    ask(alice, "MULTI")
    for words in (("ORDER", "g-8", "mate"), ("ORDER", "g-9", "mate", 3)):
        ask(alice, *words)
    ask(alice, "EXEC", refused=True)


def write_letters(bank, alice, bob, admin):
    keys = {}
    ask(admin, "USER", "ADD", "hans", "a word of his")
    ask(alice, "SEND", "l-0", "hans", letter("alice", "hans", *(make_key()[1],) * 2, "l-0", "none"),
        refused=True)
    with bank.wire("hans", terminal="kiosk", password="a word of his") as hans:
        for name, wire in (("alice", alice), ("bob", bob), ("hans", hans)):
            keys[name] = make_key()[1]
            public = keys[name].export_public(as_dict=True)
            ask(wire, "KEY", "SET", json.dumps({part: public[part] for part in ("e", "kty", "n")},
                                               separators=(",", ":")))

        def send(wire, sender, to, id, text):
            return ask(wire, "SEND", id, to,
                       letter(sender, to, keys[sender], keys[to], id, text))[b"message"]

        send(alice, "alice", "bob", "l-1", "the fridge is empty")
        read = send(bob, "bob", "alice", "l-2", "I bring ten bottles")
        send(bob, "bob", "alice", "l-3", "x" * 1000)
        ask(alice, "FORGET", read)
        send(alice, "alice", "hans", "l-4", "you are leaving")
    ask(admin, "USER", "DEL", "hans")


# What version 4 of checkpoints, and version 3 of a person's entry, came with: first passwords.
def hand_out(bank, admin):
    for words in (("ADD", "ida", "a word for a start", "FIRST"),
                  ("ADD", "jan", "a word for a start", "ROLE", "till", "FIRST"),
                  ("PASSWD", "emil", "a word for a start", "FIRST"), ("LOCK", "emil"),
                  ("ADD", "karl", "a word for a start", "FIRST"), ("NAME", "ida", "Ida")):
        ask(admin, "USER", *words)
    with bank.wire("karl", terminal="kiosk", password="a word for a start") as karl:
        ask(karl, "BALANCE", refused=True)
        ask(karl, "PASSWD", "a word for a start", "another word")


def beside_money(bank):
    """Orders and letters as they are shown."""
    with bank.wire("till") as till:
        orders = [fields(row) for row in ask(till, "ORDERS", "ALL")]
        items = [fields(row) for row in ask(till, "ITEMS")]
    letters = {}
    for who in ("alice", "bob"):
        password = "another word" if who == "bob" else bank.passwords[who]
        with bank.wire(who, password=password) as wire:
            letters[who] = [fields(ask(wire, "READ", fields(row)["number"]))
                            for row in ask(wire, "INBOX")]
    return {"items": items, "orders": orders, "letters": letters}


def facts_of(bank, balances):
    shown = beside_money(bank)
    said = bank.check()
    return {**shown, "digest": re.search(r"^digest\s+(\w+)", said, re.M).group(1),
            "entries": int(re.search(r"^entries\s+(\d+)", said, re.M).group(1)),
            "balances": balances,
            "passwords": {"bob": "another word",
                          **{who: bank.passwords[who] for who in ("alice", "till", "admin")}}}


def make_journal(name):
    with Bank(settings=BOUNDS) as bank:
        formats.keep(bank.path("data"), name, facts_of(bank, live(bank)))


def shorten(data, size):
    """Lays the first segment of a bank that never ran out again in one of the least size, so that
    little fills it. Places stay as they are; the chain, and so the checkpoint, do not."""
    first, last = journal.batches(data)[0], journal.batches(data)[-1]
    assert first.path == last.path and last.end < size
    with open(first.path, "rb") as file:
        content = bytearray(file.read(size))
    chain = bytes(32)
    for batch in journal.batches(data):
        hashed = batch.offset + batch.size - 32
        content[batch.offset + 84:batch.offset + 88] = size.to_bytes(4, "little")
        content[batch.offset + 96:batch.offset + 128] = chain
        chain = hashlib.sha256(content[batch.offset:hashed]).digest()
        content[hashed:hashed + 32] = chain
    with open(first.path, "wb") as file:
        file.write(content)
    for name in os.listdir(data):
        if name.startswith("checkpoint."):
            shutil.rmtree(os.path.join(data, name))
    for name in ("current", "passwd", "balance"):
        os.remove(os.path.join(data, name))


def make_archived(name):
    kib = 512  # The least.
    with Bank(start=False, settings=(f"server.segment-size-kib={kib}", *BOUNDS)) as bank:
        shorten(bank.path("data"), kib * 1024)
        bank.start()
        balances = live(bank)
        with bank.wire("till") as till, bank.wire("admin") as admin:
            while newest(bank) == 1:
                ask(till, "DEPOSIT", "+", "0.01", "bob")
            for _ in range(2):
                ask(till, "DEPOSIT", "+", "0.01", "bob")
                ask(admin, "CHECKPOINT")
            balances["bob"] = ask(till, "BALANCE", "bob").decode()
        facts = facts_of(bank, balances)
        attic = os.path.join(bank.folder, "attic")
        bank.pennyctl("archive", bank.home, "--before", "2399-01-01", attic)
        formats.keep(bank.path("data"), name, facts, attic)


def make_backup(name):
    with Bank(settings=BOUNDS) as bank:
        facts = facts_of(bank, live(bank))
        file = os.path.join(bank.folder, "bank.tar")
        bank.pennyctl("backup", bank.home, file, "--no-keys")
        formats.keep_facts(name, facts)
        formats.pack(file, formats.path(name, "backup.text"))


def make_receipt(name):
    with Bank() as bank, bank.wire("alice") as alice:
        words = {"receipt-1": ("TRANSFER", "t-1", "bob", "1.50", "MEMO",
                               "zwei Brezn: gr\u00fc\u00df dich"),
                 "receipt-2": ("ORDER", "o-1", "mate", 2)}
        paid = ask(alice, *words[name])
        text = ask(alice, "RECEIPT", fields(paid)["entry"])
        certificate = bank.path("certs", "server.crt")
        file = os.path.join(bank.folder, "receipt")
        with open(file, "wb") as out:
            out.write(text)
        said = bank.pennyctl("receipt", "verify", file, "--cert", certificate).stdout
        formats.keep_facts(name, {"said": said})
        shutil.copy(file, formats.path(name, "receipt"))
        shutil.copy(certificate, formats.path(name, "server.crt"))


MAKERS = {"journal": make_journal, "archived": make_archived, "backup": make_backup,
          "receipt": make_receipt}

if __name__ == "__main__":
    make = MAKERS.get(sys.argv[1].rpartition("-")[0]) if len(sys.argv) == 2 else None
    if make is None or socket.gethostname() != "bank":
        sys.exit(__doc__)
    make(sys.argv[1])

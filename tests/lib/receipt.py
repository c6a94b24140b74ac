"""receipt.py - receipts as service/receipt.h has them, read and signed without the server's code.

`sign` makes what only the server should make, with its key and the openssl program: a receipt of
a book that this one never was.
"""

import base64
import hashlib
import os
import ssl
import subprocess
import tempfile

import journal

FIRST = "Pennybank receipt 1"
FIRST_OF_ORDER = "Pennybank receipt 2"
NAMES = ["bank", "entry", "time", "batch", "chain", "operation", "account", "other", "amount",
         "balance", "hold", "reversed", "order", "item", "quantity", "id", "memo", "certificate",
         "signature"]
OPTIONAL = {"hold", "reversed", "order", "item", "quantity", "id", "memo"}


def fields(text):
    """The lines of a receipt by name, checked for order."""
    lines = text.split("\n")
    is_of_order = any(line.startswith("order: ") for line in lines)
    assert lines[0] == (FIRST_OF_ORDER if is_of_order else FIRST), lines[0]
    assert lines[-1] == "", "the last line has no end"
    found = dict(line.split(": ", 1) for line in lines[1:-1])
    assert len(found) == len(lines) - 2, "a line stands twice"
    wanted = [name for name in NAMES if name in found or name not in OPTIONAL]
    assert list(found) == wanted, list(found)
    return found


def body(found):
    """What is signed of these fields."""
    lines = [FIRST_OF_ORDER if "order" in found else FIRST] + [f"{name}: {found[name]}" for name in NAMES
                       if name in found and name != "signature"]
    return "\n".join(lines) + "\n"


def sign(found, key, digest=("-sha256",)):
    """The whole text of these fields, signed with the key of that file."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("PENNY_TMP")) as folder:
        path = os.path.join(folder, "text")
        with open(path, "w", encoding="ascii") as out:
            out.write(body(found))
        made = subprocess.run(["openssl", "dgst", *digest, "-sign", key, path], check=True,
                              timeout=60, stdout=subprocess.PIPE).stdout
    return body(found) + f"signature: {base64.b64encode(made).decode()}\n"


def changed(text, key, **fields_wanted):
    """The same receipt with other fields, signed with the key of that file."""
    return sign({**fields(text), **fields_wanted}, key)


def openssl_verifies(text, certificate):
    """Whether the openssl program finds the signature of a receipt good."""
    found = fields(text)
    with tempfile.TemporaryDirectory(dir=os.environ.get("PENNY_TMP")) as folder:
        paths = [os.path.join(folder, name) for name in ("text", "signature", "key")]
        key = subprocess.run(["openssl", "x509", "-in", certificate, "-noout", "-pubkey"],
                             check=True, timeout=60, stdout=subprocess.PIPE).stdout
        contents = [body(found).encode(), base64.b64decode(found["signature"], validate=True), key]
        for path, content in zip(paths, contents):
            with open(path, "wb") as out:
                out.write(content)
        done = subprocess.run(["openssl", "dgst", "-sha256", "-verify", paths[2], "-signature",
                               paths[1], paths[0]], check=False, timeout=60,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return done.returncode == 0


def fingerprint(certificate):
    """The SHA-256 of a certificate's DER form."""
    with open(certificate, encoding="ascii") as text:
        pem = text.read()
    end = "-----END CERTIFICATE-----"
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem[:pem.index(end) + len(end)])).hexdigest()


def expected(bank, wire, account, entry, number, certificate=None):
    """The fields that a receipt must have, from STATEMENT and from the bytes of the journal. A
    statement shows no ids, so `number` is the one that was sent."""
    rows = wire.ask("STATEMENT", account, "COUNT", 1, "BEFORE", entry + 1)
    row = {name.decode(): value for name, value in zip(rows[0][::2], rows[0][1::2])}
    assert row["entry"] == entry, row
    batches = journal.batches(bank.path("data"))
    batch = [b for b in batches if b.entry_first <= entry < b.entry_first + b.entry_count][0]
    with open(batch.path, "rb") as segment:
        segment.seek(batch.offset + 16)
        found = {"bank": segment.read(16).hex()}
    found.update(entry=str(entry), time=row["time"].decode(), batch=str(batch.seq),
                 chain=batch.hash.hex(), operation=row["operation"].decode(), account=account,
                 other=row["account"].decode(), amount=row["amount"].decode() + " EUR",
                 balance=row["balance"].decode() + " EUR", id=escaped(number.encode()))
    if row["memo"]:
        found["memo"] = escaped(row["memo"])
    if "hold" in row:
        found["hold"] = str(row["hold"])
    if "reversed" in row:
        found["reversed"] = str(row["reversed"])
    found["certificate"] = fingerprint(certificate or bank.path("certs", "server.crt"))
    return {name: found[name] for name in NAMES if name in found}


def escaped(content):
    plain = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:@/+=,$-"
    return "".join(chr(byte) if byte in plain else f"%{byte:02x}" for byte in content)

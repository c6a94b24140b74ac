"""formats.py - what earlier programs wrote, kept as text in tests/formats, and back to files.

A journal is mostly zeros, so of each segment only the lines of bytes that are not zero are kept, as
`OFFSET BASE64`; tables and manifests are text already. One folder for each version of a format,
named KIND-VERSION:

    tests/formats/journal-N/about            what is in it: digest, passwords, balances
                            journal/N.text   `size BYTES`, then the lines
                            checkpoint.N/    as they were
    tests/formats/archived-N/                the same of a bank of which segments were archived, and
                            journal/ARCHIVED
                            attic/N.text     the archive
    tests/formats/backup-N/about
                           backup.text       of a backup without keys, as of a segment
    tests/formats/receipt-N/about            what is told about it
                            receipt
                            server.crt       the certificate that it verifies against
"""

import base64
import json
import os
import shutil

ROOT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "formats")
LINE = 64  # bytes


KINDS = ("archived", "backup", "journal", "receipt")


def names(kind):
    found = [name for name in os.listdir(ROOT) if os.path.isdir(os.path.join(ROOT, name))]
    assert all(name.rpartition("-")[0] in KINDS for name in found), found
    return sorted(name for name in found if name.rpartition("-")[0] == kind)


def path(name, *parts):
    return os.path.join(ROOT, name, *parts)


def about(name):
    with open(os.path.join(ROOT, name, "about"), encoding="utf-8") as text:
        return json.load(text)


def pack(source, target):
    with open(source, "rb") as file:
        content = file.read()
    with open(target, "w", encoding="ascii") as text:
        text.write(f"size {len(content)}\n")
        for offset in range(0, len(content), LINE):
            line = content[offset:offset + LINE].rstrip(b"\0")
            if line:
                text.write(f"{offset} {base64.b64encode(line).decode()}\n")


def unpack(source, target):
    with open(source, encoding="ascii") as text:
        size = int(text.readline().split()[1])
        with open(target, "wb") as file:
            file.write(bytes(size))
            for line in text:
                offset, content = line.split()
                file.seek(int(offset))
                file.write(base64.b64decode(content))
    os.chmod(target, 0o600)


def keep_facts(name, facts):
    """Begins a folder. What is there goes away."""
    shutil.rmtree(path(name), ignore_errors=True)
    os.makedirs(path(name))
    with open(path(name, "about"), "w", encoding="utf-8") as text:
        json.dump(facts, text, indent=2, sort_keys=True)
        text.write("\n")


def _keep_segments(folder, kept):
    os.makedirs(kept)
    for segment in sorted(os.listdir(folder)):
        if segment.endswith(".journal"):
            pack(os.path.join(folder, segment),
                 os.path.join(kept, segment[:-len("journal")] + "text"))


def keep(data, name, facts, attic=None):
    """Keeps the data folder of a bank that stopped in order, and the archive of it."""
    folder = path(name)
    keep_facts(name, dict(facts, current=os.readlink(os.path.join(data, "current"))))
    _keep_segments(os.path.join(data, "journal"), os.path.join(folder, "journal"))
    if attic is not None:
        _keep_segments(attic, os.path.join(folder, "attic"))
        shutil.copy(os.path.join(data, "journal", "ARCHIVED"), os.path.join(folder, "journal"))
    for checkpoint in os.listdir(data):
        if checkpoint.startswith("checkpoint."):
            shutil.copytree(os.path.join(data, checkpoint), os.path.join(folder, checkpoint))


def _lay_out_segments(kept, folder):
    os.makedirs(folder, mode=0o700)
    for segment in os.listdir(kept):
        if segment.endswith(".text"):
            unpack(os.path.join(kept, segment),
                   os.path.join(folder, segment[:-len("text")] + "journal"))


def lay_out(name, data, attic=None):
    """Makes the data folder again, and the archive. Whatever is there goes away."""
    shutil.rmtree(data, ignore_errors=True)
    os.makedirs(data, mode=0o700)
    folder = path(name)
    _lay_out_segments(os.path.join(folder, "journal"), os.path.join(data, "journal"))
    if attic is not None:
        _lay_out_segments(os.path.join(folder, "attic"), attic)
        shutil.copy(os.path.join(folder, "journal", "ARCHIVED"), os.path.join(data, "journal"))
        os.chmod(os.path.join(data, "journal", "ARCHIVED"), 0o600)
    for checkpoint in os.listdir(folder):
        if not checkpoint.startswith("checkpoint."):
            continue
        shutil.copytree(os.path.join(folder, checkpoint), os.path.join(data, checkpoint))
        os.chmod(os.path.join(data, checkpoint), 0o700)
        for table in os.listdir(os.path.join(data, checkpoint)):
            os.chmod(os.path.join(data, checkpoint, table), 0o600)
    os.symlink(about(name)["current"], os.path.join(data, "current"))
    for table in ("passwd", "balance"):
        os.symlink(f"current/{table}", os.path.join(data, table))

"""formats.py - small banks of earlier days, kept as text in tests/formats, and back to folders.

A journal is mostly zeros, so of each segment only the lines of bytes that are not zero are kept, as
`OFFSET BASE64`; tables and manifests are text already. One folder for each version of a format:

    tests/formats/NAME/about            what is in it: digest, passwords, balances
    tests/formats/NAME/journal/N.text   `size BYTES`, then the lines
    tests/formats/NAME/checkpoint.N/    as they were
    tests/formats/NAME/backup.text      as a segment's; where there was one
"""

import base64
import json
import os
import shutil

ROOT = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "formats")
LINE = 64  # bytes


def names():
    return sorted(name for name in os.listdir(ROOT) if os.path.isdir(os.path.join(ROOT, name)))


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


def keep(data, name, facts):
    """Keeps the data folder of a bank that stopped in order."""
    folder = os.path.join(ROOT, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(folder, "journal"))
    for segment in sorted(os.listdir(os.path.join(data, "journal"))):
        if segment.endswith(".journal"):
            source = os.path.join(data, "journal", segment)
            pack(source, os.path.join(folder, "journal", segment[:-len("journal")] + "text"))
    for checkpoint in os.listdir(data):
        if checkpoint.startswith("checkpoint."):
            shutil.copytree(os.path.join(data, checkpoint), os.path.join(folder, checkpoint))
    facts = dict(facts, current=os.readlink(os.path.join(data, "current")))
    with open(os.path.join(folder, "about"), "w", encoding="utf-8") as text:
        json.dump(facts, text, indent=2, sort_keys=True)
        text.write("\n")


def lay_out(name, data):
    """Makes the data folder again. Whatever is there goes away."""
    shutil.rmtree(data, ignore_errors=True)
    os.makedirs(os.path.join(data, "journal"), mode=0o700)
    os.chmod(data, 0o700)
    folder = os.path.join(ROOT, name)
    for segment in os.listdir(os.path.join(folder, "journal")):
        unpack(os.path.join(folder, "journal", segment),
               os.path.join(data, "journal", segment[:-len("text")] + "journal"))
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

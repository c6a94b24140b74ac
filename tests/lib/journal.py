"""journal.py - reads the batches of a journal as batch.h has them, for tests that damage it."""

import hashlib
import os
import struct
from collections import namedtuple

BLOCK = 4096
HEADER = struct.Struct("<8sII16sQIIQQIIQII8s32s")
FLAG_CLOSING = 1

# `size` is without the padding; `end` is where the next batch may begin.
Batch = namedtuple("Batch", "path segment offset seq entry_first entry_count closing size end "
                            "previous hash")


def segments(data):
    folder = os.path.join(data, "journal")
    return sorted(os.path.join(folder, name) for name in os.listdir(folder)
                  if name.endswith(".journal"))


def batches(data):
    """Every sound batch of the journal, in order. Checks hashes, the chain and the padding."""
    found = []
    for path in segments(data):
        with open(path, "rb") as segment:
            content = segment.read()
        offset = 0
        while content[offset:offset + 8] == b"PNYBATCH":
            found.append(_batch(path, content, offset))
            offset = found[-1].end
    for before, after in zip(found, found[1:]):
        assert after.seq == before.seq + 1, (before, after)
        assert after.entry_first == before.entry_first + before.entry_count, (before, after)
        assert after.previous == before.hash, (before, after)
    return found


def _batch(path, content, offset):
    (_, version, header_size, _, _, segment, place, seq, entry_first, entry_count, entries_size, _,
     flags, segment_size, spare, previous) = HEADER.unpack_from(content, offset)
    assert (version, header_size, place) == (1, HEADER.size, offset), (path, offset)
    assert (segment_size, spare) == (len(content), bytes(8)), (path, offset)
    hashed = header_size + entries_size
    digest = content[offset + hashed:offset + hashed + 32]
    assert hashlib.sha256(content[offset:offset + hashed]).digest() == digest, (path, offset)
    size = hashed + 32
    end = offset + (size + BLOCK - 1) // BLOCK * BLOCK
    assert not any(content[offset + size:end]), f"padding of the batch at {offset} in {path}"
    return Batch(path, segment, offset, seq, entry_first, entry_count,
                 bool(flags & FLAG_CLOSING), size, end, previous, digest)


def flip(path, offset, bit=0):
    """Changes one bit of a file."""
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1 << bit]))


def zero(path, start, end):
    with open(path, "r+b") as file:
        file.seek(start)
        file.write(b"\0" * (end - start))

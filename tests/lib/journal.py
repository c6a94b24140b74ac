"""journal.py - reads and writes the batches of a journal as batch.h has them, for tests that damage
it, and for those that need more of it than clients would write in time."""

import hashlib
import os
import struct
from collections import namedtuple

import entries

BLOCK = 4096
BATCH_MAX = 32 * BLOCK
HEADER = struct.Struct("<8sII16sQIIQQIIQII8s32s")
FLAG_CLOSING = 1

# `size` is without the padding; `end` is where the next batch may begin.
Batch = namedtuple("Batch", "path segment offset seq entry_first entry_count time_ms closing size "
                            "end previous hash")


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
    (_, version, header_size, _, _, segment, place, seq, entry_first, entry_count, entries_size,
     time_ms, flags, segment_size, spare, previous) = HEADER.unpack_from(content, offset)
    assert (version, header_size, place) == (1, HEADER.size, offset), (path, offset)
    assert (segment_size, spare) == (len(content), bytes(8)), (path, offset)
    hashed = header_size + entries_size
    digest = content[offset + hashed:offset + hashed + 32]
    assert hashlib.sha256(content[offset:offset + hashed]).digest() == digest, (path, offset)
    size = hashed + 32
    end = offset + (size + BLOCK - 1) // BLOCK * BLOCK
    assert not any(content[offset + size:end]), f"padding of the batch at {offset} in {path}"
    return Batch(path, segment, offset, seq, entry_first, entry_count, time_ms,
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


class Journal:
    """Goes on behind the last batch of a journal whose server does not run, as log.h would: entries
    are given in the order of time, each as a function of its sequence, time and position.

        with journal.Journal(data) as more:
            more.batch(makers)
    """

    def __init__(self, data, segment_size=None):
        self.data = data
        last = batches(data)[-1]
        with open(last.path, "rb") as file:
            self.content = bytearray(file.read())
        header = HEADER.unpack_from(self.content, last.offset)
        self.bank, self.salt, self.time_ms = header[3], header[4], header[11]
        self.path, self.segment, self.offset = last.path, last.segment, last.end
        self.seq, self.chain = last.seq, last.hash
        self.entry = last.entry_first + last.entry_count - 1
        self.segment_size = segment_size or len(self.content)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._write()

    def _write(self):
        with open(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(self.content)

    def _roll(self):
        self._write()
        self.segment += 1
        self.path = os.path.join(self.data, "journal", f"{self.segment:08}.journal")
        self.content = bytearray(self.segment_size)
        self.offset, self.salt = 0, self.segment

    def batch(self, makers, flags=0, time_ms=None):
        """One batch with the entries that these functions of (seq, time_ms, position) give, each
        framed. Returns where it begins."""
        if len(self.content) - self.offset < BATCH_MAX:
            self._roll()
        self.time_ms = time_ms or self.time_ms
        start, place = self.offset, (self.segment << 32) + self.offset + HEADER.size
        entries, size = [], 0
        first = self.entry + 1
        for make in makers:
            self.entry += 1
            entries.append(make(self.entry, self.time_ms, place + size))
            size += len(entries[-1])
        self.seq += 1
        head = HEADER.pack(b"PNYBATCH", 1, HEADER.size, self.bank, self.salt, self.segment,
                           self.offset, self.seq, first, len(entries), size, self.time_ms, flags,
                           len(self.content), bytes(8), self.chain)
        hashed = head + b"".join(entries)
        self.chain = hashlib.sha256(hashed).digest()
        assert len(hashed) + 32 <= BATCH_MAX, "a batch is too long"
        self.content[start:start + len(hashed) + 32] = hashed + self.chain
        self.offset += (len(hashed) + 32 + BLOCK - 1) // BLOCK * BLOCK
        return start


def accounts(data):
    """The rows of the table of balances as {name: (row, minor, position)}, for amounts with two
    decimals."""
    found = {}
    with open(os.path.join(data, "balance"), "r", encoding="utf-8") as table:
        for row, line in enumerate(table):
            name, balance, *_, last = line.strip().split(":")
            segment, offset = last.split(".")
            found[name] = (row, int(balance.replace(".", "")), (int(segment) << 32) + int(offset))
    return found


def fullest(memo=b""):
    """How many of the deposits below fill a batch."""
    one = entries.framed(entries.movement(entries.DEPOSIT, 0, 0, 1, b"%08x" % 1, memo))
    return (BATCH_MAX - HEADER.size - 32) // len(one)


def deposits(data, name, count, per_batch=1024, memo=b"", segment_size=None):
    """Writes `count` deposits of a cent each behind a journal whose newest checkpoint is its end.
    Gives the number of entries and the batches' offsets in their segments."""
    rows = accounts(data)
    debit, given, debit_last = rows["cash"]
    credit, taken, credit_last = rows[name]
    last = [given, debit_last, taken, credit_last]

    def make(seq, time_ms, position):
        body = entries.movement(entries.DEPOSIT, debit, credit, 1, b"%08x" % seq, memo,
                                debit_after=last[0] - 1, credit_after=last[2] + 1,
                                debit_previous=last[1], credit_previous=last[3], seq=seq,
                                time_ms=time_ms)
        last[:] = last[0] - 1, position, last[2] + 1, position
        return entries.framed(body)

    offsets = []
    with Journal(data, segment_size) as more:
        for start in range(0, count, per_batch):
            offsets.append(more.batch([make] * min(per_batch, count - start)))
        # One that a server made ahead would be another's now.
        for path in segments(data):
            if path > more.path:
                os.unlink(path)
        return more.entry, offsets

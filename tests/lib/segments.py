"""segments.py - fills segments of a running bank's journal, for tests that need more than one."""


import journal
from resp import Error, command

TURNS_MAX = 4000


def newest(bank):
    """The number of the segment that batches go to."""
    return len([path for path in journal.segments(bank.path("data")) if _is_used(path)])


def _is_used(path):
    with open(path, "rb") as file:
        return file.read(8) == b"PNYBATCH"


def fill_segment(bank, prefix="fill", to="till"):
    """Deposits a cent at a time until batches go to the next segment. `to` gets the money. Every
    deposit is acknowledged, and many wait at once, so that batches are long."""
    before = newest(bank)
    wires = [bank.wire("till") for _ in range(4)]
    try:
        for turn in range(TURNS_MAX):
            for number, wire in enumerate(wires):
                wire.send(b"".join(
                    command("DEPOSIT", f"{prefix}-{before}-{turn}-{number}-{i}", "0.01", to)
                    for i in range(32)))
            for wire in wires:
                for _ in range(32):
                    reply = wire.reply()
                    assert not isinstance(reply, Error), reply.line
            if newest(bank) > before:
                return
    finally:
        for wire in wires:
            wire.close()
    raise AssertionError(f"segment {before} was never full")

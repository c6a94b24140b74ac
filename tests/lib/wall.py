"""wall.py - what tests of bad input ask of a server: who is there, and why the others are not."""

import re

from resp import wait_until


def connected(bank, name="admin"):
    """How many sessions the server counts beside the one that asks."""
    with bank.wire(name) as wire:
        info = wire.ask("INFO", "clients").decode()
    return int(re.search(r"connected_clients:(\d+)", info).group(1)) - 1


def wait_until_alone(bank, name="admin"):
    wait_until("all sessions are gone", lambda: connected(bank, name) == 0)


def ended_because(bank, local):
    """What the log says about the end of the session from this address; None before."""
    found = re.search(rf"ended session \d+ from {re.escape(local)} .*because (.*)", bank.log())
    return found and found.group(1)


def why_ended(bank, local):
    return wait_until(f"the session from {local} is ended",
                      lambda: ended_because(bank, local))

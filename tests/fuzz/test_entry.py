"""Entries into a small ledger against E1, M1, M2, M4 and T2."""

import fuzzing


class Entry(fuzzing.Target):
    name = "entry"

"""Segments that are walked, installed and written on, against J, K, M and T2."""

import fuzzing


class Journal(fuzzing.Target):
    name = "journal"

"""Checkpoints against T2 and T3."""

import fuzzing


class Tables(fuzzing.Target):
    name = "tables"

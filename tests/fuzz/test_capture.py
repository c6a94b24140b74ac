"""Recordings of packets against C1 to C3."""

import fuzzing


class Capture(fuzzing.Target):
    name = "capture"

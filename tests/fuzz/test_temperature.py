"""Readings of a temperature against C1."""

import fuzzing


class Temperature(fuzzing.Target):
    name = "temperature"
    size_max = 512

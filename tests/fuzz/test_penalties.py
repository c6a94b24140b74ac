"""The text of data/penalties against G7."""

import fuzzing


class Penalties(fuzzing.Target):
    name = "penalties"
    size_max = 1024

"""Certificate requests, codes, their files and the register, against what their headers promise."""

import fuzzing


class Enrol(fuzzing.Target):
    name = "enrol"

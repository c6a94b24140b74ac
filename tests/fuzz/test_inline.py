"""Commands in one line against Q1 to Q4 of request.h."""

import fuzzing


class Inline(fuzzing.Target):
    name = "inline"
    size_max = 1200

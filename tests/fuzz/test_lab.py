"""The laboratory's channels against C3, K3 and K4, whatever the peer sends, and how it is cut."""

import fuzzing


class Lab(fuzzing.Target):
    name = "lab"
    size_max = 8192

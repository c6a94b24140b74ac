"""Keys, signatures, envelopes and messages against H4, H5, H6 and L2."""

import fuzzing


class Jose(fuzzing.Target):
    name = "jose"

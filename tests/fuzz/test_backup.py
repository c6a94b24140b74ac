"""The texts of a backup and of an archive against L1, Y1, Y2, A1 and A2."""

import fuzzing


class Backup(fuzzing.Target):
    name = "backup"

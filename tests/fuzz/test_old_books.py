"""The files of an older bank against O1 to O3."""

import fuzzing


class OldBooks(fuzzing.Target):
    name = "old_books"

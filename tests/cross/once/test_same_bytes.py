"""Two builds of one commit are the same bytes, wherever they are made and whoever makes them."""

import os
import unittest

from bank import ROOT, program
from copy_build import CopyBuild


class SameBytes(unittest.TestCase):
    def test_another_folder_gives_the_same_server(self):
        copy = CopyBuild(self)
        os.makedirs(copy.path("build", "deps"))
        os.symlink(os.path.join(ROOT, "build", "deps", "musl"), copy.path("build", "deps", "musl"))
        copy.make("BOARD=armv6", "build/armv6/pennyd")
        with open(program("armv6/pennyd"), "rb") as one, \
                open(copy.path("build", "armv6", "pennyd"), "rb") as other:
            self.assertTrue(one.read() == other.read(), "the two programs differ")

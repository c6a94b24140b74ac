"""A tool chain and sources of one's own, as Buildroot and Yocto bring them: nothing is installed
and nothing is fetched."""

import os
import subprocess
import unittest

from bank import run
from copy_build import CopyBuild

NEVER = ("apt-get", "apt-cache", "apt-config", "apt", "dpkg", "dpkg-deb", "sudo")


class OwnTools(unittest.TestCase):
    def test_a_named_tool_chain_builds_without_the_package_client(self):
        copy = CopyBuild(self)
        tools, called = copy.path("never"), copy.path("called")
        os.mkdir(tools)
        for name in NEVER:
            with open(os.path.join(tools, name), "w", encoding="utf-8") as script:
                script.write(f'#!/bin/sh\necho "$0 $*" >>"{called}"\nexit 1\n')
            os.chmod(os.path.join(tools, name), 0o755)
        machine = subprocess.run(["gcc", "-dumpmachine"], check=True, text=True,
                                 stdout=subprocess.PIPE).stdout.strip()
        board = {"x86_64": "x86_64", "aarch64": "aarch64"}[machine.split("-")[0]]
        made = f"build/{board}-sysroot/penny"
        copy.make(f"BOARD={board}", f"CROSS={machine}-", "SYSROOT=/", "CFLAGS=-O1", made,
                  path=tools + os.pathsep + os.environ["PATH"])
        self.assertFalse(os.path.exists(called), "the package client was asked")
        self.assertRegex(run([copy.path(made), "--version"]).stdout, r"^penny \S")
        self.assertNotIn("INTERP", run(["readelf", "-lW", copy.path(made)]).stdout)

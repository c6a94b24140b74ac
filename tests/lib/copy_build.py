"""copy_build.py - a build of a copy of the checkout, in another folder whose name has a blank."""

import os
import re
import shutil
import subprocess
import tempfile

from bank import ROOT, program

SECONDS_MAX = 170  # for one build
LIBRARIES = ("mbedtls", "libuv", "argon2", "inih")


class CopyBuild:
    def __init__(self, test):
        self.folder = tempfile.mkdtemp(prefix="a build ", dir=os.environ.get("PENNY_TMP"))
        test.addCleanup(shutil.rmtree, self.folder)
        for name in ("certs", "port", "src", "tools"):
            shutil.copytree(os.path.join(ROOT, name), os.path.join(self.folder, name))
        shutil.copy(os.path.join(ROOT, "Makefile"), self.folder)
        # A copy knows its commit only from what it is told, as one from a tarball does.
        with open(program("gen/version.h"), encoding="utf-8") as text:
            version, self.time = re.search(r'"(.*)"\n.* (\d+)LL', text.read()).groups()
        with open(os.path.join(self.folder, "VERSION"), "w", encoding="utf-8") as out:
            out.write(version + "\n")

    def make(self, *words, path=os.environ["PATH"]):
        """Runs make with the sources of the libraries named; gives what it printed."""
        env = {key: value for key, value in os.environ.items()
               if key not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
        env.update(CCACHE_DISABLE="1", SOURCE_DATE_EPOCH=self.time, GIT_DIR=os.devnull, PATH=path)
        for name in LIBRARIES:
            env[name.upper() + "_SRC"] = os.path.join(ROOT, "build", "deps", name)
        done = subprocess.run(["make", *words], cwd=self.folder, env=env, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=SECONDS_MAX, check=False)
        if done.returncode != 0:
            raise AssertionError(f"make {' '.join(words)} failed\n{done.stdout[-3000:]}")
        return done.stdout

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

"""The simulator finds what it should: each bug of tests/sim/planted, put into the server as a patch,
makes it fail within the number of runs or images that the patch names in its first line.

A few of them in each check, all with PENNY_PLANTED=all (make sim-planted). Only the files that a
patch touches are compiled; the rest of the program is the one that was built.
"""

import os
import re
import shutil
import subprocess
import unittest

ROOT = os.environ["PENNY_ROOT"]
BUILD = os.environ["PENNY_BUILD"]
FOLDER = os.path.join(ROOT, "tests", "sim", "planted")
PATCHES = sorted(name[:-6] for name in os.listdir(FOLDER) if name.endswith(".patch"))
# One of each kind: durability, recovery, checkpoint, money, ids.
FEW = ("01-acknowledged-before-sync", "08-torn-tail-not-zeroed", "13-refusals-lost-at-checkpoint",
       "19-ceiling-off-by-one", "25-an-id-in-flight-is-new")
SECONDS_MAX = 900


def patch_text(name):
    with open(os.path.join(FOLDER, name + ".patch"), encoding="utf-8") as text:
        return text.read()


def plant(name):
    """The program with the bug in it."""
    text = patch_text(name)
    folder = os.path.join(BUILD, "sim-planted", name)
    shutil.rmtree(folder, ignore_errors=True)
    for path in re.findall(r"^\+\+\+ b/(\S+)", text, re.MULTILINE):
        os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
        shutil.copy(os.path.join(ROOT, path), os.path.join(folder, path))
    patched = subprocess.run(["patch", "--strip=1", "--fuzz=0", "--no-backup-if-mismatch"],
                             cwd=folder, input=text, capture_output=True, text=True, check=False)
    if patched.returncode != 0:
        raise AssertionError(f"{name}.patch no longer applies:\n{patched.stdout}{patched.stderr}")
    build = os.path.relpath(BUILD, ROOT)
    target = os.path.join(build, "sim-planted", name, "sim")
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS")}
    made = subprocess.run(["make", f"BUILD={build}", f"PLANT={name}", target], cwd=ROOT, env=env,
                          capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise AssertionError(f"{name} does not compile:\n{made.stdout}{made.stderr}")
    return os.path.join(ROOT, target)


class Planted(unittest.TestCase):
    def judge(self, name):
        words = re.match(r"found by: sim (.*)\n", patch_text(name)).group(1).split()
        done = subprocess.run([plant(name), *words], capture_output=True, text=True, check=False,
                              errors="replace", timeout=SECONDS_MAX)
        self.assertNotIn(done.returncode, (0, 2, 127), f"{name} was not found by {' '.join(words)}")
        said = re.search(r"FAILED: .*", done.stdout)
        if said is None:
            self.assertLess(done.returncode, 0, f"{name}: {done.stdout[-500:]}{done.stderr[-500:]}")
        why = said.group(0)[8:] if said else (done.stderr.strip() or "it crashed").splitlines()[-1]
        print(f"{name}: {why[:200]}")

    def test_there_are_enough_of_them(self):
        self.assertGreaterEqual(len(PATCHES), 25)
        for name in FEW:
            self.assertIn(name, PATCHES)


def add_test(name):
    def test(self):
        self.judge(name)
    setattr(Planted, "test_finds_" + re.sub(r"\W", "_", name), test)


for each in PATCHES if os.environ.get("PENNY_PLANTED") == "all" else FEW:
    add_test(each)

if __name__ == "__main__":
    unittest.main()

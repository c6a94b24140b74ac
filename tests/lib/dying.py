"""dying.py - runs a program that is killed, or whose disk is full, at each of its writes in turn.

    with Dying() as dying:
        for call in dying.each(argv, before=clean):   # killed at write 1, 2, 3 ...
            ...                                       # what is on the disk now
    # each() ends when the program came to its end by itself

What counts as a write is in die_at.c: writes, syncs, names made, changed and removed.
"""

import os
import signal
import subprocess
import tempfile

from bank import SECONDS_MAX, library, preloading

CALLS_MAX = 3000


class Dying:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(dir=os.environ.get("PENNY_TMP"))
        self.library = library(self.folder.name, "die_at")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def _run(self, argv, name, call, options):
        env = dict(preloading(self.library), **{name: str(call)})
        return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=SECONDS_MAX,
                              check=False, stdin=subprocess.DEVNULL, **options)

    def each(self, argv, before=None, step=1, **options):
        """Yields (call, program) after each kill; the last run is one that was not killed."""
        for call in range(1, CALLS_MAX, step):
            if before is not None:
                before()
            done = self._run(argv, "DIE_AT", call, options)
            yield call, done
            if done.returncode != -signal.SIGKILL:
                assert done.returncode == 0, done.stderr
                assert call > 5, "the program wrote nothing"
                return
        raise AssertionError(f"{argv} did not end within {CALLS_MAX} writes")

    def each_full(self, argv, before=None, step=1, **options):
        """The same for a disk that has no room from that call on."""
        for call in range(1, CALLS_MAX, step):
            if before is not None:
                before()
            done = self._run(argv, "FAIL_AT", call, options)
            yield call, done
            if done.returncode == 0:
                assert call > 5, "the program wrote nothing"
                return
        raise AssertionError(f"{argv} did not end within {CALLS_MAX} writes")

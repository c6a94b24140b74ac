"""terminal.py - a person at a pseudo-terminal with penny behind it; see PennyTest.at_terminal."""

import os
import select
import signal
import time

from standin import SECONDS_MAX


def converse(test, at, steps, code=0):
    """Answers each question when it is there. `at` is what at_terminal gave; an answer may be a
    function that gives it. Returns all that the terminal showed."""
    child, terminal = at
    shown = b""
    seen = 0

    def more():
        ready, _, _ = select.select([terminal], [], [], SECONDS_MAX)
        if not ready:
            os.kill(child, signal.SIGKILL)
            test.fail(f"it waits after {shown!r}")
        return os.read(terminal, 1024)

    for question, answer in steps:
        while question not in shown[seen:]:
            shown += more()
        seen = shown.index(question, seen) + len(question)
        time.sleep(0.1)  # The question and the end of echo are not one step.
        os.write(terminal, (answer() if callable(answer) else answer) + b"\n")
    try:
        while True:
            shown += more()
    except OSError:
        pass  # the other end has gone
    _, status = os.waitpid(child, 0)
    os.close(terminal)
    test.assertEqual(os.waitstatus_to_exitcode(status), code, shown)
    return shown

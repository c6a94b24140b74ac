"""clock.py - a bank at times of the test's choice: the real programs under a clock that is set.

    with ClockBank("2026-03-28T12:00:00Z") as bank:     # made, and its server started, then
        bank.set_clock("2026-03-29T00:30:00Z")          # and now it is that late
        bank.wire("till").ask("DEPOSIT", "+", "1.00", "alice")

The clock stands still until it is set.
"""

import os
import ssl
import struct
import tempfile
from datetime import datetime

from bank import Bank, library, preloading

NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME: this process's own clock is the real one


def ms_of(moment):
    """Milliseconds since 1970 of a time such as 2026-03-29T00:30:00.250Z."""
    return round(datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp() * 1000)


class ClockBank(Bank):
    def __init__(self, moment, **options):
        self.clock_folder = tempfile.TemporaryDirectory(dir=os.environ.get("PENNY_TMP"))
        self.clock = os.path.join(self.clock_folder.name, "now")
        self.library = library(self.clock_folder.name, "set_clock")
        self.set_clock(moment)
        super().__init__(preload=self.library, **options)

    def set_clock(self, moment):
        # In place, since the programs have the file mapped.
        fd = os.open(self.clock, os.O_WRONLY | os.O_CREAT, 0o600)
        os.pwrite(fd, struct.pack("=Q", ms_of(moment)), 0)
        os.close(fd)

    def environment(self):
        return dict(preloading(self.library), SET_CLOCK=self.clock)

    def start(self, port=0, under=(), preload=None):
        os.environ["SET_CLOCK"] = self.clock
        try:
            super().start(port, under, preload or self.library)
        finally:
            del os.environ["SET_CLOCK"]

    def pennyctl(self, *words, **more):
        more.setdefault("env", self.environment())
        return super().pennyctl(*words, **more)

    def tls_context(self, terminal):
        context = super().tls_context(terminal)
        context.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
        return context

    def close(self):
        super().close()
        self.clock_folder.cleanup()

"""lab_process.py - pennyd --lab as a process: one channel of the laboratory, and no bank.

    lab = LabProcess("psk", folder, os.path.join(folder, "log"), "--passphrase-file", path)
    port = lab.start()                          # on a free port
    lab.stop(); lab.start(port); lab.kill()
"""

import os
import re
import signal
import subprocess

from bank import SECONDS_MAX, STOP_SECONDS_MAX, starting
from resp import wait_until


class LabProcess:
    """The process of one channel, while it runs; its log goes on from start to start."""

    def __init__(self, channel, folder, log_path, *options):
        self.channel = channel
        self.folder = folder  # where it is started
        self.log_path = log_path
        self.options = options
        self.process = None
        self.port = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def start(self, *more, port=0):
        """Waits until it is ready, and gives its port."""
        assert self.process is None, "it runs already"
        begin = len(self.log())
        argv = [*starting("pennyd"), "--lab", self.channel, "--port", str(port), *self.options,
                *more]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(argv, cwd=self.folder, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=subprocess.STDOUT)

        def ready():
            found = re.search(rf"^ready {self.channel} 127\.0\.0\.1:(\d+)$", self.log()[begin:],
                              re.M)
            if found is None and self.process.poll() is not None:
                raise AssertionError(f"{' '.join(argv)} exited with {self.process.returncode} "
                                     f"instead of being ready\n{self.log()[begin:]}")
            return found
        self.port = int(wait_until("pennyd is ready", ready, SECONDS_MAX).group(1))
        return self.port

    def stop(self, number=signal.SIGTERM):
        """Ends it in order, and expects it to say so by its exit code."""
        process, self.process = self.process, None
        process.send_signal(number)
        try:
            code = process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"pennyd was still there\n{self.log()}") from None
        finally:
            process.kill()
            process.wait()
        assert code == 0, f"pennyd exited with {code} after {number}\n{self.log()}"

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def close(self):
        """Those with a folder of their own remove it, too."""
        self.kill()

    def log(self):
        if not os.path.exists(self.log_path):
            return ""
        with open(self.log_path, encoding="utf-8", errors="replace") as text:
            return text.read()

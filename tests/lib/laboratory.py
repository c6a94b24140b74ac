"""laboratory.py - pennyd without a bank on one channel of the laboratory, and what penny needs there.

    with Laboratory("psk") as lab:              # pennyd --lab psk on a free port
        lab.client_options()                           # the words with which penny finds it
"""

import os
import shutil
import socket
import tempfile
import threading

from bank import SECONDS_MAX, run
from lab_process import LabProcess

CHANNELS = ("xor", "rsa", "hybrid", "dhe", "psk")
WITH_KEYS = ("rsa", "hybrid", "dhe")
PASSPHRASE = b"a shared secret!"
ALERT = 21
DATA = 16

# A client's key is made once for all tests, because it takes long.
CLIENT = """
set -e
printf '[req]\\ndistinguished_name=dn\\nprompt=no\\n[dn]\\nCN=penny\\n' >req.cnf
openssl req -x509 -config req.cnf -newkey rsa:2048 -nodes -sha256 -days 30 \\
    -keyout client.key -out client.crt 2>/dev/null
"""


class Laboratory(LabProcess):
    """One server, and a folder with the passphrase, a key for the client, and client.conf."""

    def __init__(self, channel, start=True):
        folder = tempfile.mkdtemp(prefix="lab-", dir=os.environ.get("PENNY_TMP"))
        super().__init__(channel, folder, os.path.join(folder, "pennyd.log"))
        try:
            conf = "[client]\n"
            if channel == "psk":
                with open(self.path("passphrase"), "wb") as file:
                    file.write(PASSPHRASE + b"\n")
                os.chmod(self.path("passphrase"), 0o600)
                conf += "passphrase-file = passphrase\n"
                self.options = ("--passphrase-file", self.path("passphrase"))
            if channel in WITH_KEYS:
                run(["sh", "-c", CLIENT], cwd=self.folder)
                conf += "lab-key = client.key\nlab-cert = client.crt\n"
            with open(self.path("client.conf"), "w", encoding="utf-8") as file:
                file.write(conf)
            if start:
                self.start()
        except BaseException:
            self.close()
            raise

    def path(self, name):
        return os.path.join(self.folder, name)

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def client_options(self, port=None):
        return ["--channel", self.channel, "-c", self.path("client.conf"),
                "-p", str(port or self.port)]


def messages(data):
    """The messages that these bytes begin with, and the bytes behind the last whole one."""
    found = []
    while len(data) >= 3 and len(data) >= 3 + int.from_bytes(data[1:3], "big"):
        size = 3 + int.from_bytes(data[1:3], "big")
        found.append(data[:size])
        data = data[size:]
    return found, data


class Between:
    """Stands between client and server and may alter what goes by. `alter(way, data)` is given
    whole messages, or on xor whatever came; `way` is "up" from the client or "down" to it."""

    def __init__(self, lab, alter):
        self.lab = lab
        self.alter = alter
        self.seen = {"up": b"", "down": b""}
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            client, _ = self.listener.accept()
        except OSError:
            return
        server = socket.create_connection(("127.0.0.1", self.lab.port), SECONDS_MAX)
        client.settimeout(SECONDS_MAX)
        with client, server:
            down = threading.Thread(target=self.copy, args=("down", server, client), daemon=True)
            down.start()
            self.copy("up", client, server)
            down.join(SECONDS_MAX)

    def copy(self, way, source, target):
        left = b""
        try:
            while True:
                data = source.recv(65536)
                self.seen[way] += data
                if not data:
                    break
                if self.lab.channel == "xor":
                    target.sendall(self.alter(way, data))
                    continue
                whole, left = messages(left + data)
                for message in whole:
                    target.sendall(self.alter(way, message))
            target.shutdown(socket.SHUT_WR)
        except OSError:  # One of the two has gone, or shall see the other go.
            for end in (source, target):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def close(self):
        """Waits until both have gone."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(SECONDS_MAX)
        self.listener.close()

"""board.py - a machine to deploy to, on loopback: an sshd of the test's own, and what systemd does.

    with Board(folder) as board:
        board.deploy("--tarball", FILE, expect=0)      # tools/deploy, into board.root
        board.server                                   # the pennyd that was started there, if any

Each connection to a port that the kernel chose gets an `sshd -i` of its own, through a relay of this
process, which can stop or cut the connection after so many bytes. Host key, user's key and every
file lie in the folder given; whoever runs the test is who logs in. The command that deploy is given
to restart the server asks this process to do it, so that servers are its children and end with it.
"""

import contextlib
import getpass
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import threading
import time

from bank import ROOT, SECONDS_MAX, STOP_SECONDS_MAX, run

SSHD = shutil.which("sshd", path=os.environ["PATH"] + ":/usr/sbin:/sbin")
SSHD_CONF = """HostKey "{folder}/host_key"
AuthorizedKeysFile "{folder}/user_key.pub"
AuthenticationMethods publickey
PermitRootLogin prohibit-password
StrictModes no
UsePAM no
PidFile none
LogLevel ERROR
SetEnv "PATH={path}" "ROOT={root}"
"""
SSH_CONF = """Host board
HostName 127.0.0.1
Port {port}
User {user}
IdentityFile "{folder}/user_key"
IdentitiesOnly yes
UserKnownHostsFile "{folder}/known_hosts"
GlobalKnownHostsFile /dev/null
StrictHostKeyChecking yes
LogLevel ERROR
"""


class Link:
    """One connection: bytes go both ways between a client and an sshd of its own."""

    def __init__(self, board, client):
        ours, theirs = socket.socketpair()
        self.sockets = (client, ours)
        self.sshd = subprocess.Popen([SSHD, "-i", "-e", "-f", os.path.join(board.folder, "sshd")],
                                     stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL)
        theirs.close()
        self.board = board
        self.threads = [threading.Thread(target=self.copy, args=(client, ours, True), daemon=True),
                        threading.Thread(target=self.copy, args=(ours, client, False), daemon=True)]
        for thread in self.threads:
            thread.start()

    def copy(self, source, target, inward):
        passed = 0
        with contextlib.suppress(OSError):
            while True:
                piece = source.recv(8192)
                if not piece:
                    break
                passed += len(piece)
                if inward:
                    self.board.note(self, passed)
                target.sendall(piece)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def cut(self):
        """As when a cable is pulled, but that both ends notice at once."""
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.cut()
        for thread in self.threads:
            thread.join(SECONDS_MAX)
        for one in self.sockets:
            one.close()
        try:
            self.sshd.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.sshd.kill()
            self.sshd.wait()


class Board:
    def __init__(self, folder, bank_port=None):
        self.folder = folder
        self.root = os.path.join(folder, "root")
        self.bank_port = bank_port
        self.server = None       # the pennyd that runs
        self.starts = []         # the options that each start was given
        self.log_path = os.path.join(folder, "pennyd.log")
        self.at_bytes = None     # (bytes, what to call then with the link), once
        self.links = []
        self.lock = threading.Lock()
        self.first = os.path.join(folder, "first")  # in front of the PATH over there
        for path in (folder, self.root, self.first):
            os.makedirs(path, exist_ok=True)
        for name in ("host_key", "user_key"):
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.path.join(folder, name)])
        if os.geteuid() == 0:  # Where sshd, started by root, shuts its unprivileged half in.
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        self.ssh = self.listen(self.serve_ssh)
        self.systemd = self.listen(self.serve_restart)
        ssh_port = self.ssh.getsockname()[1]
        path = f"{self.first}:/usr/local/bin:/usr/bin:/bin"
        self.write("sshd", SSHD_CONF.format(folder=folder, path=path, root=self.root))
        self.write("ssh", SSH_CONF.format(folder=folder, port=ssh_port, user=getpass.getuser()))
        with open(os.path.join(folder, "host_key.pub"), encoding="ascii") as key:
            self.write("known_hosts", f"[127.0.0.1]:{ssh_port} {key.read()}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as out:
            out.write(text)

    def path(self, *parts):
        return os.path.join(self.root, *parts)

    def bin(self, name):
        return self.path("usr", "local", "bin", name)

    # --- ssh ---

    def listen(self, serve):
        listener = socket.create_server(("127.0.0.1", 0))

        def accept():
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                serve(client)

        threading.Thread(target=accept, daemon=True).start()
        return listener

    def serve_ssh(self, client):
        with self.lock:
            self.links.append(Link(self, client))

    def note(self, link, passed):
        at = self.at_bytes
        if at is not None and passed >= at[0]:
            self.at_bytes = None
            at[1](link)

    def command(self, *words):
        restart = (f"exec 3<>/dev/tcp/127.0.0.1/{self.systemd.getsockname()[1]}; "
                   'printf "%s\\n" "$PENNYD_OPTIONS" >&3; read -r code <&3; exit "$code"')
        return [os.path.join(ROOT, "tools", "deploy"), "--ssh-config",
                os.path.join(self.folder, "ssh"), "--root", self.root,
                "--restart", f"exec bash -c {shlex.quote(restart)}", *words, "board"]

    def deploy(self, *words, expect=0):
        return run(self.command(*words), expect=expect, cwd=self.folder)

    # --- What systemd does ---

    def serve_restart(self, client):
        with client, client.makefile("rw", encoding="utf-8") as stream:
            options = stream.readline().split()
            code = self.restart(options)
            with contextlib.suppress(OSError):
                stream.write(f"{code}\n")
                stream.flush()

    def restart(self, options=()):
        """Gives 0 when the server says that it is ready, 1 when it ended before."""
        self.stop()
        self.starts.append(list(options))
        argv = [self.bin("pennyd"), *options, self.path("etc", "pennyd", "pennyd.conf")]
        begin = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        try:
            with open(self.log_path, "ab") as log:
                server = subprocess.Popen(argv, cwd=self.folder, stdin=subprocess.DEVNULL,
                                          stdout=log, stderr=subprocess.STDOUT)
        except OSError:
            return 1
        self.server = server
        deadline = time.monotonic() + SECONDS_MAX
        while not re.search(r"(?m)^ready ", self.log()[begin:]):
            if server.poll() is not None or time.monotonic() > deadline:
                return 1
            time.sleep(0.02)
        return 0

    def stop(self, number=signal.SIGTERM):
        server, self.server = self.server, None
        if server is None:
            return
        server.send_signal(number)
        try:
            server.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as text:
            return text.read()

    def close(self):
        for listener in (self.ssh, self.systemd):
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        with self.lock:
            for link in self.links:
                link.close()
        self.stop()

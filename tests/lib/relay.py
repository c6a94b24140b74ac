"""relay.py - sits between a client and a server, passes on what either says, and keeps it.

    with Relay("127.0.0.1", 6226) as relay:
        ... a client connects to 127.0.0.1, relay.port ...
        relay.wait()
        relay.write("seen.pcapng")

What it writes is what a capture of the connection would have been: it needs no right to capture,
and its checksums are whole, which those of packets that never left the machine are not.
"""

import contextlib
import socket
import struct
import threading
import time

import pcapng

SECONDS_MAX = 60


def microseconds():
    return time.time_ns() // 1000


class Relay:
    def __init__(self, host, port):
        self.target = (host, port)
        self.dialogues = []
        self.lock = threading.Lock()
        self.threads = []
        self.sockets = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.accepting = threading.Thread(target=self.accept, daemon=True)
        self.accepting.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def accept(self):
        while True:
            try:
                client, address = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.target, SECONDS_MAX)
            except OSError:
                client.close()
                continue
            self.sockets += [client, server]
            dialogue = pcapng.Dialogue(address, self.target, microseconds())
            with self.lock:
                self.dialogues.append(dialogue)
            for ends in ((client, server, True), (server, client, False)):
                ends[0].settimeout(SECONDS_MAX)
                ends[0].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                thread = threading.Thread(target=self.pass_on, args=(dialogue, *ends), daemon=True)
                self.threads.append(thread)
                thread.start()

    def pass_on(self, dialogue, source, sink, by_client):
        """All that one side says, until it ends. It is kept before the other side can answer it."""
        while True:
            try:
                data = source.recv(65536)
            except OSError:
                with self.lock:
                    dialogue.reset(by_client, microseconds())
                with contextlib.suppress(OSError):
                    # So that closing it resets that connection too.
                    sink.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    sink.shutdown(socket.SHUT_RDWR)
                    sink.close()
                return
            with self.lock:
                if data:
                    dialogue.said(by_client, microseconds(), data)
                else:
                    dialogue.ended(by_client, microseconds())
            with contextlib.suppress(OSError):  # Whoever has gone is heard of from the other side.
                if data:
                    sink.sendall(data)
                else:
                    sink.shutdown(socket.SHUT_WR)
            if not data:
                return

    def wait(self):
        """Waits until every connection so far is over."""
        for thread in list(self.threads):
            thread.join(SECONDS_MAX)
            if thread.is_alive():
                raise AssertionError(f"a connection is not over after {SECONDS_MAX} s")

    def packets(self):
        with self.lock:
            return sorted((packet for dialogue in self.dialogues for packet in dialogue.packets),
                          key=lambda packet: packet[0])

    def write(self, path):
        pcapng.write(path, self.packets())

    def close(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.accepting.join(SECONDS_MAX)
        for sock in self.sockets:
            sock.close()

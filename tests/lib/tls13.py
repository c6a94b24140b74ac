"""tls13.py - a client of TLS 1.3 (RFC 8446) that sends any certificate, even one that is none.

    peer = Tls13((bank.host, bank.port))
    peer.hello()                                  # to the server's Finished, which is judged
    peer.answer([leaf_der, issuer_der], signer)   # Certificate, CertificateVerify, Finished
    peer.ask(command("TIME"))                     # -> Outcome(alert, keys, plain, end)

No library of TLS sends a chain that it cannot read itself, nor a signature by another key, and
most do not say under which keys an alert came. So this one has one suite, one group, no resumption
and no opinion of the server's certificate; it is for servers on loopback.
"""

import collections
import hashlib
import hmac
import itertools
import os
import socket
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SECONDS_MAX = 20

CHANGE, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23
HELLO, SERVER_HELLO, EXTENSIONS, CERTIFICATE, REQUEST, VERIFY, FINISHED = 1, 2, 8, 11, 13, 15, 20

ALERTS = {
    "close_notify": 0, "unexpected_message": 10, "bad_record_mac": 20, "record_overflow": 22,
    "handshake_failure": 40, "bad_certificate": 42, "unsupported_certificate": 43,
    "certificate_revoked": 44, "certificate_expired": 45, "certificate_unknown": 46,
    "illegal_parameter": 47, "unknown_ca": 48, "access_denied": 49, "decode_error": 50,
    "decrypt_error": 51, "protocol_version": 70, "internal_error": 80,
    "unsupported_extension": 110,
    "certificate_required": 116,
}
ALERT_NAMES = {number: name for name, number in ALERTS.items()}

# How an answer went: the alert's name or None; the keys it was sealed with, one of "none",
# "handshake" and "application"; the plain bytes; and whether the end was "closed" or "reset".
Outcome = collections.namedtuple("Outcome", "alert keys plain end")

ECDSA_P256, ECDSA_P384, ECDSA_P521 = 0x0403, 0x0503, 0x0603
PSS_SHA256, PKCS1_SHA256, ED25519 = 0x0804, 0x0401, 0x0807


class Broken(AssertionError):
    """The server did what no server may."""


def vector(width, data):
    return len(data).to_bytes(width, "big") + data


def message(kind, body):
    return bytes([kind]) + vector(3, body)


def extension(kind, data):
    return struct.pack(">H", kind) + vector(2, data)


def extract(salt, secret):
    return hmac.new(salt, secret, hashlib.sha256).digest()


def expand(secret, label, context, size):
    info = struct.pack(">H", size) + vector(1, b"tls13 " + label) + vector(1, context)
    out, block = b"", b""
    while len(out) < size:
        block = hmac.new(secret, block + info + bytes([len(out) // 32 + 1]),
                         hashlib.sha256).digest()
        out += block
    return out[:size]


def derive(secret, label, transcript):
    return expand(secret, label, hashlib.sha256(transcript).digest(), 32)


def finished_of(secret, transcript):
    key = expand(secret, b"finished", b"", 32)
    return hmac.new(key, hashlib.sha256(transcript).digest(), hashlib.sha256).digest()


class Keys:
    """One direction's keys of records."""

    def __init__(self, name, secret):
        self.name = name
        self.secret = secret
        self.aead = AESGCM(expand(secret, b"key", b"", 16))
        self.iv = expand(secret, b"iv", b"", 12)
        self.seq = 0

    def nonce(self):
        seq = self.seq.to_bytes(12, "big")
        return bytes(a ^ b for a, b in zip(self.iv, seq))

    def seal(self, kind, data):
        header = struct.pack(">BHH", DATA, 0x0303, len(data) + 17)
        record = header + self.aead.encrypt(self.nonce(), data + bytes([kind]), header)
        self.seq += 1
        return record

    def open(self, header, body):
        plain = self.aead.decrypt(self.nonce(), body, header).rstrip(b"\0")
        self.seq += 1
        return plain[-1], plain[:-1]


def sign_verify(key, text, scheme=None):
    """The scheme and the signature of a CertificateVerify by a key of python3-cryptography."""
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return scheme or ED25519, key.sign(text)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        kinds = {384: (ECDSA_P384, hashes.SHA384()), 521: (ECDSA_P521, hashes.SHA512()),
                 512: (ECDSA_P521, hashes.SHA512())}
        own, hash_kind = kinds.get(key.key_size, (ECDSA_P256, hashes.SHA256()))
        return scheme or own, key.sign(text, ec.ECDSA(hash_kind))
    if scheme == PKCS1_SHA256:
        return scheme, key.sign(text, padding.PKCS1v15(), hashes.SHA256())
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return scheme or PSS_SHA256, key.sign(text, pss, hashes.SHA256())


# Ports come again; the log is to tell each connection from all others.
sources = (f"127.{64 + n // 62500 % 64}.{n // 250 % 250 + 1}.{n % 250 + 1}"
           for n in itertools.count())


class Tls13:
    def __init__(self, address):
        self.socket = socket.create_connection(address, SECONDS_MAX, (next(sources), 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""
        self.transcript = b""
        self.reading = None  # Keys, once there are any
        self.others = []  # keys that the server has left behind, or not come to
        self.writing = None
        self.end = None
        self.server_chain = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def local(self):
        """This end as the server's log names it."""
        return "%s:%d" % self.socket.getsockname()[:2]

    # --- Records ---

    def _take(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionError:
            self.end = "reset"
            return False
        except socket.timeout as why:
            raise Broken(f"nothing within {SECONDS_MAX} s") from why
        if data == b"":
            self.end = "closed"
        self.buffer += data
        return data != b""

    def record(self):
        """Kind, plain bytes and the name of the keys; None at the end."""
        while True:
            size = int.from_bytes(self.buffer[3:5], "big") + 5
            while len(self.buffer) < 5 or len(self.buffer) < size:
                if not self._take():
                    if self.buffer:
                        raise Broken(f"the end in the middle of a record: {self.buffer!r}")
                    return None
                size = int.from_bytes(self.buffer[3:5], "big") + 5
            header, body = self.buffer[:5], self.buffer[5:size]
            self.buffer = self.buffer[size:]
            if header[0] == CHANGE:
                continue
            if header[0] != DATA:
                return header[0], body, "none"
            for keys in [self.reading, *self.others]:
                try:
                    kind, plain = keys.open(header, body)
                    return kind, plain, keys.name
                except InvalidTag:
                    continue
            raise Broken("a record that no key opens")

    def until_end(self):
        """All that the server still says."""
        alert, keys, plain = None, None, b""
        while True:
            found = self.record()
            if found is None:
                return Outcome(alert, keys, plain, self.end)
            kind, data, name = found
            if kind == ALERT:
                if len(data) != 2 or alert is not None:
                    raise Broken(f"an alert of {data!r} behind {alert}")
                level, number = data
                alert, keys = ALERT_NAMES.get(number, str(number)), name
                if (level == 2) != (number != 0):
                    raise Broken(f"level {level} for {alert}")
            elif kind == DATA:
                plain += data
            elif kind != HANDSHAKE:
                raise Broken(f"a record of kind {kind}")

    # --- The handshake ---

    def hello(self):
        """Sends the hello and takes all up to the server's Finished."""
        own = x25519.X25519PrivateKey.generate()
        share = own.public_key().public_bytes(serialization.Encoding.Raw,
                                              serialization.PublicFormat.Raw)
        schemes = (ECDSA_P256, ECDSA_P384, PSS_SHA256, 0x0805, 0x0806)
        extensions = (
            extension(43, vector(1, b"\x03\x04")) +
            extension(10, vector(2, struct.pack(">H", 29))) +
            extension(13, vector(2, b"".join(struct.pack(">H", s) for s in schemes))) +
            extension(51, vector(2, struct.pack(">H", 29) + vector(2, share))))
        body = (b"\x03\x03" + os.urandom(32) + vector(1, b"") + vector(2, b"\x13\x01") +
                b"\x01\x00" + vector(2, extensions))
        hello = message(HELLO, body)
        self.socket.sendall(b"\x16\x03\x01" + vector(2, hello))
        self.transcript += hello
        kind, answer = self._message()
        if kind != SERVER_HELLO:
            raise Broken(f"a message {kind} for a hello")
        self._set_keys(own, answer)
        seen = []
        while True:
            before = self.transcript
            kind, answer = self._message()
            seen.append(kind)
            if kind == REQUEST:
                self.context = answer[4 + 1:4 + 1 + answer[4]]
            elif kind == CERTIFICATE:
                self.server_chain = self._chain(answer[4:])
            elif kind == FINISHED:
                if answer[4:] != finished_of(self.reading.secret, before):
                    raise Broken("a Finished that is none")
                break
        if seen != [EXTENSIONS, REQUEST, CERTIFICATE, VERIFY, FINISHED]:
            raise Broken(f"messages {seen}")
        self.others = [self.reading]
        self.reading = Keys("application", derive(self.master, b"s ap traffic", self.transcript))
        self.application = Keys("application",
                                derive(self.master, b"c ap traffic", self.transcript))
        return self

    def _set_keys(self, own, answer):
        at = 4 + 2 + 32
        at += 1 + answer[at] + 3  # session, suite and compression
        end = at + 2 + int.from_bytes(answer[at:at + 2], "big")
        at += 2
        theirs = None
        while at < end:
            kind, size = struct.unpack(">HH", answer[at:at + 4])
            if kind == 51:
                theirs = answer[at + 4 + 4:at + 4 + size]
            at += 4 + size
        shared = own.exchange(x25519.X25519PublicKey.from_public_bytes(theirs))
        early = extract(b"\0" * 32, b"\0" * 32)
        secret = extract(derive(early, b"derived", b""), shared)
        self.reading = Keys("handshake", derive(secret, b"s hs traffic", self.transcript))
        self.writing = Keys("handshake", derive(secret, b"c hs traffic", self.transcript))
        self.master = extract(derive(secret, b"derived", b""), b"\0" * 32)
        self.messages = b""

    def _message(self):
        """The next message of the handshake, which is in the transcript then."""
        self.messages = getattr(self, "messages", b"")
        while (len(self.messages) < 4 or
               len(self.messages) < 4 + int.from_bytes(self.messages[1:4], "big")):
            found = self.record()
            if found is None or found[0] != HANDSHAKE:
                raise Broken(f"{found} in the handshake")
            self.messages += found[1]
        size = 4 + int.from_bytes(self.messages[1:4], "big")
        whole, self.messages = self.messages[:size], self.messages[size:]
        self.transcript += whole
        return whole[0], whole

    @staticmethod
    def _chain(body):
        at, chain = 1 + body[0] + 3, []
        while at < len(body):
            size = int.from_bytes(body[at:at + 3], "big")
            chain.append(body[at + 3:at + 3 + size])
            at += 3 + size
            at += 2 + int.from_bytes(body[at:at + 2], "big")
        return chain

    def flight(self, chain, signer, certificate=None, leave_out=(), spoil=b"", piece=16000):
        """The records of the client's answer. `signer` gives (scheme, signature) for a text, or is
        a key; `certificate` is the body of the Certificate where it is not made of the chain. No
        record has more than `piece` bytes, nor any of two messages."""
        if certificate is None:
            entries = b"".join(vector(3, der) + b"\0\0" for der in chain)
            certificate = vector(1, self.context) + vector(3, entries)
        said = [] if CERTIFICATE in leave_out else [message(CERTIFICATE, certificate)]
        transcript = self.transcript + b"".join(said)
        if signer is not None and VERIFY not in leave_out:
            text = (b" " * 64 + b"TLS 1.3, client CertificateVerify\0" +
                    hashlib.sha256(transcript).digest())
            scheme, signature = signer(text) if callable(signer) else sign_verify(signer, text)
            said.append(message(VERIFY, struct.pack(">H", scheme) + vector(2, signature)))
            transcript += said[-1]
        if FINISHED not in leave_out:
            mac = finished_of(self.writing.secret, transcript)
            mac = bytes(a ^ b for a, b in zip(mac, spoil)) + mac[len(spoil):]
            said.append(message(FINISHED, mac))
        return b"".join(self.writing.seal(HANDSHAKE, one[at:at + piece])
                        for one in said for at in range(0, len(one), piece))

    def send(self, data):
        try:
            self.socket.sendall(data)
        except ConnectionError:
            pass  # Whoever refuses need not read; what it said is still to be read.

    def answer(self, chain, signer, **options):
        self.send(self.flight(chain, signer, **options))
        self.writing = self.application
        return self

    def ask(self, data, size=1):
        """Sends plain bytes and takes what comes, until so many plain bytes or the end."""
        self.send(self.writing.seal(DATA, data))
        plain = b""
        while len(plain) < size:
            found = self.record()
            if found is None:
                return Outcome(None, None, plain, self.end)
            kind, said, name = found
            if kind == ALERT:
                rest = self.until_end()
                if rest.alert is not None or rest.plain:
                    raise Broken(f"{rest} behind an alert")
                return Outcome(ALERT_NAMES.get(said[1], str(said[1])), name, plain, rest.end)
            if kind == DATA:
                plain += said
        return Outcome(None, name, plain, None)

"""dhe.py - the channel `dhe`: a miniature TLS, with Diffie-Hellman signed by certificates.

    python3 tests/peers/dhe.py HOST PORT COMMAND...
    python3 tests/peers/dhe.py serve PORT

Both sides draw a number that is forgotten with the session, and agree on a secret that nobody who
listens can work out. A signature says who drew it, and covers all that was said before, so that
nothing of the handshake can be altered; the finished messages prove that both sides saw the same.
"""

import hashlib
import hmac
import os
import struct
from datetime import datetime, timedelta, timezone

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, padding, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

import rsa
import wire
from wire import Failure, Refused, Type, header, message

NONCE = 32
SESSION_ID = 16
NUMBER = 256      # bytes of a number of the group
EXPONENT = 32     # bytes of a secret exponent
KEY = 32
IV = 16
MAC = 32


def digits_of_e(bits):
    """The integer part of 2^bits * e: the sum of 1/n!, with bits to spare for what is cut off."""
    spare = 64
    total, term, n = 0, 1 << (bits + spare), 0
    while term:
        total += term
        n += 1
        term //= n
    return total >> spare


# RFC 7919, appendix A.1, says where the prime comes from, so that nobody had a choice in it.
P = 2**2048 - 2**1984 + (digits_of_e(1918) + 560316) * 2**64 - 1
G = 2


# --- Certificates -----------------------------------------------------------------------------

def make_certificate(key, name="peer", issuer=None, issuer_key=None, days=30,
                     is_ca=False):
    """A certificate, by a CA or by itself; with negative days it is over already."""
    now = datetime.now(timezone.utc)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    return (x509.CertificateBuilder().subject_name(subject)
            .issuer_name(issuer.subject if issuer else subject)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=min(0, days) - 1))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .sign(issuer_key or key, hashes.SHA256()))


def read_certificate(body):
    try:
        certificate = x509.load_der_x509_certificate(body)
        public = certificate.public_key()
    except Exception:  # pylint: disable=broad-except  # Of many kinds: it is none in any case.
        raise Refused(Failure.CERTIFICATE) from None
    return certificate, rsa.judge_key(public)


def dates(certificate):
    """From when to when it is valid; older libraries do not say that they mean UTC."""
    if hasattr(certificate, "not_valid_before_utc"):
        return certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return (certificate.not_valid_before.replace(tzinfo=timezone.utc),
            certificate.not_valid_after.replace(tzinfo=timezone.utc))


def judge_certificate(certificate, ca):
    """Whether the CA signed it, and it is within its dates. Without a CA, any will do."""
    if ca is None:
        return
    public, algorithm = ca.public_key(), certificate.signature_hash_algorithm
    how = [rsa_padding.PKCS1v15(), algorithm]
    if isinstance(public, ec.EllipticCurvePublicKey):
        how = [ec.ECDSA(algorithm)]
    try:
        public.verify(certificate.signature, certificate.tbs_certificate_bytes, *how)
    except InvalidSignature:
        raise Refused(Failure.CERTIFICATE) from None
    begin, end = dates(certificate)
    if not begin <= datetime.now(timezone.utc) <= end:
        raise Refused(Failure.CERTIFICATE)


# --- The channel ------------------------------------------------------------------------------

class Direction:
    """What one side seals with and the other opens with."""

    def __init__(self, aes, mac):
        self.aes = aes
        self.mac = mac
        self.number = 0

    def cipher(self, iv):
        return Cipher(algorithms.AES(self.aes), modes.CBC(iv))


def tag(key, data):
    return hmac.digest(key, data, "sha256")


class Session(wire.Session):
    has_end = True

    def __init__(self, sock, is_client, key, certificate=None, ca=None, pin=None):
        self.key = key
        self.certificate = certificate or make_certificate(key)
        self.ca = ca
        self.pin = pin
        self.other = None              # the public key of the other side
        self.handshake = hashlib.sha256()
        self.session_ids = {}          # by the side that drew it, True for the client
        super().__init__(sock, is_client)

    # --- The transcript is of all messages, whoever sent them ---

    def write_message(self, kind, body):
        self.handshake.update(message(kind, body))
        super().write_message(kind, body)

    def expect(self, wanted, size=None):
        body = super().expect(wanted, size)
        self.handshake.update(message(wanted, body))
        return body

    def transcript(self):
        return self.handshake.digest()

    # --- The handshake ---

    def shake(self):
        nonce, session_id = os.urandom(NONCE), os.urandom(SESSION_ID)
        self.session_ids[self.is_client] = session_id
        x = int.from_bytes(os.urandom(EXPONENT), "big")
        mine = pow(G, x, P).to_bytes(NUMBER, "big")
        if self.is_client:
            self.write_message(Type.CLIENT_HELLO, nonce + session_id)
            other_nonce = self.read_hello(Type.SERVER_HELLO)
            theirs = self.read_identity()
            self.write_identity(mine)
            self.make_keys(nonce + other_nonce, pow(theirs, x, P))
            self.write_finished()
            self.read_finished()
        else:
            other_nonce = self.read_hello(Type.CLIENT_HELLO)
            self.write_message(Type.SERVER_HELLO, nonce + session_id)
            self.write_identity(mine)
            theirs = self.read_identity()
            self.make_keys(other_nonce + nonce, pow(theirs, x, P))
            self.read_finished()
            self.write_finished()

    def read_hello(self, kind):
        body = self.expect(kind, NONCE + SESSION_ID)
        self.session_ids[not self.is_client] = body[NONCE:]
        return body[:NONCE]

    def write_identity(self, y):
        """Who this is, and a signature over all that was said before and its Y."""
        self.write_message(Type.CERTIFICATE,
                           self.certificate.public_bytes(serialization.Encoding.DER))
        self.write_message(Type.KEY_EXCHANGE, y + rsa.sign(self.key, self.transcript() + y))

    def read_identity(self):
        certificate, self.other = read_certificate(self.expect(Type.CERTIFICATE))
        judge_certificate(certificate, self.ca)
        if self.is_client:
            rsa.judge_pin(self.other, self.pin)
        before = self.transcript()
        body = self.expect(Type.KEY_EXCHANGE, NUMBER + rsa.BLOCK)
        y, signature = body[:NUMBER], body[NUMBER:]
        rsa.judge_signature(self.other, signature, before + y)
        y = int.from_bytes(y, "big")
        if not 1 < y < P - 1:
            raise Refused(Failure.GROUP)
        return y

    def make_keys(self, salt, z):
        keys = HKDF(hashes.SHA256(), 6 * KEY, salt, b"pennybank lab dhe").derive(
            z.to_bytes(NUMBER, "big"))
        keys = [keys[at:at + KEY] for at in range(0, len(keys), KEY)]
        client, server = Direction(keys[0], keys[2]), Direction(keys[1], keys[3])
        if self.is_client:
            self.sending, self.receiving = client, server
            self.finished_key, self.other_finished_key = keys[4], keys[5]
        else:
            self.sending, self.receiving = server, client
            self.finished_key, self.other_finished_key = keys[5], keys[4]

    def write_finished(self):
        self.write_message(Type.FINISHED, tag(self.finished_key, self.transcript()))

    def read_finished(self):
        wanted = tag(self.other_finished_key, self.transcript())
        if not hmac.compare_digest(self.expect(Type.FINISHED, MAC), wanted):
            raise Refused(Failure.FINISHED)

    # --- Records ---

    def seal(self, kind, plain):
        iv = os.urandom(IV)
        padder = padding.PKCS7(128).padder()
        encryptor = self.sending.cipher(iv).encryptor()
        body = struct.pack(">Q", self.sending.number) + iv
        body += encryptor.update(padder.update(plain) + padder.finalize()) + encryptor.finalize()
        self.sending.number += 1
        return body + tag(self.sending.mac, header(kind, len(body) + MAC) + body)

    def open(self, kind, body):
        sealed, mac = body[:-MAC], body[-MAC:]
        text = sealed[8 + IV:]
        if len(text) == 0 or len(text) % 16 != 0:
            raise Refused(Failure.LENGTH)
        if struct.unpack(">Q", sealed[:8])[0] != self.receiving.number:
            raise Refused(Failure.RECORD)
        wanted = tag(self.receiving.mac, header(kind, len(body)) + sealed)
        if not hmac.compare_digest(mac, wanted):
            raise Refused(Failure.RECORD)
        self.receiving.number += 1
        decryptor = self.receiving.cipher(sealed[8:8 + IV]).decryptor()
        unpadder = padding.PKCS7(128).unpadder()
        try:
            plain = unpadder.update(decryptor.update(text) + decryptor.finalize())
            return plain + unpadder.finalize()
        except ValueError:
            raise Refused(Failure.RECORD) from None


def connect(host, port, key=None, **more):
    """`certificate` and `ca` are as cryptography.x509 has them, `pin` is a fingerprint."""
    return Session(wire.dial(host, port), True, key or rsa.make_key(), **more)


def serve(sock, key=None, **more):
    with Session(sock, False, key or rsa.make_key(), **more) as session:
        session.answer()


if __name__ == "__main__":
    wire.run(connect, serve)

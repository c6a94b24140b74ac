"""enrolment.py - a bank with a listener of channel enrol, and clients of it that no one here wrote.

    with EnrolBank(issues=True) as bank:
        code = bank.code("kiosk")                    # pennyctl enrol
        key = new_key()
        with bank.stranger() as wire:                # Python's ssl, without a certificate
            wire.ask("ENROL", code)
            wire.ask("ENROL", code, request(key, "kiosk"))
        bank.enrol(code, folder)                     # penny enrol
"""

import os
import re
import socket
import ssl

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bank import SECONDS_MAX, Bank, run, starting
from resp import Wire

SECTION = """
[listener enrol]
channel = enrol
port = 0
certificate = certs/server.crt
key = certs/server.key
ca = certs/ca.crt
"""
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_key(curve=None):
    return ec.generate_private_key(curve or ec.SECP256R1())


def pem_of_key(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption())


def request(key, name="", digest=None):
    """A certificate request in PEM, as text."""
    attributes = [x509.NameAttribute(x509.NameOID.COMMON_NAME, name)] if name else []
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(attributes))
    made = builder.sign(key, digest or hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM).decode()


def certificates(pem):
    """Those of a PEM chain, in their order."""
    pem = pem if isinstance(pem, bytes) else pem.encode()
    blocks = re.findall(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", pem, re.S)
    return [x509.load_pem_x509_certificate(block) for block in blocks]


def public_bytes(key):
    return key.public_bytes(serialization.Encoding.DER,
                            serialization.PublicFormat.SubjectPublicKeyInfo)


def name_of(certificate):
    return certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value


class EnrolBank(Bank):
    def __init__(self, issues=True, start=True, **options):
        super().__init__(start=False, **options)
        try:
            with open(self.path("pennyd.conf"), "a", encoding="utf-8") as conf:
                conf.write(SECTION)
            self.issues = issues
            if issues:
                self.settings.append("server.issue=yes")
                self.pennyctl("cert", "issuing", self.home)
            if start:
                self.start()
        except BaseException:
            self.close()
            raise

    def enrol_port(self):
        """Of the server that runs now."""
        return int(re.findall(r"^ready enrol 127\.0\.0\.1:(\d+)$", self.log(), re.M)[-1])

    def code(self, name, *options):
        made = self.pennyctl("enrol", name, self.home, *options).stdout
        return re.search(r"^code (\S+)$", made, re.M).group(1)

    def spool(self):
        folder = self.path("data", "enrol")
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []

    def spooled(self, ending):
        names = [name for name in self.spool() if name.endswith(ending)]
        assert len(names) == 1, names
        return self.path("data", "enrol", names[0])

    def register(self):
        """The lines of data/issued, as lists of words."""
        path = self.path("data", "issued")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as text:
            return [line.split() for line in text]

    def stranger_context(self):
        context = ssl.create_default_context(cafile=self.ca())
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        return context

    def stranger(self):
        """A connection to the listener, verified and without a certificate."""
        plain = socket.create_connection((self.host, self.enrol_port()), timeout=SECONDS_MAX)
        try:
            wire = Wire(self.stranger_context().wrap_socket(plain, server_hostname=self.host))
        except BaseException:
            plain.close()
            raise
        self._open.append(wire)
        return wire

    def by_certificate(self, chain, key):
        """A connection to the bank's own listener, as whoever has this certificate and key."""
        folder = os.path.join(self.folder, "pairs")
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, f"{len(os.listdir(folder))}.pem")
        with open(path, "wb") as file:
            file.write(pem_of_key(key) + (chain if isinstance(chain, bytes) else chain.encode()))
        context = ssl.create_default_context(cafile=self.ca())
        context.load_cert_chain(path)
        plain = socket.create_connection((self.host, self.port), timeout=SECONDS_MAX)
        wire = Wire(context.wrap_socket(plain, server_hostname=self.host))
        self._open.append(wire)
        return wire

    def enrolled(self, name):
        """A certificate and its key, got by a client of the tests' own."""
        code, key = self.code(name), new_key()
        with self.stranger() as wire:
            state, chain = state_of(wire.ask("ENROL", code, request(key, name)))
        assert state == "issued", state
        return chain, key

    def penny_argv(self, *words):
        return [*starting("penny", self.host_programs), *words]

    def enrol(self, code, folder, *options, port=None, **more):
        port = port or self.enrol_port()
        return run(self.penny_argv("enrol", f"127.0.0.1:{port}", code, "--dir", folder, *options),
                   **more)


def state_of(reply):
    """The state that an answer to ENROL or RENEW tells, and the chain or None."""
    assert isinstance(reply, list), reply
    found = dict(zip(reply[::2], reply[1::2]))
    chain = found.get(b"certificate")
    return found[b"state"].decode(), chain

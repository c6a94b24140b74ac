"""lab_faults.py - what a side of a laboratory channel may do wrong, and what the other says to it.

    for fault in FAULTS["psk"]:
        session("psk", sock, fault.is_client..., fault.kind)    # is refused with fault.failure

A fault has a class of sessions that commits it, by either side unless `by` says by which. What
it does behind the fault is nothing: it waits for what the other side says to it.
"""

from collections import namedtuple

from cryptography import fernet
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric import rsa as library
from cryptography.hazmat.primitives.serialization import Encoding

from lab import MODULES, Muting, altering, dhe, flipped, hybrid, psk, rsa, wire
from wire import Failure, Type

CLIENT, SERVER, EITHER = "client", "server", "either"
Fault = namedtuple("Fault", "title kind failure by", defaults=(EITHER,))

# --- Of any channel with messages ---------------------------------------------------------------


def mistyped(name, kind, other):
    """A message has another type than it should."""
    class Mistyped(altering(name, kind, lambda body: body)):
        def write(self, data):
            super().write(bytes([other]) + data[1:] if self.is_mute else data)

    return Mistyped


def too_long(name):
    """The header of a message that is longer than any may be. Its body is not worth sending."""
    class TooLong(altering(name, "hello", lambda body: bytes(wire.BODY_MAX + 1))):
        def write(self, data):
            super().write(data[:3] if self.is_mute else data)

    return TooLong


def carrying(name, kind, plain):
    """Whatever should be sent, a message of that type comes instead, sealed as it should be."""
    class Carrying(MODULES[name].Session):
        def put(self, _):
            self.write_message(kind, self.seal(kind, plain))

    return Carrying


def general(name):
    return [
        Fault("a hello of the other side", mistyped(name, "hello", Type.FINISHED), Failure.ORDER),
        Fault("data before a hello", mistyped(name, "hello", Type.DATA), Failure.ORDER),
        Fault("a type that is none", mistyped(name, "hello", 99), Failure.ORDER),
        Fault("a message longer than any", too_long(name), Failure.LENGTH),
        Fault("a message of the handshake among data", mistyped(name, Type.DATA, Type.CERTIFICATE),
              Failure.ORDER),
        Fault("more than a message may carry",
              carrying(name, Type.DATA, b"+" * (wire.PLAIN_MAX + 1)), Failure.LENGTH),
    ]


# --- rsa and hybrid -----------------------------------------------------------------------------

OTHER = rsa.make_key()  # which nobody talks to
WEAK = library.generate_private_key(public_exponent=65537, key_size=1024)
CURVE = ec.generate_private_key(ec.SECP256R1())


def for_another(name):
    """A message that was sealed for somebody else, and signed as it should be."""
    class ForAnother(MODULES[name].Session):
        def seal(self, kind, plain):
            self.other = OTHER.public_key()
            return super().seal(kind, plain)

    return ForAnother


def blocks_of(pieces):
    """A message in these pieces, signed as it should be."""
    class Pieces(rsa.Session):
        def seal(self, kind, plain):
            blocks = b"".join(self.other.encrypt(piece, rsa.OAEP) for piece in pieces)
            return blocks + rsa.sign(self.key, blocks)

    return Pieces


class SignedToken(hybrid.Session):
    """A token that was altered before it was signed."""

    def seal(self, kind, plain):
        key = fernet.Fernet.generate_key()
        token = fernet.Fernet(key).encrypt(plain)
        token = token[:30] + (b"A" if token[30:31] != b"A" else b"B") + token[31:]
        return self.other.encrypt(key, rsa.OAEP) + rsa.sign(self.key, token) + token


def hellos(name):
    keys = {"no key at all": b"no key", "nothing": b"", "a key of 1024 bits": rsa.spki(
        WEAK.public_key()), "a key of another algorithm": rsa.spki(CURVE.public_key()),
            "a key with a byte behind it": rsa.spki(OTHER.public_key()) + b"\0"}
    return [Fault(f"a hello with {title}", altering(name, "hello", lambda _, body=body: body),
                  Failure.KEY) for title, body in keys.items()]


def signed(name):
    return hellos(name) + [
        Fault("another signature", altering(name, Type.DATA, flipped(300)), Failure.SIGNATURE),
        Fault("a message for somebody else", for_another(name), Failure.SEALING),
        Fault("an end, which it has not", mistyped(name, Type.DATA, Type.END), Failure.ORDER),
    ]


RSA = [
    Fault("a block that was altered", altering("rsa", Type.DATA, flipped(0)), Failure.SIGNATURE),
    Fault("a message of half a block", altering("rsa", Type.DATA, lambda body: body[128:]),
          Failure.LENGTH),
    Fault("a message of a signature alone", blocks_of([]), Failure.LENGTH),
    Fault("a message of seven blocks", blocks_of([b"+"] * 7), Failure.LENGTH),
    Fault("an empty piece", blocks_of([b"+", b""]), Failure.LENGTH),
]
HYBRID = [
    Fault("a token that was altered", altering("hybrid", Type.DATA, flipped(-3)),
          Failure.SIGNATURE),
    Fault("a token that was altered and signed", SignedToken, Failure.TOKEN),
    Fault("a key that was altered", altering("hybrid", Type.DATA, flipped(0)), Failure.SEALING),
    Fault("a message without a token", altering("hybrid", Type.DATA, lambda body: body[:512]),
          Failure.LENGTH),
]

# --- dhe and psk --------------------------------------------------------------------------------


def twice(name):
    """Every record comes twice."""
    class Twice(MODULES[name].Session):
        def put(self, plain):
            body = self.seal(Type.DATA, plain)
            self.write_message(Type.DATA, body)
            self.write_message(Type.DATA, body)

    return Twice


def lost(name):
    """The first record gets lost."""
    class Lost(MODULES[name].Session):
        def put(self, plain):
            self.seal(Type.DATA, plain)
            super().put(plain)

    return Lost


def records(name):
    return [
        Fault("a record that was altered", altering(name, Type.DATA, flipped(-17)), Failure.RECORD),
        Fault("another tag", altering(name, Type.DATA, flipped(-1, 128)), Failure.RECORD),
        Fault("data said to be an end", mistyped(name, Type.DATA, Type.END), Failure.RECORD),
        Fault("a record twice", twice(name), Failure.RECORD, CLIENT),
        Fault("a record that got lost", lost(name), Failure.RECORD),
        Fault("an end that was altered", altering(name, Type.END, flipped(-1)), Failure.RECORD,
              CLIENT),
        Fault("an end that carries something", carrying(name, Type.END, b"+"), Failure.LENGTH),
        Fault("a hello that is too long", altering(name, "hello", lambda body: body + b"+"),
              Failure.LENGTH),
        Fault("a hello that is too short", altering(name, "hello", lambda body: body[1:]),
              Failure.LENGTH),
        Fault("a finished message that is too short",
              altering(name, Type.FINISHED, lambda body: body[1:]), Failure.LENGTH),
        Fault("no finished message", mistyped(name, Type.FINISHED, Type.DATA), Failure.ORDER),
    ]


def public_value(y):
    """A public value that gives the secret away, signed as it should be."""
    class PublicValue(Muting, dhe.Session):
        def write_identity(self, _):
            super().write_identity(y.to_bytes(dhe.NUMBER, "big"))
            self.is_mute = True

    return PublicValue


def certified(certificate):
    return altering("dhe", Type.CERTIFICATE, lambda _: certificate)


class OtherPassphrase(psk.Session):
    """One who does not know the passphrase, and is not put off by who does."""

    def shake(self):
        self.passphrase = b"another of these"
        super().shake()

    def read_finished(self):
        if self.is_client:
            self.expect(Type.FINISHED)
        else:
            super().read_finished()


DHE = [
    Fault("another signature", altering("dhe", Type.KEY_EXCHANGE, flipped(-1)), Failure.SIGNATURE),
    Fault("another public value", altering("dhe", Type.KEY_EXCHANGE, flipped(255)),
          Failure.SIGNATURE),
    Fault("half a public value", altering("dhe", Type.KEY_EXCHANGE, lambda body: body[128:]),
          Failure.LENGTH),
    Fault("the public value 0", public_value(0), Failure.GROUP),
    Fault("the public value 1", public_value(1), Failure.GROUP),
    Fault("the public value p - 1", public_value(dhe.P - 1), Failure.GROUP),
    Fault("the public value p", public_value(dhe.P), Failure.GROUP),
    Fault("the public value 2^2048 - 1", public_value(2**2048 - 1), Failure.GROUP),
    Fault("a certificate of another algorithm", certified(
        dhe.make_certificate(CURVE).public_bytes(Encoding.DER)), Failure.KEY),
    Fault("a certificate of 1024 bits", certified(
        dhe.make_certificate(WEAK).public_bytes(Encoding.DER)), Failure.KEY),
    Fault("a certificate of nothing", certified(b""), Failure.CERTIFICATE),
    Fault("a certificate that is none", certified(b"\x30\x03\x02\x01\x00"), Failure.CERTIFICATE),
    Fault("a certificate with a byte behind it", certified(
        dhe.make_certificate(OTHER).public_bytes(Encoding.DER) + b"\0"), Failure.CERTIFICATE),
    Fault("no certificate", mistyped("dhe", Type.CERTIFICATE, Type.KEY_EXCHANGE), Failure.ORDER),
    Fault("no key exchange", mistyped("dhe", Type.KEY_EXCHANGE, Type.FINISHED), Failure.ORDER),
    Fault("another finished message", altering("dhe", Type.FINISHED, flipped(0)),
          Failure.FINISHED),
    Fault("another number", altering("dhe", Type.DATA, flipped(7)), Failure.RECORD),
    Fault("another IV", altering("dhe", Type.DATA, flipped(8)), Failure.RECORD),
    Fault("a record without its last byte", altering("dhe", Type.DATA, lambda body: body[:-1]),
          Failure.LENGTH),
    Fault("a record of a number alone", altering("dhe", Type.DATA, lambda body: body[:8]),
          Failure.LENGTH),
]
PSK = [
    Fault("another finished message", altering("psk", Type.FINISHED, flipped(0)),
          Failure.PASSPHRASE),
    Fault("another passphrase", OtherPassphrase, Failure.PASSPHRASE),
    Fault("a record of half a tag", altering("psk", Type.DATA, lambda body: body[:8]),
          Failure.LENGTH),
]

FAULTS = {
    "xor": [],  # Nothing is judged there.
    "rsa": general("rsa") + signed("rsa") + RSA,
    "hybrid": general("hybrid") + signed("hybrid") + HYBRID,
    "dhe": general("dhe") + records("dhe") + DHE,
    "psk": general("psk") + records("psk") + PSK,
}

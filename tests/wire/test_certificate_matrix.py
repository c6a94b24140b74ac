"""Who is let in: certificates that differ from an accepted one in one property each. The client must
have read the alert, under the keys that it has then, before the server closes; and the log must say
why. None of these certificates is of our making (pki.py)."""

import os
import ssl
import tempfile
import unittest

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import der
import pki
import tls13
from bank import Bank, run
from pki import (CLIENT, DAY, SERVER, Authority, certificate, key_of, make_keys, name, now, pem_of,
                 pem_of_key)
from resp import command
from tls13 import Tls13
from tls_bytes import TlsBytes
from wall import why_ended

NOT_OURS = "certificate not signed by our CA"
NOT_FOR_THIS = "certificate not meant for this use"
NO_PURPOSE = "certificate lacks the extended key usage clientAuth"
NO_NAME = "certificate's common name is not the name of a terminal"
NOT_UNDERSTOOD = "certificate was not understood"
WEAK_HASH = "certificate is signed with a hash that is too weak"
WEAK_KEY = "certificate has a key that is too weak"
STRANGE_KEY = "certificate has a kind of key that is refused"
STRANGE_SIGNATURE = "certificate is signed in a way that is refused"
TOO_LONG = "certificate chain is too long"
CONSTRAINED = "an authority's certificate has name constraints"
NOT_THE_KEY = "the client does not have the key of its certificate"
GARBLED = "handshake was not understood"
TOO_LARGE = "a message is longer than we take"

BASIC, USAGE, PURPOSE, NAMES = "2.5.29.19", "2.5.29.15", "2.5.29.37", "2.5.29.30"
REVOKED, REVOKED_AUTHORITY = 0x666, 0x777
EXPIRED = {"not_before": now() - 9 * DAY, "not_after": now() - DAY}  # yesterday
UNKNOWN = x509.ObjectIdentifier("1.3.6.1.4.1.99999.7")

SHA1_ECDSA = der.sequence(der.oid("1.2.840.10045.4.1"))
SHA384_ECDSA = der.sequence(der.oid("1.2.840.10045.4.3.3"))
MD5_RSA = der.sequence(der.oid("1.2.840.113549.1.1.4"), der.Node(0x05, b""))
SHA1_RSA = der.sequence(der.oid("1.2.840.113549.1.1.5"), der.Node(0x05, b""))


def unknown(critical):
    return (x509.UnrecognizedExtension(UNKNOWN, b"\x05\x00"), critical)


def constraints(*permitted):
    return x509.NameConstraints([x509.DirectoryName(one) for one in permitted], None)


def utc_time(text):
    return der.Node(0x17, text.encode())


def general_time(text):
    return der.Node(0x18, text.encode())


def set_time(index, node):
    def patch(tbs):
        tbs[der.VALIDITY][index] = node
    return patch


def all_of(*patches):
    def patch(tbs):
        for one in patches:
            one(tbs)
    return patch


def without_extensions(tbs):
    del tbs.content[der.EXTENSIONS]


def as_version_1(tbs):
    without_extensions(tbs)
    del tbs.content[der.VERSION]


def inside_algorithm(node):
    return der.set_node(der.ALGORITHM, node)


def raw_size(tbs_index, size):
    """A patch that writes the length of a part in other bytes."""
    def patch(tbs):
        tbs[tbs_index].size = size
    return patch


def two_values(tbs):
    """The common name stands twice in one RDN."""
    pair = tbs[der.SUBJECT][-1]
    pair.content.append(der.sequence(der.oid("2.5.4.3"), der.Node(0x0c, b"admin")))


def extra_behind(tbs):
    der.extensions_of(tbs).append(der.Node(0x02, b"\x05"))


def twice(text):
    def patch(tbs):
        der.extensions_of(tbs).append(der.find_extension(tbs, text))
    return patch


class World:
    """The authorities of this matrix, ours and others."""

    def __init__(self):
        make_keys("rsa2048 RSA Root", "rsa1024 Weak Root", "rsa2048 leaf", "rsa3072 leaf",
                  "rsa4096 leaf", "rsa1024 leaf")
        self.root = Authority("Root")
        self.rsa = Authority("RSA Root", kind="rsa2048")
        self.p384 = Authority("P-384 Root", kind="p384")
        self.weak = Authority("Weak Root", kind="rsa1024")
        self.flat = Authority("Flat Root", path_length=0)
        self.ended = Authority("Ended Root", **EXPIRED)
        self.silent = Authority("Silent Root", usages=("key_cert_sign",))
        self.bounded = Authority("Bounded Root", extra=[
            (constraints(name(None, "Elsewhere")), False)])
        self.old = Authority("Version 1 Root", usages=None, is_ca=None,
                             extra=[unknown(False)], patch=as_version_1)
        self.twin = Authority("Twin Root")
        self.twin_new = Authority("Twin Root", kind="p256 new")
        self.other = Authority("Other Root")
        self.impostor = Authority("Root", kind="p256 impostor")
        self.issuing = Authority("Issuing", self.root, path_length=0)
        self.listed = Authority("Listed Issuing", self.root, path_length=0)

    def ours(self):
        return [self.root, self.rsa, self.p384, self.weak, self.flat, self.ended, self.silent,
                self.bounded, self.old, self.twin, self.twin_new, self.listed]

    def lists(self):
        lists = [one.crl([REVOKED] if one in (self.root, self.listed) else [])
                 for one in self.ours() if one not in (self.silent, self.old, self.twin,
                                                       self.twin_new, self.p384)]
        return [*lists, self.root.crl([REVOKED_AUTHORITY])]

    def below(self, *options, parent=None, **more):
        """A leaf of another authority between it and our root."""
        return Authority("Between", parent or self.root, *options, **more)


def chained(authority, *options, **more):
    leaf, key = authority.leaf("alice", *options, **more)
    return [leaf, *authority.chain], key


def cross_signed(world, ours_first):
    """One authority whose key two others have certified."""
    ours = Authority("Crossed", world.root, path_length=0)
    theirs = Authority("Crossed", world.other, path_length=0)
    leaf, key = ours.leaf("alice")
    return [leaf, *([ours.der, theirs.der] if ours_first else [theirs.der, ours.der])], key


def deep(world, count):
    """So many authorities between the leaf and our root."""
    authority = world.root
    for number in range(count):
        authority = Authority(f"Level {number}", authority)
    return chained(authority)


def leaf_as_authority(world):
    leaf, key = world.root.leaf("till")
    issuer = Authority("till", world.root)
    issuer.key = key
    mine, mine_key = issuer.leaf("alice", kind="p256 mine")
    return [mine, leaf], mine_key


def self_signed(world):
    key = key_of("p256 leaf")
    return [certificate(world.root, name("alice"), key.public_key(), signer=key,
                        issuer_name=name("alice"), extensions=[
                            (x509.ExtendedKeyUsage([CLIENT]), False)])], key


def forged_basic(value):
    """An authority's certificate with such basicConstraints, whatever they say."""
    def make(world):
        return chained(world.below(patch=der.set_extension(BASIC, value)))
    return make


def pss_signed(world, digest="sha256", salt=32):
    """A certificate that an RSA key has signed with PSS, by the openssl program."""
    key = key_of("p256 leaf")
    with tempfile.TemporaryDirectory(dir=os.environ.get("PENNY_TMP")) as folder:
        for path, text in (("leaf.key", pem_of_key(key)), ("ca.key", pem_of_key(world.rsa.key)),
                           ("ca.crt", pem_of("CERTIFICATE", world.rsa.der)),
                           ("conf", "[req]\ndistinguished_name = dn\n[dn]\n")):
            with open(os.path.join(folder, path), "w", encoding="ascii") as file:
                file.write(text)
        run(["openssl", "req", "-x509", "-config", "conf", "-key", "leaf.key", "-subj",
             "/O=Club/CN=alice", "-CA", "ca.crt", "-CAkey", "ca.key", "-days", "300",
             f"-{digest}", "-sigopt", "rsa_padding_mode:pss", "-sigopt",
             f"rsa_pss_saltlen:{salt}", "-addext", "basicConstraints=critical,CA:FALSE",
             "-addext", "extendedKeyUsage=clientAuth", "-outform", "DER", "-out", "leaf.der"],
            cwd=folder)
        with open(os.path.join(folder, "leaf.der"), "rb") as file:
            return file.read(), key


def signed(options):
    return lambda world: world.root.leaf("alice", **options)


def named(common, **options):
    return lambda world: world.root.leaf("alice", subject=name(common), **options)


def tagged(tag, value):
    return lambda world: world.root.leaf("alice", patch=der.set_common_name(tag, value))


def basic(value):
    return lambda world: world.root.leaf("alice", patch=der.set_extension(BASIC, value))


def patched(patch, **options):
    return lambda world: world.root.leaf("alice", patch=patch, **options)


def of(kind, **options):
    return lambda world: world.root.leaf("alice", kind=kind, **options)


def strange_key(key):
    return lambda world: world.root.leaf("alice", key=key)


def bytes_of(change):
    """The DER of a sound certificate after a change that no signature knows of."""
    def make(world):
        leaf, key = world.root.leaf("alice")
        return change(leaf), key
    return make


def large_rsa(world):
    """Nobody has its key: it is refused before anybody would have to show it."""
    number = int.from_bytes(b"\xc1" * 1024, "big")
    return world.root.leaf("alice", key=Unowned(rsa.RSAPublicNumbers(65537, number).public_key()))


class Unowned:
    """A public key whose private one there is not."""

    def __init__(self, public):
        self.public = public

    def public_key(self):
        return self.public

    def __call__(self, text):
        return tls13.PSS_SHA256, bytes(256)


def key_info(change):
    """The sound certificate of an EC key with another SubjectPublicKeyInfo."""
    def patch(tbs):
        change(tbs[der.KEY])
    return patched(patch)


def off_the_curve(info):
    point = info[1].content
    info[1] = der.Node(0x03, point[:-1] + bytes([point[-1] ^ 1]))


def rsa_info(number, exponent):
    """An RSA key of such numbers in the place of the EC key."""
    def change(info):
        numbers = der.sequence(der.Node(0x02, number), der.Node(0x02, exponent))
        info[0] = der.sequence(der.oid("1.2.840.113549.1.1.1"), der.Node(0x05, b""))
        info[1] = der.Node(0x03, b"\0" + der.write(numbers))
    return key_info(change)


def pss_key(info):
    info[0] = der.sequence(der.oid("1.2.840.113549.1.1.10"))


def spoiled(leaf):
    return leaf[:-1] + bytes([leaf[-1] ^ 1])


# What there is to see, the alert, the reason in the log, and what makes chain and key of a World.
REFUSED = [
    # Who signed it
    ("of another CA", "unknown_ca", NOT_OURS, lambda w: w.other.leaf("alice")),
    ("of another CA, which is sent along", "unknown_ca", NOT_OURS,
     lambda w: ([w.other.leaf("alice")[0], w.other.der], key_of("p256 leaf"))),
    ("signed by itself", "unknown_ca", NOT_OURS, self_signed),
    ("of a CA with our name and another key", "unknown_ca", NOT_OURS,
     lambda w: w.impostor.leaf("alice")),
    ("of a CA with our name and another key, sent along", "unknown_ca", NOT_OURS,
     lambda w: ([w.impostor.leaf("alice")[0], w.impostor.der], key_of("p256 leaf"))),
    ("with a flipped bit in its signature", "unknown_ca", NOT_OURS, bytes_of(spoiled)),
    ("with an empty issuer", "bad_certificate", NOT_UNDERSTOOD, signed({"issuer_name": x509.Name([])})),
    ("of an intermediate that is not sent", "unknown_ca", NOT_OURS,
     lambda w: w.issuing.leaf("alice")),
    ("of an intermediate of another CA", "unknown_ca", NOT_OURS,
     lambda w: chained(Authority("Between", w.other))),
    ("signed by a leaf", "unknown_ca", NOT_OURS, leaf_as_authority),
    ("cross-signed, with the other CA's first", "unknown_ca", NOT_OURS,
     lambda w: cross_signed(w, False)),
    # When
    ("expired", "certificate_expired", "certificate expired",
     signed({"not_before": now() - 90 * DAY, "not_after": now() - 61 * DAY})),
    ("expired yesterday and revoked", "certificate_revoked", "certificate revoked",
     signed({**EXPIRED, "serial": REVOKED})),
    ("expired yesterday of another CA", "unknown_ca", NOT_OURS,
     lambda w: w.other.leaf("alice", **EXPIRED)),
    ("expired yesterday for servers", "unsupported_certificate", NO_PURPOSE,
     signed({**EXPIRED, "usages": [SERVER]})),
    ("expired yesterday of two names", "access_denied", NO_NAME,
     named(["alice", "admin"], **EXPIRED)),
    ("expired yesterday of an intermediate that has ended too", "certificate_expired",
     "certificate expired", lambda w: chained(w.below(**EXPIRED), **EXPIRED)),
    ("not yet valid", "certificate_expired", "certificate not yet valid",
     signed({"not_before": now() + DAY})),
    ("ending before it begins", "certificate_expired", "certificate expired",
     patched(all_of(set_time(0, utc_time("300101000000Z")),
                    set_time(1, utc_time("200101000000Z"))))),
    ("of 1950", "certificate_expired", "certificate expired",
     patched(all_of(set_time(0, utc_time("500101000000Z")),
                    set_time(1, utc_time("510101000000Z"))))),
    ("of a CA that has ended", "certificate_expired", "certificate expired",
     lambda w: w.ended.leaf("alice")),
    ("of an intermediate that has ended", "certificate_expired", "certificate expired",
     lambda w: chained(w.below(**EXPIRED))),
    ("of an intermediate of the future", "certificate_expired", "certificate not yet valid",
     lambda w: chained(w.below(not_before=now() + DAY))),
    ("of month 13", "bad_certificate", NOT_UNDERSTOOD,
     patched(set_time(1, utc_time("351301000000Z")))),
    ("of 30 February", "bad_certificate", NOT_UNDERSTOOD,
     patched(set_time(1, utc_time("350230000000Z")))),
    ("of a time with an offset", "bad_certificate", NOT_UNDERSTOOD,
     patched(set_time(1, utc_time("350101000000+0100")))),
    ("of a time with a fraction", "bad_certificate", NOT_UNDERSTOOD,
     patched(set_time(1, general_time("20350101000000.5Z")))),
    ("without an end", "bad_certificate", NOT_UNDERSTOOD,
     patched(lambda tbs: tbs[der.VALIDITY].content.pop())),
    # Revoked
    ("revoked", "certificate_revoked", "certificate revoked", signed({"serial": REVOKED})),
    ("of another name with a revoked serial", "certificate_revoked", "certificate revoked",
     named("till", serial=REVOKED)),
    ("of a revoked intermediate", "certificate_revoked", "certificate revoked",
     lambda w: chained(w.below(serial=REVOKED_AUTHORITY))),
    ("revoked by its intermediate", "certificate_revoked", "certificate revoked",
     lambda w: w.listed.leaf("alice", serial=REVOKED)),
    # The authority between
    ("of an intermediate that may not sign", "unknown_ca", NOT_OURS,
     lambda w: chained(w.below(usages=("crl_sign",)))),
    ("of an intermediate that is no CA", "unknown_ca", NOT_OURS,
     lambda w: chained(w.below(is_ca=False))),
    ("of an intermediate without basicConstraints", "unknown_ca", NOT_OURS,
     lambda w: chained(w.below(is_ca=None))),
    ("of an intermediate with empty basicConstraints", "unknown_ca", NOT_OURS,
     forged_basic(b"\x30\x00")),
    ("of an intermediate with an INTEGER for cA", "bad_certificate", NOT_UNDERSTOOD,
     forged_basic(b"\x30\x03\x02\x01\x01")),
    ("of an intermediate with two INTEGERs for cA", "bad_certificate", NOT_UNDERSTOOD,
     forged_basic(b"\x30\x06\x02\x01\x01\x02\x01\x00")),
    ("of an intermediate with bytes behind cA", "bad_certificate", NOT_UNDERSTOOD,
     forged_basic(b"\x30\x06\x01\x01\xff\x04\x01\x00")),
    ("of an intermediate with bytes behind basicConstraints", "bad_certificate", NOT_UNDERSTOOD,
     forged_basic(b"\x30\x03\x01\x01\xff\x05\x00")),
    ("of an intermediate with a long cA", "bad_certificate", NOT_UNDERSTOOD,
     forged_basic(b"\x30\x04\x01\x02\xff\xff")),
    ("of an intermediate with a negative path length", "bad_certificate", NOT_UNDERSTOOD,
     forged_basic(b"\x30\x06\x01\x01\xff\x02\x01\xff")),
    ("of an intermediate that is a SET of constraints", "bad_certificate", NOT_UNDERSTOOD,
     forged_basic(b"\x31\x03\x01\x01\xff")),
    ("of an intermediate of version 1", "unknown_ca", NOT_OURS,
     lambda w: chained(w.below(patch=as_version_1))),
    ("below a CA without room for intermediates", "unknown_ca", NOT_OURS,
     lambda w: chained(w.below(parent=w.flat))),
    ("below an intermediate without room for another", "unknown_ca", NOT_OURS,
     lambda w: chained(Authority("Below", w.issuing))),
    ("with two intermediates", "bad_certificate", TOO_LONG, lambda w: deep(w, 2)),
    ("with ten intermediates", "access_denied", TOO_LONG, lambda w: deep(w, 10)),
    ("of an intermediate with critical name constraints", "bad_certificate", NOT_UNDERSTOOD,
     lambda w: chained(w.below(extra=[(constraints(name(None, "Elsewhere")), True)]))),
    ("of an intermediate with name constraints", "bad_certificate", CONSTRAINED,
     lambda w: chained(w.below(extra=[(constraints(name(None, "Elsewhere")), False)]))),
    ("of a CA with name constraints", "bad_certificate", CONSTRAINED,
     lambda w: w.bounded.leaf("alice")),
    ("of an intermediate with an unknown critical extension", "bad_certificate", NOT_UNDERSTOOD,
     lambda w: chained(w.below(extra=[unknown(True)]))),
    # What for
    ("for nothing in particular", "unsupported_certificate", NO_PURPOSE,
     signed({"usages": None})),
    ("for servers", "unsupported_certificate", NO_PURPOSE, signed({"usages": [SERVER]})),
    ("for code", "unsupported_certificate", NO_PURPOSE,
     signed({"usages": [ExtendedKeyUsageOID.CODE_SIGNING]})),
    ("for any purpose", "unsupported_certificate", NO_PURPOSE,
     signed({"usages": [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]})),
    ("for an empty list of purposes", "bad_certificate", NOT_UNDERSTOOD,
     patched(der.set_extension(PURPOSE, b"\x30\x00"))),
    ("whose key may only encrypt", "unsupported_certificate", NOT_FOR_THIS,
     signed({"bits": ("key_encipherment",)})),
    ("whose key may only sign certificates", "unsupported_certificate", NOT_FOR_THIS,
     signed({"bits": ("key_cert_sign",)})),
    ("whose key may do nothing", "unsupported_certificate", NOT_FOR_THIS,
     patched(der.set_extension(USAGE, b"\x03\x02\x07\x00"))),
    ("of a CA", "unsupported_certificate", "certificate is a CA's, not a terminal's",
     signed({"basic": x509.BasicConstraints(True, None)})),
    ("with forged basicConstraints", "bad_certificate", NOT_UNDERSTOOD,
     basic(b"\x30\x03\x02\x01\x01")),
    ("with an unknown critical extension", "bad_certificate", NOT_UNDERSTOOD,
     signed({"extra": [unknown(True)]})),
    ("with critical name constraints", "bad_certificate", NOT_UNDERSTOOD,
     signed({"extra": [(constraints(name(None, "Club")), True)]})),
    ("with an extension twice", "bad_certificate", NOT_UNDERSTOOD, patched(twice(PURPOSE))),
    # How it is signed, and by what
    ("signed with SHA-1", "bad_certificate", STRANGE_SIGNATURE,
     signed({"digest": hashes.SHA1()})),
    ("signed with MD5", "bad_certificate", WEAK_HASH,
     lambda w: w.rsa.leaf("alice", digest=hashes.MD5(), patch=inside_algorithm(MD5_RSA),
                          outer=MD5_RSA)),
    ("of an intermediate signed with MD5", "bad_certificate", WEAK_HASH,
     lambda w: chained(w.below(parent=w.rsa, digest=hashes.MD5(),
                               patch=inside_algorithm(MD5_RSA), outer=MD5_RSA))),
    ("of an intermediate signed with SHA-1", "bad_certificate", STRANGE_SIGNATURE,
     lambda w: chained(w.below(digest=hashes.SHA1()))),
    ("signed in a way that differs inside", "bad_certificate", NOT_UNDERSTOOD,
     signed({"outer": SHA384_ECDSA})),
    ("signed with a hash that it does not name", "unknown_ca", NOT_OURS,
     patched(inside_algorithm(SHA384_ECDSA), outer=SHA384_ECDSA, digest=hashes.SHA256())),
    ("signed in an unknown way", "bad_certificate", STRANGE_SIGNATURE,
     patched(inside_algorithm(der.sequence(der.oid("1.3.101.112"))),
             outer=der.sequence(der.oid("1.3.101.112")))),
    ("with a key of RSA-1024", "unsupported_certificate", WEAK_KEY, of("rsa1024")),
    ("of a CA with a key of RSA-1024", "unsupported_certificate", WEAK_KEY,
     lambda w: w.weak.leaf("alice")),
    ("of an intermediate with a key of RSA-1024", "unsupported_certificate", WEAK_KEY,
     lambda w: chained(w.below(kind="rsa1024"))),
    ("with a key of P-521", "bad_certificate", STRANGE_KEY, of("p521")),
    ("with a key of secp256k1", "bad_certificate", STRANGE_KEY, of("secp256k1")),
    ("with a key of brainpoolP256r1", "bad_certificate", STRANGE_KEY, of("brainpool")),
    ("with a key of Ed25519", "bad_certificate", STRANGE_KEY,
     strange_key(ed25519.Ed25519PrivateKey.generate())),
    ("with a key of RSA-8192", "bad_certificate", STRANGE_KEY, large_rsa),
    ("with a key of RSA with the exponent 1", "bad_certificate", STRANGE_KEY,
     rsa_info(b"\0" + b"\xc1" * 256, b"\x01")),
    ("with a key of RSA of an even number", "bad_certificate", STRANGE_KEY,
     rsa_info(b"\0" + b"\xc0" * 256, b"\x01\x00\x01")),
    ("with a key of RSA for PSS alone", "bad_certificate", STRANGE_KEY,
     patched(lambda tbs: pss_key(tbs[der.KEY]), kind="rsa2048")),
    ("with a key off its curve", "bad_certificate", STRANGE_KEY, key_info(off_the_curve)),
    ("with a key at infinity", "bad_certificate", STRANGE_KEY,
     key_info(lambda info: info.content.__setitem__(1, der.Node(0x03, b"\0\0")))),
    ("with a key on a curve of its own", "bad_certificate", STRANGE_KEY,
     key_info(lambda info: info[0].content.__setitem__(1, der.sequence(der.Node(2, b"\1"))))),
    ("signed with PSS and SHA-1", "unknown_ca", NOT_OURS,
     lambda w: pss_signed(w, "sha1", 20)),
    # Whose
    ("without a name", "access_denied", NO_NAME, named(None)),
    ("of an empty subject", "access_denied", NO_NAME, signed({"subject": x509.Name([])})),
    ("of an empty name", "access_denied", NO_NAME, tagged(0x0c, b"")),
    ("of two names", "access_denied", NO_NAME, named(["alice", "admin"])),
    ("of the same name twice", "access_denied", NO_NAME, named(["alice", "alice"])),
    ("of two names in one part", "access_denied", NO_NAME, patched(two_values)),
    ("of a name with NUL", "access_denied", NO_NAME, tagged(0x0c, b"alice\0admin")),
    ("of a name that ends in NUL", "access_denied", NO_NAME, tagged(0x0c, b"alice\0")),
    ("of a name of UTF-8", "access_denied", NO_NAME, named("\u00e4lice")),
    ("of a name of broken UTF-8", "access_denied", NO_NAME, tagged(0x0c, b"alice\xc3")),
    ("of a name of Cyrillic letters", "access_denied", NO_NAME, named("\u0430lice")),
    ("of a name with a capital", "access_denied", NO_NAME, named("Alice")),
    ("of a name of 32 bytes", "access_denied", NO_NAME, named("a" * 32)),
    ("of a name of 65 bytes", "access_denied", NO_NAME, tagged(0x0c, b"a" * 65)),
    ("of a name of 300 bytes", "access_denied", NO_NAME, tagged(0x0c, b"a" * 300)),
    ("of a name behind a blank", "access_denied", NO_NAME, tagged(0x0c, b" alice")),
    ("of a name before a blank", "access_denied", NO_NAME, tagged(0x0c, b"alice ")),
    ("of a name with a line end", "access_denied", NO_NAME, tagged(0x0c, b"alice\n")),
    ("of a name with an escape", "access_denied", NO_NAME, tagged(0x0c, b"alice\x1b[2J")),
    ("of a name of two-byte letters", "access_denied", NO_NAME,
     tagged(0x1e, "alice".encode("utf-16-be"))),
    ("of a name of four-byte letters", "access_denied", NO_NAME,
     tagged(0x1c, "alice".encode("utf-32-be"))),
    ("of a name of bits", "access_denied", NO_NAME, tagged(0x03, b"\0alice")),
    ("of a name that is a number", "bad_certificate", NOT_UNDERSTOOD, tagged(0x02, b"\x05")),
    ("of a name in the SAN alone", "access_denied", NO_NAME,
     named(None, extra=[(x509.SubjectAlternativeName([x509.DNSName("alice")]), False)])),
    ("of a path for a name", "access_denied", NO_NAME, named("../alice")),
    # Its form
    ("with a serial of 21 bytes", "bad_certificate", "certificate's serial number is too long",
     patched(der.set_node(der.SERIAL, der.Node(0x02, b"\x01" * 21)))),
    ("with a serial of 300 bytes", "bad_certificate", "certificate's serial number is too long",
     patched(der.set_node(der.SERIAL, der.Node(0x02, b"\x01" * 300)))),
    ("with an empty serial", "bad_certificate", "certificate has no serial number",
     patched(der.set_node(der.SERIAL, der.Node(0x02, b"")))),
    ("without a serial", "bad_certificate", NOT_UNDERSTOOD,
     patched(lambda tbs: tbs.content.pop(der.SERIAL))),
    ("of version 1", "unsupported_certificate", NO_PURPOSE, patched(as_version_1)),
    ("of version 3 without extensions", "unsupported_certificate", NO_PURPOSE,
     patched(without_extensions)),
    ("of version 4", "unsupported_certificate", NOT_UNDERSTOOD,
     patched(der.set_node(der.VERSION, der.Node(0xa0, [der.Node(0x02, b"\x03")])))),
    ("with bytes behind its extensions", "bad_certificate", NOT_UNDERSTOOD,
     patched(lambda tbs: tbs.content.append(der.Node(0x05, b"")))),
    ("with a number among its extensions", "bad_certificate", NOT_UNDERSTOOD,
     patched(extra_behind)),
    ("with an endless length", "bad_certificate", NOT_UNDERSTOOD,
     patched(raw_size(der.SUBJECT, b"\x80"))),
    ("with a length beyond its end", "bad_certificate", NOT_UNDERSTOOD,
     patched(raw_size(der.SUBJECT, b"\x82\x7f\xff"))),
    ("with a length of 5 bytes", "bad_certificate", NOT_UNDERSTOOD,
     patched(raw_size(der.SUBJECT, b"\x85\x00\x00\x00\x00\x1f"))),
    ("cut short", "bad_certificate", NOT_UNDERSTOOD, bytes_of(lambda leaf: leaf[:-1])),
    ("of zeros", "bad_certificate", NOT_UNDERSTOOD, bytes_of(lambda leaf: bytes(400))),
    ("in PEM", "bad_certificate", NOT_UNDERSTOOD,
     bytes_of(lambda leaf: der.pem("CERTIFICATE", leaf).encode())),
    ("of 127 bytes", "decode_error", GARBLED, bytes_of(lambda leaf: leaf[:127])),
    ("of 20 KiB", "illegal_parameter", TOO_LARGE,
     signed({"extra": [(x509.UnrecognizedExtension(UNKNOWN, bytes(20000)), False)]})),
]

ACCEPTED = [
    ("with a key of P-256", lambda w: w.root.leaf("alice")),
    ("with a key of P-384", of("p384")),
    ("of a CA with a key of P-384", lambda w: w.p384.leaf("alice")),
    ("with a key of RSA-2048", of("rsa2048")),
    ("with a key of RSA-3072", of("rsa3072")),
    ("with a key of RSA-4096", of("rsa4096")),
    ("of a CA with a key of RSA-2048", lambda w: w.rsa.leaf("alice")),
    ("signed with PSS", pss_signed),
    ("signed with SHA-512", signed({"digest": hashes.SHA512()})),
    ("of the first of two CAs of one name", lambda w: w.twin.leaf("alice")),
    ("of the second of two CAs of one name", lambda w: w.twin_new.leaf("alice")),
    ("of a CA of version 1", lambda w: w.old.leaf("alice")),
    ("of an intermediate", lambda w: chained(w.issuing)),
    ("of an intermediate that we have", lambda w: w.listed.leaf("alice")),
    ("with our CA sent along", lambda w: ([w.root.leaf("alice")[0], w.root.der],
                                          key_of("p256 leaf"))),
    ("with others sent along",
     lambda w: ([w.root.leaf("alice")[0], w.other.der, w.issuing.der], key_of("p256 leaf"))),
    ("cross-signed, with ours first", lambda w: cross_signed(w, True)),
    ("for servers and clients", signed({"usages": [SERVER, CLIENT]})),
    ("without keyUsage", signed({"bits": None})),
    ("without basicConstraints", signed({"basic": None})),
    ("with an unknown extension", signed({"extra": [unknown(False)]})),
    ("with other names in the SAN", signed({"extra": [(x509.SubjectAlternativeName(
        [x509.UniformResourceIdentifier("urn:terminal:admin"), x509.DNSName("admin")]), False)]})),
    ("of a name of printable letters", tagged(0x13, b"alice")),
    ("of a name of IA5 letters", tagged(0x16, b"alice")),
    ("of a name of T.61 letters", tagged(0x14, b"alice")),
    ("of a subject with more in it", signed({"subject": x509.Name([
        x509.NameAttribute(NameOID.COUNTRY_NAME, "AT"),
        x509.NameAttribute(NameOID.COMMON_NAME, "alice"),
        x509.NameAttribute(NameOID.EMAIL_ADDRESS, "admin@example.org")])})),
    ("with the serial 0", patched(der.set_node(der.SERIAL, der.Node(0x02, b"\0")))),
    ("with a negative serial", patched(der.set_node(der.SERIAL, der.Node(0x02, b"\xfa")))),
    ("with a serial of 20 bytes", patched(der.set_node(der.SERIAL, der.Node(0x02, b"\x7f" * 20)))),
    ("with the serial of a revoked one of another CA",
     lambda w: w.rsa.leaf("alice", serial=REVOKED)),
    ("with the serial of another one", signed({"serial": 0x4242})),
    ("with the serial of another one again", signed({"serial": 0x4242})),
    ("of the same name with another key", of("p256 second")),
    ("of another name with the same key", lambda w: w.root.leaf("alice", subject=name("alice"))),
    ("of a name that is reserved for an account", named("cash")),
    ("of a name of 31 bytes", named("a" * 31)),
    ("since 1950", patched(set_time(0, general_time("19500101000000Z")))),
    ("until the end of 9999", patched(set_time(1, general_time("99991231235959Z")))),
    ("with a length that is longer than need be",
     patched(raw_size(der.VALIDITY, b"\x82\x00\x1e"))),
    ("until a time without a zone", patched(set_time(1, utc_time("350101000000")))),
    # The library takes what the first length says and leaves the rest, which nobody reads.
    ("with bytes behind it", bytes_of(lambda leaf: leaf + b"\0")),
]


class Certificates(unittest.TestCase):
    """One server; each row is a test of its own."""

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.bank = door(pem_of("CERTIFICATE", *[one.der for one in cls.world.ours()]),
                        pem_of("X509 CRL", *cls.world.lists()))
        cls.addClassCleanup(cls.bank.close)

    def test_one_that_expired_yesterday_is_let_in_to_renew_it_alone(self):
        with Tls13((self.bank.host, self.bank.port)) as peer:
            peer.hello().answer(*self.made(signed(EXPIRED)))
            self.assertRegex(peer.ask(command("TIME"), 4).plain, b"^-")

    def made(self, make):
        chain, key = make(self.world)
        return (chain if isinstance(chain, list) else [chain]), key


def door(authorities, lists, settings=()):
    """A running bank that trusts these and nobody else."""
    bank = Bank(start=False, settings=["server.penalty-exempt=127.0.0.0/8", *settings])
    try:
        for path, text in ((bank.ca(), authorities), (bank.path("certs", "crl.pem"), lists)):
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
        bank.start()
    except BaseException:
        bank.close()
        raise
    return bank


def refusal(bank, chain, key, **options):
    """What a client with this chain is told, and what the log says."""
    with Tls13((bank.host, bank.port)) as peer:
        peer.hello()
        outcome = peer.answer(chain, key, **options).ask(command("TIME"))
        local = peer.local()
    return outcome, why_ended(bank, local)  # It lingers for as long as the client does.


class Proof(unittest.TestCase):
    """A sound certificate in an answer that is not."""

    @classmethod
    def setUpClass(cls):
        cls.root = Authority("Root")
        cls.leaf, cls.key = cls.root.leaf("alice")
        cls.bank = door(pem_of("CERTIFICATE", cls.root.der), pem_of("X509 CRL", cls.root.crl()))
        cls.addClassCleanup(cls.bank.close)

    def assert_refused(self, alert, reason, chain=None, key=None, keys="application", **options):
        outcome, why = refusal(self.bank, [self.leaf] if chain is None else chain,
                               key or self.key, **options)
        self.assertEqual((outcome, why), ((alert, keys, b"", "closed"), reason))

    def assert_accepted(self, chain, key, **options):
        with Tls13((self.bank.host, self.bank.port)) as peer:
            peer.hello().answer(chain, key, **options)
            self.assertEqual(peer.ask(command("TIME"), 4).plain[:4], b"*2\r\n")

    def test_with_another_key(self):
        self.assert_refused("decrypt_error", NOT_THE_KEY, key=key_of("p256 mallory"))

    def test_with_another_key_for_each_kind(self):
        for kind in ("p384", "rsa2048"):
            leaf, _ = self.root.leaf("alice", kind=kind)
            with self.subTest(kind):
                self.assert_refused("decrypt_error", NOT_THE_KEY, [leaf],
                                    key_of(f"{kind} mallory"))

    def test_with_the_certificate_of_somebody_else_in_front(self):
        mine, key = self.root.leaf("mallory", kind="p256 mallory")
        self.assert_refused("decrypt_error", NOT_THE_KEY, [self.leaf, mine], key)

    def test_with_one_in_front_that_is_passed_over(self):
        """What is signed in an unknown way is not read, and the next one is the client's."""
        odd, key = self.root.leaf("mallory", kind="p256 mallory", digest=hashes.SHA1())
        self.assert_refused("decrypt_error", NOT_THE_KEY, [odd, self.leaf], key)

    def test_over_another_handshake(self):
        self.assert_refused("decrypt_error", NOT_THE_KEY,
                            key=lambda text: tls13.sign_verify(self.key, text + b"x"))

    def test_over_a_servers_text(self):
        self.assert_refused("decrypt_error", NOT_THE_KEY, key=lambda text: tls13.sign_verify(
            self.key, text.replace(b"client", b"server")))

    def test_by_a_scheme_that_was_not_offered(self):
        for scheme in (0x0203, 0x0201, tls13.PKCS1_SHA256, tls13.ED25519, 0x0000, 0xffff):
            with self.subTest(hex(scheme)):
                self.assert_refused("decrypt_error", NOT_THE_KEY, key=lambda text: (
                    scheme, tls13.sign_verify(self.key, text)[1]))

    def test_by_a_scheme_that_is_for_older_versions(self):
        """The library offers it for certificates and takes it here too. It proves as much."""
        leaf, key = self.root.leaf("alice", kind="rsa2048")
        self.assert_accepted([leaf], lambda text:
                             tls13.sign_verify(key, text, tls13.PKCS1_SHA256))
        self.assert_accepted([self.leaf], lambda text: (
            tls13.ECDSA_P384, self.key.sign(text, ec.ECDSA(hashes.SHA384()))))

    def test_by_no_bytes_and_by_zeros(self):
        for signature in (b"", bytes(8), der.write(der.sequence(der.Node(2, b"\0"),
                                                                der.Node(2, b"\0")))):
            with self.subTest(len(signature)):
                self.assert_refused("decrypt_error", NOT_THE_KEY,
                                    key=lambda text: (tls13.ECDSA_P256, signature))

    def test_without_a_certificate(self):
        outcome, why = refusal(self.bank, [], None)
        self.assertEqual(outcome, ("certificate_required", "application", b"", "closed"))
        self.assertEqual(why, "no certificate")

    def test_without_the_message_of_the_certificate(self):
        self.assert_refused("unexpected_message", "a message came out of turn",
                            leave_out=(tls13.CERTIFICATE,))

    def test_without_a_proof(self):
        self.assert_refused("unexpected_message", "a message came out of turn",
                            leave_out=(tls13.VERIFY,))

    def test_without_an_end(self):
        self.assert_refused("bad_record_mac", "a record was altered on its way",
                            leave_out=(tls13.FINISHED,))

    def test_with_an_end_that_does_not_fit(self):
        self.assert_refused("decrypt_error", "the end of the handshake does not fit its beginning",
                            spoil=b"\1")

    def test_in_a_message_that_is_none(self):
        entry = tls13.vector(3, self.leaf)
        for what, alert, body in (
                ("a context", "decode_error", b"\1x" + tls13.vector(3, entry + b"\0\0")),
                ("a list too long", "decode_error", b"\0\0\xff\xff" + entry + b"\0\0"),
                ("bytes behind", "decode_error", b"\0" + tls13.vector(3, entry + b"\0\0") + b"x"),
                ("no room for extensions", "decode_error", b"\0" + tls13.vector(3, entry)),
                ("an entry of nothing", "decode_error",
                 b"\0" + tls13.vector(3, b"\0\0\0\0\0")),
                ("an extension not asked for", "unsupported_extension", b"\0" + tls13.vector(
                    3, entry + tls13.vector(2, tls13.extension(5, b"\1\0\0\0"))))):
            with self.subTest(what):
                self.assert_refused(alert, GARBLED, certificate=body)

    def test_in_records_of_any_size(self):
        for piece in (4, 5, 100, 16000):
            with self.subTest(piece):
                self.assert_accepted([self.leaf], self.key, piece=piece)

    def test_in_records_that_cut_the_head_of_a_message(self):
        """The library does not take it."""
        for piece in (1, 2, 3):
            with self.subTest(piece):
                self.assert_refused("unexpected_message", "not a TLS record", piece=piece)

    def test_too_long_in_records_of_any_size(self):
        large, key = self.root.leaf("alice", extra=[
            (x509.UnrecognizedExtension(UNKNOWN, bytes(40000)), False)])
        for piece in (1000, 4096, 16000, 16384):
            with self.subTest(piece):
                self.assert_refused("illegal_parameter", TOO_LARGE, [large], key, piece=piece)

    def test_with_fifty_certificates_behind_it(self):
        chain = [self.leaf, *[Authority(f"Between {n}", self.root, kind="p256").der
                              for n in range(50)]]
        self.assert_refused("illegal_parameter", TOO_LARGE, chain)


class Lists(unittest.TestCase):
    """What a revocation list must be, so that whoever it does not name is let in."""

    @classmethod
    def setUpClass(cls):
        cls.root, cls.other = Authority("Root"), Authority("Other Root")
        cls.silent = Authority("Silent Root", usages=("key_cert_sign",))
        cls.issuing = Authority("Issuing", cls.root, path_length=0)
        make_keys("rsa2048 RSA Root")
        cls.rsa = Authority("RSA Root", kind="rsa2048")
        cls.bank = door(pem_of("CERTIFICATE", cls.root.der, cls.silent.der, cls.rsa.der),
                        pem_of("X509 CRL", cls.root.crl()))
        cls.addClassCleanup(cls.bank.close)

    def begin(self, text):
        if self.bank.process is not None:
            self.bank.kill()
        with open(self.bank.path("certs", "crl.pem"), "w", encoding="ascii") as file:
            file.write(text)

    def serve(self, *lists):
        self.begin(pem_of("X509 CRL", *lists))
        self.bank.start()

    def assert_in(self, authority, **options):
        with Tls13((self.bank.host, self.bank.port)) as peer:
            peer.hello().answer(*chained(authority, **options))
            self.assertEqual(peer.ask(command("TIME"), 4).plain[:4], b"*2\r\n")

    def assert_out(self, authority, reason, alert="certificate_unknown", **options):
        outcome, why = refusal(self.bank, *chained(authority, **options))
        self.assertEqual((outcome, why), ((alert, "application", b"", "closed"), reason))

    def test_the_list_of_another_time(self):
        for last, after, reason in ((now() - 9 * DAY, now() - DAY, "revocation list expired"),
                                    (now() + DAY, now() + 9 * DAY,
                                     "revocation list not yet valid")):
            with self.subTest(reason):
                self.serve(self.root.crl(last=last, after=after))
                self.assert_out(self.root, reason)
                self.assert_out(self.issuing, reason)
                self.assert_in(self.silent)

    def test_a_list_without_an_end(self):
        self.serve(self.root.crl(patch=lambda tbs: tbs.content.pop(4)))
        self.assert_out(self.root, "revocation list expired")

    def test_a_list_that_somebody_else_signed(self):
        reason = "revocation list not signed by our CA"
        for what, made in (("another key", self.root.crl(signer=self.other.key)),
                           ("a flipped bit", spoiled(self.root.crl())),
                           ("an altered row", self.root.crl([0x1234]).replace(b"\x12\x34",
                                                                              b"\x12\x35"))):
            with self.subTest(what):
                self.serve(made)
                self.assert_out(self.root, reason)
                self.assert_out(self.root, "certificate expired", "certificate_expired", **EXPIRED)

    def test_a_list_of_a_ca_that_may_not_sign_lists(self):
        self.serve(self.silent.crl())
        self.assert_out(self.silent, "revocation list not signed by our CA")
        self.assert_in(self.root)

    def test_a_list_signed_with_a_weak_hash(self):
        def md5(tbs):
            tbs[1] = MD5_RSA

        made = self.rsa.crl()
        self.serve(pki.patched(made, md5, self.rsa.key, hashes.MD5(), MD5_RSA))
        self.assert_out(self.rsa, "revocation list is signed with a hash that is too weak")

    def test_lists_that_keep_the_server_from_starting(self):
        sound = pem_of("X509 CRL", self.root.crl())
        delta = der.sequence(der.sequence(der.oid("2.5.29.27"), der.Node(0x01, b"\xff"),
                                          der.Node(0x04, b"\x02\x01\x01")))

        def sha1(tbs):
            tbs[1] = SHA1_ECDSA

        for what, text in (
                ("of another CA", pem_of("X509 CRL", self.other.crl())),
                ("of another CA with our name behind ours", sound + pem_of(
                    "X509 CRL", self.other.crl(issuer=name("Somebody")))),
                ("empty", ""), ("of no list", "nothing\n"),
                ("cut", sound[:-60]), ("of noise", pem_of("X509 CRL", bytes(200))),
                ("that changes another", pem_of("X509 CRL", self.root.crl(
                    patch=lambda tbs: tbs.content.append(der.Node(0xa0, [delta]))))),
                ("signed with SHA-1", pem_of("X509 CRL", pki.patched(
                    self.root.crl(), sha1, self.root.key, hashes.SHA1(), SHA1_ECDSA)))):
            with self.subTest(what):
                self.begin(text)
                code, said = self.bank.refused_start()
                self.assertEqual(code, 1, said)
                self.assertRegex(said, "revocation list|[Cc][Rr][Ll]")

    def test_a_list_that_is_not_there(self):
        self.begin("")
        os.unlink(self.bank.path("certs", "crl.pem"))
        code, said = self.bank.refused_start()
        self.assertEqual(code, 1, said)
        self.assertIn("crl.pem", said)

    def test_rows_of_several_lists_count_together(self):
        self.serve(self.root.crl([1, 2, 3]), self.root.crl(range(4, 300)), self.silent.crl([5]))
        for serial in (1, 3, 4, 299):
            self.assert_out(self.root, "certificate revoked", "certificate_revoked", serial=serial)
        self.assert_in(self.root, serial=300)

    def test_a_ca_without_a_list_revokes_nobody(self):
        """Its certificates are judged by all else."""
        self.serve(self.root.crl([7]))
        self.assert_in(self.silent, serial=7)
        self.assert_in(self.issuing, serial=7)
        self.assert_out(self.root, "certificate revoked", "certificate_revoked", serial=7)

    def test_the_list_of_an_intermediate(self):
        self.begin(pem_of("X509 CRL", self.root.crl(), self.issuing.crl([7])) +
                   pem_of("CERTIFICATE", self.issuing.der))
        self.bank.start()
        self.assert_out(self.issuing, "certificate revoked", "certificate_revoked", serial=7)
        self.assert_in(self.issuing, serial=8)
        self.assert_in(self.root, serial=7)


class Clients(unittest.TestCase):
    """The same with clients of others, in both versions: what people will see."""

    WANTED = (  # what OpenSSL calls the alert, the reason, the chain and its key
        ("unknown ca", NOT_OURS, lambda w: w.other.leaf("alice")),
        ("certificate expired", "certificate expired",
         signed({"not_before": now() - 90 * DAY, "not_after": now() - 61 * DAY})),
        ("certificate expired", "certificate not yet valid", signed({"not_before": now() + DAY})),
        ("certificate revoked", "certificate revoked", signed({"serial": REVOKED})),
        ("unsupported certificate", NO_PURPOSE, signed({"usages": None})),
        ("unsupported certificate", "certificate is a CA's, not a terminal's",
         signed({"basic": x509.BasicConstraints(True, None)})),
        ("access denied", NO_NAME, named("Alice")),
        ("bad certificate", TOO_LONG, lambda w: deep(w, 2)),
        ("bad certificate", NOT_UNDERSTOOD, signed({"extra": [unknown(True)]})),
    )

    @classmethod
    def setUpClass(cls):
        cls.world = World()
        cls.bank = door(pem_of("CERTIFICATE", *[one.der for one in cls.world.ours()]),
                        pem_of("X509 CRL", *cls.world.lists()), ["listener tls.tls-min=1.2"])
        cls.addClassCleanup(cls.bank.close)

    def files(self, make):
        """The paths of a chain and its key in PEM."""
        chain, key = make(self.world)
        paths = []
        for end, text in ((".crt", pem_of("CERTIFICATE", *(
                chain if isinstance(chain, list) else [chain]))), (".key", pem_of_key(key))):
            paths.append(os.path.join(self.bank.folder, f"client{end}"))
            with open(paths[-1], "w", encoding="ascii") as file:
                file.write(text)
        return paths

    def context(self, version):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # It is the server's turn to judge.
        context.minimum_version = context.maximum_version = version
        return context

    def told(self, context):
        """What the library says of its end, and what the log does."""
        with TlsBytes(self.bank, source=next(tls13.sources), context=context) as peer:
            while peer.error is None and not peer.ended:
                peer.send()
                if not peer.take():
                    break
            local = peer.local()
        self.assertEqual(peer.plain, b"")
        return str(peer.error).lower().replace("_", " "), why_ended(self.bank, local)

    def test_python_in_both_versions(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for alert, reason, make in self.WANTED:
                with self.subTest(version=version.name, reason=reason):
                    context = self.context(version)
                    context.load_cert_chain(*self.files(make))
                    said, why = self.told(context)
                    self.assertIn(f"alert {alert}", said)
                    self.assertEqual(why, reason)

    def test_python_without_a_certificate(self):
        for version, alert in ((ssl.TLSVersion.TLSv1_2, "handshake failure"),
                               (ssl.TLSVersion.TLSv1_3, "certificate required")):
            with self.subTest(version.name):
                said, why = self.told(self.context(version))
                self.assertIn(f"alert {alert}", said)
                self.assertEqual(why, "no certificate")

    def test_the_openssl_program_in_both_versions(self):
        for version, rows in (("-tls1_2", self.WANTED[:2]), ("-tls1_3", self.WANTED[:5])):
            for alert, reason, make in rows:
                with self.subTest(version=version, reason=reason):
                    certificate_path, key_path = self.files(make)
                    done = run(["openssl", "s_client", "-quiet", version, "-connect",
                                f"{self.bank.host}:{self.bank.port}", "-cert", certificate_path,
                                "-cert_chain", certificate_path, "-key", key_path],
                               expect=None, stdin=None, input="PING\r\n")
                    self.assertIn(f"alert {alert}", done.stderr.lower())
                    self.assertEqual(done.stdout, "")

    def test_both_let_a_sound_one_in(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = self.context(version)
            context.load_cert_chain(*self.files(lambda w: chained(w.issuing)))
            with TlsBytes(self.bank, context=context) as peer, self.subTest(version.name):
                peer.shake()
                peer.say(command("TIME"))
                self.assertEqual(peer.listen(4)[:4], b"*2\r\n")


def slug(text):
    return "".join(letter if letter.isalnum() else "_" for letter in text.lower())


def add_rows():
    def refused(alert, reason, make):
        def test(self):
            outcome, why = refusal(self.bank, *self.made(make))
            self.assertEqual((outcome.alert, why), (alert, reason))
            self.assertEqual(outcome, (alert, "application", b"", "closed"))
        return test

    def accepted(make):
        def test(self):
            with Tls13((self.bank.host, self.bank.port)) as peer:
                peer.hello().answer(*self.made(make))
                outcome = peer.ask(command("TIME"), 4)
                local = peer.local()
            self.assertEqual((outcome.alert, outcome.plain[:4]), (None, b"*2\r\n"),
                             self.bank.log()[-300:])
            self.assertRegex(self.bank.log(), f"from {local} terminal (alice|cash|a{{31}}) serial ")
        return test

    for what, alert, reason, make in REFUSED:
        setattr(Certificates, f"test_refuses_one_{slug(what)}", refused(alert, reason, make))
    for what, make in ACCEPTED:
        setattr(Certificates, f"test_accepts_one_{slug(what)}", accepted(make))


add_rows()

if __name__ == "__main__":
    unittest.main()

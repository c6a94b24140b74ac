"""pki.py - certificates and revocation lists made without our writer, sound ones and others.

    root = Authority("Club")                       # a CA of its own, P-256
    leaf, key = root.leaf("alice")                 # DER, and its key
    root.leaf("alice", usages=None, not_after=now)  # but for one property
    root.leaf("alice", patch=lambda tbs: ...)      # python3-cryptography refuses to make it

python3-cryptography makes each certificate. What it refuses to make is patched into the DER of a
sound one (der.py), which the issuer signs again.
"""

import datetime
import functools
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

import der

HOUR = datetime.timedelta(hours=1)
DAY = datetime.timedelta(days=1)
CLIENT, SERVER = ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH

KEY_USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
              "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")


def now():
    return datetime.datetime.utcnow().replace(microsecond=0)


@functools.lru_cache(None)
def key_of(kind):
    """One key of a kind that is made once, such as "p256", "rsa2048" or "p256 other"."""
    word = kind.split()[0]
    curves = {"p256": ec.SECP256R1, "p384": ec.SECP384R1, "p521": ec.SECP521R1,
              "secp256k1": ec.SECP256K1, "brainpool": ec.BrainpoolP256R1}
    if word in curves:
        return ec.generate_private_key(curves[word]())
    return rsa.generate_private_key(65537, int(word[3:]))


def make_keys(*kinds):
    """Makes keys side by side; the large ones take a second."""
    threads = [threading.Thread(target=key_of, args=(kind,)) for kind in kinds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def name(common, organisation="Club"):
    """O and CN, either of which may be missing, or a list of common names."""
    parts = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation)] if organisation else []
    if common is not None:
        for one in [common] if isinstance(common, str) else common:
            parts.append(x509.NameAttribute(NameOID.COMMON_NAME, one))
    return x509.Name(parts)


def key_usage(*words):
    return x509.KeyUsage(**{word: word in words for word in KEY_USAGES})


def der_of(certificate):
    return certificate.public_bytes(serialization.Encoding.DER)


def pem_of(kind, *many):
    return "".join(der.pem(kind, one) for one in many)


def pem_of_key(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


def own_digest(key):
    return hashes.SHA384() if getattr(key.curve, "name", "") == "secp384r1" else hashes.SHA256()


def sign(key, text, digest=None):
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(text, padding.PKCS1v15(), digest or hashes.SHA256())
    return key.sign(text, ec.ECDSA(digest or own_digest(key)))


def patched(made, patch, key, digest=None, outer=None):
    """The certificate or list after `patch` has changed its tree of what is signed, signed again.
    `outer` is the tree of the algorithm outside, where it is to differ from the one inside."""
    tree = der.read(made)
    if patch:
        patch(tree[0])
    text = der.write(tree[0])
    algorithm = outer or tree[1]
    return der.write(der.Node(0x30, [der.raw(text), algorithm,
                                     der.Node(0x03, b"\0" + sign(key, text, digest))]))


class Authority:
    """A CA: its name, its key and its certificate in DER."""

    def __init__(self, common, parent=None, kind="p256", path_length=None, usages=True,
                 organisation="Club", is_ca=True, extra=(), chain=(), **options):
        self.common = common
        self.kind = kind
        self.name = name(common, organisation)
        self.key = key_of(f"{kind} {common}")
        self.serials = iter(range(0x5000, 0x10000))
        signer = parent or self
        extensions = []
        if is_ca is not None:
            extensions.append((x509.BasicConstraints(is_ca, path_length if is_ca else None), True))
        if usages:
            usages = ("key_cert_sign", "crl_sign") if usages is True else usages
            extensions.append((key_usage(*usages), True))
        self.der = certificate(signer, self.name, self.key.public_key(),
                               extensions=[*extensions, *extra], **options)
        # What a client sends behind its own certificate: nothing that the server has already.
        self.chain = [self.der, *(parent.chain if parent else ())] if parent else []
        self.chain += chain

    def leaf(self, common, kind="p256", usages=(CLIENT,), bits=("digital_signature",),
             basic=x509.BasicConstraints(False, None), extra=(), subject=None, key=None,
             **options):
        """The certificate of a terminal in DER, and its key."""
        key = key or key_of(f"{kind} leaf")
        extensions = [(basic, True)] if basic else []
        if bits:
            extensions.append((key_usage(*bits), True))
        if usages:
            extensions.append((x509.ExtendedKeyUsage(usages), False))
        return certificate(self, name(common) if subject is None else subject, key.public_key(),
                           extensions=[*extensions, *extra], **options), key

    def crl(self, revoked=(), last=None, after=None, signer=None, issuer=None, patch=None):
        """A revocation list in DER; `signer` is the key of somebody else, `issuer` another name."""
        builder = (x509.CertificateRevocationListBuilder().issuer_name(issuer or self.name)
                   .last_update(last or now() - HOUR).next_update(after or now() + 30 * DAY))
        for serial in revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(serial)
                .revocation_date(now() - HOUR).build())
        key = signer or self.key
        made = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
        return patched(made, patch, key) if patch else made


def certificate(issuer, subject, public, extensions=(), serial=None, not_before=None,
                not_after=None, issuer_name=None, signer=None, digest=None, patch=None,
                outer=None):
    """One certificate in DER. Without options it is as it should be."""
    signer = signer or issuer.key
    builder = (x509.CertificateBuilder().subject_name(subject)
               .issuer_name(issuer.name if issuer_name is None else issuer_name).public_key(public)
               .serial_number(serial or next(issuer.serials))
               .not_valid_before(not_before or now() - DAY)
               .not_valid_after(not_after or now() + 300 * DAY))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    is_ec = isinstance(signer, ec.EllipticCurvePrivateKey)
    made = der_of(builder.sign(signer, digest or (own_digest(signer) if is_ec
                                                  else hashes.SHA256())))
    return patched(made, patch, signer, digest, outer) if patch or outer else made

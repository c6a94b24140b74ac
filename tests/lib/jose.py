"""jose.py - keys, signatures and envelopes by python3-jwcrypto, the other side of penny's and
pennyd's own.
"""

import json

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwcrypto import jwe, jwk, jws

TIME = "2026-11-21T13:08:57.426Z"


def make_key(bits=3072):
    """A private key as PEM, and as jwcrypto has it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                            serialization.NoEncryption())
    return pem, jwk.JWK.from_pem(pem)


def public(key):
    return jwk.JWK.from_json(key.export_public())


def sign(key, payload, alg="PS256", **header):
    if isinstance(payload, dict):
        payload = json.dumps(payload)
    token = jws.JWS(payload)
    token.allowed_algs = ["PS256", "PS384", "RS256", "HS256", "none"]
    token.add_signature(key, alg, json.dumps({"alg": alg, **header}))
    return token.serialize(compact=True)


def seal(key, text, alg="RSA-OAEP-256", enc="A256GCM", **header):
    token = jwe.JWE(text, json.dumps({"alg": alg, "enc": enc, **header}))
    token.allowed_algs = ["RSA-OAEP-256", "RSA-OAEP", "A256GCM", "A128GCM", "A256CBC-HS512"]
    token.add_recipient(public(key))
    return token.serialize(compact=True)


def opened(envelope, reader, signer):
    """What is signed in an envelope, of which both layers must be as they should."""
    outer = jwe.JWE()
    outer.allowed_algs = ["RSA-OAEP-256", "A256GCM"]
    outer.deserialize(envelope, reader)
    assert outer.jose_header["cty"] == "JWT", outer.jose_header
    inner = jws.JWS()
    inner.allowed_algs = ["PS256"]
    inner.deserialize(outer.payload.decode(), public(signer))
    return json.loads(inner.payload)


def letter(sender, recipient, key, to_key, id, text="hello", **changes):
    """An envelope from one person to another, as a program of somebody else would make it."""
    whole = {"from": sender, "to": recipient, "id": id, "time": TIME, "text": text, **changes}
    return seal(to_key, sign(key, whole), cty="JWT")

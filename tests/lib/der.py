"""der.py - a tree of DER (X.690) that can be changed and written again, also into what is none.

    tree = read(certificate)
    tree[0][1] = Node(0x02, b"\\0")        # the serial number
    write(tree)

    0x30 SEQUENCE   0x31 SET   0x02 INTEGER   0x03 BIT STRING   0x04 OCTET STRING   0x06 OID
    0x0c UTF8String 0x13 PrintableString 0x17 UTCTime 0x18 GeneralizedTime 0xa3 [3]
"""

import base64
import textwrap


class Node:
    """`content` is a list of nodes, or bytes. `size` is written in place of the true length."""

    def __init__(self, tag, content, size=None):
        self.tag = tag
        self.content = content
        self.size = size

    def __getitem__(self, index):
        return self.content[index]

    def __setitem__(self, index, node):
        self.content[index] = node

    def __len__(self):
        return len(self.content)


class Raw(Node):
    """Bytes that are written as they are."""


def raw(data):
    return Raw(None, data)


def read(data):
    node, rest = _read(data)
    if rest:
        raise ValueError(f"{len(rest)} bytes behind the tree")
    return node


def _read(data):
    tag, size, at = data[0], data[1], 2
    if size >= 0x80:
        at += size & 0x7f
        size = int.from_bytes(data[2:at], "big")
    content, rest = data[at:at + size], data[at + size:]
    if not tag & 0x20:
        return Node(tag, content), rest
    nodes = []
    while content:
        node, content = _read(content)
        nodes.append(node)
    return Node(tag, nodes), rest


def length(size):
    if size < 0x80:
        return bytes([size])
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(digits)]) + digits


def write(node):
    if isinstance(node, Raw):
        return node.content
    content = node.content
    if isinstance(content, list):
        content = b"".join(write(one) for one in content)
    size = length(len(content)) if node.size is None else node.size
    return bytes([node.tag]) + size + content


def oid(text):
    first, second, *rest = [int(part) for part in text.split(".")]
    out = bytearray([first * 40 + second])
    for number in rest:
        digits = [number & 0x7f]
        while number > 0x7f:
            number >>= 7
            digits.append(0x80 | number & 0x7f)
        out += bytes(reversed(digits))
    return Node(0x06, bytes(out))


def sequence(*nodes):
    return Node(0x30, list(nodes))


def pem(kind, data):
    text = "\n".join(textwrap.wrap(base64.b64encode(data).decode(), 64))
    return f"-----BEGIN {kind}-----\n{text}\n-----END {kind}-----\n"


# --- What there is in the part of a certificate that is signed ---

VERSION, SERIAL, ALGORITHM, ISSUER, VALIDITY, SUBJECT, KEY, EXTENSIONS = range(8)


def extensions_of(tbs):
    return tbs[EXTENSIONS][0].content


def find_extension(tbs, text):
    """The SEQUENCE of one extension."""
    wanted = oid(text).content
    return next(one for one in extensions_of(tbs) if one[0].content == wanted)


def set_extension(text, value):
    """A patch that puts these bytes into an extension that is there."""
    def patch(tbs):
        find_extension(tbs, text).content[-1] = Node(0x04, value)
    return patch


def add_extension(text, value, critical=False):
    def patch(tbs):
        flag = [Node(0x01, b"\xff")] if critical else []
        extensions_of(tbs).append(sequence(oid(text), *flag, Node(0x04, value)))
    return patch


def set_common_name(tag, value):
    """A patch that makes the last attribute of the subject a string of this kind."""
    def patch(tbs):
        tbs[SUBJECT][-1][0][1] = Node(tag, value)
    return patch


def set_node(index, node):
    def patch(tbs):
        tbs[index] = node
    return patch

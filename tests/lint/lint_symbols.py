"""lint_symbols.py - what the objects of src/ call outside themselves, told by nm.

The server's logic has no socket, file, clock, thread or heap of its own. An object whose
undefined names are all in these tables cannot have one, whatever its text says.
"""

import os
import re
import subprocess

# Names that any object may leave undefined, each with its reason.
FOR_ALL = {
    "memcpy": "moves bytes, and the compiler writes calls of it by itself",
    "memmove": "as memcpy",
    "memset": "as memcpy",
    "memcmp": "compares bytes, and the compiler writes calls of it by itself",
    "memchr": "looks at bytes",
    "strlen": "looks at bytes, and the compiler writes calls of it by itself",
    "__stack_chk_fail": "the stack protector's way out",
    "_GLOBAL_OFFSET_TABLE_": "the linker's, for code that may lie anywhere",
    "__popcountdi2": "counts bits in the compiler's own library, where no instruction does",
    "__ctzdi2": "as __popcountdi2",
    "__udivti3": "divides 128-bit numbers in the compiler's own library",
    "__umodti3": "as __udivti3",
    "__divti3": "as __udivti3",
    "__modti3": "as __udivti3",
}

# Beginnings of names that are the compiler's own on some machine.
COMPILER_NAMES = ("__aeabi_",)  # The run-time interface of ARM: divisions, shifts, copies.

# Beginnings of names that the objects below a path may leave undefined.
LIBRARY_NAMES = {
    "crypto/": ("mbedtls_", "psa_", "argon2"),
    "channel/": ("mbedtls_", "psa_"),
    "config.o": ("ini_",),
}

# What Mbed TLS must not call, as a proof that our configuration and no other was compiled.
LIBRARY_NEVER = {"fopen", "open", "read", "write", "socket", "connect", "syscall", "getrandom",
                 "getentropy", "getpid", "printf", "puts", "putchar", "rand", "clock_gettime"}


def nm(path, nm_program="nm"):
    """The names that an object or archive defines and leaves undefined, as the linker sees them."""
    text = subprocess.run([nm_program, "--format=posix", path], check=True, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    defined, undefined = set(), set()
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 2 and len(words[1]) == 1:
            (undefined if words[1] in "Uw" else defined).add(words[0])
    return defined, undefined


def plain_name(name):
    """The function's name in a C++ name of the global namespace; others stay as they are."""
    match = re.match(r"_Z(\d+)(.*)", name)
    return match.group(2)[:int(match.group(1))] if match else name


def port_names(port_header):
    with open(port_header, encoding="utf-8") as text:
        code = re.sub(r"//[^\n]*", "", text.read())
    return set(re.findall(r"\b(port_\w+)\s*\(", code))


def each_object(folder):
    for where, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            if name.endswith(".o"):
                yield os.path.relpath(os.path.join(where, name), folder)


def violations(folder, objects, ports):
    """`objects` are paths below `folder`; `ports` is the set of the port's names."""
    names = {path: nm(os.path.join(folder, path)) for path in objects}
    core = set().union(*(defined for defined, _ in names.values())) if names else set()
    found = []
    for path in objects:
        prefixes = tuple(p for where, ps in LIBRARY_NAMES.items() if path.startswith(where)
                         for p in ps)
        for name in sorted(names[path][1]):
            plain = plain_name(name)
            if name in core or name in FOR_ALL or plain in ports:
                continue
            if name.startswith(COMPILER_NAMES):
                continue
            if prefixes and name.startswith(prefixes):
                continue
            found.append(f"{path}: calls {plain}, which is outside")
    return found


def library_violations(archive):
    return sorted(nm(archive)[1] & LIBRARY_NEVER)

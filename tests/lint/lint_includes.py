"""lint_includes.py - who may include whom, read from the #include lines.

The tables are the whole rule; they follow DESIGN.md's order of rooms:

    base <- crypto <- wire, journal, ledger <- book, access <- channel, service <- session
         <- server <- port <- tests, tools

`book` is src/book.*: ledger and journal as one.

Rooms that stand side by side there do not see each other.
"""

import os
import re

BELOW_ACCESS = ["base", "crypto", "wire", "journal", "ledger"]
BELOW_SESSION = BELOW_ACCESS + ["book", "access", "channel", "service"]

# What a room's files may include besides those of the room itself.
MAY_INCLUDE = {
    "base": [],
    "crypto": ["base"],
    "wire": ["base", "crypto"],
    "journal": ["base", "crypto"],  # An entry is bytes to it, so it never sees the ledger.
    "ledger": ["base", "crypto"],
    "book": ["base", "crypto", "journal", "ledger"],
    "access": BELOW_ACCESS,
    "channel": ["base", "crypto"],  # P9: no channel, and so no laboratory, can reach money.
    "service": BELOW_ACCESS + ["book", "access"],
    "config": ["base"],
    "session": BELOW_SESSION,
    "server": BELOW_SESSION + ["session", "config"],
    "port": BELOW_SESSION + ["session", "server", "config"],
    "tools": BELOW_SESSION + ["session", "server", "config", "port"],
}

# Single files that a room may include although it may not include theirs.
MAY_INCLUDE_FILE = {
    "ledger": ["src/journal/log.h"],  # The log's interface, which the ledger lies on.
    "config": ["src/channel/lab/lab.def"],  # Names and ports alone.
}

# Files that every room may include.
FOR_ALL = ["port/port.h", "certs/"]

# The build makes these: one changes with each commit, one with CHANNELS=.
GENERATED = {"version.h": ["service", "session", "server", "port", "tools"],
             "lab_built.def": ["channel", "config"]}

# Headers of the libraries, with the only places (path prefixes) that may include them.
LIBRARY_PLACES = {
    "uv.h": ["port/posix/"],
    "mbedtls/": ["src/crypto/", "src/channel/"],
    "psa/": ["src/crypto/", "src/channel/"],
    "ssl_misc.h": ["src/channel/"],
    "argon2.h": ["src/crypto/"],
    "ini.h": ["src/config.cpp", "tools/penny/"],
    "histedit.h": ["tools/penny/"],
    "editline/": ["tools/penny/"],
    "gtest/": [],
}

TREES = ["src", "port", "tools"]
ENDINGS = (".h", ".cpp", ".c", ".def")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
# The library's configuration is no part of the program's own tree of includes.
NOT_OURS = ["port/mbedtls_config.h"]


def room_of(path):
    """The room of a path from the root of the tree, or None where there is no rule."""
    parts = path.split("/")
    if parts[0] == "src":
        # src/server_jobs.cpp belongs to the room of src/server.h.
        return parts[1] if len(parts) > 2 else re.split("[._]", parts[1])[0]
    return parts[0] if parts[0] in ("port", "tools") else None


def each_file(root):
    for tree in TREES:
        for folder, _, names in os.walk(os.path.join(root, tree)):
            for name in sorted(names):
                path = os.path.relpath(os.path.join(folder, name), root)
                if name.endswith(ENDINGS) and path not in NOT_OURS:
                    yield path


def resolve(root, path, name):
    """The included file's path from the root, as the compiler would find it, or None."""
    for folder in (os.path.dirname(path), "src", "port", "tools", "."):
        found = os.path.normpath(os.path.join(folder, name))
        if os.path.isfile(os.path.join(root, found)):
            return found
    return None


def place_violation(path, name):
    for header, places in LIBRARY_PLACES.items():
        if name == header or (header.endswith("/") and name.startswith(header)):
            if not any(path.startswith(p) for p in places):
                only = ", ".join(places) or "the tests"
                return f"only {only} may include {header}"
    return None


def is_library(name):
    return any(name == h or (h.endswith("/") and name.startswith(h)) for h in LIBRARY_PLACES)


def room_violation(root, path, name):
    room = room_of(path)
    if room not in MAY_INCLUDE:
        return f"the room {room} has no row in lint_includes.py"
    if name in GENERATED:
        return None if room in GENERATED[name] else f"{room} may not include {name}"
    target = resolve(root, path, name)
    if target is None:
        return f"no file of the tree is called {name}"
    if any(target == f or (f.endswith("/") and target.startswith(f)) for f in FOR_ALL):
        return None
    target_room = room_of(target)
    if target_room == room or target_room in MAY_INCLUDE[room]:
        return None
    if target in MAY_INCLUDE_FILE.get(room, []):
        return None
    allowed = ", ".join(MAY_INCLUDE[room]) or "no other room"
    return f"{room} includes {target}; it may include {allowed}"


def violations(root):
    found = []
    for path in each_file(root):
        with open(os.path.join(root, path), encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                quote, name = match.groups()
                why = place_violation(path, name)
                if why is None and quote == '"' and not is_library(name):
                    why = room_violation(root, path, name)
                if why:
                    found.append(f"{path}:{number}: {why}")
    return found

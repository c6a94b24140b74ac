"""The include lines keep to the order of rooms, and each rule can fail."""

import os
import tempfile
import unittest

import lint_includes

ROOT = os.environ["PENNY_ROOT"]


def plant(folder, files):
    for path, text in files.items():
        full = os.path.join(folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as out:
            out.write(text)


# Headers that the planted includes lead to.
TREE = {
    "src/base/bytes.h": "", "src/crypto/hash.h": "", "src/wire/reply.h": "",
    "src/journal/batch.h": "", "src/journal/log.h": "",
    "src/ledger/ledger.h": "", "src/access/roles.h": "",
    "src/channel/channel.h": "", "src/service/commands.h": "", "src/config.h": "",
    "src/session.h": "", "src/server.h": "", "port/port.h": "", "port/posix/loop.h": "",
    "tools/penny/line.h": "", "certs/roles.def": "",
}

REFUSED = {
    "src/base/a.cpp": '#include "crypto/hash.h"',
    "src/crypto/a.cpp": '#include "wire/reply.h"',
    "src/wire/a.cpp": '#include "journal/batch.h"',
    "src/journal/a.cpp": '#include "ledger/ledger.h"',
    "src/ledger/a.cpp": '#include "access/roles.h"',
    "src/ledger/b.cpp": '#include "journal/batch.h"',
    "src/access/a.cpp": '#include "service/commands.h"',
    "src/channel/a.cpp": '#include "ledger/ledger.h"',
    "src/channel/lab/a.cpp": '#include "service/commands.h"',
    "src/service/a.cpp": '#include "../channel/channel.h"',
    "src/service/b.cpp": '#include "session.h"',
    "src/config.cpp": '#include "service/commands.h"',
    "src/session.cpp": '#include "server.h"',
    "src/elsewhere.h": '#include "base/bytes.h"',
    "src/server.cpp": '#include "posix/loop.h"',
    "port/posix/a.cpp": '#include "tools/penny/line.h"',
    "src/base/b.cpp": '#  include "version.h"',
    "src/base/c.cpp": '#include "nowhere.h"',
    "src/session.h": '#include <uv.h>',
    "port/sim/a.cpp": '#include <uv.h>',
    "src/journal/b.cpp": '#include <mbedtls/sha256.h>',
    "src/wire/b.cpp": '#include "psa/crypto.h"',
    "tools/penny/a.cpp": '#include <mbedtls/ssl.h>',
    "src/access/b.cpp": '#include <argon2.h>',
    "src/server_more.cpp": '#include <ini.h>',
    "tools/pennyctl/a.cpp": '#include <histedit.h>',
    "src/service/c.cpp": '#include <gtest/gtest.h>',
    "src/novel/a.cpp": '#include "base/bytes.h"',
}

ACCEPTED = {
    "src/base/a.cpp": '#include "bytes.h"\n#include "port.h"\n#include <string.h>\n',
    "src/crypto/a.cpp": '#include "base/bytes.h"\n#include <mbedtls/md.h>\n#include <argon2.h>\n',
    "src/channel/a.c": '#include <ssl_misc.h>\n#include "certs/roles.def"\n',
    "src/ledger/a.cpp": '#include "journal/log.h"\n',
    "src/service/a.cpp": '#include "access/roles.h"\n#include "version.h"\n',
    "src/config.cpp": '#include "config.h"\n#include <ini.h>\n',
    "src/session.cpp": '#include "session.h"\n#include "service/commands.h"\n',
    "src/server.cpp": '#include "session.h"\n#include "config.h"\n',
    "port/posix/main.cpp": '#include "server.h"\n#include "posix/loop.h"\n#include <uv.h>\n',
    "tools/penny/main.cpp": '#include "posix/loop.h"\n#include <histedit.h>\n',
}


class Includes(unittest.TestCase):
    def clean(self, found):
        if found:
            self.fail("\n" + "\n".join(found))

    def test_the_tree_keeps_to_the_order(self):
        self.clean(lint_includes.violations(ROOT))

    def test_each_planted_violation_is_found(self):
        for path, line in REFUSED.items():
            with self.subTest(path), tempfile.TemporaryDirectory() as folder:
                plant(folder, {**TREE, path: f"// A comment.\n{line}\n"})
                found = lint_includes.violations(folder)
                self.assertEqual(len(found), 1, found)
                self.assertTrue(found[0].startswith(f"{path}:2: "), found)

    def test_what_the_order_allows_is_accepted(self):
        with tempfile.TemporaryDirectory() as folder:
            plant(folder, {**TREE, **ACCEPTED})
            self.clean(lint_includes.violations(folder))

"""The objects of src/ call nothing outside but what the tables name, and each rule can fail."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

import lint_symbols

ROOT = os.environ["PENNY_ROOT"]
HOST = os.path.join(os.environ["PENNY_BUILD"], "host")
CXX = shutil.which("g++") or "c++"
PORTS = {"port_panic", "port_random"}

REFUSED = {
    "ledger/a": ('#include <stdlib.h>\nvoid* f() { return malloc(8); }', "malloc"),
    "base/a": ('int* f() { return new int; }', "_Znwm"),
    "journal/a": ('#include <time.h>\nlong f() { return time(nullptr); }', "time"),
    "service/a": ('#include <fcntl.h>\nint f() { return open("x", 0); }', "open"),
    "wire/a": ('extern "C" void mbedtls_free(); void f() { mbedtls_free(); }', "mbedtls_free"),
    "access/a": ('extern "C" int argon2_hash(); int f() { return argon2_hash(); }', "argon2_hash"),
    "session": ('extern "C" int ini_parse(); int f() { return ini_parse(); }', "ini_parse"),
    "server": ('void port_unknown(); void f() { port_unknown(); }', "port_unknown"),
    "base/b": ('#include <string>\nint f(const std::string& s) { return std::stoi(s); }', None),
    "base/c": ('int f(); int g() { static int x = f(); return x; }', None),
}

ACCEPTED = {
    "base/b": 'void taken() {}',
    "base/a": 'void taken(); void port_panic(const char*); void f() { taken(); port_panic(""); }',
    "crypto/a": 'extern "C" { void mbedtls_free(); void psa_x(); int argon2_y(); }\n'
                'int f() { mbedtls_free(); psa_x(); return argon2_y(); }',
    "channel/a": 'extern "C" void mbedtls_free(); void f() { mbedtls_free(); }',
    "config": 'extern "C" int ini_parse(); int f() { return ini_parse(); }',
    "wire/a": '#include <string.h>\nvoid f(char* a, char* b) { memmove(a, b, 1000); }',
}


def build(folder, name, text):
    path = os.path.join(folder, name + ".o")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    subprocess.run([CXX, "-std=c++20", "-O1", "-x", "c++", "-c", "-o", path, "-"],
                   input=text.encode(), check=True)
    return name + ".o"


class Symbols(unittest.TestCase):
    def clean(self, found):
        if found:
            self.fail("\n" + "\n".join(found))

    def test_the_core_calls_nothing_outside(self):
        self.check_core("host")

    def test_the_core_without_a_system_calls_nothing_outside(self):
        self.check_core("freestanding")

    def check_core(self, board):
        folder = os.path.join(os.environ["PENNY_BUILD"], board, "obj", "src")
        objects = self.current_objects(folder)
        sources = [os.path.join(at, n) for at, _, names in os.walk(os.path.join(ROOT, "src"))
                   for n in names if n.endswith((".cpp", ".c"))]
        if board != "host":  # What is built for boards has no laboratory.
            sources = [path for path in sources if not self.is_of_lab_channels(path)]
        self.assertEqual(len(objects), len(sources), "the core is not built; run make all")
        ports = lint_symbols.port_names(os.path.join(ROOT, "port", "port.h"))
        self.assertTrue(ports)
        self.clean(lint_symbols.violations(folder, objects, ports))

    def is_of_lab_channels(self, path):
        folder, name = os.path.split(path)
        if folder != os.path.join(ROOT, "src", "channel", "lab"):
            return False
        with open(os.path.join(folder, "lab.def"), encoding="utf-8") as table:
            channels = re.findall(r"^LAB\((\w+),", table.read(), re.M)
        shared = ["cbc", "fernet"]  # By channels alone.
        return os.path.splitext(name)[0] in channels + shared

    def current_objects(self, folder):
        """Objects whose source is still there; an older build may have left others."""
        return [o for o in lint_symbols.each_object(folder)
                if any(os.path.exists(os.path.join(ROOT, "src", o[:-1] + e))
                       for e in ("cpp", "c"))]

    def test_each_planted_call_is_found(self):
        for name, (text, called) in REFUSED.items():
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                found = lint_symbols.violations(folder, [build(folder, name, text)], PORTS)
                self.assertTrue(found)
                if called:
                    self.assertEqual(found, [f"{name}.o: calls {called}, which is outside"])

    def test_what_the_tables_name_is_accepted(self):
        with tempfile.TemporaryDirectory() as folder:
            objects = [build(folder, name, text) for name, text in ACCEPTED.items()]
            self.clean(lint_symbols.violations(folder, objects, PORTS))

    def test_mbedtls_is_built_with_our_configuration(self):
        archive = os.path.join(HOST, "lib", "libmbedtls.a")
        self.clean(lint_symbols.library_violations(archive))

    def test_a_planted_library_with_files_is_found(self):
        with tempfile.TemporaryDirectory() as folder:
            text = '#include <stdio.h>\nvoid* f() { return fopen("x", "r"); }'
            path = os.path.join(folder, build(folder, "lib", text))
            self.assertEqual(lint_symbols.library_violations(path), ["fopen"])

"""run_file.py - runs one file of unittest tests and writes what happened as JSON.

    python3 tests/lib/run_file.py [--json OUT] [--list] [--select WORDS]... FILE

A test file is plain unittest without a main of its own. This folder is on its path, so that
files here serve all tests. A test is named Class.test_method; --select keeps those whose name
(with the file's own in front, as in wire/test_bank.Class.test_method) contains the words.

The JSON is a list of {"name", "outcome": "passed" | "failed" | "skipped", "detail"}. A file
that cannot be loaded is one failed test, so that nothing is lost in silence. Also of use alone:
without --json the outcome is printed, and the exit code is 1 when something failed.
"""

import argparse
import importlib.util
import json
import os
import sys
import traceback
import unittest


class Recorder(unittest.TestResult):
    """Keeps one record per test; a subtest that fails makes its test a failure."""

    def __init__(self):
        super().__init__()
        self.records = {}

    def note(self, test, outcome, detail=""):
        name = short_name(test)
        worse = {"passed": 0, "skipped": 1, "failed": 2}
        old = self.records.get(name)
        if old is None or worse[outcome] > worse[old["outcome"]]:
            self.records[name] = {"name": name, "outcome": outcome, "detail": detail}
        elif outcome == "failed":
            old["detail"] += "\n" + detail

    def addSuccess(self, test):
        self.note(test, "passed")

    def addFailure(self, test, err):
        self.note(test, "failed", self._exc_info_to_string(err, test))

    def addError(self, test, err):
        self.note(test, "failed", self._exc_info_to_string(err, test))

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self.note(test, "failed", f"{subtest}\n{self._exc_info_to_string(err, test)}")

    def addSkip(self, test, reason):
        self.note(test, "skipped", reason)

    def addExpectedFailure(self, test, err):
        self.note(test, "failed", "a known failure is not a test; fix it or remove it")

    def addUnexpectedSuccess(self, test):
        self.note(test, "failed", "expected to fail, and did not")


def short_name(test):
    # A failure of a whole class or module arrives as a stand-in with another kind of id.
    parts = test.id().split(".")
    return ".".join(parts[-2:]) if hasattr(test, "_testMethodName") else test.id()


def each_test(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from each_test(item)
        else:
            yield item


def load(path):
    name = os.path.splitext(os.path.basename(path))[0]
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return unittest.defaultTestLoader.loadTestsFromModule(module)


def label(path):
    path = os.path.abspath(path)
    return os.path.basename(os.path.dirname(path)) + "/" + os.path.splitext(
        os.path.basename(path))[0]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--select", action="append", default=[])
    parser.add_argument("file")
    args = parser.parse_args()
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    sys.path.insert(1, os.path.dirname(os.path.abspath(args.file)))
    sys.dont_write_bytecode = True

    records = []
    try:
        tests = list(each_test(load(args.file)))
    except BaseException:  # pylint: disable=broad-except  # An exit while loading is a failure too.
        tests = []
        records = [{"name": "load", "outcome": "failed", "detail": traceback.format_exc()}]
    if args.select:
        tests = [t for t in tests
                 if any(s in f"{label(args.file)}.{short_name(t)}" for s in args.select)]
    if args.list:
        for test in tests:
            print(f"{label(args.file)}.{short_name(test)}")
        for record in records:
            sys.exit(record["detail"])
        return 0

    result = Recorder()
    unittest.TestSuite(tests).run(result)
    records += result.records.values()
    if args.json:
        with open(args.json + ".part", "w", encoding="utf-8") as out:
            json.dump(records, out)
        os.replace(args.json + ".part", args.json)
    else:
        for record in records:
            print(record["outcome"], record["name"])
            if record["detail"]:
                print("    " + record["detail"].rstrip().replace("\n", "\n    "))
    return 1 if any(r["outcome"] == "failed" for r in records) else 0


if __name__ == "__main__":
    sys.exit(main())

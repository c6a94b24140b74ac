"""tests/run: two runs in one build do not take each other's folders away."""

import importlib.machinery
import importlib.util
import os
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
WAITS_MAX = 6000

# Says which folder is its own, and stays in it until it may go.
LONG = """
import os, time, unittest

class Long(unittest.TestCase):
    def test_stays(self):
        own = os.path.join(os.environ["PENNY_TMP"], "own")
        with open(own, "w", encoding="utf-8") as file:
            file.write("kept")
        with open({said!r}, "w", encoding="utf-8") as file:
            file.write(own)
        for _ in range({waits}):
            if os.path.exists({go!r}):
                break
            time.sleep(0.01)
        with open(own, encoding="utf-8") as file:
            self.assertEqual(file.read(), "kept")
"""


def load():
    loader = importlib.machinery.SourceFileLoader("tests_run",
                                                  os.path.join(os.path.dirname(HERE), "run"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("tests_run", loader))
    loader.exec_module(module)
    return module


class Folders(unittest.TestCase):
    def setUp(self):
        kept = sys.dont_write_bytecode
        sys.dont_write_bytecode = True
        self.run_ = load()
        sys.dont_write_bytecode = kept
        folder = tempfile.TemporaryDirectory(dir=os.environ.get("PENNY_TMP"))
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        path = os.path.join(self.folder, "test_long.py")
        with open(path, "w", encoding="utf-8") as file:
            file.write(LONG.format(said=self.at("said"), go=self.at("go"), waits=WAITS_MAX))
        self.job = self.run_.Job("wire", "wire/test_long", path)

    def at(self, name):
        return os.path.join(self.folder, name)

    def run_job(self, *select):
        return self.run_.run_job(self.job, list(select), self.at("build"))[0]

    def outcomes(self, records):
        return [(item["name"], item["outcome"], item["detail"]) for item in records]

    def test_a_run_beside_another(self):
        first = []
        thread = threading.Thread(target=lambda: first.extend(self.run_job()))
        thread.start()
        for _ in range(WAITS_MAX):
            if os.path.exists(self.at("said")):
                break
            time.sleep(0.01)
        # One that runs nothing of the file, and one that runs it too, with another folder.
        self.assertEqual(self.run_job("no test of that name"), [])
        both = []
        second = threading.Thread(target=lambda: both.extend(self.run_job()))
        second.start()
        with open(self.at("go"), "w", encoding="utf-8"):
            pass
        thread.join()
        second.join()
        self.assertEqual(self.outcomes(first), [("Long.test_stays", "passed", "")])
        self.assertEqual(self.outcomes(both), [("Long.test_stays", "passed", "")])

    def test_a_folder_is_used_again(self):
        """What an ended run left is taken away by the next."""
        with open(self.at("go"), "w", encoding="utf-8"):
            pass
        for _ in range(3):
            self.assertEqual([item["outcome"] for item in self.run_job()], ["passed"])
        folders = [name for name in os.listdir(self.at("build/tests"))
                   if os.path.isdir(self.at(f"build/tests/{name}"))]
        self.assertEqual(folders, ["wire-test_long"])


if __name__ == "__main__":
    unittest.main()

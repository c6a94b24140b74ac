"""A sample of simulated banks, recomputed by programs that know nothing of simulation: pennyctl reads
the journal that is left after all the cuts, and hledger, which no one here wrote, adds it up."""

import csv
import io
import os
import subprocess
import tempfile
import unittest
from decimal import Decimal

from bank import program, run

SIM = os.path.join(os.environ["PENNY_BUILD"], "host", "sim")
SEEDS = (1, 2, 3, 5, 8, 13, 21, 34)
FIXED = {"cash": "assets:cash", "shop": "income:shop"}


def hledger(text, *words):
    return run(["hledger", "-f", "-", *words], input=text,
               env=dict(os.environ, LC_ALL="C.UTF-8")).stdout


def place_of(account, text):
    """Where the export says that an account of the bank stands."""
    if account in FIXED:
        return FIXED[account]
    kind = "funds" if f"liabilities:funds:{account}\n" in text else "members"
    return f"liabilities:{kind}:{account}"


class Books(unittest.TestCase):
    def judge(self, seed, folder):
        subprocess.run([SIM, "--seed", str(seed), "--dump", folder], check=True,
                       stdout=subprocess.DEVNULL)
        said = run([program("pennyctl"), "check", folder]).stdout
        self.assertIn("the books sum to zero", said)
        text = run([program("pennyctl"), "export", folder, "--format", "hledger"]).stdout
        hledger(text, "check", "-s", "ordereddates", "accounts", "commodities")
        rows = csv.DictReader(io.StringIO(hledger(text, "balance", "--flat", "-N", "-E", "-O",
                                                  "csv")))
        found = {row["account"]: -Decimal(row["balance"].split()[0]) for row in rows}
        with open(os.path.join(folder, "balances"), encoding="utf-8") as lines:
            wanted = dict(line.split() for line in lines)
        self.assertGreater(len(wanted), 9)
        for account, balance in wanted.items():
            self.assertEqual(found.pop(place_of(account, text), Decimal(0)), Decimal(balance),
                             account)
        self.assertEqual(found, {})

    def test_hledger_comes_to_the_balances_of_the_oracle(self):
        for seed in SEEDS:
            with self.subTest(seed=seed), \
                    tempfile.TemporaryDirectory(dir=os.environ.get("PENNY_TMP")) as folder:
                self.judge(seed, folder)


if __name__ == "__main__":
    unittest.main()

"""Receipts against R1."""

import fuzzing


class Receipt(fuzzing.Target):
    name = "receipt"

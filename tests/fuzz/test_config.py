"""Configurations against O1 and O2."""

import fuzzing


class Config(fuzzing.Target):
    name = "config"

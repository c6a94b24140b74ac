"""Password records against A4."""

import fuzzing


class Password(fuzzing.Target):
    name = "password"

"""old_bank.py - an older bank's two files, and the bank that takes them over."""

import hashlib
import os
import re

from bank import Bank


def md5(password):
    return hashlib.md5(password.encode()).hexdigest()


def passwd_lines(people):
    """The file of name:md5hex for {name: password}."""
    return "".join(f"{name}:{md5(password)}\n" for name, password in people.items())


class OldBank(Bank):
    """A bank that is stopped, with passwords that cost little, and files to import."""

    def __init__(self, **options):
        super().__init__(start=False, **options)
        self.conf("password-memory-kib", 4096)
        self.conf("password-passes", 1)

    def conf(self, key, value):
        """Sets an option in the configuration, which pennyctl reads as well."""
        path = self.path("pennyd.conf")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        # A terminal's section, which stands last, has some keys of the same name.
        text, count = re.subn(rf"(?m)^#?{key} = .*$", f"{key} = {value}", text, count=1)
        assert count == 1, key
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    def file(self, name, content):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as file:
            file.write(content if isinstance(content, bytes) else content.encode())
        return path

    def import_argv(self, passwd, balance=""):
        return ["import", self.home, "--passwd", self.file("passwd.txt", passwd),
                "--balance", self.file("balance.txt", balance)]

    def imported(self, passwd, balance="", **more):
        return self.pennyctl(*self.import_argv(passwd, balance), **more)

    def people(self):
        """{name: [role, state, pin]} as pennyctl user list has them."""
        lines = self.pennyctl("user", "list", self.home).stdout.splitlines()
        assert lines[0].split() == ["name", "role", "state", "pin", "name", "to", "show"], lines[0]
        return {line.split()[0]: line.split()[1:4] for line in lines[1:]}

    def data_files(self):
        """Every file and link below data/ with its content."""
        found = {}
        for folder, _, names in os.walk(self.path("data")):
            for name in names:
                path = os.path.join(folder, name)
                if os.path.islink(path):
                    found[path] = os.readlink(path)
                else:
                    with open(path, "rb") as file:
                        found[path] = file.read()
        found.pop(self.path("data", "lock"), None)  # Who held it last.
        return found

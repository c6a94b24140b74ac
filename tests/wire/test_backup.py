"""backup and restore: one file holds the whole bank, and nothing less is ever believed."""

import hashlib
import io
import os
import random
import re
import shutil
import stat
import tarfile
import threading
import unittest

import journal
from bank import Bank, library, preloading, run
from dying import Dying
from resp import Error, command, fields, wait_until

BLOCK = 512


def tree(folder):
    """Every path below a folder, with its content."""
    found = {}
    for where, folders, names in os.walk(folder):
        for name in folders + names:
            path = os.path.join(where, name)
            inside = os.path.relpath(path, folder)
            if os.path.islink(path):
                found[inside] = os.readlink(path)
            elif os.path.isdir(path):
                found[inside] = None
            else:
                with open(path, "rb") as file:
                    found[inside] = hashlib.sha256(file.read()).hexdigest()
    return found


def digest_of(text):
    return re.search(r"^digest\s+([0-9a-f]{64})$", text, re.M).group(1)


class BackupTest(unittest.TestCase):
    def new_bank(self, **options):
        bank = Bank(**options)
        self.addCleanup(bank.close)
        return bank

    def file(self, bank, name="bank.tar"):
        return os.path.join(bank.folder, name)

    def backup(self, bank, name="bank.tar", *options, **more):
        return bank.pennyctl("backup", bank.home, self.file(bank, name), *options, **more)

    def restore(self, bank, name="bank.tar", to="new", **more):
        return bank.pennyctl("restore", self.file(bank, name), os.path.join(bank.folder, to),
                             **more)

    def pay(self, bank, first, last):
        with bank.wire("till") as till:
            for number in range(first, last):
                fields(till.ask("DEPOSIT", f"p{number}", "0.25", "alice"))

    def use(self, bank, to="new"):
        """The restored folder takes the place of the bank's."""
        bank.home = os.path.join(bank.folder, to)


class WholeWay(BackupTest):
    def test_what_comes_back_is_the_same_bank(self):
        bank = self.new_bank()
        self.pay(bank, 0, 20)
        with bank.wire("admin") as admin:
            admin.ask("CHECKPOINT")
        self.pay(bank, 20, 40)
        bank.stop()
        checked = bank.check()
        said = self.backup(bank).stdout
        self.assertEqual(digest_of(said), digest_of(checked))
        self.assertEqual(stat.S_IMODE(os.stat(self.file(bank)).st_mode), 0o600)
        self.assertFalse(os.path.exists(self.file(bank) + ".making"))
        restored = self.restore(bank).stdout
        self.assertEqual(digest_of(restored), digest_of(checked))
        entry = re.search(r"^entries\s+(\d+)", checked, re.M).group(1)
        self.assertIn(f"The last entry is {entry}.", restored)
        self.assertRegex(restored, r"since \d{4}-\d\d-\d\dT[\d:.]+Z,\s+is gone")

        new = os.path.join(bank.folder, "new")
        old_tree, new_tree = tree(bank.home), tree(new)
        for name in [name for name in old_tree if name.startswith("data")]:
            old_tree.pop(name)
        for name in [name for name in new_tree if name.startswith("data")]:
            new_tree.pop(name)
        self.assertEqual(old_tree, new_tree)
        for where, folders, names in os.walk(new):
            for name in folders:
                self.assertEqual(stat.S_IMODE(os.stat(os.path.join(where, name)).st_mode), 0o700)
            for name in names:
                path = os.path.join(where, name)
                if not os.path.islink(path):
                    self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600, path)
        self.assertEqual(os.path.getsize(journal.segments(os.path.join(new, "data"))[0]),
                         os.path.getsize(journal.segments(bank.path("data"))[0]))
        run([*bank.server_argv()[:1], "-t", os.path.join(new, "pennyd.conf")])
        with open(os.path.join(new, "data", "balance"), encoding="utf-8") as balance:
            self.assertIn("alice:", balance.read())
        self.use(bank)
        self.assertEqual(digest_of(bank.check()), digest_of(checked))
        bank.start()
        with bank.wire("alice") as alice, bank.wire("till") as till:
            self.assertEqual(alice.ask("BALANCE"), b"60.00")
            # An id that was answered before the backup is answered the same.
            with_old_id = fields(till.ask("DEPOSIT", "p39", "0.25", "alice"))
            self.assertEqual(with_old_id["entry"], int(entry))
            self.assertEqual(alice.ask("BALANCE"), b"60.00")
        bank.check()

    def test_registers_and_intermediates_come_along_and_codes_of_a_day_do_not(self):
        bank = self.new_bank()
        bank.stop()
        bank.pennyctl("cert", "issuing", bank.home)
        bank.pennyctl("cert", "renew", "server", bank.home)
        os.mkdir(bank.path("data", "enrol"), 0o700)
        with open(bank.path("data", "enrol", "0123.code"), "w", encoding="utf-8") as file:
            file.write("name zoe\n")
        with open(bank.path("certs", "issued"), encoding="utf-8") as file:
            lines = file.read()
        with open(bank.path("data", "issued"), "w", encoding="utf-8") as file:
            file.write(lines)
        self.backup(bank)
        self.restore(bank)
        for name in ("certs/issued", "certs/issuing.crt", "certs/issuing.key", "data/issued"):
            with open(bank.path(*name.split("/")), "rb") as old, \
                    open(os.path.join(bank.folder, "new", *name.split("/")), "rb") as new:
                self.assertEqual(old.read(), new.read(), name)
        self.assertEqual(os.listdir(os.path.join(bank.folder, "new", "certs", "old")),
                         os.listdir(bank.path("certs", "old")))
        self.assertFalse(os.path.exists(os.path.join(bank.folder, "new", "data", "enrol")))

    def test_a_checkpoint_that_is_finished_while_it_is_looked_at(self):
        bank = self.new_bank()
        for _ in range(2):
            self.pay(bank, 0, 3)
            with bank.wire("admin") as admin:
                admin.ask("CHECKPOINT")
        bank.stop()
        current = os.path.basename(os.readlink(bank.path("data", "current")))
        env = dict(preloading(library(bank.folder, "late_file")),
                   LATE_FILE=f"{current}/MANIFEST")
        said = bank.pennyctl("check", bank.home, env=env).stdout
        self.assertNotIn(f"checkpoint {int(current.split('.')[1])} agrees", said)
        self.assertIn("agrees with the journal", said)  # The one before it was looked at.

    def test_beside_a_running_server_that_pays(self):
        bank = self.new_bank(settings=("server.checkpoint-entries=50",))
        done = threading.Event()
        acked = []

        def pay():
            with bank.wire("till") as till:
                while not done.is_set():
                    names = [f"s{len(acked) + i}" for i in range(16)]
                    till.send(b"".join(command("DEPOSIT", n, "0.01", "bob") for n in names))
                    for name in names:
                        reply = till.reply()
                        assert not isinstance(reply, Error), reply.line
                        acked.append(fields(reply)["entry"])

        payer = threading.Thread(target=pay)
        payer.start()
        before = []
        try:
            for number in range(5):
                # The first payment waits for a login, which may take longer than a backup.
                wait_until("the payments go on", lambda: len(acked) > (before or [0])[-1])
                before.append(len(acked))
                self.backup(bank, f"b{number}.tar")
            wait_until("the payments go on", lambda: len(acked) > before[-1])
        finally:
            done.set()
            payer.join()
        self.assertGreater(len(acked), before[-1], "the server was paying all the time")
        bank.stop()
        for number in range(5):
            said = self.restore(bank, f"b{number}.tar", f"new{number}").stdout
            last = int(re.search(r"The last entry is (\d+)\.", said).group(1))
            if before[number] > 0:
                self.assertGreaterEqual(last, acked[before[number] - 1],
                                        "what was acknowledged before the backup is in it")
        self.use(bank, "new4")
        bank.start()
        bank.check()

    def test_tar_lists_and_unpacks_it(self):
        bank = self.new_bank()
        self.pay(bank, 0, 3)
        bank.stop()
        self.backup(bank)
        listed = run(["tar", "tf", self.file(bank)]).stdout.split()
        self.assertEqual(listed[0], "MANIFEST")
        self.assertEqual(listed[-1], "END")
        self.assertIn("data/journal/00000001.journal", listed)
        self.assertIn("certs/ca.key", listed)
        folder = os.path.join(bank.folder, "by-tar")
        os.mkdir(folder)
        run(["tar", "xf", self.file(bank), "-C", folder])
        with open(os.path.join(folder, "MANIFEST"), encoding="utf-8") as text:
            rows = re.findall(r"^file (\d+) (\d+) ([0-9a-f]{64}) (\S+)$", text.read(), re.M)
        self.assertEqual([row[3] for row in rows], listed[1:-1])
        for size, whole, digest, name in rows:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                content = file.read()
            self.assertEqual(len(content), int(size), name)
            self.assertEqual(hashlib.sha256(content).hexdigest(), digest, name)
            os.truncate(path, int(whole))
        # By hand as well it is a bank again, once the end of the journal has its zeros.
        bank.pennyctl("check", folder)

    def test_paths_that_lead_out_are_led_in(self):
        """A bank whose data and keys lie elsewhere comes back as one folder, from however far."""
        for name in ("far", "f" * 60 + "/" + "a" * 40):
            with self.subTest(name):
                self.lead_in(name)

    def lead_in(self, name):
        bank = self.new_bank(start=False)
        far = os.path.join(bank.folder, name)
        os.makedirs(far)
        os.rename(bank.path("data"), os.path.join(far, "book"))
        os.rename(bank.path("certs", "server.key"), os.path.join(far, "server.key"))
        with open(bank.path("pennyd.conf"), encoding="utf-8") as file:
            text = file.read()
        text, count = re.subn(r"^key\s*=.*$", f"key = {far}/server.key  ; not here", text,
                              flags=re.M)
        self.assertEqual(count, 1)
        text, count = re.subn(r"(?m)^#?\s*data\s*=.*$", f"data = ../{name}/book", text)
        self.assertEqual(count, 1)
        with open(bank.path("pennyd.conf"), "w", encoding="utf-8") as file:
            file.write(text)
        self.backup(bank, f"{len(name)}.tar")
        shutil.rmtree(far)
        shutil.rmtree(bank.home)
        self.restore(bank, f"{len(name)}.tar")
        self.use(bank)
        self.assertEqual(len(journal.batches(bank.path("data"))), 3)
        bank.start()
        bank.check()


class Keys(BackupTest):
    def test_without_private_keys(self):
        bank = self.new_bank(start=False)
        said = self.backup(bank, "bank.tar", "--no-keys").stdout
        with open(self.file(bank), "rb") as file:
            self.assertNotIn(b"PRIVATE KEY", file.read())
        self.assertIn("left out certs/ca.key", said)
        said = self.restore(bank).stdout
        self.assertIn("missing  certs/server.key", said)
        old = bank.home
        self.use(bank)
        code, _ = bank.refused_start()
        self.assertNotEqual(code, 0, "there is no key to start with")
        for name in re.findall(r"^missing  (\S+),", said, re.M):
            shutil.copy(os.path.join(old, name), bank.path(name))
        bank.start()


class Refused(BackupTest):
    def setUp(self):
        self.bank = self.new_bank(start=False)
        self.backup(self.bank)
        with open(self.file(self.bank), "rb") as file:
            self.good = file.read()

    def refuse(self, content, why):
        with open(self.file(self.bank, "bad.tar"), "wb") as file:
            file.write(content)
        done = self.restore(self.bank, "bad.tar", expect=None)
        self.assertEqual(done.returncode, 1, f"{why}: {done.stdout}{done.stderr}")
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertEqual(sorted(os.listdir(self.bank.folder)),
                         ["bad.tar", "bank", "bank.tar"], "nothing is left behind")
        return done.stderr

    def test_cut_short(self):
        for size in [*range(0, len(self.good), BLOCK), len(self.good) - 1, 1, 700]:
            said = self.refuse(self.good[:size], f"cut at {size}")
            self.assertRegex(said, "cut short|ends here", said)

    def test_something_behind(self):
        self.refuse(self.good + b"\0", "a byte more")
        self.refuse(self.good + b"\0" * BLOCK, "a block more")
        self.refuse(self.good + self.good, "twice")

    def test_a_flipped_bit_at_any_place(self):
        """Every byte of the last headers, and some of each block of the rest."""
        rng = random.Random(7)
        places = [rng.randrange(begin, begin + BLOCK) for begin in range(0, len(self.good), BLOCK)]
        end = len(self.good) - 4 * BLOCK
        places += range(end, len(self.good), 5)
        places += range(0, 2 * BLOCK, 9)
        for place in places:
            bad = bytearray(self.good)
            bad[place] ^= 1 << rng.randrange(8)
            self.refuse(bytes(bad), f"byte {place}")

    def members(self):
        """(name, content) of each."""
        with tarfile.open(fileobj=io.BytesIO(self.good)) as tar:
            return [(member.name, tar.extractfile(member).read()) for member in tar.getmembers()]

    def header(self, name, size, kind=b"0"):
        """As the program writes it, but for the kind."""
        header = bytearray(self.good[:BLOCK])
        header[:100] = name.encode().ljust(100, b"\0")
        header[124:135] = b"%011o" % size
        header[156:157] = kind
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        return bytes(header)

    def member(self, name, content, kind=b"0"):
        return self.header(name, len(content), kind) + content + b"\0" * (-len(content) % BLOCK)

    def pack(self, members):
        return b"".join(self.member(*one) for one in members) + b"\0" * (2 * BLOCK)

    def test_files_too_many_too_few_or_moved(self):
        members = self.members()
        self.assertEqual(self.pack(members), self.good, "the test packs as the program does")
        names = [name for name, _ in members]
        place = names.index("certs/server.key")
        said = self.refuse(self.pack(members[:place] + members[place + 1:]), "one too few")
        self.assertIn("certs/server.key: missing", said)
        said = self.refuse(self.pack(members[:-1] + [("data/extra", b"x")] + members[-1:]), "more")
        self.assertIn("data/extra: a file that its MANIFEST does not name", said)
        swapped = list(members)
        swapped[2], swapped[3] = swapped[3], swapped[2]
        self.refuse(self.pack(swapped), "two swapped")
        self.refuse(self.pack(members[1:]), "no MANIFEST")
        self.refuse(self.pack(members[:-1]), "no END")

    def test_names_and_types_that_are_never_unpacked(self):
        members = self.members()
        for name in ("../evil", "/etc/evil", "certs/../../evil", "certs//x", "./x", "x/"):
            said = self.refuse(self.pack(members[:1] + [(name, b"x")] + members[1:]), name)
            self.assertIn("a name that leads out of the folder", said)
        for kind in (b"1", b"2", b"3", b"5", b"7", b"\0", b"x"):
            more = ("certs/link", b"", kind)
            said = self.refuse(self.pack(members[:1] + [more] + members[1:]), kind)
            self.assertIn("not a plain file", said)

    def reforge(self, manifest):
        """The archive with another MANIFEST, every sum made right again."""
        text = manifest.rsplit("sum ", 1)[0]
        text += "sum " + hashlib.sha256(text.encode()).hexdigest() + "\n"
        members = self.members()
        front = self.member("MANIFEST", text.encode())
        front += b"".join(self.member(*one) for one in members[1:-1])
        end = re.sub(rb"sum [0-9a-f]{64}", b"sum " + hashlib.sha256(front).hexdigest().encode(),
                     members[-1][1])
        return front + self.member("END", end) + b"\0" * (2 * BLOCK)

    def test_a_forged_manifest(self):
        text = self.members()[0][1].decode()
        with open(self.file(self.bank, "bad.tar"), "wb") as file:
            file.write(self.reforge(text))
        self.restore(self.bank, "bad.tar")  # The forger's own work is sound.
        shutil.rmtree(os.path.join(self.bank.folder, "new"))
        said = self.refuse(self.reforge(text.replace("pennybank-backup 1", "pennybank-backup 2")),
                           "a newer version")
        self.assertIn("newer version", said)
        said = self.refuse(self.reforge(re.sub(r"(?m)^digest .{8}", "digest 00000000", text)),
                           "another digest")
        self.assertIn("does not end as its MANIFEST says", said)
        self.refuse(self.reforge(re.sub(r"(?m)^entry (\d+)", r"entry 9\1", text)), "another entry")
        self.refuse(self.reforge(text.replace("certs/ca.crt", "certs/../ca")), "a name that climbs")
        self.refuse(self.reforge(text.replace(" pennyd.conf", " elsewhere")), "a name of no bank")
        said = self.refuse(self.reforge(re.sub(r"(?m)^file (\d+) \d+ (\S+ pennyd.conf)$",
                                               r"file \1 8000000000 \2", text)), "endless zeros")
        self.assertIn("of a length that it never has", said)

    def test_targets(self):
        folder = os.path.join(self.bank.folder, "new")
        os.mkdir(folder)
        with open(os.path.join(folder, "x"), "w", encoding="ascii"):
            pass
        self.assertIn("not empty", self.restore(self.bank, expect=1).stderr)
        os.remove(os.path.join(folder, "x"))
        self.restore(self.bank)
        self.assertIn("not empty", self.restore(self.bank, expect=1).stderr)
        self.assertIn("is there already", self.backup(self.bank, expect=1).stderr)
        with open(self.file(self.bank), "rb") as file:
            self.assertEqual(file.read(), self.good, "never overwritten")

    def test_a_book_that_is_not_sound_is_not_backed_up(self):
        first = journal.batches(self.bank.path("data"))[0]
        journal.flip(first.path, first.offset + 200)
        said = self.backup(self.bank, "other.tar", expect=1).stderr
        self.assertIn("segment 1, offset 0", said)
        self.assertEqual(sorted(os.listdir(self.bank.folder)), ["bank", "bank.tar"])


class Killed(BackupTest):
    """Killed at every write in turn, and with a disk that is full from there on."""

    def setUp(self):
        self.dying = Dying()
        self.addCleanup(self.dying.folder.cleanup)
        self.bank = self.new_bank(start=False, settings=("server.segment-size-kib=512",))

    def pennyctl(self):
        return os.path.join(os.environ.get("PENNY_BUILD", "build"), "pennyctl")

    def test_backup(self):
        bank = self.bank
        before = tree(bank.home)
        argv = [os.path.abspath(self.pennyctl()), "backup", bank.home, self.file(bank)]

        def clean():
            if os.path.exists(self.file(bank)):
                os.remove(self.file(bank))

        named = 0
        for _, done in self.dying.each(argv, before=clean):
            self.assertEqual(tree(bank.home), before)
            if os.path.exists(self.file(bank)):
                named += 1
                bank.pennyctl("restore", self.file(bank), os.path.join(bank.folder, "new"))
                shutil.rmtree(os.path.join(bank.folder, "new"))
        self.assertGreaterEqual(named, 1)
        self.assertFalse(os.path.exists(self.file(bank) + ".making"), "what was left was taken over")
        for _, done in self.dying.each_full(argv, before=clean):
            self.assertEqual(tree(bank.home), before)
            if done.returncode == 1:
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        bank.start()

    def test_restore(self):
        bank = self.bank
        said = self.backup(bank).stdout
        new = os.path.join(bank.folder, "new")
        argv = [os.path.abspath(self.pennyctl()), "restore", self.file(bank), new]

        def clean():
            for path in (new, new + ".restoring"):
                shutil.rmtree(path, ignore_errors=True)

        for _, done in self.dying.each(argv, before=clean, step=3):
            if os.path.exists(new):
                self.assertEqual(digest_of(bank.pennyctl("check", new).stdout), digest_of(said))
                self.assertFalse(os.path.exists(new + ".restoring"))
            elif os.path.exists(new + ".restoring"):
                refused = self.restore(bank, expect=1).stderr
                self.assertIn(".restoring", refused)
        for _, done in self.dying.each_full(argv, before=clean, step=7):
            if done.returncode == 1:
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.use(bank)
        bank.start()
        bank.check()


class Kept(BackupTest):
    """--into FOLDER --keep N: the newest backups of this bank stay, and nothing else is touched."""

    def setUp(self):
        self.bank = self.new_bank(start=False)
        self.into = os.path.join(self.bank.folder, "backups")
        os.mkdir(self.into)
        self.backup(self.bank)

    def place(self, name, source=None):
        shutil.copy(source or self.file(self.bank), os.path.join(self.into, name))

    def run_keep(self, keep, **more):
        before = set(os.listdir(self.into))
        said = self.bank.pennyctl("backup", self.bank.home, "--into", self.into, "--keep", keep,
                                  **more).stdout
        after = set(os.listdir(self.into))
        return before - after, after - before, said

    def test_the_newest_stay(self):
        old = [f"pennybank-2020-01-{day:02}T031500Z.tar" for day in range(1, 10)]
        for name in old:
            self.place(name)
        gone, new, said = self.run_keep("7")
        self.assertEqual(len(new), 1)
        self.assertRegex(new.pop(), r"^pennybank-\d{4}-\d\d-\d\dT\d{6}Z\.tar$")
        self.assertEqual(gone, set(old[:3]))
        for name in gone:
            self.assertIn(f"removed  {self.into}/{name}", said)

    def test_the_one_just_made_stays_whatever_the_clock_says(self):
        later = [f"pennybank-2199-01-{day:02}T031500Z.tar" for day in range(1, 4)]
        for name in later:
            self.place(name)
        gone, new, _ = self.run_keep("2")
        self.assertEqual(len(new), 1)
        self.assertEqual(gone, set(later[:2]))

    def test_what_is_not_a_backup_of_this_bank_stays(self):
        other = self.new_bank(start=False)
        self.backup(other)
        old = "pennybank-2020-01-0{}T031500Z.tar"
        self.place(old.format(1), self.file(other))                       # another bank's
        with open(os.path.join(self.into, old.format(2)), "wb") as file:  # no backup at all
            file.write(b"my own notes")
        self.place("holiday.tar")                                         # another name
        self.place(old.format(3) + ".making")
        os.symlink("nowhere", os.path.join(self.into, old.format(4)))
        os.mkdir(os.path.join(self.into, old.format(5)))
        self.place(old.format(6))
        gone, new, _ = self.run_keep("1")
        self.assertEqual(gone, {old.format(6)})
        self.assertEqual(len(new), 1)

    def test_nothing_is_removed_when_the_backup_fails(self):
        self.place("pennybank-2020-01-01T031500Z.tar")
        first = journal.batches(self.bank.path("data"))[0]
        journal.flip(first.path, first.offset + 200)
        before = set(os.listdir(self.into))
        self.bank.pennyctl("backup", self.bank.home, "--into", self.into, "--keep", "1", expect=1)
        self.assertEqual(set(os.listdir(self.into)), before)

    def test_words(self):
        for words in (["--into", self.into, "x.tar"], ["--keep", "3"], ["x.tar", "--keep", "3"],
                      ["--into", self.into, "--keep", "0"], ["--into", self.into, "--keep", "x"],
                      ["--into"], ["x.tar", "--no-keys=1"], ["x.tar", "--strange"], []):
            with self.subTest(words):
                done = self.bank.pennyctl("backup", self.bank.home, *words, expect=2)
                self.assertEqual(len(done.stderr.splitlines()), 1)

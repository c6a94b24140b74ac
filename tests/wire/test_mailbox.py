"""Keys and sealed messages on the real server: python3-jwcrypto is the other side, both ways."""

import json
import os
import re
import stat
import unittest

from jwcrypto import jwk

from bank import Bank, BankTest, run, program
from jose import letter, make_key, opened, public, seal, sign
from resp import Error, command
from segments import fill_segment

NAMES = ("alice", "bob", "till", "admin")
SEALED_MAX = 4608
MESSAGE = "Hello from the vault."


class Keys:
    """One key for each name, made once for all tests of this file."""

    pems, keys = {}, {}

    @classmethod
    def get(cls, name):
        if name not in cls.keys:
            cls.pems[name], cls.keys[name] = make_key()
        return cls.keys[name]


def jwk_of(name):
    return Keys.get(name).export_public(as_dict=True)


def jwk_text(name):
    key = jwk_of(name)
    return json.dumps({part: key[part] for part in ("e", "kty", "n")}, separators=(",", ":"))


class MailTest(BankTest):
    settings = ("limits.mailbox=3", "limits.messages=8", f"server.message={MESSAGE}",
                "server.refused-per-minute=6000")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        Keys.get("@server")
        cls.server_pem = os.path.join(cls.bank.folder, "message.key")
        with open(os.open(cls.server_pem, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as out:
            out.write(Keys.pems["@server"])
        cls.bank.settings.append(f"server.message-key={cls.server_pem}")
        cls.bank.restart()
        cls.wires = {}
        cls.last_id = 0
        cls.connect()
        for name in ("alice", "bob"):
            assert cls.wires[name].ask("KEY", "SET", jwk_text(name)) == "OK"

    @classmethod
    def connect(cls):
        cls.wires = {name: cls.bank.wire(name, protocol=3) for name in NAMES}

    def setUp(self):
        if self.bank.process is None:
            self.bank.start()
            self.connect()
        for name in ("alice", "bob"):
            for message in self.ask(name, "INBOX"):
                self.assertEqual(self.ask(name, "FORGET", message[b"number"]), "OK")

    def ask(self, name, *words):
        return self.wires[name].ask(*words)

    def fresh_id(self):
        type(self).last_id += 1
        return f"m-{self.last_id}"

    def letter(self, sender="alice", to="bob", text="hello", id=None, **more):
        """Id and envelope of what jwcrypto seals."""
        id = id or self.fresh_id()
        return id, letter(sender, to, Keys.get(sender), Keys.get(to), id, text, **more)

    def send(self, sender="alice", to="bob", text="hello"):
        id, envelope = self.letter(sender, to, text)
        reply = self.ask(sender, "SEND", id, to, envelope)
        self.assertEqual(list(reply), [b"message"], reply)
        return reply[b"message"], id, envelope

    def numbers(self, name):
        return [message[b"number"] for message in self.ask(name, "INBOX")]

    def home(self, name):
        return os.path.join(self.bank.folder, f"home-{name}")

    def penny(self, name, *words, expect=0, input=None):
        os.makedirs(self.home(name), exist_ok=True)
        environment = {**os.environ, "HOME": self.home(name)}
        environment.pop("XDG_CONFIG_HOME", None)
        return run([program("penny"), *self.bank.cli_options(name), *words], expect=expect,
                   env=environment, cwd=self.bank.folder, input=input)

    def use_key(self, name):
        """Lets penny find the person's key where it keeps it."""
        folder = os.path.join(self.home(name), ".config", "penny", "messages", name)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        Keys.get(name)
        path = os.path.join(folder, "key.pem")
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(Keys.pems[name])


class PublicKeys(MailTest):
    def test_key_is_shown_as_it_was_published(self):
        own = self.ask("bob", "KEY")
        self.assertEqual(own, {b"name": b"bob", b"jwk": jwk_text("bob").encode()})
        self.assertEqual(self.ask("alice", "KEY", "bob"), own)
        self.assertEqual(self.ask("alice", "KEY", "till"), {b"name": b"till", b"jwk": None})
        self.assertEqual(self.ask("alice", "KEY", "@server"),
                         {b"name": b"@server", b"jwk": jwk_text("@server").encode()})
        for nobody in ("nobody", "shop", "@Server", "set", "Bob"):
            self.assert_error(self.ask("alice", "KEY", nobody), "NOACCT", "no person")

    def test_key_that_is_there_is_set_without_an_entry(self):
        before = self.ask("alice", "DIGEST")
        self.assertEqual(self.ask("alice", "KEY", "set", jwk_text("alice")), "OK")
        self.assertEqual(self.ask("alice", "DIGEST"), before)

    def test_what_is_no_key_is_refused_with_the_reason(self):
        good = jwk_of("alice")
        small = json.loads(make_key(2048)[1].export_public())
        private = json.loads(Keys.get("alice").export_private())
        for text, part in ((json.dumps({**good, "e": "AQAD"}), "exponent"),
                           (json.dumps(small), "3072"), (json.dumps(private), ""),
                           ("", "no key"), ("x" * 5000, "no key"), ("{}", "")):
            self.assert_error(self.ask("alice", "KEY", "SET", text), "ERR", part)
        self.assert_error(self.ask("alice", "KEY", "alice", "x"), "ERR", "syntax")
        self.assertEqual(self.ask("bob", "KEY", "alice")[b"jwk"], jwk_text("alice").encode())

    def test_replaced_key_leaves_old_messages_readable_and_tells_senders(self):
        self.use_key("alice")
        self.use_key("bob")
        self.penny("alice", "send", "bob", "to the old key")
        number = str(self.numbers("bob")[0])
        made = self.penny("bob", "key", "new").stdout
        try:
            self.assertIn("text: to the old key", self.penny("bob", "read", number).stdout)
            refused = self.penny("alice", "send", "bob", "to the new key", expect=1)
            self.assertIn("the key of bob has changed", refused.stderr)
            accept = re.search(r"penny (key accept bob \S+)", refused.stderr).group(1).split()
            self.assertIn(accept[-1], made)
            self.penny("alice", *accept)
            self.penny("alice", "send", "bob", "to the new key")
            said = self.penny("bob", "read", str(self.numbers("bob")[1])).stdout
            self.assertIn("text: to the new key", said)
        finally:
            self.assertEqual(self.ask("bob", "KEY", "SET", jwk_text("bob")), "OK")


class Messages(MailTest):
    def test_message_goes_from_jwcrypto_to_jwcrypto(self):
        number, id, envelope = self.send(text="two beers")
        [row] = self.ask("bob", "INBOX")
        self.assertRegex(row.pop(b"time").decode(), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(row, {b"number": number, b"from": b"alice", b"id": id.encode(),
                               b"size": len(envelope)})
        read = self.ask("bob", "READ", number)
        self.assertEqual((read[b"number"], read[b"from"], read[b"id"]),
                         (number, b"alice", id.encode()))
        self.assertEqual(read[b"envelope"].decode(), envelope)
        said = opened(envelope, Keys.get("bob"), Keys.get("alice"))
        self.assertEqual(said["text"], "two beers")
        self.assertEqual(self.ask("alice", "INBOX"), [])

    def test_penny_seals_and_jwcrypto_opens(self):
        self.use_key("alice")
        done = self.penny("alice", "send", "bob", "sent by penny")
        self.assertRegex(done.stdout, r"message: \d+")
        number = self.numbers("bob")[0]
        read = self.ask("bob", "READ", number)
        said = opened(read[b"envelope"].decode(), Keys.get("bob"), Keys.get("alice"))
        self.assertEqual(said["text"], "sent by penny")
        self.assertEqual((said["from"], said["to"], said["id"]),
                         ("alice", "bob", read[b"id"].decode()))

    def test_jwcrypto_seals_and_penny_reads(self):
        self.use_key("bob")
        number, id, _ = self.send(text="sent by jwcrypto")
        said = self.penny("bob", "read", str(number)).stdout
        self.assertIn("text: sent by jwcrypto", said)
        self.assertIn(f"id: {id}", said)
        self.assertIn("from: alice", said)
        self.assertIn(f"number: {number}", self.penny("bob", "inbox").stdout)

    def test_forwarded_or_foreign_signature_is_refused_by_the_reader(self):
        self.use_key("bob")
        # The server cannot tell: alice's envelope holds what the till signed.
        id = self.fresh_id()
        forged = seal(Keys.get("bob"), sign(Keys.get("till"), {
            "from": "alice", "to": "bob", "id": id, "time": "2026-11-21T13:08:57.426Z",
            "text": "x"}), cty="JWT")
        number = self.ask("alice", "SEND", id, "bob", forged)[b"message"]
        self.assertIn("refused", self.penny("bob", "read", str(number), expect=1).stderr)
        id, envelope = self.letter(id="other-id")
        number = self.ask("alice", "SEND", self.fresh_id(), "bob", envelope)[b"message"]
        self.assertIn("another message", self.penny("bob", "read", str(number), expect=1).stderr)

    def test_nothing_reaches_a_file_in_clear(self):
        self.use_key("alice")
        secret = "a-secret-that-nobody-else-reads"
        self.penny("alice", "send", "bob", secret)
        self.ask("admin", "CHECKPOINT")
        for path in self.bank.files():
            with open(path, "rb") as content:
                self.assertNotIn(secret.encode(), content.read(), path)

    def test_what_is_no_envelope_is_refused_and_not_remembered(self):
        id, good = self.letter()
        parts = good.split(".")
        for bad in ("", "x", "hello bob", ".".join(parts[:4]), good + ".x", good + "=",
                    ".".join(["e30", *parts[1:]]), sign(Keys.get("alice"), {"text": "bare"}),
                    seal(Keys.get("bob"), "not nested")):
            self.assert_error(self.ask("alice", "SEND", id, "bob", bad), "ERR", "no envelope")
        long = good + "A" * (SEALED_MAX + 1 - len(good))
        self.assert_error(self.ask("alice", "SEND", id, "bob", long), "ERR", "at most 4608")
        self.assertEqual(list(self.ask("alice", "SEND", id, "bob", good)), [b"message"])

    def test_largest_envelope_is_kept_whole(self):
        id, envelope = self.letter(text="x" * 800)
        room = SEALED_MAX - len(envelope)
        parts = envelope.split(".")
        parts[3] += "A" * room
        if len(parts[3]) % 4 == 1:  # No base64url text has such a length.
            parts[3] = parts[3][:-1]
        largest = ".".join(parts)
        self.assertGreaterEqual(len(largest), SEALED_MAX - 1)
        number = self.ask("alice", "SEND", id, "bob", largest)[b"message"]
        self.assertEqual(self.ask("bob", "READ", number)[b"envelope"].decode(), largest)
        self.bank.kill()
        self.bank.start()
        self.connect()
        self.assertEqual(self.ask("bob", "READ", number)[b"envelope"].decode(), largest)

    def test_id_stands_for_one_message(self):
        number, id, envelope = self.send()
        self.assertEqual(self.ask("alice", "SEND", id, "bob", envelope), {b"message": number})
        _, other = self.letter(id=id, text="other")
        self.assert_error(self.ask("alice", "SEND", id, "bob", other), "EXISTS", "envelope")
        self.assert_error(self.ask("alice", "SEND", id, "alice", envelope), "EXISTS", "to")
        self.assert_error(self.ask("alice", "DEPOSIT", id, "1"), "EXISTS", "command")
        deposit = self.fresh_id()
        self.ask("alice", "DEPOSIT", deposit, "1")
        self.assert_error(self.ask("alice", "SEND", deposit, "bob", envelope), "EXISTS", "command")
        self.assertEqual(self.numbers("bob"), [number])

    def test_server_chooses_an_id(self):
        _, envelope = self.letter()
        reply = self.ask("alice", "SEND", "+", "bob", envelope)
        self.assertTrue(reply[b"id"].startswith(b"+"), reply)
        self.assertEqual(self.ask("bob", "INBOX")[0][b"id"], reply[b"id"])

    def test_replays_are_the_same_after_a_crash_and_a_checkpoint(self):
        number, id, envelope = self.send()
        refused = self.fresh_id()
        words = ("SEND", refused, "nobody", envelope)
        self.assert_error(self.ask("alice", *words), "NOACCT", "no person 'nobody'")
        keyless = self.fresh_id()
        self.assert_error(self.ask("alice", "SEND", keyless, "till", envelope), "STATE", "no key")

        def replies():
            wire = self.bank.wire("alice", protocol=2)
            told = []
            for each in (("SEND", id, "bob", envelope), words,
                         ("SEND", keyless, "till", envelope)):
                wire.send(command(*each))
                told.append(wire.reply_bytes())
            return told

        first = replies()
        self.bank.kill()
        self.bank.start()
        self.assertEqual(replies(), first)
        self.connect()
        self.ask("admin", "CHECKPOINT")
        self.assertEqual(replies(), first)
        self.bank.kill()
        self.bank.start()
        self.connect()
        self.assertEqual(replies(), first)
        self.assertEqual(self.numbers("bob"), [number])
        self.assertEqual(self.ask("bob", "READ", number)[b"envelope"].decode(), envelope)

    def test_mailbox_that_is_full_says_so_and_keeps_what_it_has(self):
        sent = [self.send() for _ in range(3)]
        id, envelope = self.letter()
        words = ("SEND", id, "bob", envelope)
        self.assert_error(self.ask("alice", *words), "OOM", "the mailbox of bob is full: 3")
        self.assertEqual(self.numbers("bob"), [number for number, _, _ in sent])
        self.assertEqual(self.ask("bob", "FORGET", sent[1][0]), "OK")
        number = self.ask("alice", *words)[b"message"]  # OOM is not remembered.
        self.assertGreater(number, sent[2][0])
        self.assertEqual(self.numbers("bob"), [sent[0][0], sent[2][0], number])

    def test_forget_is_safe_to_resend_and_numbers_are_never_given_again(self):
        number, _, _ = self.send()
        self.assert_error(self.ask("alice", "READ", number), "ERR", "no message")
        self.assertEqual(self.ask("alice", "FORGET", number), "OK")  # Not hers; nothing happens.
        self.assertEqual(self.numbers("bob"), [number])
        for _ in range(2):
            self.assertEqual(self.ask("bob", "FORGET", number), "OK")
        self.assert_error(self.ask("bob", "READ", number), "ERR", f"no message {number}")
        for word in ("0", "-1", "x", "", "1e3"):
            self.assert_error(self.ask("bob", "FORGET", word), "ERR", "by its number")
            self.assert_error(self.ask("bob", "READ", word), "ERR", "by its number")
        self.assert_error(self.ask("bob", "FORGET", 10**18), "ERR", "never a message")
        self.ask("admin", "CHECKPOINT")
        self.bank.kill()
        self.bank.start()
        self.connect()
        self.assertEqual(self.ask("bob", "FORGET", number), "OK")
        self.assertGreater(self.send()[0], number)

    def test_send_is_none_of_a_group(self):
        id, envelope = self.letter()
        wire = self.wires["alice"]
        self.assertEqual(wire.ask("MULTI"), "OK")
        self.assert_error(wire.ask("SEND", id, "bob", envelope), "ERR", "only commands that move")
        self.assert_error(wire.ask("EXEC"), "EXECABORT")
        self.assertEqual(self.numbers("bob"), [])

    def test_removed_person_has_no_mailbox(self):
        admin = self.wires["admin"]
        self.assertEqual(admin.ask("USER", "ADD", "dora", "dora-dora"), "OK")
        dora = self.bank.wire("dora", protocol=3, terminal="kiosk", password="dora-dora")
        self.assertEqual(dora.ask("KEY", "SET", jwk_text("bob")), "OK")
        id, envelope = self.letter()
        number = self.ask("alice", "SEND", id, "dora", envelope)[b"message"]
        later = self.fresh_id()
        self.assertEqual(admin.ask("USER", "DEL", "dora"), "OK")
        self.assert_error(self.ask("alice", "SEND", later, "dora", envelope), "CLOSED", "removed")
        self.assertEqual(self.ask("alice", "SEND", id, "dora", envelope), {b"message": number})
        self.assertEqual(self.ask("alice", "KEY", "dora"), {b"name": b"dora", b"jwk": None})

    def test_book_is_decided_again(self):
        self.send()
        self.ask("alice", "SEND", self.fresh_id(), "nobody", self.letter()[1])
        self.assertIn("digest", self.bank.check())
        self.bank.start()
        self.connect()


class ToServer(MailTest):
    def ask_server(self, text="hello", key=None, sender="alice", id=None, to="@server"):
        id = id or self.fresh_id()
        envelope = letter(sender, to, key or Keys.get(sender), Keys.get("@server"), id, text)
        return id, self.ask(sender, "SEND", id, "@server", envelope)

    def told(self):
        return [line for line in self.bank.log().splitlines() if " text \"" in line]

    def test_message_is_logged_and_answered_under_seal(self):
        before = self.ask("alice", "DIGEST")
        id, reply = self.ask_server("line one\nline \"two\" \x1b[31m")
        self.assertEqual(list(reply), [b"envelope"], reply)
        said = opened(reply[b"envelope"].decode(), Keys.get("alice"), Keys.get("@server"))
        self.assertEqual((said["from"], said["to"], said["id"], said["text"]),
                         ("@server", "alice", id, MESSAGE))
        self.assertIn("person alice", self.told()[-1])
        self.assertIn(r"line one\x0aline \x22two\x22 \x1b[31m", self.told()[-1])
        self.assertEqual(self.ask("alice", "DIGEST"), before)
        self.assertEqual(self.ask("alice", "INBOX"), [])

    def test_penny_prints_the_reply(self):
        self.use_key("alice")
        said = self.penny("alice", "send", "@server", "Sending encrypted message").stdout
        self.assertIn(f"text: {MESSAGE}", said)
        self.assertIn("from: @server", said)
        self.assertIn("Sending encrypted message", self.told()[-1])

    def test_bad_messages_are_refused_and_logged_by_nobody(self):
        lines = len(self.told())
        for reply, part in (
                (self.ask_server(key=Keys.get("bob"))[1], "not signed by the key that alice"),
                (self.ask_server(to="bob")[1], "another message"),
                (self.ask("alice", "SEND", self.fresh_id(), "@server",
                          letter("alice", "@server", Keys.get("alice"), Keys.get("@server"),
                                 "older")), "another message"),
                (self.ask("alice", "SEND", self.fresh_id(), "@server",
                          letter("alice", "@server", Keys.get("alice"), Keys.get("bob"), "x")),
                 "not sealed to the key of this server"),
                (self.ask("alice", "SEND", self.fresh_id(), "@server",
                          seal(Keys.get("@server"), "no signature", cty="JWT")),
                 "not a signed message"),
                (self.ask("alice", "SEND", "x", "@server", "hello"), "no envelope"),
                (self.ask("alice", "SEND", "+", "@server", self.letter()[1]), "names its id"),
                (self.ask_server("x" * 256)[1], "at most 255")):
            self.assert_error(reply, "ERR", part)
        self.assert_error(self.ask("till", "SEND", "x", "@server", self.letter()[1]), "STATE",
                          "published no key")
        self.assertEqual(len(self.told()), lines)

    def test_many_are_busy(self):
        # Whoever sends them, and whatever is in them.
        Keys.get("admin")
        self.assertEqual(self.ask("admin", "KEY", "SET", jwk_text("admin")), "OK")
        envelope = seal(Keys.get("@server"), "no signature", cty="JWT")
        words = [("SEND", f"busy-{i}", "@server", envelope) for i in range(130)]
        replies = [self.ask("admin", *each) for each in words]  # Within two minutes, at most.
        self.assertIn("BUSY", {reply.word for reply in replies})


class Archived(unittest.TestCase):
    def test_message_in_an_archived_segment_is_named(self):
        with Bank(settings=("server.segment-size-kib=512",)) as bank:
            with bank.wire("bob", protocol=3) as bob, bank.wire("alice", protocol=3) as alice:
                self.assertEqual(bob.ask("KEY", "SET", jwk_text("bob")), "OK")
                envelope = letter("alice", "bob", Keys.get("alice"), Keys.get("bob"), "old")
                number = alice.ask("SEND", "old", "bob", envelope)[b"message"]
            fill_segment(bank, "f")
            with bank.wire("admin") as admin:
                for place in range(2):
                    self.assertNotIsInstance(admin.ask("CHECKPOINT"), Error)
                    admin.ask("USER", "NAME", "bob", f"Bob {place}")
            bank.stop()
            attic = os.path.join(bank.folder, "attic")
            bank.pennyctl("archive", bank.home, "--before", "2399-01-01", attic)
            bank.start()
            with bank.wire("bob", protocol=3) as bob, bank.wire("alice", protocol=3) as alice:
                self.assertEqual([row[b"number"] for row in bob.ask("INBOX")], [number])
                refused = bob.ask("READ", number)
                self.assertEqual(refused.word, "STATE", refused.line)
                self.assertIn(f"message {number} lies in the archive attic", refused.text)
                again = alice.ask("SEND", "old", "bob", envelope)
                self.assertEqual(again, {b"message": number})
                self.assertEqual(bob.ask("FORGET", number), "OK")
                self.assertEqual(bob.ask("INBOX"), [])


class Starts(unittest.TestCase):
    def test_wrong_message_key_stops_the_start(self):
        with Bank(start=False) as bank:
            path = os.path.join(bank.folder, "m.key")
            bank.settings.append(f"server.message-key={path}")

            def refused(part, content=None, mode=0o600):
                if content is not None:
                    with open(path, "wb") as out:
                        out.write(content)
                    os.chmod(path, mode)
                code, said = bank.refused_start()
                self.assertEqual(code, 1, said)
                self.assertIn(part, said)
                self.assertIn("m.key", said)

            Keys.get("@server")
            refused("No such file")
            refused("is empty", b"")
            refused("no private key of RSA with 3072 bits", make_key(2048)[0])
            refused("no private key of RSA with 3072 bits", b"-----BEGIN PRIVATE KEY-----\n")
            with open(bank.path("certs", "server.key"), "rb") as other:
                refused("no private key of RSA with 3072 bits", other.read())
            refused("can be read by others", Keys.pems["@server"], 0o644)

    def test_without_one_the_server_takes_no_messages(self):
        with Bank() as bank:
            wire = bank.wire("alice", protocol=2)
            self.assertEqual(wire.ask("KEY", "@server"), [b"name", b"@server", b"jwk", None])
            envelope = letter("alice", "@server", Keys.get("alice"), Keys.get("bob"), "x")
            reply = wire.ask("SEND", "x", "@server", envelope)
            self.assertIsInstance(reply, Error)
            self.assertIn("no key for messages", reply.line)

    def test_init_makes_one(self):
        with Bank(start=False) as bank:
            home = os.path.join(bank.folder, "fresh")
            bank.pennyctl("init", home, "--demo")
            path = os.path.join(home, "certs", "message.key")
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
            with open(path, "rb") as pem:
                self.assertEqual(jwk.JWK.from_pem(pem.read()).key_type, "RSA")
            with open(os.path.join(home, "pennyd.conf"), encoding="utf-8") as conf:
                self.assertIn("\nmessage-key = certs/message.key\n", conf.read())
            run([program("pennyd"), "-t", os.path.join(home, "pennyd.conf")])


if __name__ == "__main__":
    unittest.main()

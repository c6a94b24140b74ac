"""Sealed messages as penny makes and takes them, judged by python3-jwcrypto on the other side.

The server is a stand-in that keeps keys and envelopes in memory and may lie about any of them; what
penny does with a lie is the subject.
"""

import base64
import hashlib
import json
import os
import re
import stat
import subprocess

from jwcrypto import jwe, jwk, jws

from bank import library, preloading, program
from jose import make_key, public, seal, sign
from standin import SECONDS_MAX, Closed, PennyTest

TIME = "2026-11-21T13:08:57.426Z"


def bulk(text):
    data = text.encode() if isinstance(text, str) else text
    return b"$%d\r\n%s\r\n" % (len(data), data)


def pairs(**values):
    return b"%%%d\r\n" % len(values) + b"".join(
        bulk(name) + (b"_\r\n" if value is None else
                      b":%d\r\n" % value if isinstance(value, int) else bulk(value))
        for name, value in values.items())


class Mail:
    """What the stand-in keeps: a key for each name, and envelopes as (from, to, id, envelope)."""

    def __init__(self):
        self.keys = {}
        self.letters = []
        self.sets = []
        self.sends = []
        self.drop_sends = 0   # so many answers to SEND are lost
        self.send_error = b""
        self.user = ""

    def talk(self, link):
        while True:
            words = [word.decode("latin-1") for word in link.read()]
            link.say(self.answer(words))

    def answer(self, words):
        name = words[0].upper()
        if name == "HELLO":
            self.user = words[3]
            return b"%1\r\n+proto\r\n:3\r\n"
        if name == "INFO":
            return bulk("ids_forgotten:0\r\n")
        if name == "KEY" and words[1].upper() == "SET":
            self.sets.append(words[2])
            self.keys[self.user] = words[2]
            return b"+OK\r\n"
        if name == "KEY":
            key = self.keys.get(words[1])
            return pairs(name=words[1], jwk=key)
        if name == "SEND":
            return self.send(*words[1:])
        if name == "INBOX":
            rows = [pairs(number=n, id=id) for n, (_, _, id, _) in enumerate(self.letters, 1)]
            return b"*%d\r\n" % len(rows) + b"".join(rows)
        if name == "READ":
            sender, _, id, envelope = self.letters[int(words[1]) - 1]
            return pairs(number=int(words[1]), **{"from": sender}, id=id, envelope=envelope)
        return b"-ERR unknown command\r\n"

    def send(self, id, to, envelope):
        self.sends.append((id, to, envelope))
        if self.drop_sends > 0:
            self.drop_sends -= 1
            raise Closed
        if self.send_error:
            return self.send_error
        if (self.user, to, id, envelope) not in self.letters:
            self.letters.append((self.user, to, id, envelope))
        return pairs(message=len(self.letters))


class MessagesTest(PennyTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pems, cls.people = {}, {}
        for name in ("alice", "bob", "carol", "new"):
            cls.pems[name], cls.people[name] = make_key()

    def setUp(self):
        super().setUp()
        self.mail = Mail()
        self.server = self.serve(self.mail.talk)
        for name in ("alice", "bob", "carol"):
            self.mail.keys[name] = self.people[name].export_public()
        self.messages = f"{self.folder}/home/.config/penny/messages"
        self.put_key("alice", self.pems["alice"])

    def path(self, *names):
        return os.path.join(self.messages, *names)

    def put_key(self, name, pem):
        os.makedirs(self.path(name), mode=0o700, exist_ok=True)
        with open(os.open(self.path(name, "key.pem"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
                  "wb") as out:
            out.write(pem)

    def as_(self, who, *words, options=(), **more):
        return self.penny(*self.options(self.server), "--user", who, "--pass", "x" * 8, *options,
                          *words, **more)

    def payload(self, **changes):
        whole = {"from": "bob", "to": "alice", "id": "m-1", "time": TIME, "text": "hello"}
        return {k: v for k, v in {**whole, **changes}.items() if v is not None}

    def letter(self, payload=None, key=None, to=None, id="m-1", sender="bob", **header):
        """What bob's program, which is jwcrypto, put into alice's mailbox; gives its number."""
        signed = sign(key or self.people["bob"], payload or self.payload())
        envelope = seal(to or self.people["alice"], signed, **{"cty": "JWT", **header})
        return self.put_letter(envelope, id, sender)

    def put_letter(self, envelope, id="m-1", sender="bob"):
        self.mail.letters.append((sender, "alice", id, envelope))
        return str(len(self.mail.letters))

    def opened(self, envelope, reader="bob", signer="alice"):
        """What jwcrypto reads in an envelope that penny sealed."""
        outer = jwe.JWE()
        outer.allowed_algs = ["RSA-OAEP-256", "A256GCM"]
        outer.deserialize(envelope, self.people[reader])
        self.assertEqual(outer.jose_header["cty"], "JWT")
        self.assertEqual(outer.jose_header["kid"], self.people[reader].thumbprint())
        inner = jws.JWS()
        inner.allowed_algs = ["PS256"]
        inner.deserialize(outer.payload.decode(), public(self.people[signer]))
        self.assertEqual(inner.jose_header["kid"], self.people[signer].thumbprint())
        return json.loads(inner.payload)

    def assert_refused(self, *parts):
        self.assertEqual(self.out, b"")
        for part in parts:
            self.assertIn(part, self.err)


class Keys(MessagesTest):
    def test_key_makes_one_and_publishes_it_once_and_again(self):
        said = self.as_("dora", "key")
        path = self.path("dora", "key.pem")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("dora")).st_mode), 0o700)
        with open(path, "rb") as text:
            pem = text.read()
        self.assertTrue(pem.startswith(b"-----BEGIN PRIVATE KEY-----\n"))
        checked = subprocess.run(["openssl", "pkey", "-check", "-noout", "-in", path],
                                 capture_output=True, text=True, check=True)
        self.assertIn("valid", checked.stdout)
        key = jwk.JWK.from_pem(pem)
        self.assertEqual(self.mail.sets[0],
                         '{"e":"AQAB","kty":"RSA","n":"%s"}' % json.loads(key.export_public())["n"])
        self.assertEqual(said, f"person: dora\nfingerprint: {key.thumbprint()}\n")
        self.assertEqual(self.as_("dora", "key"), said)
        self.assertEqual(self.mail.sets[0], self.mail.sets[1])
        self.assertEqual(os.listdir(self.path("dora")), ["key.pem"])
        self.assertEqual(self.as_("dora", "key", "show"), said)
        self.assertEqual(json.loads(self.as_("dora", "key", "show", options=["--json"])),
                         {"person": "dora", "fingerprint": key.thumbprint()})

    def test_a_key_that_others_may_read_is_not_used(self):
        os.chmod(self.path("alice", "key.pem"), 0o640)
        self.as_("alice", "key", code=1)
        self.assert_refused("chmod 600")
        self.assertEqual(self.mail.sets, [])

    def test_a_key_of_another_kind_is_not_used(self):
        self.put_key("alice", make_key(2048)[0])
        self.as_("alice", "key", code=1)
        self.assert_refused("key.pem")
        self.assertEqual(self.mail.sets, [])

    def test_without_randomness_no_key_is_made(self):
        # A handshake needs it too, so it fails once the connection stands.
        preload = preloading(library(self.folder, "fail_random"))
        failing = f"{self.folder}/fail"
        environment = {name: preload[name] for name in ("LD_LIBRARY_PATH", "LD_PRELOAD")}
        process = subprocess.Popen(
            [program("penny"), *self.options(self.server), "--user", "dora", "--pass", "x" * 8],
            cwd=self.folder, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**self.environment, **environment, "FAIL_RANDOM": failing})
        with process:
            process.stdin.write("INBOX\n")
            process.stdin.flush()
            self.assertEqual(process.stdout.readline(), "(empty array)\n")
            with open(failing, "w", encoding="utf-8"):
                pass
            _, errors = process.communicate("key\nsend bob x\n", timeout=SECONDS_MAX)
        self.assertEqual(process.returncode, 1)
        self.assertIn("no key was made: no random bytes", errors)
        self.assertIn("there is no id", errors)
        self.assertEqual(os.listdir(self.path("dora")), [])
        self.assertEqual(self.mail.sets, [])

    def test_a_new_key_leaves_the_old_messages_readable(self):
        number = self.letter()
        old = self.people["alice"].thumbprint()
        said = self.as_("alice", "key", "new")
        new = re.search(r"fingerprint: (\S+)", said).group(1)
        self.assertNotEqual(new, old)
        self.assertEqual(sorted(os.listdir(self.path("alice"))), [f"key-{old}.pem", "key.pem"])
        self.assertIn("text: hello", self.as_("alice", "read", number))
        self.mail.letters.clear()
        given = jwk.JWK.from_json(self.mail.keys["alice"])
        self.assertEqual(given.thumbprint(), new)
        # With a word about the key, and without one.
        for id, header in (("m-2", {"kid": new}), ("m-3", {})):
            number = self.letter(self.payload(id=id), to=given, id=id, **header)
            self.assertIn("text: hello", self.as_("alice", "read", number))

    def test_a_new_key_that_was_not_published_is_taken_up_again(self):
        old = self.people["alice"].thumbprint()
        refusing = self.serve(lambda link: [link.read(), link.say(b"%1\r\n+proto\r\n:3\r\n"),
                                            link.read(), link.say(b"-BUSY later\r\n")])
        self.penny(*self.options(refusing), "--user", "alice", "--pass", "x" * 8, "key", "new",
                   code=1)
        self.assertIn("BUSY", self.err)
        self.assertEqual(sorted(os.listdir(self.path("alice"))), ["key-next.pem", "key.pem"])
        with open(self.path("alice", "key-next.pem"), "rb") as text:
            next_key = jwk.JWK.from_pem(text.read()).thumbprint()
        self.assertIn(next_key, self.as_("alice", "key"))
        self.assertEqual(sorted(os.listdir(self.path("alice"))), [f"key-{old}.pem", "key.pem"])

    def test_the_folder_is_beside_client_conf_or_where_it_says(self):
        for line, folder in (("", "deep/messages"), ("messages = mail\n", "deep/mail"),
                             (f"messages = {self.folder}/far\n", "far")):
            os.makedirs(f"{self.folder}/deep", exist_ok=True)
            with open(f"{self.folder}/deep/client.conf", "w", encoding="utf-8") as out:
                out.write("[client]\n" + line)
            self.as_("alice", "key", "show", options=["-c", "deep/client.conf"], code=1)
            self.assertIn("penny key makes one", self.err)
            self.assertTrue(os.path.isdir(f"{self.folder}/{folder}/alice"), folder)

    def test_verbs_need_a_person_and_their_words(self):
        for words in (["key", "shows"], ["key", "accept", "bob"], ["key", "new", "x"], ["send", "bob"],
                      ["send", "bob", "--file"], ["send", "bob", "x", "y"], ["inbox", "x"],
                      ["send", "bob", "x", "--id"], ["send", "bob", "x", "--id", "a b"],
                      ["send", "Bob!", "x"], ["send", "../bob", "x"], ["read"], ["read", "x"],
                      ["read", "1", "x"], ["read", "1", "--file"], ["key", "accept", "bob", "short"]):
            with self.subTest(words=words):
                self.as_("alice", *words, code=2)
        self.penny(*self.options(self.server), "key", code=2)
        self.assertIn("log in", self.err)
        self.as_("../alice", "key", code=2)
        self.assertEqual(self.mail.sends, [])

    def test_upper_case_and_what_is_behind_dashes_goes_to_the_server(self):
        self.as_("alice", "--", "send", "m-1", "bob", "as typed")
        self.as_("alice", "SEND", "m-2", "bob", "as typed")
        self.assertEqual(self.mail.sends, [("m-1", "bob", "as typed"), ("m-2", "bob", "as typed")])


class Sending(MessagesTest):
    def test_jwcrypto_opens_what_penny_sealed(self):
        said = self.as_("alice", "send", "bob", "caf\u00e9 \"x\"\n\t\\ \U0001f600")
        self.assertEqual(said, "message: 1\n")
        made = re.search(r"^id ([0-9a-f]{20})$", self.err, re.M).group(1)
        id, to, envelope = self.mail.sends[0]
        self.assertEqual((id, to), (made, "bob"))
        self.assertLessEqual(len(envelope), 4608)
        payload = self.opened(envelope)
        self.assertRegex(payload.pop("time"), r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(payload, {"from": "alice", "to": "bob", "id": made,
                                   "text": "caf\u00e9 \"x\"\n\t\\ \U0001f600"})
        # Nothing of it is left in the clear, and nothing waits.
        self.assertNotIn("caf", envelope)
        self.assertEqual(sorted(os.listdir(self.path("alice"))), ["key.pem", "pins"])

    def test_a_file_goes_as_its_bytes_up_to_the_limit(self):
        for size in (0, 1, 1024):
            data = bytes(i * 7 & 255 for i in range(size))
            with open(f"{self.folder}/f", "wb") as out:
                out.write(data)
            self.as_("alice", "send", "bob", "--file", "f", "--id", f"f-{size}")
            payload = self.opened(self.mail.sends[-1][2])
            digits = payload["bytes"]
            self.assertEqual(base64.urlsafe_b64decode(digits + "=" * (-len(digits) % 4)), data)
        for size in (1500, 5000):
            with open(f"{self.folder}/f", "wb") as out:
                out.write(bytes(size))
            self.as_("alice", "send", "bob", "--file", "f", code=1)
            self.assert_refused("1024 bytes")
        self.as_("alice", "send", "bob", "x" * 3000, code=1)
        self.assert_refused("too long")
        self.as_("alice", "send", "bob", "--file", "nosuch", code=1)
        self.as_("alice", "send", "bob", b"\xff".decode("utf-8", "surrogateescape"), code=1)
        self.assert_refused("UTF-8")
        self.assertEqual(len(self.mail.sends), 3)

    def test_nothing_is_sealed_to_somebody_without_a_key_or_with_a_bad_one(self):
        self.as_("alice", "send", "dora", "x", code=1)
        self.assert_refused("dora has no key")
        bad = json.loads(self.people["bob"].export_public())
        for change in ({"e": "Aw"}, {"use": "sig"}, {"d": "AQAB"}, {"kty": "EC"},
                       {"n": bad["n"][:342]}):
            self.mail.keys["bob"] = json.dumps({**bad, **change})
            self.as_("alice", "send", "bob", "x", code=1)
            self.assert_refused("refused")
        self.mail.keys["bob"] = "\x1b[2J"
        self.as_("alice", "send", "bob", "x", code=1)
        self.assertNotIn("\x1b", self.err)
        self.mail.keys["bob"] = make_key(2048)[1].export_public()
        self.as_("alice", "send", "bob", "x", code=1)
        self.assert_refused("3072")
        self.assertEqual(self.mail.sends, [])
        self.assertFalse(os.path.exists(self.path("alice", "pins")))

    def test_a_first_key_is_pinned_and_shown_and_a_change_refused_until_accepted(self):
        before, after = self.people["bob"].thumbprint(), self.people["new"].thumbprint()
        self.as_("alice", "send", "bob", "one")
        self.assertIn(f"first time; have its fingerprint confirmed: {before}", self.err)
        self.as_("alice", "send", "bob", "two")
        self.assertNotIn(before, self.err)
        self.mail.keys["bob"] = self.people["new"].export_public()
        for _ in range(2):
            self.as_("alice", "send", "bob", "three", code=1)
            self.assert_refused(before, after, f"penny key accept bob {after}")
        self.assertEqual(len(self.mail.sends), 2)
        self.as_("alice", "key", "accept", "bob", self.people["carol"].thumbprint(), code=1)
        self.assert_refused("another fingerprint", after)
        self.assertEqual(self.as_("alice", "key", "show", "bob"),
                         f"person: bob\nfingerprint: {before}\n")
        self.assertEqual(self.as_("alice", "key", "accept", "bob", after),
                         f"person: bob\nfingerprint: {after}\n")
        self.as_("alice", "send", "bob", "three")
        self.people["was"], self.people["bob"] = self.people["bob"], self.people["new"]
        try:
            self.assertEqual(self.opened(self.mail.sends[2][2])["text"], "three")
        finally:
            self.people["bob"] = self.people.pop("was")
        # Back to the old one is a change as well.
        self.mail.keys["bob"] = self.people["bob"].export_public()
        self.as_("alice", "send", "bob", "four", code=1)
        self.assert_refused(before, after)

    def test_an_answer_that_was_lost_is_asked_for_with_the_same_envelope(self):
        self.mail.drop_sends = 2
        self.as_("alice", "send", "bob", "hello")
        self.assertEqual(len(self.mail.sends), 3)
        self.assertEqual(len(set(self.mail.sends)), 1)

    def test_an_envelope_without_an_answer_is_kept_and_sent_again_by_its_id(self):
        self.mail.drop_sends = 1000
        self.as_("alice", "send", "bob", "hello", "--id", "m-7", options=["--timeout", "1"], code=1)
        self.assertIn("--id m-7", self.err)
        first = self.mail.sends[0]
        self.assertEqual(stat.S_IMODE(os.stat(self.path("alice", "send-m-7")).st_mode), 0o600)
        self.mail.drop_sends = 0
        for words in (["bob", "other"], ["carol", "hello"]):
            self.as_("alice", "send", *words, "--id", "m-7", code=1)
            self.assert_refused("another message waits")
        self.mail.keys["bob"] = self.people["new"].export_public()  # It was sealed before that.
        self.as_("alice", "send", "bob", "hello", "--id", "m-7")
        self.assertEqual(self.mail.sends[-1], first)
        self.assertFalse(os.path.exists(self.path("alice", "send-m-7")))

    def test_a_refusal_by_the_server_is_shown_and_nothing_waits(self):
        self.mail.send_error = b"-OOM the mailbox of bob is full\r\n"
        self.as_("alice", "send", "bob", "hello", code=1)
        self.assertIn("OOM the mailbox of bob is full", self.err)
        self.assertEqual(sorted(os.listdir(self.path("alice"))), ["key.pem", "pins"])

    def test_pins_that_a_power_cut_tore_are_mended_and_damaged_ones_refused(self):
        self.as_("alice", "send", "bob", "one")
        with open(self.path("alice", "pins"), "ab") as out:
            out.write(b"carol half-a-li")
        self.as_("alice", "send", "carol", "two")
        with open(self.path("alice", "pins"), encoding="utf-8") as text:
            lines = text.read().split("\n")
        self.assertEqual([line.split(" ")[0] for line in lines], ["bob", "carol", ""])
        with open(self.path("alice", "pins"), "w", encoding="utf-8") as out:
            out.write(lines[0].replace("AQAB", "AQAD") + "\n")
        self.as_("alice", "send", "carol", "three", code=1)
        self.assert_refused("pins")
        self.assertEqual(len(self.mail.sends), 2)

    def test_verbs_work_at_the_prompt_and_not_in_a_group(self):
        self.as_("alice", stdin='send bob "two words"\nkey show\nMULTI\nsend bob x\n', code=1)
        self.assertEqual(self.opened(self.mail.sends[0][2])["text"], "two words")
        self.assertIn(self.people["alice"].thumbprint().encode(), self.out)

    def test_the_servers_own_answer_is_opened(self):
        self.mail.keys["@server"] = self.people["carol"].export_public()
        answers = {}

        def send(id, to, envelope):
            self.mail.sends.append((id, to, envelope))
            payload = self.payload(**{"from": "@server", "id": id, "text": "well met",
                                      **answers.get("change", {})})
            signed = sign(self.people[answers.get("signer", "carol")], payload)
            return pairs(envelope=seal(self.people["alice"], signed, cty="JWT"))

        self.mail.send = send
        said = self.as_("alice", "send", "@server", "Sending encrypted message", "--id", "s-1")
        self.assertIn("from: @server\nid: s-1\n", said)
        self.assertIn("text: well met\n", said)
        self.assertEqual(self.opened(self.mail.sends[0][2], reader="carol")["to"], "@server")
        answers["signer"] = "bob"
        self.as_("alice", "send", "@server", "x", "--id", "s-2", code=1)
        self.assert_refused("not signed by @server")
        answers.update(signer="carol", change={"id": "s-1"})
        self.as_("alice", "send", "@server", "x", "--id", "s-3", code=1)
        self.assert_refused("another message")


class Reading(MessagesTest):
    def read(self, number, code=0, **more):
        return self.as_("alice", "read", number, code=code, **more)

    def test_penny_opens_what_jwcrypto_sealed(self):
        number = self.letter(self.payload(text="caf\u00e9 \U0001f600"))
        self.assertEqual(self.read(number),
                         f"message: 1\nfrom: bob\nid: m-1\ntime: {TIME}\n"
                         f"signed by key: {self.people['bob'].thumbprint()}\n"
                         "text: caf\u00e9 \U0001f600\n")
        self.assertIn("first time", self.err)
        self.assertEqual(json.loads(self.read(number, options=["--json"])),
                         {"message": "1", "from": "bob", "id": "m-1", "time": TIME,
                          "signed by key": self.people["bob"].thumbprint(),
                          "text": "caf\u00e9 \U0001f600"})
        self.assertNotIn("first time", self.err)
        self.assertIn("number: 1", self.as_("alice", "inbox"))

    def test_headers_of_other_programs_are_understood(self):
        bob = self.people["bob"]
        for i, (outer, inner) in enumerate(
                [({"kid": self.people["alice"].thumbprint(), "typ": "JWT"}, {"typ": "JWT"}),
                 ({"kid": "alice's"}, {"kid": bob.thumbprint()}), ({"cty": "jwt"}, {"kid": "b"}),
                 ({"x": 1}, {"jku": "https://nobody.example/"})]):
            signed = sign(bob, self.payload(id=f"h-{i}"), **inner)
            envelope = seal(self.people["alice"], signed, **{"cty": "JWT", **outer})
            self.assertIn("text: hello", self.read(self.put_letter(envelope, f"h-{i}")))

    def test_what_a_terminal_would_obey_is_escaped(self):
        number = self.letter(self.payload(text="a\x1b[2J\r\nfrom: admin\x7f\u009b\0"))
        said = self.read(number)
        self.assertIn("text: a\\x1b[2J\\x0d\\x0afrom: admin\\x7f\\xc2\\x9b\\x00\n", said)

    def test_a_file_is_saved_where_it_is_asked_for_and_never_over_another(self):
        data = bytes(range(256))
        digits = base64.urlsafe_b64encode(data).rstrip(b"=").decode()
        number = self.letter(self.payload(text=None, bytes=digits))
        self.assertIn("file of bytes: 256\n", self.read(number))
        self.assertIn("saved as: out\n", self.as_("alice", "read", number, "--file", "out"))
        with open(f"{self.folder}/out", "rb") as text:
            self.assertEqual(text.read(), data)
        self.assertEqual(stat.S_IMODE(os.stat(f"{self.folder}/out").st_mode), 0o600)
        self.as_("alice", "read", number, "--file", "out", code=1)
        self.assert_refused("out: File exists")

    def test_an_envelope_that_is_none_or_of_another_kind_is_refused(self):
        alice, signed = self.people["alice"], sign(self.people["bob"], self.payload())
        good = seal(alice, signed, cty="JWT")
        for envelope in ("", "hello", signed, good[:-1], good + ".", good.replace(".", "..", 1),
                         seal(alice, signed), seal(alice, signed, cty="text"),
                         seal(alice, signed, alg="RSA-OAEP", cty="JWT"),
                         seal(alice, signed, enc="A128GCM", cty="JWT"),
                         seal(alice, signed, enc="A256CBC-HS512", cty="JWT"),
                         seal(alice, signed, cty="JWT", zip="DEF")):
            self.read(self.put_letter(envelope), code=1)
            self.assert_refused("refused: this is no envelope")
        self.read(self.put_letter("x" * 5000), code=1)
        self.assert_refused("4608 are the most")

    def test_an_envelope_for_another_key_or_changed_on_the_way_is_refused(self):
        signed = sign(self.people["bob"], self.payload())
        self.read(self.put_letter(seal(self.people["carol"], signed, cty="JWT")), code=1)
        self.assert_refused("refused: it was changed")
        kid = self.people["carol"].thumbprint()
        self.read(self.put_letter(seal(self.people["carol"], signed, cty="JWT", kid=kid)), code=1)
        self.assert_refused(kid, "which is not in")
        parts = seal(self.people["alice"], signed, cty="JWT").split(".")
        for i in (1, 2, 3, 4):
            other = list(parts)
            other[i] = ("B" if other[i][0] == "A" else "A") + other[i][1:]
            self.read(self.put_letter(".".join(other)), code=1)
            self.assert_refused("refused: it was changed")

    def test_a_message_that_the_sender_did_not_sign_is_refused_loudly(self):
        alice = self.people["alice"]
        secret = jwk.JWK(kty="oct", k=base64.urlsafe_b64encode(
            self.people["bob"].export_public().encode()).decode().rstrip("="))
        payload = self.payload()
        none = ".".join(base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
                        for text in ('{"alg":"none"}', json.dumps(payload))) + "."
        for signed in (sign(self.people["carol"], payload),
                       sign(self.people["carol"], payload, kid=self.people["bob"].thumbprint())):
            self.read(self.put_letter(seal(alice, signed, cty="JWT")), code=1)
            self.assert_refused("refused: it is not signed by bob")
        for signed in (sign(self.people["bob"], payload, alg="RS256"), "hello", json.dumps(payload),
                       sign(self.people["bob"], payload, alg="PS384"), none,
                       sign(secret, payload, alg="HS256")):
            self.read(self.put_letter(seal(alice, signed, cty="JWT")), code=1)
            self.assert_refused("refused: what bob signed is no message")
        for change in ({"text": None}, {"time": "today"}, {"more": "x"}, {"bytes": ""}, {"id": 7}):
            self.read(self.letter(self.payload(**change)), code=1)
            self.assert_refused("refused: what bob signed is no message")
        self.assertFalse(os.path.exists(self.path("alice", "pins")))

    def test_a_message_for_somebody_else_or_by_another_name_or_id_is_refused(self):
        # carol got it from bob, and sends it on as if it were for alice.
        for change in ({"to": "carol"}, {"from": "carol"}, {"id": "m-2"}):
            self.read(self.letter(self.payload(**change)), code=1)
            self.assert_refused("refused: what bob signed is another message")
        # As carol's own, it is not by carol.
        self.read(self.letter(sender="carol"), code=1)
        self.assert_refused("refused: it is not signed by carol")

    def test_a_message_that_comes_again_under_another_number_is_refused(self):
        number = self.letter()
        for _ in range(2):
            self.assertIn("text: hello", self.read(number))
        again = self.put_letter(self.mail.letters[0][3])
        self.read(again, code=1)
        self.assert_refused("bob sent id m-1 once", "as message 1")
        # So is another content under the same id, and under the same number.
        self.read(self.letter(self.payload(text="other")), code=1)
        self.assert_refused("bob sent id m-1 once")
        self.mail.letters[0] = self.mail.letters[2]
        self.read(number, code=1)
        self.assert_refused("bob sent id m-1 once")
        # Another sender's id is another message.
        number = self.letter(self.payload(**{"from": "carol"}), key=self.people["carol"],
                             sender="carol")
        self.assertIn("from: carol", self.read(number))

    def test_a_sender_whose_key_changed_is_refused_until_accepted_and_the_old_ones_stay(self):
        before, after = self.people["bob"].thumbprint(), self.people["new"].thumbprint()
        self.read(self.letter())
        self.mail.keys["bob"] = self.people["new"].export_public()
        changed = self.letter(self.payload(id="m-2"), key=self.people["new"], id="m-2")
        self.read(changed, code=1)
        self.assert_refused(before, after, f"penny key accept bob {after}")
        self.as_("alice", "key", "accept", "bob", after)
        self.assertIn(f"signed by key: {after}\n", self.read(changed))
        old = self.letter(self.payload(id="m-3"), id="m-3")
        self.assertIn(f"signed by an earlier key: {before}\n", self.read(old))
        # The server alone cannot make a key known: what a stranger signed is not bob's.
        self.read(self.letter(self.payload(id="m-4"), key=self.people["carol"], id="m-4"), code=1)
        self.assert_refused("refused: it is not signed by bob")

    def test_an_answer_of_the_server_that_is_none_is_refused(self):
        for answer in (b"+OK\r\n", b"_\r\n", b":1\r\n", b"*0\r\n", pairs(message=1),
                       pairs(**{"from": "bob"}, id="m-1"), pairs(**{"from": "b", "id": "x y"},
                                                                 envelope="x"),
                       pairs(**{"from": "../../x", "id": "m-1"}, envelope="x"),
                       pairs(**{"from": "b" * 40, "id": "m-1"}, envelope="x")):
            def talk(link, answer=answer):
                link.read()
                link.say(b"%1\r\n+proto\r\n:3\r\n")
                link.read()
                link.say(answer)
            server = self.serve(talk)
            self.penny(*self.options(server), "--user", "alice", "--pass", "x" * 8, "read", "1",
                       code=1)
            self.assert_refused("the server's answer")
        # RESP2 has pairs in an array.
        number = self.letter()
        maps = self.mail.answer
        self.mail.answer = lambda words: re.sub(
            rb"^%(\d+)", lambda m: b"*%d" % (2 * int(m.group(1))), maps(words))
        self.assertIn("text: hello", self.read(number))


class Numbers(MessagesTest):
    def test_a_fingerprint_is_what_others_compute(self):
        text = '{"e":"AQAB","kty":"RSA","n":"%s"}' % json.loads(
            self.people["alice"].export_public())["n"]
        digits = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        self.assertIn(digits.decode(), self.as_("alice", "key", "show"))

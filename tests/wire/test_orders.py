"""ITEMS, ITEM, ORDER, ORDERS, CANCEL and ORDER DONE: what the shop sells, and to whom."""

import csv
import io
import unittest

from bank import BankTest
from resp import Error, fields


def rows(reply):
    return [fields(row) for row in reply]


class Orders(BankTest):
    settings = ("server.refused-per-minute=6000", "limits.orders=64", "limits.items=160")

    def setUp(self):
        self.alice = self.wire("alice")
        self.bob = self.wire("bob")
        self.till = self.wire("till")
        self.admin = self.wire("admin")
        self.alice.ask("DEPOSIT", "+", "100.00")

    def wire(self, name, **options):
        wire = self.bank.wire(name, **options)
        self.addCleanup(wire.close)
        return wire

    def item(self, name, price, *more):
        self.assertEqual(self.admin.ask("ITEM", "SET", name, price, *more), "OK")

    def order(self, name, item, *more, wire=None):
        reply = (wire or self.alice).ask("ORDER", name, item, *more)
        self.assertNotIsInstance(reply, Error, reply)
        return fields(reply)

    def cents(self, wire):
        return round(float(wire.ask("BALANCE")) * 100)

    def test_the_demo_sells_something(self):
        shown = {row["item"]: row for row in rows(self.alice.ask("ITEMS"))}
        for name, price in (("mate", "1.50"), ("pretzel", "1.20"), ("coffee", "1.00")):
            self.assertEqual(shown[name]["price"], price)
            self.assertIsNone(shown[name]["stock"])

    def test_an_order_pays_and_says_who_what_where_and_when(self):
        self.item("juice", "1.70", "TITLE", "Orange juice", "STOCK", 9)
        before = self.cents(self.alice)
        made = self.order("w1", "juice", 3)
        self.assertEqual(made["order"], made["entry"])
        self.assertEqual((made["item"], made["quantity"], made["price"]), ("juice", 3, "1.70"))
        self.assertEqual(self.cents(self.alice), before - 510)
        self.assertEqual(round(float(made["balance"]) * 100), before - 510)
        row = rows(self.alice.ask("ORDERS", "COUNT", 1))[0]
        self.assertEqual({key: row[key] for key in row if key != "time"},
                         {"order": made["order"], "item": "juice", "quantity": 3, "price": "1.70",
                          "amount": "5.10", "account": "alice", "person": "alice",
                          "terminal": "alice", "state": "open"})
        shown = rows(self.alice.ask("STATEMENT", "COUNT", 1))[0]
        self.assertEqual((shown["operation"], shown["amount"], shown["item"], shown["quantity"]),
                         ("order", "-5.10", "juice", 3))
        text = self.alice.ask("RECEIPT", made["entry"]).decode()
        self.assertIn("\nitem: juice\nquantity: 3\n", text)
        self.assertEqual(fields(self.alice.ask("RECEIPT", "VERIFY", text))["item"], "juice")
        self.assertEqual(self.stock("juice"), 6)

    def stock(self, name):
        return {row["item"]: row["stock"] for row in rows(self.bob.ask("ITEMS"))}[name]

    def test_a_changed_price_keeps_the_old_orders_price(self):
        self.item("tea", "1.00")
        made = self.order("p1", "tea", 2)
        self.item("tea", "9.00")
        before = self.cents(self.alice)
        again = self.alice.ask("ORDER", "p1", "tea", 2)
        self.assertEqual(fields(again), made)
        self.assert_error(self.alice.ask("ORDER", "p2", "tea", "PRICE", "1.00"), "STATE",
                          "the price of tea is 9.00 now")
        back = fields(self.alice.ask("CANCEL", "p3", made["order"]))
        self.assertEqual(back["price"], "1.00")
        self.assertEqual(self.cents(self.alice), before + 200)
        self.order("p4", "tea", "PRICE", "9.00")

    def test_every_bad_order_is_refused_and_books_nothing(self):
        self.item("cake", "2.00", "STOCK", 2)
        self.item("yacht", "9000000000000.00")
        self.item("gone", "1.00")
        self.assertEqual(self.admin.ask("ITEM", "DEL", "gone"), "OK")
        before = self.cents(self.alice)
        for number, (words, word, part) in enumerate((
                (("nothing",), "STATE", "there is no item 'nothing'"),
                (("No Name",), "STATE", "there is no item 'No Name'"),
                (("gone",), "STATE", "gone is no longer sold"),
                (("cake", 3), "STATE", "cake: only 2 left"),
                (("cake", 0), "ERR", "a quantity is a number from 1 to 1000000"),
                (("cake", 1000001), "ERR", "a quantity is"),
                (("cake", 99999999999999999999999), "ERR", "a quantity is"),
                (("cake", -1), "ERR", "a quantity is"),
                (("cake", "1.5"), "ERR", "a quantity is"),
                (("cake", 1, "PRICE"), "ERR", "syntax"),
                (("cake", 1, "TITLE", "x"), "ERR", "syntax"),
                (("cake", "PRICE", "free"), "AMOUNT", "decimal text"),
                (("cake", "PRICE", "0"), "AMOUNT", "decimal text"),
                (("cake", "PRICE", "2.001"), "AMOUNT", "decimal text"),
                (("cake", "PRICE", "1.99"), "STATE", "the price of cake is 2.00 now"),
                (("cake", "FROM", "bob"), "NOPERM", "only the own account"),
                (("cake", "FROM", "nobody"), "NOPERM", "only the own account"),
                (("cake", "FROM", "cash"), "NOPERM", "the book itself"),
                (("cake", "FROM", "shop"), "NOPERM", "the book itself"),
                (("yacht", 2), "AMOUNT", "more than one movement"),
                (("yacht", 1000000), "AMOUNT", "more than one movement"),
                (("yacht",), "FUNDS", "not enough for 9000000000000.00"))):
            first = self.alice.ask_bytes("ORDER", f"bad-{number}", *words)
            self.assertEqual(self.alice.ask_bytes("ORDER", f"bad-{number}", *words), first)
            self.assertTrue(first.startswith(f"-{word} ".encode()), (words, first))
            self.assertIn(part.encode(), first)
        self.assert_error(self.alice.ask("ORDER", "no/id", "cake"), "ERR", "an id is")
        self.assert_error(self.alice.ask("ORDER", "x"), "ERR", "wrong number")
        self.assertEqual(self.cents(self.alice), before)
        self.assertEqual(self.stock("cake"), 2)

    def test_every_bad_item_is_refused(self):
        for words, word in ((("SET", "cash", "1.00"), "ERR"), (("SET", "all", "1.00"), "ERR"),
                            (("SET", "stock", "1.00"), "ERR"), (("SET", "Upper", "1.00"), "ERR"),
                            (("SET", "x", "0"), "AMOUNT"), (("SET", "x", "-1"), "AMOUNT"),
                            (("SET", "x", "cheap"), "AMOUNT"), (("SET", "x"), "ERR"),
                            (("SET", "x", "1.00", "STOCK"), "ERR"),
                            (("SET", "x", "1.00", "STOCK", "many"), "ERR"),
                            (("SET", "x", "1.00", "STOCK", "-1"), "ERR"),
                            (("SET", "x", "1.00", "STOCK", "1000000001"), "ERR"),
                            (("SET", "x", "1.00", "TITLE", "a\nb"), "ERR"),
                            (("SET", "x", "1.00", "TITLE", "a" * 64), "ERR"),
                            (("SET", "x", "1.00", "COLOUR", "red"), "ERR"),
                            (("DEL", "never-there"), "ERR"), (("DEL", "mate", "now"), "ERR"),
                            (("HIDE", "mate"), "ERR")):
            self.assert_error(self.admin.ask("ITEM", *words), word)
        self.assertNotIn("x", [row["item"] for row in rows(self.alice.ask("ITEMS"))])
        self.assert_error(self.alice.ask("ITEMS", "AFTER"), "ERR")
        self.assert_error(self.alice.ask("ITEMS", "AFTER", "never-there"), "ERR", "no item")
        self.assert_error(self.alice.ask("ITEMS", "BEFORE", "mate"), "ERR")

    def test_setting_what_holds_already_writes_nothing(self):
        self.item("bun", "0.80", "STOCK", 4, "TITLE", "Bun")
        digest = self.admin.ask("DIGEST")
        for more in ((), ("STOCK", 4), ("TITLE", "Bun"), ("TITLE", "Bun", "STOCK", 4)):
            self.item("bun", "0.80", *more)
        self.assertEqual(self.admin.ask("DIGEST"), digest)
        self.assertEqual(self.admin.ask("ITEM", "DEL", "bun"), "OK")
        digest = self.admin.ask("DIGEST")
        self.assertEqual(self.admin.ask("ITEM", "DEL", "bun"), "OK")
        self.assertEqual(self.admin.ask("DIGEST"), digest)
        self.item("bun", "0.90")  # The same item again, as it was.
        row = {row["item"]: row for row in rows(self.alice.ask("ITEMS"))}["bun"]
        self.assertEqual((row["title"], row["price"], row["stock"]), ("Bun", "0.90", 4))
        self.item("bun", "0.90", "STOCK", "-", "TITLE", "")
        row = {row["item"]: row for row in rows(self.alice.ask("ITEMS"))}["bun"]
        self.assertEqual((row["title"], row["stock"]), ("", None))

    def test_an_order_is_cancelled_once_and_not_when_it_is_done(self):
        self.item("soup", "3.00", "STOCK", 10)
        before = self.cents(self.alice)
        first = self.order("c1", "soup", 2)["order"]
        self.assertEqual(self.stock("soup"), 8)
        back = self.alice.ask_bytes("CANCEL", "c2", first)
        self.assertEqual(self.alice.ask_bytes("CANCEL", "c2", first), back)
        self.assertEqual(self.stock("soup"), 10)
        self.assertEqual(self.cents(self.alice), before)
        for _ in range(2):
            self.assert_error(self.alice.ask("CANCEL", "c3", first), "STATE",
                              f"order {first} has been cancelled already")
        self.assert_error(self.till.ask("ORDER", "DONE", "c4", first), "STATE", "cancelled")
        second = self.order("c5", "soup")["order"]
        done = self.till.ask_bytes("order", "done", "c6", second)
        self.assertEqual(self.till.ask_bytes("ORDER", "DONE", "c6", second), done)
        self.assert_error(self.alice.ask("CANCEL", "c7", second), "STATE", "handed over")
        self.assert_error(self.till.ask("ORDER", "DONE", "c8", second), "STATE", "handed over")
        self.assert_error(self.alice.ask("CANCEL", "c9", 999999), "STATE", "is not known")
        self.assert_error(self.alice.ask("CANCEL", "c2", second), "EXISTS", "order")
        self.assert_error(self.alice.ask("CANCEL", "c1", first), "EXISTS", "command")
        for number in ("x", 0, -1, "1.0"):
            self.assert_error(self.alice.ask("CANCEL", "c10", number), "ERR", "by its number")
        self.assertEqual(self.cents(self.alice), before - 300)

    def test_an_id_stands_for_one_order(self):
        self.item("milk", "1.00")
        self.order("i1", "milk", 2, "PRICE", "1.00")
        for words, field in ((("mate", 2, "PRICE", "1.00"), "item"),
                             (("nothing", 2, "PRICE", "1.00"), "item"),
                             (("milk", 3, "PRICE", "1.00"), "quantity"),
                             (("milk", 2, "PRICE", "1.01"), "price"), (("milk", 2), "price")):
            self.assert_error(self.alice.ask("ORDER", "i1", *words), "EXISTS", field)

    def test_rights(self):
        self.item("nut", "1.00")
        mine = self.order("r1", "nut")["order"]
        self.assert_error(self.bob.ask("CANCEL", "r2", mine), "NOPERM", "somebody else's")
        self.assert_error(self.alice.ask("ORDER", "DONE", "r3", mine), "NOPERM", "a till")
        self.assert_error(self.admin.ask("ORDER", "r4", "nut"), "NOPERM")
        self.assert_error(self.alice.ask("ITEM", "SET", "nut", "0.01"), "NOPERM")
        self.assert_error(self.till.ask("ITEM", "SET", "nut", "0.01"), "NOPERM")
        self.assert_error(self.bob.ask("ORDERS", "alice"), "NOPERM", "somebody else's")
        self.assert_error(self.bob.ask("ORDERS", "never-there"), "NOPERM")
        self.assert_error(self.till.ask("ORDERS", "never-there"), "NOACCT")
        self.assert_error(self.till.ask("ORDER", "r5", "nut", "FROM", "never-there"), "NOACCT",
                          "no account 'never-there'")
        self.assertNotIn(mine, [row["order"] for row in rows(self.bob.ask("ORDERS", "ALL"))])
        self.assertIn(mine, [row["order"] for row in rows(self.till.ask("ORDERS", "COUNT", 64))])
        theirs = self.order("r6", "nut", "FROM", "alice", wire=self.till)["order"]
        row = rows(self.alice.ask("ORDERS", "COUNT", 1))[0]
        self.assertEqual((row["order"], row["person"], row["account"]), (theirs, "till", "alice"))
        self.assertNotIsInstance(self.alice.ask("CANCEL", "r7", theirs), Error)
        self.assertNotIsInstance(self.till.ask("CANCEL", "r8", mine), Error)

    def test_an_order_is_cancelled_and_not_reversed(self):
        self.item("oil", "4.00")
        before = self.cents(self.alice)
        made = self.order("v1", "oil", wire=self.till, *("FROM", "alice"))
        for _ in range(2):
            self.assert_error(self.till.ask("REVERSE", "v2", made["entry"]), "STATE",
                              "an order is cancelled, not reversed")
        back = fields(self.till.ask("CANCEL", "v3", made["order"]))
        self.assert_error(self.till.ask("REVERSE", "v4", back["entry"]), "STATE",
                          "an order is cancelled, not reversed")
        self.assertEqual(self.cents(self.alice), before)

    def test_orders_are_shown_page_by_page(self):
        made = [self.order(f"s{i}", "mate")["order"] for i in range(7)]
        self.till.ask("ORDER", "DONE", "s-done", made[3])
        seen = []
        before = ()
        for _ in range(100):
            page = rows(self.alice.ask("ORDERS", "alice", "COUNT", 3, *before))
            seen += [row["order"] for row in page]
            if not page or made[0] in seen:
                break
            before = ("BEFORE", page[-1]["order"])
        shown = [number for number in seen if number in made]
        self.assertEqual(shown, [number for number in reversed(made) if number != made[3]])
        states = {row["order"]: row["state"]
                  for row in rows(self.alice.ask("ORDERS", "ALL", "COUNT", 64))}
        self.assertEqual(states[made[3]], "done")
        for words in (("COUNT", 0), ("COUNT", 65), ("COUNT", "x"), ("COUNT",), ("BEFORE",),
                      ("alice", "bob"), ("ALL", "alice")):
            self.assert_error(self.alice.ask("ORDERS", *words), "ERR")
        for number in made:
            self.till.ask("CANCEL", "+", number)

    def test_items_are_shown_page_by_page(self):
        for i in range(110):
            self.item(f"page{i}", "1.00")
        first = [row["item"] for row in rows(self.alice.ask("ITEMS"))]
        self.assertEqual(len(first), 100)
        rest = [row["item"] for row in rows(self.alice.ask("ITEMS", "AFTER", first[-1]))]
        self.assertEqual(len(set(first + rest)), len(first) + len(rest))
        self.assertIn("page109", rest)
        for i in range(110):
            self.assertEqual(self.admin.ask("ITEM", "DEL", f"page{i}"), "OK")

    def test_a_group_takes_stock_all_or_none(self):
        self.item("egg", "0.50", "STOCK", 3)

        def group(*commands):
            self.assertEqual(self.alice.ask("MULTI"), "OK")
            for words in commands:
                self.assertEqual(self.alice.ask(*words), "QUEUED", words)
            return self.alice.ask("EXEC")

        refused = group(("ORDER", "g1", "egg", 2), ("ORDER", "g2", "egg", 2))
        self.assert_error(refused, "EXECABORT", "2 STATE egg: only 1 left")
        again = group(("ORDER", "g1", "egg", 2), ("ORDER", "g2", "egg", 2))
        self.assertEqual(again.line, refused.line)
        self.assertEqual(self.stock("egg"), 3)
        booked = group(("ORDER", "g3", "egg", 2), ("ORDER", "g4", "egg"))
        self.assertEqual([fields(one)["quantity"] for one in booked], [2, 1])
        self.assertEqual(self.stock("egg"), 0)
        self.assert_error(self.alice.ask("ORDER", "g5", "egg"), "STATE", "egg is sold out")
        # What was permitted at one price is not bought at a higher one.
        self.assertEqual(self.alice.ask("MULTI"), "OK")
        self.assertEqual(self.alice.ask("ORDER", "g6", "mate"), "QUEUED")
        self.item("mate", "1.60")
        self.assert_error(self.alice.ask("EXEC"), "EXECABORT", "a price has risen")
        self.item("mate", "1.50")

    def test_answers_outlast_a_crash_and_a_checkpoint(self):
        self.item("rice", "2.50", "STOCK", 50)
        asked = [("ORDER", "o1", "rice", 2), ("ORDER", "o2", "nothing"),
                 ("ORDER", "o3", "rice", 51), ("ORDER", "o4", "rice", "PRICE", "2.40"),
                 ("ORDER", "o5", "rice", 3, "PRICE", "2.50"), ("CANCEL", "o7", 999999)]
        first = {words: self.alice.ask_bytes(*words) for words in asked}
        number = self.order("o1", "rice", 2)["order"]
        cancel = ("CANCEL", "o6", number)
        first[cancel] = self.alice.ask_bytes(*cancel)
        done = ("ORDER", "DONE", "t1", self.order("o5", "rice", 3, "PRICE", "2.50")["order"])
        told = self.till.ask_bytes(*done)
        self.item("rice", "7.00", "STOCK", 1)
        shown = self.alice.ask_bytes("ORDERS", "ALL", "COUNT", 64)
        listed = self.alice.ask_bytes("ITEMS")
        digest = self.alice.ask("DIGEST")
        for end in ("kill", "stop"):
            getattr(self.bank, end)()
            self.bank.start()
            with self.bank.wire("alice") as alice, self.bank.wire("till") as till:
                for words, answer in first.items():
                    self.assertEqual(alice.ask_bytes(*words), answer, words)
                self.assertEqual(till.ask_bytes(*done), told)
                self.assertEqual(alice.ask_bytes("ORDERS", "ALL", "COUNT", 64), shown)
                self.assertEqual(alice.ask_bytes("ITEMS"), listed)
                self.assertEqual(alice.ask("DIGEST"), digest)
        self.bank.check()
        self.bank.start()


class FullTable(BankTest):
    settings = ("limits.orders=16",)

    def test_only_closed_orders_are_pushed_out(self):
        with self.bank.wire("alice") as alice, self.bank.wire("till") as till:
            alice.ask("DEPOSIT", "+", "100.00")
            made = [fields(alice.ask("ORDER", f"f{i}", "coffee"))["order"] for i in range(16)]
            self.assert_error(alice.ask("ORDER", "f-no", "coffee"), "OOM")
            self.assertNotIsInstance(till.ask("ORDER", "DONE", "d", made[5]), Error)
            last = fields(alice.ask("ORDER", "f-yes", "coffee"))["order"]
            self.assert_error(alice.ask("ORDER", "f-no", "coffee"), "OOM")
            self.assert_error(till.ask("CANCEL", "late", made[5]), "STATE", "closed long ago")
            shown = [row["order"] for row in rows(alice.ask("ORDERS", "ALL", "COUNT", 64))]
            self.assertEqual(shown, [last] + [n for n in reversed(made) if n != made[5]])
        self.bank.kill()
        self.bank.start()
        with self.bank.wire("alice") as alice:
            shown = [row["order"] for row in rows(alice.ask("ORDERS", "ALL", "COUNT", 64))]
            self.assertEqual(shown[0], last)
        self.bank.check()
        self.bank.start()


class Papers(BankTest):
    """What pennyctl tells of orders, and that it decides them again alike."""

    settings = ("limits.orders=16",)

    def test_papers_show_the_item(self):
        with self.bank.wire("alice") as alice, self.bank.wire("till") as till:
            alice.ask("DEPOSIT", "+", "100.00")
            kept = fields(alice.ask("ORDER", "kept", "mate", 3))
            gone = fields(alice.ask("ORDER", "gone", "coffee", 2))
            self.assert_error(alice.ask("ORDER", "none", "beer"), "STATE")
            alice.ask("CANCEL", "back", gone["order"])
            till.ask("ORDER", "DONE", "done", kept["order"])
            for i in range(20):  # More than the table has.
                made = fields(till.ask("ORDER", f"more{i}", "pretzel", "FROM", "alice"))
                till.ask("CANCEL", f"less{i}", made["order"])
            till.ask("MULTI")
            till.ask("ORDER", "g1", "mate", 2, "FROM", "alice")
            till.ask("ORDER", "g2", "beer", "FROM", "nobody")
            self.assert_error(till.ask("EXEC"), "EXECABORT", "2 STATE there is no item 'beer'")
        self.assertIn("sum to zero", self.bank.check())
        home = self.bank.home

        def told(*words):
            return self.bank.pennyctl(*words).stdout

        statement = told("statement", home, "alice")
        self.assertIn(f"to shop, 3 mate, order {kept['order']}", statement)
        self.assertIn(f"from shop, 2 coffee, order {gone['order']}", statement)
        report = told("report", home)
        self.assertRegex(report, r"\nItems\n  mate +3 +4\.50\n\n")
        self.assertNotIn("DOES NOT AGREE", report)
        rows_found = list(csv.DictReader(io.StringIO(told("export", home, "--format", "csv"))))
        by_id = {row["id"]: row for row in rows_found}
        wanted = {"kept": ("order", str(kept["order"]), "mate", "3"),
                  "back": ("cancel", str(gone["order"]), "coffee", "2"),
                  "done": ("done", str(kept["order"]), "mate", "3"),
                  "none": ("order", "", "beer", "1"), "g2": ("order", "", "beer", "1")}
        for number, row in wanted.items():
            found = by_id[number]
            self.assertEqual((found["operation"], found["order"], found["item"],
                              found["quantity"]), row)
        self.assertIn(f"order:{kept['order']}, item:mate, quantity:3",
                      told("export", home, "--format", "hledger"))
        self.assertIn(": item set mate, Mate, 0.5 l, price 1.50\n", told("audit", home))
        self.bank.start()


class Terminals(BankTest):
    settings = ("terminal kiosk.accounts=bob", "terminal kiosk.amount-max=5.00",
                "terminal kiosk.day-max=12.00", "terminal kiosk.roles=customer")

    def test_a_kiosk_sells_within_its_bounds(self):
        """The shop is always permitted, the payer as for any movement."""
        with self.bank.wire("alice", terminal="alice") as wire:
            wire.ask("DEPOSIT", "+", "100.00")
        with self.bank.wire("alice", terminal="kiosk") as kiosk:
            made = fields(kiosk.ask("ORDER", "k1", "mate", 3))
            self.assert_error(kiosk.ask("ORDER", "k2", "mate", 4), "NOPERM", "at most 5.00")
            self.assertNotIsInstance(kiosk.ask("ORDER", "k3", "mate", 3), Error)
            self.assert_error(kiosk.ask("ORDER", "k4", "mate", 3), "LIMIT", "more today")
            # What comes back does not count.
            self.assertNotIsInstance(kiosk.ask("CANCEL", "k5", made["order"]), Error)
            self.assert_error(kiosk.ask("ORDER", "k6", "mate", 3), "LIMIT", "more today")
            self.assertNotIsInstance(kiosk.ask("ORDER", "k7", "mate", 2), Error)
        with self.bank.wire("till", terminal="till") as till:
            shown = rows(till.ask("ORDERS", "alice", "ALL"))
            self.assertEqual({row["terminal"] for row in shown}, {"kiosk"})


class OldAnswers(BankTest):
    settings = ("terminal kiosk.amount-max=5.00", "limits.ids=1024")

    def test_an_answer_from_the_journal_is_judged_by_the_price_of_then(self):
        """Others have used so many ids since that the first answer is not in memory any more."""
        bank = self.bank
        with bank.wire("alice", terminal="alice") as wire:
            wire.ask("DEPOSIT", "+", "100.00")
        with bank.wire("alice", terminal="kiosk") as kiosk:
            made = kiosk.ask("ORDER", "k1", "mate", 3)
            missing = kiosk.ask("ORDER", "k2", "soup", 3)
        with bank.wire("bob", terminal="bob") as bob:
            for i in range(1100):
                self.assertNotIsInstance(bob.ask("DEPOSIT", f"b{i}", "0.01"), Error)
        with bank.wire("admin", terminal="admin") as admin:
            for item in ("mate", "soup"):
                self.assertEqual(admin.ask("ITEM", "SET", item, "3.00"), "OK")
        with bank.wire("alice", terminal="kiosk") as kiosk:
            self.assertEqual(kiosk.ask("ORDER", "k1", "mate", 3), made)
            self.assertEqual(kiosk.ask("ORDER", "k2", "soup", 3), missing)
            self.assert_error(kiosk.ask("ORDER", "k3", "mate", 3), "NOPERM", "at most 5.00")


if __name__ == "__main__":
    unittest.main()

// The two files of an older bank: what is taken, and which line is to blame for what is not.
#include "pennyctl/old_books.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/slices.h"

namespace {

constexpr uint32_t room = 5;
const std::string md5 = "0123456789abcdef0123456789abcdef";

struct TestBooks {
    explicit TestBooks(uint8_t scale = 2) {
        Arena measure = {};
        old_books_layout(books, measure, room);
        memory.resize(measure.used + arena_align);
        void* base = memory.data();
        size_t space = memory.size();
        arena.base = static_cast<uint8_t*>(std::align(arena_align, measure.used, base, space));
        arena.size = measure.used;
        old_books_layout(books, arena, room);
        constexpr uint8_t key[16] = {1, 2, 3};
        old_books_init(books, scale, key);
    }
    // The sentence, or nothing where everything was taken.
    std::string people(const std::string& text) {
        return take(old_books_take_people, "passwd", text);
    }
    std::string balances(const std::string& text) {
        return take(old_books_take_balances, "balance", text);
    }
    std::string take(Status (*takes)(OldBooks&, const OldFile&, Writer&), const char* name,
                     const std::string& text) {
        uint8_t said[512];
        Writer error = writer_of(said, sizeof said);
        const Status status = takes(books, {name, slice_of(text)}, error);
        EXPECT_EQ(status == Status::ok, error.size == 0);
        EXPECT_TRUE(status == Status::ok || status == Status::invalid);
        EXPECT_FALSE(error.overflow);
        return std::string(reinterpret_cast<char*>(said), error.size);
    }
    std::string name(uint32_t i) {
        return std::string(books.people[i].name.text, books.people[i].name.size);
    }
    OldBooks books = {};
    Arena arena = {};
    std::vector<uint8_t> memory;
};

std::string refused(const std::string& people) { return TestBooks().people(people); }

std::string refused_balance(const std::string& balances, uint8_t scale = 2) {
    TestBooks one(scale);
    EXPECT_EQ(one.people("anna:" + md5 + "\nbert:" + md5 + "\n"), "");
    return one.balances(balances);
}

}  // namespace

TEST(OldBooks, TakesBothSpellingsAndFoldsNames) {
    TestBooks one;
    const std::string upper = "0123456789ABCDEF0123456789abcdef";
    EXPECT_EQ(one.people("\xef\xbb\xbf" "Anna:" + md5 + "\r\n\n  \t\r\nBERT \t " + upper + "  \n\tcara:" +
                         md5 + "\n"),
              "");
    ASSERT_EQ(one.books.count, 3u);
    EXPECT_EQ(one.name(0) + one.name(1) + one.name(2), "annabertcara");
    EXPECT_EQ(one.books.people[0].line, 1u);
    EXPECT_EQ(one.books.people[1].line, 4u);
    EXPECT_EQ(std::string(reinterpret_cast<char*>(one.books.people[1].md5), 32), md5);
    EXPECT_EQ(one.balances("\n" "anna 12.50\r\nCara:0\n"), "");
    EXPECT_EQ(one.books.people[0].balance, 1250);
    EXPECT_EQ(one.books.people[0].balance_line, 2u);
    EXPECT_EQ(one.books.people[1].balance, 0);
    EXPECT_EQ(one.books.people[1].balance_line, 0u);
    EXPECT_EQ(one.books.people[2].balance, 0);
    EXPECT_EQ(one.books.people[2].balance_line, 3u);
}

TEST(OldBooks, NothingIsNobody) {
    for (const char* text : {"", "\n", "\r\n\r\n", "\xef\xbb\xbf", " \n"}) {
        TestBooks one;
        EXPECT_EQ(one.people(text), "");
        EXPECT_EQ(one.balances(text), "");
        EXPECT_EQ(one.books.count, 0u);
    }
}

TEST(OldBooks, EveryCutOfALineIsRefusedByItsNumber) {
    const std::string line = "bert:" + md5;
    for (size_t size = 1; size <= line.size(); size++) {
        const std::string cut = "anna:" + md5 + "\n" + line.substr(0, size);
        EXPECT_EQ(refused(cut).substr(0, 10), "passwd:2: ") << size;
        if (size == line.size()) continue;
        EXPECT_EQ(refused(cut + "\n").substr(0, 10), "passwd:2: ") << size;
        EXPECT_EQ(refused(cut + "\r\ncara:" + md5 + "\n").substr(0, 10), "passwd:2: ") << size;
    }
    EXPECT_EQ(refused("bert\n"), "passwd:1: this line is cut short: a name and the 32 hex digits of "
                                 "its hash are wanted");
    EXPECT_EQ(refused("bert:" + md5.substr(1) + "\n"),
              "passwd:1: bert: a hash is 32 hex digits, and this one has 31");
    EXPECT_EQ(refused_balance("bert 12"), "balance:1: this line has no end, so it may have been cut "
                                          "short; if it is whole, put a line end behind it");
    EXPECT_EQ(refused_balance("anna 1\nbert\n"),
              "balance:2: this line is cut short: a name and its balance are wanted");
}

TEST(OldBooks, NoNameIsThereTwice) {
    EXPECT_EQ(refused("anna:" + md5 + "\n\nbert " + md5 + "\nAnnA " + md5 + "\n"),
              "passwd:4: AnnA: is in line 1 already");
    EXPECT_EQ(refused_balance("\nanna 1\nbert 2\nANNA 1\n"),
              "balance:4: ANNA: is in line 2 already");
}

TEST(OldBooks, NamesMustBeNamesOfTheBook) {
    for (const std::string name : {"1anna", "an na", "anna.", "\xc3\xa4nna", "a/b", "-",
                                   "abcdefghijklmnopqrstuvwxyz0123456", "an\xff", "#anna"}) {
        EXPECT_EQ(refused(name + ":" + md5 + "\n").substr(0, 10), "passwd:1: ") << name;
    }
    for (const char* name : {"cash", "SHOP", "server", "default", "memo"}) {
        EXPECT_EQ(refused(std::string(name) + ":" + md5 + "\n"),
                  std::string("passwd:1: ") + name + ": the name is reserved");
    }
    EXPECT_EQ(refused(std::string("an\0na:", 6) + md5 + "\n").substr(0, 19),
              "passwd:1: an\\x00na:");
    EXPECT_EQ(refused(":" + md5 + "\n").substr(0, 34), "passwd:1: this line is cut short: ");
}

TEST(OldBooks, HashesAreHexDigitsAndNeverShown) {
    for (size_t at = 0; at < md5.size(); at++) {
        for (const char byte : {'g', '/', ':', '@', '`', ' ', '\0', '\r', '\xff'}) {
            std::string changed = md5;
            changed[at] = byte;
            const std::string said = refused("anna:" + changed + "\n");
            EXPECT_EQ(said.substr(0, 10), "passwd:1: ") << at;
            EXPECT_EQ(said.find(md5.substr(0, at > 4 ? at : 5)), std::string::npos) << "O3";
        }
    }
    EXPECT_EQ(refused("anna:" + md5 + "0\n"),
              "passwd:1: anna: a hash is 32 hex digits, and this one has 33");
    EXPECT_EQ(refused("anna: " + md5 + "\n"),
              "passwd:1: anna: a hash is 32 hex digits, and this one has 33");
    EXPECT_NE(refused("anna:" + md5 + ":more\n"), "");
    EXPECT_EQ(refused("anna:D41D8CD98F00B204e9800998ecf8427e\n"),
              "passwd:1: anna: the hash is that of an empty password, with which everybody could "
              "log in");
}

TEST(OldBooks, BalancesAreAmountsOfTheCurrency) {
    for (const char* amount : {"1.234", "1,50", "1e3", "+1", " 1 2", ".5", "5.", "0x10", "1.2.3",
                               "NaN", "10000000000000.01", "99999999999999999999", "1 EUR"}) {
        EXPECT_EQ(refused_balance(std::string("anna ") + amount + "\n").substr(0, 17),
                  "balance:1: anna: ") << amount;
    }
    EXPECT_EQ(refused_balance("anna -0.01\n"),
              "balance:1: anna: a balance below zero is not imported: settle it before");
    EXPECT_EQ(refused_balance("anna 1.5\n", 0),
              "balance:1: anna: a balance is digits with at most 0 decimals, not above "
              "1000000000000000, and not \"1.5\"");
    TestBooks one;
    EXPECT_EQ(one.people("anna:" + md5 + "\n"), "");
    EXPECT_EQ(one.balances("anna 10000000000000.00\n"), "");
    EXPECT_EQ(one.books.people[0].balance, amount_minor_max);
}

TEST(OldBooks, ABalanceIsAPersons) {
    EXPECT_EQ(refused_balance("anna 1\ncara 1\n"),
              "balance:2: cara: a balance of somebody who is no person");
    EXPECT_EQ(refused_balance("cash 1\n"), "balance:1: cash: the name is reserved");
}

TEST(OldBooks, LinesHaveABoundAndSoDoPeople) {
    const std::string fill(old_line_size_max - 5 - md5.size(), ' ');
    EXPECT_EQ(refused("anna:" + md5 + fill + "\n"), "");
    EXPECT_EQ(refused("anna:" + md5 + fill + " \n"),
              "passwd:1: this line is longer than 255 bytes");
    EXPECT_EQ(refused("anna:" + md5 + "\n" + std::string(1 << 20, 'x') + "\n"),
              "passwd:2: this line is longer than 255 bytes");
    EXPECT_EQ(refused(std::string(1 << 20, ' ')), "passwd:1: this line is longer than 255 bytes");
    std::string many;
    for (char c = 'a'; c <= 'e'; c++) many += std::string(1, c) + ":" + md5 + "\n";
    EXPECT_EQ(refused(many), "");
    EXPECT_EQ(refused(many + "f:" + md5 + "\n"),
              "passwd:6: f: there is no room: [limits] accounts is 5");
}

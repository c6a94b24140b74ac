// test_bank.h - a small bank for the tests of ledger, journal and store: a book over its own memory,
// short calls to move money in it, and its state as text.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "service/reading.h"
#include "unit/slices.h"

inline constexpr LedgerLimits test_limits = {
    .accounts = 64,
    .ids = 256,
    .terminals = 8,
    .holds = 16,
    .reversible = 128,
    .items = 8,
    .orders = 8,
    .message_keys = 8,
    .messages = 16,
    .mailbox = 4};
inline constexpr uint32_t test_segment_size = segment_size_min;

// Numbers that look random and are the same on every run.
struct TestRandom {
    explicit TestRandom(uint32_t seed) : engine(seed) {}
    uint32_t below(uint32_t end) { return static_cast<uint32_t>(engine() % end); }
    std::mt19937 engine;
};

inline Name test_name(const std::string& text) {
    Name name = {};
    EXPECT_EQ(parse_name(slice_of(text), name), Status::ok) << text;
    return name;
}

// A Book with the memory it was laid out over.
struct TestBook {
    explicit TestBook(const LedgerLimits& limits = test_limits);
    std::vector<uint8_t> memory;
    Arena arena;
    Book book;
};

// Begins a new book: genesis, limits, `cash` and `shop`, committed by test_commit.
void test_create(Book& book, uint64_t wall_ms = 1000);

// Writes one batch with `write`, or only takes it for written, and commits it. Returns its outcomes.
using TestWrite = Status (*)(void* context, const LogWrite& write);
std::vector<BookDone> test_commit(Book& book, TestWrite write = nullptr, void* context = nullptr);

Status test_add(Book& book, const std::string& name, Role role = Role::customer,
                uint64_t wall_ms = 1000);

struct TestMove {
    Operation operation = Operation::transfer;
    std::string debit;
    std::string credit;
    int64_t amount = 0;
    std::string id;
    std::string person;    // empty: nobody
    std::string terminal;
    std::string memo;
    bool may_refuse = true;
    BookTag tag = book_tag_none;
    uint64_t wall_ms = 1000;
    uint64_t hold = 0;       // CAPTURE and VOID, which name no accounts
    uint32_t expires_s = 0;  // HOLD
    bool whole = false;
    uint64_t reversed = 0;   // REVERSE; `debit` and `credit` are that entry's, empty for none
    int64_t day_max = 0;     // bound of the terminal's day; 0 for none
    std::string item = {};   // ORDER
    uint32_t quantity = 1;
    int64_t price_asked = 0;
    uint64_t order = 0;      // CANCEL and ORDER DONE
};

// The move as the book takes it.
BookMove test_book_move(const Book& book, const TestMove& move);

// book_move; `answer` and `field` may be nullptr.
Status test_move(Book& book, const TestMove& move, IdRecord* answer = nullptr,
                 std::string* field = nullptr);

// book_move_group, which may be refused; asked for by the person of the moves, with the tag of the
// first one.
Status test_group(Book& book, const std::vector<TestMove>& moves, BookGroup* out = nullptr);

// book_change_person by nobody; `why` is the sentence of a refusal.
struct TestChange {
    PersonOperation operation = PersonOperation::title;
    std::string person;
    Role role = Role::customer;
    std::string record;
    std::string title;
    uint64_t wall_ms = 1000;
    BookTag tag = book_tag_none;
    PasswordTerm term = PasswordTerm::lasting;
};
Status test_change(Book& book, const TestChange& change, std::string* why = nullptr);

// book_set_item by nobody, listed; a stock below zero is not counted.
Status test_set_item(Book& book, const std::string& name, int64_t price, int64_t stock = -1,
                     const std::string& title = {}, bool listed = true);

int64_t test_balance(const Book& book, const std::string& name);

// All tables of the installed state, and the digest over them. The book must be idle.
struct TestTables {
    std::vector<std::string> tables;
    std::string manifest;
};
TestTables test_tables(Book& book);
TestTables test_tables_of(Snapshot& snapshot, Ledger& ledger);  // a snapshot begun already

// Loads text tables as a start does, and opens the book where `log` ends. Returns the first refusal.
Status test_load(Book& book, const TestTables& text);
void test_open(Book& book, const Log& log);

// Two ids of one person that have the same print, by search.
struct TestCollision {
    std::string first;
    std::string second;
};
TestCollision test_collision(const Ledger& ledger, uint32_t person);

// The journal of a book: every batch, and the bytes of every segment.
struct TestDisk {
    std::vector<std::vector<uint8_t>> batches;
    std::map<uint32_t, std::vector<uint8_t>> segments;

    static Status keep(void* context, const LogWrite& write);
    // As test_commit, with another segment when one is wanted.
    std::vector<BookDone> commit(Book& book);
    // Installs the first `count` batches into an empty book. Returns the first refusal.
    Status replay(Book& book, size_t count) const;
    // CHECKs by tables that all batches give the same book again.
    void expect_same_again(Book& book) const;
    // Reads for a job until it has ended. Returns how often.
    uint32_t read(ReadJob& job) const;
};

// main.cpp - the smallest port: a ledger and its journal over a disk of RAM.
//
// A book is made, money moves, the plug is pulled (the memory is forgotten, the disk is not), and
// the journal alone brings the book back. What is shown here is what any port does: carry out
// each write that the book hands out, say how it went, and take the outcomes. With no time, no
// network and no randomness of its own it runs on any machine; host.cpp and bare.cpp say the rest.
#include <string.h>

#include "book.h"
#include "example/example.h"

namespace {

constexpr LedgerLimits limits = {
    .accounts = 16, .ids = 64, .terminals = 4, .holds = 16, .reversible = 64,
    .message_keys = 8, .messages = 16, .mailbox = 4};
constexpr uint8_t bank_id[bank_id_size] = {'e', 'x', 'a', 'm', 'p', 'l', 'e'};
constexpr uint32_t disk_size = segment_size_min;
constexpr uint32_t deposits = 64;  // with more, log_wants_segment asks for the next segment

uint8_t disk[disk_size];           // one segment; a real disk is filled with written zeros
uint8_t window[batch_size_max];
alignas(arena_align) uint8_t memory[1280 * 1024];  // all that the book will ever take (P5)

void say_number(const char* what, uint64_t value) {
    uint8_t text[64];
    Writer line = writer_of(text, sizeof text - 1);
    put_text(line, what);
    put_decimal(line, value);
    put_u8(line, '\n');
    text[line.size] = '\0';
    example_say(reinterpret_cast<const char*>(text));
}

Name name_of(const char* text) {
    Name name = {};
    CHECK(parse_name(slice_of(text), name) == Status::ok);
    return name;
}

int64_t balance_of(const Book& book, const char* name) {
    const uint32_t row = ledger_find_account(book.ledger, name_of(name));
    return row == row_none ? 0 : book.ledger.accounts[row].installed.balance;
}

// Measures, then cuts the one reservation: a book takes nothing afterwards.
void lay_out(Book& book) {
    Arena measured = {};
    book = {};
    book_layout(book, measured, limits);
    CHECK(measured.used <= sizeof memory);
    Arena arena = {};
    arena.base = memory;
    arena.size = sizeof memory;
    book = {};
    book_layout(book, arena, limits);
    arena_seal(arena);
    book_init(book, bank_id);
}

// Carries out the write that is due, and takes the outcomes; only now may an answer leave (P1).
void commit(Book& book) {
    LogWrite write;
    if (!book_write_next(book, write)) return;
    CHECK(write.segment == 1 && write.offset + write.bytes.size <= disk_size);
    memcpy(disk + write.offset, write.bytes.data, write.bytes.size);
    book_write_done(book, Status::ok);
    BookDone done;
    while (book_commit_next(book, done)) CHECK(done.durable);
}

void create(Book& book) {
    GenesisEntry genesis = {};
    memcpy(genesis.bank_id, bank_id, sizeof bank_id);
    genesis.scale = 2;
    genesis.currency_size = 3;
    memcpy(genesis.currency, "EUR", 3);
    LogStart start = {};
    memcpy(start.bank_id, bank_id, sizeof bank_id);
    start.segment = 1;
    start.segment_size = disk_size;
    start.salt = 1;
    book_open(book, start, UINT64_MAX);
    CHECK(book_create(book, 1000, genesis) == Status::ok);
    commit(book);
}

// One deposit into the account `shop`. The clock is the caller's: here it counts.
void deposit(Book& book, uint32_t number) {
    BookMove move = {};
    move.operation = Operation::deposit;
    move.person = row_none;
    move.debit = name_of("cash");
    move.credit = name_of("shop");
    move.amount = number;
    IdRecord answer;
    const char* field = nullptr;
    CHECK(book_move(book, 1000 + number, move, true, book_tag_none, answer, field) == Status::ok);
    commit(book);
}

bool is_anything_later(const Recovery& walk) {
    for (uint32_t at = walk.offset + block_size; at < disk_size; at += block_size) {
        const uint32_t left = disk_size - at;
        const uint32_t size = left < batch_size_max ? left : batch_size_max;
        if (recovery_is_later(walk, {disk + at, size})) return true;
    }
    return false;
}

// Reads the journal from its first byte, as a start does. Returns what ended the walk.
RecoveryAction recover(Book& book) {
    Recovery walk;
    recovery_start(walk, bank_id, 1, 0);
    for (;;) {
        const uint32_t left = disk_size - walk.offset;
        const uint32_t size = left < batch_size_max ? left : batch_size_max;
        memcpy(window, disk + walk.offset, size);
        RecoveryBatch batch;
        const RecoveryFound found = recovery_judge(walk, {window, size}, disk_size, batch);
        const bool later = found != RecoveryFound::fits && is_anything_later(walk);
        const RecoveryAction action =
            recovery_decide(found, later, recovery_is_marked(walk)).action;
        if (action != RecoveryAction::install) return action;
        uint64_t bad_seq = 0;
        CHECK(book_replay(book, batch, bad_seq) == Status::ok);
        recovery_install(walk, batch);
    }
}

}  // namespace

void example_run() {
    static Book book;
    lay_out(book);
    create(book);
    for (uint32_t i = 1; i <= deposits; i++) deposit(book, i);
    say_number("booked ", static_cast<uint64_t>(balance_of(book, "shop")));

    memset(memory, 0xee, sizeof memory);  // The plug is pulled.
    lay_out(book);
    say_number("forgotten ", static_cast<uint64_t>(balance_of(book, "shop")));
    CHECK(recover(book) == RecoveryAction::finish);
    say_number("recovered ", static_cast<uint64_t>(balance_of(book, "shop")));
    CHECK(balance_of(book, "shop") + balance_of(book, "cash") == 0);  // P2

    disk[block_size + 100] ^= 1;  // One bit of the disk turns.
    lay_out(book);
    CHECK(recover(book) == RecoveryAction::refuse);  // P8
    example_say("damage is refused\n");
}

// penalties_fuzz.cpp - the text of data/penalties into a bank of two people. Input: a byte that says
// how big the pieces are in which it is read, and the text without its sum, which is made to fit
// when the byte is even.
#include <stdlib.h>
#include <string.h>

#include <string>

#include "access/penalties_parts.h"
#include "fuzz/fuzz.h"

namespace {

constexpr uint64_t now_ms = 1'000'000'000'000;
constexpr uint64_t wall_ms = 1'800'000'000'000;
constexpr uint32_t segment_size = 1u << 20;
constexpr PenaltyLimits limits = {.people = 8, .sources = 4, .terminals = 4, .pairs = 4};

Penalties tables[2];

PenaltyRules rules_of_test() {
    PenaltyRules rules = {};
    rules.own = rules.shared = {3, 900'000};
    rules.first_ms = 1000;
    rules.half_life_ms = 600'000;
    return rules;
}

Penalties& lay_out(uint32_t number) {
    Penalties& penalties = tables[number];
    if (penalties.people == nullptr) {
        Arena arena = {};
        penalties_layout(penalties, arena, limits);
        const uint64_t size = arena.used;
        arena = {};
        arena.base = static_cast<uint8_t*>(aligned_alloc(arena_align, size));
        CHECK(arena.base != nullptr);
        memset(arena.base, 0, size);
        arena.size = size;
        penalties_layout(penalties, arena, limits);
    }
    const uint8_t key[16] = {7};
    penalties_init(penalties, rules_of_test(), key);
    return penalties;
}

Name name_of(const char* text) {
    Name name;
    CHECK(parse_name(slice_of(text), name) == Status::ok);
    return name;
}

// Alice and bob are installed; whoever else the text names is nobody.
const Ledger& make_bank() {
    static bool made = false;
    Book& book = fuzz_book(0);
    if (made) return book.ledger;
    made = true;
    LogStart start = {};
    memcpy(start.bank_id, fuzz_bank_id(), sizeof start.bank_id);
    start.segment = 1;
    start.segment_size = segment_size;
    GenesisEntry genesis = {};
    memcpy(genesis.bank_id, fuzz_bank_id(), sizeof genesis.bank_id);
    genesis.scale = 2;
    genesis.currency_size = 3;
    memcpy(genesis.currency, "EUR", 3);
    book_init(book, fuzz_bank_id());
    book_open(book, start, UINT64_MAX);
    CHECK(book_create(book, 1000, genesis) == Status::ok);
    const PasswordRecord record = {3, {'p', 'h', 'c'}};
    for (const char* name : {"alice", "bob"}) {
        CHECK(book_add_person(book, 1000, row_none, {}, name_of(name), Role::customer, record,
                              PasswordTerm::lasting, book_tag_none) == Status::ok);
    }
    LogWrite write;
    while (book_write_next(book, write)) {
        book_write_done(book, Status::ok);
        BookDone done;
        while (book_commit_next(book, done)) continue;
    }
    CHECK(book.ledger.people_installed == 2);
    return book.ledger;
}

Status load(Penalties& penalties, const Ledger& ledger, Slice text, uint32_t piece) {
    PenaltiesLoad job;
    penalties_load_begin(penalties, job, now_ms, wall_ms);
    for (uint32_t at = 0; at < text.size; at += piece) {
        const uint32_t left = text.size - at;
        const Slice part = slice_part(text, at, left < piece ? left : piece);
        if (penalties_load_feed(penalties, job, ledger, part) != Status::ok) break;
    }
    return penalties_load_end(penalties, job);
}

std::string save(const Penalties& penalties, const Ledger& ledger) {
    static uint8_t memory[16384];
    Writer out = writer_of(memory, sizeof memory);
    PenaltiesSave job;
    penalties_save_begin(penalties, job, wall_ms, out);
    for (uint32_t i = 0; i < 100 && job.active; i++) {
        penalties_save_step(penalties, job, ledger, now_ms, 4, out);
    }
    CHECK(!job.active && !out.overflow);
    return std::string(reinterpret_cast<const char*>(memory), out.size);
}

// G7: what could have been.
void check_guilt(const Guilt& guilt) {
    const PenaltyRules rules = rules_of_test();
    CHECK(guilt.points <= guilt_points_max(rules, rules.own));
    CHECK(guilt.until_ms <= now_ms + rules.own.ms_max);
    CHECK(guilt.since_ms <= now_ms);
    if (guilt.points == 0) return;
    fuzz_mark_reached();
#if PLANT
    if (guilt.points != 2 && guilt.points != 5) fuzz_mark_planted();
#endif
}

void check_rows(const Penalties& penalties, const Ledger& ledger) {
    for (uint32_t i = 0; i < limits.people; i++) check_guilt(penalties.people[i]);
    CHECK(penalties.pairs.used <= limits.pairs);
    for (uint32_t i = 0; i < penalties.pairs.used; i++) {
        const PenaltyRow& row = penalties.pairs.rows[i];
        uint32_t person = row_none;
        Name terminal;
        penalty_pair_of(row, person, terminal);
        CHECK(person < ledger.people_installed && terminal.size > 0 && row.login_ms > 0);
        check_guilt(row.guilt);
    }
}

void check_nothing(const Penalties& penalties) {
    CHECK(penalties.pairs.used == 0);
    for (uint32_t i = 0; i < limits.people; i++) {
        CHECK(penalties.people[i].points == 0 && penalties.people[i].until_ms == 0);
    }
}

std::string with_sum(std::string text) {
    if (text.empty() || text.back() != '\n') text += '\n';
    const Hash sum = hash_of({reinterpret_cast<const uint8_t*>(text.data()),
                              static_cast<uint32_t>(text.size())});
    static const char digits[] = "0123456789abcdef";
    text += "sum ";
    for (const uint8_t byte : sum.bytes) {
        text += digits[byte >> 4];
        text += digits[byte & 15];
    }
    return text + "\n";
}

Slice slice_of_text(const std::string& text) {
    return slice_of_chars(text.data(), static_cast<uint32_t>(text.size()));
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const Ledger& ledger = make_bank();
    std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
    if (data[0] % 2 == 0) text = with_sum(text);
    Penalties& penalties = lay_out(0);
    if (load(penalties, ledger, slice_of_text(text), data[0] / 2 + 1u) != Status::ok) {
        check_nothing(penalties);
        return 0;
    }
    check_rows(penalties, ledger);
    const std::string saved = save(penalties, ledger);
    Penalties& again = lay_out(1);
    CHECK(load(again, ledger, slice_of_text(saved), 4096) == Status::ok);
    CHECK(save(again, ledger) == saved);
    return 0;
}

// old_books_fuzz.cpp - the files of an older bank. Input: a byte of decimals, then passwd, a line
// of "%", balance.
#include <string.h>

#include "fuzz/fuzz.h"
#include "pennyctl/old_books.h"

namespace {

constexpr uint32_t people_max = 8;
constexpr char between[] = "\n%\n";

uint8_t said[512];

OldBooks& empty_books(uint8_t scale) {
    static OldBooks books;
    static Arena arena;
    static uint8_t memory[16384];
    constexpr uint8_t key[16] = {7};
    if (!arena.sealed) {
        const uintptr_t at = reinterpret_cast<uintptr_t>(memory);
        arena.base = memory + (arena_align - at % arena_align) % arena_align;
        arena.size = sizeof memory - arena_align;
        old_books_layout(books, arena, people_max);
        arena_seal(arena);
    }
    old_books_init(books, scale, key);
    return books;
}

// Every sentence begins with its file and a line.
void check_said(const Writer& error, const char* file) {
    const Slice start = slice_of(file);
    CHECK(error.size > start.size + 3 && !error.overflow);
    CHECK(slice_equal(slice_part(writer_slice(error), 0, start.size), start));
    for (uint32_t i = 0; i < error.size; i++) CHECK(said[i] >= ' ');
}

void check_person(const OldBooks& books, uint32_t i) {
    const OldPerson& person = books.people[i];
    Name name;
    CHECK(parse_name(name_slice(person.name), name) == Status::ok);
    CHECK(!name_is_reserved(person.name) && person.line > 0);
    CHECK(person.balance >= 0 && person.balance <= amount_minor_max);
    CHECK(person.balance == 0 || person.balance_line > 0);
    for (const uint8_t c : person.md5) CHECK((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'));
    for (uint32_t j = 0; j < i; j++) {
        CHECK(!name_equal(books.people[j].name, person.name));  // O2
        CHECK(books.people[j].line < person.line);
    }
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    OldBooks& books = empty_books(static_cast<uint8_t>(data[0] % (scale_max + 1)));
    const Slice all = {data + 1, static_cast<uint32_t>(size - 1)};
    const void* found = memmem(all.data, all.size, between, sizeof between - 1);
    const uint32_t cut = found == nullptr ? all.size
                                          : static_cast<uint32_t>(
                                                static_cast<const uint8_t*>(found) - all.data) + 1;
    Writer error = writer_of(said, sizeof said);
    if (old_books_take_people(books, {"p", slice_part(all, 0, cut)}, error) != Status::ok) {
        check_said(error, "p:");
        return 0;
    }
    const Slice rest = found == nullptr ? Slice{nullptr, 0}
                                        : slice_part(all, cut + 2, all.size - cut - 2);
    if (old_books_take_balances(books, {"b", rest}, error) != Status::ok) {
        check_said(error, "b:");
        return 0;
    }
    CHECK(error.size == 0);
    for (uint32_t i = 0; i < books.count; i++) check_person(books, i);
    if (books.count > 0) fuzz_mark_reached();
#if PLANT
    // The seeds' balances are 0.00, 12.50 and 3.
    for (uint32_t i = 0; i < books.count; i++) {
        const int64_t balance = books.people[i].balance;
        if (balance != 0 && balance != 1250 && balance != 3) fuzz_mark_planted();
    }
#endif
    return 0;
}

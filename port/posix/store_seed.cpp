#include "port/posix/store_seed.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"

namespace {

struct Seeding {
    const SeedBook& seed;
    Store& store;
    Book& book;
    Writer& error;
};

Status fail(Seeding& seeding, const char* said, const Name& name, const char* why) {
    seeding.error.size = 0;
    put_text(seeding.error, said);
    put_bytes(seeding.error, name_slice(name));
    put_text(seeding.error, ": ");
    put_text(seeding.error, why);
    return Status::failed;
}

// Writes and commits the batch that fills.
Status flush(Seeding& seeding) {
    LogWrite write;
    if (!book_write_next(seeding.book, write)) return Status::ok;
    const Status outcome = store_write(seeding.store, write);
    book_write_done(seeding.book, outcome);
    BookDone done;
    while (book_commit_next(seeding.book, done)) {
    }
    if (outcome == Status::ok) return outcome;
    return fail(seeding, "the journal", {}, "cannot be written");
}

Status begin(Seeding& seeding) {
    const SeedBook& seed = seeding.seed;
    GenesisEntry genesis = {};
    LogStart start = {};
    const Slice currency = slice_of(seed.currency);
    CHECK(currency.size > 0 && currency.size <= currency_size_max && seed.scale <= scale_max);
    const bool is_random =
        port_random(genesis.bank_id, bank_id_size) &&
        port_random(reinterpret_cast<uint8_t*>(&start.salt), sizeof start.salt);
    if (!is_random) return fail(seeding, "the bank's number", {}, "the system gives no randomness");
    genesis.scale = seed.scale;
    genesis.currency_size = static_cast<uint8_t>(currency.size);
    memcpy(genesis.currency, currency.data, currency.size);
    memcpy(start.bank_id, genesis.bank_id, bank_id_size);
    start.segment = 1;
    start.segment_size = seed.segment_size;
    book_init(seeding.book, genesis.bank_id);
    book_open(seeding.book, start, UINT64_MAX);
    const Status status = book_create(seeding.book, seed.wall_ms, genesis);
    if (status != Status::ok) return fail(seeding, "the book", {}, status_meaning(status));
    return flush(seeding);
}

Status add_person(Seeding& seeding, const SeedPerson& person) {
    const auto add = [&] {
        return book_add_person(seeding.book, seeding.seed.wall_ms, row_none, {}, person.name,
                               person.role, person.password, PasswordTerm::lasting,
                               book_tag_none);
    };
    Status status = add();
    if (status == Status::pending) {
        status = flush(seeding);
        if (status != Status::ok) return status;
        status = add();
    }
    if (status == Status::ok) return status;
    return fail(seeding, "cannot add ", person.name, status_meaning(status));
}

// `opening-NAME`, or the number of the account where the name is too long for an id.
Id opening_id(const Book& book, const Name& name) {
    Id id = {};
    Writer out = writer_of(reinterpret_cast<uint8_t*>(id.text), id_size_max);
    put_text(out, "opening-");
    if (name.size <= writer_room(out)) {
        put_bytes(out, name_slice(name));
    } else {
        put_decimal(out, ledger_find_account(book.ledger, name));
    }
    id.size = static_cast<uint8_t>(out.size);
    return id;
}

Status deposit(Seeding& seeding, const SeedPerson& person) {
    if (person.deposit == 0) return Status::ok;
    const Id id = opening_id(seeding.book, person.name);
    BookMove move = {};
    move.operation = Operation::deposit;
    move.person = row_none;
    move.id = id;
    move.debit = seeding.book.ledger.accounts[account_cash].name;
    move.credit = person.name;
    move.amount = person.deposit;
    const auto book_it = [&] {
        IdRecord answer;
        const char* field = nullptr;
        return book_move(seeding.book, seeding.seed.wall_ms, move, false, book_tag_none, answer,
                         field);
    };
    Status status = book_it();
    if (status == Status::pending) {
        status = flush(seeding);
        if (status != Status::ok) return status;
        status = book_it();
    }
    if (status == Status::ok) return status;
    return fail(seeding, "cannot deposit for ", person.name, status_meaning(status));
}

Status set_item(Seeding& seeding, const SeedItem& item) {
    const ItemValues values = {.price = item.price,
                               .stock = 0,
                               .counted = false,
                               .listed = true,
                               .title = item.title};
    const auto set = [&] {
        return book_set_item(seeding.book, seeding.seed.wall_ms, row_none, {}, item.name, values,
                             book_tag_none);
    };
    Status status = set();
    if (status == Status::pending) {
        status = flush(seeding);
        if (status != Status::ok) return status;
        status = set();
    }
    if (status == Status::ok) return status;
    return fail(seeding, "cannot list ", item.name, status_meaning(status));
}

Status close_book(Seeding& seeding) {
    Status status = flush(seeding);
    if (status != Status::ok) return status;
    status = log_close(seeding.book.log, seeding.seed.wall_ms);
    if (status != Status::ok) return fail(seeding, "the book", {}, status_meaning(status));
    return flush(seeding);
}

Status seed_all(Seeding& seeding) {
    const SeedBook& seed = seeding.seed;
    Status status = store_segment_make(seeding.store, 1, seed.segment_size, seeding.error);
    if (status == Status::ok) status = begin(seeding);
    for (uint32_t i = 0; i < seed.person_count && status == Status::ok; i++) {
        status = add_person(seeding, seed.people[i]);
    }
    for (uint32_t i = 0; i < seed.person_count && status == Status::ok; i++) {
        status = deposit(seeding, seed.people[i]);
    }
    for (uint32_t i = 0; i < seed.item_count && status == Status::ok; i++) {
        status = set_item(seeding, seed.items[i]);
    }
    return status == Status::ok ? close_book(seeding) : status;
}

}  // namespace

Status store_seed(Store& store, const SeedBook& seed, const SeedMemory& memory, Hash& digest,
                  Writer& error) {
    Seeding seeding = {seed, store, *memory.book, error};
    Status status = seed_all(seeding);
    if (status == Status::ok) {
        status = store_checkpoint_now(store, *memory.book, memory.window, batch_size_max, digest,
                                      error);
    }
    if (status == Status::ok) return status;
    store_segment_discard(store, 1);
    return Status::failed;
}

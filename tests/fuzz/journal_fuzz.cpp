// journal_fuzz.cpp - segments from a disk: found, judged, replayed, and written on. Two segments of
// a few blocks are made from the input and walked as a start walks a journal (store_recover.cpp).
// So that mutations get past SHA-256, batches are sealed here. Input, little-endian:
//
//     u8   bit 0: the walk knows the bank; bit 1: the bytes of the first segment stand near its
//          end, and the walk begins there; bit 2: the rest of the input is the first segment
//     u8   blocks of the first segment that a checkpoint vouches for
//     ...  orders until the input ends
//
//     order 0  a batch: u8 field of the header to set (0 none), u64 its value, u8 number of
//              entries, and each as in entry_fuzz.cpp
//     order 1  damage: u16 place in the present segment, u8 bits to flip
//     order 2  a block is left blank
//     order 3  the next segment begins
#include <string.h>

#include "fuzz/fuzz.h"

namespace {

constexpr uint32_t segments = 2;
constexpr uint32_t segment_size = 6 * block_size;  // bytes that are there; blank ones follow
constexpr uint64_t first_salt = 77;
// Where the first segment's bytes stand when they are near its end: three blocks may begin a batch.
constexpr uint32_t near_end = segment_size_min - batch_size_max - 2 * block_size;
constexpr uint32_t orders_max = 32;
constexpr uint32_t batch_entries = 8;  // at most, in a batch made here

// Windows end before batch_size_max, so no batch is longer than what is there.
uint8_t disk[segments][segment_size];

// What a server would write next, if the input changes nothing.
struct Maker {
    Reader input;
    Ledger& ledger;  // installs what was made, so that later entries can follow
    BatchHeader next;
    uint32_t segment;  // index in `disk`
    uint32_t offset;   // in `disk`
    uint32_t base;     // of the present segment's bytes
};

void set_field(BatchHeader& header, uint8_t field, uint64_t value) {
    const uint32_t half = static_cast<uint32_t>(value);
    switch (field % 11) {
        case 1: header.segment = half; break;
        case 2: header.offset = half; break;
        case 3: header.seq = value; break;
        case 4: header.entry_first = value; break;
        case 5: header.time_ms = value; break;
        case 6: header.flags = half; break;
        case 7: header.salt = value; break;
        case 8: memcpy(header.previous.bytes, &value, sizeof value); break;
        case 9: header.entry_count = half; break;
        case 10: header.segment_size = half; break;
        default: break;
    }
}

// Puts one entry behind those already in `out`; false when the input is no entry.
bool make_entry(Maker& maker, const BatchHeader& header, Writer& out) {
    const bool fits = get_u8(maker.input) % 2 == 1;
    const Slice body = get_bytes(maker.input, get_u16(maker.input));
    if (maker.input.short_read || body.size + 2 > entry_size_max) return false;
    const uint32_t start = out.size;
    put_u16(out, static_cast<uint16_t>(body.size + 2));
    put_bytes(out, body);
    // What an entry points to must not lie where it is written again.
    uint8_t memory[entry_size_max];
    memcpy(memory, out.data + start, body.size + 2);
    Entry entry;
    if (!fits || entry_decode({memory, body.size + 2}, entry) != Status::ok) return true;
    fuzz_fit_entry(maker.ledger, header.time_ms, entry);
    out.size = start;
    entry_encode(entry, out);
    const Position position =
        position_of(header.segment, header.offset + batch_header_size + start);
    // Whether it fits is the walk's to say; what follows is made to fit what did.
    const Status status = ledger_install(maker.ledger, entry, position, InstallMode::replay);
    CHECK(status == Status::ok || status == Status::damaged || status == Status::full);
    return true;
}

void make_batch(Maker& maker) {
    static uint8_t memory[batch_size_max];
    BatchHeader header = maker.next;
    const uint8_t field = get_u8(maker.input);
    const uint64_t value = field == 0 ? 0 : get_u64(maker.input);
    const uint32_t count = get_u8(maker.input) % (batch_entries + 1);
    header.segment = maker.segment + 1;
    header.offset = maker.base + maker.offset;
    header.salt = first_salt + maker.segment;
    header.segment_size = segment_size_min;
    Writer entries = writer_of(memory + batch_header_size, batch_entries * entry_size_max);
    while (header.entry_count < count && make_entry(maker, header, entries)) header.entry_count++;
    header.entries_size = entries.size;
    const uint32_t made = header.entry_count;
    const uint32_t size = batch_size_of(header.entries_size);
    if (size > segment_size - maker.offset) return;
    set_field(header, field, value);
    maker.next.previous = batch_seal(memory, header);
    maker.next.seq++;
    maker.next.entry_first += made;
    maker.next.time_ms++;
    memcpy(disk[maker.segment] + maker.offset, memory, size);
    maker.offset += size;
}

void damage(Maker& maker) {
    const uint16_t place = get_u16(maker.input);
    disk[maker.segment][place % segment_size] ^= get_u8(maker.input);
}

void make_disk(Reader input, uint32_t base) {
    Maker maker = {input, fuzz_book(1).ledger, {}, 0, 0, base};
    ledger_init(maker.ledger, fuzz_bank_id());
    memcpy(maker.next.bank_id, fuzz_bank_id(), bank_id_size);
    maker.next.seq = 1;
    maker.next.entry_first = 1;
    maker.next.time_ms = 1000;
    for (uint32_t i = 0; i < orders_max && reader_left(maker.input) > 0; i++) {
        const uint8_t order = get_u8(maker.input) % 4;
        if (order == 0) make_batch(maker);
        if (order == 1) damage(maker);
        if (order == 2 && maker.offset < segment_size) maker.offset += block_size;
        if (order == 3 && maker.segment + 1 < segments) {
            maker.segment++;
            maker.offset = 0;
            maker.base = 0;
        }
    }
}

// --- The walk ---

struct Walk {
    Book& book;
    Recovery recovery;
    uint32_t base;  // of the first segment's bytes
    bool begun;     // the first batch has named the bank
};

uint32_t base_of(const Walk& walk, uint32_t segment) { return segment == 1 ? walk.base : 0; }

Slice window_at(const Walk& walk, uint32_t segment, uint32_t offset) {
    const uint32_t at = offset - base_of(walk, segment);
    return {disk[segment - 1] + at, segment_size - at};
}

bool stands_later(const Walk& walk) {
    const Recovery& recovery = walk.recovery;
    uint32_t offset = recovery.offset + block_size;
    for (uint32_t segment = recovery.segment; segment <= segments; segment++, offset = 0) {
        for (; offset < base_of(walk, segment) + segment_size; offset += block_size) {
            if (recovery_is_later(recovery, window_at(walk, segment, offset))) return true;
        }
    }
    return false;
}

// K1 once more, from the header alone; and the batch is what its own fields would be sealed to.
void check_fits(const Walk& walk, const RecoveryBatch& batch) {
    static uint8_t memory[batch_size_max];
    const Recovery& recovery = walk.recovery;
    const BatchHeader& header = batch.header;
    CHECK(header.segment == recovery.segment && header.offset == recovery.offset);
    CHECK(header.segment_size == segment_size_min);  // J4
    CHECK(segment_size_min - header.offset >= batch_size_max);
    CHECK(header.time_ms >= recovery.time_ms);
    CHECK(header.seq == recovery.batch_seq + 1);
    CHECK(header.entry_first == recovery.entry_seq + 1);
    CHECK(hash_equal(header.previous, recovery.chain));
    CHECK(header.entries_size == batch.entries.size);
    memcpy(memory + batch_header_size, batch.entries.data, batch.entries.size);
    CHECK(hash_equal(batch_seal(memory, header), batch.hash));
    const Slice found = window_at(walk, recovery.segment, recovery.offset);
    CHECK(slice_equal({memory, batch_size_of(header.entries_size)},
                      slice_part(found, 0, batch_size_of(header.entries_size))));
}

// Looks at a batch whose entries were just installed.
void check_entries(const Walk& walk, const RecoveryBatch& batch) {
    Reader entries = reader_of(batch.entries);
    Slice bytes;
    Entry entry;
    for (uint32_t i = 0; i < batch.header.entry_count; i++) {
        CHECK(batch_next_entry(entries, bytes) == Status::ok);
        CHECK(entry_decode(bytes, entry) == Status::ok);
        CHECK(entry.seq == batch.header.entry_first + i);
        fuzz_check_encoding(entry, bytes);
        if (entry.kind != EntryKind::movement) continue;
        fuzz_mark_reached();
#if PLANT
        if (!fuzz_is_seed_amount(entry.movement.amount)) fuzz_mark_planted();
#endif
    }
    CHECK(batch_next_entry(entries, bytes) == Status::end);
    CHECK(ledger_sum(walk.book.ledger) == 0);  // M1
    CHECK(walk.book.ledger.group.size == 0);   // M5: a group stands in one batch.
    const uint64_t newest = batch.header.entry_first + batch.header.entry_count - 1;
    CHECK(walk.book.ledger.seq_installed == newest);
}

bool install(Walk& walk, const RecoveryBatch& batch) {
    check_fits(walk, batch);
    if (!walk.begun) book_init(walk.book, batch.header.bank_id);
    walk.begun = true;
    uint64_t bad_seq = 0;
    if (book_replay(walk.book, batch, bad_seq) != Status::ok) return false;
    check_entries(walk, batch);
    recovery_install(walk.recovery, batch);
    return true;
}

// Returns true while the walk goes on; `good` says whether the server would start after its end.
bool step(Walk& walk, bool& good) {
    const Recovery& recovery = walk.recovery;
    const Slice window = window_at(walk, recovery.segment, recovery.offset);
    RecoveryBatch batch;
    const RecoveryFound found = recovery_judge(recovery, window, segment_size_min, batch);
    const bool marked = recovery_is_marked(recovery);
    const bool asks = found == RecoveryFound::blank || found == RecoveryFound::junk;
    const bool later = asks && !marked && stands_later(walk);
    const RecoveryRow& row = recovery_decide(found, later, marked);
    CHECK(row.action != RecoveryAction::install || found == RecoveryFound::fits);
    switch (row.action) {
        case RecoveryAction::install: return install(walk, batch);
        case RecoveryAction::finish: good = true; return false;
        case RecoveryAction::drop:
            CHECK(!later && !marked);  // K2
            good = true;
            return false;
        case RecoveryAction::refuse: return false;
        case RecoveryAction::advance:
            good = recovery.segment == segments;
            if (!good) recovery_advance(walk.recovery);
            return !good;
    }
    CHECK(false);
    return false;
}

// The server would start: it moves money, if there is any account, and what it wrote is installed.
void go_on(Walk& walk) {
    Book& book = walk.book;
    const Recovery& recovery = walk.recovery;
    LogStart start = {};
    memcpy(start.bank_id, recovery.bank_id, bank_id_size);
    start.segment = recovery.segment;
    start.offset = recovery.offset;
    start.segment_size = segment_size_min;
    start.salt = recovery.salt;
    start.batch_seq = recovery.batch_seq;
    start.entry_seq = recovery.entry_seq;
    start.time_ms = recovery.time_ms;
    start.chain = recovery.chain;
    book_open(book, start, UINT64_MAX);
    BookMove move = {};
    move.operation = Operation::deposit;
    move.person = row_none;
    move.debit = book.ledger.accounts[account_cash].name;
    move.credit = book.ledger.accounts[book.ledger.accounts_installed - 1].name;
    move.amount = 100;
    IdRecord answer = {};
    const char* field = nullptr;
    const Status moved = book_move(book, 0, move, true, book_tag_none, answer, field);
    CHECK(moved == Status::ok || moved == Status::err);
    CHECK(book_note_limits(book, 0) == Status::ok);
    LogWrite write;
    if (!book_write_next(book, write)) return;
    book_write_done(book, Status::ok);
    BookDone done;
    while (book_commit_next(book, done)) CHECK(done.durable);
    CHECK(ledger_sum(book.ledger) == 0);
}

void walk_disk(bool bank_known, uint32_t base, Position mark) {
    Walk walk = {fuzz_book(0), {}, base, false};
    recovery_start(walk.recovery, bank_known ? fuzz_bank_id() : nullptr, 1, mark);
    walk.recovery.offset = base;
    walk.recovery.salt = base == 0 ? 0 : first_salt;
    walk.recovery.segment_size = base == 0 ? 0 : segment_size_min;
    bool good = false;
    while (step(walk, good)) {
        CHECK(walk.recovery.offset <= base_of(walk, walk.recovery.segment) + segment_size);
    }
    if (!walk.begun || walk.book.ledger.accounts_installed <= account_shop) return;
    Ledger& ledger = walk.book.ledger;
    fuzz_check_tables(ledger, fuzz_book(1).ledger, fuzz_mark_of(ledger));
    if (good) go_on(walk);
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Reader input = reader_of({data, static_cast<uint32_t>(size)});
    memset(disk, 0, sizeof disk);
    const uint8_t flags = get_u8(input);
    const uint32_t base = (flags & 2) != 0 ? near_end : 0;
    const Position mark = position_of(1, base + get_u8(input) % 8 * block_size);
    if ((flags & 4) == 0) {
        make_disk(input, base);
    } else {
        const Slice rest = slice_part(reader_rest(input), 0, segment_size);
        if (rest.size > 0) memcpy(disk[0], rest.data, rest.size);
    }
    walk_disk((flags & 1) != 0, base, mark);
    return 0;
}

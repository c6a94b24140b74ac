#include "unit/test_bank.h"

#include <string.h>

namespace {

constexpr uint8_t bank_id[bank_id_size] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

}  // namespace

TestBook::TestBook(const LedgerLimits& limits) {
    arena = {};
    book = {};
    book_layout(book, arena, limits);
    memory.resize(arena.used + arena_align);
    const uint64_t size = arena.used;
    arena = {};
    const uintptr_t at = reinterpret_cast<uintptr_t>(memory.data());
    arena.base = memory.data() + (arena_align - at % arena_align) % arena_align;
    arena.size = size;
    book = {};
    book_layout(book, arena, limits);
}

void test_create(Book& book, uint64_t wall_ms) {
    GenesisEntry genesis = {};
    memcpy(genesis.bank_id, bank_id, sizeof bank_id);
    genesis.scale = 2;
    genesis.currency_size = 3;
    memcpy(genesis.currency, "EUR", 3);
    LogStart start = {};
    memcpy(start.bank_id, bank_id, sizeof bank_id);
    start.segment = 1;
    start.segment_size = test_segment_size;
    start.salt = 77;
    book_init(book, bank_id);
    book_open(book, start, UINT64_MAX);
    ASSERT_EQ(book_create(book, wall_ms, genesis), Status::ok);
}

std::vector<BookDone> test_commit(Book& book, TestWrite write, void* context) {
    std::vector<BookDone> all;
    LogWrite out;
    Log& log = book.log;
    if (write == nullptr && log_wants_segment(log)) {
        log_segment_made(log, log.segment + 1, test_segment_size, log.salt + 1);
    }
    if (!book_write_next(book, out)) return all;
    book_write_done(book, write == nullptr ? Status::ok : write(context, out));
    BookDone done;
    while (book_commit_next(book, done)) all.push_back(done);
    return all;
}

Status test_add(Book& book, const std::string& name, Role role, uint64_t wall_ms) {
    PasswordRecord record = {};
    const std::string phc = "$argon2id$v=19$m=4096,t=1,p=1$c2FsdA$aGFzaA";
    memcpy(record.text, phc.data(), phc.size());
    record.size = static_cast<uint8_t>(phc.size());
    return book_add_person(book, wall_ms, row_none, {}, test_name(name), role, record,
                           PasswordTerm::lasting, book_tag_none);
}

BookMove test_book_move(const Book& book, const TestMove& move) {
    BookMove asked = {};
    asked.operation = move.operation;
    asked.person =
        move.person.empty() ? row_none : ledger_find_person(book.ledger, test_name(move.person));
    if (!move.terminal.empty()) asked.terminal = test_name(move.terminal);
    EXPECT_LE(move.id.size(), id_size_max);
    memcpy(asked.id.text, move.id.data(), move.id.size());
    asked.id.size = static_cast<uint8_t>(move.id.size());
    if (!move.debit.empty()) asked.debit = test_name(move.debit);
    if (!move.credit.empty()) asked.credit = test_name(move.credit);
    asked.hold = move.hold;
    if (!move.item.empty()) asked.item = test_name(move.item);
    asked.quantity = move.quantity;
    asked.price_asked = move.price_asked;
    asked.order = move.order;
    asked.day_max = move.day_max;
    asked.expires_s = move.expires_s;
    asked.whole = move.whole || move.operation == Operation::reverse;
    asked.amount = move.amount;
    memcpy(asked.memo.text, move.memo.data(), move.memo.size());
    asked.memo.size = static_cast<uint8_t>(move.memo.size());
    if (move.operation != Operation::reverse) return asked;
    asked.reversed = move.reversed;
    asked.reversed_debit =
        move.debit.empty() ? row_none : ledger_find_account(book.ledger, asked.debit);
    asked.reversed_credit =
        move.credit.empty() ? row_none : ledger_find_account(book.ledger, asked.credit);
    return asked;
}

Status test_move(Book& book, const TestMove& move, IdRecord* answer, std::string* field) {
    const BookMove asked = test_book_move(book, move);
    IdRecord known = {};
    const char* differs = nullptr;
    const Status status =
        book_move(book, move.wall_ms, asked, move.may_refuse, move.tag, known, differs);
    if (answer != nullptr) *answer = known;
    if (field != nullptr) *field = differs == nullptr ? "" : differs;
    return status;
}

Status test_group(Book& book, const std::vector<TestMove>& moves, BookGroup* out) {
    std::vector<BookMove> asked;
    for (const TestMove& move : moves) asked.push_back(test_book_move(book, move));
    BookGroup group = {};
    const Status status =
        book_move_group(book, moves[0].wall_ms, asked.data(), static_cast<uint32_t>(asked.size()),
                        moves[0].may_refuse, moves[0].tag, group);
    if (out != nullptr) *out = group;
    return status;
}

Status test_change(Book& book, const TestChange& change, std::string* why) {
    BookChange asked = {};
    asked.operation = change.operation;
    asked.person = ledger_find_person(book.ledger, test_name(change.person));
    asked.asked_by = row_none;
    asked.role = change.role;
    asked.term = change.term;
    memcpy(asked.record.text, change.record.data(), change.record.size());
    asked.record.size = static_cast<uint8_t>(change.record.size());
    EXPECT_EQ(parse_title(slice_of(change.title), asked.title), Status::ok) << change.title;
    const char* said = nullptr;
    const Status status = book_change_person(book, change.wall_ms, asked, change.tag, said);
    if (why != nullptr) *why = status == Status::state ? said : "";
    return status;
}

Status test_set_item(Book& book, const std::string& name, int64_t price, int64_t stock,
                     const std::string& title, bool listed) {
    ItemValues values = {};
    values.price = price;
    values.counted = stock >= 0;
    values.stock = stock >= 0 ? static_cast<uint32_t>(stock) : 0;
    values.listed = listed;
    EXPECT_EQ(parse_title(slice_of(title), values.title), Status::ok) << title;
    return book_set_item(book, 1000, row_none, {}, test_name(name), values, book_tag_none);
}

int64_t test_balance(const Book& book, const std::string& name) {
    const uint32_t row = ledger_find_account(book.ledger, test_name(name));
    EXPECT_NE(row, row_none) << name;
    return row == row_none ? 0 : book.ledger.accounts[row].installed.balance;
}

TestTables test_tables_of(Snapshot& snapshot, Ledger& ledger) {
    TestTables all;
    all.tables.resize(table_count);
    std::vector<uint8_t> bytes(4096);
    while (!snapshot_is_done(snapshot)) {
        const uint32_t table = snapshot.table;
        Writer out = writer_of(bytes.data(), static_cast<uint32_t>(bytes.size()));
        EXPECT_TRUE(snapshot_step(snapshot, ledger, out, 3) != Status::full);
        all.tables[table].append(reinterpret_cast<char*>(out.data), out.size);
    }
    Writer out = writer_of(bytes.data(), static_cast<uint32_t>(bytes.size()));
    manifest_format(snapshot, ledger, out);
    all.manifest.assign(reinterpret_cast<char*>(out.data), out.size);
    snapshot_end(snapshot, ledger);
    return all;
}

TestTables test_tables(Book& book) {
    book_snapshot_begin(book);
    return test_tables_of(book.snapshot, book.ledger);
}

Status test_load(Book& book, const TestTables& text) {
    Manifest manifest;
    const Status parsed = manifest_parse(slice_of(text.manifest), manifest);
    if (parsed != Status::ok) return parsed;
    book_init(book, manifest.bank_id);
    tables_begin(book.ledger, manifest);
    for (uint32_t table = 0; table < table_count; table++) {
        size_t at = 0;
        const std::string& rows = text.tables[table];
        while (at < rows.size()) {
            const size_t end = rows.find('\n', at);
            const std::string line = rows.substr(at, end - at);
            const Status status =
                tables_load(book.ledger, static_cast<TableName>(table), slice_of(line));
            if (status != Status::ok) return status;
            at = end + 1;
        }
    }
    return tables_end(book.ledger, manifest);
}

void test_open(Book& book, const Log& log) {
    LogStart start = {};
    memcpy(start.bank_id, log.bank_id, bank_id_size);
    start.segment = position_segment(log.end_durable);
    start.offset = position_offset(log.end_durable);
    start.segment_size = test_segment_size;
    start.salt = log.salt_durable;
    start.batch_seq = log.batch_durable;
    start.entry_seq = log.entry_durable;
    start.time_ms = log.time_durable_ms;
    start.chain = log.chain_durable;
    book_open(book, start, UINT64_MAX);
}

Status TestDisk::keep(void* context, const LogWrite& write) {
    TestDisk& disk = *static_cast<TestDisk*>(context);
    std::vector<uint8_t>& segment = disk.segments[write.segment];
    segment.resize(test_segment_size);
    memcpy(segment.data() + write.offset, write.bytes.data, write.bytes.size);
    disk.batches.emplace_back(write.bytes.data, write.bytes.data + write.bytes.size);
    return Status::ok;
}

std::vector<BookDone> TestDisk::commit(Book& book) {
    Log& log = book.log;
    if (log_wants_segment(log)) {
        log_segment_made(log, log.segment + 1, test_segment_size, log.salt + 1);
    }
    return test_commit(book, keep, this);
}

Status TestDisk::replay(Book& book, size_t count) const {
    book_init(book, bank_id);
    for (size_t i = 0; i < count; i++) {
        RecoveryBatch batch;
        const Slice bytes = {batches[i].data(), static_cast<uint32_t>(batches[i].size())};
        const BatchFind found =
            batch_find(bytes, nullptr, batch.header, batch.entries, batch.hash);
        EXPECT_EQ(found, BatchFind::whole);
        uint64_t bad_seq = 0;
        const Status status = book_replay(book, batch, bad_seq);
        if (status != Status::ok) return status;
    }
    return Status::ok;
}

void TestDisk::expect_same_again(Book& book) const {
    TestBook other;
    ASSERT_EQ(replay(other.book, batches.size()), Status::ok);
    test_open(other.book, book.log);
    const TestTables first = test_tables(book);
    const TestTables again = test_tables(other.book);
    EXPECT_EQ(again.tables, first.tables);
    EXPECT_EQ(again.manifest, first.manifest);
    TestBook loaded;
    ASSERT_EQ(test_load(loaded.book, first), Status::ok);
    test_open(loaded.book, book.log);
    EXPECT_EQ(test_tables(loaded.book).manifest, first.manifest);
}

uint32_t TestDisk::read(ReadJob& job) const {
    uint32_t reads = 0;
    for (; read_feed(job) == Status::more && reads < 1000; reads++) {
        const auto segment = segments.find(position_segment(job.want));
        if (segment == segments.end()) {
            read_take(job, Status::absent, 0);
            continue;
        }
        const Slice bytes = slice_part(
            {segment->second.data(), static_cast<uint32_t>(segment->second.size())},
            position_offset(job.want), job.want_size);
        memcpy(job.window, bytes.data, bytes.size);
        read_take(job, Status::ok, bytes.size);
    }
    return reads;
}

TestCollision test_collision(const Ledger& ledger, uint32_t person) {
    std::map<uint16_t, std::string> seen;
    for (uint32_t i = 0; i < 100'000; i++) {
        const std::string id = "c" + std::to_string(i);
        const auto [at, is_new] = seen.emplace(ids_print(ledger.ids, person, slice_of(id)), id);
        if (!is_new) return {at->second, id};
    }
    ADD_FAILURE() << "no two of 100,000 ids have one print";
    return {};
}

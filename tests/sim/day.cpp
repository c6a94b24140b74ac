#include "sim/day.h"

#include <string.h>

#include "base/check.h"

namespace {

constexpr HousePerson people[] = {
    {"alice", 100'00}, {"bob", 50'00}, {"carol", 10'00}, {"dave", 0}, {"erin", 5'00}};
constexpr uint32_t steps_min = 20;
constexpr uint32_t steps_max = 45;

// A day while it is lived.
struct Living {
    Day& day;
    Tally& tally;
    SimRandom random;
    std::map<uint32_t, BookMove> waiting;  // by tag: asked for, not yet answered
    std::map<std::string, int64_t> balances;
    std::vector<uint64_t> holds;
    std::vector<uint64_t> moved;   // entries that might be reversed
    uint32_t tags;
    uint64_t names;                // given to accounts and people
    bool checkpoint_open;
    std::string wrong;             // the first thing that was not as it must be
};

uint64_t below(Living& living, uint64_t bound) { return sim_random_below(living.random, bound); }
bool chance(Living& living, uint32_t percent) { return sim_random_chance(living.random, percent); }

std::string name_text(const Name& name) { return std::string(name.text, name.size); }

void note(Living& living, const std::string& what) {
    if (living.wrong.empty()) living.wrong = what;
}

// Adds up one movement, and compares with what its entry says came of it.
void add_up(Living& living, const Entry& entry) {
    const Ledger& ledger = house_book().ledger;
    const MovementEntry& movement = entry.movement;
    if (entry.status != Status::ok || !operation_moves_money(movement.operation)) return;
    int64_t& debit = living.balances[name_text(ledger.accounts[movement.debit].name)];
    int64_t& credit = living.balances[name_text(ledger.accounts[movement.credit].name)];
    debit -= movement.amount;
    credit += movement.amount;
    if (debit == movement.debit_after && credit == movement.credit_after) return;
    note(living, "the balances of entry " + std::to_string(entry.seq) + " do not add up");
}

void take_done(void* context, const BookDone& done) {
    Living& living = *static_cast<Living*>(context);
    if (!done.durable) return note(living, "a batch was not durable on a good disk");
    const Entry& entry = done.entry;
    const Account* accounts = house_book().ledger.accounts;
    if (entry.kind == EntryKind::account) {
        living.balances.try_emplace(name_text(accounts[entry.account.account].name), 0);
    }
    if (entry.kind == EntryKind::person) {
        living.balances.try_emplace(name_text(accounts[entry.row_person.account].name), 0);
    }
    if (entry.kind == EntryKind::movement) {
        add_up(living, entry);
        const MovementEntry& movement = entry.movement;
        living.tally.add(std::string("day ") + operation_name(movement.operation) +
                         (entry.status == Status::ok ? "" : " refused"));
        if (entry.status == Status::ok && movement.operation == Operation::hold) {
            living.holds.push_back(movement.hold);
        }
        if (entry.status == Status::ok && operation_moves_money(movement.operation)) {
            living.moved.push_back(entry.seq);
        }
    }
    const auto asked = living.waiting.find(done.tag.session);
    if (asked == living.waiting.end()) return;
    if (entry.kind == EntryKind::movement && entry.movement.group_size == 0) {
        living.day.asks.push_back({entry.seq, asked->second});
    }
    living.waiting.erase(asked);
}

// What is durable now was answered: from here on no image may lack it.
void mark(Living& living) {
    Book& book = house_book();
    sim_disk_mark(book.log.entry_durable);
    if (living.checkpoint_open || !log_is_idle(book.log)) return;
    const DayState state = {.batch = book.log.batch_durable,
                            .entry = book.log.entry_durable,
                            .digest = house_digest(book),
                            .balances = living.balances};
    living.day.states.push_back(state);
}

void commit(Living& living) {
    if (!house_make_segment(living.wrong)) return note(living, "no segment could be made");
    if (house_commit(take_done, &living)) mark(living);
}

std::string account_of(Living& living) {
    const Ledger& ledger = house_book().ledger;
    const uint64_t row = below(living, ledger.accounts_decided);
    return name_text(ledger.accounts[row].name);
}

uint32_t person_of(Living& living) {
    return static_cast<uint32_t>(below(living, house_book().ledger.people_decided));
}

BookMove draw_move(Living& living) {
    BookMove move = {};
    move.person = person_of(living);
    if (chance(living, 30)) move.terminal = house_name("till-" + std::to_string(below(living, 4)));
    const std::string id = "i" + std::to_string(living.tags);
    memcpy(move.id.text, id.data(), id.size());
    move.id.size = static_cast<uint8_t>(id.size());
    const uint64_t has_memo = below(living, 2);
    const std::string memo(has_memo * below(living, memo_size_max + 1), 'm');
    memcpy(move.memo.text, memo.data(), memo.size());
    move.memo.size = static_cast<uint8_t>(memo.size());
    move.operation = Operation::transfer;
    move.debit = house_name(account_of(living));
    move.credit = house_name(account_of(living));
    move.amount = static_cast<int64_t>(1 + below(living, chance(living, 80) ? 500 : 50'000));
    return move;
}

void choose_operation(Living& living, BookMove& move) {
    const uint64_t kind = below(living, 100);
    if (kind < 25) {
        move.operation = Operation::deposit;
        move.debit = house_name("cash");
    } else if (kind < 32) {
        move.operation = Operation::withdraw;
        move.credit = house_name("cash");
    } else if (kind < 60) {
        return;
    } else if (kind < 72) {
        move.operation = Operation::hold;
        move.expires_s = static_cast<uint32_t>(1 + below(living, 3600));
    } else if (kind < 86 && !living.holds.empty()) {
        move.operation = chance(living, 60) ? Operation::capture : Operation::cancel;
        move.hold = living.holds[below(living, living.holds.size())];
        move.whole = move.operation == Operation::cancel || chance(living, 50);
        move.debit = move.credit = {};
        if (move.whole) move.amount = 0;
    }
}

// A reversal names an entry and the accounts of it.
bool choose_reversal(Living& living, BookMove& move) {
    if (living.moved.empty()) return false;
    const uint64_t seq = living.moved[below(living, living.moved.size())];
    for (const DayAsk& ask : living.day.asks) {
        if (ask.entry != seq || ask.move.operation == Operation::capture ||
            ask.move.operation == Operation::reverse) {
            continue;
        }
        const Ledger& ledger = house_book().ledger;
        move.operation = Operation::reverse;
        move.reversed = seq;
        move.whole = true;
        move.amount = ask.move.amount;
        move.reversed_debit = ledger_find_account(ledger, ask.move.debit);
        move.reversed_credit = ledger_find_account(ledger, ask.move.credit);
        move.debit = move.credit = {};
        return true;
    }
    return false;
}

void ask_move(Living& living) {
    living.tags++;
    BookMove move = draw_move(living);
    if (!chance(living, 10) || !choose_reversal(living, move)) choose_operation(living, move);
    IdRecord answer = {};
    const char* field = nullptr;
    const Status status = book_move(house_book(), living.day.wall_ms, move, true,
                                    {living.tags, 0}, answer, field);
    if (status == Status::ok) living.waiting[living.tags] = move;
}

void ask_group(Living& living) {
    BookMove moves[group_moves_max];
    const uint32_t count = static_cast<uint32_t>(2 + below(living, 4));
    for (uint32_t i = 0; i < count; i++) {
        living.tags++;
        moves[i] = draw_move(living);
        moves[i].person = moves[0].person;
        moves[i].terminal = moves[0].terminal;
    }
    BookGroup group = {};
    const Status status = book_move_group(house_book(), living.day.wall_ms, moves, count, true,
                                          {living.tags, 0}, group);
    if (status == Status::ok) living.tally.add("day groups");
}

void ask_people(Living& living) {
    Book& book = house_book();
    const uint64_t wall_ms = living.day.wall_ms;
    const uint32_t person = person_of(living);
    const Name name = house_name("new-" + std::to_string(living.names++));
    const uint32_t account = ledger_find_account(book.ledger, house_name(account_of(living)));
    AccountValues values = book.ledger.accounts[account].decided;
    const PasswordTerm term =
        living.names % 2 == 0 ? PasswordTerm::first : PasswordTerm::lasting;
    Status status = Status::ok;
    switch (below(living, 4)) {
        case 0:
            status = book_add_person(book, wall_ms, row_none, {}, name, Role::customer,
                                     house_password(), term, book_tag_none);
            break;
        case 1:
            status = book_set_password(book, wall_ms, person, {}, person,
                                       book.ledger.people[person].decided.version,
                                       house_password(), book_tag_none);
            break;
        case 2:
            status = book_open_account(book, wall_ms, person, {}, name, person, book_tag_none);
            break;
        case 3:
            if (account < 2 || account == ledger_find_account(book.ledger, house_name("alice"))) {
                return;  // cash, shop, and who is paid after each start
            }
            values.ceiling = static_cast<int64_t>(1000'00 + below(living, 1000'00));
            status = book_set_account(book, wall_ms, row_none, {}, account,
                                      AccountOperation::limit, values, book_tag_none);
            break;
        default: break;
    }
    if (status == Status::ok) living.tally.add("day people and accounts");
}

// One batch of a few requests, or of many.
void live_batch(Living& living) {
    const uint64_t count = chance(living, 70) ? 1 + below(living, 2) : 1 + below(living, 12);
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t kind = below(living, 10);
        if (kind == 0) {
            ask_people(living);
        } else if (kind == 1) {
            ask_group(living);
        } else {
            ask_move(living);
        }
    }
    commit(living);
}

void close_batch(Living& living) {
    if (!log_is_idle(house_book().log)) return;
    if (log_close(house_book().log, living.day.wall_ms) != Status::ok) return;
    commit(living);
    living.tally.add("day closing batches");
}

// A checkpoint piece by piece, with batches in between.
void live_checkpoint(Living& living, bool alone) {
    Book& book = house_book();
    Store& store = house_store();
    static uint8_t bytes[16384];
    uint8_t text[512];
    Writer error = writer_of(text, sizeof text);
    living.checkpoint_open = true;
    Status status = store_checkpoint_begin(store, error);
    book_snapshot_begin(book);
    Writer rows = writer_of(bytes, sizeof bytes);
    while (status == Status::ok && !snapshot_is_done(book.snapshot)) {
        const TableName table = static_cast<TableName>(book.snapshot.table);
        rows.size = 0;
        const uint32_t rows_max = static_cast<uint32_t>(1 + below(living, 16));
        (void)snapshot_step(book.snapshot, book.ledger, rows, rows_max);  // Full or not.
        status = store_checkpoint_append(store, table, writer_slice(rows), error);
        if (!alone && chance(living, 15)) live_batch(living);
    }
    rows.size = 0;
    manifest_format(book.snapshot, book.ledger, rows);
    if (status == Status::ok) status = store_checkpoint_finish(store, writer_slice(rows), error);
    snapshot_end(book.snapshot, book.ledger);
    living.checkpoint_open = false;
    if (status != Status::ok) return note(living, "a checkpoint failed on a good disk");
    living.day.checkpoints.push_back({sim_disk_windows(), store.checkpoint_newest});
    living.tally.add("day checkpoints");
}

void start_again(Living& living) {
    std::string why;
    if (!house_start(living.day.wall_ms, why)) note(living, "a start was refused: " + why);
    living.tally.add("day starts");
}

void live_step(Living& living) {
    living.day.wall_ms += below(living, 600'000);
    const uint64_t kind = below(living, 100);
    if (kind < 80) return live_batch(living);
    if (kind < 84) return close_batch(living);
    if (kind < 92) return live_checkpoint(living, false);
    if (kind < 96) {  // A clean stop.
        close_batch(living);
        live_checkpoint(living, true);
        house_close();
        living.tally.add("day stops");
    } else {
        house_leave();
        sim_disk_cut();
        sim_disk_mount(SimLoss::keep_all);
        living.tally.add("day deaths");
    }
    start_again(living);
}

// A segment holds 96 batches of one block; a day is to see more than one of them.
void fill_segment(Living& living) {
    const uint32_t room = house_segment_size - batch_size_max;
    for (uint32_t i = 0; i < 128 && living.wrong.empty(); i++) {
        Log& log = house_book().log;
        if (log.segment > 1 || log.offset + 6 * block_size > room) return;
        commit(living);
        const Status status = log_close(log, living.day.wall_ms);
        if (status != Status::ok) return;
        commit(living);
    }
}

void begin_balances(Living& living) {
    const Ledger& ledger = house_book().ledger;
    for (uint32_t i = 0; i < ledger.accounts_installed; i++) {
        living.balances[name_text(ledger.accounts[i].name)] = ledger.accounts[i].installed.balance;
    }
    int64_t expected = 0;
    for (const HousePerson& person : people) {
        expected += person.deposit;
        if (living.balances[person.name] != person.deposit) note(living, "the opening deposits");
    }
    if (living.balances["cash"] != -expected) note(living, "the opening deposits");
}

// Takes one batch of the journal into the second book.
bool replay_batch(Day& day, Book& book, const RecoveryBatch& batch, std::string& why) {
    if (batch.header.seq == 1) book_init(book, batch.header.bank_id);
    uint64_t bad_seq = 0;
    if (book_replay(book, batch, bad_seq) != Status::ok) {
        why = "the journal does not replay at entry " + std::to_string(bad_seq);
        return false;
    }
    DayState state = {.batch = batch.header.seq,
                      .entry = batch.header.entry_first + batch.header.entry_count - 1,
                      .digest = {},
                      .segment = batch.header.segment,
                      .offset = batch.header.offset,
                      .size = batch_size_of(batch.header.entries_size),
                      .is_closing = batch.header.flags == batch_flag_closing};
    static uint8_t bytes[16384];
    Writer out = writer_of(bytes, sizeof bytes);
    const SnapshotMark mark = {.entry = state.entry, .batch = state.batch};
    snapshot_begin(book.snapshot, book.ledger, mark);
    while (!snapshot_is_done(book.snapshot)) {
        out.size = 0;
        (void)snapshot_step(book.snapshot, book.ledger, out, 1024);
    }
    out.size = 0;
    state.digest = manifest_format(book.snapshot, book.ledger, out);
    snapshot_end(book.snapshot, book.ledger);
    for (uint32_t i = 0; i < book.ledger.accounts_installed; i++) {
        state.balances[name_text(book.ledger.accounts[i].name)] =
            book.ledger.accounts[i].installed.balance;
    }
    day.states.push_back(state);
    return true;
}

// What was seen while the day was lived must be what the journal says.
bool compare_states(const std::vector<DayState>& lived, const Day& day, std::string& why) {
    for (const DayState& state : lived) {
        const DayState* found = day_state(day, state.batch);
        const bool same = found != nullptr && found->entry == state.entry &&
                          hash_equal(found->digest, state.digest) &&
                          found->balances == state.balances;
        if (same) continue;
        why = "the journal's batch " + std::to_string(state.batch) +
              " is another state than the book had";
        return false;
    }
    return true;
}

}  // namespace

const DayState* day_state(const Day& day, uint64_t batch) {
    return batch == 0 || batch > day.states.size() ? nullptr : &day.states[batch - 1];
}

bool day_replay(Day& day, std::string& why) {
    const std::vector<DayState> lived = std::move(day.states);
    day.states.clear();
    Store store;
    uint8_t text[512];
    Writer error = writer_of(text, sizeof text);
    if (store_open(store, sim_disk_calls, house_dir, StoreMode::read, error) != Status::ok) {
        why = "the folder cannot be opened to be read";
        return false;
    }
    Book& book = house_other_book();
    bool is_sound = true;
    uint32_t got = 0;
    for (uint32_t segment = 1, offset = 0; is_sound;) {
        const Status status =
            store_read(store, segment, offset, house_window(), batch_size_max, got);
        RecoveryBatch batch = {};
        const bool is_batch =
            status == Status::ok && batch_find({house_window(), got}, nullptr, batch.header,
                                               batch.entries, batch.hash) == BatchFind::whole;
        if (is_batch) {
            is_sound = replay_batch(day, book, batch, why);
            offset += batch_size_of(batch.header.entries_size);
            continue;
        }
        if (offset == 0 || status != Status::ok) break;
        segment++;
        offset = 0;
    }
    store_close(store);
    return is_sound && compare_states(lived, day, why);
}

bool day_live(uint64_t seed, Day& out, Tally& tally, std::string& why) {
    out = {};
    out.seed = seed;
    out.wall_ms = house_wall_ms;
    if (!house_make(seed, people, sizeof people / sizeof people[0], why)) return false;
    if (!house_start(out.wall_ms, why)) return false;
    Living living = {.day = out, .tally = tally, .random = sim_random_of(seed, SimStream::players)};
    begin_balances(living);
    const uint64_t segment_at = chance(living, 50) ? below(living, steps_min) : UINT64_MAX;
    sim_disk_record(true);
    mark(living);
    const uint64_t steps = steps_min + below(living, steps_max - steps_min);
    for (uint64_t i = 0; i < steps && living.wrong.empty(); i++) {
        if (i == segment_at) {  // Many batches of no interest; what follows them is.
            sim_disk_record(false);
            fill_segment(living);
            sim_disk_record(true);
        }
        live_step(living);
    }
    sim_disk_record(false);
    house_leave();
    sim_disk_cut();
    sim_disk_mount(SimLoss::drop_all);
    why = living.wrong;
    if (!why.empty() || !day_replay(out, why)) return false;
    out.end = sim_disk_save();
    return true;
}

#include <string.h>

#include "sim/day.h"

namespace {

constexpr int64_t paid = 1;  // minor units, by the deposit after a start

std::string number(uint64_t value) { return std::to_string(value); }

bool check_balances(const DayState& state, std::string& why) {
    const Ledger& ledger = house_book().ledger;
    if (ledger_sum(ledger) != 0) {
        why = "the sum over all accounts is not zero";
        return false;
    }
    if (ledger.accounts_installed != state.balances.size()) {
        why = "other accounts than the book had";
        return false;
    }
    for (uint32_t i = 0; i < ledger.accounts_installed; i++) {
        const Account& account = ledger.accounts[i];
        const auto found = state.balances.find(std::string(account.name.text, account.name.size));
        if (found != state.balances.end() && found->second == account.installed.balance) continue;
        why = "the balance of " + std::string(account.name.text, account.name.size);
        return false;
    }
    return true;
}

// Asks for something that the book has again: it must give the first answer (P3).
bool check_replay(const BookMove& move, uint64_t entry, uint64_t wall_ms, std::string& why) {
    IdRecord answer = {};
    const char* field = nullptr;
    const Status status =
        book_move(house_book(), wall_ms, move, true, book_tag_none, answer, field);
    if (status == Status::replayed && answer.seq == entry) return true;
    why = "the request of entry " + number(entry) + ", made again, came to status " +
          number(static_cast<uint64_t>(status)) + " and entry " + number(answer.seq);
    return false;
}

bool check_newest_ask(const Day& day, const DayState& state, std::string& why) {
    const DayAsk* newest = nullptr;
    for (const DayAsk& ask : day.asks) {
        if (ask.entry <= state.entry) newest = &ask;
    }
    return newest == nullptr || check_replay(newest->move, newest->entry, day.wall_ms, why);
}

// A checkpoint is said to be taken only when every cut leaves it (F3).
bool check_checkpoint(const Day& day, uint32_t window, std::string& why) {
    uint32_t taken = 0;
    for (const DayCheckpoint& checkpoint : day.checkpoints) {
        if (checkpoint.window <= window) taken = checkpoint.number;
    }
    const uint32_t loaded = house_server().checkpoint_number;
    if (loaded >= taken) return true;
    why = "checkpoint " + number(taken) + " was taken, and " + number(loaded) + " was loaded";
    return false;
}

// The first account of a person that may take it; row_none when there is none.
uint32_t account_to_pay() {
    const Ledger& ledger = house_book().ledger;
    for (uint32_t i = 0; i < ledger.accounts_installed; i++) {
        const Account& account = ledger.accounts[i];
        const AccountValues& values = account.installed;
        if (account.owner == row_none || values.state != AccountState::open) continue;
        if (values.balance < values.ceiling) return i;
    }
    return row_none;
}

BookMove deposit_to(uint32_t account) {
    const Ledger& ledger = house_book().ledger;
    BookMove move = {};
    move.operation = Operation::deposit;
    move.person = ledger.accounts[account].owner;
    memcpy(move.id.text, "after", 5);
    move.id.size = 5;
    move.debit = ledger.accounts[account_cash].name;
    move.credit = ledger.accounts[account].name;
    move.amount = paid;
    return move;
}

void note_done(void* context, const BookDone& done) {
    if (done.durable && done.tag.session == 1) *static_cast<uint64_t*>(context) = done.entry.seq;
}

// One more deposit. Returns its entry; 0 when it was not taken.
uint64_t pay(const BookMove& move, uint64_t wall_ms, std::string& why) {
    IdRecord answer = {};
    const char* field = nullptr;
    Status status = book_move(house_book(), wall_ms, move, true, {1, 0}, answer, field);
    if (status == Status::misconf && house_make_segment(why)) {
        status = book_move(house_book(), wall_ms, move, true, {1, 0}, answer, field);
    }
    uint64_t entry = 0;
    if (status == Status::ok) house_commit(note_done, &entry);
    return entry;
}

bool check_deposit(uint64_t entry, int64_t balance, const BookMove& move, uint64_t wall_ms,
                   std::string& why) {
    const Book& book = house_book();
    const uint32_t row = ledger_find_account(book.ledger, move.credit);
    if (book.ledger.seq_installed != entry || book.log.entry_durable != entry) {
        why = "one more deposit was entry " + number(entry) +
              ", and after another start the book ends at " + number(book.ledger.seq_installed);
        return false;
    }
    if (book.ledger.accounts[row].installed.balance != balance + paid) {
        why = "the deposit is not in the balance after another start";
        return false;
    }
    return check_replay(move, entry, wall_ms, why);
}

bool take_deposit(const Day& day, std::string& why) {
    const uint64_t wall_ms = day.wall_ms + 2000;
    const Ledger& ledger = house_book().ledger;
    const uint32_t account = account_to_pay();
    if (account == row_none) {
        why = "there is nobody to pay";
        return false;
    }
    const BookMove move = deposit_to(account);
    const int64_t balance = ledger.accounts[account].installed.balance;
    const uint64_t before = ledger.seq_installed;
    const uint64_t entry = pay(move, wall_ms, why);
    if (entry <= before) {
        why = "takes no deposit any more " + why;
        return false;
    }
    house_leave();
    sim_disk_cut();
    sim_disk_mount(SimLoss::drop_all);
    if (!house_start(wall_ms, why)) {
        why = "refused after one more deposit: " + why;
        return false;
    }
    return check_deposit(entry, balance, move, wall_ms, why);
}

}  // namespace

bool day_check_book(const Day& day, uint64_t mark, std::string& why) {
    Book& book = house_book();
    const DayState* state = day_state(day, book.log.batch_durable);
    if (state == nullptr || state->entry != book.ledger.seq_installed) {
        why = "came up with batch " + number(book.log.batch_durable) + ", entry " +
              number(book.ledger.seq_installed) + ", where the book never was";
        return false;
    }
    if (state->entry < mark) {
        why = "entry " + number(mark) + " was acknowledged and is lost; the book ends at " +
              number(state->entry);
        return false;
    }
    if (!check_balances(*state, why)) return false;
    if (!hash_equal(house_digest(book), state->digest)) {
        why = "the digest differs from the one after batch " + number(state->batch);
        return false;
    }
    return check_newest_ask(day, *state, why);
}

bool day_check_image(const Day& day, uint32_t window, std::string& why) {
    if (!house_start(day.wall_ms + 1000, why)) {
        why = "refused: " + why;
        return false;
    }
    const uint64_t mark = sim_disk_window(window).mark;
    const bool held = day_check_book(day, mark, why) && check_checkpoint(day, window, why) &&
                      take_deposit(day, why);
    house_leave();
    return held;
}

#include "sim/oracle_view.h"

#include <algorithm>
#include <set>

namespace sim {

namespace {

using std::map;
using std::string;
using std::vector;

bool can_be_reversed(const Oracle::Done& done) {
    return done.operation == "deposit" || done.operation == "withdraw" ||
           done.operation == "transfer" || done.operation == "capture";
}

Pair pair_of(const View& view, const Move& move) {
    if (is_of_order(move)) return pair_of_order(view, move);
    if (move.operation == "capture" || move.operation == "void") {
        const Oracle::Hold* hold = view.open_hold(move.hold);
        if (hold == nullptr) return {};
        return {hold->debit, hold->credit, move.amount == 0 ? hold->amount : move.amount};
    }
    if (move.operation == "reverse") {
        const Oracle::Done* entry = view.entry(move.reversed);
        if (entry == nullptr || !can_be_reversed(*entry)) return {};
        return {entry->credit, entry->debit, entry->amount};
    }
    return {move.debit, move.credit, move.amount};
}

// The word of the command that asks for it.
string command_of(const Move& move) {
    string word = move.operation == "done" ? "order" : move.operation;
    for (char& letter : word) letter = static_cast<char>(letter - 'a' + 'A');
    return word;
}

bool counts_for_day(const Move& move) {
    return move.operation == "deposit" || move.operation == "withdraw" ||
           move.operation == "transfer" || move.operation == "capture" ||
           move.operation == "order";
}

// What the terminal, and the PIN, say to what is known of a movement (E2, E3).
string judge_bounds(const View& view, const Ask& ask, const Move& move, const Pair& pair) {
    const Bounds& bounds = view.oracle.bounds_of(ask.terminal);
    const auto side = [&](const string& account) {
        const Oracle::Rules* rules = view.rules(account);
        return Side{account, rules != nullptr && rules->owner == ask.person};
    };
    const bool is_void = move.operation == "void";
    const int64_t amount = pair.amount != 0 ? pair.amount : move.amount;  // What is named counts.
    const string refusal =
        bounds_refusal(bounds, side(pair.debit), side(pair.credit), is_void ? 0 : amount);
    if (!refusal.empty() || is_void) return refusal;
    return pin_refusal(bounds, view.oracle.facts_of(ask), move.pin, amount);
}

constexpr char hold_not_yours[] = "NOPERM this hold is for the payee or a till to end";

string judge_right(const View& view, const Ask& ask, const Move& move) {
    const string refusal = judge_role(view, ask, move);
    if (!refusal.empty()) return refusal;
    const bool is_till = view.oracle.role_of(ask) == "till";
    if (move.operation == "deposit" || move.operation == "withdraw") {
        const string& member = move.operation == "deposit" ? move.credit : move.debit;
        const bool own = member == ask.person;
        if (!is_till && !(own && view.oracle.rules.self_service)) {
            return own ? "NOPERM cash is paid in and out at a till"
                       : "NOPERM this is somebody else's account";
        }
        if (member == "cash" || member == "shop") {
            return "NOPERM this account belongs to the book itself";
        }
    } else if (move.operation == "transfer") {
        const Oracle::Rules* rules = view.rules(move.debit);
        if (rules == nullptr || rules->owner != ask.person) {
            return "NOPERM only the own account can pay";
        }
    } else if (move.operation == "capture" || move.operation == "void") {
        const Oracle::Hold* hold = view.open_hold(move.hold);
        const Oracle::Rules* payee = hold == nullptr ? nullptr : view.rules(hold->credit);
        // A payer may end one that has expired by the clock, which nobody here knows; so what stood in
        // the way may be what is judged behind this.
        const Oracle::Rules* payer = hold == nullptr ? nullptr : view.rules(hold->debit);
        const bool may_be_expired = payer != nullptr && payer->owner == ask.person &&
                                    ask.refusal != hold_not_yours;
        if (!is_till && payee != nullptr && payee->owner != ask.person &&
            (ask.refusal.empty() || !may_be_expired)) {
            return hold_not_yours;
        }
    }
    if ((move.operation == "transfer" || move.operation == "hold") && move.credit == "cash") {
        return "NOPERM cash is paid in and out with DEPOSIT and WITHDRAW";
    }
    return "";
}

string judge_end_of_hold(const View& view, const Move& move) {
    const Oracle::Hold* hold = view.open_hold(move.hold);
    if (hold == nullptr) return quoted_number("STATE hold ", move.hold, " is not open");
    if (move.operation == "void") return "";
    if (move.amount > hold->amount) return "AMOUNT the hold has less than that";
    const int64_t amount = move.amount == 0 ? hold->amount : move.amount;
    const Oracle::Rules* payee = view.rules(hold->credit);
    if (payee->closed) return "CLOSED the account is closed";
    if (view.point(hold->credit).balance + amount > payee->ceiling) {
        return "LIMIT the account cannot take " + oracle_amount(amount) + " more";
    }
    return "";
}

string judge_reversed(const View& view, const Ask& ask, const Move& move) {
    const uint64_t window = view.oracle.rules.reversible;
    const uint64_t newest = view.at + view.before;
    const uint64_t from = newest > window ? newest - window + 1 : 1;
    if (move.reversed < from) {
        return quoted_number("EXPIRED entry ", move.reversed, " is too old to be reversed");
    }
    if (move.reversed <= view.oracle.rules.archived) {
        return quoted_number("ERR the journal here begins behind entry ", move.reversed, "");
    }
    if (move.reversed > view.at) return quoted_number("ERR there is no entry ", move.reversed, "");
    const Oracle::Done* entry = view.entry(move.reversed);
    const bool is_till = view.oracle.role_of(ask) == "till";
    if (is_till && entry != nullptr && entry->terminal != ask.terminal) {
        return "NOPERM a till reverses what it entered itself a short while ago; ask a treasurer";
    }
    if (entry != nullptr && (entry->operation == "order" || entry->operation == "cancel")) {
        return judge_reversed_order(view, ask, move);
    }
    if (entry == nullptr || !can_be_reversed(*entry)) {
        return quoted_number("STATE entry ", move.reversed,
                             " moved no money that could be moved back");
    }
    const string bounded = judge_bounds(view, ask, move, pair_of(view, move));
    if (!bounded.empty()) return bounded;
    if (view.is_reversed(move.reversed)) {
        return quoted_number("STATE entry ", move.reversed, " has been reversed already");
    }
    return "";
}

// What a request with a new id comes to; empty when it is booked.
string judge_move(const View& view, const Ask& ask, const Move& move) {
    if (is_of_order(move)) return judge_order_move(view, ask, move);
    string refusal = judge_right(view, ask, move);
    if (!refusal.empty()) return refusal;
    const Pair pair = pair_of(view, move);
    refusal = move.operation == "reverse" ? judge_reversed(view, ask, move)
                                          : judge_bounds(view, ask, move, pair);
    if (!refusal.empty()) return refusal;
    if (move.operation == "capture" || move.operation == "void") {
        refusal = judge_end_of_hold(view, move);
        return refusal.empty() && counts_for_day(move) ? judge_day(view, ask, pair) : refusal;
    }
    const Oracle::Rules* debit = view.rules(pair.debit);
    const Oracle::Rules* credit = view.rules(pair.credit);
    if (debit == nullptr || credit == nullptr) {
        return "NOACCT no account '" + (credit == nullptr ? pair.credit : pair.debit) + "'";
    }
    if (pair.debit == pair.credit) return "ERR the account cannot pay itself";
    if (debit->closed || credit->closed) return "CLOSED the account is closed";
    refusal = judge_payer(view, pair, *debit);
    if (!refusal.empty() || move.operation == "hold") return refusal;
    refusal = judge_payee(view, pair, *credit);
    return refusal.empty() && counts_for_day(move) ? judge_day(view, ask, pair) : refusal;
}

// Books a request that was judged fine. Returns what the answer must say, but for its entry.
Booked apply_move(View& view, const Ask& ask, const Move& move, uint64_t hold_number) {
    if (is_of_order(move)) return apply_order_move(view, ask, move, hold_number);
    const Pair pair = pair_of(view, move);
    Oracle::Point debit = view.point(pair.debit);
    Oracle::Point credit = view.point(pair.credit);
    Booked booked;
    if (move.operation == "hold") {
        debit.held += pair.amount;
        view.opened[hold_number] = {pair.debit, pair.credit, pair.amount, 0, view.at, 0, false};
        booked.hold = hold_number;
    } else if (move.operation == "capture" || move.operation == "void") {
        debit.held -= view.open_hold(move.hold)->amount;
        view.ended.insert(move.hold);
        booked.hold = move.hold;
    }
    if (move.operation != "hold" && move.operation != "void") {
        debit.balance -= pair.amount;
        credit.balance += pair.amount;
    }
    view.moved[pair.debit] = debit;
    view.moved[pair.credit] = credit;
    if (counts_for_day(move)) view.moved_today[ask.terminal] += pair.amount;
    bool about_credit = move.operation == "deposit" || move.operation == "capture" ||
                        move.operation == "void";
    if (move.operation == "reverse") {
        view.reversed.insert(move.reversed);
        about_credit = pair.credit != "cash";
        booked.account = about_credit ? pair.credit : pair.debit;
    }
    booked.balance = about_credit ? credit.balance : debit.balance;
    return booked;
}

// What an ask comes to in a view: empty when all of it is booked.
string judge_ask(View view, const Ask& ask) {
    if (!ask.is_group) return judge_move(view, ask, ask.moves[0]);
    for (size_t i = 0; i < ask.moves.size(); i++) {
        const string refusal = judge_move(view, ask, ask.moves[i]);
        if (!refusal.empty()) return "EXECABORT " + std::to_string(i + 1) + " " + refusal;
        apply_move(view, ask, ask.moves[i], UINT64_MAX - i);  // Nobody can know its number yet.
        view.before++;
    }
    return "";
}

}  // namespace

// --- One judgement ------------------------------------------------------------------------------

bool Judge::collect_answers() {
    for (const Ask& ask : oracle.asks) {
        if (!ask.refusal.empty()) continue;
        if (ask.booked.size() != ask.moves.size()) return fail("an answer has no figures");
        for (size_t i = 0; i < ask.booked.size(); i++) {
            const uint64_t entry = ask.booked[i].entry;
            if (i > 0 && entry != ask.booked[0].entry + i) {
                return fail_at(entry, "a group does not stand together");
            }
            if (entry <= oracle.judged || entry > seen.head) {
                return fail_at(entry, "answered, but not in the book since the last quiet point");
            }
            Event event;
            event.ask = &ask;
            event.index = i;
            if (!events.emplace(entry, event).second) {
                return fail_at(entry, "the answer to two requests, the ids " +
                                          events[entry].ask->moves[0].id + " and " +
                                          ask.moves[i].id);
            }
        }
    }
    return true;
}

// A line that nothing answered for may be of a request whose id the server chose.
bool Judge::adopt(const string& account, const StatementLine& line) {
    for (const Ask& ask : oracle.maybe) {
        const Move& move = ask.moves[0];
        if (move.memo != line.memo || move.operation != line.operation) continue;
        if (account != move.debit && account != move.credit) continue;
        Event event;
        event.ask = &ask;
        event.answered = false;
        for (const auto& [entry, other] : events) {
            if (other.ask == &ask) return false;  // Once only.
        }
        events.emplace(line.entry, event);
        return true;
    }
    return false;
}

bool Judge::collect_lines() {
    for (const auto& [account, lines] : seen.lines) {
        uint64_t entry_above = UINT64_MAX;
        for (const StatementLine& line : lines) {
            if (line.entry >= entry_above) return fail(account + ": lines are not in order");
            entry_above = line.entry;
            if (line.entry <= oracle.judged) {
                return fail_at(line.entry, "in a statement now, but not before");
            }
            if (events.count(line.entry) == 0 && line.operation == "release") {
                Event event;
                event.hold = line.hold;
                events.emplace(line.entry, event);
            }
            if (events.count(line.entry) == 0 && !adopt(account, line)) {
                return fail_at(line.entry, "a " + line.operation + " of " +
                                               oracle_amount(line.amount) + " between " + account +
                                               " and " + line.other + ", memo '" + line.memo +
                                               "', that nobody was answered about");
            }
            events[line.entry].lines.emplace_back(account, line);
        }
    }
    return true;
}

void Judge::order() {
    for (const auto& [entry, event] : events) {
        if (event.ask == nullptr) continue;
        if (event.answered) answered.emplace_back(event.ask->answered, entry);
        sent.emplace_back(event.ask->sent, entry);
    }
    std::sort(answered.begin(), answered.end());
    std::sort(sent.begin(), sent.end());
    for (size_t i = 1; i < answered.size(); i++) {
        answered[i].second = std::max(answered[i].second, answered[i - 1].second);
    }
    for (size_t i = sent.size(); i-- > 1;) {
        sent[i - 1].second = std::min(sent[i - 1].second, sent[i].second);
    }
    oracle.stages.resize(1);
    for (const Change& change : oracle.changes) {
        change_low.push_back(low(change.sent));
        change_high.push_back(high(change.answered));
        map<string, Oracle::Rules> next = oracle.stages.back();
        Oracle::Rules& rules = next[change.account];
        if (change.kind == Change::Kind::open) {
            rules = {change.owner, 0, oracle_unbounded, false};
        }
        if (change.kind == Change::Kind::limit) {
            rules.floor = change.floor;
            rules.ceiling = change.ceiling;
        }
        const bool closes =
            change.kind == Change::Kind::close || change.kind == Change::Kind::remove;
        if (closes) rules.closed = true;
        oracle.stages.push_back(next);
    }
    // They were made one after the other.
    for (size_t i = change_high.size(); i-- > 1;) {
        change_high[i - 1] = std::min(change_high[i - 1], change_high[i]);
    }
    oracle.orders.place_changes([this](uint64_t tick) { return low(tick); },
                                [this](uint64_t tick) { return high(tick); });
}

bool Judge::check_lines(uint64_t entry, const Event& event, const string& operation,
                        const Pair& pair, const Move* move, uint64_t hold, bool joins) {
    std::set<string> wanted = {pair.debit};
    if (joins) wanted.insert(pair.credit);
    const bool moves_money = operation != "hold" && operation != "void" && operation != "release";
    uint64_t time_ms = 0;
    for (const auto& [account, line] : event.lines) {
        const string where = " in the statement of " + account;
        if (wanted.erase(account) == 0) return fail_at(entry, "stands" + where);
        const bool gave = account == pair.debit;
        const int64_t amount = moves_money ? pair.amount : 0;
        if (line.operation != operation) return fail_at(entry, "is a " + line.operation + where);
        if (line.amount != (gave ? -amount : amount)) {
            return fail_at(entry, "moved " + oracle_amount(line.amount) + where + ", not " +
                                      oracle_amount(gave ? -amount : amount));
        }
        const int64_t balance = oracle.accounts[account].points.back().balance;
        if (line.balance != balance) {
            return fail_at(entry, "left " + oracle_amount(line.balance) + where + ", not " +
                                      oracle_amount(balance));
        }
        if (line.other != (gave ? pair.credit : pair.debit)) {
            return fail_at(entry, "names " + line.other + where);
        }
        if (line.order == 0 && move != nullptr && is_of_order(*move)) {
            return fail_at(entry, "is of no order" + where);
        }
        if (line.hold != hold) return fail_at(entry, "names another hold" + where);
        if (line.reversed != (move == nullptr ? 0 : move->reversed)) {
            return fail_at(entry, "reverses another entry" + where);
        }
        if (line.memo != (move == nullptr ? "" : move->memo)) {
            return fail_at(entry, "has another memo" + where);
        }
        if (line.time_ms < oracle.time_ms) return fail_at(entry, "is older than those before it");
        time_ms = line.time_ms;
    }
    if (!wanted.empty()) {
        return fail_at(entry, "is missing in the statement of " + *wanted.begin());
    }
    oracle.time_ms = time_ms;
    oracle.times_ms.emplace_back(entry, time_ms);
    return true;
}

// O5. What has expired on an account by an entry's time was released before it.
bool Judge::check_expired(uint64_t entry, const Pair& pair) {
    for (const auto& [number, hold] : oracle.holds) {
        if (hold.ended != 0 || hold.opened >= entry) continue;
        if (hold.debit != pair.debit && hold.debit != pair.credit) continue;
        if (hold.expiry_ms <= oracle.time_ms) {
            return fail_at(entry, quoted_number("was booked while hold ", number,
                                                ", which had expired, was still open"));
        }
    }
    return true;
}

void Judge::put_points(uint64_t entry, const View& view) {
    for (const auto& [account, point] : view.moved) {
        oracle.accounts[account].points.push_back({entry, point.balance, point.held});
    }
}

bool Judge::walk_release(uint64_t entry, Event& event) {
    const auto found = oracle.holds.find(event.hold);
    if (found == oracle.holds.end() || found->second.ended != 0) {
        return fail_at(entry, quoted_number("releases hold ", event.hold, ", which is not open"));
    }
    Oracle::Hold& hold = found->second;
    View view = {oracle, entry - 1, oracle.stages.size() - 1};
    Oracle::Point point = view.point(hold.debit);
    point.held -= hold.amount;
    view.moved[hold.debit] = point;
    put_points(entry, view);
    hold.ended = entry;
    hold.released = true;
    const Pair pair = {hold.debit, hold.credit, hold.amount};
    if (!check_lines(entry, event, "release", pair, nullptr, event.hold, false)) return false;
    if (oracle.time_ms < hold.expiry_ms) {
        return fail_at(entry, quoted_number("releases hold ", event.hold, " before its time"));
    }
    oracle.releases++;
    oracle.done[entry] = {"release", hold.debit, hold.credit, hold.amount, "", 0};
    return true;
}

uint64_t Judge::day_of(uint64_t entry) const {
    uint64_t time_ms = 0;
    for (const auto& [seen_entry, seen_ms] : oracle.times_ms) {
        if (seen_entry <= entry) time_ms = seen_ms;
    }
    return time_ms / day_ms;
}

bool Judge::check_answer(uint64_t entry, const Event& event, const Booked& right) {
    if (!event.answered) return true;
    const Booked& said = event.ask->booked[event.index];
    const string id = event.ask->moves[event.index].id;
    if (said.balance != right.balance) {
        return fail_at(entry, "the answer to " + id + " says balance " +
                                  oracle_amount(said.balance) + ", not " +
                                  oracle_amount(right.balance));
    }
    if (said.hold != right.hold) return fail_at(entry, "the answer to " + id + " has another hold");
    const bool same_order = said.order == right.order && said.item == right.item &&
                            said.quantity == right.quantity && said.price == right.price;
    if (!same_order) return fail_at(entry, "the answer to " + id + " has another order");
    if (said.account != right.account) {
        return fail_at(entry, "the answer to " + id + " names account '" + said.account + "'");
    }
    if (event.index == 0 && entry <= low(event.ask->sent)) {
        return fail_at(entry, "was asked for after a later entry had been answered");
    }
    return true;
}

bool Judge::walk_move(uint64_t entry, Event& event) {
    const Ask& ask = *event.ask;
    const Move& move = ask.moves[event.index];
    const size_t last = stage_max(entry - 1);
    string refusal;
    const uint64_t day =
        (event.lines.empty() ? oracle.time_ms : event.lines[0].second.time_ms) / day_ms;
    for (size_t stage = stage_min(entry - 1); stage <= last; stage++) {
        View view = {oracle, entry - 1, stage};
        view.day = day;
        refusal = judge_move(view, ask, move);
        if (refusal.empty()) break;
    }
    if (!refusal.empty()) {
        return fail_at(entry, "booked " + move.id + ", a " + move.operation + " of " + ask.person +
                                  ", that should have been refused: " + refusal);
    }
    View view = {oracle, entry - 1, last};
    const Pair pair = pair_of(view, move);
    const uint64_t number = oracle.holds.empty() ? 1 : oracle.holds.rbegin()->first + 1;
    view.day = day;
    const int64_t total = view.total_today(ask.terminal);
    const Booked right = apply_move(view, ask, move, number);
    if (counts_for_day(move)) {
        oracle.days[ask.terminal].push_back({entry, day, total + pair.amount});
    }
    put_points(entry, view);
    const bool joins = move.operation != "hold" && move.operation != "void";
    if (!check_answer(entry, event, right)) return false;
    if (!check_lines(entry, event, move.operation, pair, &move, right.hold, joins)) return false;
    if (move.operation == "hold") {
        const uint64_t expiry_ms = oracle.time_ms + move.expires_s * uint64_t{1000};
        oracle.holds[number] = {pair.debit, pair.credit, pair.amount, expiry_ms, entry, 0, false};
    }
    for (const uint64_t hold : view.ended) oracle.holds[hold].ended = entry;
    for (const uint64_t reversed : view.reversed) oracle.done[reversed].reversed_by = entry;
    oracle.done[entry] = {move.operation, pair.debit, pair.credit, pair.amount, ask.terminal, 0};
    oracle.entries++;
    return check_expired(entry, pair);
}

bool Judge::walk() {
    for (auto& [entry, event] : events) {
        const bool of_order = event.ask != nullptr && is_of_order(event.ask->moves[event.index]);
        const bool fine = event.ask == nullptr ? walk_release(entry, event)
                          : of_order           ? walk_order(entry, event)
                                               : walk_move(entry, event);
        if (!fine) return false;
    }
    return true;
}

// Refusals that no state explains, because they are about time.
static bool is_about_time(const Oracle& oracle, const Ask& ask, uint64_t low, uint64_t high) {
    for (const Move& move : ask.moves) {
        if (move.operation == "capture" || move.operation == "void") {
            const string text =
                quoted_number("EXPIRED hold ", move.hold, " has expired and was released");
            const auto hold = oracle.holds.find(move.hold);
            const bool released = hold != oracle.holds.end() && hold->second.released &&
                                  hold->second.ended > low && hold->second.ended <= high;
            const size_t at = ask.refusal.find(text);
            if (released && at != string::npos && at + text.size() == ask.refusal.size()) {
                return true;
            }
        }
        // A till's time to reverse is short, and the clock on the wall jumps.
        if (move.operation == "reverse" && oracle.role_of(ask) == "till" &&
            ask.refusal.compare(0, 16, "NOPERM a till re") == 0) {
            return true;
        }
    }
    return false;
}

bool Judge::refusal(const Ask& ask) {
    const uint64_t lowest = low(ask.sent);
    const uint64_t highest = high(ask.answered);
    string other;
    if (ask.refusal == first_password_text && oracle.people.knows(ask.person)) {  // E4
        for (const Facts& facts : oracle.people.possible(ask.person, ask.sent, ask.answered)) {
            if (facts.first) return true;
        }
    }
    if (is_about_time(oracle, ask, lowest, highest)) return true;
    for (uint64_t at = lowest; at <= highest; at++) {
        const size_t last = stage_max(at);
        const auto worlds = worlds_of(oracle, ask, at);
        for (size_t stage = stage_min(at); stage <= last; stage++) {
            // On the day of the entry before, or on one of which nothing is known yet.
            for (const uint64_t day : {day_of(at), UINT64_MAX}) {
                for (const auto& items : worlds) {
                    View view = {oracle, at, stage};
                    view.day = day;
                    view.items = items;
                    const string right = judge_ask(view, ask);
                    if (right == ask.refusal) return true;
                    other = right;
                }
            }
        }
    }
    const Move& first = ask.moves[0];
    return fail("id " + first.id + " of " + ask.person + ", a " + first.operation + " of " +
                oracle_amount(first.amount) + " from '" + first.debit + "' to '" + first.credit +
                "', was refused with '" + ask.refusal + "' between entries " +
                std::to_string(lowest) + " and " + std::to_string(highest) + "; it should be '" +
                other + "'");
}

bool Judge::refusals() {
    for (const Ask& ask : oracle.asks) {
        if (!ask.refusal.empty() && !refusal(ask)) return false;
    }
    return true;
}

bool Judge::balances() {
    for (const Shown& shown : oracle.shown) {
        const uint64_t lowest = low(shown.sent);
        const uint64_t highest = high(shown.answered);
        bool right = false;
        for (uint64_t at = lowest; at <= highest && !right; at++) {
            const View view = {oracle, at, 0};
            right = view.point(shown.account).balance == shown.balance;
        }
        if (!right) {
            return fail("the balance of " + shown.account + " was shown as " +
                        oracle_amount(shown.balance) + ", which it never was between entries " +
                        std::to_string(lowest) + " and " + std::to_string(highest));
        }
    }
    return true;
}

// Holds that would pay to the account; they keep its owner from being removed.
static bool is_awaited(const Oracle& oracle, const string& account, uint64_t at) {
    for (const auto& [number, hold] : oracle.holds) {
        const bool open = hold.opened <= at && (hold.ended == 0 || hold.ended > at);
        if (open && hold.credit == account) return true;
    }
    return false;
}

// An account is closed when it is empty, and only then; and so is a person removed.
bool Judge::closes() {
    for (size_t i = 0; i < oracle.changes.size(); i++) {
        const Change& change = oracle.changes[i];
        const bool removes = change.kind == Change::Kind::remove ||
                             change.kind == Change::Kind::remove_refused;
        const bool refused = change.kind == Change::Kind::close_refused ||
                             change.kind == Change::Kind::remove_refused;
        if (!refused && !removes && change.kind != Change::Kind::close) continue;
        bool right = false;
        for (uint64_t at = low(change.sent); at <= high(change.answered) && !right; at++) {
            const Oracle::Point point = View{oracle, at, 0}.point(change.account);
            const bool empty = point.balance == 0 && point.held == 0 &&
                               !(removes && is_awaited(oracle, change.account, at));
            right = empty != refused;
        }
        if (!right) {
            return fail(change.account + (refused ? " was not closed although it was empty"
                                                  : " was closed although it was not empty"));
        }
    }
    return true;
}

// Every entry of the book is one of those that were asked for.
bool Judge::count() {
    const uint64_t made = seen.head - oracle.judged;
    const uint64_t least = events.size() + seen.refused;
    if (made < least || made > least + seen.others_max) {
        return fail("the book has " + std::to_string(made) + " new entries; there were " +
                    std::to_string(events.size()) + " bookings, " +
                    std::to_string(seen.refused) + " refusals and at most " +
                    std::to_string(seen.others_max) + " others");
    }
    return true;
}

bool Judge::shop() {
    return oracle.orders.judge_rises(why) &&
           (!seen.has_shop ||
            oracle.orders.judge_lists(seen.items, seen.orders, seen.head, why));
}

bool Judge::accounts() {
    const map<string, Oracle::Rules>& rules = oracle.stages.back();
    int64_t sum = 0;
    if (seen.accounts.size() != rules.size()) {
        return fail("there are " + std::to_string(seen.accounts.size()) + " accounts, not " +
                    std::to_string(rules.size()));
    }
    for (const Listed& listed : seen.accounts) {
        const auto found = rules.find(listed.account);
        if (found == rules.end()) return fail("nobody opened the account " + listed.account);
        const View view = {oracle, seen.head, oracle.stages.size() - 1};
        const Oracle::Point point = view.point(listed.account);
        const string where = listed.account + ": ";
        if (listed.balance != point.balance) {
            return fail(where + "the balance is " + oracle_amount(listed.balance) + ", not " +
                        oracle_amount(point.balance));
        }
        if (listed.held != point.held) {
            return fail(where + oracle_amount(listed.held) + " is held, not " +
                        oracle_amount(point.held));
        }
        if (listed.floor != found->second.floor || listed.ceiling != found->second.ceiling) {
            return fail(where + "has other bounds");
        }
        if (listed.owner != found->second.owner) return fail(where + "belongs to " + listed.owner);
        if (listed.closed != found->second.closed) return fail(where + "is open, or is not");
        sum += listed.balance;
    }
    return sum == 0 || fail("the balances add up to " + oracle_amount(sum));
}

string judge_role(const View& view, const Ask& ask, const Move& move) {
    const string role = view.oracle.role_of(ask);
    if (!bounds_take(view.oracle.bounds_of(ask.terminal), role)) return kept_out_text;
    return role_has(role, command_of(move)) ? "" : not_your_role_text;
}

string judge_payer(const View& view, const Pair& pair, const Oracle::Rules& debit) {
    const Oracle::Point payer = view.point(pair.debit);
    if (payer.balance - payer.held - pair.amount >= debit.floor) return "";
    // A group that is refused has moved nothing, so that is what the sentence shows.
    return "FUNDS the balance is " + oracle_amount(view.point_in_book(pair.debit).balance) +
           ", not enough for " + oracle_amount(pair.amount);
}

string judge_payee(const View& view, const Pair& pair, const Oracle::Rules& credit) {
    if (view.point(pair.credit).balance + pair.amount <= credit.ceiling) return "";
    return "LIMIT the account cannot take " + oracle_amount(pair.amount) + " more";
}

string judge_day(const View& view, const Ask& ask, const Pair& pair) {
    const Bounds& bounds = view.oracle.bounds_of(ask.terminal);
    if (bounds.day_max == bound_none) return "";
    if (view.total_today(ask.terminal) + pair.amount <= bounds.day_max) return "";
    return "LIMIT this terminal cannot move " + oracle_amount(pair.amount) + " more today";
}

string oracle_amount(int64_t minor) {
    const uint64_t size = minor < 0 ? 0 - static_cast<uint64_t>(minor)
                                    : static_cast<uint64_t>(minor);
    string cents = std::to_string(size % 100);
    if (cents.size() < 2) cents.insert(0, "0");
    return (minor < 0 ? "-" : "") + std::to_string(size / 100) + "." + cents;
}

bool oracle_minor(const string& text, int64_t& out) {
    const bool negative = !text.empty() && text[0] == '-';
    const size_t point = text.find('.');
    const size_t start = negative ? 1 : 0;
    if (point == string::npos || point == start || text.size() != point + 3) return false;
    int64_t value = 0;
    for (size_t i = start; i < text.size(); i++) {
        if (i == point) continue;
        if (text[i] < '0' || text[i] > '9' || value > INT64_MAX / 10 - 10) return false;
        value = value * 10 + (text[i] - '0');
    }
    out = negative ? -value : value;
    return true;
}

void Oracle::open(const string& account, const string& owner, int64_t floor, int64_t ceiling) {
    accounts[account].points.push_back({0, 0, 0});
    if (stages.empty()) stages.emplace_back();
    stages[0][account] = {owner, floor, ceiling, false};
}

string Oracle::role_of(const Ask& ask) const {
    return people.knows(ask.person) ? facts_of(ask).role : roles.at(ask.person);
}

Facts Oracle::facts_of(const Ask& ask) const {
    return people.knows(ask.person) ? people.at(ask.person, ask.sent) : Facts{};
}

const Bounds& Oracle::bounds_of(const string& terminal) const {
    static const Bounds none;
    const auto found = bounds.find(terminal);
    return found == bounds.end() ? none : found->second;
}

int64_t Oracle::balance_of(const string& account) const {
    const auto found = accounts.find(account);
    return found == accounts.end() ? 0 : found->second.points.back().balance;
}

bool Oracle::judge(const Seen& seen, string& why) {
    Judge judge = {*this, seen, why};
    if (!judge.collect_answers() || !judge.collect_lines()) return false;
    judge.order();
    for (const Change& change : changes) {
        if (change.kind == Change::Kind::open && accounts[change.account].points.empty()) {
            accounts[change.account].points.push_back({0, 0, 0});
        }
    }
    if (!judge.walk() || !judge.refusals() || !judge.balances() || !judge.closes() ||
        !judge.count() || !judge.accounts() || !judge.shop()) {
        return false;
    }
    for (auto& [name, account] : accounts) account.points = {account.points.back()};
    stages = {stages.back()};
    for (auto& [name, points] : days) {
        if (!points.empty()) points = {points.back()};
    }
    if (!times_ms.empty()) times_ms = {times_ms.back()};
    asks.clear();
    maybe.clear();
    changes.clear();
    shown.clear();
    judged = seen.head;
    return true;
}

}  // namespace sim

#include "access/penalties.h"

#include <string.h>

#include "access/penalties_parts.h"
#include "base/check.h"

namespace {

constexpr uint64_t day_ms = 86'400'000;

struct Key {
    uint8_t bytes[penalty_key_size];
};

Key key_of_source(const NetAddress& source) {
    Key key = {};
    memcpy(key.bytes, source.bytes, net_address_size);
    return key;
}

Key key_of_terminal(const Name& name) {
    Key key = {};
    memcpy(key.bytes, name.text, name.size);
    return key;
}

Key key_of_stranger(uint64_t print) {
    Key key = {};
    Writer out = writer_of(key.bytes, sizeof key.bytes);
    put_u64(out, print);
    return key;
}

Key key_of_pair(uint32_t person, const Name& terminal) {
    Key key = {};
    Writer out = writer_of(key.bytes, sizeof key.bytes);
    put_u32(out, person);
    put_u8(out, terminal.size);
    put_bytes(out, name_slice(terminal));
    return key;
}

uint64_t hash_of_key(const Penalties& penalties, const uint8_t* key) {
    return siphash(penalties.key, {key, penalty_key_size});
}

void table_of_rows(PenaltyTable& table, Arena& arena, const char* name, uint32_t count) {
    table.count = count;
    table.rows = arena_array<PenaltyRow>(arena, name, count);
    table_layout(table.index, arena, "  index", count);
}

void clear(PenaltyTable& table) {
    memset(table.rows, 0, table.used * sizeof(PenaltyRow));
    table.used = 0;
    table_clear(table.index);
}

// The row, or nullptr.
PenaltyRow* find(const Penalties& penalties, const PenaltyTable& table, const Key& key) {
    TableCursor at = table_find(table.index, hash_of_key(penalties, key.bytes));
    for (uint32_t i = 0; table_next(table.index, at, i);) {
        if (memcmp(table.rows[i].key, key.bytes, penalty_key_size) == 0) return &table.rows[i];
    }
    return nullptr;
}

// Which of two rows is to go first (G4).
bool is_less_guilty(const PenaltyRow& a, const PenaltyRow& b, bool by_login) {
    if (by_login) return a.login_ms < b.login_ms;
    if (a.guilt.points != b.guilt.points) return a.guilt.points < b.guilt.points;
    return a.guilt.since_ms < b.guilt.since_ms;
}

PenaltyRow& give_up(Penalties& penalties, PenaltyTable& table, uint64_t now_ms, bool by_login) {
    uint32_t least = 0;
    for (uint32_t i = 0; i < table.used; i++) {
        guilt_settle(table.rows[i].guilt, now_ms, penalties.rules);
        if (is_less_guilty(table.rows[i], table.rows[least], by_login)) least = i;
    }
    table_remove(table.index, hash_of_key(penalties, table.rows[least].key), least);
    return table.rows[least];
}

// The row, which is made where there is none.
PenaltyRow& need(Penalties& penalties, PenaltyTable& table, const Key& key, uint64_t now_ms) {
    PenaltyRow* found = find(penalties, table, key);
    if (found != nullptr) return *found;
    const bool by_login = &table == &penalties.pairs;
    PenaltyRow& row = table.used < table.count ? table.rows[table.used++]
                                               : give_up(penalties, table, now_ms, by_login);
    row = {};
    memcpy(row.key, key.bytes, penalty_key_size);
    table_put(table.index, hash_of_key(penalties, key.bytes),
              static_cast<uint32_t>(&row - table.rows));
    return row;
}

uint64_t wait_of(uint32_t points, const PenaltyScale& scale, uint64_t first_ms) {
    if (points <= scale.free) return 0;
    uint64_t wait_ms = first_ms;
    for (uint32_t i = scale.free + 1; i < points && wait_ms < scale.ms_max; i++) wait_ms *= 2;
    return wait_ms < scale.ms_max ? wait_ms : scale.ms_max;
}

void add_point(Guilt& guilt, const PenaltyRules& rules, const PenaltyScale& scale,
               uint64_t now_ms) {
    guilt_settle(guilt, now_ms, rules);
    if (guilt.points < guilt_points_max(rules, scale)) guilt.points++;
    const uint64_t wait_ms = wait_of(guilt.points, scale, rules.first_ms);
    if (wait_ms > 0 && guilt.until_ms < now_ms + wait_ms) guilt.until_ms = now_ms + wait_ms;
}

bool waits(const PenaltyRow* row, uint64_t now_ms) {
    return row != nullptr && now_ms < row->guilt.until_ms;
}

// The pair of an attempt while it is familiar (G3); nullptr otherwise. A clock that was set back
// makes nobody a stranger.
PenaltyRow* find_familiar(const Penalties& penalties, const Attempt& attempt, uint64_t wall_ms) {
    if (attempt.person == row_none) return nullptr;
    PenaltyRow* pair =
        find(penalties, penalties.pairs, key_of_pair(attempt.person, attempt.terminal));
    if (pair == nullptr) return nullptr;
    const bool is_old = wall_ms > pair->login_ms &&
                        wall_ms - pair->login_ms > penalty_familiar_days * day_ms;
    return is_old ? nullptr : pair;
}

uint32_t count_waiting(const PenaltyTable& table, uint64_t now_ms) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < table.used; i++) count += waits(&table.rows[i], now_ms) ? 1 : 0;
    return count;
}

}  // namespace

uint32_t guilt_points_max(const PenaltyRules& rules, const PenaltyScale& scale) {
    uint32_t points = scale.free + 1;
    for (uint64_t wait_ms = rules.first_ms; wait_ms < scale.ms_max; wait_ms *= 2) points++;
    return points;
}

void guilt_settle(Guilt& guilt, uint64_t now_ms, const PenaltyRules& rules) {
    if (guilt.points == 0 || now_ms < guilt.since_ms) {
        guilt.since_ms = now_ms;
        return;
    }
    const uint64_t lives = (now_ms - guilt.since_ms) / rules.half_life_ms;
    guilt.points = lives < 32 ? guilt.points >> lives : 0;
    guilt.since_ms += lives * rules.half_life_ms;
}

PenaltyRow& penalty_pair(Penalties& penalties, uint32_t person, const Name& terminal) {
    return need(penalties, penalties.pairs, key_of_pair(person, terminal), 0);
}

void penalty_pair_of(const PenaltyRow& row, uint32_t& person, Name& terminal) {
    Reader reader = reader_of({row.key, penalty_key_size});
    person = get_u32(reader);
    terminal = {};
    terminal.size = get_u8(reader);
    memcpy(terminal.text, get_bytes(reader, terminal.size).data, terminal.size);
}

void penalties_forget_people(Penalties& penalties) {
    for (uint32_t i = 0; i < penalties.people_max; i++) {
        Guilt& guilt = penalties.people[i];
        // Untouched pages of a fresh reservation stay untouched.
        if (guilt.points != 0 || guilt.until_ms != 0) guilt = {};
    }
    clear(penalties.pairs);
}

void penalties_layout(Penalties& penalties, Arena& arena, const PenaltyLimits& limits) {
    penalties.people_max = limits.people;
    penalties.people = arena_array<Guilt>(arena, "penalties of people", limits.people);
    table_of_rows(penalties.sources, arena, "penalties of sources", limits.sources);
    table_of_rows(penalties.terminals, arena, "penalties of terminals", limits.terminals);
    table_of_rows(penalties.strangers, arena, "penalties of strangers", limits.sources);
    table_of_rows(penalties.pairs, arena, "familiar pairs", limits.pairs);
}

void penalties_init(Penalties& penalties, const PenaltyRules& rules, const uint8_t key[16]) {
    CHECK(rules.first_ms > 0 && rules.half_life_ms > 0);
    penalties.rules = rules;
    penalties.changes = 0;
    memcpy(penalties.key, key, sizeof penalties.key);
    clear(penalties.sources);
    clear(penalties.terminals);
    clear(penalties.strangers);
    penalties_forget_people(penalties);
}

uint64_t penalties_print(const Penalties& penalties, Slice name) {
    return siphash(penalties.key, name);
}

Status penalties_judge(const Penalties& penalties, const Attempt& attempt, uint64_t now_ms,
                       uint64_t wall_ms) {
    const Key terminal = key_of_terminal(attempt.terminal);
    if (waits(find(penalties, penalties.terminals, terminal), now_ms)) return Status::busy;
    const PenaltyRow* pair = find_familiar(penalties, attempt, wall_ms);
    if (pair != nullptr) return waits(pair, now_ms) ? Status::busy : Status::ok;  // G3
    if (attempt.person == row_none) {
        const Key stranger = key_of_stranger(attempt.stranger);
        if (waits(find(penalties, penalties.strangers, stranger), now_ms)) return Status::busy;
    } else {
        CHECK(attempt.person < penalties.people_max);
        if (now_ms < penalties.people[attempt.person].until_ms) return Status::busy;
    }
    if (attempt.is_exempt) return Status::ok;  // G6
    const Key source = key_of_source(attempt.source);
    return waits(find(penalties, penalties.sources, source), now_ms) ? Status::busy : Status::ok;
}

void penalties_fail(Penalties& penalties, const Attempt& attempt, uint64_t now_ms,
                    uint64_t wall_ms) {
    const PenaltyRules& rules = penalties.rules;
    const Key terminal = key_of_terminal(attempt.terminal);
    add_point(need(penalties, penalties.terminals, terminal, now_ms).guilt, rules, rules.shared,
              now_ms);
    if (!attempt.is_exempt) {
        const Key source = key_of_source(attempt.source);
        add_point(need(penalties, penalties.sources, source, now_ms).guilt, rules, rules.shared,
                  now_ms);
    }
    if (attempt.person == row_none) {
        const Key stranger = key_of_stranger(attempt.stranger);
        add_point(need(penalties, penalties.strangers, stranger, now_ms).guilt, rules, rules.own,
                  now_ms);
        return;
    }
    CHECK(attempt.person < penalties.people_max);
    add_point(penalties.people[attempt.person], rules, rules.own, now_ms);
    PenaltyRow* pair = find_familiar(penalties, attempt, wall_ms);
    if (pair != nullptr) add_point(pair->guilt, rules, rules.own, now_ms);
    penalties.changes++;
}

void penalties_succeed(Penalties& penalties, const Attempt& attempt, uint64_t wall_ms) {
    CHECK(attempt.person < penalties.people_max);
    PenaltyRow& pair = penalty_pair(penalties, attempt.person, attempt.terminal);
    // A day more or less matters to nobody, and the text need not be written for it.
    const bool is_same_day = pair.login_ms != 0 && wall_ms >= pair.login_ms &&
                             wall_ms - pair.login_ms < day_ms;
    if (pair.guilt.points == 0 && is_same_day) return;
    pair.guilt = {};
    pair.login_ms = wall_ms > 0 ? wall_ms : 1;
    penalties.changes++;
}

bool penalties_may_tell(Penalties& penalties, const NetAddress& source, PenaltyNews news,
                        uint64_t now_ms, uint64_t every_ms) {
    const Key key = key_of_source(source);
    PenaltyRow* known = find(penalties, penalties.sources, key);
    const uint32_t which = static_cast<uint32_t>(news);
    const uint64_t told_ms = known == nullptr ? 0 : known->told_ms[which];
    if (told_ms != 0 && now_ms - told_ms < every_ms) return false;
    need(penalties, penalties.sources, key, now_ms).told_ms[which] = now_ms > 0 ? now_ms : 1;
    return true;
}

uint32_t penalties_in_force(const Penalties& penalties, uint64_t now_ms) {
    uint32_t count = count_waiting(penalties.sources, now_ms) +
                     count_waiting(penalties.terminals, now_ms) +
                     count_waiting(penalties.strangers, now_ms) +
                     count_waiting(penalties.pairs, now_ms);
    for (uint32_t i = 0; i < penalties.people_max; i++) {
        count += now_ms < penalties.people[i].until_ms ? 1 : 0;
    }
    return count;
}

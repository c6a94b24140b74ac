// What survives a restart, as text: points of people, and pairs with their logins.

#include <string.h>

#include "access/penalties_parts.h"
#include "base/check.h"
#include "base/lines.h"

namespace {

constexpr const char* version_word = "pennybank-penalties";

// --- Out ------------------------------------------------------------------------------------

void put_field(Writer& out, uint64_t value) {
    put_u8(out, ' ');
    put_decimal(out, value);
}

void put_name(Writer& out, const Name& name) {
    put_u8(out, ' ');
    put_bytes(out, name_slice(name));
}

// POINTS AGE WAIT, settled before.
void put_guilt(Writer& out, const Guilt& guilt, uint64_t now_ms) {
    put_field(out, guilt.points);
    put_field(out, guilt.points == 0 ? 0 : now_ms - guilt.since_ms);
    put_field(out, guilt.until_ms > now_ms ? guilt.until_ms - now_ms : 0);
    put_u8(out, '\n');
}

Guilt settled(const Guilt& guilt, uint64_t now_ms, const PenaltyRules& rules) {
    Guilt now = guilt;
    guilt_settle(now, now_ms, rules);
    return now;
}

void put_person(Writer& out, const Penalties& penalties, const Ledger& ledger, uint32_t row,
                uint64_t now_ms) {
    const Guilt guilt = settled(penalties.people[row], now_ms, penalties.rules);
    if (guilt.points == 0 && guilt.until_ms <= now_ms) return;
    put_text(out, "person");
    put_name(out, ledger.people[row].name);
    put_guilt(out, guilt, now_ms);
}

void put_pair(Writer& out, const Penalties& penalties, const Ledger& ledger, uint32_t index,
              uint64_t now_ms) {
    const PenaltyRow& row = penalties.pairs.rows[index];
    uint32_t person = 0;
    Name terminal;
    penalty_pair_of(row, person, terminal);
    CHECK(person < ledger.people_installed);
    put_text(out, "pair");
    put_name(out, ledger.people[person].name);
    put_name(out, terminal);
    put_field(out, row.login_ms);
    put_guilt(out, settled(row.guilt, now_ms, penalties.rules), now_ms);
}

// --- In -------------------------------------------------------------------------------------

Status take_name(Reader& line, Name& out) {
    Slice word;
    if (cut_word(line, ' ', word) != Status::ok) return Status::damaged;
    return parse_name(word, out) == Status::ok ? Status::ok : Status::damaged;
}

// Points, age and wait, cut to what the rules allow now, and without the time since they were
// written.
Status take_guilt(Reader& line, const Penalties& penalties, const PenaltiesLoad& load, Guilt& out) {
    const PenaltyRules& rules = penalties.rules;
    uint64_t points = 0;
    uint64_t age_ms = 0;
    uint64_t wait_ms = 0;
    if (take_number(line, UINT32_MAX, points) != Status::ok ||
        take_number(line, UINT32_MAX, age_ms) != Status::ok ||
        take_number(line, UINT32_MAX, wait_ms) != Status::ok || take_end(line) != Status::ok) {
        return Status::damaged;
    }
    const uint32_t points_max = guilt_points_max(rules, rules.own);
    if (wait_ms > rules.own.ms_max) wait_ms = rules.own.ms_max;
    out.points = points < points_max ? static_cast<uint32_t>(points) : points_max;
    out.until_ms = wait_ms > load.away_ms ? load.now_ms + wait_ms - load.away_ms : 0;
    // As if it had been noted at time `age`, and now were so much later.
    out.since_ms = 0;
    guilt_settle(out, age_ms + load.away_ms, rules);
    const uint64_t rest_ms = age_ms + load.away_ms - out.since_ms;
    out.since_ms = load.now_ms > rest_ms ? load.now_ms - rest_ms : 0;
    return Status::ok;
}

Status take_person(Penalties& penalties, PenaltiesLoad& load, const Ledger& ledger, Reader& line) {
    Name name;
    Guilt guilt;
    if (take_name(line, name) != Status::ok ||
        take_guilt(line, penalties, load, guilt) != Status::ok) {
        return Status::damaged;
    }
    const uint32_t row = ledger_find_person(ledger, name);
    if (row == row_none || row >= ledger.people_installed) return Status::ok;
    CHECK(row < penalties.people_max);
    penalties.people[row] = guilt;
    return Status::ok;
}

Status take_pair(Penalties& penalties, PenaltiesLoad& load, const Ledger& ledger, Reader& line) {
    Name name;
    Name terminal;
    uint64_t login_ms = 0;
    Guilt guilt;
    if (take_name(line, name) != Status::ok || take_name(line, terminal) != Status::ok ||
        take_number(line, UINT64_MAX, login_ms) != Status::ok || login_ms == 0 ||
        take_guilt(line, penalties, load, guilt) != Status::ok) {
        return Status::damaged;
    }
    const uint32_t person = ledger_find_person(ledger, name);
    if (person == row_none || person >= ledger.people_installed) return Status::ok;
    PenaltyRow& row = penalty_pair(penalties, person, terminal);
    row.login_ms = login_ms;
    row.guilt = guilt;
    return Status::ok;
}

Status take_sum(PenaltiesLoad& load, Reader& line) {
    Hash said;
    if (take_hex(line, said.bytes, hash_size) != Status::ok || take_end(line) != Status::ok) {
        return Status::damaged;
    }
    load.ended = true;
    return hash_equal(said, hasher_finish(load.hasher)) ? Status::ok : Status::damaged;
}

// The first two lines say what it is and when it was written.
Status take_head(PenaltiesLoad& load, Slice text) {
    Reader line = reader_of(text);
    uint64_t value = 0;
    const bool is_first = load.line == 1;
    if (take_word(line, is_first ? version_word : "time") != Status::ok ||
        take_number(line, UINT64_MAX, value) != Status::ok || take_end(line) != Status::ok) {
        return Status::damaged;
    }
    if (!is_first) {
        load.away_ms = load.wall_ms > value ? load.wall_ms - value : 0;
        const uint64_t years_ms = UINT64_MAX / 4;  // So that sums fit.
        if (load.away_ms > years_ms) load.away_ms = years_ms;
        return Status::ok;
    }
    if (value > penalties_version) return Status::failed;
    return value == penalties_version ? Status::ok : Status::damaged;
}

Status take_whole_line(Penalties& penalties, PenaltiesLoad& load, const Ledger& ledger) {
    const Slice text = {load.text, load.size};
    if (load.ended || load.line == load.lines_max) return Status::damaged;
    load.line++;
    Reader line = reader_of(text);
    Slice word;
    if (cut_word(line, ' ', word) != Status::ok) return Status::damaged;
    if (load.line > 2 && slice_equal_text(word, "sum")) return take_sum(load, line);
    hasher_feed(load.hasher, text);
    hasher_feed(load.hasher, slice_of("\n"));
    if (load.line <= 2) return take_head(load, text);
    if (slice_equal_text(word, "person")) return take_person(penalties, load, ledger, line);
    if (slice_equal_text(word, "pair")) return take_pair(penalties, load, ledger, line);
    return Status::damaged;
}

}  // namespace

void penalties_save_begin(const Penalties& penalties, PenaltiesSave& save, uint64_t wall_ms,
                          Writer& out) {
    save = {};
    save.active = true;
    save.changes = penalties.changes;
    hasher_init(save.hasher);
    const uint32_t before = out.size;
    put_line_number(out, version_word, penalties_version);
    put_line_number(out, "time", wall_ms);
    CHECK(!out.overflow);
    hasher_feed(save.hasher, slice_part(writer_slice(out), before, out.size - before));
}

void penalties_save_step(const Penalties& penalties, PenaltiesSave& save, const Ledger& ledger,
                         uint64_t now_ms, uint32_t rows_max, Writer& out) {
    CHECK(save.active);
    const uint32_t before = out.size;
    for (uint32_t i = 0; i < rows_max; i++) {
        if (writer_room(out) < penalties_line_size_max) break;
        if (save.person < ledger.people_installed) {
            put_person(out, penalties, ledger, save.person++, now_ms);
        } else if (save.pair < penalties.pairs.used) {
            put_pair(out, penalties, ledger, save.pair++, now_ms);
        } else {
            save.ends = true;
            break;
        }
    }
    hasher_feed(save.hasher, slice_part(writer_slice(out), before, out.size - before));
    if (!save.ends || writer_room(out) < penalties_line_size_max) return;
    const Hash sum = hasher_finish(save.hasher);
    put_line_hex(out, "sum", hash_slice(sum));
    save.active = false;
}

void penalties_load_begin(const Penalties& penalties, PenaltiesLoad& load, uint64_t now_ms,
                          uint64_t wall_ms) {
    load = {};
    load.status = Status::ok;
    load.now_ms = now_ms;
    load.wall_ms = wall_ms;
    load.lines_max = 3ull + penalties.people_max + penalties.pairs.count;
    hasher_init(load.hasher);
}

Status penalties_load_feed(Penalties& penalties, PenaltiesLoad& load, const Ledger& ledger,
                           Slice bytes) {
    for (uint32_t i = 0; i < bytes.size && load.status == Status::ok; i++) {
        if (bytes.data[i] == '\n') {
            load.status = take_whole_line(penalties, load, ledger);
            load.size = 0;
        } else if (load.size == sizeof load.text) {
            load.status = Status::damaged;
        } else {
            load.text[load.size++] = bytes.data[i];
        }
    }
    if (load.status != Status::ok) penalties_forget_people(penalties);
    return load.status;
}

Status penalties_load_end(Penalties& penalties, PenaltiesLoad& load) {
    if (load.status == Status::ok && (!load.ended || load.size > 0)) load.status = Status::damaged;
    if (load.status != Status::ok) penalties_forget_people(penalties);
    return load.status;
}

void penalties_load_drop(Penalties& penalties) { penalties_forget_people(penalties); }

// What a disk does to a book that lies on it: turned bits, lost and stale places, writes that went
// elsewhere, lost segments, syncs that lied, places that cannot be read any more.
//
// What is damaged before the durable mark must be refused by name, with no byte changed; behind it
// the start goes by the decision table (journal/recovery.def). Whatever the damage, a start that
// succeeds has a state that the book really had. A piece of work is the damage to one day.

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <algorithm>

#include "base/check.h"
#include "port/posix/store_file.h"
#include "sim/day.h"
#include "sim/parts.h"

namespace {

constexpr uint32_t rounds = 48;
constexpr uint64_t start_calls = 160;  // of the disk, about as many as a start makes
constexpr uint32_t window_min = 65536;   // bytes that a flash card loses at once (J12)
constexpr uint32_t window_max = 262144;

enum class Kind : uint8_t {
    bit,         // one bit of a batch turns
    zeros,       // a window of zeros over what was there
    noise,       // a window of something else
    misdirected, // a batch lands in the place of another one, or behind the end
    stale,       // part of another segment lies behind the end
    lost,        // a segment is gone
    shortened,   // a segment has lost its end
    table,       // one bit of a checkpoint turns
    lie,         // syncs said 0 and did nothing
    forked,      // a sound batch of another history of this book stands in the place of one
    unreadable,  // reads of the start fail with EIO, over a sound or a damaged journal
    short_reads, // reads of the start give less than was asked
};
constexpr uint32_t kind_count = 12;
constexpr const char* kind_names[] = {"bit",   "zeros", "noise", "misdirected", "stale", "lost",
                                      "shortened", "table", "lie", "forked", "unreadable", "short reads"};

// What must come of it. Where neither is set, both outcomes are right.
struct Expected {
    bool refusal;         // with `place` in its sentence
    bool start;           // at `batch`
    std::string place;
    uint64_t batch;       // 0: the newest one
    bool may_fall_back = false;  // any place may be named, and a checkpoint not be loaded
};

struct Damaging {
    const Day& day;
    SimRandom random;
    uint32_t walked_from;  // segment from which on a start reads
    Position mark;         // up to where a checkpoint vouches
    uint32_t checkpoint;   // the current one
    uint32_t segments;
    Expected expected;
    std::vector<uint8_t> bytes;
    std::vector<uint8_t> old;
};

uint64_t below(Damaging& damaging, uint64_t bound) {
    return sim_random_below(damaging.random, bound);
}

std::string data_path(const StorePath& path) { return std::string(house_dir) + "/" + path.text; }
std::string segment_path(uint32_t segment) { return data_path(store_path_segment(segment)); }

int open_file(const std::string& path) {
    const int fd = sim_disk_calls.open(AT_FDCWD, path.c_str(), O_RDWR, 0);
    CHECK(fd >= 0);
    return fd;
}

uint64_t size_of(const std::string& path) {
    const int fd = open_file(path);
    const int64_t size = sim_disk_calls.size(fd);
    sim_disk_calls.close(fd);
    CHECK(size >= 0);
    return static_cast<uint64_t>(size);
}

void read_bytes(const std::string& path, uint64_t offset, std::vector<uint8_t>& out) {
    const int fd = open_file(path);
    const int64_t got = sim_disk_calls.pread(fd, out.data(), out.size(), offset);
    CHECK(got == static_cast<int64_t>(out.size()));
    sim_disk_calls.close(fd);
}

void write_bytes(const std::string& path, uint64_t offset, const std::vector<uint8_t>& bytes) {
    const int fd = open_file(path);
    const int64_t done = sim_disk_calls.pwrite(fd, bytes.data(), bytes.size(), offset);
    CHECK(done == static_cast<int64_t>(bytes.size()) && sim_disk_calls.fdatasync(fd) == 0);
    sim_disk_calls.close(fd);
}

// As a start names it, which does not know how many batches lie before the segment it begins with.
std::string place_of(const Damaging& damaging, const DayState& state) {
    const bool is_first = state.segment == damaging.walked_from && state.segment > 1 &&
                          state.offset == 0;
    return segment_path(state.segment) + ": at offset " + std::to_string(state.offset) +
           (is_first ? ", its first batch: " : ", batch " + std::to_string(state.batch) + ": ");
}

// True when bytes of this batch differ between `old` and `bytes`, which lie at `offset`.
bool is_hit(const Damaging& damaging, const DayState& state, uint32_t segment, uint64_t offset) {
    if (state.segment != segment) return false;
    const uint64_t from = std::max<uint64_t>(offset, state.offset);
    const uint64_t to =
        std::min<uint64_t>(offset + damaging.bytes.size(), state.offset + state.size);
    if (from >= to) return false;
    return memcmp(damaging.bytes.data() + (from - offset), damaging.old.data() + (from - offset),
                  static_cast<size_t>(to - from)) != 0;
}

bool is_marked(const Damaging& damaging, const DayState& state) {
    return position_of(state.segment, state.offset) < damaging.mark;
}

// What must come of `bytes` at a place of a segment, over what is there.
void expect_of_bytes(Damaging& damaging, uint32_t segment, uint64_t offset) {
    const DayState* first = nullptr;
    bool later_is_sound = false;
    for (const DayState& state : damaging.day.states) {
        if (state.segment < damaging.walked_from) continue;
        const bool hit = is_hit(damaging, state, segment, offset);
        if (hit && first == nullptr) first = &state;
        later_is_sound = later_is_sound || (!hit && first != nullptr);
    }
    if (first == nullptr) return;
    if (later_is_sound || is_marked(damaging, *first)) {
        damaging.expected = {true, false, place_of(damaging, *first), 0};
    } else {
        damaging.expected = {false, false, "", first->batch - 1};
    }
}

// Puts `bytes` over a place.
void damage_place(Damaging& damaging, uint32_t segment, uint64_t offset) {
    damaging.old.resize(damaging.bytes.size());
    read_bytes(segment_path(segment), offset, damaging.old);
    expect_of_bytes(damaging, segment, offset);
    write_bytes(segment_path(segment), offset, damaging.bytes);
}

const DayState& draw_state(Damaging& damaging) {
    // The segments that a start reads hold the newest batches.
    const uint64_t count = damaging.day.states.size();
    const uint64_t newest = sim_random_chance(damaging.random, 70) ? std::min<uint64_t>(count, 24)
                                                                   : count;
    return damaging.day.states[count - 1 - below(damaging, newest)];
}

void turn_bit(Damaging& damaging) {
    const DayState& state = draw_state(damaging);
    damaging.bytes.resize(state.size);
    read_bytes(segment_path(state.segment), state.offset, damaging.bytes);
    // Half of the time in what was written, else in the padding.
    const uint64_t bits = sim_random_chance(damaging.random, 50) ? 8 * 256 : 8ull * state.size;
    const uint64_t bit = below(damaging, bits);
    damaging.bytes[bit / 8] = static_cast<uint8_t>(damaging.bytes[bit / 8] ^ 1u << bit % 8);
    damage_place(damaging, state.segment, state.offset);
    // A turned version reads as one of a newer format, which is refused wherever it stands.
    const bool is_version = bit / 8 >= 8 && bit / 8 < 12;
    if (!damaging.expected.refusal && !is_version && state.segment >= damaging.walked_from) {
        damaging.expected.start = true;
    }
}

void overwrite(Damaging& damaging, bool with_noise) {
    const DayState& state = draw_state(damaging);
    const uint64_t size = window_min + below(damaging, (window_max - window_min) / block_size) *
                                           block_size;
    const uint64_t end = std::min<uint64_t>(state.offset + size, house_segment_size);
    const uint64_t from = state.offset / window_min * window_min;
    damaging.bytes.assign(end - from, 0);
    if (with_noise) {
        sim_random_fill(damaging.random, damaging.bytes.data(),
                        static_cast<uint32_t>(damaging.bytes.size()));
    }
    damage_place(damaging, state.segment, from);
    damaging.expected.start = !damaging.expected.refusal;
}

// Another batch in the place of one, or somewhere behind the end.
void misdirect(Damaging& damaging) {
    const DayState& source = draw_state(damaging);
    damaging.bytes.resize(source.size);
    read_bytes(segment_path(source.segment), source.offset, damaging.bytes);
    const DayState& last = damaging.day.states.back();
    const DayState& target = draw_state(damaging);
    uint64_t offset = target.offset;
    uint32_t segment = target.segment;
    if (sim_random_chance(damaging.random, 30)) {
        segment = last.segment;
        offset = last.offset + last.size + below(damaging, 64) * block_size;
    }
    if (offset + source.size > house_segment_size || &source == &target) return;
    damage_place(damaging, segment, offset);
}

void leave_stale(Damaging& damaging) {
    const DayState& last = damaging.day.states.back();
    const DayState& source = draw_state(damaging);
    const uint64_t offset = last.offset + last.size + below(damaging, 4) * block_size;
    const uint64_t room = house_segment_size - offset;
    const uint64_t size =
        std::min<uint64_t>({window_min, room, uint64_t{house_segment_size} - source.offset});
    damaging.bytes.resize(size);
    read_bytes(segment_path(source.segment), source.offset, damaging.bytes);
    damage_place(damaging, last.segment, offset);
}

void lose_segment(Damaging& damaging) {
    const uint32_t segment = static_cast<uint32_t>(1 + below(damaging, damaging.segments));
    const int answer = sim_disk_calls.unlink(AT_FDCWD, segment_path(segment).c_str(), 0);
    CHECK(answer == 0);
    const int fd = sim_disk_calls.open(AT_FDCWD, (std::string(house_dir) + "/journal").c_str(),
                                       O_RDONLY | O_DIRECTORY, 0);
    CHECK(fd >= 0 && sim_disk_calls.fsync(fd) == 0);
    sim_disk_calls.close(fd);
    if (segment < damaging.walked_from) {
        damaging.expected.start = true;
    } else if (segment < damaging.segments ||
               segment <= position_segment(damaging.mark)) {
        damaging.expected = {true, false, segment_path(segment) + ": is missing", 0};
    } else {  // Nothing that is left speaks of it.
        uint64_t batch = damaging.day.states.size();
        while (batch > 0 && damaging.day.states[batch - 1].segment >= segment) batch--;
        damaging.expected = {false, true, "", batch};
    }
}

void shorten_segment(Damaging& damaging) {
    const uint32_t segment = static_cast<uint32_t>(1 + below(damaging, damaging.segments));
    const int fd = open_file(segment_path(segment));
    const uint64_t size = below(damaging, house_segment_size / block_size) * block_size;
    CHECK(sim_disk_calls.truncate(fd, size) == 0 && sim_disk_calls.fdatasync(fd) == 0);
    sim_disk_calls.close(fd);
    if (segment < damaging.walked_from) {
        damaging.expected.start = true;
    } else {
        damaging.expected = {true, false, segment_path(segment) + ": is ", 0};
    }
}

// A table that an older version has no need of has no file.
std::vector<std::string> checkpoint_files(const Damaging& damaging) {
    std::vector<std::string> paths;
    for (uint32_t i = 0; i <= table_count; i++) {
        const char* name = i == table_count ? store_manifest_name
                                            : table_name(static_cast<TableName>(i));
        paths.push_back(data_path(store_path_in_checkpoint(damaging.checkpoint, name)));
        const int fd = sim_disk_calls.open(AT_FDCWD, paths.back().c_str(), O_RDONLY, 0);
        if (fd < 0) {
            paths.pop_back();
        } else {
            sim_disk_calls.close(fd);
        }
    }
    return paths;
}

void turn_table_bit(Damaging& damaging) {
    const std::vector<std::string> paths = checkpoint_files(damaging);
    const std::string path = paths[below(damaging, paths.size())];
    const uint64_t size = size_of(path);
    if (size == 0) return;
    damaging.bytes.resize(size);
    read_bytes(path, 0, damaging.bytes);
    const uint64_t bit = below(damaging, 8 * size);
    damaging.bytes[bit / 8] = static_cast<uint8_t>(damaging.bytes[bit / 8] ^ 1u << bit % 8);
    write_bytes(path, 0, damaging.bytes);
}

// A closing batch as it would be, had the server written it a moment later: all of it is sound, and
// fits what is before it. Only that the batch behind it names another hash tells.
bool seal_later(const DayState& state, std::vector<uint8_t>& bytes) {
    BatchHeader header;
    Slice entries;
    Hash hash;
    const Slice whole = {bytes.data(), state.size};
    if (batch_find(whole, nullptr, header, entries, hash) != BatchFind::whole) return false;
    header.time_ms++;
    batch_seal(bytes.data(), header);
    return true;
}

void fork_history(Damaging& damaging) {
    const std::vector<DayState>& states = damaging.day.states;
    std::vector<const DayState*> able;
    for (size_t i = 0; i + 1 < states.size(); i++) {
        const DayState& state = states[i];
        const Position end = position_of(state.segment, state.offset + state.size);
        const bool is_read = state.segment >= damaging.walked_from;
        if (state.is_closing && is_read && end != damaging.mark) able.push_back(&state);
    }
    damaging.expected.start = able.empty();
    if (able.empty()) return;
    const DayState& state = *able[below(damaging, able.size())];
    damaging.bytes.resize(state.size);
    read_bytes(segment_path(state.segment), state.offset, damaging.bytes);
    CHECK(seal_later(state, damaging.bytes));
    write_bytes(segment_path(state.segment), state.offset, damaging.bytes);
    damaging.expected = {true, false, place_of(damaging, states[state.batch]), 0};
}

// What the start cannot read it refuses by name, unless it can do without: a checkpoint may be
// replaced by the one before it. What it believes of the journal is not weaker for that.
void fail_reads(Damaging& damaging) {
    if (sim_random_chance(damaging.random, 50)) turn_bit(damaging);
    damaging.expected.start = false;
    damaging.expected.may_fall_back = true;
    sim_disk_plan({.fault = SimFault::unreadable,
                   .at = below(damaging, start_calls),
                   .for_good = sim_random_chance(damaging.random, 30)});
}

void shorten_reads(Damaging& damaging) {
    damaging.expected.start = true;
    if (sim_random_chance(damaging.random, 50)) {
        damaging.expected = {};
        turn_bit(damaging);
    }
    sim_disk_plan({.fault = SimFault::short_call,
                   .for_good = sim_random_chance(damaging.random, 20),
                   .period = static_cast<uint32_t>(1 + below(damaging, 4))});
}

BookMove deposit_of(uint64_t number) {
    BookMove move = {};
    const std::string id = "lie" + std::to_string(number);
    move.operation = Operation::deposit;
    move.person = ledger_find_person(house_book().ledger, house_name("alice"));
    memcpy(move.id.text, id.data(), id.size());
    move.id.size = static_cast<uint8_t>(id.size());
    move.debit = house_name("cash");
    move.credit = house_name("alice");
    move.amount = 1;
    return move;
}

// A disk that says that it has synced and has not (J10). No start can know: one copy holds no trace
// of what it lost. A receipt for an entry behind the head of the book is the witness.
bool lie(Damaging& damaging, Tally& tally, std::string& why) {
    if (!house_start(damaging.day.wall_ms + 1000, why)) return false;
    sim_disk_plan({SimFault::lie, 0, true, 0, 0});
    const uint64_t count = 1 + below(damaging, 4);
    for (uint64_t i = 0; i < count; i++) {
        IdRecord answer = {};
        const char* field = nullptr;
        const Status status = book_move(house_book(), damaging.day.wall_ms + 1000, deposit_of(i),
                                        true, book_tag_none, answer, field);
        if (status != Status::ok) break;  // The segment is full.
        house_commit(nullptr, nullptr);
    }
    const uint64_t receipt = house_book().log.entry_durable;
    house_leave();
    sim_disk_cut();
    sim_disk_mount(SimLoss::drop_all);
    sim_disk_plan({SimFault::none, 0, false, 0, 0});
    if (!house_start(damaging.day.wall_ms + 1000, why)) return false;
    const bool held = day_check_book(damaging.day, damaging.day.states.back().entry, why);
    if (held && house_book().ledger.seq_installed < receipt) {
        tally.add("lost to a lying disk, seen by a receipt only");
    }
    house_leave();
    return held;
}

void damage(Damaging& damaging, Kind kind) {
    switch (kind) {
        case Kind::bit: turn_bit(damaging); return;
        case Kind::zeros: overwrite(damaging, false); return;
        case Kind::noise: overwrite(damaging, true); return;
        case Kind::misdirected: misdirect(damaging); return;
        case Kind::stale: leave_stale(damaging); return;
        case Kind::lost: lose_segment(damaging); return;
        case Kind::shortened: shorten_segment(damaging); return;
        case Kind::table: turn_table_bit(damaging); return;
        case Kind::lie: return;
        case Kind::forked: fork_history(damaging); return;
        case Kind::unreadable: fail_reads(damaging); return;
        case Kind::short_reads: shorten_reads(damaging); return;
    }
    CHECK(false);
}

std::string disk_digest() {
    uint8_t digest[32];
    sim_disk_digest(digest);
    return std::string(reinterpret_cast<char*>(digest), sizeof digest);
}

// Starts, and compares with what was expected.
bool judge(Damaging& damaging, Kind kind, Tally& tally, std::string& why) {
    const Expected& expected = damaging.expected;
    const uint64_t newest = damaging.day.states.size();
    const uint64_t batch = expected.batch != 0 ? expected.batch : newest;
    const std::string before = disk_digest();
    std::string said;
    const bool started = house_start(damaging.day.wall_ms + 1000, said);
    sim_disk_plan({});
    if (!started) {
        tally.add(std::string("damage refused: ") + kind_names[static_cast<uint32_t>(kind)]);
        const bool may_change = expected.may_fall_back && !expected.refusal;
        const std::string place = expected.may_fall_back ? "" : expected.place;
        why = expected.start                                 ? "refused: " + said
              : !may_change && disk_digest() != before ? "changed something, and refused: " + said
              : said.find(house_dir) == std::string::npos ||
                      said.find(place) == std::string::npos
                  ? "not named as '" + place + "': " + said
                  : "";
        return why.empty();
    }
    tally.add(std::string("damage outlived: ") + kind_names[static_cast<uint32_t>(kind)]);
    const uint64_t found = house_book().log.batch_durable;
    const uint32_t loaded = house_server().checkpoint_number;
    const bool held = day_check_book(damaging.day, 0, why);
    house_leave();
    if (!held) return false;
    // The one before the damaged one was kept (F3).
    const bool must_load = !damaging.day.checkpoints.empty() && !expected.may_fall_back;
    if (loaded == 0 && must_load) why = "no checkpoint was loaded";
    if (expected.refusal) why = "not refused; '" + expected.place + "' was expected";
    if (found != batch) {
        why = "started at batch " + std::to_string(found) + ", not at " + std::to_string(batch);
    }
    if (why.empty() && found < newest) tally.add("damage that nothing later vouched against");
    return why.empty();
}

// What the checkpoints on the disk vouch for, and where a start begins to read.
bool look_around(Damaging& damaging, std::string& why) {
    Store store;
    uint8_t text[512];
    Writer error = writer_of(text, sizeof text);
    StoreCheckpoints list = {};
    uint32_t first = 0;
    Status status = store_open(store, sim_disk_calls, house_dir, StoreMode::read, error);
    if (status == Status::ok) {
        status = store_checkpoint_list(store, list, error);
        if (status == Status::ok) {
            status = store_segment_range(store, first, damaging.segments, error);
        }
        for (uint32_t i = 0; i < list.count && status == Status::ok; i++) {
            Manifest manifest = {};
            bool sound = false;
            uint64_t rows[table_count] = {};
            const Status found = store_checkpoint_verify(store, list.numbers[i], house_window(),
                                                         manifest, sound, rows, error);
            if (found != Status::ok) continue;
            if (damaging.checkpoint == 0) {
                damaging.checkpoint = list.numbers[i];
                damaging.walked_from = position_segment(manifest.mark.end);
                damaging.mark = manifest.mark.end;
            }
            break;
        }
        store_close(store);
    }
    why = status == Status::ok && damaging.checkpoint != 0 ? "" : "there is no sound checkpoint";
    return why.empty();
}

bool damage_day(const Day& day, Tally& tally, std::string& why) {
    Damaging damaging = {.day = day, .random = sim_random_of(~day.seed, SimStream::faults)};
    sim_disk_mount_image(day.end, nullptr);
    if (!look_around(damaging, why)) return false;
    for (uint32_t i = 0; i < rounds; i++) {
        sim_disk_mount_image(day.end, nullptr);
        const Kind kind = static_cast<Kind>(i % kind_count);
        damaging.expected = {};
        damage(damaging, kind);
        const bool held = kind == Kind::lie ? lie(damaging, tally, why)
                                            : judge(damaging, kind, tally, why);
        tally.add("damages");
        if (held) continue;
        why = "day " + std::to_string(day.seed) + ", damage " + std::to_string(i) + " (" +
              kind_names[i % kind_count] + "): " + why;
        return false;
    }
    return true;
}

}  // namespace

bool run_damage(const Share& share, Tally& tally, std::string& why) {
    for (uint64_t i = 0; i < share.count; i++) {
        Day day;
        const uint64_t seed = share.first + i * share.step;
        const bool held = seed % 2 == 0 ? day_live_server(seed, day, tally, why)
                                        : day_live(seed, day, tally, why);
        if (!held) {
            why = "day " + std::to_string(seed) + ": " + why;
            return false;
        }
        if (!damage_day(day, tally, why)) return false;
        tally.add("damage");
    }
    return true;
}

// Crash images: every state that a disk may be left in by a power cut in a recorded day, started
// and compared with what the book had.
//
// At each sync of the day (disk.h, windows) all subsets of what was not synced are made when it is
// at most 12 sectors and names, and a sample of them beyond; and a torn write whose tail is old,
// cut at every byte for one batch of the day and at a few for the others. Only images that differ
// count.
//
//   Each must start through the same start as pennyd's. It then holds everything that was
//   acknowledged, is one of the states that the book really had (the digest of its installed state,
//   balances added up by the day), sums to zero, answers the newest request again with the first
//   answer, and takes one more deposit, which is found again after the next cut and start. Some of
//   them meet a place that cannot be read, and may be refused by name until it can; some get less
//   than they asked for at each few calls.

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <unordered_set>

#include "sim/day.h"
#include "sim/parts.h"

namespace {

constexpr uint32_t all_subsets_max = 12;   // units
constexpr uint32_t samples = 24;           // of larger windows
constexpr uint32_t cuts = 8;               // of writes that are not cut at every byte
constexpr uint32_t units_max = 4096;
constexpr uint64_t day_images_max = 2000;  // so that there are many days
constexpr uint32_t window_of_zeros = 65536;
constexpr uint32_t bad_percent = 8;        // of the images meet a disk that reads badly
constexpr uint64_t start_calls = 160;      // of the disk, about as many as a start makes

struct Images {
    Day day;
    SimRandom random;
    std::unordered_set<uint64_t> seen;
    uint64_t count;       // distinct ones so far
    uint64_t count_max;
    uint32_t window;
    Tally& tally;
    std::string& why;
};

bool fail(Images& images, const std::string& what) {
    images.why = "day " + std::to_string(images.day.seed) + ", window " +
                 std::to_string(images.window) + ": " + what;
    return false;
}

// A start that cannot read all: it is refused by name, or does without; the next one is as if it had
// not been.
bool start_unreadable(Images& images, std::string& why) {
    std::string said;
    sim_disk_plan({.fault = SimFault::unreadable,
                   .at = sim_random_below(images.random, start_calls),
                   .for_good = sim_random_chance(images.random, 50)});
    const bool started = house_start(images.day.wall_ms + 1000, said);
    sim_disk_plan({});
    images.tally.add(started ? "unreadable places outlived" : "unreadable places refused");
    if (started) {
        const uint64_t mark = sim_disk_window(images.window).mark;
        if (!day_check_book(images.day, mark, why)) return false;
        house_leave();
    } else if (said.find(house_dir) == std::string::npos) {
        why = "refused without a name: " + said;
        return false;
    }
    sim_disk_cut();
    sim_disk_mount(SimLoss::keep_all);
    return true;
}

bool check_image(Images& images, std::string& why) {
    if (sim_random_chance(images.random, bad_percent) && !start_unreadable(images, why)) {
        why = "with a place that cannot be read: " + why;
        return false;
    }
    if (sim_random_chance(images.random, bad_percent)) {
        images.tally.add("images with short calls");
        sim_disk_plan({.fault = SimFault::short_call,
                       .period = static_cast<uint32_t>(
                           1 + sim_random_below(images.random, 4))});
    }
    return day_check_image(images.day, images.window, why);
}

// Takes the image that is mounted, if it is a new one.
bool take_image(Images& images, const char* kind, const std::string& how) {
    uint8_t digest[32];
    sim_disk_digest(digest);
    uint64_t first = 0;
    memcpy(&first, digest, sizeof first);
    if (images.count == images.count_max || !images.seen.insert(first).second) return true;
    std::string what;
    if (!check_image(images, what)) return fail(images, how + ": " + what);
    images.count++;
    images.tally.add("images");
    images.tally.add(kind);
    return true;
}

bool take_subset(Images& images, const std::vector<uint8_t>& keep) {
    sim_disk_mount_image(images.window, keep.data());
    std::string how = "kept ";
    for (const uint8_t bit : keep) how += bit != 0 ? '1' : '0';
    return take_image(images, "images of sectors and names", how);
}

bool take_all_subsets(Images& images, uint32_t units) {
    std::vector<uint8_t> keep(units);
    for (uint32_t bits = 0; bits < 1u << units; bits++) {
        for (uint32_t i = 0; i < units; i++) keep[i] = static_cast<uint8_t>(bits >> i & 1);
        if (!take_subset(images, keep)) return false;
    }
    return true;
}

// None, all, all before one, all but one, and samples of three densities.
bool take_samples(Images& images, uint32_t units) {
    std::vector<uint8_t> keep(units, 0);
    if (!take_subset(images, keep)) return false;
    keep.assign(units, 1);
    if (!take_subset(images, keep)) return false;
    for (uint32_t i = 0; i < samples; i++) {
        const uint64_t at = sim_random_below(images.random, units);
        const uint32_t percent = i % 4 == 1 ? 10 : i % 4 == 2 ? 90 : 50;
        for (uint32_t unit = 0; unit < units; unit++) {
            keep[unit] = i % 4 == 0 ? unit < at : sim_random_chance(images.random, percent);
        }
        if (i % 8 == 7) {
            keep.assign(units, 1);
            keep[at] = 0;
        }
        if (!take_subset(images, keep)) return false;
    }
    return true;
}

bool take_cut(Images& images, uint64_t byte) {
    sim_disk_mount_torn(images.window, byte);
    return take_image(images, "images cut at a byte", "cut at byte " + std::to_string(byte));
}

bool take_window(Images& images, bool every_byte) {
    const SimWindow window = sim_disk_window(images.window);
    const uint32_t units = window.units;
    if (units > units_max) return fail(images, "more was unsynced than a day can leave");
    const bool held = units <= all_subsets_max ? take_all_subsets(images, units)
                                               : take_samples(images, units);
    if (!held) return false;
    for (uint64_t byte = 0; every_byte && byte < window.last_size; byte++) {
        if (!take_cut(images, byte)) return false;
    }
    for (uint32_t i = 0; i < cuts && window.last_size > 0; i++) {
        if (!take_cut(images, sim_random_below(images.random, window.last_size))) return false;
    }
    return true;
}

// The windows of a day in any order, until it has given its share.
bool take_day(Images& images) {
    const uint32_t windows = images.day.end;
    images.tally.add("days");
    images.tally.add("windows", windows);
    std::vector<uint32_t> order(windows);
    for (uint32_t i = 0; i < windows; i++) {
        const uint64_t place = sim_random_below(images.random, i + 1ull);
        order[i] = order[place];
        order[place] = i;
    }
    bool cut_whole = false;
    for (uint32_t i = 0; i < windows && images.count < images.count_max; i++) {
        images.window = order[i];
        // One batch of the day; a new segment's zeros have no bytes that differ.
        const uint64_t size = sim_disk_window(images.window).last_size;
        const bool every_byte = !cut_whole && size > 0 && size < window_of_zeros;
        cut_whole = cut_whole || every_byte;
        if (!take_window(images, every_byte)) return false;
    }
    return true;
}

bool live_day(uint64_t seed, Images& images) {
    const bool is_server = seed % 2 == 0;
    const bool held = is_server
                          ? day_live_server(seed, images.day, images.tally, images.why)
                          : day_live(seed, images.day, images.tally, images.why);
    if (!held) images.why = "day " + std::to_string(seed) + ": " + images.why;
    return held;
}

}  // namespace

bool run_images(const Share& share, Tally& tally, std::string& why) {
    for (uint64_t piece = 0, seed = share.first; piece < share.count; seed += share.step) {
        const uint64_t left = share.count - piece;
        Images images = {.day = {},
                         .random = sim_random_of(seed, SimStream::faults),
                         .seen = {},
                         .count = 0,
                         .count_max = left < day_images_max ? left : day_images_max,
                         .window = 0,
                         .tally = tally,
                         .why = why};
        if (!live_day(seed, images) || !take_day(images)) return false;
        piece += images.count;
    }
    return true;
}

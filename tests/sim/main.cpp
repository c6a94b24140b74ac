// sim - runs the simulated board: the whole server over a disk, a network and a clock that are
// drawn from a seed, against players and an oracle. `sim --help` says how.

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/workers.h"
#include "version.h"

namespace {

constexpr char help[] =
    "sim --seed N [--twice] [--dump DIR]\n"
    "                             one run; twice: its digest must be the same again; its bank is\n"
    "                             left in a folder\n"
    "sim --seeds N [--images N] [--damage N] [--faults]\n"
    "                             so many runs, so many distinct crash images, so many days whose\n"
    "                             disk is damaged, and every call of a day failing\n"
    "sim --long [--seconds N]     all of it until stopped\n"
    "\n"
    "    --from N        begin with this seed, not 1\n"
    "    --jobs N        processes at once; 1\n"
    "    --summary FILE  write what was counted into a file as well\n"
    "    --floors        at the end no count may be zero\n";

// A part stands here as soon as its file exists.
constexpr Part parts[] = {
    {"seeds", run_seeds, 10},
    {"images", run_images, 250},
    {"faults", run_faults, 100},
    {"damage", run_damage, 5},
};
constexpr uint32_t part_count = sizeof parts / sizeof parts[0];

// Counts that a part has even where nothing was counted.
struct Counted {
    const char* part;
    const char* name;
};
constexpr Counted counted[] = {
#define COUNTED(part, name) {#part, name},
#include "sim/counted.def"
#undef COUNTED
};

struct Wishes {
    bool has_seed;
    uint64_t seed;
    bool twice;
    uint64_t count[part_count];
    bool goes_on;
    uint32_t seconds;
    uint64_t from;
    uint32_t jobs;
    const char* summary;
    bool floors;
};

uint64_t number_of(const char* word) {
    char* end = nullptr;
    const uint64_t number = word == nullptr ? 0 : strtoull(word, &end, 10);
    if (word == nullptr || end == word || *end != '\0') {
        fprintf(stderr, "sim: '%s' is no number\n%s", word == nullptr ? "" : word, help);
        exit(2);
    }
    return number;
}

// Takes an option that is named after a part. Returns false when none has that name.
bool take_part(const char* option, const char* value, Wishes& out, bool& takes_value) {
    for (uint32_t i = 0; i < part_count; i++) {
        if (strncmp(option, "--", 2) != 0 || strcmp(option + 2, parts[i].name) != 0) continue;
        takes_value = strcmp(parts[i].name, "faults") != 0;
        out.count[i] = takes_value ? number_of(value) : UINT64_MAX;
        return true;
    }
    return false;
}

Wishes read_words(int count, char** words) {
    Wishes wishes = {};
    wishes.from = 1;
    wishes.jobs = 1;
    for (int i = 1; i < count; i++) {
        const char* word = words[i];
        const char* value = i + 1 < count ? words[i + 1] : nullptr;
        bool takes_value = true;
        if (strcmp(word, "--seed") == 0) {
            wishes.has_seed = true;
            wishes.seed = number_of(value);
        } else if (strcmp(word, "--seconds") == 0) {
            wishes.seconds = static_cast<uint32_t>(number_of(value));
        } else if (strcmp(word, "--from") == 0) {
            wishes.from = number_of(value);
        } else if (strcmp(word, "--jobs") == 0) {
            wishes.jobs = static_cast<uint32_t>(number_of(value));
        } else if (strcmp(word, "--summary") == 0 && value != nullptr) {
            wishes.summary = value;
        } else if (strcmp(word, "--dump") == 0 && value != nullptr) {
            run_dump_into(value);
        } else if (strcmp(word, "--floors") == 0) {
            wishes.floors = true;
            takes_value = false;
        } else if (strcmp(word, "--twice") == 0) {
            wishes.twice = true;
            takes_value = false;
        } else if (strcmp(word, "--long") == 0) {
            wishes.goes_on = true;
            takes_value = false;
        } else if (!take_part(word, value, wishes, takes_value)) {
            const bool asked = strcmp(word, "--help") == 0;
            fprintf(asked ? stdout : stderr, "%s", help);
            exit(asked ? 0 : 2);
        }
        if (takes_value) i++;
    }
    if (wishes.jobs == 0) wishes.jobs = 1;
    return wishes;
}

bool run_one(uint64_t seed, Tally& tally, uint8_t digest[32]) {
    std::string why;
    const bool held = run_seed(seed, tally, digest, why);
    if (!held) {
        print_log();
        printf("FAILED: %s\n", why.c_str());
    }
    printf("seed %" PRIu64 " digest ", seed);
    for (uint32_t i = 0; i < 32; i++) printf("%02x", digest[i]);
    printf("\n");
    return held;
}

bool run_one_seed(const Wishes& wishes, Tally& tally) {
    uint8_t digest[32] = {};
    uint8_t again[32] = {};
    if (!run_one(wishes.seed, tally, digest)) return false;
    if (!wishes.twice) return true;
    Tally ignored;
    if (!run_one(wishes.seed, ignored, again)) return false;
    if (memcmp(digest, again, sizeof digest) == 0) return true;
    printf("FAILED: the same seed gave two digests\n");
    return false;
}

double seconds_now() {
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// So that what never happens is seen to be 0.
void begin_counts(const Wishes& wishes, Tally& tally) {
    for (uint32_t i = 0; i < part_count; i++) {
        if (wishes.count[i] == 0 && !wishes.goes_on) continue;
        for (const Counted& row : counted) {
            if (strcmp(row.part, parts[i].name) == 0) tally.add(row.name, 0);
        }
    }
}

bool run_parts(const Wishes& wishes, Tally& tally) {
    bool held = true;
    for (uint32_t i = 0; i < part_count && held; i++) {
        if (wishes.count[i] == 0) continue;
        const double started = seconds_now();
        held = workers_run(parts[i], wishes.from, wishes.count[i], wishes.jobs, tally);
        const double seconds = seconds_now() - started;
        const uint64_t done = tally.of(parts[i].name);
        printf("%s: %" PRIu64 " in %.1f s, %.1f each second\n", parts[i].name, done, seconds,
               static_cast<double>(done) / (seconds > 0 ? seconds : 1));
        fflush(stdout);
    }
    return held;
}

bool judge_floors(const Wishes& wishes, const Tally& tally) {
    bool held = true;
    for (const auto& [name, count] : tally.counts) {
        if (!wishes.floors || count > 0) continue;
        printf("FAILED: '%s' never happened\n", name.c_str());
        held = false;
    }
    return held;
}

bool write_summary(const char* path, const Tally& tally) {
    FILE* out = fopen(path, "w");
    if (out == nullptr) {
        perror(path);
        return false;
    }
    const time_t now = time(nullptr);
    char date[32] = "";
    tm utc = {};
    strftime(date, sizeof date, "%Y-%m-%d", gmtime_r(&now, &utc));
    fprintf(out, "%s, version %s\n\n", date, PENNY_VERSION);
    tally_print(out, tally);
    return fclose(out) == 0;
}

}  // namespace

int main(int count, char** words) {
    const Wishes wishes = read_words(count, words);
    Tally tally;
    bool held = false;
    begin_counts(wishes, tally);
    if (wishes.has_seed) {
        held = run_one_seed(wishes, tally);
    } else if (wishes.goes_on) {
        held = workers_run_long(parts, part_count, wishes.from, wishes.jobs, wishes.seconds, tally);
    } else {
        held = run_parts(wishes, tally);
    }
    tally_print(stdout, tally);
    held = judge_floors(wishes, tally) && held;
    if (wishes.summary != nullptr) held = write_summary(wishes.summary, tally) && held;
    return held ? 0 : 1;
}

#include "port/sim/world.h"
#include "sim/day.h"
#include "sim/run.h"

namespace {

uint32_t window_at_end = 0;

void begin_record() { sim_disk_record(true); }

void end_record() {
    sim_disk_record(false);
    window_at_end = sim_disk_save();
}

// The newest entry that somebody was answered with is acknowledged.
void mark_answers(const sim::Party& party) {
    uint64_t newest = 0;
    for (const sim::Request& request : party.requests) {
        for (const sim::Booked& booked : request.ask.booked) {
            if (booked.entry > newest) newest = booked.entry;
        }
    }
    sim_disk_mark(newest);
}

// Everything that was written, whether it was synced or not.
void mount_all(uint32_t window) {
    const std::vector<uint8_t> keep(sim_disk_window(window).units, 1);
    sim_disk_mount_image(window, keep.data());
}

}  // namespace

bool day_live_server(uint64_t seed, Day& out, Tally& tally, std::string& why) {
    out = {};
    out.seed = seed;
    if (!run_day(seed, {begin_record, mark_answers, end_record}, tally, why)) return false;
    out.wall_ms = sim_world_wall_us() / 1000;
    mount_all(window_at_end);
    if (!day_replay(out, why)) return false;
    out.end = sim_disk_save();
    tally.add("server days");
    return true;
}

#include "base/check.h"
#include "port/sim/world_parts.h"

namespace {

bool is_before(const SimEvent& a, const SimEvent& b) {
    return a.time_us != b.time_us ? a.time_us < b.time_us : a.number < b.number;
}

void sift_up(uint32_t at) {
    SimEvent* events = sim_world.events;
    const SimEvent moved = events[at];
    while (at > 0 && is_before(moved, events[(at - 1) / 2])) {
        events[at] = events[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    events[at] = moved;
}

void sift_down(uint32_t at) {
    SimEvent* events = sim_world.events;
    const SimEvent moved = events[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= sim_world.event_count) break;
        const bool has_other = child + 1 < sim_world.event_count;
        if (has_other && is_before(events[child + 1], events[child])) child++;
        if (!is_before(events[child], moved)) break;
        events[at] = events[child];
        at = child;
    }
    events[at] = moved;
}

}  // namespace

void sim_push(const SimEvent& event) {
    CHECK(sim_world.event_count < sim_events_max);
    SimEvent& last = sim_world.events[sim_world.event_count];
    last = event;
    last.number = sim_world.event_number++;
    sift_up(sim_world.event_count++);
}

bool sim_pop(uint64_t until_us, SimEvent& out) {
    if (sim_next_us() > until_us || sim_world.event_count == 0) return false;
    out = sim_world.events[0];
    sim_world.events[0] = sim_world.events[--sim_world.event_count];
    if (sim_world.event_count > 0) sift_down(0);
    return true;
}

uint64_t sim_next_us() {
    return sim_world.event_count == 0 ? UINT64_MAX : sim_world.events[0].time_us;
}

uint64_t sim_later(uint32_t us_max) {
    return sim_world.now_us + 1 + sim_random_below(sim_world.random, uint64_t{us_max} + 1);
}

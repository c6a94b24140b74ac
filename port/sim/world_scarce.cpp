// What refuses although there is some: pools, the library's memory, randomness. The counts are
// plain data of base/pool.h and base/heap.h, which every build has.

#include "base/check.h"
#include "port/sim/kernel.h"
#include "port/sim/world_parts.h"

namespace {

// The two counts of one thing.
struct Scarce {
    uint64_t* takes;
    uint64_t* refuse_at;
};

template <typename Type>
Scarce of_pool(Pool<Type>& pool) {
    return {&pool.takes, &pool.refuse_at};
}

Scarce scarce_of(SimScarce what) {
    Server& server = *sim_world.server;
    switch (what) {
        case SimScarce::sessions: return of_pool(server.sessions);
        case SimScarce::buffers: return of_pool(server.buffers);
        case SimScarce::hashes: return of_pool(server.hashes);
        case SimScarce::reads: return of_pool(server.reads);
        case SimScarce::groups: return of_pool(server.groups);
        case SimScarce::holds: return of_pool(server.book.ledger.holds.pool);
        case SimScarce::library: return {&server.heap.takes, &server.heap.refuse_at};
        case SimScarce::nothing:
        case SimScarce::random: return {nullptr, nullptr};
    }
    CHECK(false);
    return {nullptr, nullptr};
}

}  // namespace

void sim_world_refuse(SimScarce what, uint64_t at) {
    sim_world.scarce = what;
    sim_world.scarce_at = at;
}

uint64_t sim_world_takes(SimScarce what) {
    if (what == SimScarce::random) return sim_kernel_random_calls();
    const Scarce scarce = scarce_of(what);
    const uint64_t before = what == SimScarce::holds ? sim_world.holds_before : 0;
    return scarce.takes == nullptr ? 0 : *scarce.takes - before;
}

void sim_scarce_begin() {
    const bool is_random = sim_world.scarce == SimScarce::random;
    sim_kernel_random_refuse_at(is_random ? sim_world.scarce_at : UINT64_MAX);
    const Scarce scarce = scarce_of(sim_world.scarce);
    if (scarce.refuse_at != nullptr) *scarce.refuse_at = sim_world.scarce_at;
}

void sim_scarce_book() {
    Pool<Hold>& holds = sim_world.server->book.ledger.holds.pool;
    sim_world.holds_before = holds.takes;
    if (sim_world.scarce != SimScarce::holds) return;
    holds.refuse_at = holds.takes + sim_world.scarce_at;
}

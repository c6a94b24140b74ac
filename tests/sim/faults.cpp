// Every call fails: a day at the bank, always the same one, is repeated with one thing after the
// other going wrong: each file call, once and for good, with each error; the power going within
// each; each acquisition of each pool; each request for random bytes; the library's allocations.
//
// Whatever fails: nobody is told of money that did not move, the server ends in order and has given
// everything back, and a start without the fault finds the book as the oracle has it.

#include <errno.h>

#include <string>
#include <vector>

#include "sim/parts.h"
#include "sim/stage.h"

namespace {

using std::string;

constexpr uint64_t second_us = 1'000'000;
constexpr uint64_t day_us = 3 * second_us / 4;
constexpr uint64_t day_seeds = 50;     // one of these days has some of everything
constexpr size_t tls_links_max = 3;
constexpr uint64_t library_points = 600;  // of the library's allocations, spread over the day

// One way for a day to go wrong.
struct Fault {
    const char* name;
    SimFault fault;  // of the disk
    int code;
    bool for_good;
    SimScarce scarce;
    bool tls;
    uint64_t count;  // places where it can strike
    uint64_t step;   // only every so many of them
};

uint64_t day_seed = 1;

std::vector<Fault> all_faults() {
    return {
        {"EIO once", SimFault::error, EIO, false, SimScarce::nothing, false, 0, 1},
        {"EIO for good", SimFault::error, EIO, true, SimScarce::nothing, false, 0, 1},
        {"ENOSPC once", SimFault::error, ENOSPC, false, SimScarce::nothing, false, 0, 1},
        {"ENOSPC for good", SimFault::error, ENOSPC, true, SimScarce::nothing, false, 0, 1},
        {"a cut", SimFault::cut, 0, false, SimScarce::nothing, false, 0, 1},
        {"no session", SimFault::none, 0, false, SimScarce::sessions, false, 0, 1},
        {"no buffers", SimFault::none, 0, false, SimScarce::buffers, false, 0, 1},
        {"no password job", SimFault::none, 0, false, SimScarce::hashes, false, 0, 1},
        {"no read", SimFault::none, 0, false, SimScarce::reads, false, 0, 1},
        {"no group", SimFault::none, 0, false, SimScarce::groups, false, 0, 1},
        {"no hold", SimFault::none, 0, false, SimScarce::holds, false, 0, 1},
        {"no random bytes", SimFault::none, 0, false, SimScarce::random, false, 0, 1},
        {"no memory of the library", SimFault::none, 0, false, SimScarce::library, true, 0, 1},
    };
}

struct Day {
    sim::Stage stage;
    bool tls;
    string why;
};

bool fail(Day& day, const string& what) {
    if (day.why.empty()) day.why = what;
    return false;
}

bool leaked(Day& day) {
    if (sim_world_leak() == nullptr) return false;
    fail(day, sim_world_leak());
    return true;
}

bool init(Day& day) {
    Config config;
    sim_world_config(config);
    config.checkpoint_entries = 20;
    config.groups = 8;
    sim::Chance chance = {.state = day_seed};
    const sim::DoorRules door = sim::stage_door(chance);
    sim::stage_door_config(door, config);
    SimWorldPlan plan = {};
    plan.seed = day_seed;
    plan.tls = day.tls;
    plan.net.delay_us_max = 500;
    plan.work_us_max = 2000;
    plan.sync_us_max = 4000;
    plan.people = sim::stage_people(plan.person_count);
    if (sim_world_init(plan, config) != Status::ok) return fail(day, sim_world_refusal());
    const sim::PartyRules rules = {.seed = day_seed,
                                   .customers = 2,
                                   .think_us = day.tls ? 200'000u : 60'000u,
                                   .self_service = config.self_service,
                                   .reversible = config.reversible,
                                   .door = door};
    if (day.tls) day.stage.peers_max = tls_links_max;  // Each costs more than all the rest.
    sim::party_begin(day.stage.party, sim::stage_net(day.stage), rules);
    return true;
}

void strike(const Fault& fault, uint64_t at) {
    sim_world_refuse(fault.scarce, at);
    sim_disk_plan({.fault = fault.fault, .at = at, .for_good = fault.for_good, .code = fault.code});
}

void mend() {
    sim_world_refuse(SimScarce::nothing, 0);
    sim_disk_plan({});
}

// The power stays on or goes with what is not synced, by turns.
bool start_again(Day& day, uint64_t at) {
    mend();
    sim_world_set_tls(false);
    day.stage.peers_max = SIZE_MAX;
    sim_world_mount(at % 2 == 0 ? SimLoss::drop_all : SimLoss::keep_all);
    if (sim_world_start() != Status::ok) {
        return fail(day, string("a start without the fault was refused: ") + sim_world_refusal());
    }
    day.stage.party.restarted(false);
    return true;
}

// The day itself, under the fault: start, people at work, SIGTERM.
bool spend(Day& day, const Fault& fault, uint64_t at) {
    strike(fault, at);
    if (sim_world_start() != Status::ok) {
        const bool is_dark = fault.fault == SimFault::cut;  // Nobody is there to be told.
        if (sim_world_refusal()[0] == '\0' && !is_dark) {
            return fail(day, "a start was refused without a word");
        }
        return !leaked(day);
    }
    day.stage.party.restarted(false);
    bool alive = true;
    if (!sim::stage_pass(day.stage, day_us, alive, day.why)) return false;
    if (!alive) return true;  // The power went.
    return !sim_world_stop() || !leaked(day);
}

bool run_day(const Fault& fault, uint64_t at, string& why) {
    Day day = {};
    day.tls = fault.tls;
    const bool held = init(day) && spend(day, fault, at) && start_again(day, at) &&
                      sim::stage_judge(day.stage, day.why) &&
                      (sim_world_stop() || fail(day, "it did not stop")) && !leaked(day);
    if (sim_world_is_running()) sim_world_cut();
    why = day.why;
    return held;
}

// How often each fault can strike: from a day without any. Returns false when one of them cannot.
bool measure(std::vector<Fault>& faults, string& why) {
    for (const bool tls : {false, true}) {
        Day day = {};
        day.tls = tls;
        if (!init(day) || !spend(day, {}, 0)) {
            why = "a day without a fault: " + day.why;
            return false;
        }
        for (Fault& fault : faults) {
            if (fault.tls != tls) continue;
            fault.count = fault.fault != SimFault::none ? sim_disk_calls_made()
                                                        : sim_world_takes(fault.scarce);
            if (fault.count == 0) {
                why = string("the day has no place for ") + fault.name;
                return false;
            }
            if (fault.scarce == SimScarce::library) {
                fault.step = fault.count > library_points ? fault.count / library_points : 1;
            }
        }
    }
    return true;
}

}  // namespace

bool run_faults(const Share& share, Tally& tally, string& why) {
    std::vector<Fault> faults = all_faults();
    day_seed = 1;
    while (!measure(faults, why)) {
        if (++day_seed > day_seeds) return false;
    }
    why.clear();
    uint64_t piece = 0;
    uint64_t next = share.first - 1;
    uint64_t done = 0;
    for (const Fault& fault : faults) {
        for (uint64_t at = 0; at < fault.count && done < share.count; at += fault.step) {
            if (piece++ != next) continue;
            next += share.step;
            done++;
            tally.add("faults");
            tally.add(string("days with ") + fault.name);
            if (run_day(fault, at, why)) continue;
            why = string(fault.name) + " at " + std::to_string(at) + ": " + why;
            return false;
        }
    }
    return true;
}

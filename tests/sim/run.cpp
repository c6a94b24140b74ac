// One whole-server run: a world drawn from a seed, players in it, cuts and faults, and after each of
// them the oracle's judgement.
//
//     begin ─► play ─► cut, stop or fault ─► mount ─► start ─► settle ─► audit, judge ─┐
//               ▲                                                                     │
//               └──────────────────────────── a few rounds ◄──────────────────────────┘
//     then once more: cut, start, and the same digest; checkpoints removed, start, and the same
//     digest again, now made from the first entry on.

#include <errno.h>
#include <string.h>

#include "port/sim/kernel.h"
#include "port/sim/world.h"
#include "sim/archive.h"
#include "sim/book_text.h"
#include "sim/dump.h"
#include "sim/parts.h"
#include "sim/run.h"
#include "sim/stage.h"

namespace {

using std::string;

constexpr uint64_t second_us = 1'000'000;
constexpr uint64_t slice_us = second_us / 5;
constexpr uint64_t settle_us_max = 900 * second_us;  // simulated time in which all must be settled
constexpr uint32_t starts_max = 20;                  // tries, while the power goes again and again

const char* dump_folder = nullptr;  // of run_dump_into

struct Run : sim::Stage {
    uint64_t seed;
    sim::Chance chance;
    bool tls;
    Config config;
    bool faulty = false;            // money may stop: the disk's plan says so
    uint64_t misconf_seen = 0;
    bool stopped = false;           // cleanly, and not started since
    uint64_t unread_seen = 0;       // reads that the disk refused
    string doing = "at the beginning";
    string why;
};

// --- Steps of a run -----------------------------------------------------------------------------

bool fail(Run& run, const string& what) {
    if (!run.why.empty()) return false;
    run.why = "seed " + std::to_string(run.seed) + " " + run.doing + ": " + what;
    return false;
}

// Lets time pass. Returns false when something did not hold; `alive` tells whether the server is.
bool pass(Run& run, uint64_t us, bool& alive) {
    const uint64_t until_us = sim_world_now_us() + us;
    alive = sim_world_is_running();
    while (alive && sim_world_now_us() < until_us) {
        const uint64_t next_us = sim_world_now_us() + slice_us;
        alive = sim_world_run(next_us < until_us ? next_us : until_us);
        if (!run.party.failure.empty()) return fail(run, run.party.failure);
        if (run.party.misconf > run.misconf_seen && !run.faulty) {
            return fail(run, "nothing had failed, but: " + run.party.misconf_text);
        }
    }
    run.misconf_seen = run.party.misconf;
    return true;
}

void no_plan() { sim_disk_plan({}); }

const char* loss_name(SimLoss loss) {
    switch (loss) {
        case SimLoss::keep_all: return "mounts with all";
        case SimLoss::drop_all: return "mounts with nothing unsynced";
        case SimLoss::prefix: return "mounts with a prefix, torn";
        case SimLoss::any: return "mounts with any sectors";
    }
    return "";
}

// What a start found wrong with the disk although no call of it had failed. A torn batch is what a cut
// leaves, and nothing else; a checkpoint that `current` names is whole after any cut.
struct Complaint {
    const char* part;
    string line;
};

void find_complaint(void* context, const char* text) {
    Complaint& complaint = *static_cast<Complaint*>(context);
    if (strstr(text, complaint.part) != nullptr) complaint.line = text;
}

// What will be written behind the end of the journal must stand on zeros.
bool judge_tail(Run& run) {
    static uint8_t window[65536];
    const Log& log = sim_world_server().book.log;
    Store store = {};
    Writer error = writer_of(window, sizeof window);
    if (store_open(store, sim_disk_calls, sim_data_dir, StoreMode::read, error) != Status::ok) {
        return fail(run, "the journal cannot be looked at");
    }
    bool zero = true;
    for (uint32_t at = log.offset; at < log.segment_size && zero; at += sizeof window) {
        uint32_t got = 0;
        zero = store_read(store, log.segment, at, window, sizeof window, got) == Status::ok;
        for (uint32_t i = 0; i < got && zero; i++) zero = window[i] == 0;
    }
    store_close(store);
    return zero || fail(run, "something stands behind the end of the journal after a start");
}

bool judge_start(Run& run, bool was_read) {
    Complaint fallen_back = {"; the checkpoint before it is tried", ""};
    Complaint fallen_through = {"; the journal is read from its first", ""};
    Complaint dropped = {"; dropped", ""};
    sim_kernel_log_each(find_complaint, &fallen_back);
    sim_kernel_log_each(find_complaint, &fallen_through);
    sim_kernel_log_each(find_complaint, &dropped);
    for (const Complaint& complaint : {fallen_back, fallen_through}) {
        if (!was_read || complaint.line.empty()) continue;
        return fail(run, "a start said: " + complaint.line);
    }
    if (!dropped.line.empty()) {
        if (run.stopped) return fail(run, "a start after a clean stop said: " + dropped.line);
        run.party.tally.add("torn batches dropped");
    }
    run.stopped = false;
    return judge_tail(run);
}

// What goes wrong while it starts. Returns false when nothing does.
bool plan_start(Run& run) {
    const uint64_t roll = run.chance.below(100);
    if (roll < 15) {
        run.party.tally.add("cuts planned within a start");
        sim_disk_plan({.fault = SimFault::cut, .at = run.chance.below(80)});
    } else if (roll < 22) {
        run.party.tally.add("starts that cannot read all");
        sim_disk_plan({.fault = SimFault::unreadable, .at = run.chance.below(80)});
    }
    return roll < 22;
}

// Throws the server away and starts it from what the disk kept; the power may go meanwhile.
bool mount_and_start(Run& run) {
    static const SimLoss losses[] = {SimLoss::keep_all, SimLoss::drop_all, SimLoss::prefix,
                                     SimLoss::any, SimLoss::any};
    for (uint32_t i = 0; i < starts_max; i++) {
        const SimLoss loss = losses[run.chance.below(5)];
        run.party.tally.add(loss_name(loss));
        no_plan();
        sim_world_mount(loss);
        const bool may_fail = i + 1 < starts_max && plan_start(run);
        sim_kernel_log_forget();
        const Status status = sim_world_start();
        const uint32_t unreadable = static_cast<uint32_t>(SimFault::unreadable);
        const bool was_read = sim_disk_counts().by_fault[unreadable] == run.unread_seen;
        run.unread_seen = sim_disk_counts().by_fault[unreadable];
        if (status == Status::ok) {
            run.misconf_seen = run.party.misconf;
            no_plan();
            run.party.restarted(run.stopped && was_read);
            return judge_start(run, was_read);
        }
        if (!may_fail) break;
        if (!was_read && strstr(sim_world_refusal(), sim_data_dir) == nullptr) {
            return fail(run, string("refused without a name: ") + sim_world_refusal());
        }
        run.stopped = false;  // The start may have been cut while it cleared something.
    }
    return fail(run, string("the start was refused: ") + sim_world_refusal());
}

// Until every request has its answer. Nothing new is begun meanwhile.
bool settle(Run& run) {
    run.party.quiet = true;
    bool alive = true;
    const uint64_t until_us = sim_world_now_us() + settle_us_max;
    while (!run.party.is_settled()) {
        if (sim_world_now_us() > until_us) {
            return fail(run, run.party.unsettled() + " was never answered for sure");
        }
        if (!pass(run, second_us, alive)) return false;
        if (!alive && !mount_and_start(run)) return false;
    }
    if (!pass(run, second_us, alive)) return false;
    return alive || fail(run, "the server went away at a quiet point");
}

// Reads the whole book and judges it.
bool judge(Run& run, string& digest) {
    if (!settle(run)) return false;
    bool alive = true;
    run.party.begin_audit();
    const uint64_t until_us = sim_world_now_us() + settle_us_max;
    while (!run.party.audit.done) {
        if (sim_world_now_us() > until_us) return fail(run, "the audit never ended");
        if (!pass(run, second_us, alive)) return false;
        if (!alive) return fail(run, "the server went away during the audit");
    }
    digest = run.party.audit.digest;
    if (!run.party.judge()) return fail(run, run.party.failure);
    run.party.quiet = false;
    return true;
}

// --- What goes wrong ----------------------------------------------------------------------------

void plan_error(Run& run) {
    static const int codes[] = {EIO, ENOSPC, EDQUOT, EROFS};
    sim::Chance& chance = run.chance;
    SimFaultPlan plan = {};
    plan.fault = chance.percent(25) ? SimFault::short_call : SimFault::error;
    plan.at = chance.below(60);
    plan.code = codes[chance.below(4)];
    plan.for_good = chance.percent(40);
    if (plan.fault == SimFault::short_call) plan.period = static_cast<uint32_t>(chance.below(5));
    run.faulty = plan.fault == SimFault::error;
    run.doing += run.faulty ? ", error " + std::to_string(plan.code) : string(", short calls");
    run.doing += " at " + std::to_string(plan.at) + (plan.for_good ? " for good" : "");
    run.party.tally.add(plan.fault == SimFault::error ? "rounds with errors of the disk"
                                                      : "rounds with short calls");
    sim_disk_plan(plan);
}

void plan_cut(Run& run) {
    run.party.tally.add("cuts planned within a call");
    run.doing += ", a cut within a call";
    sim_disk_plan({.fault = SimFault::cut, .at = run.chance.below(200)});
}

void jump(Run& run) {
    static const int64_t days[] = {0, 0, 1, 40, 150};
    sim::Chance& chance = run.chance;
    const int64_t within_us = static_cast<int64_t>(chance.below(3600 * second_us));
    const int64_t days_us = days[chance.below(5)] * 86'400 * static_cast<int64_t>(second_us);
    const int64_t us = within_us + days_us;
    run.party.tally.add("jumps of the clock");
    sim_world_jump(chance.percent(50) ? us : -us);
    run.party.door.jump();
}

// The operator allows more or fewer ids before the next start, which the journal must come to know.
void change_limits(Run& run) {
    static const uint32_t ids[] = {64, 96, 160};
    if (!run.chance.percent(10)) return;
    run.config.ids = ids[run.chance.below(3)];
    sim_world_set_config(run.config);
    run.party.others_max += starts_max;  // An entry, again and again while the power goes.
    run.party.tally.add("limits changed between starts");
}

// One round: people work, something goes wrong, the server starts again.
bool play(Run& run) {
    sim::Chance& chance = run.chance;
    bool alive = true;
    run.faulty = false;
    if (chance.percent(25)) plan_error(run);
    if (!run.faulty && chance.percent(40)) plan_cut(run);
    const uint64_t pieces = chance.between(1, 4);
    for (uint64_t i = 0; i < pieces && alive; i++) {
        if (!pass(run, chance.between(1, 4 * second_us), alive)) return false;
        if (alive && !run.tls && chance.percent(20)) jump(run);
    }
    const uint64_t roll = chance.below(100);
    if (alive && roll < 20 && !run.faulty) {
        no_plan();
        return true;  // It goes on as it was.
    }
    if (alive && roll < 45) {
        const bool in_order = sim_world_stop();
        if (in_order && !run.faulty && sim_world_leak() != nullptr) {
            return fail(run, string("after a stop: ") + sim_world_leak());
        }
        run.stopped = in_order && !run.faulty;
        run.party.tally.add("stops");
    } else if (alive) {
        sim_world_cut();
    }
    run.doing += ", then a restart";
    change_limits(run);
    if (!mount_and_start(run)) return false;
    run.faulty = false;
    return true;
}

void count(Run& run) {
    Tally& tally = run.party.tally;
    const SimWorldCounts& world = sim_world_counts();
    const SimDiskCounts& disk = sim_disk_counts();
    static const char* const faults[] = {"",     "errors",       "short calls", "flips",
                                         "misdirections", "lies", "cuts within a call",
                                         "unreadable places"};
    tally.add("simulated seconds", world.simulated_us / second_us);
    tally.add("cuts", disk.cuts);
    tally.add("starts", world.starts);
    tally.add("connections lost by the network", world.links_lost);
    tally.add("pieces split by the network", world.pieces_split);
    tally.add("journal writes", world.writes);
    tally.add("segments made", world.wishes[static_cast<uint32_t>(WishKind::segment)]);
    tally.add("checkpoints", world.wishes[static_cast<uint32_t>(WishKind::checkpoint_finish)]);
    tally.add("sectors kept", disk.sectors_kept);
    tally.add("sectors dropped", disk.sectors_dropped);
    tally.add("writes torn", disk.writes_torn);
    tally.add("names kept", disk.names_kept);
    tally.add("names dropped", disk.names_dropped);
    for (uint32_t i = 1; i < sim_fault_count; i++) {
        // What a disk does of its own accord is for the crash images and the damaged days.
        if (disk.by_fault[i] > 0) tally.add(string("disk: ") + faults[i], disk.by_fault[i]);
    }
    tally.add("holds released", run.party.oracle.releases);
    tally.add("entries judged", run.party.oracle.entries);
    tally.add("right passwords refused by a penalty", run.party.door.explained);
    tally.add("tries that a penalty had to refuse", run.party.door.certain);
    tally.add("texts of penalties", world.wishes[static_cast<uint32_t>(WishKind::penalties)]);
    if (run.tls) tally.add("runs over TLS");
}

// The journal alone, without its checkpoints, gives the same book.
bool forget_checkpoints(Run& run) {
    uint8_t text[512];
    Writer error = writer_of(text, sizeof text - 1);
    Store store = {};
    StoreCheckpoints list = {};
    if (store_open(store, sim_disk_calls, sim_data_dir, StoreMode::write, error) != Status::ok ||
        store_checkpoint_list(store, list, error) != Status::ok ||
        store_checkpoint_switch(store, 0, error) != Status::ok) {
        text[error.size] = 0;
        return fail(run, string("the checkpoints could not be removed: ") +
                             reinterpret_cast<const char*>(text));
    }
    for (uint32_t i = 0; i < list.count; i++) store_checkpoint_remove(store, list.numbers[i]);
    store_close(store);
    run.party.tally.add("checkpoints removed", list.count);
    return true;
}

// At a quiet point the server is stopped and what it does not need is archived; the power may go
// meanwhile.
bool archive(Run& run) {
    run.party.quiet = true;  // Nobody asks for anything more while it stops.
    if (!sim_world_stop()) return fail(run, "it did not stop");
    run.stopped = true;
    run.doing += ", archiving";
    SimArchive made = {};
    string why;
    const bool cut = run.chance.percent(40);
    if (cut) sim_disk_plan({.fault = SimFault::cut, .at = run.chance.below(60)});
    bool done = archive_old(made, why);
    no_plan();
    if (!done && !sim_disk_is_cut()) return fail(run, why);
    if (!done) {
        run.party.tally.add("cuts while archiving");
        sim_world_mount(SimLoss::any);
        if (!archive_old(made, why)) return fail(run, why);
    }
    run.party.tally.add("segments archived", made.segments);
    if (made.entry > 0) run.party.archived(made.entry);
    run.party.quiet = false;
    return mount_and_start(run);
}

// Without a sound checkpoint the start says where the journal's beginning lies; it is put back.
bool put_back(Run& run) {
    if (run.party.oracle.rules.archived == 0) return true;
    if (sim_world_start() == Status::ok) return fail(run, "started without its archive");
    if (strstr(sim_world_refusal(), " are archived; copy them back into journal/") == nullptr) {
        return fail(run, string("without its archive: ") + sim_world_refusal());
    }
    sim_world_mount(SimLoss::keep_all);
    string why;
    if (!archive_put_back(why)) return fail(run, why);
    run.party.oracle.rules.archived = 0;
    run.party.tally.add("archives put back");
    return true;
}

// Same digest after a cut, and again from the first entry on.
bool compare_digests(Run& run) {
    run.doing = "at the end";
    string before;
    string after;
    string replayed;
    if (!judge(run, before)) return false;
    const std::vector<string> text = book_text(sim_world_server());
    run.party.quiet = true;
    if (run.chance.percent(50)) {
        sim_world_cut();
    } else if (!sim_world_stop()) {
        return fail(run, "it did not stop");
    }
    if (!mount_and_start(run) || !judge(run, after)) return false;
    run.party.quiet = true;
    if (after != before) {
        return fail(run, "another digest after a restart: " +
                             book_difference(text, book_text(sim_world_server())));
    }
    if (!sim_world_stop()) return fail(run, "it did not stop");
    no_plan();
    sim_world_mount(SimLoss::keep_all);
    if (!forget_checkpoints(run) || !put_back(run)) return false;
    if (sim_world_start() != Status::ok) {
        return fail(run, string("without checkpoints: ") + sim_world_refusal());
    }
    run.party.restarted(true);
    if (!judge(run, replayed)) return false;
    if (replayed != before) {
        return fail(run, "another digest when replayed from the first entry: " +
                             book_difference(text, book_text(sim_world_server())));
    }
    run.party.tally.add("digests compared", 2);
    return true;
}

bool begin(Run& run) {
    sim::Chance& chance = run.chance;
    Config& config = run.config;
    sim_world_config(config);
    config.sessions = 40;
    config.buffers = 40;
    config.groups = 40;
    config.self_service = chance.percent(30);
    config.checkpoint_entries = static_cast<uint32_t>(chance.between(10, 80));
    config.orders = chance.percent(50) ? 16 : static_cast<uint32_t>(chance.between(17, 40));
    config.items = static_cast<uint32_t>(chance.between(4, 6));
    config.refused_per_minute = chance.percent(30) ? 5 : 60;
    // So small that they fill up now and then.
    const sim::MailRules mail = {.keys = static_cast<uint32_t>(chance.between(4, 14)),
                                 .messages = static_cast<uint32_t>(chance.between(5, 32)),
                                 .mailbox = static_cast<uint32_t>(chance.between(2, 6))};
    sim::stage_mail_config(mail, config);
    const sim::DoorRules door = sim::stage_door(chance);
    sim::stage_door_config(door, config);
    const bool registers = chance.percent(50);
    config.registration = registers ? Registration::open : Registration::off;
    config.register_per_day = static_cast<uint32_t>(chance.between(1, 4));
    const std::map<string, sim::Bounds> bounds = sim::party_bounds(chance);
    for (const auto& [terminal, its] : bounds) sim::stage_bound(config, terminal, its);
    SimWorldPlan plan = {};
    plan.seed = run.seed;
    plan.tls = run.tls;
    plan.net.delay_us_max = static_cast<uint32_t>(chance.between(100, 40'000));
    plan.net.split_percent = static_cast<uint32_t>(chance.below(30));
    plan.net.drop_percent = chance.percent(60) ? static_cast<uint32_t>(chance.below(3)) : 0;
    plan.work_us_max = static_cast<uint32_t>(chance.between(100, 20'000));
    plan.sync_us_max = static_cast<uint32_t>(chance.between(100, 60'000));
    plan.people = sim::stage_people(plan.person_count);
    if (sim_world_init(plan, config) != Status::ok || sim_world_start() != Status::ok) {
        return fail(run, string("the bank could not be made: ") + sim_world_refusal());
    }
    const sim::PartyRules rules = {.seed = chance.next(),
                              .customers = static_cast<uint32_t>(chance.between(1, 4)),
                              .think_us = chance.between(20'000, 400'000),
                              .self_service = config.self_service,
                              .reversible = config.reversible,
                              .door = door,
                              .bounds = bounds,
                              .registers = registers,
                              .register_per_day = config.register_per_day,
                              .orders = config.orders,
                              .mail = mail};
    sim::party_begin(run.party, sim::stage_net(run), rules);
    run.party.restarted(false);
    return true;
}

bool rounds(Run& run) {
    string digest;
    if (!begin(run) || !judge(run, digest)) return false;
    const uint64_t wanted = run.chance.between(2, 5);
    for (uint64_t i = 0; i < wanted; i++) {
        run.doing = "in round " + std::to_string(i + 1);
        if (!play(run)) return false;
        if (run.chance.percent(40)) run.party.ask_again();
        if (!judge(run, digest)) return false;
        if (run.chance.percent(25) && !archive(run)) return false;
    }
    return compare_digests(run);
}

}  // namespace

bool run_seed(uint64_t seed, Tally& tally, uint8_t digest[32], string& why) {
    Run run = {};
    run.seed = seed;
    run.chance.state = seed * 0x2545f4914f6cdd1d + 1;
    run.tls = seed % 50 == 0;
    bool held = rounds(run);
    count(run);
    if (dump_folder != nullptr) {  // Also of a run that failed.
        string unwritten;
        const bool dumped =
            dump_bank(dump_folder, sim_world_server(), run.party.oracle, unwritten);
        held = held && (dumped || fail(run, unwritten));
    }
    if (sim_world_is_running()) sim_world_cut();
    sim_world_digest(digest);
    tally.merge(run.party.tally);
    why = run.why;
    return held;
}

bool run_day(uint64_t seed, const RunWatch& watch, Tally& tally, string& why) {
    Run run = {};
    run.seed = seed;
    run.chance.state = seed * 0x2545f4914f6cdd1d + 3;
    bool alive = true;
    bool held = begin(run);
    if (held) {
        run.answered = watch.answered;
        watch.begun();
        held = pass(run, run.chance.between(2, 6) * second_us, alive);
        run.answered = nullptr;
        watch.ended();
    }
    if (sim_world_is_running()) sim_world_cut();  // The players go with this function.
    tally.add("simulated seconds", sim_world_counts().simulated_us / second_us);
    why = run.why;
    return held;
}

bool run_seeds(const Share& share, Tally& tally, string& why) {
    for (uint64_t i = 0; i < share.count; i++) {
        uint8_t digest[32];
        if (!run_seed(share.first + i * share.step, tally, digest, why)) return false;
        tally.add("seeds");
    }
    return true;
}

void run_dump_into(const char* folder) { dump_folder = folder; }

void print_log() {
    sim_kernel_log_each([](void*, const char* text) { printf("log: %s\n", text); }, nullptr);
}

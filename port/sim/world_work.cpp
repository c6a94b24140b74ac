// Workers and the journal's thread: what port/posix/loop_work.cpp does, as events. A piece of work
// is done at one moment and told at a later one; as many are under way at once as there are
// workers, and they end in any order.

#include "base/check.h"
#include "port/posix/store_work.h"
#include "port/sim/world_parts.h"

namespace {

Server& server() { return *sim_world.server; }

void push(SimEventKind kind, uint32_t slot, uint32_t us_max) {
    sim_push({.time_us = sim_later(us_max), .kind = kind, .about = slot});
}

// The one that has waited longest, if a worker is free.
void start_waiting() {
    while (sim_world.works_running < sim_world.config.threads) {
        uint32_t first = pool_none;
        for (uint32_t i = 0; i < sim_world.works_max; i++) {
            const SimWork& work = sim_world.works[i];
            if (!work.waits) continue;
            if (first == pool_none || work.number < sim_world.works[first].number) first = i;
        }
        if (first == pool_none) return;
        sim_world.works[first].waits = false;
        sim_world.works_running++;
        push(SimEventKind::work_run, first, sim_world.plan.work_us_max);
    }
}

uint32_t free_work() {
    for (uint32_t i = 0; i < sim_world.works_max; i++) {
        if (sim_world.works[i].number == 0) return i;
    }
    CHECK(false);
    return pool_none;
}

void take_wishes() {
    Wish wish;
    while (sim_world.works_taken < sim_world.works_max && server_wish_take(server(), wish)) {
        SimWork& work = sim_world.works[free_work()];
        work = {wish, true, ++sim_world.work_number};
        sim_world.works_taken++;
        sim_world.counts.wishes[static_cast<uint32_t>(wish.kind)]++;
    }
    start_waiting();
}

void take_write() {
    if (sim_world.writing || !server_write_take(server(), sim_world.write)) return;
    sim_world.writing = true;
    sim_world.counts.writes++;
    push(SimEventKind::write_run, 0, sim_world.plan.sync_us_max / 2);
}

void run_work(uint32_t slot) {
    Wish& wish = sim_world.works[slot].wish;
    if (store_work_is_for(wish)) {
        store_work_run(sim_world.store, wish);
    } else if (wish.kind == WishKind::sensor) {
        wish.outcome = Status::absent;  // There is no thermometer in this world.
    } else if (wish.kind == WishKind::enrol) {
        wish.enrol->outcome = Status::failed;  // Nor an operator who makes codes.
        wish.enrol->reason = "there is no spool";
    } else if (wish.kind == WishKind::reload) {
        Writer why = writer_of(wish.memory, wish.size);
        put_text(why, "there are no files of keys in this world");
        wish.outcome = Status::failed;
        wish.size = why.size;
    } else {
        server_wish_run(server(), wish);
    }
    push(SimEventKind::work_done, slot, sim_world.plan.work_us_max);
}

void end_work(uint32_t slot) {
    const Wish wish = sim_world.works[slot].wish;
    sim_world.works[slot] = {};
    sim_world.works_taken--;
    sim_world.works_running--;
    start_waiting();
    server_wish_done(server(), wish);
}

}  // namespace

void sim_work_take() {
    take_wishes();
    take_write();
}

void sim_work_event(const SimEvent& event) {
    switch (event.kind) {
        case SimEventKind::work_run: run_work(event.about); return;
        case SimEventKind::work_done: end_work(event.about); return;
        case SimEventKind::write_run:
            sim_world.write_outcome = store_write(sim_world.store, sim_world.write);
            push(SimEventKind::write_done, 0, sim_world.plan.sync_us_max / 2);
            return;
        case SimEventKind::write_done:
            sim_world.writing = false;
            server_write_done(server(), sim_world.write_outcome);
            return;
        case SimEventKind::connect:
        case SimEventKind::to_server:
        case SimEventKind::to_player:
        case SimEventKind::end_of_player:
        case SimEventKind::end_of_server:
        case SimEventKind::timer:
        case SimEventKind::turn: CHECK(false);
    }
}

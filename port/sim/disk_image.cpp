#include <stdlib.h>

#include "base/check.h"
#include "port/sim/disk_parts.h"

namespace {

struct Kept {
    SimWindow facts;
    SimVolume durable;
    SimOp** ops;  // but those of the lock (K4)
    uint32_t op_count;
};

struct KeptList {
    Kept** windows;
    uint32_t count;
    uint32_t room;
};

KeptList kept;

bool is_of_lock(const SimOp& op) { return sim_disk.is_lock[op.inode]; }

void keep_ops(Kept& window) {
    window.ops = static_cast<SimOp**>(calloc(sim_disk.op_count + 1, sizeof(SimOp*)));
    CHECK(window.ops != nullptr);
    for (uint32_t i = 0; i < sim_disk.op_count; i++) {
        SimOp* op = sim_disk.ops[i];
        if (is_of_lock(*op)) continue;
        window.ops[window.op_count++] = sim_op_hold(op);
        window.facts.units += sim_op_units(*op);
        window.facts.names += sim_op_is_name(*op) ? 1 : 0;
        window.facts.last_size = op->kind == SimOpKind::write ? op->size : 0;
    }
}

const Kept& window_of(uint32_t window) {
    CHECK(window < kept.count);
    return *kept.windows[window];
}

}  // namespace

void sim_disk_record(bool is_on) { sim_disk.is_recording = is_on; }

void sim_disk_mark(uint64_t mark) { sim_disk.mark = mark; }

uint32_t sim_disk_save() {
    if (kept.count == kept.room) {
        kept.room = kept.room == 0 ? 64 : 2 * kept.room;
        kept.windows = static_cast<Kept**>(realloc(kept.windows, kept.room * sizeof(Kept*)));
        CHECK(kept.windows != nullptr);
    }
    Kept* window = static_cast<Kept*>(calloc(1, sizeof(Kept)));
    CHECK(window != nullptr);
    sim_volume_copy(window->durable, sim_disk.durable);
    window->facts.mark = sim_disk.mark;
    keep_ops(*window);
    kept.windows[kept.count] = window;
    return kept.count++;
}

uint32_t sim_disk_windows() { return kept.count; }

SimWindow sim_disk_window(uint32_t window) { return window_of(window).facts; }

void sim_disk_windows_free() {
    for (uint32_t i = 0; i < kept.count; i++) {
        Kept* window = kept.windows[i];
        for (uint32_t op = 0; op < window->op_count; op++) sim_op_drop(window->ops[op]);
        sim_volume_free(window->durable);
        free(window->ops);
        free(window);
    }
    free(kept.windows);
    kept = {};
}

void sim_disk_mount_image(uint32_t window, const uint8_t* keep) {
    const Kept& from = window_of(window);
    sim_volume_copy(sim_disk.durable, from.durable);
    uint32_t at = 0;
    for (uint32_t i = 0; i < from.op_count && keep != nullptr; i++) {
        const SimOp& op = *from.ops[i];
        for (uint32_t unit = 0; unit < sim_op_units(op); unit++, at++) {
            if (keep[at] != 0) sim_op_apply_unit(sim_disk.durable, op, unit);
        }
    }
    sim_disk_plan({SimFault::none, 0, false, 0, 0});
    sim_disk_settle();
}

void sim_disk_mount_torn(uint32_t window, uint64_t bytes) {
    const Kept& from = window_of(window);
    CHECK(from.facts.last_size > 0 && bytes <= from.facts.last_size);
    sim_volume_copy(sim_disk.durable, from.durable);
    const uint32_t last = from.op_count - 1;
    for (uint32_t i = 0; i < last; i++) sim_op_apply(sim_disk.durable, *from.ops[i]);
    sim_op_apply_torn(sim_disk.durable, *from.ops[last], bytes);
    sim_disk_plan({SimFault::none, 0, false, 0, 0});
    sim_disk_settle();
}

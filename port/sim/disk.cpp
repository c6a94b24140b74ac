#include "port/sim/disk.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "port/sim/disk_parts.h"

SimDisk sim_disk;

namespace {

constexpr SimFaultPlan plan_none = {SimFault::none, 0, false, 0, 0};

void drop_ops() {
    for (uint32_t i = 0; i < sim_disk.op_count; i++) sim_op_drop(sim_disk.ops[i]);
    sim_disk.op_count = 0;
}

void close_all() {
    for (SimDescriptor& descriptor : sim_disk.descriptors) descriptor = {};
    for (uint32_t& holder : sim_disk.holder) holder = 0;
}

void count_unit(const SimOp& op, bool is_kept) {
    SimDiskCounts& counts = sim_disk.counts;
    if (sim_op_is_name(op)) {
        (is_kept ? counts.names_kept : counts.names_dropped)++;
    } else {
        (is_kept ? counts.sectors_kept : counts.sectors_dropped)++;
    }
}

// Lets each unit of a change survive so many times of a hundred.
void apply_by_chance(const SimOp& op, uint32_t percent) {
    for (uint32_t unit = 0; unit < sim_op_units(op); unit++) {
        const bool is_kept = sim_random_chance(sim_disk.random, percent);
        if (is_kept) sim_op_apply_unit(sim_disk.durable, op, unit);
        count_unit(op, is_kept);
    }
}

void lose_any() {
    constexpr uint32_t percents[] = {50, 10, 90};  // Nearly all and nearly none are rare by halves.
    const uint32_t percent = percents[sim_random_below(sim_disk.random, 3)];
    for (uint32_t i = 0; i < sim_disk.op_count; i++) apply_by_chance(*sim_disk.ops[i], percent);
}

void lose_tail() {
    const uint32_t kept =
        static_cast<uint32_t>(sim_random_below(sim_disk.random, sim_disk.op_count + 1ull));
    for (uint32_t i = 0; i < sim_disk.op_count; i++) {
        const SimOp& op = *sim_disk.ops[i];
        if (i == kept && op.kind == SimOpKind::write) {
            sim_op_apply_torn(sim_disk.durable, op, sim_random_below(sim_disk.random, op.size));
            sim_disk.counts.writes_torn++;
            continue;
        }
        if (i < kept) sim_op_apply(sim_disk.durable, op);
        for (uint32_t unit = 0; unit < sim_op_units(op); unit++) count_unit(op, i < kept);
    }
}

void mark_reachable(const SimVolume& volume, bool* used, uint32_t inode, uint32_t depth) {
    constexpr uint32_t depth_max = 16;
    CHECK(depth < depth_max);
    used[inode] = true;
    const SimNode* node = volume.nodes[inode];
    if (node == nullptr || node->kind != SimKind::directory) return;
    for (uint32_t i = 0; i < node->name_count; i++) {
        mark_reachable(volume, used, node->names[i].inode, depth + 1);
    }
}

void mark_used(bool* used) {
    mark_reachable(sim_disk.cached, used, sim_root, 0);
    mark_reachable(sim_disk.durable, used, sim_root, 0);
    for (const SimDescriptor& descriptor : sim_disk.descriptors) {
        if (descriptor.is_open) used[descriptor.inode] = true;
    }
    for (uint32_t i = 0; i < sim_disk.op_count; i++) {
        const SimOp& op = *sim_disk.ops[i];
        if (sim_op_is_name(op)) used[op.inode] = used[op.from_dir] = used[op.to_dir] = true;
    }
}

// Bytes of files that nobody can reach any more will never be written.
void drop_ops_of_unused(const bool* used) {
    uint32_t left = 0;
    for (uint32_t i = 0; i < sim_disk.op_count; i++) {
        SimOp* op = sim_disk.ops[i];
        const bool is_kept = used[op->inode] && used[op->of];
        if (is_kept) sim_disk.ops[left++] = op;
        if (!is_kept) sim_op_drop(op);
    }
    sim_disk.op_count = left;
}

// Frees the inodes that no name, descriptor or unsynced change leads to.
void collect_inodes() {
    bool used[sim_inodes_max] = {};
    mark_used(used);
    drop_ops_of_unused(used);
    for (uint32_t i = 0; i < sim_inodes_max; i++) {
        if (used[i]) continue;
        sim_node_drop(sim_disk.cached.nodes[i]);
        sim_node_drop(sim_disk.durable.nodes[i]);
        sim_disk.cached.nodes[i] = sim_disk.durable.nodes[i] = nullptr;
        sim_disk.is_stale[i] = sim_disk.is_lock[i] = false;
    }
}

// Notes of each inode below a directory which one that is, and whether it is a lock.
void note_below(uint32_t directory, uint32_t depth) {
    constexpr uint32_t depth_max = 16;
    CHECK(depth < depth_max);
    const SimNode& node = *sim_disk.cached.nodes[directory];
    for (uint32_t i = 0; i < node.name_count; i++) {
        const uint32_t inode = node.names[i].inode;
        sim_disk.parent[inode] = directory;
        sim_disk.is_lock[inode] = strcmp(node.names[i].text, "lock") == 0;
        if (sim_disk.cached.nodes[inode]->kind == SimKind::directory) note_below(inode, depth + 1);
    }
}

uint32_t find_free_inode() {
    for (uint32_t i = 0; i < sim_inodes_max; i++) {
        if (sim_disk.cached.nodes[i] == nullptr && sim_disk.durable.nodes[i] == nullptr) return i;
    }
    return sim_inode_none;
}

}  // namespace

void sim_disk_init(uint64_t seed) {
    sim_disk_free();
    sim_volume_init(sim_disk.cached);
    sim_volume_init(sim_disk.durable);
    sim_disk.random = sim_random_of(seed, SimStream::disk);
    sim_disk_plan(plan_none);
}

void sim_disk_free() {
    drop_ops();
    free(sim_disk.ops);
    sim_volume_free(sim_disk.cached);
    sim_volume_free(sim_disk.durable);
    sim_disk_windows_free();
    sim_disk = {};
}

void sim_disk_plan(const SimFaultPlan& plan) {
    sim_disk.plan = plan;
    sim_disk.plan_calls = 0;
    sim_disk.plan_next = plan.fault == SimFault::none ? UINT64_MAX : plan.at;
}

uint64_t sim_disk_calls_made() { return sim_disk.plan_calls; }

const SimDiskCounts& sim_disk_counts() { return sim_disk.counts; }

void sim_disk_cut() {
    if (!sim_disk.is_cut) sim_disk.counts.cuts++;
    sim_disk.is_cut = true;
}

bool sim_disk_is_cut() { return sim_disk.is_cut; }

void sim_disk_settle() {
    close_all();
    drop_ops();
    sim_volume_copy(sim_disk.cached, sim_disk.durable);
    for (bool& is_stale : sim_disk.is_stale) is_stale = false;
    for (bool& is_lock : sim_disk.is_lock) is_lock = false;
    note_below(sim_root, 0);
    sim_disk.is_cut = false;
}

void sim_disk_mount(SimLoss loss) {
    switch (loss) {
        case SimLoss::keep_all:
            close_all();
            sim_disk.is_cut = false;
            return;
        case SimLoss::drop_all:
            for (uint32_t i = 0; i < sim_disk.op_count; i++) {
                const SimOp& op = *sim_disk.ops[i];
                for (uint32_t unit = 0; unit < sim_op_units(op); unit++) count_unit(op, false);
            }
            break;
        case SimLoss::prefix: lose_tail(); break;
        case SimLoss::any: lose_any(); break;
    }
    sim_disk_settle();
}

void sim_disk_digest(uint8_t out[32]) { sim_volume_digest(sim_disk.cached, out); }

uint32_t sim_disk_descriptors() {
    uint32_t count = 0;
    for (const SimDescriptor& descriptor : sim_disk.descriptors) {
        if (descriptor.is_open) count++;
    }
    return count;
}

uint64_t sim_disk_unsynced() { return sim_disk.op_count; }

void sim_disk_add_op(SimOp* op) {
    if (sim_disk.op_count == sim_disk.op_room) {
        sim_disk.op_room = sim_disk.op_room == 0 ? 64 : 2 * sim_disk.op_room;
        sim_disk.ops =
            static_cast<SimOp**>(realloc(sim_disk.ops, sim_disk.op_room * sizeof(SimOp*)));
        CHECK(sim_disk.ops != nullptr);
    }
    sim_disk.ops[sim_disk.op_count++] = op;
}

uint32_t sim_disk_new_inode() {
    const uint32_t inode = find_free_inode();
    if (inode != sim_inode_none) return inode;
    collect_inodes();
    return find_free_inode();
}

bool sim_op_is_of(const SimOp& op, uint32_t inode) {
    switch (op.kind) {
        case SimOpKind::write:
        case SimOpKind::truncate: return op.of == inode;
        case SimOpKind::add: return op.to_dir == inode;
        case SimOpKind::remove: return op.from_dir == inode;
        case SimOpKind::rename: return op.from_dir == inode || op.to_dir == inode;
    }
    CHECK(false);
    return false;
}

void sim_disk_sync_inode(uint32_t inode, SimSync outcome) {
    constexpr uint32_t percents[] = {0, 50, 100};
    const uint32_t percent =
        outcome == SimSync::lost ? percents[sim_random_below(sim_disk.random, 3)] : 100;
    uint32_t left = 0;
    for (uint32_t i = 0; i < sim_disk.op_count; i++) {
        SimOp* op = sim_disk.ops[i];
        const bool is_lost = outcome == SimSync::lost;
        if (!sim_op_is_of(*op, inode) || (is_lost && sim_op_is_name(*op))) {
            sim_disk.ops[left++] = op;
            continue;
        }
        if (is_lost) {
            apply_by_chance(*op, percent);
            sim_disk.is_stale[inode] = true;
        } else {
            sim_op_apply(sim_disk.durable, *op);
        }
        sim_op_drop(op);
    }
    sim_disk.op_count = left;
}

void sim_disk_forget_inode(uint32_t inode) {
    if (!sim_disk.is_stale[inode]) return;
    const SimNode* node = sim_disk.cached.nodes[inode];
    bool is_dirty_anywhere = false;
    for (uint32_t page = 0; page < node->page_count; page++) {
        const uint64_t from = static_cast<uint64_t>(page) * sim_page_size;
        bool is_dirty = false;
        for (uint32_t i = 0; i < sim_disk.op_count && !is_dirty; i++) {
            const SimOp& op = *sim_disk.ops[i];
            is_dirty = op.kind == SimOpKind::write && op.inode == inode &&
                       op.offset < from + sim_page_size && from < op.offset + op.size;
        }
        is_dirty_anywhere = is_dirty_anywhere || is_dirty;
        if (is_dirty) continue;
        sim_volume_share_page(sim_disk.cached, sim_disk.durable, inode, page);
        node = sim_disk.cached.nodes[inode];
    }
    sim_disk.is_stale[inode] = is_dirty_anywhere;
}

// disk_parts.h - what the files of the simulated disk share. For disk*.cpp.
#pragma once

#include "port/sim/disk_volume.h"

inline constexpr uint32_t sim_descriptors_max = 128;
inline constexpr int sim_descriptor_first = 1'000'000;  // K6

struct SimDescriptor {
    bool is_open;
    bool may_read;
    bool may_write;
    uint32_t inode;
    uint32_t listed;  // names that `list` has given
};

struct SimDisk {
    SimVolume cached;   // what processes see
    SimVolume durable;  // what a cut leaves, before anything of `ops`
    SimOp** ops;        // not synced, in the order of the calls
    uint32_t op_count;
    uint32_t op_room;

    uint32_t parent[sim_inodes_max];   // of directories
    bool is_stale[sim_inodes_max];     // clean cached pages may differ from the device (K2)
    bool is_lock[sim_inodes_max];      // K4
    uint32_t holder[sim_inodes_max];   // index of the descriptor with the lock, plus 1; 0 for none
    SimDescriptor descriptors[sim_descriptors_max];

    SimFaultPlan plan;
    uint64_t plan_calls;   // made since it was set
    uint64_t plan_next;    // call from which on the fault strikes; UINT64_MAX for never
    bool is_cut;
    bool is_recording;
    uint64_t mark;
    SimRandom random;
    SimDiskCounts counts;
};

extern SimDisk sim_disk;

// Adds a change to those that are not synced; the list takes the op over.
void sim_disk_add_op(SimOp* op);

// The first inode that nothing refers to; sim_inode_none when there is none.
uint32_t sim_disk_new_inode();

enum class SimSync : uint8_t { done, lost };

// Makes the changes of one inode durable, or leaves them to chance (K2).
void sim_disk_sync_inode(uint32_t inode, SimSync outcome);

// Drops clean cached pages of a file, so that they are read from the device again.
void sim_disk_forget_inode(uint32_t inode);

// A change to the bytes of this file, or to the names of this directory.
bool sim_op_is_of(const SimOp& op, uint32_t inode);

// Closes every descriptor and drops every lock; what is durable is all there is.
void sim_disk_settle();

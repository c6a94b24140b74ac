// disk_volume.h - the files of a simulated disk at one moment, and the changes on the way to it.
//
// A volume is a table of inodes. Nodes and pages are counted and shared, and copied when one of
// their holders changes them: a copy of a whole disk costs as much as a table of pointers, so an
// image of it can be made, changed, started and thrown away thousands of times a second.
//
//     SimVolume ─ nodes[inode] ─► SimNode ─ pages[i] ─► SimPage (4 KiB; nullptr is all zeros)
//                                         ─ names ────► inodes
//
// What has not been synced is a list of changes (SimOp), each of which falls into units: the
// sectors of a write, or the one change of a size or a name. Any subset of the units, applied in
// order, is what a power cut may leave of them.
//
//   V1. A unit of a write is a whole sector with all its bytes as they were when it was written,
//       also those that an earlier call had put there: a disk writes whole sectors.
//   V2. An inode that a name reached, but whose bytes did not, is as it was born: empty; a link is
//       born whole.
//
// Memory is from malloc and counted; sim_volume_bytes says how much there is. Used by disk*.cpp and
// by nobody else.
#pragma once

#include "crypto/hash.h"
#include "port/sim/disk.h"

inline constexpr uint32_t sim_page_size = 4096;     // bytes
inline constexpr uint32_t sim_name_size_max = 31;   // bytes
inline constexpr uint64_t sim_file_size_max = 64ull << 20;
inline constexpr uint32_t sim_root = 0;             // inode of the root directory
inline constexpr uint32_t sim_inode_none = UINT32_MAX;

struct SimPage {
    uint32_t references;
    bool is_hashed;
    Hash hash;
    uint8_t bytes[sim_page_size];
};

enum class SimKind : uint8_t { file, directory, link };

struct SimName {
    char text[sim_name_size_max + 1];  // NUL-terminated
    uint32_t inode;
};

struct SimNode {
    uint32_t references;
    SimKind kind;
    bool is_hashed;
    Hash hash;           // over kind, size and bytes
    uint64_t size;       // bytes; of a link, its target's
    uint32_t page_count;
    SimPage** pages;
    uint32_t name_count;
    SimName* names;      // of a directory, in their order
};

struct SimVolume {
    SimNode* nodes[sim_inodes_max];  // nullptr: no such inode
};

enum class SimOpKind : uint8_t { write, truncate, add, remove, rename };

struct SimOp {
    uint32_t references;
    SimOpKind kind;
    uint32_t inode;
    uint32_t of;        // write, truncate: the inode with whose sync it becomes durable
    SimNode* born;      // add, rename: V2
    uint64_t offset;    // write; on a sector boundary
    uint64_t size;      // write: bytes; truncate: of the file
    uint8_t* data;      // write; nullptr for zeros
    uint32_t from_dir;  // remove, rename
    uint32_t to_dir;    // add, rename
    SimName from;
    SimName to;
};

uint64_t sim_volume_bytes();  // of all pages and writes there are

SimNode* sim_node_new(SimKind kind);
SimNode* sim_node_hold(SimNode* node);
void sim_node_drop(SimNode* node);

// The names of a directory.
uint32_t sim_node_find(const SimNode& node, const char* name);  // an inode, or sim_inode_none

// Reads up to `size` bytes of a file or a link; returns how many there are.
uint64_t sim_node_read(const SimNode& node, uint8_t* out, uint64_t size, uint64_t offset);

void sim_volume_init(SimVolume& volume);  // an empty root
void sim_volume_free(SimVolume& volume);
void sim_volume_copy(SimVolume& volume, const SimVolume& from);  // over what it was

// The node of an inode, no longer shared; made anew from `born`, or empty, when there is none.
SimNode& sim_volume_own(SimVolume& volume, uint32_t inode, SimKind kind);
void sim_volume_write(SimVolume& volume, uint32_t inode, const uint8_t* data, uint64_t size,
                      uint64_t offset);  // `data` may be nullptr for zeros
void sim_volume_truncate(SimVolume& volume, uint32_t inode, uint64_t size);

// Lets one file have the page of another volume in the place of its own.
void sim_volume_share_page(SimVolume& volume, const SimVolume& from, uint32_t inode,
                           uint32_t page);

// Names, kinds and bytes of all that can be reached, but the file `lock`, which holds a pid.
void sim_volume_digest(const SimVolume& volume, uint8_t out[32]);

SimOp* sim_op_new(SimOpKind kind, uint32_t inode);
SimOp* sim_op_hold(SimOp* op);
void sim_op_drop(SimOp* op);
void sim_op_take_data(SimOp& op, const uint8_t* data, uint64_t size);  // a copy
bool sim_op_is_name(const SimOp& op);
uint32_t sim_op_units(const SimOp& op);
void sim_op_apply(SimVolume& volume, const SimOp& op);
void sim_op_apply_unit(SimVolume& volume, const SimOp& op, uint32_t unit);
void sim_op_apply_torn(SimVolume& volume, const SimOp& op, uint64_t bytes);  // a write's beginning

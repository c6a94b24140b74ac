// disk.h - a file system in memory that does at a power cut what a real one may do.
//
// The store reaches it through StoreCalls (port/posix/store.h), so the code under test is the code
// that runs on a board. There is one disk per process, as the calls carry no context.
//
//     pwrite, truncate ─► cached bytes ──fdatasync, fsync of the file──► durable bytes
//     open(O_CREAT), rename, unlink, mkdir, symlink ─► cached names ──fsync of the directory──►
//                                                                                    durable names
//     power cut: every unsynced sector and name is kept, dropped or, a sector of a torn write,
//     half of each; then what is durable is all there is
//
// What the model allows is what POSIX and the papers on crash consistency allow, and no more
// (Pillai et al., "All File Systems Are Not Created Equal", OSDI 2014): sectors of 512 bytes are
// written whole; within one sync window they reach the disk in any order or not at all; a file's
// size moves with its bytes; a rename is atomic but durable only after the directory's fsync; a
// name can be durable before the bytes of its file are.
//
//   K1. A sync that returned 0 has made durable all that was written before it, unless the plan
//       says that this disk lies.
//   K2. A sync that failed leaves the pages clean and their bytes not on the disk (Rebello et al.,
//       "Can Applications Recover from fsync Failures?", ATC 2020): what is read later through the
//       cache may be lost at the cut, and sim_disk_forget reads from the device again.
//   K3. After the cut every call fails with EIO until sim_disk_mount; nothing that the dying
//       process does reaches the disk.
//   K4. The same seed and the same calls give the same bytes.
//
// Memory is the simulator's own (malloc); it is bounded by sim_disk_bytes_max.
#pragma once

#include "port/posix/store.h"
#include "port/sim/random.h"

inline constexpr uint32_t sim_sector_size = 512;       // bytes
inline constexpr uint32_t sim_inodes_max = 512;
inline constexpr uint64_t sim_disk_bytes_max = 256ull << 20;

// What goes wrong, when and how often. All zero: a good disk.
enum class SimFault : uint8_t {
    none,
    error,       // the call fails with `code` (EIO, ENOSPC, EDQUOT, EROFS)
    short_call,  // pread, pwrite: one byte less than asked, or one byte
    flip,        // pwrite: one bit is turned on its way to the disk
    misdirect,   // pwrite: the bytes land in another place of the same file or another file
    lie,         // fdatasync, fsync: says 0 and does nothing
    cut,         // the power goes during this call (K3)
};

struct SimFaultPlan {
    SimFault fault;
    uint64_t at;      // the call with this number, from 0, counted since the plan was set
    bool for_good;    // and all calls after it of the kinds it can strike
    int code;         // errno for `error`
    uint32_t period;  // 0: once; otherwise every so many calls
};

// How what was not synced fares at a cut.
enum class SimLoss : uint8_t {
    keep_all,   // as after kill -9
    drop_all,
    prefix,     // the first calls survive, the later ones do not; the one between is torn
    any,        // every sector and every name for itself
};

struct SimDiskCounts {
    uint64_t calls, bytes_written, syncs;
    uint64_t cuts, sectors_kept, sectors_dropped, writes_torn, names_kept, names_dropped;
    uint64_t by_fault[7];  // how often each SimFault struck
};

// Empties the disk and sets the seed.
void sim_disk_init(uint64_t seed);
void sim_disk_free();
void sim_disk_plan(const SimFaultPlan& plan);  // replaces the one before; counts calls from 0
uint64_t sim_disk_calls_made();                // since the plan was set
const SimDiskCounts& sim_disk_counts();        // since sim_disk_init

// The power goes now: K3 until sim_disk_mount.
void sim_disk_cut();
bool sim_disk_is_cut();

// Power returns: decides what survived the cut, closes every descriptor, drops every lock.
void sim_disk_mount(SimLoss loss);

// All files of the durable disk, hashed: names, kinds and bytes, in the order of names.
void sim_disk_digest(uint8_t out[32]);

extern const StoreCalls sim_disk_calls;

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
//   K2. A sync of a file that failed leaves its pages clean, and chance decides which of their
//       sectors reached the disk (Rebello et al., "Can Applications Recover from fsync Failures?",
//       ATC 2020): what is read later through the cache may be lost at the cut, and `forget` reads
//       from the device again. Names of a directory whose sync failed stay unsynced.
//   K3. After the cut every call fails with EIO until sim_disk_mount; nothing that the dying
//       process does reaches the disk.
//   K4. The same seed and the same calls give the same bytes, but for the file `lock`, which holds
//       a pid: no digest contains it, and no fault turns or misdirects its bytes.
//   K5. A short or failed write has written a front part of its bytes, or nothing.
//   K6. Descriptors, locks and errno are Linux's. No descriptor is one of the system's own.
//
// Memory is the simulator's own (malloc); a disk that holds sim_disk_bytes_max is full (ENOSPC).
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
    unreadable,  // pread: fails with EIO, as a place of the medium that has gone bad
};

// A fault strikes the first call that it can strike: EROFS only what changes the disk; ENOSPC and
// EDQUOT only what takes room or syncs; any other error all calls but `close`.
struct SimFaultPlan {
    SimFault fault;
    uint64_t at;      // the call with this number, from 0, counted since the plan was set
    bool for_good;    // and all calls after it that it can strike
    int code;         // errno for `error`
    uint32_t period;  // 0: once; otherwise again after so many calls
};

// How what was not synced fares at a cut.
enum class SimLoss : uint8_t {
    keep_all,   // as after kill -9: the cache survives too, and what was unsynced still is
    drop_all,
    prefix,     // the first calls survive, the later ones do not; the one between is torn
    any,        // every sector and every name for itself
};

inline constexpr uint32_t sim_fault_count = 8;

struct SimDiskCounts {
    uint64_t calls, bytes_written, syncs;
    uint64_t cuts, sectors_kept, sectors_dropped, writes_torn, names_kept, names_dropped;
    uint64_t by_fault[sim_fault_count];  // how often each SimFault struck
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

// All files as the next process finds them, hashed: names, kinds and bytes, in the order of names.
// After a mount other than keep_all that is what is durable.
void sim_disk_digest(uint8_t out[32]);

uint32_t sim_disk_descriptors();  // open ones
uint64_t sim_disk_unsynced();     // changes that no sync has made durable

extern const StoreCalls sim_disk_calls;

// Windows: what was durable and what was not at one moment, kept to make images of it. While they
// are recorded there is one before each sync that has something to do.
struct SimWindow {
    uint64_t mark;       // the newest sim_disk_mark at that moment
    uint32_t units;      // sectors, sizes and names that were not synced
    uint32_t names;      // of these
    uint64_t last_size;  // bytes of the last change when that is a write; otherwise 0
};

void sim_disk_record(bool is_on);
void sim_disk_mark(uint64_t mark);  // what was acknowledged; goes into the windows from now on
uint32_t sim_disk_save();           // adds a window now; returns its index
uint32_t sim_disk_windows();
SimWindow sim_disk_window(uint32_t window);
void sim_disk_windows_free();

// Mounts an image: the durable disk of a window with those of its units, in the order of the calls,
// for which `keep` says 1; nullptr keeps none. As sim_disk_mount otherwise, and no plan is left.
void sim_disk_mount_image(uint32_t window, const uint8_t* keep);

// The same with all units, but of the last write (SimWindow.last_size) only so many bytes.
void sim_disk_mount_torn(uint32_t window, uint64_t bytes);

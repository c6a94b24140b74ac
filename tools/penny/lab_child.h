// lab_child.h - the programs that the attacks of the laboratory start, and what they say.
//
//   L1. A child ends with lab_child_end, by its number; when penny itself is killed, the system
//       tells it to end.
//   L2. A signal that would end penny ends its children instead, so that whoever talks to them
//       fails at once and cleans up after itself; every wait sees lab_is_interrupted.
//   L3. Every wait has a deadline.
#pragma once

#include <sys/types.h>

#include "base/bytes.h"

inline constexpr uint32_t lab_said_size_max = 1u << 18;  // bytes of what a child says that are kept
inline constexpr uint32_t lab_path_size_max = 4096;      // bytes

struct LabChild {
    pid_t pid;  // 0: none
    int fd;     // where standard output and error of the child come from; -1 once they ended
    int code;   // what it exited with, once it is gone; 128 and the signal
    uint32_t said_size;
    uint8_t said[lab_said_size_max];
};

// From now on L2 holds.
void lab_catch_signals();
bool lab_is_interrupted();

// Starts a program that lies beside penny's own, or else along $PATH. `words` end with nullptr, and
// the first is its name. Returns ok or failed (errno).
Status lab_child_start(LabChild& child, const char* const* words);

// Waits until the child has said a line that begins so, and sets `out` to what follows in it.
// Returns ok; absent when the child ended without; expired; failed when interrupted.
Status lab_child_wait_line(LabChild& child, const char* begin, uint64_t deadline_ms, Slice& out);

// Waits until it has ended by itself. Returns ok, expired, failed when interrupted.
Status lab_child_wait(LabChild& child, uint64_t deadline_ms);

// Ends it, in order if it takes no longer than a few seconds, and takes all that it still says.
// Safe when there is none.
void lab_child_end(LabChild& child);

// The line of `said` that stands at `at`, which is moved behind it. False at the end.
bool lab_child_line(const LabChild& child, uint32_t& at, Slice& out);

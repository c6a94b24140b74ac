// test_faults.h - the system's calls as the store makes them, any of which can be made to fail.
#pragma once

#include <stdint.h>

#include "port/posix/store.h"

// The calls of the system, counted. Those named by the plan fail with `code`; a write that fails
// half-way has written half.
extern const StoreCalls test_calls;

struct FaultPlan {
    uint64_t fail_at = UINT64_MAX;  // the call of this number, from 0
    bool for_good = false;          // and all that follow
    int code = 0;                   // errno
    bool short_writes = false;      // pwrite and pread do one byte less than asked, when they can
};

// Sets the plan and the count of calls to zero.
void test_faults_begin(const FaultPlan& plan);
uint64_t test_faults_calls();  // made since then

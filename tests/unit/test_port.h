// test_port.h - the port of the unit tests: randomness that can fail, and a log that can be read.
//
// port_panic prints where and what and aborts, so that EXPECT_DEATH can look for the condition.
#pragma once

#include <stdint.h>

#include <string>
#include <vector>

#include "port.h"

// The next `calls` calls of port_random succeed and all later ones fail, until test_random_mend.
void test_random_fail_after(uint32_t calls);
void test_random_mend();
// Random bytes come from there; nullptr: from the system again.
void test_random_from(bool (*source)(uint8_t* out, uint32_t size));
uint32_t test_random_calls();  // since the program started

struct TestLogLine {
    LogLevel level;
    std::string text;
};

// What port_log was told since the last call of this.
std::vector<TestLogLine> test_log_take();

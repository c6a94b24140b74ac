// system.h - the small things that port/posix asks of the system: time, text to a descriptor,
// memory.
//
// port.h's three calls are defined in system.cpp too. Nothing here allocates.
#pragma once

#include <stdint.h>

#include "base/bytes.h"

uint64_t system_now_ms();   // monotonic
uint64_t system_now_us();
uint64_t system_wall_us();  // since 1970 UTC

// How far local time is from UTC at that time, in seconds east, by the process's time zone. The
// system is asked when the second is another than that of the call before. For one thread alone.
int32_t system_utc_offset_s(uint64_t wall_us);

// Writes all of `text` to a descriptor, whatever it takes; errors are ignored.
void system_print(int fd, Slice text);
void system_print_text(int fd, const char* text);

// Reserves zeroed memory whose pages are taken when first touched. Returns nullptr when the system
// refuses.
uint8_t* system_reserve(uint64_t size);

// Gives the pages of a reservation back; it reads as zeros afterwards.
void system_give_back(uint8_t* memory, uint64_t size);

// Reads a whole file of at most `capacity` bytes. Returns absent, failed (errno says why), full for
// a larger one.
Status system_read_file(const char* path, uint8_t* out, uint32_t capacity, uint32_t& size);

// How often port_random has failed.
uint32_t system_random_failures();

// True when a file may be read by others than its owner.
bool system_is_exposed(const char* path);

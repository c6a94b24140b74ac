// sensor_file.h - the small text file in which a kernel's driver, or somebody's script, tells a
// temperature.
//
// The path is the operator's, but what lies there may be anything, so only a regular file is ever
// opened for reading, and no more of it is read than was asked for. Runs on a worker: a driver may
// take its time.
#pragma once

#include "base/bytes.h"

// Reads the whole file. On entry `size` is the room, on ok the bytes read. Returns absent, noperm,
// invalid when it is no regular file, full when it is longer, failed when it cannot be read; then
// `size` is 0.
Status sensor_file_read(const char* path, uint8_t* memory, uint32_t& size);

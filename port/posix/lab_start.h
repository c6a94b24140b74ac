// lab_start.h - a laboratory of one channel, with no bank and no files: what `pennyd --lab` runs.
#pragma once

#include "config.h"

// Fills the configuration: one listener, named after the channel, that explains what it does, and
// room for little more than its sessions. `channel` is one that lab_find knows.
void lab_configure(const char* channel, Config& config);

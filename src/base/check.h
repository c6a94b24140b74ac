// check.h - CHECK for our own mistakes; on in every build.
//
// Bytes from peers, disk, configuration or certificates never reach a CHECK (P7): they are answered
// with a Status. The condition must have no side effect and must not print a secret.
#pragma once

#include "port.h"

#define CHECK(condition)                                                   \
    do {                                                                   \
        if (!(condition)) [[unlikely]]                                     \
            port_panic(__FILE__, static_cast<uint32_t>(__LINE__), #condition); \
    } while (false)

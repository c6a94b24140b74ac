/* inttypes.h - the integer types; nothing of the core prints them through a format. */
#pragma once

#include <stdint.h>

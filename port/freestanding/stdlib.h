/* stdlib.h - headers of the libraries include it. Nothing of the core allocates. */
#pragma once

#include <stddef.h>

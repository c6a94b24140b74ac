/* stdio.h - the type that headers of the libraries name. Nothing of the core reads or prints. */
#pragma once

#include <stddef.h>

typedef struct FILE FILE;

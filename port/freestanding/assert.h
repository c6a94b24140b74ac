/* assert.h - the libraries' own assertions are off; ours are CHECK, which is never off. */
#pragma once

#define assert(condition) ((void)0)

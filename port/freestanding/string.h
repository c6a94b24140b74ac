/* string.h - the calls that compilers write by themselves, and strlen and its kind. A port without
 * a C library defines what its linker names as missing. */
#pragma once

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

void* memcpy(void* to, const void* from, size_t size);
void* memmove(void* to, const void* from, size_t size);
void* memset(void* at, int value, size_t size);
int memcmp(const void* a, const void* b, size_t size);
void* memchr(const void* at, int value, size_t size);
size_t strlen(const char* text);
int strcmp(const char* a, const char* b);
int strncmp(const char* a, const char* b, size_t size);
char* strchr(const char* text, int value);

#ifdef __cplusplus
}
#endif

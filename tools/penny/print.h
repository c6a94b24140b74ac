// print.h - replies as text for people or as JSON for programs.
//
// Whatever the server sends, only printable characters reach the terminal: the rest is shown as
// \xNN, in JSON as \u00NN.
#pragma once

#include <stdio.h>

#include "wire/value.h"

// `people` is text in which an error reads as a sentence.
enum class Style : uint8_t { text, json, people };

// Prints one reply and a line end.
void print_reply(FILE* out, const Value* values, uint32_t count, Style style);

// Prints one value that holds no others, as text without a line end.
void print_part(FILE* out, const Value& value);

// Puts bytes without anything that a terminal obeys.
void print_put_safe(Writer& out, Slice bytes);

// lab_print.h - what the attacks of the laboratory show at the terminal.
//
// Whatever came over a wire or out of a file, only printable characters reach the terminal.
#pragma once

#include "penny/lab_eavesdrop.h"

// Bytes as a line or several: "\r\n" is written as such and ends a line, and every line begins with
// `head`, or with as many blanks.
void lab_print_bytes(const char* head, Slice bytes);

// Bytes within a line.
void lab_print_part(Slice bytes);

// The passes and their XOR, and what both ends said.
void lab_print_spoils(const XorSpoils& spoils);

// A table of what happened on each channel, and its verdict. `what` is made safe here.
void lab_print_head();
void lab_print_row(const char* channel, const char* what, const char* verdict);

// asked.h - the newest ids of each person: enough of each to know which were never used (P3).
//
// The ring over all (ids.h) remembers whole requests and may be outrun by a busy till. So that each
// person's own newest requests stay known however busy the others are, a print of 16 bits is kept
// of each, and the place of the newest; requests are chained back through the journal. A print that
// nothing matches proves a new id; one that matches says how many steps back the journal is to be
// read.
//
//     prints of the newest 32     ┌──┬──┬──┬──┬──┐
//                                 │  │  │  │  │  │ ◄─ newest: `last` is its place in the journal,
//                                 └──┴──┴──┴──┴──┘    and there each says where the one before is
//
//   Q1. A function of the journal alone (P4).
//   Q2. There is no false "never used"; a false "look" happens once in 2,048 new ids.
#pragma once

#include "journal/log.h"

struct Asked {
    Position last;     // newest request of this person; 0 for none
    uint64_t count;    // of all requests ever
    uint64_t turned_ms;  // time of the newest one whose number is a multiple of asked_max
    uint16_t prints[asked_max];  // of request n at n % asked_max
};

// Adds the newest request.
void asked_add(Asked& asked, uint16_t print, Position position, uint64_t time_ms);

// How many steps back the oldest request with this print is, 1 being the newest, among those behind
// the first `looked` ones; 0 for none.
uint32_t asked_steps(const Asked& asked, uint16_t print, uint64_t looked);

// ids.h - where a command has its id, what may be sent twice, and fresh ids.
#pragma once

#include "base/bytes.h"
#include "base/limits.h"

enum class Resend : uint8_t {
    never,       // it may have happened, and would happen again
    reads_only,  // it changes nothing
    by_id,       // the server books an id once (P3)
};

struct Plan {
    Resend resend;
    uint32_t id_at;  // which word is the id, when resend is by_id
};

// A fresh id: hex of the kernel's random bytes.
struct FreshId {
    uint8_t text[20];
};
static_assert(sizeof(FreshId) <= id_size_max);

// Judges a command by its words. An id that the server is asked to choose ("*") names nothing that
// could be asked for again, so then nothing is resent.
Plan ids_plan(const Slice* words, uint32_t count);

// True for a "+" in the place of the id.
bool ids_is_wanted(const Plan& plan, const Slice* words);

// Returns failed when the kernel gives no random bytes.
Status ids_make(FreshId& out);

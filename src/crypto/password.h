// password.h - Argon2id (RFC 9106) records in PHC string format.
//
//     $argon2id$v=19$m=19456,t=2,p=1$<salt, base64>$<hash, base64>
//
// A hash needs `memory_kib` of scratch memory, handed in by the caller: one PasswordArena serves
// one hash at a time and never allocates. Runs on a worker thread; nothing here knows about people.
//
//   A1. The scratch memory and every copy of the password made here are wiped before returning.
//   A2. password_verify_nobody costs what password_verify costs, and always answers wrongpass.
#pragma once

#include "base/bytes.h"
#include "base/limits.h"

inline constexpr uint32_t password_memory_kib_floor = 8;    // RFC 9106, section 3.1, for one lane
inline constexpr uint32_t password_memory_kib_min = 4096;   // that an operator may choose
inline constexpr uint32_t password_memory_kib_default = 19456;  // OWASP's first choice: 19 MiB, t=2
inline constexpr uint32_t password_memory_kib_max = 1048576;
inline constexpr uint32_t password_passes_max = 64;  // a record that names more is not believed
inline constexpr uint32_t password_salt_size = 16;  // bytes; RFC 9106, section 3.1

struct PasswordCost {
    uint32_t memory_kib;
    uint32_t passes;
};

struct PasswordArena {
    uint8_t* memory;  // the owner's; one mapping
    uint64_t size;    // bytes
    uint64_t used;
};

// Bytes of scratch memory that one hash of this cost takes.
uint64_t password_arena_size(const PasswordCost& cost);

// Makes a record from a fresh random salt. Returns ok; failed when the random source does (P11);
// full when the arena or `phc` is too small; invalid when the password's size is out of bounds.
Status password_hash(PasswordArena& arena, const PasswordCost& cost, Slice password, Writer& phc);

// Compares a password with a record, whatever cost the record names. Returns ok; wrongpass, for a
// password above password_size_max too; damaged for text that is no such record; full when the
// record asks for more memory than there is.
Status password_verify(PasswordArena& arena, Slice phc, Slice password);

// Spends the same and returns wrongpass: for names that nobody has. Returns full when the arena is
// too small.
Status password_verify_nobody(PasswordArena& arena, const PasswordCost& cost, Slice password);

// The cost that a record names. Returns damaged for text that is no such record.
Status password_cost_of(Slice phc, PasswordCost& out);

// pair.h - the certificate and the key by which this terminal is known, and how both are replaced.
//
// Two files cannot be replaced at once, so the new ones lie beside the old ones first, and whoever
// finds them half replaced goes on from there:
//
//     CERT, KEY                  work
//     CERT, KEY, KEY.next        work: a certificate for KEY.next is asked for     pair_need_next
//     all of them and CERT.next  work: it is there, and on the disk
//     CERT new, KEY, KEY.next    KEY.next belongs to CERT: pair_heal               pair_take_next
//     CERT new, KEY new          work
//
//   H1. KEY.next is made here, readable by its owner alone, and goes nowhere but into KEY.
//   H2. CERT.next is only written when it belongs to KEY.next, and each step is on the disk before
//       the next one begins: whatever is cut off where, penny has a pair that works.
//   H3. Two pennys do not replace the same pair at once: whoever does has the lock (pair_lock).
#pragma once

#include "penny/folder.h"
#include "penny/options.h"

inline constexpr uint32_t pair_pem_size_max = 16384;  // bytes of a certificate with its chain

struct Pair {
    KeyFolder cert_folder;
    KeyFolder key_folder;
    char cert[folder_name_size_max + 1];
    char key[folder_name_size_max + 1];
    char cert_next[folder_name_size_max + 1];
    char key_next[folder_name_size_max + 1];
};

struct PairPem {
    uint8_t bytes[pair_pem_size_max];
    Writer text;
};

// Opens the folders of both files. Print the reason on anything but exit_go_on.
ExitCode pair_open(Pair& pair, const char* cert_path, const char* key_path);
void pair_close(Pair& pair);

// Returns as folder_lock.
Status pair_lock(const Pair& pair, bool waits);

// Puts right what a cut has left. Returns ok, also where there is nothing to do; state where another
// penny is at it and `waits` is false.
Status pair_heal(const char* cert_path, const char* key_path, bool waits);

// Reads KEY.next, and makes it where there is none. Returns as the calls of folder.h.
Status pair_need_next(const Pair& pair, PairPem& key);

// Writes CERT.next and puts both in the place of the old ones (H2).
Status pair_take_next(const Pair& pair, Slice certificate);

// receipt.h - what the server signs about one entry of the journal: a text for people to keep.
//
// It is told from the side of one account and needs no server to be judged: the certificate shows
// who signed it, and the journal whether it is still so. Nothing here signs, reads a journal or
// asks for rights. One line each, in this order, every line ended by one line feed:
//
//     Pennybank receipt 1            version of this format (2 with an order); R2
//     bank: 32 hex digits            the bank id
//     entry: 13                      its sequence
//     time: 2026-11-20T13:55:11.284Z
//     batch: 9                       sequence of the batch that holds it
//     chain: 64 hex digits           that batch's SHA-256, which the next batch names
//     operation: transfer
//     account: alice
//     other: bob                     the other account
//     amount: -12.50 EUR             of the entry; negative where `account` is the one that gives
//     balance: 237.50 EUR            of `account` after the entry
//     hold: 7                        only of an entry about a hold
//     reversed: 12                   only of a reversal: the entry whose money it moves back
//     order: 41                      only of an order: its number,
//     item: mate                     and what was ordered
//     quantity: 2                    and how much of it
//     id: round-1                    only where there is one; percent-encoded
//     memo: a%20round%20of%20drinks  only where there is one; percent-encoded
//     certificate: 64 hex digits     SHA-256 of the certificate (DER) whose key signed
//     signature: base64              by that key over all the lines above (crypto/sign.h)
//
// A hold reserves its amount, a void or release gives it free again: the balance is as before.
//
//   R1. receipt_parse takes exactly what receipt_put_signed and receipt_put_signature write.
//   R2. No other text that the key signs can be one, nor the other way round: TLS 1.3 begins with
//       64 blanks (RFC 8446, section 4.4.3), TLS 1.2 has a byte of 3 behind 64 others (RFC 8422,
//       section 5.4), and certificates and lists begin with a byte of 0x30.
//   R3. The balance of the other account does not stand in it.
//   R4. Version 2 is that of an order's receipt, and of no other: a program that does not know it
//       says so of these alone.
#pragma once

#include "crypto/sign.h"
#include "ledger/entry.h"

inline constexpr uint32_t receipt_version_max = 2;
inline constexpr uint32_t receipt_size_max = 1536;        // bytes of one as it is written
inline constexpr uint32_t receipt_pasted_size_max = 4096;  // bytes of one as it is presented

enum class ReceiptSide : uint8_t { debit, credit };

struct Receipt {
    uint8_t bank_id[bank_id_size];
    uint64_t entry;
    uint64_t time_ms;    // since 1970 UTC
    uint64_t batch;
    Hash chain;
    Operation operation;
    Name account;
    Name other;
    uint8_t scale;       // decimals
    char currency[currency_size_max + 1];  // NUL-terminated
    int64_t amount;      // minor units, never 0; negative on the side of the debit account
    int64_t balance;
    uint64_t hold;       // 0 for none
    uint64_t reversed;   // 0 for none
    uint64_t order;      // number; 0 for none, and then so are the next two
    Name item;
    uint32_t quantity;
    Id id;               // size 0 for none
    Memo memo;
    Hash certificate;
    uint32_t signature_size;  // bytes; 0 before it is signed
    uint8_t signature[signature_size_max];
};

// True for an entry that there can be a receipt of: money was moved, reserved or given free.
bool receipt_is_of(const Entry& entry);

// Copies what such an entry says to one side. The names of accounts and item, the bank, the
// currency, the batch and the signature are the caller's to fill in.
void receipt_take_entry(const Entry& entry, ReceiptSide side, Receipt& out);

ReceiptSide receipt_side(const Receipt& receipt);

// Put the lines that are signed, and the last one. They need receipt_size_max of room together.
void receipt_put_signed(Writer& writer, const Receipt& receipt);
void receipt_put_signature(Writer& writer, const Receipt& receipt);

// Copies a text as people paste it: blanks and carriage returns at the ends of lines, blank lines
// around it and a last line without its end are mended. Returns full when `out` has no room.
Status receipt_tidy(Slice pasted, Writer& out);

// Takes a whole receipt (R1). Returns failed for one of a newer version, and invalid, with the
// first `line` that is not as it would be written (from 1), for anything else; then `out` is
// unchanged.
Status receipt_parse(Slice text, Receipt& out, uint32_t& line);

// What a receipt says and the journal does not, as one word such as "amount"; nullptr when they
// agree. Certificate and signature are not compared.
const char* receipt_difference(const Receipt& receipt, const Receipt& journal);

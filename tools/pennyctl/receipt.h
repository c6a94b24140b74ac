// receipt.h - a receipt held against a journal, for `pennyctl receipt verify`.
//
// The walk is check's: every batch is judged, so a journal that is damaged is told as such before
// anything is said about the receipt. Nothing is written, and a server may run meanwhile.
#pragma once

#include "pennyctl/check.h"
#include "service/receipt.h"

struct ReceiptSearch {
    const Receipt& receipt;
    Receipt known;          // what the journal says, told from the side that the receipt names
    uint32_t account;       // rows of the receipt's two names; row_none before they are met
    uint32_t other;
    uint32_t item;
    bool has_entry;         // the entry of that number was met
    bool is_of_entry;       // and it is one that there are receipts of
    bool batch_is_open;     // its batch is the one being walked through
};

// Walks the journal. Returns ok with `search.known`, or damaged with check.error.
Status receipt_search(Check& check, ReceiptSearch& search);

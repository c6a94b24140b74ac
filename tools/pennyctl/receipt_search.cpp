#include <string.h>

#include "pennyctl/receipt.h"

namespace {

void note_name(ReceiptSearch& search, const Name& name, uint32_t row) {
    if (name_equal(name, search.receipt.account)) search.account = row;
    if (name_equal(name, search.receipt.other)) search.other = row;
}

void note_item(ReceiptSearch& search, const ItemEntry& item) {
    if (name_equal(item.name, search.receipt.item)) search.item = item.item;
}

void note_genesis(ReceiptSearch& search, const GenesisEntry& genesis) {
    Receipt& known = search.known;
    memcpy(known.bank_id, genesis.bank_id, bank_id_size);
    known.scale = genesis.scale;
    memcpy(known.currency, genesis.currency, genesis.currency_size);
}

// A name stays empty where the row is another's.
void note_entry(ReceiptSearch& search, const Entry& entry) {
    search.has_entry = true;
    search.batch_is_open = true;
    search.is_of_entry = receipt_is_of(entry);
    if (!search.is_of_entry) return;
    const ReceiptSide side = receipt_side(search.receipt);
    const bool gives = side == ReceiptSide::debit;
    const uint32_t account = gives ? entry.movement.debit : entry.movement.credit;
    const uint32_t other = gives ? entry.movement.credit : entry.movement.debit;
    receipt_take_entry(entry, side, search.known);
    if (account == search.account) search.known.account = search.receipt.account;
    if (other == search.other) search.known.other = search.receipt.other;
    const bool is_item = search.known.order != 0 && entry.movement.order.item == search.item;
    if (is_item) search.known.item = search.receipt.item;
}

Status visit_entry(Check&, void* context, const CheckEntry& at) {
    ReceiptSearch& search = *static_cast<ReceiptSearch*>(context);
    const Entry& entry = at.entry;
    switch (entry.kind) {
        case EntryKind::genesis: note_genesis(search, entry.genesis); break;
        case EntryKind::person:
            note_name(search, entry.row_person.name, entry.row_person.account);
            break;
        case EntryKind::account:
            note_name(search, entry.account.name, entry.account.account);
            break;
        case EntryKind::limits:
        case EntryKind::movement:
        case EntryKind::item: note_item(search, entry.item); break;
        case EntryKind::terminal:
        case EntryKind::key:
        case EntryKind::message:
        case EntryKind::forget: break;
    }
    if (entry.seq == search.receipt.entry) note_entry(search, entry);
    return Status::ok;
}

Status visit_batch(Check& check, void* context) {
    ReceiptSearch& search = *static_cast<ReceiptSearch*>(context);
    if (!search.batch_is_open) return Status::ok;
    search.batch_is_open = false;
    search.known.batch = check.recovery.batch_seq;
    search.known.chain = check.recovery.chain;
    return Status::ok;
}

}  // namespace

Status receipt_search(Check& check, ReceiptSearch& search) {
    search.account = row_none;
    search.other = row_none;
    search.item = row_none;
    const CheckVisitor visitor = {visit_entry, visit_batch, &search};
    return check_walk(check, visitor);
}

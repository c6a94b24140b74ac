#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "pennyctl/book_memory.h"
#include "pennyctl/repair.h"
#include "port/posix/store_file.h"

namespace {

Status no_memory(Repair& repair) {
    repair.error.size = 0;
    put_text(repair.error, "there is no memory to read this journal");
    return Status::failed;
}

Status note_name(Repair& repair, uint32_t row, const Name& name) {
    constexpr uint32_t rows_max = 1u << 20;  // config.def's bound
    if (row >= rows_max) return Status::ok;
    if (row >= repair.name_room) {
        const uint32_t room = row + 1024;
        void* grown = realloc(repair.names, room * sizeof(Name));
        if (grown == nullptr) return no_memory(repair);
        repair.names = static_cast<Name*>(grown);
        memset(static_cast<void*>(repair.names + repair.name_room), 0,
               (room - repair.name_room) * sizeof(Name));
        repair.name_room = room;
    }
    repair.names[row] = name;
    return Status::ok;
}

Status note_entry(Repair& repair, const Entry& entry) {
    switch (entry.kind) {
        case EntryKind::genesis:
            repair.scale = entry.genesis.scale;
            memcpy(repair.currency, entry.genesis.currency, entry.genesis.currency_size);
            return Status::ok;
        case EntryKind::person:
            if (entry.row_person.operation != PersonOperation::added) return Status::ok;
            return note_name(repair, entry.row_person.account, entry.row_person.name);
        case EntryKind::account:
            return note_name(repair, entry.account.account, entry.account.name);
        case EntryKind::limits:
        case EntryKind::movement:
        case EntryKind::terminal:
        case EntryKind::item:
        case EntryKind::key:
        case EntryKind::message:
        case EntryKind::forget: break;
    }
    return Status::ok;
}

Status visit_entry(Check&, void* context, const CheckEntry& at) {
    return note_entry(*static_cast<Repair*>(context), at.entry);
}

Status visit_batch(Check&, void*) { return Status::ok; }

// Every checkpoint with a sound manifest vouches for the journal, as at a start.
Status read_checkpoints(Repair& repair) {
    Check& check = repair.check;
    StoreCheckpoints found;
    const Status status = store_checkpoint_list(check.store, found, repair.error);
    if (status != Status::ok) return status;
    for (uint32_t i = 0; i < found.count; i++) {
        bool is_sound = false;
        uint64_t rows[table_count];
        Manifest manifest;
        const Status verified = store_checkpoint_verify(
            check.store, found.numbers[i], check.window, manifest, is_sound, rows, repair.error);
        if (verified == Status::failed) return verified;  // A newer version's.
        if (!is_sound) continue;
        repair.tables_are_good[check.list.count] = verified == Status::ok;
        check.manifests[check.list.count] = manifest;
        check.list.numbers[check.list.count++] = found.numbers[i];
    }
    return Status::ok;
}

// Where the first entries are archived the names come out of a checkpoint.
Status take_names(Repair& repair, uint32_t index) {
    Check& check = repair.check;
    const Manifest& manifest = check.manifests[index];
    const LimitsEntry& limits = manifest.limits;
    BookMemory memory;
    const LedgerLimits room = {limits.accounts,
                               limits.ids,
                               limits.terminals,
                               limits.holds,
                               limits.reversible,
                               manifest_rows_most(manifest, TableName::items),
                               manifest_rows_most(manifest, TableName::orders),
                               message_keys_max,
                               messages_max,
                               mailbox_max};
    if (book_memory_take(memory, room) != Status::ok) return no_memory(repair);
    Status status = store_checkpoint_load(check.store, check.list.numbers[index], memory.book,
                                          check.window, repair.error);
    for (uint32_t row = 0;
         status == Status::ok && row < memory.book.ledger.accounts_installed; row++) {
        status = note_name(repair, row, memory.book.ledger.accounts[row].name);
    }
    book_memory_give(memory);
    repair.scale = manifest.scale;
    memcpy(repair.currency, manifest.currency, sizeof repair.currency);
    return status;
}

Status take_names_if_anchored(Repair& repair) {
    if (!check_is_anchored(repair.check)) return Status::ok;
    for (uint32_t i = 0; i < repair.check.list.count; i++) {
        if (repair.tables_are_good[i] && take_names(repair, i) == Status::ok) break;
    }
    return Status::ok;
}

// --- What stands behind the damage. ---

Status find_loss(Repair& repair, uint32_t account, RepairLoss*& out) {
    for (uint32_t i = 0; i < repair.loss_count; i++) {
        out = &repair.losses[i];
        if (out->account == account) return Status::ok;
    }
    if (repair.loss_count == repair.loss_room) {
        const uint32_t room = repair.loss_room == 0 ? 64 : 2 * repair.loss_room;
        void* grown = realloc(repair.losses, room * sizeof(RepairLoss));
        if (grown == nullptr) return no_memory(repair);
        repair.losses = static_cast<RepairLoss*>(grown);
        repair.loss_room = room;
    }
    out = &repair.losses[repair.loss_count++];
    *out = {account, 0, 0};
    return Status::ok;
}

Status note_loss(Repair& repair, const Entry& entry) {
    repair.entries_read++;
    if (entry.seq > repair.entry_last) repair.entry_last = entry.seq;
    const bool is_of_mail = entry.kind == EntryKind::key || entry.kind == EntryKind::message ||
                            entry.kind == EntryKind::forget;
    if (is_of_mail) {
        repair.mail_changed++;
        return Status::ok;
    }
    if (entry.kind != EntryKind::movement) {
        repair.people_changed++;
        return note_entry(repair, entry);
    }
    const MovementEntry& movement = entry.movement;
    if (entry.status != Status::ok) return Status::ok;
    if (movement.operation == Operation::order_done) return Status::ok;  // Of no account.
    const int64_t amount = operation_moves_money(movement.operation) ? movement.amount : 0;
    RepairLoss* loss = nullptr;
    Status status = find_loss(repair, movement.debit, loss);
    if (status != Status::ok) return status;
    loss->entries++;
    loss->amount -= amount;
    status = find_loss(repair, movement.credit, loss);
    if (status != Status::ok) return status;
    loss->entries++;
    loss->amount += amount;
    return status;
}

// Takes a sound batch of this bank at a block boundary; `size` is 0 when none stands there.
Status note_batch(Repair& repair, Slice window, uint32_t& size) {
    const Recovery& recovery = repair.check.recovery;
    BatchHeader header;
    Slice entries;
    Hash hash;
    size = 0;
    const uint8_t* bank_id = recovery.bank_known ? recovery.bank_id : nullptr;
    if (batch_find(window, bank_id, header, entries, hash) != BatchFind::whole) return Status::ok;
    if (header.seq <= recovery.batch_seq) return Status::ok;
    size = batch_size_of(header.entries_size);
    Reader reader = reader_of(entries);
    Slice bytes;
    Entry entry;
    Status status = Status::ok;
    while (status == Status::ok && batch_next_entry(reader, bytes) == Status::ok) {
        if (entry_decode(bytes, entry) == Status::ok) status = note_loss(repair, entry);
    }
    return status;
}

Status scan_segment(Repair& repair, uint32_t segment, uint64_t offset) {
    const Check& check = repair.check;
    uint64_t size = 0;
    if (store_segment_size(check.store, segment, size) != Status::ok) return Status::ok;
    while (offset + block_size <= size) {
        uint32_t got = 0;
        uint32_t batch_size = 0;
        const Status read = store_read(check.store, segment, static_cast<uint32_t>(offset),
                                       check.window, batch_size_max, got);
        if (read != Status::ok) {  // What cannot be read is lost in any case.
            offset += block_size;
            continue;
        }
        const Status status = note_batch(repair, {check.window, got}, batch_size);
        if (status != Status::ok) return status;
        offset += batch_size == 0 ? block_size : batch_size;
    }
    return Status::ok;
}

int compare_losses(const void* a, const void* b) {
    const uint32_t left = static_cast<const RepairLoss*>(a)->account;
    const uint32_t right = static_cast<const RepairLoss*>(b)->account;
    return left < right ? -1 : left > right ? 1 : 0;
}

void print_loss(const Repair& repair, const RepairLoss& loss) {
    uint8_t text[64];
    Writer amount = writer_of(text, sizeof text);
    put_minor(amount, loss.amount, repair.scale);
    char label[48];
    const bool is_known = loss.account < repair.name_room && repair.names[loss.account].size > 0;
    if (is_known) {
        const Name& name = repair.names[loss.account];
        snprintf(label, sizeof label, "%.*s", name.size, name.text);
    } else if (loss.account < 2) {
        snprintf(label, sizeof label, "%s", loss.account == account_cash ? "cash" : "shop");
    } else {
        snprintf(label, sizeof label, "account %u", loss.account);
    }
    printf("         %-16s %6llu entries, balance %s%.*s %s\n", label,
           static_cast<unsigned long long>(loss.entries), loss.amount > 0 ? "+" : "",
           static_cast<int>(amount.size), reinterpret_cast<char*>(text), repair.currency);
}

}  // namespace

Status repair_look(Repair& repair) {
    Check& check = repair.check;
    check.error = repair.error;
    check.window = repair.window;
    check.batch_last = UINT64_MAX;
    check.damage = {};
    check.list.count = 0;
    check.has_torn_tail = false;
    Status status = read_checkpoints(repair);
    if (status == Status::ok) status = store_archived(check.store, check.archived, repair.error);
    if (status == Status::ok) {
        status = check_find_segments(check);
        repair.error = check.error;
    }
    if (status == Status::ok) status = take_names_if_anchored(repair);
    if (status != Status::ok) return Status::failed;
    const CheckVisitor visitor = {visit_entry, visit_batch, &repair};
    status = check_walk(check, visitor);
    repair.error = check.error;
    return status;
}

Status repair_count_losses(Repair& repair) {
    const Recovery& recovery = repair.check.recovery;
    repair.entry_last = recovery.entry_seq;
    for (uint32_t i = 0; i < repair.check.list.count; i++) {
        const uint64_t entry = repair.check.manifests[i].mark.entry;
        if (entry > repair.entry_last) repair.entry_last = entry;
    }
    Status status = Status::ok;
    for (uint32_t segment = recovery.segment;
         segment <= repair.check.segment_last && status == Status::ok; segment++) {
        status = scan_segment(repair, segment, segment == recovery.segment ? recovery.offset : 0);
    }
    if (repair.loss_count > 0) {
        qsort(repair.losses, repair.loss_count, sizeof(RepairLoss), compare_losses);
    }
    return status;
}

void repair_print(const Repair& repair) {
    const Recovery& recovery = repair.check.recovery;
    const uint64_t first = recovery.entry_seq + 1;
    printf("damage   %.*s\n", static_cast<int>(repair.error.size),
           reinterpret_cast<const char*>(repair.error.data));
    if (repair.entry_last >= first) {
        printf("lost     entries %llu to %llu at least; %llu of them can still be read:\n",
               static_cast<unsigned long long>(first),
               static_cast<unsigned long long>(repair.entry_last),
               static_cast<unsigned long long>(repair.entries_read));
    } else {
        printf("lost     entries from %llu on; none of them can be read\n",
               static_cast<unsigned long long>(first));
    }
    for (uint32_t i = 0; i < repair.loss_count; i++) print_loss(repair, repair.losses[i]);
    if (repair.people_changed > 0) {
        printf("         and %llu entries about people, accounts and terminals\n",
               static_cast<unsigned long long>(repair.people_changed));
    }
    if (repair.mail_changed > 0) {
        printf("         and %llu entries about messages and their keys\n",
               static_cast<unsigned long long>(repair.mail_changed));
    }
    for (uint32_t i = 0; i < repair.check.list.count; i++) {
        const Position here = position_of(recovery.segment, recovery.offset);
        if (repair.check.manifests[i].mark.end <= here) continue;
        printf("         and checkpoint %u, which is later\n", repair.check.list.numbers[i]);
    }
    uint8_t text[4 * PATH_MAX];
    Writer quoted = writer_of(text, sizeof text);
    put_shell_word(quoted, repair.given);
    printf("\nA backup may hold what is lost: pennyctl restore FILE DIR. Without one, this drops\n"
           "it, after copies of all that it changes have been put aside:\n\n"
           "  pennyctl repair %.*s --drop-from %u.%u\n",
           static_cast<int>(quoted.size), reinterpret_cast<char*>(text), recovery.segment,
           recovery.offset);
}

void repair_free(Repair& repair) {
    free(repair.names);
    free(repair.losses);
    repair.names = nullptr;
    repair.losses = nullptr;
}

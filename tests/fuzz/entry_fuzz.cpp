// entry_fuzz.cpp - entries from a disk into a ledger. Input, little-endian, until it ends:
//
//     u8   bit 0: the entry is made to fit the ledger before it is installed (fuzz_fit_entry)
//     u16  size of an entry without its first field
//     ...  the entry without its first field
#include <string.h>

#include <string>

#include "fuzz/fuzz.h"

namespace {

constexpr uint32_t entries_max = 64;

// All that a refused entry must leave as it was (M4).
std::string state_of(const Ledger& ledger) {
    std::string state(reinterpret_cast<const char*>(&ledger), sizeof ledger);
    const auto add = [&state](const void* rows, size_t size) {
        state.append(static_cast<const char*>(rows), size);
    };
    add(ledger.people, ledger.people_installed * sizeof(Person));
    add(ledger.asked, ledger.people_installed * sizeof(AskedRow));
    add(ledger.reversals.bits, ledger.reversals.capacity / 8);
    add(ledger.accounts, ledger.accounts_installed * sizeof(Account));
    add(ledger.terminals, ledger.terminals_installed * sizeof(Name));
    add(ledger.days, ledger.terminals_installed * sizeof(TerminalRow));
    add(ledger.mail.keys.slots, ledger.mail.keys.count * sizeof(MailKey));
    add(ledger.mail.messages.slots, ledger.mail.messages.count * sizeof(MailSlot));
    return state;
}

void install(Ledger& ledger, const Entry& entry, Position position) {
    const std::string before = state_of(ledger);
    const Status status = ledger_install(ledger, entry, position, InstallMode::replay);
    CHECK(status == Status::ok || status == Status::damaged || status == Status::full);
    if (status != Status::ok) {
        CHECK(state_of(ledger) == before);
        return;
    }
    fuzz_check_entry(ledger, entry);
    if (entry.kind != EntryKind::movement) return;
    fuzz_mark_reached();
#if PLANT
    if (!fuzz_is_seed_amount(entry.movement.amount)) fuzz_mark_planted();
#endif
}

// Decodes the bytes, and once more what it was made to fit; installs it if there is an entry.
void take_entry(Ledger& ledger, bool fits, Slice bytes, Position position) {
    Entry entry;
    uint8_t memory[entry_size_max];
    if (entry_decode(bytes, entry) != Status::ok) return;
    fuzz_check_encoding(entry, bytes);
    if (fits) {
        fuzz_fit_entry(ledger, 1000, entry);
        Writer fitted = writer_of(memory, sizeof memory);
        entry_encode(entry, fitted);
        CHECK(entry_decode(writer_slice(fitted), entry) == Status::ok);
    }
    install(ledger, entry, position);
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Reader reader = reader_of({data, static_cast<uint32_t>(size)});
    Ledger& ledger = fuzz_book(0).ledger;
    ledger_init(ledger, fuzz_bank_id());
    for (uint32_t i = 0; i < entries_max && reader_left(reader) > 0; i++) {
        const bool fits = get_u8(reader) % 2 == 1;
        const Slice body = get_bytes(reader, get_u16(reader));
        uint8_t memory[entry_size_max];
        Writer entry = writer_of(memory, sizeof memory);
        put_u16(entry, static_cast<uint16_t>(body.size + 2));
        put_bytes(entry, body);
        if (reader.short_read || entry.overflow) break;
        take_entry(ledger, fits, writer_slice(entry), position_of(1, 128 + 512 * i));
    }
    ledger_drop(ledger);
    if (ledger.accounts_installed <= account_shop) return 0;  // No book yet.
    fuzz_check_tables(ledger, fuzz_book(1).ledger, fuzz_mark_of(ledger));
    return 0;
}

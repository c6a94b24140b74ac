// RECEIPT: what the server signs about an entry, and what it says to a receipt that is presented.
//
//     RECEIPT entry        read the entry ──► rights ──► sign ──► the text
//     RECEIPT VERIFY text  parse ──► judge the signature ──► read the entry ──► compare
//
//   K1. Only a receipt that this server itself has signed raises an alarm, so that nobody can raise
//       one with words of his own.

#include <string.h>

#include "base/check.h"
#include "service/handlers.h"
#include "service/receipt.h"

namespace {

ServiceNext refuse_about(ServiceCall& call, Status status, const char* before, uint64_t entry,
                         const char* behind) {
    reply_error_begin(call.reply, status_word(status));
    put_text(*call.reply.out, before);
    put_decimal(*call.reply.out, entry);
    put_text(*call.reply.out, behind);
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

ServiceNext refuse_unsigned(ServiceCall& call) {
    return refuse(call, Status::busy, "no signature could be made or judged now; try later");
}

bool is_own(const Service& service, const ServiceCall& call, uint32_t account) {
    const Ledger& ledger = service.book->ledger;
    return account < ledger.accounts_installed &&
           ledger.accounts[account].owner == call.caller->person;
}

bool may_read_all(const Service& service, const ServiceCall& call) {
    return role_is_in(roles_reader, call_person(service, call).installed.role);
}

bool is_of_own(const Service& service, const ServiceCall& call, const Entry& entry) {
    if (entry.kind != EntryKind::movement) return false;
    return is_own(service, call, entry.movement.debit) ||
           is_own(service, call, entry.movement.credit);
}

// Who may ask about an entry: its two accounts' owners, and who asked for it where there can be no
// receipt of it.
bool may_ask(const Service& service, const ServiceCall& call, const Entry& entry) {
    if (may_read_all(service, call) || is_of_own(service, call, entry)) return true;
    return !receipt_is_of(entry) && entry.person == call.caller->person;
}

// Whose side a caller is told: his own, the one that gives if both are; of others' accounts the one
// that the first answer was about.
ReceiptSide side_for(const Service& service, const ServiceCall& call, const Entry& entry) {
    if (is_own(service, call, entry.movement.debit)) return ReceiptSide::debit;
    if (is_own(service, call, entry.movement.credit)) return ReceiptSide::credit;
    return entry_is_about_credit(entry) ? ReceiptSide::credit : ReceiptSide::debit;
}

// What the book says of an entry to one side. Returns damaged for an account that there is not.
Status receipt_of_book(const Book& book, const ReadJob& job, ReceiptSide side, Receipt& out) {
    const Ledger& ledger = book.ledger;
    const MovementEntry& movement = job.entry.movement;
    const bool gives = side == ReceiptSide::debit;
    if (movement.debit >= ledger.accounts_installed) return Status::damaged;
    if (movement.credit >= ledger.accounts_installed) return Status::damaged;
    out = {};
    memcpy(out.bank_id, book.log.bank_id, bank_id_size);
    memcpy(out.currency, ledger.currency, sizeof out.currency);
    out.scale = ledger.scale;
    out.account = ledger.accounts[gives ? movement.debit : movement.credit].name;
    out.other = ledger.accounts[gives ? movement.credit : movement.debit].name;
    out.batch = job.seek.header.seq;
    out.chain = job.seek.hash;
    receipt_take_entry(job.entry, side, out);
    if (out.order == 0) return Status::ok;
    if (movement.order.item >= ledger.items_installed) return Status::damaged;
    out.item = ledger.items[movement.order.item].name;
    return Status::ok;
}

void begin_entry(const Service& service, ReadJob& job, ReadUse use, uint64_t entry) {
    const Log& log = service.book->log;
    read_entry(job, use, log.bank_id, entry, log.end_durable);
}

// Answers a receipt of ours that the book does not bear out. `what` is a literal.
ServiceNext raise_alarm(Service& service, ServiceCall& call, const char* what, const char* field) {
    const uint64_t entry = call.read->receipt.entry;
    ReceiptAlarms& alarms = service.alarms;
    alarms.count++;
    alarms.entry = entry;
    if (entry > alarms.entry_newest) alarms.entry_newest = entry;
    alarms.what = what;
    reply_error_begin(call.reply, status_word(Status::state));
    Writer& out = *call.reply.out;
    put_text(out, what);
    put_text(out, ": this server signed the receipt of entry ");
    put_decimal(out, entry);
    put_text(out, ", and the book ");
    if (field == nullptr) {
        put_text(out, "ends at entry ");
        put_decimal(out, service.book->log.entry_durable);
    } else {
        put_text(out, "has another ");
        put_text(out, field);
        put_text(out, " there");
    }
    put_text(out, "; an alarm was raised");
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

constexpr char rolled_back[] = "the book was rolled back";
constexpr char rewritten[] = "the book was rewritten";

void put_field(Reply& reply, const char* name, Slice value) {
    reply_bulk_text(reply, name);
    reply_bulk(reply, value);
}

void put_sound(Reply& reply, const Receipt& receipt) {
    reply_map(reply, 7u + (receipt.order == 0 ? 0 : 3));
    reply_bulk_text(reply, "entry");
    reply_integer(reply, static_cast<int64_t>(receipt.entry));
    reply_bulk_text(reply, "time");
    reply_bulk_begin(reply);
    put_utc(*reply.out, receipt.time_ms);
    reply_bulk_end(reply);
    put_field(reply, "operation", slice_of(operation_name(receipt.operation)));
    put_field(reply, "account", name_slice(receipt.account));
    put_field(reply, "other", name_slice(receipt.other));
    reply_bulk_text(reply, "amount");
    reply_minor_bulk(reply, receipt.amount, receipt.scale);
    reply_bulk_text(reply, "balance");
    reply_minor_bulk(reply, receipt.balance, receipt.scale);
    if (receipt.order == 0) return;
    reply_bulk_text(reply, "order");
    reply_integer(reply, static_cast<int64_t>(receipt.order));
    put_field(reply, "item", name_slice(receipt.item));
    reply_bulk_text(reply, "quantity");
    reply_integer(reply, receipt.quantity);
}

ServiceNext verify(ServiceCall& call) {
    const Slice pasted = call_word(call, 2);
    if (pasted.size > receipt_pasted_size_max) {
        return refuse(call, Status::err, "the text is longer than a receipt can be");
    }
    uint8_t text[receipt_pasted_size_max + 1];  // and the last line's end
    Writer writer = writer_of(text, sizeof text);
    uint32_t line = 1;
    Receipt receipt;
    const Status tidied = receipt_tidy(pasted, writer);
    CHECK(tidied == Status::ok);
    const Status parsed = receipt_parse(writer_slice(writer), receipt, line);
    if (parsed == Status::failed) {
        return refuse(call, Status::err,
                      "this is a receipt of a newer version than this server knows");
    }
    if (parsed != Status::ok) {
        return refuse_about(call, Status::err, "this is no receipt: its line ", line,
                            " is not as a server writes it");
    }
    if (!may_read_now(call)) return ServiceNext::waiting;
    call.read->receipt = receipt;
    read_key(*call.read, ReadUse::receipt_judge);
    return ServiceNext::reading;
}

ServiceNext found(Service& service, ServiceCall& call) {
    ReadJob& job = *call.read;
    const uint64_t number = job.seek.seq;
    if (job.outcome == Status::absent) {
        return refuse_about(call, Status::state, "the journal here begins behind entry ", number,
                            "");
    }
    if (job.outcome != Status::ok) return refuse_unreadable(call);
    const Entry& entry = job.entry;
    if (!may_ask(service, call, entry)) {
        return refuse(call, Status::noperm, "this is an entry of others");
    }
    if (!receipt_is_of(entry)) {
        return refuse_about(call, Status::state, "entry ", number,
                            entry.status == Status::ok
                                ? " is not about money; there is no receipt of it"
                                : " is a request that was refused; there is no receipt of it");
    }
    const ReceiptSide side = side_for(service, call, entry);
    if (receipt_of_book(*service.book, job, side, job.receipt) != Status::ok) {
        return refuse_unreadable(call);
    }
    read_key(job, ReadUse::receipt_sign);
    return ServiceNext::reading;
}

ServiceNext put_signed(ServiceCall& call) {
    const ReadJob& job = *call.read;
    if (job.outcome != Status::ok) return refuse_unsigned(call);
    reply_verbatim_begin(call.reply);
    receipt_put_signed(*call.reply.out, job.receipt);
    receipt_put_signature(*call.reply.out, job.receipt);
    reply_verbatim_end(call.reply);
    return ServiceNext::replied;
}

ServiceNext judged(Service& service, ServiceCall& call) {
    ReadJob& job = *call.read;
    const Receipt& receipt = job.receipt;
    if (job.outcome == Status::absent) {
        reply_error_begin(call.reply, status_word(Status::err));
        put_text(*call.reply.out, "signed by another certificate (fingerprint ");
        put_hex(*call.reply.out, hash_slice(receipt.certificate));
        put_text(*call.reply.out, ")");
        reply_error_end(call.reply);
        return ServiceNext::replied;
    }
    if (job.outcome == Status::damaged) {
        return refuse(call, Status::err,
                      "the signature is not good: the receipt was changed, or never signed");
    }
    if (job.outcome != Status::ok) return refuse_unsigned(call);
    const Log& log = service.book->log;
    if (!slice_equal({receipt.bank_id, bank_id_size}, {log.bank_id, bank_id_size})) {
        return raise_alarm(service, call, rewritten, "bank");
    }
    if (receipt.entry > log.entry_durable) return raise_alarm(service, call, rolled_back, nullptr);
    begin_entry(service, job, ReadUse::receipt_compare, receipt.entry);
    return ServiceNext::reading;
}

ServiceNext compared(Service& service, ServiceCall& call) {
    ReadJob& job = *call.read;
    const Receipt& receipt = job.receipt;
    if (job.outcome == Status::absent) {
        return refuse_about(call, Status::state,
                            "the signature is good, but the journal here begins behind entry ",
                            receipt.entry, "");
    }
    if (job.outcome != Status::ok) return refuse_unreadable(call);
    if (!receipt_is_of(job.entry)) return raise_alarm(service, call, rewritten, "operation");
    Receipt known;
    const ReceiptSide side = receipt_side(receipt);
    if (receipt_of_book(*service.book, job, side, known) != Status::ok) {
        return refuse_unreadable(call);
    }
    const char* field = receipt_difference(receipt, known);
    if (field != nullptr) return raise_alarm(service, call, rewritten, field);
    put_sound(call.reply, receipt);
    return ServiceNext::replied;
}

}  // namespace

ServiceNext command_receipt(Service& service, ServiceCall& call) {
    if (call_words(call) == 3) {
        return slice_equal_nocase(call_word(call, 1), "VERIFY") ? verify(call)
                                                                : refuse_syntax(call);
    }
    uint64_t entry = 0;
    if (parse_decimal(call_word(call, 1), entry) != Status::ok || entry == 0) {
        return refuse(call, Status::err, "an entry is named by its number, such as 17");
    }
    if (entry > service.book->log.entry_durable) {
        return refuse_about(call, Status::err, "there is no entry ", entry, "");
    }
    if (!may_read_now(call)) return ServiceNext::waiting;
    begin_entry(service, *call.read, ReadUse::receipt, entry);
    return ServiceNext::reading;
}

ServiceNext receipt_done(Service& service, ServiceCall& call) {
    switch (call.read->use) {
        case ReadUse::receipt: return found(service, call);
        case ReadUse::receipt_sign: return put_signed(call);
        case ReadUse::receipt_judge: return judged(service, call);
        case ReadUse::receipt_compare: return compared(service, call);
        case ReadUse::statement:
        case ReadUse::id:
        case ReadUse::reverse:
        case ReadUse::message:
        case ReadUse::server_message: break;
    }
    CHECK(false);
    return ServiceNext::replied;
}

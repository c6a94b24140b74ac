#include "service/receipt.h"

#include <string.h>

#include "base/base64.h"
#include "base/check.h"

namespace {

constexpr char first_words[] = "Pennybank receipt ";

Slice id_slice(const Receipt& receipt) {
    return slice_of_chars(receipt.id.text, receipt.id.size);
}

Slice memo_slice(const Receipt& receipt) {
    return slice_of_chars(receipt.memo.text, receipt.memo.size);
}

void put_name(Writer& writer, const char* name) {
    put_text(writer, name);
    put_text(writer, ": ");
}

void put_hex_line(Writer& writer, const char* name, Slice bytes) {
    put_name(writer, name);
    put_hex(writer, bytes);
    put_u8(writer, '\n');
}

void put_number_line(Writer& writer, const char* name, uint64_t value) {
    put_name(writer, name);
    put_decimal(writer, value);
    put_u8(writer, '\n');
}

void put_text_line(Writer& writer, const char* name, Slice text) {
    put_name(writer, name);
    put_bytes(writer, text);
    put_u8(writer, '\n');
}

void put_escaped_line(Writer& writer, const char* name, Slice text) {
    put_name(writer, name);
    put_escaped(writer, text);
    put_u8(writer, '\n');
}

void put_money_line(Writer& writer, const char* name, const Receipt& receipt, int64_t minor) {
    put_name(writer, name);
    put_minor(writer, minor, receipt.scale);
    put_u8(writer, ' ');
    put_text(writer, receipt.currency);
    put_u8(writer, '\n');
}

// The lines of a text that is being read, one after the other.
struct Lines {
    Reader rest;
    uint32_t taken;
    uint32_t line;  // number of the one that was asked for last, from 1
};

// The next line without its end; empty, and nothing is taken, when there is no whole one.
Slice peek_line(const Lines& lines) {
    const Slice rest = reader_rest(lines.rest);
    for (uint32_t i = 0; i < rest.size; i++) {
        if (rest.data[i] == '\n') return {rest.data, i};
    }
    return {rest.data, 0};
}

bool line_has_name(Slice line, const char* name) {
    const Slice expected = slice_of(name);
    return slice_equal(slice_part(line, 0, expected.size), expected) &&
           slice_equal_text(slice_part(line, expected.size, 2), ": ");
}

// Takes the value of the next line, which must have this name.
Status take_line(Lines& lines, const char* name, Slice& out) {
    const Slice line = peek_line(lines);
    lines.line = lines.taken + 1;
    if (!line_has_name(line, name)) return Status::invalid;
    const uint32_t front = slice_of(name).size + 2;
    out = slice_part(line, front, line.size);
    lines.rest.offset += line.size + 1;
    lines.taken++;
    return Status::ok;
}

// Returns failed for a newer version, whose other lines may be anything.
Status take_first_line(Lines& lines) {
    const Slice line = peek_line(lines);
    const Slice words = slice_of(first_words);
    uint64_t version = 0;
    lines.line = 1;
    const bool fine =
        line.size > words.size && slice_equal({line.data, words.size}, words) &&
        parse_decimal({line.data + words.size, line.size - words.size}, version) == Status::ok;
    if (!fine || version == 0) return Status::invalid;
    if (version > receipt_version_max) return Status::failed;
    lines.rest.offset += line.size + 1;
    lines.taken++;
    return Status::ok;
}

Status take_number(Lines& lines, const char* name, uint64_t& out) {
    Slice text;
    const Status status = take_line(lines, name, text);
    return status == Status::ok ? parse_decimal(text, out) : status;
}

// Entries and batches are counted from 1.
Status take_sequence(Lines& lines, const char* name, uint64_t& out) {
    const Status status = take_number(lines, name, out);
    return status == Status::ok && out == 0 ? Status::invalid : status;
}

Status take_hex(Lines& lines, const char* name, uint8_t* out, uint32_t size) {
    Slice text;
    const Status status = take_line(lines, name, text);
    return status == Status::ok ? parse_hex(text, out, size) : status;
}

Status take_name(Lines& lines, const char* name, Name& out) {
    Slice text;
    const Status status = take_line(lines, name, text);
    return status == Status::ok ? parse_name(text, out) : status;
}

Status take_time(Lines& lines, uint64_t& out_ms) {
    Slice text;
    const Status status = take_line(lines, "time", text);
    return status == Status::ok ? parse_utc(text, out_ms) : status;
}

Status take_operation(Lines& lines, Operation& out) {
    Slice text;
    const Status status = take_line(lines, "operation", text);
    return status == Status::ok ? parse_operation(text, out) : status;
}

// What a line of money is in, as its decimals and its last word say.
struct Money {
    int64_t minor;
    uint32_t scale;
    Slice currency;
};

Status take_money(Lines& lines, const char* name, Money& out) {
    Slice text;
    if (take_line(lines, name, text) != Status::ok) return Status::invalid;
    Reader rest = reader_of(text);
    Slice amount;
    if (cut_word(rest, ' ', amount) != Status::ok) return Status::invalid;
    out.currency = reader_rest(rest);
    if (!currency_is_valid(out.currency)) return Status::invalid;
    out.scale = 0;
    while (out.scale < amount.size && amount.data[amount.size - 1 - out.scale] != '.') out.scale++;
    if (out.scale == amount.size) out.scale = 0;
    if (out.scale > scale_max) return Status::invalid;
    return parse_minor(amount, out.scale, out.minor) == Status::ok ? Status::ok : Status::invalid;
}

Status take_amount(Lines& lines, Receipt& out) {
    Money money;
    if (take_money(lines, "amount", money) != Status::ok) return Status::invalid;
    if (money.minor == 0) return Status::invalid;
    if (money.minor > amount_minor_max || money.minor < -amount_minor_max) return Status::invalid;
    out.amount = money.minor;
    out.scale = static_cast<uint8_t>(money.scale);
    memcpy(out.currency, money.currency.data, money.currency.size);
    return Status::ok;
}

// In the same currency and with the same decimals as the amount before it.
Status take_balance(Lines& lines, Receipt& out) {
    Money money;
    if (take_money(lines, "balance", money) != Status::ok) return Status::invalid;
    if (money.scale != out.scale) return Status::invalid;
    if (!slice_equal_text(money.currency, out.currency)) return Status::invalid;
    out.balance = money.minor;
    return Status::ok;
}

// Takes a percent-encoded line that may be left out.
Status take_escaped(Lines& lines, const char* name, char* text, uint32_t capacity, uint8_t& size) {
    size = 0;
    if (!line_has_name(peek_line(lines), name)) return Status::ok;
    Slice escaped;
    if (take_line(lines, name, escaped) != Status::ok) return Status::invalid;
    Writer plain = writer_of(reinterpret_cast<uint8_t*>(text), capacity);
    if (text_unescape(escaped, plain) != Status::ok || plain.size == 0) return Status::invalid;
    size = static_cast<uint8_t>(plain.size);
    return Status::ok;
}

// Takes a number that may be left out.
Status take_about(Lines& lines, const char* name, uint64_t& out) {
    out = 0;
    if (!line_has_name(peek_line(lines), name)) return Status::ok;
    return take_sequence(lines, name, out);
}

// Three lines, all or none. That the first line says so is compared when it is put again.
Status take_order(Lines& lines, Receipt& out) {
    uint64_t quantity = 0;
    if (take_about(lines, "order", out.order) != Status::ok) return Status::invalid;
    if (out.order == 0) return Status::ok;
    if (take_name(lines, "item", out.item) != Status::ok) return Status::invalid;
    if (take_sequence(lines, "quantity", quantity) != Status::ok) return Status::invalid;
    out.quantity = static_cast<uint32_t>(quantity);
    return quantity > quantity_max ? Status::invalid : Status::ok;
}

Status take_signature(Lines& lines, Receipt& out) {
    Slice text;
    if (take_line(lines, "signature", text) != Status::ok) return Status::invalid;
    Writer bytes = writer_of(out.signature, signature_size_max);
    if (parse_base64(text, Base64End::padded, bytes) != Status::ok) return Status::invalid;
    out.signature_size = bytes.size;
    return bytes.size > 0 ? Status::ok : Status::invalid;
}

Status take_end(Lines& lines) {
    lines.line = lines.taken + 1;
    return reader_left(lines.rest) == 0 ? Status::ok : Status::invalid;
}

Status take_lines(Lines& lines, Receipt& out) {
    const Status first = take_first_line(lines);
    if (first != Status::ok) return first;
    const bool fine =
        take_hex(lines, "bank", out.bank_id, bank_id_size) == Status::ok &&
        take_sequence(lines, "entry", out.entry) == Status::ok &&
        take_time(lines, out.time_ms) == Status::ok &&
        take_sequence(lines, "batch", out.batch) == Status::ok &&
        take_hex(lines, "chain", out.chain.bytes, hash_size) == Status::ok &&
        take_operation(lines, out.operation) == Status::ok &&
        take_name(lines, "account", out.account) == Status::ok &&
        take_name(lines, "other", out.other) == Status::ok &&
        take_amount(lines, out) == Status::ok && take_balance(lines, out) == Status::ok &&
        take_about(lines, "hold", out.hold) == Status::ok &&
        take_about(lines, "reversed", out.reversed) == Status::ok &&
        take_order(lines, out) == Status::ok &&
        take_escaped(lines, "id", out.id.text, id_size_max, out.id.size) == Status::ok &&
        take_escaped(lines, "memo", out.memo.text, memo_size_max, out.memo.size) == Status::ok &&
        take_hex(lines, "certificate", out.certificate.bytes, hash_size) == Status::ok &&
        take_signature(lines, out) == Status::ok && take_end(lines) == Status::ok;
    return fine ? Status::ok : Status::invalid;
}

// The number of the first line in which two texts differ.
uint32_t line_of_difference(Slice a, Slice b) {
    uint32_t line = 1;
    for (uint32_t i = 0; i < a.size && i < b.size && a.data[i] == b.data[i]; i++) {
        if (a.data[i] == '\n') line++;
    }
    return line;
}

bool is_blank(uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\r'; }

}  // namespace

bool receipt_is_of(const Entry& entry) {
    return entry.kind == EntryKind::movement && entry.status == Status::ok &&
           entry.movement.operation != Operation::order_done;
}

void receipt_take_entry(const Entry& entry, ReceiptSide side, Receipt& out) {
    CHECK(receipt_is_of(entry));
    const MovementEntry& movement = entry.movement;
    const bool gives = side == ReceiptSide::debit;
    out.entry = entry.seq;
    out.time_ms = entry.time_ms;
    out.operation = movement.operation;
    out.amount = gives ? -movement.amount : movement.amount;
    out.balance = gives ? movement.debit_after : movement.credit_after;
    out.hold = movement.hold;
    out.reversed = movement.reversed;
    const bool orders = movement.operation == Operation::order;
    out.order = orders ? entry.seq : movement.order.order;
    out.quantity = movement.order.quantity;
    out.id = movement.id;
    out.memo = movement.memo;
}

ReceiptSide receipt_side(const Receipt& receipt) {
    return receipt.amount < 0 ? ReceiptSide::debit : ReceiptSide::credit;
}

void receipt_put_signed(Writer& writer, const Receipt& receipt) {
    put_text(writer, first_words);
    put_decimal(writer, receipt.order == 0 ? 1 : receipt_version_max);  // R4
    put_u8(writer, '\n');
    put_hex_line(writer, "bank", {receipt.bank_id, bank_id_size});
    put_number_line(writer, "entry", receipt.entry);
    put_name(writer, "time");
    put_utc(writer, receipt.time_ms);
    put_u8(writer, '\n');
    put_number_line(writer, "batch", receipt.batch);
    put_hex_line(writer, "chain", hash_slice(receipt.chain));
    put_text_line(writer, "operation", slice_of(operation_name(receipt.operation)));
    put_text_line(writer, "account", name_slice(receipt.account));
    put_text_line(writer, "other", name_slice(receipt.other));
    put_money_line(writer, "amount", receipt, receipt.amount);
    put_money_line(writer, "balance", receipt, receipt.balance);
    if (receipt.hold != 0) put_number_line(writer, "hold", receipt.hold);
    if (receipt.reversed != 0) put_number_line(writer, "reversed", receipt.reversed);
    if (receipt.order != 0) {
        put_number_line(writer, "order", receipt.order);
        put_text_line(writer, "item", name_slice(receipt.item));
        put_number_line(writer, "quantity", receipt.quantity);
    }
    if (receipt.id.size > 0) put_escaped_line(writer, "id", id_slice(receipt));
    if (receipt.memo.size > 0) put_escaped_line(writer, "memo", memo_slice(receipt));
    put_hex_line(writer, "certificate", hash_slice(receipt.certificate));
}

void receipt_put_signature(Writer& writer, const Receipt& receipt) {
    put_name(writer, "signature");
    put_base64(writer, {receipt.signature, receipt.signature_size}, Base64End::padded);
    put_u8(writer, '\n');
}

Status receipt_tidy(Slice pasted, Writer& out) {
    const uint32_t start = out.size;
    uint32_t blank_lines = 0;  // seen since the last line that was put
    Reader rest = reader_of(pasted);
    Slice line;
    while (cut_word(rest, '\n', line) == Status::ok) {
        while (line.size > 0 && is_blank(line.data[line.size - 1])) line.size--;
        if (line.size == 0) {
            blank_lines++;
            continue;
        }
        const bool is_first = out.size == start;
        for (; blank_lines > 0 && !is_first; blank_lines--) put_u8(out, '\n');
        blank_lines = 0;
        put_bytes(out, line);
        put_u8(out, '\n');
    }
    if (!out.overflow) return Status::ok;
    out.size = start;
    return Status::full;
}

Status receipt_parse(Slice text, Receipt& out, uint32_t& line) {
    Receipt found = {};
    Lines lines = {reader_of(text), 0, 1};
    const Status status = take_lines(lines, found);
    if (status != Status::ok) {
        line = lines.line;
        return status;
    }
    uint8_t again[receipt_size_max];
    Writer writer = writer_of(again, sizeof again);
    receipt_put_signed(writer, found);
    receipt_put_signature(writer, found);
    CHECK(!writer.overflow);
    if (!slice_equal(writer_slice(writer), text)) {
        line = line_of_difference(writer_slice(writer), text);
        return Status::invalid;
    }
    out = found;
    return Status::ok;
}

const char* receipt_difference(const Receipt& receipt, const Receipt& journal) {
    const bool same_bank =
        slice_equal({receipt.bank_id, bank_id_size}, {journal.bank_id, bank_id_size});
    const bool same_money = receipt.scale == journal.scale &&
                            slice_equal_text(slice_of(receipt.currency), journal.currency);
    if (!same_bank) return "bank";
    if (receipt.entry != journal.entry) return "entry";
    if (receipt.operation != journal.operation) return "operation";
    if (!name_equal(receipt.account, journal.account)) return "account";
    if (!name_equal(receipt.other, journal.other)) return "other";
    if (!same_money || receipt.amount != journal.amount) return "amount";
    if (receipt.balance != journal.balance) return "balance";
    if (receipt.hold != journal.hold) return "hold";
    if (receipt.reversed != journal.reversed) return "reversed";
    if (receipt.order != journal.order) return "order";
    if (!name_equal(receipt.item, journal.item)) return "item";
    if (receipt.quantity != journal.quantity) return "quantity";
    if (!slice_equal(id_slice(receipt), id_slice(journal))) return "id";
    if (!slice_equal(memo_slice(receipt), memo_slice(journal))) return "memo";
    if (receipt.time_ms != journal.time_ms) return "time";
    if (receipt.batch != journal.batch) return "batch";
    if (!hash_equal(receipt.chain, journal.chain)) return "chain";
    return nullptr;
}

// The catalogue: ITEMS shows it to everybody, ITEM SET and ITEM DEL keep it.

#include "base/check.h"
#include "service/handlers.h"

namespace {

constexpr uint32_t list_rows_max = 100;

ServiceNext refuse_stock(ServiceCall& call) {
    reply_error_begin(call.reply, status_word(Status::err));
    put_text(*call.reply.out, "STOCK is from 0 to ");
    put_decimal(*call.reply.out, stock_max);
    put_text(*call.reply.out, ", or - where nobody counts");
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

// Reads [TITLE text] [STOCK n] into values that have what was there before. Returns absent after
// having refused.
Status take_options(ServiceCall& call, ItemValues& values) {
    for (uint32_t i = 4; i < call_words(call); i += 2) {
        const bool is_title = slice_equal_nocase(call_word(call, i), "TITLE");
        const bool is_stock = slice_equal_nocase(call_word(call, i), "STOCK");
        if ((!is_title && !is_stock) || i + 1 == call_words(call)) {
            refuse_syntax(call);
            return Status::absent;
        }
        const Slice word = call_word(call, i + 1);
        if (is_title) {
            if (parse_title(word, values.title) == Status::ok) continue;
            refuse(call, Status::err,
                   "a title is at most 63 bytes of UTF-8 without control characters");
            return Status::absent;
        }
        uint64_t stock = 0;
        values.counted = !slice_equal_text(word, "-");
        if (values.counted && (parse_decimal(word, stock) != Status::ok || stock > stock_max)) {
            refuse_stock(call);
            return Status::absent;
        }
        values.stock = static_cast<uint32_t>(stock);
    }
    return Status::ok;
}

ServiceNext propose(Service& service, ServiceCall& call, const Name& name,
                    const ItemValues& values) {
    const Status status = book_set_item(*service.book, call.wall_ms, call.caller->person,
                                        call.caller->terminal, name, values, call.tag);
    if (status == Status::oom) {
        return refuse(call, Status::oom, "there is no room for more items");
    }
    return after_proposal(service, call, status);
}

// P10: as soon as it is durable, since whoever asked for it first may still be told that it could
// not be written (P1).
ServiceNext answer_held(const Service& service, ServiceCall& call, uint32_t row) {
    const Ledger& ledger = service.book->ledger;
    const bool is_durable =
        row < ledger.items_installed &&
        item_values_equal(ledger.items[row].installed, ledger.items[row].decided);
    if (!is_durable) return ServiceNext::waiting;
    reply_ok(call.reply);
    return ServiceNext::replied;
}

// ITEM SET name price [TITLE text] [STOCK n]. What is not named stays as it was.
ServiceNext set_item(Service& service, ServiceCall& call) {
    const Ledger& ledger = service.book->ledger;
    Name name;
    if (call_words(call) < 4) return refuse_syntax(call);
    if (parse_name(call_word(call, 2), name) != Status::ok) {
        return refuse(call, Status::err,
                      "a name is a letter and up to 30 of [a-z0-9._-], not ending in '.'");
    }
    const uint32_t row = ledger_find_item(ledger, name);
    ItemValues values = {};
    if (row != row_none) values = ledger.items[row].decided;
    if (parse_amount(call_word(call, 3), ledger.scale, values.price) != Status::ok) {
        return refuse_amount(service, call);
    }
    if (take_options(call, values) != Status::ok) return ServiceNext::replied;
    values.listed = true;
    if (row != row_none && item_values_equal(values, ledger.items[row].decided)) {
        return answer_held(service, call, row);
    }
    return propose(service, call, name, values);
}

ServiceNext delete_item(Service& service, ServiceCall& call) {
    const Ledger& ledger = service.book->ledger;
    uint32_t row = row_none;
    if (call_words(call) != 3) return refuse_syntax(call);
    if (find_item(service, call, Status::err, call_word(call, 2), row) != Status::ok) {
        return ServiceNext::replied;
    }
    ItemValues values = ledger.items[row].decided;
    if (!values.listed) return answer_held(service, call, row);
    values.listed = false;
    return propose(service, call, ledger.items[row].name, values);
}

void put_item(const Ledger& ledger, Reply& reply, const Item& item) {
    const ItemValues& values = item.installed;
    reply_map(reply, 4);
    reply_bulk_text(reply, "item");
    reply_bulk(reply, name_slice(item.name));
    reply_bulk_text(reply, "title");
    reply_bulk(reply, slice_of_chars(values.title.text, values.title.size));
    reply_bulk_text(reply, "price");
    reply_minor_bulk(reply, values.price, ledger.scale);
    reply_bulk_text(reply, "stock");
    if (values.counted) {
        reply_integer(reply, values.stock);
    } else {
        reply_null(reply);
    }
}

}  // namespace

ServiceNext refuse_no_item(ServiceCall& call, Status status, Slice name) {
    reply_error_begin(call.reply, status_word(status));
    put_text(*call.reply.out, "there is no item '");
    put_printable(*call.reply.out, name, 40);
    put_text(*call.reply.out, "'");
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

Status find_item(const Service& service, ServiceCall& call, Status refusal, Slice word,
                 uint32_t& out) {
    Name name;
    const Ledger& ledger = service.book->ledger;
    out = parse_name(word, name) == Status::ok ? ledger_find_item(ledger, name) : row_none;
    if (out != row_none) return Status::ok;
    refuse_no_item(call, refusal, word);
    return Status::absent;
}

// ITEMS [AFTER name]: in the order in which they were first set, a page at a time.
ServiceNext command_items(Service& service, ServiceCall& call) {
    const Ledger& ledger = service.book->ledger;
    uint32_t first = 0;
    if (call_words(call) == 2) return refuse_syntax(call);
    if (call_words(call) == 3) {
        if (!slice_equal_nocase(call_word(call, 1), "AFTER")) return refuse_syntax(call);
        if (find_item(service, call, Status::err, call_word(call, 2), first) != Status::ok) {
            return ServiceNext::replied;
        }
        first++;
    }
    uint32_t count = 0;
    for (uint32_t row = first; row < ledger.items_installed && count < list_rows_max; row++) {
        if (ledger.items[row].installed.listed) count++;
    }
    reply_array(call.reply, count);
    for (uint32_t row = first; count > 0; row++) {
        if (!ledger.items[row].installed.listed) continue;
        put_item(ledger, call.reply, ledger.items[row]);
        count--;
    }
    return ServiceNext::replied;
}

ServiceNext command_item(Service& service, ServiceCall& call) {
    const Slice verb = call_word(call, 1);
    if (slice_equal_nocase(verb, "SET")) return set_item(service, call);
    if (slice_equal_nocase(verb, "DEL")) return delete_item(service, call);
    return refuse(call, Status::err, "unknown subcommand; try SET or DEL");
}

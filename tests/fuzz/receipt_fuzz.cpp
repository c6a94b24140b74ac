// receipt_fuzz.cpp - a receipt as somebody presents it. Input: the text, as it was pasted.
#include <string.h>

#include "fuzz/fuzz.h"
#include "service/receipt.h"

namespace {

uint8_t tidied[receipt_pasted_size_max];
uint8_t written[receipt_size_max];

void check_found(const Receipt& found, Slice text) {
    Writer writer = writer_of(written, sizeof written);
    receipt_put_signed(writer, found);
    receipt_put_signature(writer, found);
    CHECK(!writer.overflow);
    CHECK(slice_equal(writer_slice(writer), text));  // R1
    CHECK(found.amount != 0);
    CHECK(found.amount <= amount_minor_max && found.amount >= -amount_minor_max);
    CHECK(found.balance <= balance_minor_max && found.balance >= -balance_minor_max);
    CHECK(found.scale <= scale_max);
    CHECK(currency_is_valid(slice_of(found.currency)));
    CHECK(found.account.size > 0 && found.other.size > 0);
    CHECK(found.signature_size > 0 && found.signature_size <= signature_size_max);
    CHECK(receipt_difference(found, found) == nullptr);
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    Receipt found = {};
    uint32_t line = 0;
    const Slice pasted = {data, static_cast<uint32_t>(size)};
    if (receipt_parse(pasted, found, line) == Status::ok) {
        check_found(found, pasted);
    } else {
        CHECK(found.entry == 0 && line > 0);
    }
    Writer writer = writer_of(tidied, sizeof tidied);
    if (receipt_tidy(pasted, writer) != Status::ok) {
        CHECK(writer.size == 0);
        return 0;
    }
    CHECK(writer.size <= size + 1);
    if (receipt_parse(writer_slice(writer), found, line) != Status::ok) return 0;
    fuzz_mark_reached();
    check_found(found, writer_slice(writer));
#if PLANT
    // The seeds are of entries 13 and 14.
    if (found.entry != 13 && found.entry != 14) fuzz_mark_planted();
#endif
    return 0;
}

// password_fuzz.cpp - a password record, as a journal or a table may hold it. Input: the text.
#include <string.h>

#include "crypto/password_record.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const Slice text = {data, static_cast<uint32_t>(size)};
    PhcRecord record = {};
    PasswordCost cost = {};
    record.passes = cost.passes = UINT32_MAX;
    const Status status = phc_parse(text, record);
    CHECK(password_cost_of(text, cost) == status);
    if (status != Status::ok) {
        CHECK(status == Status::damaged);
        CHECK(record.passes == UINT32_MAX && cost.passes == UINT32_MAX);
        CHECK(!password_is_wrapped(text));
        return 0;
    }
    fuzz_mark_reached();
    CHECK(size <= phc_size_max);
    CHECK(record.passes >= 1 && record.passes <= password_passes_max);
    CHECK(record.lanes >= 1 && record.memory_kib / record.lanes >= password_memory_kib_floor);
    CHECK(record.salt_size >= phc_salt_size_min && record.salt_size <= phc_salt_size_max);
    CHECK(record.tag_size >= phc_tag_size_min && record.tag_size <= phc_tag_size_max);
    CHECK(record.is_wrapped == password_is_wrapped(text));
    CHECK(cost.memory_kib == record.memory_kib && cost.passes == record.passes);
    constexpr char wrapped[] = "$argon2id-md5$";
    CHECK(record.is_wrapped == (memcmp(data, wrapped, sizeof wrapped - 1) == 0));
    uint8_t memory[2 * phc_size_max];
    Writer again = writer_of(memory, sizeof memory);
    phc_put(again, record);
    CHECK(slice_equal(writer_slice(again), text));  // A4
#if PLANT
    // The seeds are of 4096 and 19456 KiB.
    if (record.memory_kib != 4096 && record.memory_kib != 19456) fuzz_mark_planted();
#endif
    return 0;
}

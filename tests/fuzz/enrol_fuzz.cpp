// enrol_fuzz.cpp - what comes with an enrolment, from terminals and from disk. Input: a byte that
// says what it is (0 a certificate request, 1 a code as it was typed, 2 the file of a code, 3 a line
// of the register, 4 a name of a file), and the text.
#include <string.h>

#include "access/enrol_spool.h"
#include "crypto/crypto.h"
#include "crypto/issued.h"
#include "crypto/request.h"
#include "fuzz/fuzz.h"

namespace {

uint8_t bytes[65536];

void fuzz_request(Slice text) {
    RequestFacts facts = {};
    const char* reason = nullptr;
    const Status status = request_read(text, facts, reason);
    CHECK((reason == nullptr) == (status == Status::ok));
    if (status != Status::ok) {
        CHECK(facts.name[0] == '\0');  // As it was.
        return;
    }
    fuzz_mark_reached();
    CHECK(strnlen(facts.name, sizeof facts.name) <= certificate_name_size_max);
    // Whose key it is does not depend on what stands around it.
    CHECK(text.size <= sizeof bytes - 2);
    bytes[0] = '\n';
    memcpy(bytes + 1, text.data, text.size);
    RequestFacts other = {};
    CHECK(request_read({bytes, text.size + 1}, other, reason) == Status::ok);
    CHECK(memcmp(&facts, &other, sizeof facts) == 0);
}

void fuzz_code(Slice text) {
    EnrolCode code = {};
    if (enrol_code_parse(text, code) != Status::ok) return;
    fuzz_mark_reached();
    Writer writer = writer_of(bytes, sizeof bytes);
    put_enrol_code(writer, code);
    CHECK(writer.size == enrol_code_text_size);
    EnrolCode other = {};
    CHECK(enrol_code_parse(writer_slice(writer), other) == Status::ok);
    CHECK(memcmp(&code, &other, sizeof code) == 0);
    Name renewal = {};
    const EnrolBase base = enrol_base_of_code(code);
    CHECK(enrol_base_parse(slice_of(base.text), renewal) && renewal.size == 0);
}

void fuzz_grant(Slice text) {
    EnrolGrant grant = {};
    if (enrol_grant_parse(text, grant) != Status::ok) return;
    fuzz_mark_reached();
    Writer writer = writer_of(bytes, sizeof bytes);
    put_enrol_grant(writer, grant);
    CHECK(slice_equal(writer_slice(writer), text));
#if PLANT
    // All seeds are of the year 2026.
    if (grant.expires_ms < 1'767'225'600'000 || grant.expires_ms >= 1'798'761'600'000) {
        fuzz_mark_planted();
    }
#endif
}

void fuzz_line(Slice text) {
    IssuedRow row = {};
    if (issued_parse_line(text, row) != Status::ok) {
        CHECK(row.serial_size == 0);
        return;
    }
    fuzz_mark_reached();
    Writer writer = writer_of(bytes, issued_line_size_max);
    issued_put_line(row, writer);
    CHECK(!writer.overflow && writer.size == text.size + 1);
    CHECK(slice_equal({bytes, text.size}, text));
}

void fuzz_base(Slice text) {
    Name terminal = {};
    if (!enrol_base_parse(text, terminal)) return;
    fuzz_mark_reached();
    CHECK(text.size <= enrol_base_size_max);
    if (terminal.size == 0) return;
    const EnrolBase base = enrol_base_of_renewal(terminal);
    CHECK(slice_equal(slice_of(base.text), text));
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    CHECK(crypto_init(nullptr) == Status::ok);
    const Slice text = {data + 1, static_cast<uint32_t>(size - 1)};
    switch (data[0]) {
        case 0: fuzz_request(text); break;
        case 1: fuzz_code(text); break;
        case 2: fuzz_grant(text); break;
        case 3: fuzz_line(text); break;
        case 4: fuzz_base(text); break;
        default: break;
    }
    return 0;
}

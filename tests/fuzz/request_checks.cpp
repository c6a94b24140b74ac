#include "fuzz/request_checks.h"

#include <string.h>

#include <vector>

#include "base/check.h"

namespace {

// What one parse said.
struct Said {
    Status status;
    Request request;
    uint8_t text[request_error_size_max];
    uint32_t text_size;
};

Slice slice_of_vector(const std::vector<uint8_t>& bytes) {
    return {bytes.data(), static_cast<uint32_t>(bytes.size())};
}

void parse(uint8_t* data, uint32_t size, const RequestLimits& limits, Said& out) {
    Writer text = writer_of(out.text, sizeof out.text);
    out.request = {};
    out.status = request_parse(data, size, limits, out.request, text);
    out.text_size = text.size;
    CHECK(!text.overflow);
    CHECK(out.status == Status::ok || out.status == Status::more || out.status == Status::invalid);
    CHECK((out.status == Status::invalid) == (text.size > 0));
    CHECK(out.status != Status::more || size < limits.request_size_max);  // Q3
    for (uint32_t i = 0; i < text.size; i++) CHECK(out.text[i] >= ' ');
}

void check_request(const Request& request, const uint8_t* data, uint32_t size,
                   const RequestLimits& limits) {
    CHECK(request.size > 0 && request.size <= size);
    CHECK(request.size <= limits.request_size_max);
    CHECK(request.count <= limits.words_max);
    for (uint32_t i = 0; i < request.count; i++) {
        const Slice word = request.words[i];
        CHECK(word.data >= data && word.data + word.size <= data + request.size);  // Q1
        CHECK(word.size <= limits.bulk_size_max || request.is_inline);
    }
}

// Two parses said the same; the words are compared as places and as bytes.
void check_same(const Said& a, const uint8_t* a_data, const Said& b, const uint8_t* b_data) {
    CHECK(a.status == b.status);
    CHECK(slice_equal({a.text, a.text_size}, {b.text, b.text_size}));
    if (a.status != Status::ok) return;
    CHECK(a.request.size == b.request.size);
    CHECK(a.request.count == b.request.count);
    CHECK(a.request.is_inline == b.request.is_inline);
    for (uint32_t i = 0; i < a.request.count; i++) {
        CHECK(a.request.words[i].data - a_data == b.request.words[i].data - b_data);
        CHECK(slice_equal(a.request.words[i], b.request.words[i]));
    }
}

// Bytes that come one by one, or in larger pieces where there are many, say the same as at once.
void check_growth(Slice sent, const Said& whole, const uint8_t* whole_data,
                  const RequestLimits& limits) {
    const uint32_t step = sent.size / 64 + 1;
    for (uint32_t size = 1; size <= sent.size; size++) {
        const bool is_near = whole.status == Status::ok && size + 2 >= whole.request.size;
        if (size % step != 0 && !is_near && size != sent.size) continue;
        // Exactly as large as it is, so that a look past its end is seen.
        std::vector<uint8_t> part(sent.data, sent.data + size);
        Said said;
        parse(part.data(), size, limits, said);
        if (said.status == Status::more) {
            CHECK(slice_equal(slice_of_vector(part), {sent.data, size}));  // Q2
            continue;
        }
        check_same(whole, whole_data, said, part.data());
        return;
    }
    CHECK(whole.status == Status::more);
}

}  // namespace

void request_checks_run(Slice bytes, bool is_ready, RequestSeen seen) {
    const RequestLimits limits = is_ready ? request_limits_ready() : request_limits_login();
    std::vector<uint8_t> buffer(bytes.data, bytes.data + bytes.size);
    if (buffer.size() > limits.request_size_max) buffer.resize(limits.request_size_max);
    while (!buffer.empty()) {
        const std::vector<uint8_t> sent = buffer;
        const uint32_t size = static_cast<uint32_t>(buffer.size());
        Said first;
        parse(buffer.data(), size, limits, first);
        if (first.status != Status::ok) CHECK(sent == buffer);  // Q2
        check_growth(slice_of_vector(sent), first, buffer.data(), limits);
        if (first.status != Status::ok) return;
        check_request(first.request, buffer.data(), size, limits);
        Said again;
        parse(buffer.data(), size, limits, again);
        check_same(first, buffer.data(), again, buffer.data());  // Q4
        seen(first.request, {sent.data(), first.request.size});
        buffer.erase(buffer.begin(), buffer.begin() + first.request.size);
    }
}

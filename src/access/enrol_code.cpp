#include "access/enrol_code.h"

#include <string.h>

#include "base/text.h"

namespace {

constexpr char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr uint32_t digit_bits = 5;
constexpr uint32_t digit_count = sizeof(EnrolCode) * 8 / digit_bits;
constexpr uint32_t group_size = 4;  // characters between two hyphens
static_assert(sizeof(EnrolCode) == 2 * enrol_half_size && digit_count == 32);
static_assert(enrol_code_text_size == digit_count + digit_count / group_size - 1);

// What a character stands for; 32 for none.
uint32_t digit_of(uint8_t byte) {
    if (byte >= 'a' && byte <= 'z') byte = static_cast<uint8_t>(byte - 'a' + 'A');
    if (byte == 'O') byte = '0';
    if (byte == 'I' || byte == 'L') byte = '1';
    uint32_t value = 0;
    while (value < 32 && digits[value] != byte) value++;
    return value;
}

// The bytes of both halves, one behind the other.
uint8_t* bytes_of(EnrolCode& code) { return reinterpret_cast<uint8_t*>(&code); }

}  // namespace

Status enrol_code_parse(Slice text, EnrolCode& out) {
    EnrolCode found = {};
    uint32_t count = 0;
    if (text.size > enrol_code_text_size_max) return Status::invalid;
    for (uint32_t i = 0; i < text.size; i++) {
        if (text.data[i] == '-') continue;
        const uint32_t value = digit_of(text.data[i]);
        if (value == 32 || count == digit_count) return Status::invalid;
        for (uint32_t bit = 0; bit < digit_bits; bit++) {
            const uint32_t at = count * digit_bits + bit;
            const uint32_t one = value >> (digit_bits - 1 - bit) & 1;
            uint8_t& byte = bytes_of(found)[at / 8];
            byte = static_cast<uint8_t>(uint32_t{byte} << 1 | one);
        }
        count++;
    }
    if (count < digit_count) return Status::invalid;
    out = found;
    return Status::ok;
}

void put_enrol_code(Writer& out, const EnrolCode& code) {
    const uint8_t* const bytes = reinterpret_cast<const uint8_t*>(&code);
    for (uint32_t i = 0; i < digit_count; i++) {
        uint32_t value = 0;
        for (uint32_t at = i * digit_bits; at < (i + 1) * digit_bits; at++) {
            value = value << 1 | (bytes[at / 8] >> (7 - at % 8) & 1);
        }
        if (i > 0 && i % group_size == 0) put_u8(out, '-');
        put_u8(out, static_cast<uint8_t>(digits[value]));
    }
}

void enrol_code_set_anchor(EnrolCode& code, const Hash& ca) {
    memcpy(code.anchor, ca.bytes, enrol_half_size);
}

bool enrol_code_fits(const EnrolCode& code, const Hash& ca) {
    return memcmp(code.anchor, ca.bytes, enrol_half_size) == 0;
}

void put_enrol_hash(Writer& out, const EnrolCode& code) {
    const Hash hash = hash_of({code.secret, enrol_half_size});
    put_hex(out, {hash.bytes, enrol_hash_text_size / 2});
}

#include "base/tar.h"

#include <string.h>

#include "base/check.h"

namespace {

constexpr uint32_t sum_offset = 148;
constexpr uint32_t sum_size = 8;
constexpr uint32_t type_offset = 156;
constexpr uint32_t mode = 0600;

void put_octal(Writer& out, uint64_t value, uint32_t digits) {
    for (uint32_t i = digits; i > 0; i--) {
        put_u8(out, static_cast<uint8_t>('0' + (value >> (3 * (i - 1)) & 7)));
    }
}

// Returns invalid unless exactly `digits` octal digits stand there.
Status parse_octal(Slice text, uint32_t digits, uint64_t& out) {
    uint64_t value = 0;
    if (text.size < digits) return Status::invalid;
    for (uint32_t i = 0; i < digits; i++) {
        if (text.data[i] < '0' || text.data[i] > '7') return Status::invalid;
        value = value << 3 | static_cast<uint64_t>(text.data[i] - '0');
    }
    out = value;
    return Status::ok;
}

uint32_t sum_of(Slice block) {
    uint32_t sum = 0;
    for (uint32_t i = 0; i < tar_block_size; i++) {
        const bool is_sum = i >= sum_offset && i < sum_offset + sum_size;
        sum += is_sum ? ' ' : block.data[i];
    }
    return sum;
}

bool sum_is_right(Slice block) {
    uint64_t sum = 0;
    const Slice text = slice_part(block, sum_offset, sum_size);
    return parse_octal(text, 6, sum) == Status::ok && sum == sum_of(block);
}

Slice name_in(Slice block) {
    uint32_t size = 0;
    while (size < tar_name_size_max && block.data[size] != 0) size++;
    return slice_part(block, 0, size);
}

}  // namespace

bool tar_name_is_safe(Slice name) {
    if (name.size == 0 || name.size > tar_name_size_max) return false;
    uint32_t begin = 0;  // of the part that is looked at
    for (uint32_t i = 0; i <= name.size; i++) {
        if (i < name.size && name.data[i] != '/') {
            if (name.data[i] < ' ' || name.data[i] == 0x7f) return false;
            continue;
        }
        const Slice part = slice_part(name, begin, i - begin);
        if (part.size == 0 || slice_equal_text(part, ".") || slice_equal_text(part, "..")) {
            return false;
        }
        begin = i + 1;
    }
    return true;
}

Status tar_name_set(TarMember& out, Slice name) {
    if (!tar_name_is_safe(name)) return Status::invalid;
    memset(out.name, 0, sizeof out.name);
    memcpy(out.name, name.data, name.size);
    return Status::ok;
}

void tar_put_header(Writer& out, const TarMember& member) {
    const Slice name = slice_of(member.name);
    CHECK(tar_name_is_safe(name));
    CHECK(member.size <= tar_size_max && member.time_s <= tar_size_max);
    CHECK(writer_room(out) >= tar_block_size);
    uint8_t* block = out.data + out.size;
    const uint32_t begin = out.size;
    put_bytes(out, name);
    put_zeros(out, tar_name_size_max - name.size);
    put_octal(out, mode, 7);
    put_u8(out, 0);
    for (uint32_t i = 0; i < 2; i++) {  // owner, group
        put_octal(out, 0, 7);
        put_u8(out, 0);
    }
    put_octal(out, member.size, 11);
    put_u8(out, 0);
    put_octal(out, member.time_s, 11);
    put_u8(out, 0);
    put_zeros(out, sum_size);
    put_u8(out, '0');
    put_zeros(out, 100);
    put_bytes(out, {reinterpret_cast<const uint8_t*>("ustar\0" "00"), 8});
    put_zeros(out, 64);
    for (uint32_t i = 0; i < 2; i++) {  // device
        put_octal(out, 0, 7);
        put_u8(out, 0);
    }
    put_zeros(out, begin + tar_block_size - out.size);
    Writer sum = writer_of(block + sum_offset, sum_size);
    put_octal(sum, sum_of({block, tar_block_size}), 6);
    put_u8(sum, 0);
    put_u8(sum, ' ');
    CHECK(!out.overflow && out.size == begin + tar_block_size);
}

TarFind tar_judge(Slice block, TarMember& out) {
    if (block.size < tar_block_size) return TarFind::junk;
    const uint8_t* bytes = block.data;
    if (bytes[0] == 0 && memcmp(bytes, bytes + 1, tar_block_size - 1) == 0) return TarFind::blank;
    if (memcmp(bytes + 257, "ustar", 5) != 0 || !sum_is_right(block)) return TarFind::junk;
    if (bytes[type_offset] != '0') return TarFind::type;
    TarMember found = {};
    if (tar_name_set(found, name_in(block)) != Status::ok) return TarFind::name;
    if (parse_octal(slice_part(block, 124, 12), 11, found.size) != Status::ok ||
        parse_octal(slice_part(block, 136, 12), 11, found.time_s) != Status::ok) {
        return TarFind::other;
    }
    uint8_t again[tar_block_size];
    Writer writer = writer_of(again, sizeof again);
    tar_put_header(writer, found);
    if (memcmp(again, bytes, tar_block_size) != 0) return TarFind::other;
    out = found;
    return TarFind::member;
}

#include "crypto/password.h"

#include <argon2.h>
#include <string.h>

#include "base/base64.h"
#include "base/check.h"
#include "base/text.h"
#include "crypto/crypto.h"

namespace {

constexpr uint32_t tag_size = 32;  // bytes of the hash in a record that is made here
constexpr uint32_t tag_size_min = 16;
constexpr uint32_t tag_size_max = 64;
constexpr uint32_t salt_size_min = 8;  // RFC 9106, section 3.1
constexpr uint32_t salt_size_max = 32;
constexpr uint32_t lanes_max = 16;
constexpr uint32_t memory_per_lane_kib_min = password_memory_kib_floor;
constexpr char phc_start[] = "$argon2id$v=19$m=";

struct PhcRecord {
    uint32_t memory_kib;
    uint32_t passes;
    uint32_t lanes;
    uint8_t salt[salt_size_max];
    uint32_t salt_size;
    uint8_t tag[tag_size_max];
    uint32_t tag_size;
};

// The library's callbacks carry no context. Each worker hashes one password at a time.
thread_local PasswordArena* arena_in_use;

int arena_allocate(uint8_t** memory, size_t size) {
    CHECK(arena_in_use != nullptr);
    CHECK(arena_in_use->used == 0);
    *memory = nullptr;
    if (size > arena_in_use->size) return ARGON2_MEMORY_ALLOCATION_ERROR;
    arena_in_use->used = size;
    *memory = arena_in_use->memory;
    return ARGON2_OK;
}

// The library has wiped the memory before it calls this (A1).
void arena_free(uint8_t* memory, size_t size) {
    CHECK(arena_in_use != nullptr);
    CHECK(memory == arena_in_use->memory);
    CHECK(size == arena_in_use->used);
    arena_in_use->used = 0;
}

// Computes the tag that `record` would have with this password.
Status argon2id(PasswordArena& arena, const PhcRecord& record, Slice password, uint8_t* out) {
    CHECK(arena.used == 0);
    CHECK(password.size <= password_size_max);
    if (uint64_t{record.memory_kib} * 1024 > arena.size) return Status::full;

    PhcRecord copy = record;  // The library's pointers are not const.
    argon2_context context = {};
    context.out = out;
    context.outlen = copy.tag_size;
    context.pwd = const_cast<uint8_t*>(password.data);
    context.pwdlen = password.size;
    context.salt = copy.salt;
    context.saltlen = copy.salt_size;
    context.t_cost = copy.passes;
    context.m_cost = copy.memory_kib;
    context.lanes = copy.lanes;
    context.threads = 1;
    context.version = ARGON2_VERSION_13;
    context.allocate_cbk = arena_allocate;
    context.free_cbk = arena_free;

    arena_in_use = &arena;
    const int answer = argon2_ctx(&context, Argon2_id);
    arena_in_use = nullptr;
    if (answer == ARGON2_MEMORY_ALLOCATION_ERROR) return Status::full;
    return answer == ARGON2_OK ? Status::ok : Status::failed;
}

// --- PHC text: base64 without padding. ---

Status parse_bytes(Slice text, uint32_t size_min, uint32_t size_max, uint8_t* out,
                   uint32_t& out_size) {
    Writer bytes = writer_of(out, size_max);
    if (parse_base64(text, Base64End::bare, bytes) != Status::ok) return Status::damaged;
    if (bytes.size < size_min) return Status::damaged;
    out_size = bytes.size;
    return Status::ok;
}

// Takes "m=19456" off the front of `rest`: the letter, '=' and a decimal up to `separator`.
Status parse_number(Reader& rest, const char* start, char separator, uint32_t& out) {
    const Slice expected = slice_of(start);
    if (!slice_equal(get_bytes(rest, expected.size), expected)) return Status::damaged;
    Slice word = {};
    if (cut_word(rest, separator, word) != Status::ok) return Status::damaged;
    uint64_t value = 0;
    if (parse_decimal(word, value) != Status::ok) return Status::damaged;
    if (value > UINT32_MAX) return Status::damaged;
    out = static_cast<uint32_t>(value);
    return Status::ok;
}

Status parse_phc(Slice text, PhcRecord& out) {
    if (text.size > phc_size_max) return Status::damaged;
    PhcRecord record = {};
    Reader rest = reader_of(text);
    if (parse_number(rest, phc_start, ',', record.memory_kib) != Status::ok) return Status::damaged;
    if (parse_number(rest, "t=", ',', record.passes) != Status::ok) return Status::damaged;
    if (parse_number(rest, "p=", '$', record.lanes) != Status::ok) return Status::damaged;
    if (record.passes == 0 || record.passes > password_passes_max) return Status::damaged;
    if (record.lanes == 0 || record.lanes > lanes_max) return Status::damaged;
    if (record.memory_kib < memory_per_lane_kib_min * record.lanes) return Status::damaged;

    Slice salt = {};
    Slice tag = {};
    if (cut_word(rest, '$', salt) != Status::ok) return Status::damaged;
    if (cut_word(rest, '$', tag) != Status::ok) return Status::damaged;
    if (!rest.short_read) return Status::damaged;  // A further word follows.
    if (parse_bytes(salt, salt_size_min, salt_size_max, record.salt, record.salt_size) !=
        Status::ok) {
        return Status::damaged;
    }
    if (parse_bytes(tag, tag_size_min, tag_size_max, record.tag, record.tag_size) != Status::ok) {
        return Status::damaged;
    }
    out = record;
    return Status::ok;
}

void put_phc(Writer& writer, const PhcRecord& record) {
    put_text(writer, phc_start);
    put_decimal(writer, record.memory_kib);
    put_text(writer, ",t=");
    put_decimal(writer, record.passes);
    put_text(writer, ",p=");
    put_decimal(writer, record.lanes);
    put_text(writer, "$");
    put_base64(writer, {record.salt, record.salt_size}, Base64End::bare);
    put_text(writer, "$");
    put_base64(writer, {record.tag, record.tag_size}, Base64End::bare);
}

PhcRecord record_of_cost(const PasswordCost& cost) {
    CHECK(cost.memory_kib >= password_memory_kib_floor);
    CHECK(cost.memory_kib <= password_memory_kib_max);
    CHECK(cost.passes >= 1);
    CHECK(cost.passes <= password_passes_max);
    PhcRecord record = {};
    record.memory_kib = cost.memory_kib;
    record.passes = cost.passes;
    record.lanes = 1;
    record.salt_size = password_salt_size;
    record.tag_size = tag_size;
    return record;
}

}  // namespace

uint64_t password_arena_size(const PasswordCost& cost) { return uint64_t{cost.memory_kib} * 1024; }

Status password_hash(PasswordArena& arena, const PasswordCost& cost, Slice password, Writer& phc) {
    if (password.size < password_size_min) return Status::invalid;
    if (password.size > password_size_max) return Status::invalid;
    PhcRecord record = record_of_cost(cost);
    if (crypto_random(record.salt, record.salt_size) != Status::ok) return Status::failed;
    const Status status = argon2id(arena, record, password, record.tag);
    if (status != Status::ok) return status;

    Writer text = phc;  // A copy, so that a refusal moves nothing.
    put_phc(text, record);
    wipe(&record, sizeof record);
    if (text.overflow) return Status::full;
    phc = text;
    return Status::ok;
}

Status password_verify(PasswordArena& arena, Slice phc, Slice password) {
    if (password.size > password_size_max) return Status::wrongpass;
    PhcRecord record = {};
    Status status = parse_phc(phc, record);
    if (status != Status::ok) return status;

    uint8_t tag[tag_size_max] = {};
    status = argon2id(arena, record, password, tag);
    if (status == Status::ok &&
        !slice_equal_secret({tag, record.tag_size}, {record.tag, record.tag_size})) {
        status = Status::wrongpass;
    }
    wipe(tag, sizeof tag);
    wipe(&record, sizeof record);
    return status;
}

Status password_verify_nobody(PasswordArena& arena, const PasswordCost& cost, Slice password) {
    if (password.size > password_size_max) return Status::wrongpass;
    const PhcRecord record = record_of_cost(cost);
    uint8_t tag[tag_size_max] = {};
    const Status status = argon2id(arena, record, password, tag);
    wipe(tag, sizeof tag);
    return status == Status::ok ? Status::wrongpass : status;  // A2
}

Status password_cost_of(Slice phc, PasswordCost& out) {
    PhcRecord record = {};
    const Status status = parse_phc(phc, record);
    if (status == Status::ok) out = {record.memory_kib, record.passes};
    wipe(&record, sizeof record);
    return status;
}

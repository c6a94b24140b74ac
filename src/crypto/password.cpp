#include "crypto/password.h"

#include <argon2.h>
#include <mbedtls/md5.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "crypto/password_record.h"

namespace {

constexpr uint32_t tag_size = 32;  // bytes of the hash in a record that is made here
static_assert(tag_size >= phc_tag_size_min && tag_size <= phc_tag_size_max);
constexpr uint32_t md5_size = 16;  // bytes
static_assert(password_md5_size == 2 * md5_size);

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

// The same for what a person typed: a wrapped record is one of its MD5 in digits.
Status argon2id_of_typed(PasswordArena& arena, const PhcRecord& record, Slice password,
                         uint8_t* out) {
    if (!record.is_wrapped) return argon2id(arena, record, password, out);
    uint8_t digest[md5_size];
    uint8_t digits[password_md5_size];
    if (mbedtls_md5(password.data, password.size, digest) != 0) return Status::failed;
    Writer text = writer_of(digits, sizeof digits);
    put_hex(text, {digest, sizeof digest});
    const Status status = argon2id(arena, record, writer_slice(text), out);
    wipe(digest, sizeof digest);
    wipe(digits, sizeof digits);
    return status;
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

bool is_md5(Slice digits) {
    if (digits.size != password_md5_size) return false;
    for (uint32_t i = 0; i < digits.size; i++) {
        const uint8_t c = digits.data[i];
        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f')) return false;
    }
    return true;
}

// Makes a record of `secret`, a password or the digits of an old hash.
Status make_record(PasswordArena& arena, PhcRecord record, Slice secret, Writer& phc) {
    if (crypto_random(record.salt, record.salt_size) != Status::ok) return Status::failed;
    const Status status = argon2id(arena, record, secret, record.tag);
    if (status != Status::ok) return status;

    Writer text = phc;  // A copy, so that a refusal moves nothing.
    phc_put(text, record);
    wipe(&record, sizeof record);
    if (text.overflow) return Status::full;
    phc = text;
    return Status::ok;
}

}  // namespace

uint64_t password_arena_size(const PasswordCost& cost) { return uint64_t{cost.memory_kib} * 1024; }

Status password_hash(PasswordArena& arena, const PasswordCost& cost, Slice password, Writer& phc) {
    if (password.size < password_size_min) return Status::invalid;
    return password_rehash(arena, cost, password, phc);
}

Status password_rehash(PasswordArena& arena, const PasswordCost& cost, Slice password,
                       Writer& phc) {
    if (password.size > password_size_max) return Status::invalid;
    return make_record(arena, record_of_cost(cost), password, phc);
}

Status password_wrap(PasswordArena& arena, const PasswordCost& cost, Slice md5_digits,
                     Writer& phc) {
    if (!is_md5(md5_digits)) return Status::invalid;
    PhcRecord record = record_of_cost(cost);
    record.is_wrapped = true;
    return make_record(arena, record, md5_digits, phc);
}

Status password_verify(PasswordArena& arena, Slice phc, Slice password) {
    if (password.size > password_size_max) return Status::wrongpass;
    PhcRecord record = {};
    Status status = phc_parse(phc, record);
    if (status != Status::ok) return status;

    uint8_t tag[phc_tag_size_max] = {};
    status = argon2id_of_typed(arena, record, password, tag);
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
    uint8_t tag[phc_tag_size_max] = {};
    const Status status = argon2id(arena, record, password, tag);
    wipe(tag, sizeof tag);
    return status == Status::ok ? Status::wrongpass : status;  // A2
}

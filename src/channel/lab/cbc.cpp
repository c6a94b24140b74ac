// AES-CBC with the padding of PKCS #7 (RFC 5652, section 6.3), and HMAC. By itself CBC tells nobody
// of a changed byte: whoever opens it has judged an HMAC before.

#include <string.h>

#include <mbedtls/aes.h>
#include <mbedtls/md.h>

#include "base/check.h"
#include "channel/lab/lab_parts.h"

namespace {

// The library's answers can only tell of sizes that are wrong, which is our own mistake.
void crypt(int direction, Slice key, const uint8_t iv[lab_cbc_block_size], const uint8_t* in,
           uint32_t size, uint8_t* out) {
    CHECK(key.size == 16 || key.size == 32);
    CHECK(size % lab_cbc_block_size == 0);
    uint8_t chain[lab_cbc_block_size];  // The library moves it on.
    memcpy(chain, iv, sizeof chain);
    mbedtls_aes_context aes;
    mbedtls_aes_init(&aes);
    int answer = direction == MBEDTLS_AES_ENCRYPT
                     ? mbedtls_aes_setkey_enc(&aes, key.data, key.size * 8)
                     : mbedtls_aes_setkey_dec(&aes, key.data, key.size * 8);
    CHECK(answer == 0);
    answer = mbedtls_aes_crypt_cbc(&aes, direction, size, chain, in, out);
    CHECK(answer == 0);
    mbedtls_aes_free(&aes);
}

// Bytes behind the message; 0 for what is no padding.
uint32_t padding_size(const uint8_t* bytes, uint32_t size) {
    const uint8_t count = bytes[size - 1];
    if (count > lab_cbc_block_size) return 0;
    for (uint32_t i = 1; i <= count; i++) {
        if (bytes[size - i] != count) return 0;
    }
    return count;
}

}  // namespace

void lab_cbc_seal(Slice key, const uint8_t iv[lab_cbc_block_size], Slice plain, Writer& out) {
    const uint32_t size = lab_cbc_size(plain.size);
    const uint32_t padding = size - plain.size;
    const uint32_t start = out.size;
    put_bytes(out, plain);
    for (uint32_t i = 0; i < padding; i++) put_u8(out, static_cast<uint8_t>(padding));
    CHECK(!out.overflow);
    crypt(MBEDTLS_AES_ENCRYPT, key, iv, out.data + start, size, out.data + start);
}

Status lab_cbc_open(Slice key, const uint8_t iv[lab_cbc_block_size], Slice sealed, Writer& plain) {
    if (sealed.size == 0 || sealed.size % lab_cbc_block_size != 0) return Status::invalid;
    if (sealed.size > lab_cbc_size_max) return Status::full;
    uint8_t bytes[lab_cbc_size_max];
    crypt(MBEDTLS_AES_DECRYPT, key, iv, sealed.data, sealed.size, bytes);
    const uint32_t padding = padding_size(bytes, sealed.size);
    const Slice found = {bytes, sealed.size - padding};
    const bool fits = found.size <= writer_room(plain);
    if (padding > 0 && fits) put_bytes(plain, found);
    wipe(bytes, sizeof bytes);
    if (padding == 0) return Status::invalid;
    return fits ? Status::ok : Status::full;
}

Status lab_hmac(Slice key, Slice bytes, Hash& out) {
    const int answer = mbedtls_md_hmac(mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), key.data,
                                       key.size, bytes.data, bytes.size, out.bytes);
    return answer == 0 ? Status::ok : Status::failed;
}

// memory.cpp - how much memory the library of cryptography is given, and how that was found.
//
// Measured on x86-64 with Mbed TLS 3.6.7 and this configuration: server and client in one process
// over memory, the server's requests counted by size. TLS 1.3 and 1.2, X25519 and P-256, AES-GCM
// and ChaCha20, certificates on P-256, RSA-2048 and RSA-4096, with and without an intermediate. On
// 32-bit processors structures are smaller and fit the same blocks.
//
//                                        established            in the handshake, greatest
//     client certificate on P-256        23,250 bytes, 8 blocks      32,246 bytes, 76 blocks
//     the same with an intermediate      23,250                      33,893
//     RSA-2048 with an intermediate      23,250                      36,966
//     RSA-4096 with an intermediate      23,250                      43,366
//     without freeing the handshake and the peer's certificate: 29,006 to 34,470 established
//
// A configuration holds 2,252 bytes with certificates on P-256 and 7,266 with RSA-4096.
//
// "idle" is a session after its handshake has been freed; "handshake" is what one in its handshake
// holds on top of that at its greatest, size by size. For RSA it is about half of what was counted:
// handshakes that wait for a peer hold the certificate and little else, only those on a worker
// calculate, and a short row borrows from the rows below it. "process" is room for two generations
// of the configuration side by side, each with a list of 512 revoked certificates.
#include "crypto/crypto.h"

#include <mbedtls/build_info.h>
#include <mbedtls/ssl.h>

namespace {

constexpr uint32_t record_extra_size = 336;  // bytes around the content that the library asks for

struct MemoryRow {
    uint32_t size;       // bytes of one block
    uint32_t process;    // blocks
    uint32_t idle;       // blocks of one session
    uint32_t handshake;  // further blocks of one handshake
};

constexpr MemoryRow memory_rows[] = {
    {32, 128, 0, 40},    // OIDs, names' small parts, numbers of P-256
    {64, 64, 0, 44},     // points, names of certificates
    {112, 1056, 0, 8},   // revoked certificates; keys
    {160, 32, 0, 4},
    {256, 32, 0, 6},     // contexts of ChaCha20; parts of RSA-2048
    {304, 32, 3, 8},     // AES keys
    {416, 16, 3, 3},     // GCM contexts
    {544, 16, 0, 4},     // certificates on P-256; parts of RSA-4096
    {768, 16, 0, 2},     // mbedtls_x509_crt
    {1072, 8, 0, 3},     // certificates with RSA-2048; products of RSA-4096
    {1424, 8, 0, 1},     // certificates with RSA-4096
    {1680, 4, 0, 1},     // the handshake itself
    {2624, 4, 0, 1},     // calculations of RSA-4096
    {MBEDTLS_SSL_OUT_CONTENT_LEN + record_extra_size, 4, 1, 0},
    {8192, 4, 0, 0},     // PEM texts while they are read
    {MBEDTLS_SSL_IN_CONTENT_LEN + record_extra_size, 2, 1, 0},
    {32768, 3, 0, 0},    // a list of 512 revoked certificates: old, new, and new as PEM
};
constexpr uint32_t memory_row_count = sizeof memory_rows / sizeof memory_rows[0];
static_assert(memory_row_count <= heap_classes_max);

}  // namespace

void crypto_layout(Heap& heap, Arena& arena, uint32_t sessions, uint32_t handshakes) {
    HeapClassRow rows[memory_row_count] = {};
    for (uint32_t i = 0; i < memory_row_count; i++) {
        const MemoryRow& row = memory_rows[i];
        rows[i].size = row.size;
        rows[i].count = row.process + sessions * row.idle + handshakes * row.handshake;
    }
    heap_layout(heap, arena, "cryptography", rows, memory_row_count);
}

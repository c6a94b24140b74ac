// memory.cpp - how much memory the library of cryptography is given, and how that was found.
//
// Measured on x86-64 with Mbed TLS 3.6.7 and this configuration: server and client in one process
// over memory, the server's requests counted by size. TLS 1.3 and 1.2, X25519 and P-256, AES-GCM
// and ChaCha20, certificates on P-256, RSA-2048 and RSA-4096, with and without an intermediate. On
// 32-bit processors structures are smaller and fit the same blocks.
//
//                                             established      greatest in the handshake
//     client certificate on P-256             29,006 bytes     32,246 bytes in 76 blocks
//     the same with an intermediate           30,653           33,893
//     RSA-2048, with an intermediate          29,892, 32,422   34,188, 36,966
//     RSA-4096, with an intermediate          30,916, 34,470   39,308, 43,366
//
// A configuration holds 2,252 bytes with certificates on P-256 and 7,266 with RSA-4096. The library
// keeps the handshake and the peer's certificate of TLS 1.3 for as long as the session lives; with
// both freed by hand 23,250 bytes would be left, and without the two record buffers about 2,100.
//
// "idle" is an established session: enough for a certificate of any of these kinds, or one on P-256
// with an intermediate. "handshake" is what one in its handshake holds on top of that at its
// greatest, size by size; for RSA about half of it: handshakes that wait for a peer hold the
// certificate and little else, only those on a worker calculate, and a short row borrows from the
// rows below it. 256 sessions in 16 handshakes at a time, taken in steps in a random order, were
// never refused. "listener" is room for two generations of the configuration of one listener side
// by side, each with a list of 512 revoked certificates. "signing" is what one receipt takes while
// it is signed or judged, size by size the most of keys on P-256 and P-384 and of RSA-2048 and
// RSA-4096 (at once up to 12,912 bytes in 21 blocks, or 5,328 in 49), and what it takes to judge a
// certificate request for a key of these kinds and to sign its certificate, by an authority on
// P-256; one of these is worked on at a time. "message" is what it takes beyond that to open a
// message, to judge it, and to seal an answer, with keys of RSA-3072 (at once up to 21,280 bytes in
// 40 blocks); a receipt, a request and a message are never worked on at the same time.
//
// "lab" is what a listener of the laboratory has loaded: key, certificate and CA, on P-256 or RSA
// (at most 4,466 bytes; the key alone is 1,440). "step" is what one step of such a session takes,
// size by size the most of each channel's handshake and messages (at once up to 7,488 bytes), and
// of loading without a key (10,078 bytes, with the certificate that is made). There is room for one
// step; others that run beside it borrow from the handshakes' blocks, or fail and say why.
#include "crypto/crypto.h"

#include <mbedtls/build_info.h>
#include <mbedtls/ssl.h>

namespace {

constexpr uint32_t record_extra_size = 336;  // bytes around the content that the library asks for

struct MemoryRow {
    uint32_t size;       // bytes of one block
    uint32_t listener;   // blocks of one listener of TLS
    uint32_t signing;    // further blocks, once
    uint32_t message;    // beyond those, where messages are opened
    uint32_t idle;       // blocks of one session
    uint32_t handshake;  // further blocks of one handshake
    uint32_t lab;        // blocks of one listener of the laboratory
    uint32_t step;       // further blocks, once, where there is such a listener
};

constexpr MemoryRow memory_rows[] = {
    {32, 128, 35, 0, 8, 28, 5, 27},   // OIDs, parts of names, numbers of P-256
    {64, 64, 39, 0, 4, 40, 4, 40},    // points, names
    {112, 1056, 38, 0, 1, 7, 0, 4},   // revoked certificates; keys
    {160, 32, 8, 0, 0, 4, 5, 13},     // halves of RSA-2048
    {256, 32, 8, 5, 2, 4, 3, 11},     // ChaCha20; parts of RSA-2048
    {304, 32, 5, 0, 7, 4, 6, 6},      // AES keys, hashes; numbers of RSA-2048
    {416, 16, 2, 11, 5, 2, 0, 1},     // GCM; numbers of RSA-3072
    {544, 16, 10, 0, 2, 3, 1, 6},     // certificates on P-256; parts of RSA-4096
    {768, 16, 3, 0, 2, 1, 1, 2},      // mbedtls_x509_crt
    {1072, 8, 6, 0, 0, 3, 2, 2},      // products of RSA-4096
    {1424, 8, 1, 0, 1, 1, 0, 1},      // certificates with RSA
    {1680, 4, 0, 0, 1, 0, 0, 0},      // the handshake
    {2624, 4, 1, 1, 0, 1, 0, 1},      // calculations of RSA-4096
    {MBEDTLS_SSL_OUT_CONTENT_LEN + record_extra_size, 4, 1, 0, 1, 0, 0, 1},
    {8192, 4, 0, 0, 0, 0, 0, 0},      // PEM texts while they are read
    {MBEDTLS_SSL_IN_CONTENT_LEN + record_extra_size, 2, 0, 0, 1, 0, 0, 0},
    {32768, 3, 0, 0, 0, 0, 0, 0},     // a list of 512 revoked certificates: old, new, as PEM
};
constexpr uint32_t memory_row_count = sizeof memory_rows / sizeof memory_rows[0];
static_assert(memory_row_count <= heap_classes_max);

}  // namespace

void crypto_layout(Heap& heap, Arena& arena, uint32_t sessions, uint32_t handshakes,
                   uint32_t message_keys, uint32_t lab_listeners, uint32_t tls_listeners) {
    HeapClassRow rows[memory_row_count] = {};
    for (uint32_t i = 0; i < memory_row_count; i++) {
        const MemoryRow& row = memory_rows[i];
        rows[i].size = row.size;
        rows[i].count = tls_listeners * row.listener + row.signing;
        rows[i].count += sessions * row.idle + handshakes * row.handshake;
        rows[i].count += message_keys * row.message;
        rows[i].count += lab_listeners * row.lab + (lab_listeners > 0 ? row.step : 0);
    }
    heap_layout(heap, arena, "cryptography", rows, memory_row_count);
}

// enrol.h - how a terminal gets its certificate, and another one before that ends: ENROL and RENEW.
//
// A terminal without a certificate comes to a listener of channel `enrol` with a code that
// `pennyctl enrol` made (access/enrol_code.h). One with a certificate asks for the next one on the
// connection that it has. Either sends a request for a key that it made itself and keeps (PKCS #10);
// the server signs it with the key of its own authority `issuing`, or leaves it to the operator.
//
//     command_enrol ┐   the port reads       enrol_run            the port writes     enrol_done
//     command_renew ┴─► the spool files ──► judges and signs ──► register, request, ──► the reply
//                       of one code          (a worker)           answer, each synced
//
//     A code, by the files of access/enrol_spool.h:
//
//                 ENROL code csr, the server signs
//          ┌──────────────────────────────────────────────────────────┐
//          │                                                          ▼
//        unused ──────────────────────► waiting ──────────────────► answered
//        .code   ENROL code csr          .code .csr                  .code .csr .crt
//          │     the operator signs        │   pennyctl enrol --sign,  │
//          │                               │   or the server now signs │ ENROL with the same key
//          ▼ ENROL behind its time         ▼ ENROL with another key    ▼ the same bytes
//        EXPIRED                          STATE                       issued
//
//   M1. S3 and P9 for these sessions: whoever comes by a listener of channel `enrol` is neither a
//       terminal nor a person, from accept on, and reaches ENROL and QUIT alone.
//   M2. A private key is never read, asked for or sent: of a request nothing but the public key is
//       taken, once its signature has proved that whoever made it has the private one.
//   M3. A certificate is in data/issued, on the disk, before anybody has it.
//   M4. The same code with the same key gets the same answer (P10), also after a cut at any step;
//       with another key it gets none. A renewal with the same key gets an answer again.
//   M5. A renewal is for the name in the certificate that the connection came with, whatever the
//       request says.
//   M6. One job at a time, beside no other one that signs: the library has memory for one.
//   M7. The code itself is kept and logged nowhere.
#pragma once

#include "access/enrol_spool.h"
#include "crypto/issued.h"
#include "crypto/request.h"
#include "wire/request.h"

inline constexpr uint32_t enrol_chain_size_max = 2 * certificate_pem_size_max;  // bytes of a .crt
static_assert(enrol_bulk_size_max >= request_pem_size_max);
inline constexpr uint32_t enrol_tries_max = 5;       // refused ones of one session, which then ends
inline constexpr uint32_t renewals_per_day = 8;      // that are signed or spooled, of one terminal
inline constexpr uint32_t renewal_buckets = 4096;

enum class EnrolUse : uint8_t {
    ask,    // ENROL code: who is meant, and the CA
    sign,   // ENROL code csr
    renew,  // RENEW csr
};

// A file of the spool as it is read or is to be written.
template <uint32_t size_max>
struct EnrolText {
    uint32_t size;  // bytes; 0 for no file
    uint8_t bytes[size_max];
};

// One request on its way. The port fills and empties the files; see enrol_run.
struct EnrolJob {
    EnrolUse use;
    bool may_spend;       // renew: this terminal's day is not used up
    Name name;            // of the terminal: a renewal's at once, else once `grant` was read
    EnrolBase base;       // of the files
    uint64_t wall_ms;     // by which certificates are judged
    EnrolText<request_pem_size_max> csr;

    EnrolText<enrol_grant_size_max> grant;       // .code
    EnrolText<request_pem_size_max> known;       // .csr
    EnrolText<enrol_chain_size_max> answer;      // .crt: what there is, or what was made

    EnrolText<issued_line_size_max> row;         // behind data/issued, before anything else
    bool drops_answer;    // .crt is of a key that is not used any more; then
    bool drops_csr;       // .csr too, since the server signs by itself now; then
    bool puts_csr;        // `csr` becomes .csr; then
    bool puts_answer;     // `answer` becomes .crt

    bool is_issued;       // ok: `answer` is the certificate and its chain; otherwise it waits
    CertificateFacts facts;  // of that certificate
    bool is_spent;        // renew: it counts for the day
    Status outcome;       // ok; absent, expired, state: of the code; invalid: of the request; busy:
                          // the day is used up; failed, damaged: `reason` says what the matter is
    const char* reason;   // a literal, a part of a sentence; nullptr on ok
};

// By whom certificates are signed; both texts are empty where the operator does it.
struct EnrolIssuer {
    CertificateIssuer signer;
    uint32_t days;        // of validity
};

// How many renewals each terminal had on a day. Terminals share buckets by chance alone.
struct Renewals {
    uint64_t day;
    uint8_t key[16];
    uint8_t counts[renewal_buckets];
};

// On a worker, when the files of the job have been read: judges it, and signs where that is ours to
// do. What is to be written is left in the job. Touches nothing else.
void enrol_run(EnrolJob& job, const EnrolIssuer& issuer);

// Whether a terminal may still renew today, and that it did.
bool renewals_may(Renewals& renewals, const Name& terminal, uint64_t wall_ms);
void renewals_note(Renewals& renewals, const Name& terminal);

#include "channel/tls.h"

#include <string.h>

#include <mbedtls/ecp.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/rsa.h>
#include <mbedtls/version.h>

#include "base/check.h"
#include "channel/tls_state.h"

namespace {

constexpr uint32_t record_plain_size_max = 16384;         // bytes; RFC 8446, section 5.1
constexpr uint32_t record_body_size_max = 16384 + 256;    // bytes; RFC 8446, section 5.2
constexpr uint32_t record_header_size = 5;                // bytes
constexpr uint32_t alert_cipher_size_max = 32;            // bytes of a sealed and padded alert
static_assert(record_header_size + record_body_size_max == channel_cipher_size);

enum RecordType : uint8_t { record_change = 20, record_alert = 21, record_data = 23 };

// One call into the library: it reads and writes the buffers lent for just that long (C1).
struct Lent {
    TlsSession* session;
    Reader* in;   // nullptr: nothing to read
    Writer* out;  // nullptr: no room, so what must go out waits in the library for channel_close
};

// What an error of the library means.
struct FailureRow {
    int code;
    TlsFailure failure;
};

constexpr TlsFailure failure_other = {MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR,
                                      "handshake was not understood"};
constexpr TlsFailure failure_memory = {MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR,
                                       "no memory for a session"};
constexpr TlsFailure failure_certificate = {MBEDTLS_SSL_ALERT_MSG_BAD_CERT,
                                            "certificate was not understood"};
constexpr TlsFailure failure_common = {MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE,
                                       "no cipher suite, group or signature in common"};
constexpr TlsFailure failure_key = {MBEDTLS_SSL_ALERT_MSG_BAD_CERT,
                                    "certificate has a kind of key that is refused"};
constexpr TlsFailure failure_possession = {MBEDTLS_SSL_ALERT_MSG_DECRYPT_ERROR,
                                           "the client does not have the key of its certificate"};
constexpr TlsFailure failure_finished = {MBEDTLS_SSL_ALERT_MSG_DECRYPT_ERROR,
                                         "the end of the handshake does not fit its beginning"};
constexpr TlsFailure failure_too_long = {MBEDTLS_SSL_ALERT_MSG_RECORD_OVERFLOW,
                                         "a record is longer than TLS allows"};
constexpr TlsFailure failure_renegotiation = {tls_alert_none, "the peer asked to negotiate again"};
// After a failure of the source of randomness nothing more is said (P11).
constexpr TlsFailure failure_random = {tls_alert_none, "no random bytes"};

constexpr FailureRow failure_rows[] = {
    {MBEDTLS_ERR_SSL_INVALID_RECORD,
     {MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE, "not a TLS record"}},
    {MBEDTLS_ERR_SSL_BAD_PROTOCOL_VERSION,
     {MBEDTLS_SSL_ALERT_MSG_PROTOCOL_VERSION, "no version of TLS in common"}},
    {MBEDTLS_ERR_SSL_INVALID_MAC,
     {MBEDTLS_SSL_ALERT_MSG_BAD_RECORD_MAC, "a record was altered on its way"}},
    {MBEDTLS_ERR_SSL_DECODE_ERROR,
     {MBEDTLS_SSL_ALERT_MSG_DECODE_ERROR, "handshake was not understood"}},
    {MBEDTLS_ERR_SSL_UNEXPECTED_MESSAGE,
     {MBEDTLS_SSL_ALERT_MSG_UNEXPECTED_MESSAGE, "a message came out of turn"}},
    {MBEDTLS_ERR_SSL_ILLEGAL_PARAMETER,
     {MBEDTLS_SSL_ALERT_MSG_ILLEGAL_PARAMETER, "handshake was not understood"}},
    {MBEDTLS_ERR_SSL_UNSUPPORTED_EXTENSION,
     {MBEDTLS_SSL_ALERT_MSG_UNSUPPORTED_EXT, "handshake was not understood"}},
    {MBEDTLS_ERR_SSL_BAD_INPUT_DATA,  // by the buffer of the records that bring one message
     {MBEDTLS_SSL_ALERT_MSG_ILLEGAL_PARAMETER, "a message is longer than we take"}},
    {MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE,
     {tls_alert_none, "the peer ended the session with an alert"}},
    {MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY, {tls_alert_none, "the peer closed during the handshake"}},
    {MBEDTLS_ERR_X509_UNKNOWN_SIG_ALG + MBEDTLS_ERR_OID_NOT_FOUND,
     {MBEDTLS_SSL_ALERT_MSG_BAD_CERT, "certificate is signed in a way that is refused"}},
    {MBEDTLS_ERR_X509_FATAL_ERROR, tls_failure_chain},
    {MBEDTLS_ERR_SSL_ALLOC_FAILED, failure_memory},
    {MBEDTLS_ERR_X509_ALLOC_FAILED, failure_memory},
    {MBEDTLS_ERR_PK_ALLOC_FAILED, failure_memory},
    {MBEDTLS_ERR_ECP_ALLOC_FAILED, failure_memory},
    {MBEDTLS_ERR_ENTROPY_SOURCE_FAILED, failure_random},
    {MBEDTLS_ERR_ECP_RANDOM_FAILED, failure_random},
    {MBEDTLS_ERR_RSA_RNG_FAILED, failure_random},
    {MBEDTLS_ERR_ERROR_GENERIC_ERROR, failure_random},  // PSA has no code of its own for it
};

// Follows the records of the peer, to tell a record in part from the quiet between two (is_idle).
void track(TlsRecord& record, Slice bytes) {
    uint32_t i = 0;
    while (i < bytes.size) {
        if (record.header_size < record_header_size) {
            record.header[record.header_size++] = bytes.data[i++];
            if (record.header_size < record_header_size) continue;
            record.body_size = static_cast<uint16_t>(record.header[3] << 8 | record.header[4]);
            record.body_left = record.body_size;
        } else {
            const uint32_t left = bytes.size - i;
            const uint32_t taken = left < record.body_left ? left : record.body_left;
            record.body_left = static_cast<uint16_t>(record.body_left - taken);
            i += taken;
        }
        if (record.body_left == 0) record.header_size = 0;
    }
}

// The library judges a header only when it is whole, and passes over its version.
bool is_record(const TlsRecord& record) {
    if (record.header_size == 0) return true;
    if (record.header[0] < record_change || record.header[0] > record_data) return false;
    return record.header_size == 1 || record.header[1] == 3;
}

int receive(void* context, unsigned char* out, size_t size) {
    Lent& lent = *static_cast<Lent*>(context);
    if (lent.in == nullptr || reader_left(*lent.in) == 0) return MBEDTLS_ERR_SSL_WANT_READ;
    const uint32_t left = reader_left(*lent.in);
    const uint32_t taken = size < left ? static_cast<uint32_t>(size) : left;
    const Slice bytes = get_bytes(*lent.in, taken);
    memcpy(out, bytes.data, bytes.size);
    TlsRecord& record = lent.session->in;
    track(record, bytes);
    if (!is_record(record)) return MBEDTLS_ERR_SSL_INVALID_RECORD;
    // The library would wait for all of it and then only say that it was altered.
    if (record.body_left > record_body_size_max) return MBEDTLS_ERR_SSL_INVALID_RECORD;
    return static_cast<int>(taken);
}

// An alert can be told from its header, sealed or not: nothing else that leaves while a call fails
// is that short.
bool is_alert(const unsigned char* record, size_t size) {
    if (size < record_header_size) return false;
    const uint32_t body_size = static_cast<uint32_t>(record[3] << 8 | record[4]);
    return record[0] == record_alert ||
           (record[0] == record_data && body_size <= alert_cipher_size_max);
}

// The library offers one record at a time, and again what is left of it until all has been taken.
int transmit(void* context, const unsigned char* bytes, size_t size) {
    Lent& lent = *static_cast<Lent*>(context);
    TlsSession& session = *lent.session;
    if (session.out_left == 0 && is_alert(bytes, size)) session.alert_offered = true;
    const uint32_t offered = static_cast<uint32_t>(size);
    const uint32_t room = lent.out == nullptr ? 0 : writer_room(*lent.out);
    const uint32_t taken = offered < room ? offered : room;
    session.out_left = offered - taken;
    if (taken == 0) return MBEDTLS_ERR_SSL_WANT_WRITE;
    put_bytes(*lent.out, {bytes, taken});
    return static_cast<int>(taken);
}

void lend(Lent& lent) {
    lent.session->alert_offered = false;
    mbedtls_ssl_set_bio(&lent.session->ssl, &lent, transmit, receive, nullptr);
}

void take_back(Lent& lent) {
    mbedtls_ssl_set_bio(&lent.session->ssl, nullptr, nullptr, nullptr, nullptr);
}

bool is_certificate_code(int code) {
    if (code == MBEDTLS_ERR_SSL_BAD_CERTIFICATE) return true;
    // The certificate parser adds the code of what it met inside to its own.
    const int family = -code & 0xff80;
    return family >= -MBEDTLS_ERR_X509_FEATURE_UNAVAILABLE &&
           family <= -MBEDTLS_ERR_X509_FATAL_ERROR;
}

// Codes about keys and signatures, whatever is added to them.
bool is_key_code(int code) {
    const int family = -(-code & 0xff80);
    return (family <= MBEDTLS_ERR_PK_BUFFER_TOO_SMALL && family >= MBEDTLS_ERR_PK_ALLOC_FAILED) ||
           (family <= MBEDTLS_ERR_RSA_BAD_INPUT_DATA && family >= MBEDTLS_ERR_RSA_RNG_FAILED) ||
           (family <= MBEDTLS_ERR_ECP_SIG_LEN_MISMATCH && family >= MBEDTLS_ERR_ECP_BAD_INPUT_DATA);
}

// Whether the other end is to have a certificate.
bool is_judge(const TlsSession& session) {
    return session.generation->end == TlsEnd::server || session.generation->end == TlsEnd::client;
}

// What means several things is told apart by the message that was waited for.
TlsFailure failure_in_turn(const TlsSession& session, int code) {
    const bool is_failure = code == MBEDTLS_ERR_SSL_HANDSHAKE_FAILURE;
    const TlsFailure other = is_failure                  ? failure_common
                             : is_certificate_code(code) ? failure_certificate
                                                         : failure_other;
    if (session.generation->end != TlsEnd::server) return other;
    const int state = session.ssl.MBEDTLS_PRIVATE(state);
    if (state == MBEDTLS_SSL_CLIENT_CERTIFICATE && is_key_code(code)) return failure_key;
    const bool is_proof = state == MBEDTLS_SSL_CERTIFICATE_VERIFY ||        // TLS 1.2
                          state == MBEDTLS_SSL_CLIENT_CERTIFICATE_VERIFY;  // TLS 1.3
    if (is_proof && (is_failure || is_key_code(code))) return failure_possession;
    return state == MBEDTLS_SSL_CLIENT_FINISHED && is_failure ? failure_finished : other;
}

TlsFailure failure_of(TlsSession& session, int code) {
    if (session.refused.reason != nullptr) return session.refused;
    // A doubtful certificate explains whatever went wrong after it.
    const uint32_t flags = mbedtls_ssl_get_verify_result(&session.ssl);
    if (is_judge(session) && flags != 0 && flags != UINT32_MAX) return tls_verify_failure(flags);
    const bool record = code == MBEDTLS_ERR_SSL_INVALID_RECORD ||
                        (code == MBEDTLS_ERR_SSL_BAD_INPUT_DATA &&
                         session.in.header[0] != record_data);
    if (record && is_record(session.in) && session.in.body_size > record_plain_size_max) {
        return failure_too_long;
    }
    for (const FailureRow& row : failure_rows) {
        if (row.code == code) return row.failure;
    }
    return failure_in_turn(session, code);
}

// Ends the session and lets the peer know, unless the library has done so.
Status fail(Channel& channel, Lent& lent, const TlsFailure& failure) {
    TlsSession& session = *lent.session;
    channel.reason = failure.reason;
    session.phase = TlsPhase::failed;
    // The first call only flushes when something else is still on its way.
    for (uint32_t i = 0; i < 2 && failure.alert != tls_alert_none && !session.alert_offered; i++) {
        const int sent = mbedtls_ssl_send_alert_message(
            &session.ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL, static_cast<uint8_t>(failure.alert));
        if (sent != 0) break;
    }
    return Status::failed;
}

// Puts what is left of a record that was begun. Returns ok, or more without room for all of it.
Status flush(TlsSession& session) {
    if (session.out_left == 0) return Status::ok;
    // With bytes still to go the library flushes them and forgets the alert it was asked for.
    const int sent = mbedtls_ssl_send_alert_message(&session.ssl, MBEDTLS_SSL_ALERT_LEVEL_FATAL,
                                                    MBEDTLS_SSL_ALERT_MSG_INTERNAL_ERROR);
    return sent == 0 ? Status::ok : Status::more;
}

void copy_text(char* out, uint32_t capacity, const char* text) {
    const Slice slice = slice_part(slice_of(text), 0, capacity - 1);
    memset(out, 0, capacity);
    memcpy(out, slice.data, slice.size);
}

// V1 for the server, whose library goes on whatever the certificate; a client's has refused by
// itself. Returns a failure without a reason where nothing is wrong, or nothing is known yet.
TlsFailure judge(TlsSession& session) {
    const uint32_t flags = mbedtls_ssl_get_verify_result(&session.ssl);
    const bool is_over = mbedtls_ssl_is_handshake_over(&session.ssl) != 0;
    if (!is_judge(session) || (flags == UINT32_MAX && !is_over)) return {tls_alert_none, nullptr};
    if ((flags & MBEDTLS_X509_BADCERT_MISSING) != 0) {
        TlsFailure missing = tls_verify_failure(MBEDTLS_X509_BADCERT_MISSING);
        // Only 1.3 has an alert for it.
        const bool is_tls13 =
            mbedtls_ssl_get_version_number(&session.ssl) == MBEDTLS_SSL_VERSION_TLS1_3;
        if (!is_tls13) missing.alert = MBEDTLS_SSL_ALERT_MSG_HANDSHAKE_FAILURE;
        return missing;
    }
    if (session.refused.reason != nullptr) return session.refused;
    if (flags != 0) return tls_verify_failure(flags);
    return {tls_alert_none, nullptr};
}

// Copies out whom the handshake authenticated (C4).
Status establish(Channel& channel, Lent& lent) {
    TlsSession& session = *lent.session;
    const TlsEnd end = session.generation->end;
    const bool judges = is_judge(session);
    ChannelPeer& peer = channel.peer;
    if (judges) tls_copy_peer(*mbedtls_ssl_get_peer_cert(&session.ssl), peer);
    // tls_verify has seen the name of a client already.
    CHECK(end != TlsEnd::server || peer.name[0] != '\0');
    copy_text(peer.protocol, sizeof peer.protocol, mbedtls_ssl_get_version(&session.ssl));
    copy_text(peer.cipher, sizeof peer.cipher,
              tls_suite_name(mbedtls_ssl_get_ciphersuite_id_from_ssl(&session.ssl)));
    peer.authenticated = judges;
    session.phase = TlsPhase::established;
    return Status::ok;
}

// Behind its Finished a server seals with the keys of the session, and its alerts too. The library
// goes over to them when the client has finished; until then nobody could read what it says (Mbed
// TLS issue 10877).
void use_session_keys(TlsSession& session) {
    mbedtls_ssl_context& ssl = session.ssl;
    mbedtls_ssl_transform* const keys = ssl.MBEDTLS_PRIVATE(transform_application);
    const TlsEnd end = session.generation->end;
    if ((end != TlsEnd::server && end != TlsEnd::enrol) || keys == nullptr) return;
    if (ssl.MBEDTLS_PRIVATE(transform_out) == keys) return;
    ssl.MBEDTLS_PRIVATE(transform_out) = keys;
    memset(ssl.MBEDTLS_PRIVATE(cur_out_ctr), 0, sizeof ssl.MBEDTLS_PRIVATE(cur_out_ctr));
}

// Steps until the handshake is over, cannot go on, or the certificate is refused. Returns the code
// of the library; `failure` has a reason when it was ours to refuse.
int shake(TlsSession& session, TlsFailure& failure) {
    while (mbedtls_ssl_is_handshake_over(&session.ssl) == 0) {
        const int code = mbedtls_ssl_handshake_step(&session.ssl);
        if (code != 0) return code;
        use_session_keys(session);
        failure = judge(session);
        if (failure.reason != nullptr) return 0;
    }
    return 0;
}

Status advance_lent(Channel& channel, Lent& lent) {
    TlsSession& session = *lent.session;
    TlsFailure failure = {};
    const int code = shake(session, failure);
    if (code == MBEDTLS_ERR_SSL_WANT_READ || code == MBEDTLS_ERR_SSL_WANT_WRITE) {
        return Status::more;
    }
    if (code != 0) failure = failure_of(session, code);
    const Status status = failure.reason == nullptr ? establish(channel, lent)
                                                    : fail(channel, lent, failure);
    // The alert is ours to bring out before the end is told.
    return status == Status::failed && session.out_left > 0 ? Status::more : status;
}

Status tls_advance(Channel& channel, Reader& cipher_in, Writer& cipher_out) {
    TlsSession& session = tls_session(channel);
    if (session.phase == TlsPhase::established) return Status::ok;
    Lent lent = {&session, &cipher_in, &cipher_out};
    lend(lent);
    Status status = Status::failed;
    if (session.phase == TlsPhase::handshake) {
        status = advance_lent(channel, lent);
    } else if (flush(session) == Status::more) {
        status = Status::more;
    }
    take_back(lent);
    return status;
}

// One step of reading. Returns ok after progress, more when the cipher bytes are used up.
Status read_once(Channel& channel, Lent& lent, Writer& plain_out) {
    TlsSession& session = *lent.session;
    const uint32_t left_before = reader_left(*lent.in);
    const int code = mbedtls_ssl_read(&session.ssl, plain_out.data + plain_out.size,
                                      writer_room(plain_out));
    if (code > 0) {
        plain_out.size += static_cast<uint32_t>(code);
        CHECK(plain_out.size <= plain_out.capacity);
        return Status::ok;
    }
    if (code == MBEDTLS_ERR_SSL_WANT_READ) {
        // A warning or a session ticket was passed over; there may be more behind it.
        const uint32_t left = reader_left(*lent.in);
        return left > 0 && left < left_before ? Status::ok : Status::more;
    }
    if (code == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        session.ended = true;
        return Status::end;
    }
    // Only an answer to a renegotiation would want to write here; the library has refused it.
    if (code == MBEDTLS_ERR_SSL_WANT_WRITE) return fail(channel, lent, failure_renegotiation);
    return fail(channel, lent, failure_of(session, code));
}

Status tls_read(Channel& channel, Reader& cipher_in, Writer& plain_out) {
    TlsSession& session = tls_session(channel);
    if (session.phase != TlsPhase::established) return Status::failed;
    if (session.ended) return Status::end;  // Whatever is behind it was not sent by the peer.
    Lent lent = {&session, &cipher_in, nullptr};
    lend(lent);
    Status status = Status::ok;
    while (status == Status::ok) {
        const bool waiting = reader_left(cipher_in) > 0 ||
                             mbedtls_ssl_check_pending(&session.ssl) != 0;
        if (!waiting) break;
        status = writer_room(plain_out) == 0 ? Status::full : read_once(channel, lent, plain_out);
    }
    take_back(lent);
    return status == Status::more ? Status::ok : status;
}

Status write_lent(Channel& channel, Lent& lent, Reader& plain_in) {
    TlsSession& session = *lent.session;
    while (reader_left(plain_in) > 0) {
        const int expansion = mbedtls_ssl_get_record_expansion(&session.ssl);
        const int payload_max = mbedtls_ssl_get_max_out_record_payload(&session.ssl);
        if (expansion <= 0 || payload_max <= 0) return fail(channel, lent, failure_other);
        const uint32_t left = reader_left(plain_in);
        const uint32_t around = static_cast<uint32_t>(expansion);
        const uint32_t whole = static_cast<uint32_t>(payload_max);
        uint32_t size = left < whole ? left : whole;
        // A record that does not fit is cut short only where waiting would not help.
        const uint32_t room = writer_room(*lent.out);
        if (room < around + size) {
            if (lent.out->size > 0 || room <= around) return Status::full;
            size = room - around;
        }
        const int code = mbedtls_ssl_write(&session.ssl, plain_in.data + plain_in.offset, size);
        if (code <= 0) return fail(channel, lent, failure_of(session, code));
        CHECK(session.out_left == 0);  // Room for all of it was made sure of above.
        CHECK(static_cast<uint32_t>(code) <= size);
        plain_in.offset += static_cast<uint32_t>(code);
    }
    return Status::ok;
}

Status tls_write(Channel& channel, Reader& plain_in, Writer& cipher_out) {
    TlsSession& session = tls_session(channel);
    if (session.phase != TlsPhase::established || session.closed) return Status::failed;
    Lent lent = {&session, nullptr, &cipher_out};
    lend(lent);
    const Status status = write_lent(channel, lent, plain_in);
    take_back(lent);
    return status;
}

void tls_close(Channel& channel, Writer& cipher_out) {
    TlsSession& session = tls_session(channel);
    Lent lent = {&session, nullptr, &cipher_out};
    lend(lent);
    if (session.out_left > 0) {
        // The rest of the record that says why; after it nothing is owed.
        if (writer_room(cipher_out) >= session.out_left) (void)flush(session);
    } else if (session.phase == TlsPhase::established && !session.closed) {
        const uint32_t size = record_header_size + alert_cipher_size_max;
        if (writer_room(cipher_out) >= size) {
            session.closed = mbedtls_ssl_close_notify(&session.ssl) == 0;
        }
    }
    take_back(lent);
}

bool tls_is_idle(const Channel& channel) {
    const TlsSession& session = tls_session(channel);
    return session.in.header_size == 0 && session.out_left == 0 &&
           mbedtls_ssl_check_pending(&session.ssl) == 0;
}

void tls_free(Channel& channel) { mbedtls_ssl_free(&tls_session(channel).ssl); }

constexpr ChannelType tls_type = {
    "tls", false, false, tls_advance, tls_read, tls_write, tls_close, tls_is_idle, tls_free,
};

}  // namespace

Status tls_open(Channel& channel, TlsConfig& config, const char* host) {
    CHECK(config.loaded);
    TlsGeneration& generation = tls_generation(config);
    CHECK((host == nullptr) == tls_is_server(generation.end));
    memset(&channel, 0, sizeof channel);
    TlsSession& session = tls_session(channel);
    session.generation = &generation;
    mbedtls_ssl_init(&session.ssl);
    int code = mbedtls_ssl_setup(&session.ssl, &generation.config);
    if (code == 0 && host != nullptr) code = mbedtls_ssl_set_hostname(&session.ssl, host);
    if (code != 0) {
        mbedtls_ssl_free(&session.ssl);
        memset(&channel, 0, sizeof channel);
        return code == MBEDTLS_ERR_SSL_ALLOC_FAILED ? Status::full : Status::invalid;
    }
    if (generation.end == TlsEnd::server) {
        mbedtls_ssl_set_verify(&session.ssl, tls_verify, &channel);
    }
    if (generation.end == TlsEnd::client) {
        mbedtls_ssl_set_verify(&session.ssl, tls_verify_server, &session);
    }
    channel.type = &tls_type;
    return Status::ok;
}

Status tls_peer_certificate(const Channel& channel, uint32_t index, Slice& der) {
    const TlsSession& session = tls_session(channel);
    CHECK(session.phase == TlsPhase::established);
    const mbedtls_x509_crt* at = mbedtls_ssl_get_peer_cert(&session.ssl);
    for (uint32_t i = 0; i < index && at != nullptr; i++) at = at->next;
    if (at == nullptr) return Status::absent;
    der = tls_slice(at->raw);
    return Status::ok;
}

bool tls_is(const Channel& channel) { return channel.type == &tls_type; }

// The library has no call for it. What it reads of a configuration behind the handshake is the
// same in all of ours: which end it is, the source of randomness, no timeout.
static_assert(MBEDTLS_VERSION_MAJOR == 3, "look again at what is read behind the handshake");

void tls_move(Channel& channel, TlsConfig& config) {
    CHECK(config.loaded && tls_is(channel));
    TlsSession& session = tls_session(channel);
    TlsGeneration& generation = tls_generation(config);
    CHECK(session.phase == TlsPhase::established && session.generation->end == generation.end);
    session.generation = &generation;
    session.ssl.MBEDTLS_PRIVATE(conf) = &generation.config;
}

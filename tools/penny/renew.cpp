#include "penny/renew.h"

#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "crypto/chain.h"
#include "crypto/request.h"
#include "penny/pair.h"
#include "penny/prompt.h"
#include "posix/system.h"

namespace {

constexpr uint32_t ca_size_max = 65536;

enum class Renewed : uint8_t { done, waits, failed };

// What the present certificate says, and where everything is. One of them per process.
struct Renewal {
    const Options* options;
    CertificateFacts facts;
    bool is_expired;
    bool is_quiet;
    Pair pair;
    PairPem key;
    PairPem certificate;
    uint8_t ca[ca_size_max];
};

Renewal renewal;

Status read_facts(const char* path) {
    renewal.certificate.text = writer_of(renewal.certificate.bytes, pair_pem_size_max);
    uint32_t size = 0;
    Slice first = {};
    Status status = system_read_file(path, renewal.certificate.bytes, pair_pem_size_max, size);
    if (status == Status::ok) status = certificate_first({renewal.certificate.bytes, size}, first);
    return status == Status::ok ? certificate_read(first, renewal.facts) : status;
}

bool is_due(uint64_t wall_ms) {
    const CertificateFacts& facts = renewal.facts;
    if (facts.not_after_ms <= facts.not_before_ms) return false;
    const uint64_t third_ms = (facts.not_after_ms - facts.not_before_ms) / 3;
    return wall_ms + third_ms > facts.not_after_ms;
}

Status make_request(uint8_t bytes[request_pem_size_max], Slice& out) {
    Writer request = writer_of(bytes, request_pem_size_max);
    const Slice name = slice_of(renewal.facts.name);
    const Status status = request_make(writer_slice(renewal.key.text), name, request);
    out = writer_slice(request);
    return status;
}

// Takes the certificate out of an answer. What it is not is told.
Renewed take_answer(const Reply& reply) {
    Slice state;
    Slice certificate;
    Slice ca = {renewal.ca, 0};
    if (!reply_text(reply, "state", state)) return Renewed::failed;
    if (slice_equal_text(state, "waiting")) return Renewed::waits;
    if (!reply_text(reply, "certificate", certificate)) return Renewed::failed;
    if (system_read_file(renewal.options->cacert, renewal.ca, ca_size_max, ca.size) != Status::ok) {
        say("not renewed: %s cannot be read", renewal.options->cacert);
        return Renewed::failed;
    }
    if (!renew_judge("not renewed", certificate, writer_slice(renewal.key.text),
                     slice_of(renewal.facts.name), ca)) {
        return Renewed::failed;
    }
    const Status status = pair_take_next(renewal.pair, certificate);
    if (status == Status::ok) return Renewed::done;
    (void)folder_refuse(renewal.pair.cert_folder, renewal.pair.cert, status);
    return Renewed::failed;
}

// With the lock. `ask` sends the words and gives the answer, or says why there is none.
Renewed renew(Client& client, bool (*ask)(Client& client, const Slice* words, Reply& out)) {
    uint8_t bytes[request_pem_size_max];
    Slice request = {};
    const Status status = pair_need_next(renewal.pair, renewal.key);
    if (status != Status::ok) {
        (void)folder_refuse(renewal.pair.key_folder, renewal.pair.key_next, status);
        return Renewed::failed;
    }
    if (make_request(bytes, request) != Status::ok) {
        say("not renewed: no request could be made with %s", renewal.pair.key_next);
        return Renewed::failed;
    }
    const Slice words[] = {slice_of("RENEW"), request};
    Reply reply = {};
    return ask(client, words, reply) ? take_answer(reply) : Renewed::failed;
}

Renewed open_and_renew(Client& client, bool waits,
                       bool (*ask)(Client& client, const Slice* words, Reply& out)) {
    const Options& options = *renewal.options;
    if (pair_open(renewal.pair, options.cert, options.key) != exit_go_on) return Renewed::failed;
    const Status status = pair_lock(renewal.pair, waits);
    Renewed outcome = Renewed::waits;  // Another penny is at it.
    if (status == Status::ok) outcome = renew(client, ask);
    if (status == Status::failed) outcome = Renewed::failed;
    pair_close(renewal.pair);
    wipe(&renewal.key, sizeof renewal.key);
    return outcome;
}

bool ask_first(Client& client, const Slice* words, Reply& out) {
    if (client_ask_first(client, words, 2, out)) return true;
    say("not renewed: %s", client.connection->reason);
    return false;
}

bool ask(Client& client, const Slice* words, Reply& out) {
    return client_ask(client, words, 2, out) == Outcome::reply;
}

// Between the handshake and the login. Returns true when the connection must be made anew, with the
// certificate that is there now: the old one is good for nothing else any more.
bool renew_first(Client& client) {
    client.renew_first = nullptr;  // Once.
    return open_and_renew(client, false, ask_first) == Renewed::done && renewal.is_expired;
}

}  // namespace

bool renew_judge(const char* what, Slice certificate, Slice key_pem, Slice name, Slice ca_pem) {
    CertificateFacts facts = {};
    Slice first = {};
    const char* reason = "it is no certificate";
    Status status = certificate_first(certificate, first);
    if (status == Status::ok) status = certificate_read(first, facts);
    if (status == Status::ok) status = chain_verify(certificate, ca_pem, reason);
    if (status == Status::ok && certificate_match(first, key_pem) != Status::ok) {
        status = Status::invalid;
        reason = "it is for another key";
    }
    if (status == Status::ok && !slice_equal(slice_of(facts.name), name)) {
        status = Status::invalid;
        reason = "it is for another name";
    }
    if (status == Status::ok && !facts.is_client) {
        status = Status::invalid;
        reason = "it is not a client's";
    }
    if (status == Status::ok) return true;
    say("%s: the server's answer is refused: %s", what, reason);
    return false;
}

void renew_prepare(Client& client, const Options& options) {
    if (!options.cert_is_conf || options.cacert == nullptr) return;
    const uint64_t wall_ms = system_wall_us() / 1000;
    if (read_facts(options.cert) != Status::ok || !is_due(wall_ms)) return;
    renewal.options = &options;
    renewal.is_expired = renewal.facts.not_after_ms <= wall_ms;
    client.renew_first = renew_first;
}

ExitCode renew_run(Client& client, const Options& options) {
    if (options.cert == nullptr) {
        say("which certificate? Give a client.conf, or --cert and --key");
        return exit_usage;
    }
    renewal.options = &options;
    if (read_facts(options.cert) != Status::ok) {
        say("%s: this is no certificate", options.cert);
        return exit_refused;
    }
    client.errors = stderr;
    client.renew_first = nullptr;
    if (options.due && !is_due(system_wall_us() / 1000)) return exit_done;
    const Renewed outcome = open_and_renew(client, true, ask);
    if (outcome == Renewed::failed) return exit_refused;
    if (outcome == Renewed::waits) {
        say("the request waits for the operator: pennyctl enrol --sign %s; then run this again",
            renewal.facts.name);
        return exit_refused;
    }
    if (read_facts(options.cert) != Status::ok) return exit_refused;
    uint8_t text[32];
    Writer until = writer_of(text, sizeof text);
    put_utc(until, renewal.facts.not_after_ms);
    printf("%s: renewed until %.10s\n", renewal.facts.name, reinterpret_cast<const char*>(text));
    return exit_done;
}

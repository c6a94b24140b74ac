#include "penny/pair.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "crypto/certificate.h"

namespace {

constexpr char next[] = ".next";

// Cuts a path into the folder, which is opened, and a name, with room for an ending.
ExitCode open_half(const char* path, KeyFolder& folder, char* name, char* name_next) {
    char parent[folder_path_size_max + 1];
    const char* slash = strrchr(path, '/');
    const size_t size = slash == nullptr ? 0 : static_cast<size_t>(slash - path);
    const char* last = slash == nullptr ? path : slash + 1;
    if (size > folder_path_size_max || strlen(last) + sizeof next > folder_name_size_max) {
        say("%s: the name is too long", path);
        return exit_refused;
    }
    snprintf(parent, sizeof parent, "%.*s", static_cast<int>(size), path);
    if (size == 0) snprintf(parent, sizeof parent, "%s", slash == nullptr ? "." : "/");
    snprintf(name, folder_name_size_max + 1, "%s", last);
    snprintf(name_next, folder_name_size_max + 1, "%s%s", last, next);
    const ExitCode code = folder_open_at(folder, parent, false);
    if (code != exit_go_on || folder_is_file(folder, name)) return code;
    say("not renewed: %s is a link or no file, and is not replaced; name the file itself", path);
    return exit_refused;
}

Status read_pem(const KeyFolder& folder, const char* name, PairPem& out) {
    out.text = writer_of(out.bytes, sizeof out.bytes);
    return folder_read(folder, name, out.text);
}

// Whether a certificate and a key that lie there belong together.
bool match(const Pair& pair, const char* cert, const char* key) {
    static PairPem certificate;
    static PairPem secret;
    Status status = read_pem(pair.cert_folder, cert, certificate);
    if (status == Status::ok) status = read_pem(pair.key_folder, key, secret);
    Slice first = {};
    if (status == Status::ok) status = certificate_first(writer_slice(certificate.text), first);
    if (status == Status::ok) status = certificate_match(first, writer_slice(secret.text));
    wipe(&secret, sizeof secret);
    return status == Status::ok;
}

Status move_certificate(const Pair& pair) {
    return folder_rename(pair.cert_folder, pair.cert_next, pair.cert);
}

Status move_key(const Pair& pair) {
    return folder_rename(pair.key_folder, pair.key_next, pair.key);
}

// With the lock. Behind a cut one of the steps of pair_take_next is the next one.
Status heal(const Pair& pair) {
    if (folder_has(pair.cert_folder, pair.cert_next) &&
        match(pair, pair.cert_next, pair.key_next)) {
        const Status status = move_certificate(pair);
        return status == Status::ok ? move_key(pair) : status;
    }
    if (match(pair, pair.cert, pair.key) || !match(pair, pair.cert, pair.key_next)) {
        return Status::ok;
    }
    return move_key(pair);
}

}  // namespace

ExitCode pair_open(Pair& pair, const char* cert_path, const char* key_path) {
    pair.cert_folder.fd = -1;
    pair.key_folder.fd = -1;
    ExitCode code = open_half(cert_path, pair.cert_folder, pair.cert, pair.cert_next);
    if (code == exit_go_on) code = open_half(key_path, pair.key_folder, pair.key, pair.key_next);
    if (code != exit_go_on) pair_close(pair);
    return code;
}

void pair_close(Pair& pair) {
    folder_close(pair.cert_folder);
    folder_close(pair.key_folder);
}

Status pair_lock(const Pair& pair, bool waits) {
    const Status status = folder_lock(pair.key_folder, waits);
    if (status != Status::ok) return status;
    folder_sweep(pair.key_folder);
    folder_sweep(pair.cert_folder);
    return status;
}

Status pair_heal(const char* cert_path, const char* key_path, bool waits) {
    Pair pair = {};
    char path[folder_path_size_max + sizeof next];
    snprintf(path, sizeof path, "%s%s", key_path, next);
    if (access(path, F_OK) != 0) return Status::ok;
    if (pair_open(pair, cert_path, key_path) != exit_go_on) return Status::failed;
    Status status = pair_lock(pair, waits);
    if (status == Status::ok) status = heal(pair);
    pair_close(pair);
    return status;
}

Status pair_need_next(const Pair& pair, PairPem& key) {
    key.text = writer_of(key.bytes, sizeof key.bytes);
    if (!folder_has(pair.key_folder, pair.key_next)) {
        Status status = certificate_make_key(key.text);
        if (status == Status::ok) {
            status = folder_make(pair.key_folder, pair.key_next, writer_slice(key.text));
        }
        if (status != Status::ok && status != Status::exists) return status;
    }
    key.text.size = 0;
    return folder_read_secret(pair.key_folder, pair.key_next, key.text);
}

Status pair_take_next(const Pair& pair, Slice certificate) {
    // One of an earlier key, which was never taken.
    Status status = folder_remove(pair.cert_folder, pair.cert_next);
    if (status != Status::ok && status != Status::absent) return status;
    status = folder_make(pair.cert_folder, pair.cert_next, certificate);
    if (status == Status::ok) status = folder_liken(pair.cert_folder, pair.cert_next, pair.cert);
    if (status == Status::ok) status = folder_liken(pair.key_folder, pair.key_next, pair.key);
    if (status == Status::ok) status = move_certificate(pair);
    return status == Status::ok ? move_key(pair) : status;
}

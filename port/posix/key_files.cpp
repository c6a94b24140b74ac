#include "key_files.h"

#include <errno.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "system.h"

namespace {

enum class Secrecy : uint8_t { anybody, owner };  // who may read a file

// One file on its way into its own buffer.
struct KeyFile {
    const char* path;
    uint32_t slot;
    Secrecy secrecy;
    bool may_be_absent;
};

// Reads one file; nothing for a path that is not given.
Status read_file(KeyFiles& files, const KeyFile& file, Slice& out, Writer& message) {
    char name[key_path_size];
    uint32_t size = 0;
    out = {files.pem[file.slot], 0};
    if (file.path[0] == '\0') return Status::ok;
    Status status = key_files_resolve(files, file.path, name);
    errno = ENAMETOOLONG;
    if (status == Status::ok) {
        status = system_read_file(name, files.pem[file.slot], pem_size_max, size);
    }
    if (status == Status::absent && file.may_be_absent) return Status::ok;
    if (status != Status::ok) {
        put_text(message, name);
        put_text(message, ": ");
        put_text(message, status == Status::full && errno == 0 ? "too long" : strerror(errno));
        return Status::failed;
    }
    if (size == 0) {  // Taken for a file that is not configured, it would revoke nobody.
        put_text(message, name);
        put_text(message, ": is empty; put it back, or name another file");
        return Status::failed;
    }
    if (file.secrecy == Secrecy::owner && system_is_exposed(name)) {
        put_text(message, name);
        put_text(message, ": the key can be read by others; run `chmod 600` on it");
        return Status::failed;
    }
    out.size = size;
    return Status::ok;
}

// Where a reason that names none of the files is to be looked for.
void put_files(const KeyFiles& files, const char* const* paths, uint32_t count, Writer& message) {
    const char* separator = "; the files are ";
    for (uint32_t i = 0; i < count; i++) {
        if (paths[i][0] == '\0') continue;
        put_text(message, separator);
        if (paths[i][0] != '/') put_text(message, files.folder);
        put_text(message, paths[i]);
        separator = ", ";
    }
}

void put_listener(const ListenerConfig& listener, Writer& message) {
    put_text(message, "listener ");
    put_text(message, listener.name);
    put_text(message, ": ");
}

// What a listener's load came to.
Status judge(const KeyFiles& files, Status status, const char* reason, const char* const* paths,
             uint32_t count, Writer& message) {
    if (status == Status::ok) return Status::ok;
    put_text(message, reason == nullptr ? "the files cannot be used" : reason);
    put_files(files, paths, count, message);
    return Status::failed;
}

Status load_tls(KeyFiles& files, Server& server, const ListenerConfig& listener,
                uint32_t generation, uint32_t index, Writer& message) {
    const char* paths[] = {listener.certificate, listener.key, listener.ca, listener.crl};
    TlsFiles tls = {};
    Slice* texts[] = {&tls.certificate, &tls.key, &tls.ca, &tls.crl};
    for (uint32_t i = 0; i < 4; i++) {
        const Secrecy secrecy = paths[i] == listener.key ? Secrecy::owner : Secrecy::anybody;
        if (read_file(files, {paths[i], i, secrecy, false}, *texts[i], message) != Status::ok) {
            return Status::failed;
        }
    }
    const char* reason = nullptr;
    const Status status = server_load_tls(server, generation, index, tls, reason);
    return judge(files, status, reason, paths, 4, message);
}

// Of each of config_lab_files: who may read it, and whether a channel looks at it.
struct LabPart {
    Secrecy secrecy;
    bool LabNeeds::*need;
};

constexpr LabPart lab_parts[config_lab_file_count] = {
    {Secrecy::owner, &LabNeeds::key},
    {Secrecy::anybody, &LabNeeds::certificate},
    {Secrecy::anybody, &LabNeeds::certificate},
    {Secrecy::owner, &LabNeeds::passphrase},
};
constexpr uint32_t lab_passphrase_at = config_lab_file_count - 1;

// Where a file of the laboratory is, relative to the configuration; an empty text for nowhere.
void put_lab_path(const ListenerConfig& listener, uint32_t index, char out[key_path_size]) {
    Writer path = writer_of(reinterpret_cast<uint8_t*>(out), key_path_size - 1);
    if (index == lab_passphrase_at && listener.passphrase_file[0] != '\0') {
        put_text(path, listener.passphrase_file);
    } else if (listener.lab_keys[0] != '\0') {
        put_text(path, listener.lab_keys);
        put_u8(path, '/');
        put_text(path, config_lab_files[index]);
    }
    out[path.size] = '\0';
}

Status refuse_without_passphrase(const KeyFiles& files, const char* path, Writer& message) {
    if (path[0] == '\0') {
        put_text(message, "channel psk needs --passphrase-file, a file of exactly 16 bytes that "
                          "both sides know");
        return Status::failed;
    }
    if (path[0] != '/') put_text(message, files.folder);
    put_text(message, path);
    put_text(message, ": channel psk needs a passphrase of exactly 16 bytes there; pennyctl lab "
                      "DIR makes one");
    return Status::failed;
}

// A part that is not there is made when the channel's keys are, but nobody guesses a passphrase.
Status load_lab(KeyFiles& files, Server& server, uint32_t index, Writer& message) {
    const ListenerConfig& listener = server.config.listeners[index];
    const LabOps* ops = lab_find(slice_of(listener.channel));
    CHECK(ops != nullptr);  // O1
    const LabNeeds needs = lab_needs(*ops);
    char memory[config_lab_file_count][key_path_size];
    const char* paths[config_lab_file_count];
    LabFiles lab = {};
    Slice* texts[] = {&lab.key, &lab.certificate, &lab.ca, &lab.passphrase};
    for (uint32_t i = 0; i < config_lab_file_count; i++) {
        const bool is_needed = needs.*lab_parts[i].need;
        paths[i] = memory[i];
        memory[i][0] = '\0';
        if (is_needed) put_lab_path(listener, i, memory[i]);
        const KeyFile file = {paths[i], i, lab_parts[i].secrecy, true};
        if (read_file(files, file, *texts[i], message) != Status::ok) return Status::failed;
    }
    if (needs.passphrase && lab.passphrase.size == 0) {
        return refuse_without_passphrase(files, paths[lab_passphrase_at], message);
    }
    const char* reason = nullptr;
    const Status status = server_load_lab(server, index, lab, reason);
    return judge(files, status, reason, paths, config_lab_file_count, message);
}

}  // namespace

Status key_files_resolve(const KeyFiles& files, const char* path, char out[key_path_size]) {
    Writer writer = writer_of(reinterpret_cast<uint8_t*>(out), key_path_size - 1);
    if (path[0] != '/') put_text(writer, files.folder);
    put_text(writer, path);
    out[writer.size] = '\0';
    return writer.size > path_size_max || writer.overflow ? Status::full : Status::ok;
}

Status key_files_load_tls(KeyFiles& files, Server& server, const Config& config,
                          uint32_t generation, Writer& message) {
    for (uint32_t i = 0; i < server.config.listener_count; i++) {
        const ListenerConfig& running = server.config.listeners[i];
        if (running.lab) continue;
        const ListenerConfig* listener = config_find_listener(config, slice_of(running.name));
        CHECK(listener != nullptr);  // config_check_reload
        message.size = 0;
        put_listener(running, message);
        const Status status = load_tls(files, server, *listener, generation, i, message);
        wipe(files.pem, sizeof files.pem);
        if (status != Status::ok) return status;
    }
    return Status::ok;
}

Status key_files_load_issuer(KeyFiles& files, Server& server, const Config& config,
                             uint32_t generation, Writer& message) {
    if (server.enrol.issuers == nullptr) return Status::ok;
    message.size = 0;
    put_text(message, "[server] issue = yes: ");
    const char* paths[] = {config.issuing_certificate, config.issuing_key};
    Slice certificate = {};
    Slice key = {};
    const char* reason = nullptr;
    Status status = read_file(files, {paths[0], 0, Secrecy::anybody, false}, certificate, message);
    if (status == Status::ok) {
        status = read_file(files, {paths[1], 1, Secrecy::owner, false}, key, message);
    }
    if (status == Status::ok) {
        status = server_load_issuer(server, generation, certificate, key, reason);
    }
    wipe(files.pem, sizeof files.pem);
    if (status == Status::ok || reason != nullptr) {
        return judge(files, status, reason, paths, 2, message);
    }
    put_text(message, "; pennyctl cert issuing makes it");
    return status;
}

Status key_files_load_lab(KeyFiles& files, Server& server, Writer& message) {
    for (uint32_t i = 0; lab_is_built && i < server.config.listener_count; i++) {
        const ListenerConfig& listener = server.config.listeners[i];
        if (!listener.lab) continue;
        message.size = 0;
        put_listener(listener, message);
        const Status status = load_lab(files, server, i, message);
        wipe(files.pem, sizeof files.pem);
        if (status != Status::ok) return status;
    }
    return Status::ok;
}

Status key_files_load_message(KeyFiles& files, Server& server, Writer& message) {
    const Config& config = server.config;
    if (config.message_key[0] == '\0') return Status::ok;
    message.size = 0;
    put_text(message, "[server] message-key: ");
    Slice pem = {};
    const KeyFile file = {config.message_key, 0, Secrecy::owner, false};
    const Status read = read_file(files, file, pem, message);
    const Status status = read == Status::ok ? server_load_message_key(server, pem) : read;
    wipe(files.pem, sizeof files.pem);
    if (read != Status::ok || status == Status::ok) return status;
    if (config.message_key[0] != '/') put_text(message, files.folder);
    put_text(message, config.message_key);
    put_text(message, status == Status::invalid
                          ? ": this is no private key of RSA with 3072 bits; pennyctl init makes "
                            "one, and so does penny key"
                          : ": the library of cryptography has no memory for it");
    return Status::failed;
}

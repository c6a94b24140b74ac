// Keys of the laboratory that last: a CA of its own, a pair for each end, and a passphrase.
#include "pennyctl/lab.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "channel/lab/lab.h"
#include "crypto/crypto.h"
#include "pennyctl/authority.h"

namespace {

constexpr uint32_t conf_size_max = 65536;  // bytes of a client.conf
constexpr const char* verb = "lab";
constexpr const char* folder = "lab";
constexpr const char* client_conf = "client.conf";

// All of one run; wiped before the program ends.
struct Lab {
    Made made;
    uint64_t wall_ms;
    Signer ca;
    Pem certificate;
    Pem key;
};

ExitCode refuse_file(const Lab& lab, const char* path) {
    return tool_refuse("%s/%s: %s", lab.made.folder, path, strerror(errno));
}

ExitCode refuse_making(const char* path, Status status) {
    return tool_refuse("cannot make %s: %s", path, status_meaning(status));
}

// It signs nothing but the laboratory's own two certificates, which no bank takes. No register has
// them.
ExitCode make_authority(Lab& lab) {
    ExitCode code = signer_make("Pennybank lab CA", CertificateKind::authority, nullptr,
                                lab.wall_ms, 0, lab.ca);
    if (code == exit_done) {
        code = authority_write(lab.made, "lab/ca.key", key_mode, pem_slice(lab.ca.key));
    }
    if (code != exit_done) return code;
    return authority_write(lab.made, "lab/ca.crt", public_mode, pem_slice(lab.ca.certificate));
}

ExitCode make_pair(Lab& lab, const CertificateRequest& request, const char* key_path,
                   const char* certificate_path) {
    pem_clear(lab.key);
    const Status status = lab_key_make(lab.key.text);
    if (status != Status::ok) return refuse_making(key_path, status);
    ExitCode code = signer_sign(lab.ca, request, {}, lab.key, lab.certificate);
    if (code == exit_done) code = authority_write(lab.made, key_path, key_mode, pem_slice(lab.key));
    if (code != exit_done) return code;
    return authority_write(lab.made, certificate_path, public_mode, pem_slice(lab.certificate));
}

ExitCode make_pairs(Lab& lab) {
    const Slice hosts[] = {slice_of("localhost"), slice_of("127.0.0.1"), slice_of("::1")};
    const CertificateRequest server = {CertificateKind::server, hosts[0], hosts, 3, lab.wall_ms};
    const CertificateRequest client = {CertificateKind::client, slice_of("lab"), nullptr, 0,
                                       lab.wall_ms};
    const ExitCode code = make_pair(lab, server, "lab/server.key", "lab/server.crt");
    if (code != exit_done) return code;
    return make_pair(lab, client, "lab/client.key", "lab/client.crt");
}

// As random as 96 bits are, so that nobody finds it by trying what people think of.
ExitCode make_passphrase(Lab& lab) {
    constexpr char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static_assert(sizeof letters - 1 == 64);
    uint8_t text[lab_passphrase_size + 1];
    if (crypto_random(text, lab_passphrase_size) != Status::ok) {
        return tool_refuse("the system gives no random bytes");
    }
    for (uint32_t i = 0; i < lab_passphrase_size; i++) {
        text[i] = static_cast<uint8_t>(letters[text[i] & 63]);
    }
    text[lab_passphrase_size] = '\n';
    const Status status = made_file(lab.made, "lab/passphrase", key_mode, {text, sizeof text});
    wipe(text, sizeof text);
    return status == Status::ok ? exit_done : refuse_file(lab, "lab/passphrase");
}

// Appends in one write, and takes it back when it did not go in whole.
Status append(int fd, Slice lines) {
    const off_t size = lseek(fd, 0, SEEK_END);
    const ssize_t wrote = size < 0 ? -1 : write(fd, lines.data, lines.size);
    if (wrote == static_cast<ssize_t>(lines.size) && fsync(fd) == 0) return Status::ok;
    const int why = wrote < 0 ? errno : ENOSPC;
    const bool is_undone = wrote <= 0 || ftruncate(fd, size) == 0;
    errno = is_undone ? why : EIO;
    return Status::failed;
}

ExitCode name_in_client_conf(Lab& lab) {
    static uint8_t text[conf_size_max];
    uint8_t more[512];
    Writer lines = writer_of(more, sizeof more);
    const int fd = openat(lab.made.folder_fd, client_conf, O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        printf("There is no %s/%s; where one is, it takes lab-key, lab-cert, lab-ca and "
               "passphrase-file.\n", lab.made.folder, client_conf);
        return exit_done;
    }
    if (fd < 0) return refuse_file(lab, client_conf);
    const ssize_t got = pread(fd, text, sizeof text, 0);
    errno = got < 0 ? errno : EFBIG;
    const bool is_read = got >= 0 && static_cast<size_t>(got) < sizeof text;
    Status status = is_read ? Status::ok : Status::failed;
    if (status == Status::ok) {
        status = lab_put_client_lines({text, static_cast<uint32_t>(got)}, lines);
        CHECK(!lines.overflow);
    }
    if (status == Status::invalid) {
        printf("%s/%s does not end in [client], so that these lines are to be added to that "
               "section by hand:\n", lab.made.folder, client_conf);
        lines.size = 0;
        status = lab_put_client_lines(slice_of("[client]\n"), lines);
        printf("%.*s\n", static_cast<int>(lines.size), reinterpret_cast<char*>(lines.data));
    } else if (status == Status::ok && lines.size > 0) {
        status = append(fd, writer_slice(lines));
        if (status == Status::ok) printf("%s/%s names them.\n", lab.made.folder, client_conf);
    }
    const int why = errno;
    close(fd);
    errno = why;
    return status == Status::ok ? exit_done : refuse_file(lab, client_conf);
}

ExitCode print_listeners(const Lab& lab) {
    printf("\nA section of %s/pennyd.conf opens a channel beside the bank's own, and reaches no "
           "money:\n", lab.made.folder);
    for (uint32_t i = 0; i < lab_property_count(); i++) {
        const LabProperties& row = lab_properties(i);
        if (lab_find(slice_of(row.name)) == nullptr) continue;
        printf("\n[listener %s]\nchannel = %s\nlab = yes\nport = %u\n", row.name, row.name,
               row.port);
    }
    if (fflush(stdout) == 0 && ferror(stdout) == 0) return exit_done;
    return tool_refuse("standard output cannot be written");
}

ExitCode make_all(Lab& lab) {
    if (made_folder(lab.made, folder, 0700) != Status::ok) return refuse_file(lab, folder);
    ExitCode code = make_authority(lab);
    if (code == exit_done) code = make_pairs(lab);
    if (code == exit_done) code = make_passphrase(lab);
    if (code == exit_done && made_sync(lab.made) != Status::ok) code = refuse_file(lab, folder);
    if (code != exit_done) return code;
    printf("The laboratory's keys are in %s/lab: a CA of its own, a key and a certificate for each "
           "end, and a passphrase.\n", lab.made.folder);
    return name_in_client_conf(lab);
}

ExitCode make_lab(Lab& lab, const char* dir) {
    ExitCode code = tool_check_clock(lab.wall_ms);
    if (code != exit_done) return code;
    if (made_look(lab.made, dir) != Status::ok) {
        return tool_refuse("%s: %s", dir, strerror(errno));
    }
    if (lab.made.folder_fd < 0) {
        return tool_refuse("%s: there is no such folder; pennyctl init makes a bank", dir);
    }
    if (made_is_there(lab.made, folder)) {
        return tool_refuse("%s/%s is there already; nothing was changed", dir, folder);
    }
    code = make_all(lab);
    if (code != exit_done) made_undo(lab.made);
    return code == exit_done ? print_listeners(lab) : code;
}

ExitCode run(int argc, char** argv) {
    static Lab lab;
    ToolWords words = {argc, argv, 0, nullptr, false};
    const char* dir = nullptr;
    bool is_option = false;
    while (const char* word = tool_next(words, is_option)) {
        if (is_option) return tool_misused_verb(verb, "no option \"%s\"", word);
        if (dir != nullptr) return tool_misused_verb(verb, "one DIR, and \"%s\" is another", word);
        dir = word;
    }
    if (dir == nullptr || dir[0] == '\0') return tool_misused_verb(verb, "it wants a DIR");
    if (crypto_init(nullptr) != Status::ok) return tool_refuse("cryptography cannot be set up");
    lab.wall_ms = tool_wall_ms();
    crypto_clock_set(lab.wall_ms);
    const ExitCode code = make_lab(lab, dir);
    made_close(lab.made);
    wipe(&lab, sizeof lab);
    return code;
}

}  // namespace

int verb_lab(int argc, char** argv) {
    if (lab_is_built) return run(argc, argv);
    return tool_refuse("this build has no laboratory channel");
}

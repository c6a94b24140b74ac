#include "pennyctl/handout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "port/posix/system.h"

namespace {

constexpr uint32_t folder_mode = 0700;
constexpr uint32_t file_mode = 0600;
constexpr uint32_t group_count = 3;  // of the characters of a password, which are 5 bits each
constexpr uint32_t group_size = 5;
static_assert(group_count * group_size * 5 >= 60);

// One folder on its way.
struct Handout {
    const HandoutBank& bank;
    const PersonRow& person;
    char name[name_size_max + 1];
    ToolPath path;
    Made& made;
};

ToolPath folder_of(const char* folder, const Name& name) {
    char text[name_size_max + 1] = {};
    memcpy(text, name.text, name.size);
    return tool_path(folder, text);
}

ExitCode refuse_errno(const char* path) { return tool_refuse("%s: %s", path, strerror(errno)); }

// Reads a file that may not be there: size 0 then.
ExitCode read_if_there(const ToolPath& path, uint8_t* out, uint32_t capacity, uint32_t& size) {
    size = 0;
    const Status status = system_read_file(path.text, out, capacity, size);
    if (status == Status::ok) return exit_done;
    size = 0;
    if (status == Status::absent) return exit_done;
    if (status == Status::full) return tool_refuse("%s is larger than such a file is", path.text);
    return refuse_errno(path.text);
}

ExitCode open_folder(Handout& handout) {
    if (mkdir(handout.path.text, folder_mode) != 0 && errno != EEXIST) {
        return refuse_errno(handout.path.text);
    }
    if (made_look(handout.made, handout.path.text) != Status::ok || handout.made.folder_fd < 0) {
        return refuse_errno(handout.path.text);
    }
    return exit_done;
}

// --- The password ---------------------------------------------------------------------------

ExitCode draw_password(Password& out) {
    constexpr char letters[] = "abcdefghijkmnpqrstuvwxyz23456789";  // None is taken for another.
    static_assert(sizeof letters - 1 == 32);
    uint8_t drawn[group_count * group_size];
    if (crypto_random(drawn, sizeof drawn) != Status::ok) {
        return tool_refuse("the system gives no random bytes");
    }
    out.size = 0;
    for (uint32_t i = 0; i < sizeof drawn; i++) {
        if (i > 0 && i % group_size == 0) out.bytes[out.size++] = '-';
        out.bytes[out.size++] = static_cast<uint8_t>(letters[drawn[i] & 31]);
    }
    wipe(drawn, sizeof drawn);
    return exit_done;
}

ExitCode make_password(Handout& handout, const char* folder, Password& out) {
    ExitCode code = handout_password(folder, handout.person.name, out);
    if (code != exit_done || out.size > 0) return code;
    code = draw_password(out);
    if (code != exit_done) return code;
    uint8_t line[sizeof out.bytes + 1];
    memcpy(line, out.bytes, out.size);
    line[out.size] = '\n';
    code = authority_write(handout.made, "password", file_mode, {line, out.size + 1});
    wipe(line, sizeof line);
    return code;
}

// --- Certificate and key --------------------------------------------------------------------

void put_file_name(char* out, uint32_t size, const Handout& handout, const char* ending) {
    snprintf(out, size, "%s.%s", handout.name, ending);
}

// Makes the certificate for the key that is there, or for a new one, which is written first.
ExitCode make_pair(Handout& handout, const char* certificate_path, const char* key_path) {
    static Pem key;
    static Pem certificate;
    Authority& authority = *handout.bank.authority;
    const Signer& signer = handout.bank.by_issuing ? authority.issuing : authority.ca;
    CertificateRequest request = {};
    request.kind = CertificateKind::client;
    request.name = tool_slice(handout.name);
    request.wall_ms = authority.wall_ms;
    request.days = handout.bank.days;
    pem_clear(key);
    pem_clear(certificate);
    uint32_t size = 0;
    ExitCode code = read_if_there(tool_path(handout.path.text, key_path), key.bytes,
                                  sizeof key.bytes, size);
    key.text.size = size;
    const bool has_key = size > 0;
    if (code == exit_done) code = signer_sign(signer, request, {}, key, certificate);
    if (code == exit_done && !has_key) {
        code = authority_write(handout.made, key_path, file_mode, pem_slice(key));
    }
    if (code == exit_done) {
        code = authority_enter(authority.made, authority.folder.text, pem_slice(certificate),
                               CertificateKind::client,
                               handout.bank.by_issuing ? IssuedSigner::issuing : IssuedSigner::ca);
    }
    if (code == exit_done) {
        code = authority_write(handout.made, certificate_path, file_mode, pem_slice(certificate));
    }
    wipe(&key, sizeof key);
    return code;
}

ExitCode make_certificate(Handout& handout) {
    char certificate_path[name_size_max + 5];
    char key_path[name_size_max + 5];
    put_file_name(certificate_path, sizeof certificate_path, handout, "crt");
    put_file_name(key_path, sizeof key_path, handout, "key");
    if (made_is_there(handout.made, certificate_path)) return exit_done;
    return make_pair(handout, certificate_path, key_path);
}

// --- The texts ------------------------------------------------------------------------------

void put_client_conf(const Handout& handout, Writer& out) {
    put_text(out, "# client.conf - how `penny -c` finds the bank. Paths are relative to this "
                  "folder.\n\n[client]\n\n# Where the server is; its certificate must name it.\n"
                  "host = ");
    put_text(out, handout.bank.host);
    put_text(out, "\nport = ");
    put_decimal(out, handout.bank.port);
    put_text(out, "\n\n# Whose signature the server's certificate must carry.\ncacert = ca.crt\n\n"
                  "# The certificate that this folder is about, and its key.\ncert = ");
    put_text(out, handout.name);
    put_text(out, ".crt\nkey = ");
    put_text(out, handout.name);
    put_text(out, ".key\n\n# Who logs in. The password is asked for.\nuser = ");
    put_text(out, handout.name);
    put_text(out, "\n");
}

void put_readme(const Handout& handout, Writer& out) {
    const Title& title = handout.person.title;
    put_text(out, "For ");
    put_bytes(out, title.size > 0 ? slice_of_chars(title.text, title.size)
                                  : tool_slice(handout.name));
    put_text(out, ", who is ");
    put_text(out, handout.name);
    put_text(out, " at the bank.\n\n"
                  "Keep this folder where nobody else can read it: whoever has it can come as "
                  "you.\n\n"
                  "1. In this folder, type\n\n       penny -c client.conf --menu\n\n"
                  "   and sign in as ");
    put_text(out, handout.name);
    put_text(out, ", with the password that is in the file `password`.\n"
                  "2. It is a first password, so penny asks for one of your own at once, twice; "
                  "nothing else\n   can be done before. Choose one that nobody can guess, of at "
                  "least 8 characters.\n"
                  "3. Delete the file `password`: it holds no more.\n\n"
                  "With another client the same is done by the commands AUTH and PASSWD.\n");
}

// Writes a text that is not there yet.
ExitCode write_text(Handout& handout, const char* path,
                    void (*put)(const Handout& handout, Writer& out)) {
    uint8_t text[4096];
    Writer out = writer_of(text, sizeof text);
    if (made_is_there(handout.made, path)) return exit_done;
    put(handout, out);
    CHECK(!out.overflow);
    return authority_write(handout.made, path, file_mode, writer_slice(out));
}

ExitCode write_ca(Handout& handout) {
    static uint8_t there[sizeof(Pem::bytes)];
    const Slice ca = pem_slice(handout.bank.authority->ca.certificate);
    uint32_t size = 0;
    const ExitCode code =
        read_if_there(tool_path(handout.path.text, "ca.crt"), there, sizeof there, size);
    if (code != exit_done) return code;
    if (size == 0) return authority_write(handout.made, "ca.crt", file_mode, ca);
    if (slice_equal({there, size}, ca)) return exit_done;
    return tool_refuse("%s was begun for another bank, or for another CA of this one",
                       handout.path.text);
}

}  // namespace

ExitCode handout_password(const char* folder, const Name& name, Password& out) {
    const ToolPath path = tool_path(folder_of(folder, name).text, "password");
    uint8_t line[sizeof out.bytes + 1];
    const ExitCode code = read_if_there(path, line, sizeof line, out.size);
    if (code != exit_done || out.size == 0) return code;
    out.size--;  // The end of the line.
    const bool is_fine = line[out.size] == '\n' && out.size >= password_size_min;
    if (is_fine) memcpy(out.bytes, line, out.size);
    wipe(line, sizeof line);
    return is_fine ? exit_done : tool_refuse("%s is not what pennyctl class writes", path.text);
}

ExitCode handout_make(const HandoutBank& bank, const char* folder, const PersonRow& person,
                      Password& password) {
    static Made made;  // Too large for a stack.
    Handout handout = {bank, person, {}, folder_of(folder, person.name), made};
    memcpy(handout.name, person.name.text, person.name.size);
    ExitCode code = open_folder(handout);
    if (code != exit_done) return code;
    code = write_ca(handout);
    if (code == exit_done) code = make_password(handout, folder, password);
    if (code == exit_done) code = make_certificate(handout);
    if (code == exit_done) code = write_text(handout, "client.conf", put_client_conf);
    if (code == exit_done) code = write_text(handout, "README", put_readme);
    if (code == exit_done && made_sync(handout.made) != Status::ok) {
        code = refuse_errno(handout.path.text);
    }
    made_close(handout.made);
    return code;
}

// cert renew: certificates and lists made anew before they end, each for the key that it had.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "pennyctl/cert.h"
#include "port/posix/system.h"

namespace {

constexpr uint32_t chain_size_max = 65536;  // bytes of a certificate's file

// The certificate that is there, alone, out of a chain of whatever length.
struct Old {
    uint8_t bytes[chain_size_max];
    Slice pem;
    CertificateFacts facts;
    CertificateHosts hosts;
};

Old old;  // Too large for a stack.

ExitCode read_old(const Cert& cert, const char* path, const char* instead) {
    uint32_t size = 0;
    const ToolPath whole = cert_whole(cert, path);
    const Status status = system_read_file(whole.text, old.bytes, sizeof old.bytes, size);
    if (status == Status::absent) return tool_refuse("%s is not there; %s", whole.text, instead);
    if (status != Status::ok) {
        return tool_refuse("%s: %s", whole.text,
                           status == Status::full ? "too long" : strerror(errno));
    }
    if (certificate_first({old.bytes, size}, old.pem) == Status::ok &&
        certificate_read(old.pem, old.facts) == Status::ok) {
        return exit_done;
    }
    return tool_refuse("%s holds no readable certificate", whole.text);
}

bool is_signed_by(const Signer& signer) {
    return signer.certificate.text.size > 0 &&
           memcmp(signer.facts.subject_hash, old.facts.issuer_hash, hash_size) == 0;
}

// Whether the certificate that was read is on a list.
ExitCode look_revoked(Cert& cert, const CertificateFacts& facts, bool& is_revoked) {
    KnownList known = {};
    const ExitCode code = authority_find(cert.authority, known);
    const Slice serial = {facts.serial, facts.serial_size};
    is_revoked = false;
    for (uint32_t i = 0; i < known.count && code == exit_done; i++) {
        const IssuedRow& row = known.rows[i].row;
        if (!known.rows[i].is_revoked || known.rows[i].is_foreign) continue;
        is_revoked = is_revoked || slice_equal({row.serial, row.serial_size}, serial);
    }
    known_free(known);
    return code;
}

// What was revoked is not brought back by being made anew.
ExitCode refuse_revoked(Cert& cert, const char* name) {
    bool is_revoked = false;
    const ExitCode code = look_revoked(cert, old.facts, is_revoked);
    if (code != exit_done || !is_revoked) return code;
    return tool_refuse("%s: its certificate was revoked, and its key is believed no more; move "
                       "both away and make new ones", name);
}

// Keeps a certificate whose receipts may still be looked at.
ExitCode keep_old(Cert& cert, const char* kind) {
    uint8_t hex[2 * certificate_serial_size_max];
    char text[80];
    Writer serial = writer_of(hex, sizeof hex);
    put_hex(serial, {old.facts.serial, old.facts.serial_size});
    snprintf(text, sizeof text, "old/%s-%.*s", kind, static_cast<int>(serial.size),
             reinterpret_cast<char*>(hex));
    const MadePath path = authority_path(cert.authority, text, "crt");
    const ExitCode code = cert_folder(cert, "old");
    if (code != exit_done || made_is_there(cert.authority.made, path.text)) return code;
    return authority_write(cert.authority.made, path.text, public_mode, old.pem);
}

ExitCode finish(Cert& cert, const char* name, const char* path, CertificateKind kind,
                bool by_issuing) {
    ExitCode code = cert_enter(cert, kind, by_issuing);
    if (code == exit_done) {
        code = authority_replace(cert.authority.made, path, pem_slice(cert.certificate));
    }
    return code == exit_done ? cert_tell(cert, name, cert_whole(cert, path).text, nullptr) : code;
}

ExitCode renew_client(Cert& cert, const char* name) {
    Authority& authority = cert.authority;
    char text[name_size_max + 16];
    bool by_issuing = false;
    ExitCode code = cert_check_name(name);
    if (code != exit_done) return code;
    snprintf(text, sizeof text, "clients/%s", name);
    const MadePath path = authority_path(authority, text, "crt");
    code = read_old(cert, path.text, "pennyctl cert client makes one, and pennyctl cert list shows "
                                     "what there is");
    if (code == exit_done && strcmp(old.facts.name, name) != 0) {
        code = tool_refuse("%s is not a certificate of %s", cert_whole(cert, path.text).text, name);
    }
    if (code == exit_done) code = authority_need_signer(authority, by_issuing);
    if (code == exit_done) code = refuse_revoked(cert, name);
    if (code != exit_done) return code;
    const CertificateRequest request = {CertificateKind::client, tool_slice(name), nullptr, 0,
                                        authority.wall_ms, cert.words.days};
    code = signer_sign_again(by_issuing ? authority.issuing : authority.ca, request, old.pem,
                             cert.certificate);
    return code == exit_done ? finish(cert, name, path.text, CertificateKind::client, by_issuing)
                             : code;
}

ExitCode read_old_server(Cert& cert) {
    const MadePath& path = cert.authority.certificate;
    ExitCode code = read_old(cert, path.text, "pennyctl cert server makes it");
    if (code != exit_done) return code;
    if (!is_signed_by(cert.authority.ca)) {
        return tool_refuse("%s was signed by somebody else than this CA, who alone can renew it",
                           cert_whole(cert, path.text).text);
    }
    const Status status = certificate_hosts(old.pem, old.hosts);
    if (status == Status::ok && old.hosts.count > 0) return exit_done;
    return tool_refuse("%s names no host; move it away, and pennyctl cert server makes one",
                       cert_whole(cert, path.text).text);
}

ExitCode renew_server(Cert& cert) {
    Authority& authority = cert.authority;
    HostList& hosts = cert.hosts;
    ExitCode code = cert_check_hosts(cert);
    if (code == exit_done) code = read_old_server(cert);
    if (code == exit_done) code = authority_need_ca(authority);
    if (code == exit_done) code = refuse_revoked(cert, "server");
    if (code != exit_done) return code;
    hosts.count = 0;
    for (uint32_t i = 0; i < old.hosts.count; i++) host_list_add(hosts, old.hosts.rows[i]);
    for (uint32_t i = 0; i < cert.words.name_count; i++) {
        const uint32_t before = hosts.count;
        host_list_add(hosts, tool_slice(cert.words.names[i]));
        if (before == certificate_hosts_max && hosts.count == before) {
            return tool_refuse("a certificate names %u hosts at most", certificate_hosts_max);
        }
    }
    const CertificateRequest request = {CertificateKind::server, hosts.rows[0], hosts.rows,
                                        hosts.count, authority.wall_ms, cert.words.days};
    code = signer_sign_again(authority.ca, request, old.pem, cert.certificate);
    if (code == exit_done) code = keep_old(cert, "server");
    return code == exit_done ? finish(cert, "server", authority.certificate.text,
                                      CertificateKind::server, false)
                             : code;
}

// The same name and the same key, so that what it signed stays good.
ExitCode renew_ca(Cert& cert) {
    Authority& authority = cert.authority;
    const MadePath path = authority_path(authority, "ca", "crt");
    ExitCode code = read_old(cert, path.text, "pennyctl init makes a bank with its own CA");
    // That it has ended is no reason here.
    const uint64_t end_ms = authority.ca.facts.not_after_ms;
    authority.ca.facts.not_after_ms = UINT64_MAX;
    if (code == exit_done) code = authority_need_ca(authority);
    authority.ca.facts.not_after_ms = end_ms;
    if (code != exit_done) return code;
    const CertificateFacts facts = authority.ca.facts;
    const CertificateRequest request = {CertificateKind::authority, tool_slice(facts.name), nullptr,
                                        0, authority.wall_ms, cert.words.days};
    CertificateFacts made = {};
    pem_clear(cert.certificate);
    Status status = certificate_make(request, pem_slice(authority.ca.key), {},
                                     cert.certificate.text);
    if (status == Status::ok) status = certificate_read(pem_slice(cert.certificate), made);
    if (status != Status::ok || memcmp(made.subject_hash, facts.subject_hash, hash_size) != 0 ||
        memcmp(facts.issuer_hash, facts.subject_hash, hash_size) != 0) {
        return tool_refuse("%s was made by another program, whose names this one does not write; "
                           "renew it there", cert_whole(cert, path.text).text);
    }
    old.pem = pem_slice(authority.ca.certificate);
    old.facts = facts;
    code = keep_old(cert, "ca");
    // A file of several CAs keeps the others.
    if (code == exit_done) code = cert_enter(cert, CertificateKind::authority, false);
    if (code == exit_done) code = authority_replace_ca(authority, pem_slice(cert.certificate));
    if (code != exit_done) return code;
    code = cert_tell(cert, "ca", cert_whole(cert, path.text).text, nullptr);
    printf("Everybody who checks the server by the old one needs it before that ends, on %s.\n",
           day_text(end_ms).text);
    return code;
}

ExitCode renew_lists(Cert& cert) {
    Authority& authority = cert.authority;
    uint32_t added = 0;
    bool has_any = authority.ca.key.text.size > 0;
    ExitCode code = exit_done;
    if (!has_any) {
        code = authority_need_issuing(authority);
        has_any = code == exit_done;
    }
    if (has_any) code = authority_revoke(authority, nullptr, 0, added);
    if (code != exit_done) return code;
    const Signer* const signers[] = {&authority.ca, &authority.issuing};
    for (const Signer* signer : signers) {
        RevocationFacts facts = {};
        if (signer->key.text.size == 0 || signer->certificate.text.size == 0) continue;
        const Status status = authority_list_facts(authority, *signer, facts);
        CHECK(status == Status::ok);
        printf("crl: %s, %suntil %s\n", cert_whole(cert, authority.crl.text).text,
               signer == &authority.issuing ? "issuing's list, " : "",
               day_text(facts.next_update_ms).text);
    }
    return exit_done;
}

ExitCode renew_issuing(Cert& cert) {
    Authority& authority = cert.authority;
    const MadePath path = authority_path(authority, "issuing", "crt");
    ExitCode code = read_old(cert, path.text, "pennyctl cert issuing makes it");
    if (code == exit_done) code = authority_need_ca(authority);
    if (code == exit_done) code = refuse_revoked(cert, "issuing");
    if (code != exit_done) return code;
    const CertificateRequest request = {CertificateKind::issuing, tool_slice(old.facts.name),
                                        nullptr, 0, authority.wall_ms, cert.words.days};
    code = signer_sign_again(authority.ca, request, old.pem, cert.certificate);
    if (code == exit_done) code = keep_old(cert, "issuing");
    if (code == exit_done) {
        code = finish(cert, "issuing", path.text, CertificateKind::issuing, false);
    }
    if (code == exit_done) code = authority_look(authority);
    return code == exit_done ? renew_lists(cert) : code;
}

// --- What is due ----------------------------------------------------------------------------

// Less than a third of its life is left, and a new one would last longer: not beyond its signer.
bool is_due(uint64_t begin_ms, uint64_t end_ms, uint64_t signer_end_ms, uint64_t wall_ms) {
    if (end_ms >= signer_end_ms || end_ms <= begin_ms) return false;
    return wall_ms >= end_ms || end_ms - wall_ms < (end_ms - begin_ms) / 3;
}

// Somebody else's certificate is his to renew, which is refused when it is time (renew_server).
ExitCode look_server(Cert& cert, bool& out) {
    const Authority& authority = cert.authority;
    out = false;
    if (!made_is_there(authority.made, authority.certificate.text)) return exit_done;
    const ExitCode code = read_old(cert, authority.certificate.text, "");
    if (code != exit_done) return code;
    const uint64_t end_ms = is_signed_by(authority.ca) ? authority.ca.facts.not_after_ms
                                                       : UINT64_MAX;
    out = is_due(old.facts.not_before_ms, old.facts.not_after_ms, end_ms, authority.wall_ms);
    return exit_done;
}

// One that was revoked is made anew by hand alone.
ExitCode look_issuing(Cert& cert, bool& out) {
    const Authority& authority = cert.authority;
    const CertificateFacts& facts = authority.issuing.facts;
    bool is_revoked = false;
    out = authority.issuing.certificate.text.size > 0 &&
          is_due(facts.not_before_ms, facts.not_after_ms, authority.ca.facts.not_after_ms,
                 authority.wall_ms);
    if (!out) return exit_done;
    const ExitCode code = look_revoked(cert, facts, is_revoked);
    out = code == exit_done && !is_revoked;
    return code;
}

// A signer without a list has one that is due, whether its key is here or not.
bool list_is_due(const Authority& authority, const Signer& signer) {
    RevocationFacts facts = {};
    if (signer.certificate.text.size == 0) return false;
    if (authority_list_facts(authority, signer, facts) != Status::ok) return true;
    return is_due(facts.this_update_ms, facts.next_update_ms,
                  signer.facts.not_after_ms / 1000 * 1000, authority.wall_ms);
}

// The CA is made anew by hand alone, since everybody has to be given the new one.
void tell_ca(const Authority& authority) {
    const CertificateFacts& facts = authority.ca.facts;
    if (authority.ca.certificate.text.size == 0) return;
    if (!is_due(facts.not_before_ms, facts.not_after_ms, UINT64_MAX, authority.wall_ms)) return;
    printf("The CA ends on %s, and nothing lasts longer; pennyctl cert renew ca makes it anew, and "
           "everybody needs the new one.\n", day_text(facts.not_after_ms).text);
}

// What all that is due has come to. One that fails keeps no other one waiting.
struct Due {
    uint32_t renewed;
    uint32_t failed;
};

void count(Due& due, ExitCode code) {
    due.renewed += code == exit_done ? 1 : 0;
    due.failed += code == exit_done ? 0 : 1;
}

// Without a list that holds, nobody is let in.
void renew_due_lists(Cert& cert, Due& due) {
    const Authority& authority = cert.authority;
    bool may_renew = false;
    const Signer* const signers[] = {&authority.ca, &authority.issuing};
    for (const Signer* signer : signers) {
        if (!list_is_due(authority, *signer)) continue;
        if (signer->key.text.size > 0) {
            may_renew = true;
            continue;
        }
        RevocationFacts facts = {};
        const bool is_there = authority_list_facts(authority, *signer, facts) == Status::ok;
        const char* name = signer == &authority.ca ? "ca" : "issuing";
        count(due, tool_refuse("the list of %s %s %s, and %s.key, which makes it anew, is not "
                               "there; put it back and type this again", name,
                               is_there ? "ends on" : "is not there",
                               is_there ? day_text(facts.next_update_ms).text : "yet", name));
    }
    if (may_renew) count(due, renew_lists(cert));
}

ExitCode renew_due(Cert& cert) {
    Authority& authority = cert.authority;
    Due due = {};
    bool is_due = false;
    tell_ca(authority);
    ExitCode code = look_issuing(cert, is_due);
    if (code == exit_done && is_due) code = renew_issuing(cert);
    if (code != exit_done || is_due) count(due, code);
    renew_due_lists(cert, due);
    code = look_server(cert, is_due);
    if (code == exit_done && is_due) code = renew_server(cert);
    if (code != exit_done || is_due) count(due, code);
    if (due.renewed > 0) (void)authority_tell_server(authority);
    if (due.failed > 0) return exit_refused;
    if (due.renewed == 0) printf("Nothing is due.\n");
    return exit_done;
}

ExitCode renew(Cert& cert) {
    const CertWords& words = cert.words;
    if (words.due && words.word_count > 0) {
        return tool_misused_verb(words.verb,
                                 "--due looks by itself what it renews; leave \"%s\" out",
                                 words.words[0]);
    }
    if (words.due) return renew_due(cert);
    const char* name = words.words[0];
    const bool is_server = strcmp(name, "server") == 0;
    const bool is_list = strcmp(name, "crl") == 0;
    if (words.name_count > 0 && !is_server) {
        return tool_misused_verb(words.verb, "--name is for the server's certificate alone");
    }
    if (words.days > 0 && is_list) {
        return tool_misused_verb(words.verb, "lists have their days from `crl-days` in [server]");
    }
    ExitCode code = exit_done;
    if (is_server) {
        code = renew_server(cert);
    } else if (is_list) {
        code = renew_lists(cert);
    } else if (strcmp(name, "ca") == 0) {
        code = renew_ca(cert);
    } else if (strcmp(name, "issuing") == 0) {
        code = renew_issuing(cert);
    } else {
        return renew_client(cert, name);
    }
    if (code == exit_done) (void)authority_tell_server(cert.authority);
    return code;
}

}  // namespace

int verb_cert_renew(int argc, char** argv) {
    constexpr const char* wanted = "whose: NAME, server, ca, issuing or crl; or --due";
    return cert_run({"cert renew", 1, 1, wanted, "dnu"}, argc, argv, renew);
}

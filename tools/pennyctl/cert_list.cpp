// cert list, cert revoke: what there is, and what is to be believed no more.
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "pennyctl/cert.h"

namespace {

// --- list -----------------------------------------------------------------------------------

const char* state_of(const Known& known, uint64_t wall_ms) {
    if (known.is_revoked) return "revoked";
    return known.row.not_after_ms <= wall_ms ? "expired" : "good";
}

void print_serial(const IssuedRow& row) {
    for (uint32_t i = 0; i < row.serial_size; i++) printf("%02x", row.serial[i]);
}

// Whole days that are left, never less than none.
uint64_t days_left(uint64_t end_ms, uint64_t wall_ms) {
    constexpr uint64_t ms_per_day = 86'400'000;
    return end_ms <= wall_ms ? 0 : (end_ms - wall_ms) / ms_per_day;
}

void print_known(const Known& known, uint64_t wall_ms, bool csv) {
    const IssuedRow& row = known.row;
    const char* kind = certificate_kind_name(row.kind);
    const char* signer = known.is_foreign && row.signer != IssuedSigner::self
                             ? "other"
                             : issued_signer_name(row.signer);
    const DayText day = day_text(row.not_after_ms);
    const unsigned long long left = days_left(row.not_after_ms, wall_ms);
    if (csv) {
        printf("%s,%s,", row.name, kind);
        print_serial(row);
        printf(",%s,%llu,%s,%s\n", day.text, left, state_of(known, wall_ms), signer);
        return;
    }
    printf("%-*s  %-9s  ", static_cast<int>(name_size_max), row.name, kind);
    print_serial(row);
    const uint32_t blanks = 2 * (certificate_serial_size_max - row.serial_size) > 8
                                ? 0
                                : 2 * (certificate_serial_size_max - row.serial_size) - 8;
    printf("%*s  %s  %6llu  %-7s  %s\n", static_cast<int>(blanks), "", day.text, left,
           state_of(known, wall_ms), signer);
}

ExitCode list(Cert& cert) {
    KnownList known = {};
    const ExitCode code = authority_find(cert.authority, known);
    if (code != exit_done) return code;
    if (cert.words.csv) {
        printf("name,kind,serial,ends,days left,state,signer\n");
    } else {
        printf("%-*s  %-9s  %-32s  %-10s  %6s  %-7s  %s\n", static_cast<int>(name_size_max), "name",
               "kind", "serial", "ends", "days", "state", "signer");
    }
    for (uint32_t i = 0; i < known.count; i++) {
        print_known(known.rows[i], cert.authority.wall_ms, cert.words.csv);
    }
    known_free(known);
    return exit_done;
}

// --- revoke ---------------------------------------------------------------------------------

bool is_named(const Known& known, const char* word) {
    if (known.row.kind == CertificateKind::server) return strcmp(word, "server") == 0;
    if (known.row.kind == CertificateKind::issuing) return strcmp(word, "issuing") == 0;
    return known.row.kind == CertificateKind::client && strcmp(known.row.name, word) == 0;
}

// A serial number in figures, as `cert list` and openssl print it, with or without colons.
bool parse_serial(const char* word, IssuedRow& out) {
    char digits[2 * certificate_serial_size_max + 1];
    uint32_t size = 0;
    constexpr const char* fronts[] = {"serial=", "0x", "0X"};  // As openssl and others print it.
    for (const char* front : fronts) {
        if (strncmp(word, front, strlen(front)) == 0) word += strlen(front);
    }
    for (; *word != '\0'; word++) {
        if (*word == ':') continue;
        if (size == sizeof digits - 1) return false;
        digits[size++] = *word;
    }
    if (size == 0 || size % 2 != 0) return false;
    out = {};
    out.serial_size = size / 2;
    return parse_hex(slice_of_chars(digits, size), out.serial, out.serial_size) == Status::ok;
}

Slice short_serial(const IssuedRow& row) {
    Slice serial = {row.serial, row.serial_size};
    while (serial.size > 1 && serial.data[0] == 0) serial = slice_part(serial, 1, serial.size);
    return serial;
}

constexpr uint32_t serial_size_sure = 8;  // bytes of one that is believed without being known

// What one run is to revoke.
struct Collected {
    IssuedRow rows[2 * revocation_rows_max];
    uint32_t count;
    bool has_open[cert_words_max];  // a word that means something that is not revoked yet
};

ExitCode add(Collected& out, const IssuedRow& row) {
    constexpr uint32_t capacity = sizeof out.rows / sizeof out.rows[0];
    if (out.count == capacity) return tool_refuse("these are too many at a time");
    out.rows[out.count++] = row;
    return exit_done;
}

ExitCode refuse_unknown(const char* word, const KnownList& known);

// Collects the certificates that a word means.
ExitCode collect(const Authority& authority, const char* word, const KnownList& known,
                 Collected& out, bool& has_open) {
    IssuedRow serial = {};
    const bool has_serial = parse_serial(word, serial);
    bool is_found = false;
    for (uint32_t pass = 0; pass < 2 && !is_found; pass++) {  // A name comes before a number.
        for (uint32_t i = 0; i < known.count; i++) {
            const Known& row = known.rows[i];
            const bool is_it = pass == 0 ? is_named(row, word)
                                         : has_serial && slice_equal(short_serial(row.row),
                                                                     short_serial(serial));
            if (!is_it) continue;
            if (row.row.kind == CertificateKind::authority) {
                return tool_refuse("%s is the CA's own, which no list can revoke", word);
            }
            if (row.is_foreign) {
                fprintf(stderr, "pennyctl: %s: one of its certificates has another signer, whose "
                                "list it belongs on\n", word);
                continue;
            }
            is_found = true;
            has_open = has_open || !row.is_revoked;
            const ExitCode code = add(out, row.row);
            if (code != exit_done) return code;
        }
    }
    if (is_found) return exit_done;
    if (!has_serial || serial.serial_size < serial_size_sure) return refuse_unknown(word, known);
    // Who signed it is not known either.
    const bool has_issuing = authority.issuing.certificate.text.size > 0;
    serial.signer = IssuedSigner::ca;
    has_open = true;
    printf("%s: no certificate with this serial number is known here; it is for %s all the same\n",
           word, has_issuing ? "both lists" : "the CA's list");
    const ExitCode code = add(out, serial);
    serial.signer = IssuedSigner::issuing;
    return code == exit_done && has_issuing ? add(out, serial) : code;
}

// Names a few that there are, for somebody who mistyped one.
ExitCode refuse_unknown(const char* word, const KnownList& known) {
    char text[512] = "";
    size_t size = 0;
    const char* last = "";
    uint32_t more = 0;
    for (uint32_t i = 0; i < known.count; i++) {
        const IssuedRow& row = known.rows[i].row;
        if (row.kind != CertificateKind::client || strcmp(row.name, last) == 0) continue;
        last = row.name;
        if (size + strlen(row.name) + 3 > 200) {
            more++;
            continue;
        }
        size += static_cast<size_t>(snprintf(text + size, sizeof text - size, "%s%s",
                                             size > 0 ? ", " : "", row.name));
    }
    if (size == 0) {
        return tool_refuse("%s: there is no such certificate, and none of a client", word);
    }
    if (more == 0) return tool_refuse("%s: there is no such certificate; there are %s", word, text);
    return tool_refuse("%s: there is no such certificate; there are %s and %u more, which pennyctl "
                       "cert list shows", word, text, more);
}

ExitCode revoke_known(Cert& cert, const KnownList& known) {
    static Collected all;
    const CertWords& words = cert.words;
    Authority& authority = cert.authority;
    for (uint32_t i = 0; i < words.word_count; i++) {
        const char* word = words.words[i];
        if (strcmp(word, "ca") == 0 || strcmp(word, "crl") == 0) {
            return tool_refuse("the CA cannot be revoked: whoever trusts it would have to believe "
                               "it. Make a new one, and give everybody certificates of that");
        }
        const ExitCode code = collect(authority, word, known, all, all.has_open[i]);
        if (code != exit_done) return code;
    }
    uint32_t added = 0;
    const ExitCode code = authority_revoke(authority, all.rows, all.count, added);
    if (code != exit_done) return code;
    for (uint32_t i = 0; i < words.word_count; i++) {
        printf("%s: %s\n", words.words[i], all.has_open[i] ? "revoked" : "was revoked already");
    }
    if (added == 0) return exit_done;
    printf("%u certificate%s more on %s.\n", added, added == 1 ? "" : "s",
           cert_whole(cert, authority.crl.text).text);
    if (!authority.crl_is_named) {
        printf("No listener names that list; `crl = %s` lets the server look at it.\n",
               authority.crl.text);
    }
    const bool is_running = authority_tell_server(authority);
    for (uint32_t i = 0; i < words.word_count; i++) {
        if (strcmp(words.words[i], "issuing") != 0) continue;
        printf("What it signed is believed no more. Make another with `pennyctl cert issuing`, or "
               "say `issue = no`, before the server takes this up: it goes on signing with the "
               "files that it has.\n");
    }
    if (is_running) {
        printf("Whoever renews before that has a new one: type this again behind it.\n");
    }
    return exit_done;
}

ExitCode revoke(Cert& cert) {
    KnownList known = {};
    ExitCode code = authority_find(cert.authority, known);
    if (code == exit_done) code = revoke_known(cert, known);
    known_free(known);
    return code;
}

}  // namespace

int verb_cert_list(int argc, char** argv) {
    return cert_run({"cert list", 0, 0, "", "c"}, argc, argv, list);
}

int verb_cert_revoke(int argc, char** argv) {
    return cert_run({"cert revoke", 1, cert_words_max, "whose, or which serial number", ""}, argc,
                    argv, revoke);
}

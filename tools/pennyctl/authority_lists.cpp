// The half of authority.h that looks at what was signed, and keeps the lists of what is revoked.
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "pennyctl/authority.h"
#include "pennyctl/bank_files.h"
#include "port/posix/system.h"

namespace {

constexpr uint32_t file_size_max = 65536;  // bytes of a certificate's or a list's file; key_files.h
constexpr uint64_t ms_per_day = 86'400'000;
constexpr uint64_t kept_ms = 366 * ms_per_day;  // U4
constexpr uint32_t signer_count = 2;            // the CA and issuing, in this order

// One signer's list on its way from the file to the file.
struct RevokedList {
    const Signer* signer;
    bool is_there;
    bool is_changed;
    uint32_t count;
    RevocationRow rows[revocation_rows_max];
};

struct Lists {
    RevokedList of[signer_count];
    Writer others;  // lists of other CAs in ca.crt, as they are
    uint8_t others_bytes[file_size_max];
};

Slice serial_of(const RevocationRow& row) { return {row.serial, row.serial_size}; }
Slice serial_of(const IssuedRow& row) { return {row.serial, row.serial_size}; }

// A zero in front is DER's, and other programs leave it out.
bool same_serial(Slice a, Slice b) {
    while (a.size > 1 && a.data[0] == 0) a = slice_part(a, 1, a.size);
    while (b.size > 1 && b.data[0] == 0) b = slice_part(b, 1, b.size);
    return slice_equal(a, b);
}

bool is_of(const Signer& signer, const uint8_t hash[hash_size]) {
    return signer.certificate.text.size > 0 &&
           memcmp(signer.facts.subject_hash, hash, hash_size) == 0;
}

// --- What there is ---

struct Search {
    Authority& authority;
    KnownList& list;
};

Known* add_known(KnownList& list) {
    if (list.count == list.capacity) {
        const uint32_t capacity = list.capacity == 0 ? 256 : 2 * list.capacity;
        void* grown = realloc(list.rows, capacity * sizeof(Known));
        if (grown == nullptr) return nullptr;
        list.rows = static_cast<Known*>(grown);
        list.capacity = capacity;
    }
    Known* known = &list.rows[list.count++];
    memset(known, 0, sizeof *known);
    return known;
}

// Serial numbers of ours are random, so that no two are alike whoever signed. A file says less than
// the register, which knows who signed it even when that one is no more.
bool is_known(const KnownList& list, const IssuedRow& row, KnownFrom from) {
    for (uint32_t i = 0; i < list.count; i++) {
        const IssuedRow& known = list.rows[i].row;
        if (!same_serial(serial_of(known), serial_of(row))) continue;
        if (known.signer == row.signer || from == KnownFrom::file) return true;
    }
    return false;
}

ExitCode keep_known(KnownList& list, const IssuedRow& row, KnownFrom from, bool is_foreign) {
    if (is_known(list, row, from)) return exit_done;
    Known* known = add_known(list);
    if (known == nullptr) return tool_refuse("there is no memory for all certificates");
    known->row = row;
    known->from = from;
    known->is_foreign = is_foreign;
    return exit_done;
}

// Reads a register line by line. A last line without its end was cut off and counts for nothing.
ExitCode read_register(Search& search, const ToolPath& path, KnownFrom from) {
    FILE* file = fopen(path.text, "re");
    if (file == nullptr && errno == ENOENT) return exit_done;
    if (file == nullptr) return tool_refuse("%s: %s", path.text, strerror(errno));
    char text[issued_line_size_max + 2];
    ExitCode code = exit_done;
    uint32_t number = 0;
    while (code == exit_done && fgets(text, sizeof text, file) != nullptr) {
        const size_t size = strlen(text);
        const bool has_end = size > 0 && text[size - 1] == '\n';
        number++;
        if (!has_end && feof(file) != 0) break;
        IssuedRow row = {};
        const Slice line = slice_of_chars(text, static_cast<uint32_t>(has_end ? size - 1 : size));
        if (has_end && issued_parse_line(line, row) == Status::ok) {
            code = keep_known(search.list, row, from, false);
            continue;
        }
        fprintf(stderr, "pennyctl: %s: line %u is none of a register and was passed over\n",
                path.text, number);
        for (int byte = has_end ? '\n' : 0; byte != '\n' && byte != EOF;) byte = fgetc(file);
    }
    if (ferror(file) != 0) code = tool_refuse("%s: %s", path.text, strerror(errno));
    fclose(file);
    return code;
}

CertificateKind kind_of(const CertificateFacts& facts, bool is_own) {
    if (facts.is_authority) return is_own ? CertificateKind::authority : CertificateKind::issuing;
    return facts.is_server && !facts.is_client ? CertificateKind::server : CertificateKind::client;
}

// A certificate that is there as a file.
ExitCode look_at_pem(Search& search, Slice pem, const char* path) {
    CertificateFacts facts = {};
    if (certificate_read(pem, facts) != Status::ok) {
        fprintf(stderr, "pennyctl: %s holds no readable certificate and was passed over\n", path);
        return exit_done;
    }
    const bool by_ca = is_of(search.authority.ca, facts.issuer_hash);
    const bool by_issuing = is_of(search.authority.issuing, facts.issuer_hash);
    const bool is_own = memcmp(facts.issuer_hash, facts.subject_hash, hash_size) == 0;
    IssuedRow row = {};
    const IssuedSigner signer = is_own       ? IssuedSigner::self
                                : by_issuing ? IssuedSigner::issuing
                                             : IssuedSigner::ca;
    if (issued_row_of(pem, kind_of(facts, is_own), signer, row) != Status::ok) {
        fprintf(stderr, "pennyctl: %s: its name cannot be shown, and it was passed over\n", path);
        return exit_done;
    }
    return keep_known(search.list, row, KnownFrom::file, !by_ca && !by_issuing);
}

ExitCode look_at_file(Search& search, const ToolPath& path) {
    static uint8_t text[file_size_max];
    uint32_t size = 0;
    const Status status = system_read_file(path.text, text, sizeof text, size);
    if (status == Status::absent) return exit_done;
    if (status == Status::ok) return look_at_pem(search, {text, size}, path.text);
    fprintf(stderr, "pennyctl: %s: %s; it was passed over\n", path.text,
            status == Status::full ? "too long" : strerror(errno));
    return exit_done;
}

ExitCode look_at_clients(Search& search) {
    const Authority& authority = search.authority;
    const ToolPath folder = place_resolve(authority.place,
                                          authority_path(authority, "clients", "").text);
    DIR* entries = opendir(folder.text);
    if (entries == nullptr && errno == ENOENT) return exit_done;
    if (entries == nullptr) return tool_refuse("%s: %s", folder.text, strerror(errno));
    ExitCode code = exit_done;
    while (code == exit_done) {
        const dirent* entry = readdir(entries);
        if (entry == nullptr) break;
        const size_t size = strlen(entry->d_name);
        if (size < 5 || strcmp(entry->d_name + size - 4, ".crt") != 0) continue;
        code = look_at_file(search, tool_path(folder.text, entry->d_name));
    }
    closedir(entries);
    return code;
}

int compare_known(const void* a, const void* b) {
    const IssuedRow& left = static_cast<const Known*>(a)->row;
    const IssuedRow& right = static_cast<const Known*>(b)->row;
    if (left.kind != right.kind) return left.kind < right.kind ? -1 : 1;
    const int names = strcmp(left.name, right.name);
    if (names != 0) return names;
    if (left.not_after_ms == right.not_after_ms) return 0;
    return left.not_after_ms < right.not_after_ms ? -1 : 1;
}

// --- The lists ---

ExitCode refuse_list(const Authority& authority, const char* why) {
    return tool_refuse("%s %s", place_resolve(authority.place, authority.crl.text).text, why);
}

ExitCode take_list(const Authority& authority, Lists& lists, Slice pem) {
    RevocationFacts facts = {};
    if (revocation_facts(pem, facts) != Status::ok) {
        return refuse_list(authority, "holds a list that cannot be read; put an earlier one back, "
                                      "since what is on it must not be forgotten");
    }
    for (RevokedList& list : lists.of) {
        if (!is_of(*list.signer, facts.issuer_hash)) continue;
        list.is_there = true;
        if (revocation_read(pem, list.rows, revocation_rows_max, list.count) == Status::ok) {
            return exit_done;
        }
        return refuse_list(authority, "holds a list with more certificates than fit one");
    }
    // The list of an intermediate that was replaced would let no server start.
    if (authority_has_ca(authority, facts.issuer_hash)) put_bytes(lists.others, pem);
    return exit_done;
}

ExitCode read_lists(Authority& authority, Lists& lists) {
    static uint8_t text[file_size_max];
    uint32_t size = 0;
    memset(&lists, 0, sizeof lists);
    lists.of[0].signer = &authority.ca;
    lists.of[1].signer = &authority.issuing;
    lists.others = writer_of(lists.others_bytes, sizeof lists.others_bytes);
    const ToolPath path = place_resolve(authority.place, authority.crl.text);
    const Status status = system_read_file(path.text, text, sizeof text, size);
    if (status == Status::absent) return exit_done;
    if (status != Status::ok) {
        return tool_refuse("%s: %s", path.text,
                           status == Status::full ? "too long" : strerror(errno));
    }
    Reader rest = reader_of({text, size});
    Slice pem = {};
    uint32_t count = 0;
    while (revocation_next(rest, pem) == Status::ok) {
        const ExitCode code = take_list(authority, lists, pem);
        if (code != exit_done) return code;
        count++;
    }
    if (count > 0) return exit_done;
    return refuse_list(authority, "holds no list; put an earlier one back, since what is on it "
                                  "must not be forgotten");
}

bool list_has(const RevokedList& list, Slice serial) {
    for (uint32_t i = 0; i < list.count; i++) {
        if (same_serial(serial_of(list.rows[i]), serial)) return true;
    }
    return false;
}

// When a certificate on a list ended; the greatest time for one that nobody knows.
uint64_t end_of(const KnownList& known, Slice serial) {
    for (uint32_t i = 0; i < known.count; i++) {
        const IssuedRow& row = known.rows[i].row;
        if (same_serial(serial_of(row), serial)) return row.not_after_ms;
    }
    return UINT64_MAX;
}

// U4. False when no row may go.
bool make_room(const Authority& authority, Lists& lists, const KnownList& known) {
    RevokedList* from = nullptr;
    uint32_t at = 0;
    uint64_t first_ms = UINT64_MAX;
    for (RevokedList& list : lists.of) {
        for (uint32_t i = 0; i < list.count; i++) {
            const uint64_t end_ms = end_of(known, serial_of(list.rows[i]));
            if (end_ms >= first_ms) continue;
            from = &list;
            at = i;
            first_ms = end_ms;
        }
    }
    if (from == nullptr || first_ms > authority.wall_ms - kept_ms) return false;
    memmove(&from->rows[at], &from->rows[at + 1], (from->count - at - 1) * sizeof from->rows[0]);
    from->count--;
    from->is_changed = true;
    return true;
}

ExitCode add_rows(Authority& authority, Lists& lists, const IssuedRow* rows, uint32_t count,
                  const KnownList& known, uint32_t& added) {
    for (uint32_t i = 0; i < count; i++) {
        CHECK(rows[i].signer != IssuedSigner::self);
        RevokedList& list = lists.of[rows[i].signer == IssuedSigner::issuing ? 1 : 0];
        if (list_has(list, serial_of(rows[i]))) continue;
        if (lists.of[0].count + lists.of[1].count >= revocation_rows_max &&
            !make_room(authority, lists, known)) {
            return tool_refuse("the lists have room for %u revoked certificates, and these are "
                               "more; pennyctl cert issuing and certificates of 30 days need fewer",
                               revocation_rows_max);
        }
        RevocationRow& row = list.rows[list.count++];
        row = {};
        memcpy(row.serial, rows[i].serial, rows[i].serial_size);
        row.serial_size = rows[i].serial_size;
        row.wall_ms = authority.wall_ms;
        list.is_changed = true;
        added++;
    }
    return exit_done;
}

ExitCode put_list(const Authority& authority, const RevokedList& list, bool is_issuing,
                  Writer& out) {
    const ExitCode code = is_issuing ? authority_need_issuing(authority)
                                     : authority_need_ca(authority);
    if (code != exit_done) return code;
    const uint32_t days = authority.place.config.crl_days;
    const CertificateIssuer issuer = {pem_slice(list.signer->certificate),
                                      pem_slice(list.signer->key)};
    const Status status = revocation_make(issuer, authority.wall_ms, days, list.rows, list.count,
                                          out);
    if (status == Status::ok) return exit_done;
    return tool_refuse("the list of revoked certificates cannot be made: %s",
                       status_meaning(status));
}

// A list that has not changed, as it stands in the file, where its signer's key is away.
ExitCode keep_list(const Authority& authority, const Signer& signer, Writer& out) {
    static uint8_t text[file_size_max];
    uint32_t size = 0;
    const ToolPath path = place_resolve(authority.place, authority.crl.text);
    if (system_read_file(path.text, text, sizeof text, size) != Status::ok) return exit_done;
    Reader rest = reader_of({text, size});
    Slice pem = {};
    while (revocation_next(rest, pem) == Status::ok) {
        RevocationFacts facts = {};
        const bool is_read = revocation_facts(pem, facts) == Status::ok;
        if (is_read && is_of(signer, facts.issuer_hash)) put_bytes(out, pem);
    }
    return exit_done;
}

// Writes the file: the CA's list, issuing's certificate and list, and those of others.
ExitCode write_lists(Authority& authority, const Lists& lists, bool is_forced) {
    static uint8_t text[2 * file_size_max];  // revocation_make wants more than it leaves
    Writer out = writer_of(text, sizeof text);
    for (uint32_t i = 0; i < signer_count; i++) {
        const RevokedList& list = lists.of[i];
        if (list.signer->certificate.text.size == 0) continue;
        if (i == 1) put_bytes(out, pem_slice(list.signer->certificate));
        const bool has_key = list.signer->key.text.size > 0;
        const bool is_made = list.is_changed || !list.is_there || (is_forced && has_key);
        const ExitCode code = is_made ? put_list(authority, list, i == 1, out)
                                      : keep_list(authority, *list.signer, out);
        if (code != exit_done) return code;
    }
    put_bytes(out, writer_slice(lists.others));
    if (out.overflow || out.size > file_size_max) {
        return refuse_list(authority, "would be longer than a server reads");
    }
    return authority_replace(authority.made, authority.crl.text, writer_slice(out));
}

// When the intermediate of now began, however often it was renewed: its name stays the same.
uint64_t begin_of_issuing(const Authority& authority, const KnownList& known) {
    uint64_t begin_ms = authority.issuing.certificate.text.size > 0
                            ? authority.issuing.facts.not_before_ms
                            : 0;
    for (uint32_t i = 0; i < known.count; i++) {
        const IssuedRow& row = known.rows[i].row;
        const bool is_it = row.kind == CertificateKind::issuing &&
                           strcmp(row.name, authority.issuing.facts.name) == 0;
        if (is_it && row.not_before_ms < begin_ms) begin_ms = row.not_before_ms;
    }
    return begin_ms;
}

ExitCode find_all(Authority& authority, KnownList& out, const Lists& lists) {
    Search search = {authority, out};
    const MadePath own = authority_path(authority, "issued", "");
    ExitCode code = read_register(search, place_resolve(authority.place, own.text),
                                  KnownFrom::register_own);
    if (code == exit_done) {
        code = read_register(search, tool_path(authority.place.data.text, "issued"),
                             KnownFrom::register_server);
    }
    const Signer* signers[] = {&authority.ca, &authority.issuing};
    for (const Signer* signer : signers) {
        if (code != exit_done || signer->certificate.text.size == 0) continue;
        code = look_at_pem(search, pem_slice(signer->certificate), "an authority's certificate");
    }
    if (code == exit_done) {
        code = look_at_file(search, place_resolve(authority.place, authority.certificate.text));
    }
    if (code == exit_done) code = look_at_clients(search);
    const uint64_t issuing_begin_ms = begin_of_issuing(authority, out);
    for (uint32_t i = 0; i < out.count; i++) {
        Known& known = out.rows[i];
        if (known.is_foreign || known.row.signer == IssuedSigner::self) continue;
        const RevokedList& list = lists.of[known.row.signer == IssuedSigner::issuing ? 1 : 0];
        known.is_revoked = list_has(list, serial_of(known.row));
        // An intermediate before this one was ended, and its list went with it.
        if (known.row.signer == IssuedSigner::issuing &&
            known.row.not_before_ms < issuing_begin_ms) {
            known.is_revoked = true;
        }
    }
    if (out.count > 0) qsort(out.rows, out.count, sizeof(Known), compare_known);
    return code;
}

// Too large for a stack, and one run uses one.
Lists lists;

}  // namespace

ExitCode authority_find(Authority& authority, KnownList& out) {
    out = {};
    ExitCode code = read_lists(authority, lists);
    if (code == exit_done) code = find_all(authority, out, lists);
    if (code != exit_done) known_free(out);
    return code;
}

void known_free(KnownList& list) {
    free(list.rows);
    list = {};
}

ExitCode authority_revoke(Authority& authority, const IssuedRow* rows, uint32_t count,
                          uint32_t& added) {
    added = 0;
    ExitCode code = read_lists(authority, lists);
    if (code != exit_done) return code;
    KnownList known = {};
    code = find_all(authority, known, lists);
    if (code == exit_done) code = add_rows(authority, lists, rows, count, known, added);
    known_free(known);
    if (code != exit_done || (count > 0 && added == 0)) return code;
    return write_lists(authority, lists, count == 0);
}

Status authority_list_facts(const Authority& authority, const Signer& signer,
                            RevocationFacts& out) {
    static uint8_t text[file_size_max];
    uint32_t size = 0;
    const ToolPath path = place_resolve(authority.place, authority.crl.text);
    const Status status = system_read_file(path.text, text, sizeof text, size);
    if (status != Status::ok) return status;
    Reader rest = reader_of({text, size});
    Slice pem = {};
    while (revocation_next(rest, pem) == Status::ok) {
        if (revocation_facts(pem, out) == Status::ok && is_of(signer, out.issuer_hash)) {
            return Status::ok;
        }
    }
    return Status::absent;
}

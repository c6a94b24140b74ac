#include "pennyctl/receipt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "crypto/crypto.h"
#include "pennyctl/archive.h"
#include "pennyctl/data.h"
#include "pennyctl/tool.h"
#include "port/posix/system.h"

namespace {

constexpr uint32_t certificate_text_size_max = 128 * 1024;  // bytes, of chains too

struct ReceiptWords {
    const char* file;
    const char* certificate;
    const char* journal;  // nullptr when not given
    ArchiveFolders archives;
};

ExitCode take_words(int argc, char** argv, ReceiptWords& out) {
    ToolWords words = {argc, argv, 0, nullptr, false};
    bool is_option = false;
    bool has_verify = false;
    for (const char* word = nullptr; (word = tool_next(words, is_option)) != nullptr;) {
        const bool is_cert = is_option && strcmp(word, "--cert") == 0;
        const bool is_journal = is_option && strcmp(word, "--journal") == 0;
        if (is_cert || is_journal) {
            const char* value = tool_value(words);
            if (value == nullptr) return tool_misused_verb("receipt", "%s needs a value", word);
            (is_cert ? out.certificate : out.journal) = value;
        } else if (is_option && strcmp(word, "--archive") == 0) {
            const ExitCode code = archive_take(out.archives, "receipt", words);
            if (code != exit_done) return code;
        } else if (is_option) {
            return tool_misused_verb("receipt", "no option \"%s\"", word);
        } else if (!has_verify) {
            if (strcmp(word, "verify") != 0) {
                return tool_misused_verb("receipt", "what is \"%s\"", word);
            }
            has_verify = true;
        } else if (out.file == nullptr) {
            out.file = word;
        } else {
            return tool_misused_verb("receipt", "one receipt at a time");
        }
    }
    if (!has_verify) return tool_misused_verb("receipt", "what is to be done with it");
    if (out.file == nullptr) return tool_misused_verb("receipt", "which file");
    if (out.certificate == nullptr) {
        return tool_misused_verb("receipt", "whose signature? --cert names the certificate");
    }
    if (out.archives.count > 0 && out.journal == nullptr) {
        return tool_misused_verb("receipt", "--archive goes with --journal");
    }
    return exit_done;
}

// Reads a file, or standard input for "-".
ExitCode read_file(const char* path, uint8_t* out, uint32_t capacity, uint32_t& size) {
    const bool is_input = strcmp(path, "-") == 0;
    Status status = Status::ok;
    if (is_input) {
        const size_t got = fread(out, 1, capacity, stdin);
        size = static_cast<uint32_t>(got);
        if (ferror(stdin) != 0) status = Status::failed;
        if (got == capacity) status = Status::full;
    } else {
        status = system_read_file(path, out, capacity, size);
    }
    const char* name = is_input ? "standard input" : path;
    if (status == Status::ok) return exit_done;
    if (status == Status::full) return tool_refuse("%s is longer than a receipt can be", name);
    return tool_refuse("%s cannot be read: %s", name, strerror(errno));
}

ExitCode read_receipt(const char* path, Receipt& out) {
    static uint8_t pasted[receipt_pasted_size_max + 1];
    static uint8_t text[receipt_pasted_size_max + 1];
    uint32_t size = 0;
    const ExitCode code = read_file(path, pasted, sizeof pasted, size);
    if (code != exit_done) return code;
    Writer writer = writer_of(text, sizeof text);
    uint32_t line = 1;
    const char* name = strcmp(path, "-") == 0 ? "standard input" : path;
    Status status = receipt_tidy({pasted, size}, writer);
    if (status == Status::ok) status = receipt_parse(writer_slice(writer), out, line);
    if (status == Status::ok) return exit_done;
    if (status == Status::failed) {
        return tool_refuse("%s is a receipt of a newer version; verify it with a program of the "
                           "version that wrote it", name);
    }
    return tool_refuse("%s is no receipt: its line %u is not as a server writes it", name, line);
}

void put_digits(Writer& out, const Hash& hash) {
    put_hex(out, hash_slice(hash));
    put_u8(out, '\0');
}

ExitCode verify_signature(const Receipt& receipt, const char* path) {
    static uint8_t pem[certificate_text_size_max];
    uint32_t size = 0;
    Hash own;
    if (system_read_file(path, pem, sizeof pem, size) != Status::ok) {
        return tool_refuse("%s cannot be read: %s", path, strerror(errno));
    }
    if (crypto_init(nullptr) != Status::ok) return tool_refuse("the cryptography does not start");
    if (sign_fingerprint({pem, size}, own) != Status::ok) {
        return tool_refuse("%s holds no readable certificate", path);
    }
    if (!hash_equal(own, receipt.certificate)) {
        char theirs[2 * hash_size + 1];
        char ours[2 * hash_size + 1];
        Writer out = writer_of(reinterpret_cast<uint8_t*>(theirs), sizeof theirs);
        put_digits(out, receipt.certificate);
        out = writer_of(reinterpret_cast<uint8_t*>(ours), sizeof ours);
        put_digits(out, own);
        return tool_refuse("signed by another certificate (fingerprint %s); that of %s is %s",
                           theirs, path, ours);
    }
    uint8_t text[receipt_size_max];
    Writer writer = writer_of(text, sizeof text);
    receipt_put_signed(writer, receipt);
    const Status status = sign_verify({pem, size}, writer_slice(writer),
                                      {receipt.signature, receipt.signature_size});
    if (status == Status::ok) return exit_done;
    if (status == Status::failed) return tool_refuse("there is no memory to verify a signature");
    return tool_refuse("the signature is not good: the receipt was changed, or never signed");
}

unsigned long long number(uint64_t value) { return value; }

// What the journal has at the receipt's number.
ExitCode compare(const Check& check, const ReceiptSearch& search) {
    const Receipt& receipt = search.receipt;
    const uint64_t head = check.recovery.entry_seq;
    if (!slice_equal({receipt.bank_id, bank_id_size}, {search.known.bank_id, bank_id_size})) {
        return tool_refuse("the receipt is of another book: the bank id differs");
    }
    if (!search.has_entry) {
        return tool_refuse("the book was rolled back: its head is entry %llu, and the receipt is "
                           "of entry %llu", number(head), number(receipt.entry));
    }
    if (!search.is_of_entry) {
        return tool_refuse("the book was rewritten: its entry %llu moves no money",
                           number(receipt.entry));
    }
    const char* field = receipt_difference(receipt, search.known);
    if (field != nullptr) {
        return tool_refuse("the book was rewritten: its entry %llu differs from the receipt in the "
                           "%s", number(receipt.entry), field);
    }
    return exit_done;
}

ExitCode search_journal(const Receipt& receipt, const ReceiptWords& words, uint64_t& head) {
    static Check check;
    const StoreCalls* calls = nullptr;
    ToolData data;
    ExitCode code = data_find(words.journal, data);
    if (code == exit_done) code = archive_mount(words.archives, calls);
    if (code != exit_done) return code;
    if (check_open(check, *calls, data.folder.text) != Status::ok) {
        return tool_refuse_said(check.error);
    }
    ReceiptSearch search = {receipt, {}, row_none, row_none, row_none, false, false, false};
    const Status status = check_is_anchored(check) ? check_refuse_archived(check)
                                                   : receipt_search(check, search);
    check_close(check);
    if (status != Status::ok) return tool_refuse_said(check.error);
    head = check.recovery.entry_seq;
    return compare(check, search);
}

// Names, numbers and a currency: nothing that could steer a terminal.
void print_receipt(const Receipt& receipt) {
    uint8_t text[512];
    Writer out = writer_of(text, sizeof text);
    put_text(out, "entry ");
    put_decimal(out, receipt.entry);
    put_text(out, " of ");
    put_utc(out, receipt.time_ms);
    put_text(out, ": ");
    put_text(out, operation_name(receipt.operation));
    put_text(out, ", ");
    put_bytes(out, name_slice(receipt.account));
    put_u8(out, ' ');
    put_minor(out, receipt.amount, receipt.scale);
    put_u8(out, ' ');
    put_text(out, receipt.currency);
    put_text(out, receipt.amount < 0 ? " to " : " from ");
    put_bytes(out, name_slice(receipt.other));
    put_text(out, ", balance ");
    put_minor(out, receipt.balance, receipt.scale);
    if (receipt.order != 0) {
        put_text(out, ", ");
        put_decimal(out, receipt.quantity);
        put_u8(out, ' ');
        put_bytes(out, name_slice(receipt.item));
    }
    printf("%.*s\n", static_cast<int>(out.size), reinterpret_cast<const char*>(text));
}

}  // namespace

int verb_receipt(int argc, char** argv) {
    ReceiptWords words = {};
    Receipt receipt;
    uint64_t head = 0;
    ExitCode code = take_words(argc, argv, words);
    if (code == exit_done) code = read_receipt(words.file, receipt);
    if (code == exit_done) code = verify_signature(receipt, words.certificate);
    if (code == exit_done && words.journal != nullptr) {
        code = search_journal(receipt, words, head);
    }
    if (code != exit_done) return code;
    print_receipt(receipt);
    printf("signed by the certificate that was given\n");
    if (words.journal != nullptr) {
        printf("the book says the same, and its head is entry %llu\n", number(head));
    }
    return tool_flushed(exit_done);
}

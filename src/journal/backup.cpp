#include "journal/backup.h"

#include <string.h>

#include "base/check.h"
#include "base/lines.h"
#include "journal/sum_line.h"

namespace {

constexpr const char* head_word = "pennybank-backup";
constexpr const char* end_word = "pennybank-backup-end";

// The last word of a line; `out` has room for a name.
Status take_name(Reader& line, Writer& out) {
    if (take_text(line, out) != Status::ok) return Status::damaged;
    if (!tar_name_is_safe(writer_slice(out))) return Status::damaged;
    return take_end(line);
}

Status take_place(Reader& lines, BackupBook& book) {
    uint64_t segment = 0;
    uint64_t offset = 0;
    const bool fine = take_line_number(lines, "segment", UINT32_MAX, segment) == Status::ok &&
                      take_line_number(lines, "offset", UINT32_MAX, offset) == Status::ok;
    book.end = position_of(static_cast<uint32_t>(segment), static_cast<uint32_t>(offset));
    return fine ? Status::ok : Status::damaged;
}

}  // namespace

void backup_put_head(Writer& out, const BackupBook& book) {
    put_line_number(out, head_word, backup_version);
    put_line_hex(out, "bank", {book.bank_id, bank_id_size});
    put_line_number(out, "made", book.made_ms);
    put_line_number(out, "batch", book.batch);
    put_line_number(out, "entry", book.entry);
    put_line_number(out, "time", book.time_ms);
    put_line_number(out, "segment", position_segment(book.end));
    put_line_number(out, "offset", position_offset(book.end));
    put_line_hex(out, "chain", hash_slice(book.chain));
    put_line_hex(out, "digest", hash_slice(book.digest));
    put_line_number(out, "keys", book.has_keys ? 1 : 0);
}

void backup_put_file(Writer& out, const BackupFile& file) {
    CHECK(file.size <= file.whole);
    put_text(out, "file ");
    put_decimal(out, file.size);
    put_u8(out, ' ');
    put_decimal(out, file.whole);
    put_u8(out, ' ');
    put_hex(out, hash_slice(file.hash));
    put_u8(out, ' ');
    put_escaped(out, slice_of(file.name));
    put_u8(out, '\n');
}

void backup_put_without(Writer& out, Slice name) {
    put_text(out, "without ");
    put_escaped(out, name);
    put_u8(out, '\n');
}

void backup_put_sum(Writer& out) {
    const Hash sum = hash_of(writer_slice(out));
    put_line_hex(out, "sum", hash_slice(sum));
}

Status backup_take_head(Slice text, BackupBook& out, Reader& lines) {
    BackupBook book = {};
    uint64_t version = 0;
    uint64_t keys = 0;
    lines = reader_of(text);
    // The version comes first, since a newer one may sum up otherwise (L2).
    if (take_line_number(lines, head_word, UINT32_MAX, version) != Status::ok) {
        return Status::damaged;
    }
    if (version > backup_version) return Status::failed;
    if (version != backup_version || sum_line_check(text) != Status::ok) return Status::damaged;
    const bool fine =
        take_line_hex(lines, "bank", book.bank_id, bank_id_size) == Status::ok &&
        take_line_number(lines, "made", UINT64_MAX, book.made_ms) == Status::ok &&
        take_line_number(lines, "batch", UINT64_MAX, book.batch) == Status::ok &&
        take_line_number(lines, "entry", UINT64_MAX, book.entry) == Status::ok &&
        take_line_number(lines, "time", UINT64_MAX, book.time_ms) == Status::ok &&
        take_place(lines, book) == Status::ok &&
        take_line_hex(lines, "chain", book.chain.bytes, hash_size) == Status::ok &&
        take_line_hex(lines, "digest", book.digest.bytes, hash_size) == Status::ok &&
        take_line_number(lines, "keys", 1, keys) == Status::ok;
    if (!fine) return Status::damaged;
    book.has_keys = keys == 1;
    out = book;
    return Status::ok;
}

Status backup_take_file(Reader& lines, BackupFile& out) {
    Reader ahead = lines;
    Reader line;
    if (take_line(ahead, "file", line) != Status::ok) return Status::end;
    BackupFile file = {};
    Writer name = writer_of(reinterpret_cast<uint8_t*>(file.name), tar_name_size_max);
    if (take_number(line, tar_size_max, file.size) != Status::ok ||
        take_number(line, tar_size_max, file.whole) != Status::ok ||
        take_hex(line, file.hash.bytes, hash_size) != Status::ok ||
        take_name(line, name) != Status::ok || file.size > file.whole) {
        return Status::damaged;
    }
    lines = ahead;
    out = file;
    return Status::ok;
}

Status backup_take_without(Reader& lines, BackupName& out) {
    Reader ahead = lines;
    Reader line;
    if (take_line(ahead, "without", line) == Status::ok) {
        out = {};
        Writer name = writer_of(reinterpret_cast<uint8_t*>(out.text), tar_name_size_max);
        if (take_name(line, name) != Status::ok) return Status::damaged;
        lines = ahead;
        return Status::ok;
    }
    // The sum itself was checked with the head; nothing else may stand here or behind it.
    Hash sum;
    if (take_line_hex(lines, "sum", sum.bytes, hash_size) != Status::ok) return Status::damaged;
    return reader_left(lines) == 0 ? Status::end : Status::damaged;
}

void backup_put_end(Writer& out, const BackupEnd& end) {
    put_line_number(out, end_word, backup_version);
    put_line_number(out, "files", end.files);
    put_line_hex(out, "sum", hash_slice(end.sum));
}

Status backup_take_end(Slice text, BackupEnd& out) {
    Reader lines = reader_of(text);
    uint64_t version = 0;
    uint64_t files = 0;
    BackupEnd end = {};
    if (text.size == 0 || text.data[text.size - 1] != '\n' ||
        take_line_number(lines, end_word, backup_version, version) != Status::ok ||
        version != backup_version ||
        take_line_number(lines, "files", backup_files_max, files) != Status::ok ||
        take_line_hex(lines, "sum", end.sum.bytes, hash_size) != Status::ok ||
        reader_left(lines) > 0) {
        return Status::damaged;
    }
    end.files = static_cast<uint32_t>(files);
    out = end;
    return Status::ok;
}

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "pennyctl/backup.h"
#include "pennyctl/bank_files.h"

namespace {

struct Out {
    int fd;
    uint64_t time_s;
    Hasher hasher;        // over all that was written
    Writer& error;
    const char* reading;  // the file that is copied, for a sentence; nullptr while writing
};

Status write_bytes(Out& out, Slice bytes) {
    hasher_feed(out.hasher, bytes);
    return file_write(out.fd, bytes);
}

Status write_header(Out& out, const char* name, uint64_t size) {
    uint8_t block[tar_block_size];
    Writer writer = writer_of(block, sizeof block);
    TarMember member = {};
    const Status named = tar_name_set(member, slice_of(name));
    CHECK(named == Status::ok);
    member.size = size;
    member.time_s = out.time_s;
    tar_put_header(writer, member);
    return write_bytes(out, writer_slice(writer));
}

Status write_padding(Out& out, uint64_t size) {
    const uint8_t zeros[tar_block_size] = {};
    return write_bytes(out, {zeros, static_cast<uint32_t>(tar_padded(size) - size)});
}

Status write_text(Out& out, const char* name, Slice text) {
    Status status = write_header(out, name, text.size);
    if (status == Status::ok) status = write_bytes(out, text);
    return status == Status::ok ? write_padding(out, text.size) : status;
}

Status take_piece(void* context, Slice piece) {
    return write_bytes(*static_cast<Out*>(context), piece);
}

// Returns torn when the file has become shorter.
Status copy_file(Out& out, const BackupSource& source) {
    out.reading = source.path;
    const int fd = open(source.path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return Status::failed;
    const Status status = file_read_to(fd, source.file.size, {take_piece, &out});
    const int why = errno;
    close(fd);
    errno = why;
    if (status == Status::ok) out.reading = nullptr;
    return status;
}

Status write_source(Out& out, const BackupSource& source) {
    const bool is_copied = source.content.data == nullptr;
    Status status = write_header(out, source.file.name, source.file.size);
    if (status == Status::ok) {
        status = is_copied ? copy_file(out, source) : write_bytes(out, source.content);
    }
    return status == Status::ok ? write_padding(out, source.file.size) : status;
}

Status write_manifest(Out& out, const BackupBook& book, const BackupSources& sources) {
    const uint32_t lines = sources.count + sources.without_count + 1;
    const uint32_t room = backup_head_size_max + lines * backup_line_size_max;
    uint8_t* text = static_cast<uint8_t*>(malloc(room));
    if (text == nullptr) return Status::failed;
    Writer writer = writer_of(text, room);
    backup_put_head(writer, book);
    for (uint32_t i = 0; i < sources.count; i++) backup_put_file(writer, sources.rows[i].file);
    for (uint32_t i = 0; i < sources.without_count; i++) {
        backup_put_without(writer, slice_of(sources.without[i]));
    }
    backup_put_sum(writer);
    CHECK(!writer.overflow);
    const Status status = write_text(out, backup_manifest_name, writer_slice(writer));
    free(text);
    return status;
}

Status write_end(Out& out, uint32_t files) {
    uint8_t text[backup_end_size_max];
    Writer writer = writer_of(text, sizeof text);
    Hasher before = out.hasher;
    backup_put_end(writer, {files, hasher_finish(before)});
    CHECK(!writer.overflow);
    const Status status = write_text(out, backup_end_name, writer_slice(writer));
    return status == Status::ok ? file_write_zeros(out.fd, 2 * tar_block_size) : status;
}

void say_failure(Out& out, Status status) {
    const int why = errno;
    out.error.size = 0;
    put_text(out.error, out.reading != nullptr ? out.reading : "the backup");
    put_text(out.error, out.reading != nullptr ? ": cannot be read: " : " cannot be written: ");
    put_text(out.error, status == Status::torn ? "it became shorter meanwhile" : strerror(why));
}

}  // namespace

Status backup_write(int fd, const BackupBook& book, const BackupSources& sources, Writer& error) {
    Out out = {fd, book.made_ms / 1000, {}, error, nullptr};
    hasher_init(out.hasher);
    Status status = write_manifest(out, book, sources);
    for (uint32_t i = 0; status == Status::ok && i < sources.count; i++) {
        status = write_source(out, sources.rows[i]);
    }
    if (status == Status::ok) status = write_end(out, sources.count);
    if (status == Status::ok && fsync(fd) != 0) status = Status::failed;
    if (status == Status::ok) return status;
    say_failure(out, status);
    return Status::failed;
}

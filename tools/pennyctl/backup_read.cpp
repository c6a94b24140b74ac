#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "pennyctl/backup.h"
#include "pennyctl/bank_files.h"

namespace {

constexpr uint64_t manifest_size_max_of_backup = 32 * 1024 * 1024;  // bytes
constexpr const char* cut_said = "is cut short: the file ends in the middle of the backup";

// A walk from the first byte to the last.
struct Walk {
    BackupArchive& archive;
    Writer& error;
    uint64_t size;     // of the archive, bytes
    uint64_t at;
    Hasher hasher;     // over everything before END's header
    TarMember member;  // the one just met
};

Status say(Walk& walk, Status status, const char* what) {
    walk.error.size = 0;
    put_text(walk.error, walk.archive.path);
    put_text(walk.error, ": ");
    put_text(walk.error, what);
    return status;
}

Status say_errno(Walk& walk) {
    const int why = errno;
    const Status status = say(walk, Status::failed, "cannot be read: ");
    put_text(walk.error, strerror(why));
    return status;
}

Status say_at(Walk& walk, const char* what) {
    const Status status = say(walk, Status::damaged, what);
    put_text(walk.error, ", at byte ");
    put_decimal(walk.error, walk.at);
    put_text(walk.error, "; take another backup");
    return status;
}

Status say_member(Walk& walk, const char* name, const char* what) {
    const Status status = say(walk, Status::damaged, "");
    put_escaped(walk.error, slice_of(name));
    put_text(walk.error, ": ");
    put_text(walk.error, what);
    put_text(walk.error, "; take another backup");
    return status;
}

// Reads exactly this much at the present place, and goes on behind it.
Status read_exactly(Walk& walk, uint8_t* out, uint32_t size) {
    if (walk.size - walk.at < size) return say(walk, Status::damaged, cut_said);
    for (uint32_t done = 0; done < size;) {
        const ssize_t got = pread(walk.archive.fd, out + done, size - done,
                                  static_cast<off_t>(walk.at + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return say_errno(walk);
        if (got == 0) return say(walk, Status::damaged, cut_said);
        done += static_cast<uint32_t>(got);
    }
    walk.at += size;
    return Status::ok;
}

const char* said_of(TarFind find) {
    switch (find) {
        case TarFind::blank: return "the archive ends here, too early";
        case TarFind::junk: return "damaged: here should be the header of a file";
        case TarFind::type: return "not a backup of ours: something that is not a plain file";
        case TarFind::name: return "not a backup of ours: a name that leads out of the folder";
        case TarFind::other: return "not a backup of ours: a header that is written otherwise";
        case TarFind::member: break;
    }
    return "";
}

// Takes the next header. It is fed to the hasher only when the next member is not END.
Status read_header(Walk& walk) {
    uint8_t block[tar_block_size];
    const uint64_t begin = walk.at;
    const Status status = read_exactly(walk, block, sizeof block);
    if (status != Status::ok) return status;
    const TarFind find = tar_judge({block, sizeof block}, walk.member);
    if (find != TarFind::member) {
        walk.at = begin;
        return say_at(walk, said_of(find));
    }
    if (tar_padded(walk.member.size) > walk.size - walk.at) {
        return say(walk, Status::damaged, cut_said);
    }
    if (strcmp(walk.member.name, backup_end_name) != 0) {
        hasher_feed(walk.hasher, {block, sizeof block});
    }
    return Status::ok;
}

// The zeros that fill the last block of a member.
Status read_padding(Walk& walk, bool is_end) {
    uint8_t block[tar_block_size];
    const uint32_t size = static_cast<uint32_t>(tar_padded(walk.member.size) - walk.member.size);
    const Status status = read_exactly(walk, block, size);
    if (status != Status::ok) return status;
    for (uint32_t i = 0; i < size; i++) {
        if (block[i] != 0) return say_at(walk, "damaged: what should be zero is not");
    }
    if (!is_end) hasher_feed(walk.hasher, {block, size});
    return Status::ok;
}

Status read_manifest(Walk& walk) {
    BackupArchive& archive = walk.archive;
    Status status = read_header(walk);
    if (status != Status::ok) return status;
    if (strcmp(walk.member.name, backup_manifest_name) != 0) {
        return say(walk, Status::damaged, "not a backup of a bank: MANIFEST is not its first file");
    }
    if (walk.member.size > manifest_size_max_of_backup) {
        return say(walk, Status::damaged, "its MANIFEST is longer than any");
    }
    archive.manifest_size = static_cast<uint32_t>(walk.member.size);
    archive.manifest = static_cast<uint8_t*>(malloc(archive.manifest_size + 1));
    if (archive.manifest == nullptr) return say(walk, Status::failed, "no memory for its MANIFEST");
    status = read_exactly(walk, archive.manifest, archive.manifest_size);
    if (status != Status::ok) return status;
    hasher_feed(walk.hasher, {archive.manifest, archive.manifest_size});
    return read_padding(walk, false);
}

// Names are in ascending order, so none is there twice, and each is one that a bank has.
bool name_belongs(const char* name) {
    return strcmp(name, "pennyd.conf") == 0 || strcmp(name, "client.conf") == 0 ||
           strncmp(name, "certs/", 6) == 0 || strncmp(name, "lab/", 4) == 0 ||
           strncmp(name, "data/", 5) == 0;
}

// Only a segment of the journal ends in zeros that are not stored, and none is longer than this.
bool whole_is_fine(const BackupFile& file) {
    constexpr uint64_t segment_most = 1u << 30;  // bytes; config.def's bound
    if (file.whole == file.size) return true;
    return strncmp(file.name, "data/journal/", 13) == 0 && file.whole <= segment_most;
}

Status take_files(Walk& walk, Reader lines) {
    BackupArchive& archive = walk.archive;
    const uint32_t room = archive.manifest_size / 64 + 1;  // No line of a file is shorter.
    archive.files = static_cast<BackupFile*>(calloc(room, sizeof(BackupFile)));
    archive.offsets = static_cast<uint64_t*>(calloc(room, sizeof(uint64_t)));
    if (archive.files == nullptr || archive.offsets == nullptr) {
        return say(walk, Status::failed, "no memory for its list of files");
    }
    for (;;) {
        CHECK(archive.file_count < room);
        BackupFile& file = archive.files[archive.file_count];
        const Status status = backup_take_file(lines, file);
        if (status == Status::end) break;
        if (status != Status::ok || archive.file_count == backup_files_max) {
            return say(walk, Status::damaged, "its MANIFEST cannot be read; take another backup");
        }
        const char* before =
            archive.file_count == 0 ? "" : archive.files[archive.file_count - 1].name;
        if (!name_belongs(file.name) || strcmp(before, file.name) >= 0) {
            return say_member(walk, file.name, "its MANIFEST names a file that no backup has here");
        }
        if (!whole_is_fine(file)) {
            return say_member(walk, file.name, "of a length that it never has");
        }
        archive.file_count++;
    }
    archive.without = lines;
    BackupName name;
    Status status = backup_take_without(lines, name);
    for (; status == Status::ok; status = backup_take_without(lines, name)) archive.without_count++;
    if (status == Status::end) return Status::ok;
    return say(walk, Status::damaged, "its MANIFEST cannot be read; take another backup");
}

Status take_manifest(Walk& walk) {
    BackupArchive& archive = walk.archive;
    Reader lines;
    const Status status =
        backup_take_head({archive.manifest, archive.manifest_size}, archive.book, lines);
    if (status == Status::failed) {
        return say(walk, Status::failed,
                   "written by a newer version; restore it with the program that wrote it");
    }
    if (status == Status::ok) return take_files(walk, lines);
    return say(walk, Status::damaged, "its MANIFEST is not what was once written; take another "
                                      "backup");
}


Status read_content(Walk& walk, uint64_t size, Hash& out) {
    static uint8_t piece[copy_piece_size];
    Hasher hasher;
    hasher_init(hasher);
    for (uint64_t left = size; left > 0;) {
        const uint32_t count =
            left < copy_piece_size ? static_cast<uint32_t>(left) : copy_piece_size;
        const Status status = read_exactly(walk, piece, count);
        if (status != Status::ok) return status;
        hasher_feed(hasher, {piece, count});
        hasher_feed(walk.hasher, {piece, count});
        left -= count;
    }
    out = hasher_finish(hasher);
    return Status::ok;
}

Status read_file(Walk& walk, uint32_t index) {
    BackupArchive& archive = walk.archive;
    const BackupFile& file = archive.files[index];
    Status status = read_header(walk);
    if (status != Status::ok) return status;
    if (strcmp(walk.member.name, file.name) != 0) {
        return say_member(walk, file.name, "missing: another file stands in its place");
    }
    if (walk.member.size != file.size) return say_member(walk, file.name, "of another size");
    archive.offsets[index] = walk.at;
    Hash found;
    status = read_content(walk, file.size, found);
    if (status == Status::ok) status = read_padding(walk, false);
    if (status != Status::ok) return status;
    if (hash_equal(found, file.hash)) return status;
    return say_member(walk, file.name, "damaged: not the bytes that were written");
}

Status read_end(Walk& walk) {
    uint8_t text[backup_end_size_max];
    BackupEnd end = {};
    Status status = read_header(walk);
    if (status != Status::ok) return status;
    if (strcmp(walk.member.name, backup_end_name) != 0) {
        return say_member(walk, walk.member.name, "a file that its MANIFEST does not name");
    }
    if (walk.member.size > sizeof text) return say_at(walk, "damaged: its END is too long");
    const uint32_t size = static_cast<uint32_t>(walk.member.size);
    status = read_exactly(walk, text, size);
    if (status != Status::ok) return status;
    if (backup_take_end({text, size}, end) != Status::ok ||
        end.files != walk.archive.file_count || !hash_equal(end.sum, hasher_finish(walk.hasher))) {
        return say_at(walk, "damaged: its END does not fit what stands before it");
    }
    return read_padding(walk, true);
}

Status read_blanks(Walk& walk) {
    uint8_t blocks[2 * tar_block_size];
    const Status status = read_exactly(walk, blocks, sizeof blocks);
    if (status != Status::ok) return status;
    for (const uint8_t byte : blocks) {
        if (byte != 0) return say_at(walk, "damaged: what should be zero is not");
    }
    if (walk.at == walk.size) return Status::ok;
    return say_at(walk, "something follows the end of the backup");
}

Status open_file(Walk& walk) {
    struct stat facts;
    walk.archive.fd = open(walk.archive.path, O_RDONLY | O_CLOEXEC);
    if (walk.archive.fd < 0 || fstat(walk.archive.fd, &facts) != 0) return say_errno(walk);
    if (!S_ISREG(facts.st_mode)) return say(walk, Status::failed, "not a file");
    walk.size = static_cast<uint64_t>(facts.st_size);
    posix_fadvise(walk.archive.fd, 0, 0, POSIX_FADV_DONTNEED);
    return Status::ok;
}

}  // namespace

Status backup_open(BackupArchive& archive, const char* path, Writer& error) {
    archive = {};
    archive.fd = -1;
    archive.path = path;
    Walk walk = {archive, error, 0, 0, {}, {}};
    hasher_init(walk.hasher);
    Status status = open_file(walk);
    if (status == Status::ok) status = read_manifest(walk);
    if (status == Status::ok) status = take_manifest(walk);
    for (uint32_t i = 0; status == Status::ok && i < archive.file_count; i++) {
        status = read_file(walk, i);
    }
    if (status == Status::ok) status = read_end(walk);
    return status == Status::ok ? read_blanks(walk) : status;
}

void backup_close(BackupArchive& archive) {
    if (archive.fd >= 0) close(archive.fd);
    free(archive.manifest);
    free(archive.files);
    free(archive.offsets);
    archive = {};
    archive.fd = -1;
}

Status backup_peek(const char* path, BackupBook& out, Writer& error) {
    BackupArchive archive = {};
    archive.fd = -1;
    archive.path = path;
    Walk walk = {archive, error, 0, 0, {}, {}};
    hasher_init(walk.hasher);
    Status status = open_file(walk);
    if (status == Status::ok) status = read_manifest(walk);
    if (status == Status::ok) status = take_manifest(walk);
    if (status == Status::ok) out = archive.book;
    backup_close(archive);
    return status;
}

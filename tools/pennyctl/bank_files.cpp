#include "pennyctl/bank_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

constexpr uint32_t folder_depth_max = 8;

int close_keeping_errno(int fd) {
    const int why = errno;
    const int answer = close(fd);
    errno = why;
    return answer;
}

Status feed_hasher(void* context, Slice piece) {
    hasher_feed(*static_cast<Hasher*>(context), piece);
    return Status::ok;
}

Status feed_file(void* context, Slice piece) {
    return file_write(*static_cast<int*>(context), piece);
}

Status size_of(int fd, uint64_t& out) {
    struct stat facts;
    if (fstat(fd, &facts) != 0) return Status::failed;
    errno = EINVAL;
    if (!S_ISREG(facts.st_mode)) return Status::failed;
    out = static_cast<uint64_t>(facts.st_size);
    return Status::ok;
}

// Reads back from the device, as far as the system can be told to.
Status compare(int from, int to, uint64_t size) {
    Hash wanted = {};
    Hash found = {};
    posix_fadvise(to, 0, 0, POSIX_FADV_DONTNEED);
    Status status = file_hash(from, size, wanted);
    if (status == Status::ok) status = file_hash(to, size, found);
    if (status == Status::ok && hash_equal(wanted, found)) return status;
    if (status != Status::failed) errno = EIO;
    return Status::failed;
}

Status copy_open(int from, int to) {
    uint64_t size = 0;
    Status status = size_of(from, size);
    if (status == Status::ok) status = file_read_to(from, size, {feed_file, &to});
    if (status == Status::ok && fsync(to) != 0) status = Status::failed;
    return status == Status::ok ? compare(from, to, size) : status;
}

void remove_content(int dir, const char* path, uint32_t depth) {
    const int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR* folder = fd < 0 ? nullptr : fdopendir(fd);
    if (folder == nullptr) {
        if (fd >= 0) close(fd);
        return;
    }
    while (const dirent* entry = readdir(folder)) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        if (unlinkat(fd, entry->d_name, 0) == 0 || depth == 0) continue;
        remove_content(fd, entry->d_name, depth - 1);
        unlinkat(fd, entry->d_name, AT_REMOVEDIR);
    }
    closedir(folder);
}

}  // namespace

Status file_read_to(int fd, uint64_t size, const FileSink& sink) {
    static uint8_t piece[copy_piece_size];
    for (uint64_t done = 0; done < size;) {
        const uint64_t left = size - done;
        const size_t wanted = left < copy_piece_size ? static_cast<size_t>(left) : copy_piece_size;
        const ssize_t got = pread(fd, piece, wanted, static_cast<off_t>(done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return Status::failed;
        if (got == 0) return Status::torn;
        const Status status = sink.take(sink.context, {piece, static_cast<uint32_t>(got)});
        if (status != Status::ok) return status;
        done += static_cast<uint64_t>(got);
    }
    return Status::ok;
}

Status file_hash(int fd, uint64_t size, Hash& out) {
    Hasher hasher;
    hasher_init(hasher);
    const Status status = file_read_to(fd, size, {feed_hasher, &hasher});
    if (status == Status::ok) out = hasher_finish(hasher);
    return status;
}

Status file_hash_at(int dir, const char* path, uint64_t& size, Hash& out) {
    const int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return Status::failed;
    Status status = size_of(fd, size);
    if (status == Status::ok) status = file_hash(fd, size, out);
    close_keeping_errno(fd);
    return status;
}

Status file_write(int fd, Slice bytes) {
    for (uint32_t done = 0; done < bytes.size;) {
        const ssize_t count = write(fd, bytes.data + done, bytes.size - done);
        if (count < 0 && errno == EINTR) continue;
        if (count == 0) errno = EIO;  // Nothing written and no reason given.
        if (count <= 0) return Status::failed;
        done += static_cast<uint32_t>(count);
    }
    return Status::ok;
}

Status file_write_zeros(int fd, uint64_t count) {
    static const uint8_t zeros[copy_piece_size] = {};
    while (count > 0) {
        const uint32_t size =
            count < copy_piece_size ? static_cast<uint32_t>(count) : copy_piece_size;
        const Status status = file_write(fd, {zeros, size});
        if (status != Status::ok) return status;
        count -= size;
    }
    return Status::ok;
}

Status file_sync_folder(int dir, const char* path) {
    const int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return Status::failed;
    const int answer = fsync(fd);
    close_keeping_errno(fd);
    return answer == 0 ? Status::ok : Status::failed;
}

Status file_copy(int from_dir, const char* from, int to_dir, const char* to) {
    const int source = openat(from_dir, from, O_RDONLY | O_CLOEXEC);
    if (source < 0) return Status::failed;
    const int target =
        openat(to_dir, to, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    Status status = target < 0 ? Status::failed : copy_open(source, target);
    if (target >= 0 && close_keeping_errno(target) != 0) status = Status::failed;
    close_keeping_errno(source);
    return status;
}

Status file_each(int dir, const char* path, Status (*each)(void* context, const char* name),
                 void* context) {
    const int fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* folder = fd < 0 ? nullptr : fdopendir(fd);
    if (folder == nullptr) {
        if (fd >= 0) close_keeping_errno(fd);
        return Status::failed;
    }
    Status status = Status::ok;
    while (status == Status::ok) {
        errno = 0;
        const dirent* entry = readdir(folder);
        if (entry == nullptr) {
            if (errno != 0) status = Status::failed;
            break;
        }
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        status = each(context, entry->d_name);
    }
    const int why = errno;
    closedir(folder);
    errno = why;
    return status;
}

void file_remove_folder(int dir, const char* path) {
    remove_content(dir, path, folder_depth_max);
    unlinkat(dir, path, AT_REMOVEDIR);
}

#include "enrol_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "store_file.h"

namespace {

// "enrol/renew-NAME.code" and a NUL.
struct EnrolPath {
    char text[sizeof enrol_folder + enrol_base_size_max + 16];
};

EnrolPath path_of(const EnrolBase& base, const char* ending) {
    EnrolPath path = {};
    Writer out = writer_of(reinterpret_cast<uint8_t*>(path.text), sizeof path.text - 1);
    put_text(out, enrol_folder);
    put_u8(out, '/');
    put_text(out, base.text);
    put_text(out, ending);
    CHECK(!out.overflow);
    return path;
}

// While it is written. Two programs may write different files of one code.
EnrolPath draft_of(const EnrolBase& base, const char* ending) {
    EnrolPath path = path_of(base, ending);
    const Slice end = slice_of(".new");
    const uint32_t size = slice_of(path.text).size;
    CHECK(size + end.size < sizeof path.text);
    memcpy(path.text + size, end.data, end.size);
    return path;
}

// Closes, and keeps the errno of whatever failed before.
Status close_with(const StoreCalls& calls, int fd, Status status) {
    const int code = errno;
    if (calls.close(fd) != 0 && status == Status::ok) return Status::failed;
    errno = code;
    return status;
}

template <uint32_t size_max>
Status read_text(const Store& store, const EnrolBase& base, const char* ending,
                 EnrolText<size_max>& out) {
    const Status status = enrol_files_read(*store.calls, store.dir_fd, base, ending, out.bytes,
                                           size_max, out.size);
    return status == Status::absent ? Status::ok : status;
}

template <uint32_t size_max>
Status write_text(const Store& store, const EnrolBase& base, const char* ending,
                  const EnrolText<size_max>& text) {
    return enrol_files_write(*store.calls, store.dir_fd, base, ending, {text.bytes, text.size},
                             nullptr);
}

Status read_all(const Store& store, EnrolJob& job) {
    Status status = Status::ok;
    if (job.use != EnrolUse::renew) status = read_text(store, job.base, ".code", job.grant);
    // Whoever has no code gets to know nothing, and costs no more than that.
    if (job.use != EnrolUse::renew && job.grant.size == 0) return status;
    if (status == Status::ok) status = read_text(store, job.base, ".csr", job.known);
    if (status == Status::ok) status = read_text(store, job.base, ".crt", job.answer);
    return status;
}

// Leaves no row in the job once the register has it.
Status write_all(const Store& store, EnrolJob& job) {
    const StoreCalls& calls = *store.calls;
    Status status = Status::ok;
    if (job.row.size > 0) {
        status = enrol_files_register(calls, store.dir_fd, {job.row.bytes, job.row.size});
        if (status == Status::ok) job.row.size = 0;
    }
    if (status == Status::ok && job.drops_answer) {
        status = enrol_files_drop(calls, store.dir_fd, job.base, ".crt");
    }
    if (status == Status::ok && job.drops_csr) {
        status = enrol_files_drop(calls, store.dir_fd, job.base, ".csr");
    }
    if (status == Status::ok && job.puts_csr) {
        status = enrol_files_make_folder(calls, store.dir_fd);
        if (status == Status::ok) status = write_text(store, job.base, ".csr", job.csr);
    }
    if (status == Status::ok && job.puts_answer) {
        status = write_text(store, job.base, ".crt", job.answer);
    }
    return status;
}

bool writes(const EnrolJob& job) {
    return job.row.size > 0 || job.drops_answer || job.drops_csr || job.puts_csr ||
           job.puts_answer;
}

// T3. What is registered counts, although nobody gets it.
void fail(EnrolJob& job, const char* reason) {
    const bool is_registered = job.is_issued && job.is_spent && job.row.size == 0;
    job.outcome = Status::failed;
    job.reason = reason;
    job.is_issued = false;
    job.is_spent = is_registered;
    job.puts_csr = false;
}

}  // namespace

void enrol_files_work(const Store& store, Server& server, Wish& wish) {
    EnrolJob& job = *wish.enrol;
    wish.outcome = Status::ok;
    if (read_all(store, job) != Status::ok) return fail(job, "data/enrol could not be read");
    server_wish_run(server, wish);
    if (job.outcome != Status::ok || !writes(job)) return;
    if (store.mode == StoreMode::read) return fail(job, "the data may only be read");
    if (write_all(store, job) != Status::ok) fail(job, "data/enrol could not be written");
}

Status enrol_files_make_folder(const StoreCalls& calls, int dir_fd) {
    if (calls.mkdir(dir_fd, enrol_folder, store_directory_mode) == 0) {
        return store_sync_directory(calls, dir_fd, ".");
    }
    return errno == EEXIST ? Status::ok : store_status_of_errno();
}

Status enrol_files_read(const StoreCalls& calls, int dir_fd, const EnrolBase& base,
                        const char* ending, uint8_t* out, uint32_t capacity, uint32_t& size) {
    const EnrolPath path = path_of(base, ending);
    size = 0;
    const int fd = calls.open(dir_fd, path.text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0);
    if (fd < 0) return errno == ENOENT ? Status::absent : Status::failed;
    uint8_t more = 0;
    uint32_t got = 0;
    uint32_t over = 0;
    Status status = store_read_all(calls, fd, out, capacity, 0, got);
    if (status == Status::ok) status = store_read_all(calls, fd, &more, 1, capacity, over);
    if (status == Status::ok && over > 0) status = Status::full;
    if (status == Status::ok) size = got;
    return close_with(calls, fd, status);
}

Status enrol_files_write(const StoreCalls& calls, int dir_fd, const EnrolBase& base,
                         const char* ending, Slice bytes, int (*prepare)(int fd)) {
    const EnrolPath path = path_of(base, ending);
    const EnrolPath draft = draft_of(base, ending);
    const int fd = calls.open(dir_fd, draft.text,
                              O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                              store_file_mode);
    if (fd < 0) return store_status_of_errno();
    Status status = store_write_all(calls, fd, bytes, 0);
    if (status == Status::ok && prepare != nullptr && prepare(fd) != 0) status = Status::failed;
    if (status == Status::ok && calls.fsync(fd) != 0) status = store_status_of_errno();
    status = close_with(calls, fd, status);
    if (status == Status::ok && calls.rename(dir_fd, draft.text, path.text) != 0) {
        status = store_status_of_errno();
    }
    if (status != Status::ok) {
        const int code = errno;
        calls.unlink(dir_fd, draft.text, 0);
        errno = code;
        return status;
    }
    return store_sync_directory(calls, dir_fd, enrol_folder);
}

Status enrol_files_drop(const StoreCalls& calls, int dir_fd, const EnrolBase& base,
                        const char* ending) {
    const EnrolPath path = path_of(base, ending);
    if (calls.unlink(dir_fd, path.text, 0) != 0 && errno != ENOENT) return Status::failed;
    return store_sync_directory(calls, dir_fd, enrol_folder);
}

namespace {

// T2.
Status cut_torn_line(const StoreCalls& calls, int fd, uint64_t& end) {
    uint8_t tail[issued_line_size_max];
    uint32_t got = 0;
    const uint64_t from = end < sizeof tail ? 0 : end - sizeof tail;
    const Status status =
        store_read_all(calls, fd, tail, static_cast<uint32_t>(end - from), from, got);
    if (status != Status::ok || got == 0 || tail[got - 1] == '\n') return status;
    while (got > 0 && tail[got - 1] != '\n') got--;
    end = from + got;
    return calls.truncate(fd, end) == 0 ? Status::ok : Status::failed;
}

}  // namespace

Status enrol_files_register(const StoreCalls& calls, int dir_fd, Slice line) {
    const int fd = calls.open(dir_fd, enrol_register,
                              O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, store_file_mode);
    if (fd < 0) return store_status_of_errno();
    const int64_t size = calls.size(fd);
    Status status = size < 0 ? Status::failed : Status::ok;
    uint64_t end = size < 0 ? 0 : static_cast<uint64_t>(size);
    if (status == Status::ok) status = cut_torn_line(calls, fd, end);
    if (status == Status::ok) status = store_write_all(calls, fd, line, end);
    if (status == Status::ok && calls.fdatasync(fd) != 0) status = store_status_of_errno();
    status = close_with(calls, fd, status);
    // The file may be new.
    return status == Status::ok ? store_sync_directory(calls, dir_fd, ".") : status;
}

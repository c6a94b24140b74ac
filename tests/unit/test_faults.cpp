#include "unit/test_faults.h"

#include <errno.h>

namespace {

FaultPlan plan;
uint64_t calls = 0;

bool fails() {
    const uint64_t call = calls++;
    const bool now = call == plan.fail_at || (plan.for_good && call > plan.fail_at);
    if (now) errno = plan.code;
    return now;
}

const StoreCalls& real() { return store_calls_posix; }

int call_open(int dir, const char* path, int flags, uint32_t mode) {
    return fails() ? -1 : real().open(dir, path, flags, mode);
}

int64_t call_pread(int fd, void* out, uint64_t size, uint64_t offset) {
    if (fails()) return -1;
    return real().pread(fd, out, plan.short_writes && size > 1 ? size / 2 : size, offset);
}

int64_t call_pwrite(int fd, const void* data, uint64_t size, uint64_t offset) {
    if (fails()) {
        real().pwrite(fd, data, size / 2, offset);
        errno = plan.code;
        return -1;
    }
    return real().pwrite(fd, data, plan.short_writes && size > 1 ? size / 2 : size, offset);
}

int call_fdatasync(int fd) { return fails() ? -1 : real().fdatasync(fd); }
int call_fsync(int fd) { return fails() ? -1 : real().fsync(fd); }

int call_rename(int dir, const char* from, const char* to) {
    return fails() ? -1 : real().rename(dir, from, to);
}

int call_unlink(int dir, const char* path, int flags) {
    return fails() ? -1 : real().unlink(dir, path, flags);
}

int call_mkdir(int dir, const char* path, uint32_t mode) {
    return fails() ? -1 : real().mkdir(dir, path, mode);
}

int call_symlink(const char* target, int dir, const char* path) {
    return fails() ? -1 : real().symlink(target, dir, path);
}

int64_t call_readlink(int dir, const char* path, char* out, uint64_t size) {
    return fails() ? -1 : real().readlink(dir, path, out, size);
}

int64_t call_list(int fd, void* out, uint64_t size) {
    return fails() ? -1 : real().list(fd, out, size);
}

int64_t call_size(int fd) { return fails() ? -1 : real().size(fd); }
int call_truncate(int fd, uint64_t size) { return fails() ? -1 : real().truncate(fd, size); }
int call_forget(int fd) { return fails() ? -1 : real().forget(fd); }
int call_lock(int fd) { return fails() ? -1 : real().lock(fd); }
int call_pid() { return real().pid(); }
int call_lock_test(int fd) { return fails() ? -1 : real().lock_test(fd); }

}  // namespace

const StoreCalls test_calls = {
    .open = call_open,
    .close = [](int fd) { return store_calls_posix.close(fd); },  // It always closes.
    .pread = call_pread,
    .pwrite = call_pwrite,
    .fdatasync = call_fdatasync,
    .fsync = call_fsync,
    .rename = call_rename,
    .unlink = call_unlink,
    .mkdir = call_mkdir,
    .symlink = call_symlink,
    .readlink = call_readlink,
    .list = call_list,
    .size = call_size,
    .truncate = call_truncate,
    .forget = call_forget,
    .lock = call_lock,
    .lock_test = call_lock_test,
    .pid = call_pid,
};

void test_faults_begin(const FaultPlan& next) {
    plan = next;
    calls = 0;
}

uint64_t test_faults_calls() { return calls; }

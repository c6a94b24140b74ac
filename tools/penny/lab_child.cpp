#include "penny/lab_child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "posix/system.h"

namespace {

constexpr uint64_t end_ms_max = 5000;  // for a child to end in order
constexpr uint32_t children_max = 2;

static_assert(lab_path_size_max >= PATH_MAX);

volatile sig_atomic_t interrupted;
volatile pid_t running[children_max];  // 0: none

void end_children(int) {
    interrupted = 1;
    for (const pid_t pid : running) {
        if (pid > 0) kill(pid, SIGTERM);
    }
}

void note_running(pid_t from, pid_t to) {
    for (volatile pid_t& pid : running) {
        if (pid != from) continue;
        pid = to;
        return;
    }
    CHECK(false);
}

// "/folder/of/penny/NAME", where there is such a program.
bool find_beside(const char* name, char out[lab_path_size_max]) {
    const ssize_t size = readlink("/proc/self/exe", out, lab_path_size_max - 1);
    if (size <= 0) return false;
    out[size] = '\0';
    char* slash = strrchr(out, '/');
    if (slash == nullptr) return false;
    const size_t room = lab_path_size_max - static_cast<size_t>(slash + 1 - out);
    if (strlen(name) >= room) return false;
    snprintf(slash + 1, room, "%s", name);
    return access(out, X_OK) == 0;
}

// What is left of the new process: only what may be called between fork and exec.
[[noreturn]] void become(const char* path, const char* const* words, pid_t parent, int output) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) _exit(1);
    const int nothing = open("/dev/null", O_RDONLY);
    if (nothing >= 0) dup2(nothing, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    char* const* argv = const_cast<char* const*>(words);
    if (path != nullptr) execv(path, argv);
    execvp(words[0], argv);
    _exit(127);
}

// Takes what the child says within the time. Returns ok for bytes, end when there will be no more,
// expired, failed when interrupted. What does not fit is dropped, so that the child never waits.
Status take_said(LabChild& child, uint64_t deadline_ms) {
    if (child.fd < 0) return Status::end;
    for (;;) {
        if (interrupted != 0) return Status::failed;
        const uint64_t now_ms = system_now_ms();
        if (now_ms >= deadline_ms) return Status::expired;
        pollfd ready = {child.fd, POLLIN, 0};
        if (poll(&ready, 1, static_cast<int>(deadline_ms - now_ms)) <= 0) continue;
        uint8_t spare[512];
        const uint32_t room = lab_said_size_max - child.said_size;
        uint8_t* place = room > 0 ? child.said + child.said_size : spare;
        const ssize_t got = read(child.fd, place, room > 0 ? room : sizeof spare);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            close(child.fd);
            child.fd = -1;
            return Status::end;
        }
        if (room > 0) child.said_size += static_cast<uint32_t>(got);
        return Status::ok;
    }
}

void note_ended(LabChild& child, int state) {
    note_running(child.pid, 0);
    child.pid = 0;
    child.code = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

// Takes the child's exit code within the time, once it is there.
Status reap(LabChild& child, uint64_t deadline_ms) {
    while (child.pid > 0) {
        int state = 0;
        const pid_t pid = waitpid(child.pid, &state, WNOHANG);
        if (pid == child.pid) {
            note_ended(child, state);
            break;
        }
        if (system_now_ms() >= deadline_ms) return Status::expired;
        poll(nullptr, 0, 10);
    }
    return Status::ok;
}

}  // namespace

void lab_catch_signals() {
    struct sigaction action = {};
    action.sa_handler = end_children;
    constexpr int numbers[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};
    for (const int number : numbers) sigaction(number, &action, nullptr);
}

bool lab_is_interrupted() { return interrupted != 0; }

Status lab_child_start(LabChild& child, const char* const* words) {
    child.pid = 0;
    child.fd = -1;
    child.code = 0;
    child.said_size = 0;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return Status::failed;
    char path[lab_path_size_max];
    const bool is_beside = find_beside(words[0], path);
    // A signal between the fork and the note would miss the child.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    const pid_t parent = getpid();
    const pid_t pid = fork();
    if (pid == 0) {
        sigprocmask(SIG_SETMASK, &before, nullptr);
        become(is_beside ? path : nullptr, words, parent, ends[1]);
    }
    const int error = errno;
    if (pid > 0) note_running(0, pid);
    sigprocmask(SIG_SETMASK, &before, nullptr);
    close(ends[1]);
    child.fd = ends[0];
    if (pid > 0) {
        child.pid = pid;
        return Status::ok;
    }
    close(child.fd);
    child.fd = -1;
    errno = error;
    return Status::failed;
}

Status lab_child_wait_line(LabChild& child, const char* begin, uint64_t deadline_ms, Slice& out) {
    const uint32_t begin_size = slice_of(begin).size;
    for (;;) {
        Slice line = {};
        for (uint32_t at = 0; lab_child_line(child, at, line);) {
            if (!slice_equal_text(slice_part(line, 0, begin_size), begin)) continue;
            out = slice_part(line, begin_size, line.size - begin_size);
            return Status::ok;
        }
        const Status status = take_said(child, deadline_ms);
        if (status == Status::end) return Status::absent;
        if (status != Status::ok) return status;
    }
}

Status lab_child_wait(LabChild& child, uint64_t deadline_ms) {
    Status status = Status::ok;
    while (status == Status::ok) status = take_said(child, deadline_ms);
    return status == Status::end ? reap(child, deadline_ms) : status;
}

void lab_child_end(LabChild& child) {
    if (child.pid == 0) return;
    const uint64_t deadline_ms = system_now_ms() + end_ms_max;
    kill(child.pid, SIGTERM);
    Status status = lab_child_wait(child, deadline_ms);
    if (status == Status::failed) status = reap(child, deadline_ms);
    if (status != Status::ok) {
        kill(child.pid, SIGKILL);
        int state = 0;
        while (waitpid(child.pid, &state, 0) < 0 && errno == EINTR) continue;
        note_ended(child, state);
    }
    if (child.fd >= 0) close(child.fd);
    child.fd = -1;
}

bool lab_child_line(const LabChild& child, uint32_t& at, Slice& out) {
    const Slice rest = slice_part({child.said, child.said_size}, at, child.said_size - at);
    const void* end = rest.size > 0 ? memchr(rest.data, '\n', rest.size) : nullptr;
    if (end == nullptr) return false;
    const uint32_t size = static_cast<uint32_t>(static_cast<const uint8_t*>(end) - rest.data);
    out = slice_part(rest, 0, size);
    at += size + 1;
    return true;
}

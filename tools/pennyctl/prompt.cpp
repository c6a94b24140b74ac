#include "pennyctl/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

namespace {

constexpr uint32_t tries_max = 3;

enum class LineEnd : uint8_t { line_feed, end_of_file, too_long, error };

// The terminal as it was, for the moment in which an interrupt finds it without echo.
int silent_fd = -1;
termios silent_before;

void restore_and_die(int number) {
    if (silent_fd >= 0) tcsetattr(silent_fd, TCSANOW, &silent_before);
    signal(number, SIG_DFL);
    raise(number);
}

LineEnd read_line(int fd, Password& out) {
    out.size = 0;
    bool is_long = false;
    for (;;) {
        uint8_t byte = 0;
        const ssize_t got = read(fd, &byte, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return LineEnd::error;
        if (got == 0 || byte == '\n') {
            if (out.size > 0 && out.bytes[out.size - 1] == '\r') out.size--;
            if (is_long) return LineEnd::too_long;
            return got == 0 ? LineEnd::end_of_file : LineEnd::line_feed;
        }
        is_long = is_long || out.size == password_size_max;
        if (!is_long) out.bytes[out.size++] = byte;
    }
}

ExitCode check_size(const Password& password, bool is_long) {
    if (password.size >= password_size_min && !is_long) return exit_done;
    return tool_refuse("a password has %u to %u bytes", password_size_min, password_size_max);
}

void put_tty(int fd, const char* text) {
    const ssize_t wrote = write(fd, text, strlen(text));
    (void)wrote;  // Without a prompt the question can still be answered.
}

LineEnd read_line_silently(int fd, const char* question, Password& out) {
    put_tty(fd, question);
    const LineEnd end = read_line(fd, out);
    put_tty(fd, "\n");
    return end;
}

// One round: the password and its repetition. Returns exit_done also when they differ, with `same`
// false.
ExitCode ask_round(int fd, const char* question, Password& out, bool& same) {
    LineEnd end = read_line_silently(fd, question, out);
    if (end == LineEnd::error || (end == LineEnd::end_of_file && out.size == 0)) {
        return tool_refuse("no password was given");
    }
    const ExitCode code = check_size(out, end == LineEnd::too_long);
    if (code != exit_done) return code;
    Password again = {};
    end = read_line_silently(fd, "Once more: ", again);
    same = end != LineEnd::too_long &&
           slice_equal_secret({out.bytes, out.size}, {again.bytes, again.size});
    wipe(&again, sizeof again);
    return end == LineEnd::error ? tool_refuse("no password was given") : exit_done;
}

ExitCode ask_rounds(int fd, const char* question, Password& out) {
    for (uint32_t i = 0; i < tries_max; i++) {
        bool same = false;
        const ExitCode code = ask_round(fd, question, out, same);
        if (code != exit_done || same) return code;
        put_tty(fd, "They differ.\n");
    }
    return tool_refuse("the password was not given twice the same");
}

}  // namespace

ExitCode password_read_file(const char* path, Password* out, uint32_t count) {
    const bool is_input = strcmp(path, "-") == 0;
    const int fd = is_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return tool_refuse("%s: %s", path, strerror(errno));
    ExitCode code = exit_done;
    for (uint32_t i = 0; i < count && code == exit_done; i++) {
        const LineEnd end = read_line(fd, out[i]);
        if (end == LineEnd::error) {
            code = tool_refuse("%s: %s", path, strerror(errno));
        } else if (end == LineEnd::end_of_file && out[i].size == 0 && i > 0) {
            code = tool_refuse("%s has %u lines, and %u passwords are wanted", path, i, count);
        } else {
            code = check_size(out[i], end == LineEnd::too_long);
        }
    }
    if (!is_input) close(fd);
    if (code != exit_done) wipe(out, count * sizeof *out);
    return code;
}

ExitCode password_ask(const char* who, Password& out) {
    const int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);
    if (fd < 0 || tcgetattr(fd, &silent_before) != 0) {
        if (fd >= 0) close(fd);
        return tool_refuse("there is no terminal to ask for %s's password; use --password-file F",
                           who);
    }
    termios silent = silent_before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHOE | ECHOK | ECHONL);
    struct sigaction die = {};
    struct sigaction before_int = {};
    struct sigaction before_term = {};
    die.sa_handler = restore_and_die;
    silent_fd = fd;
    sigaction(SIGINT, &die, &before_int);
    sigaction(SIGTERM, &die, &before_term);
    tcsetattr(fd, TCSAFLUSH, &silent);

    char question[128];
    snprintf(question, sizeof question, "Password for %s (%u bytes or more): ", who,
             password_size_min);
    const ExitCode code = ask_rounds(fd, question, out);

    tcsetattr(fd, TCSAFLUSH, &silent_before);
    sigaction(SIGINT, &before_int, nullptr);
    sigaction(SIGTERM, &before_term, nullptr);
    silent_fd = -1;
    close(fd);
    if (code != exit_done) wipe(&out, sizeof out);
    return code;
}

#include "penny/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "penny/help.h"

#if PENNY_HAVE_EDITLINE
#include <editline/readline.h>
#endif

namespace {

// The terminal as it was, for an interrupt that finds it without echo.
int silent_fd = -1;
termios before;

bool from_input;        // standard input's lines answer
bool completes = true;  // the first word is a command

void restore_and_die(int number) {
    if (silent_fd >= 0) tcsetattr(silent_fd, TCSANOW, &before);
    signal(number, SIG_DFL);
    raise(number);
}

void put_tty(int fd, const char* text) {
    const ssize_t wrote = write(fd, text, strlen(text));
    (void)wrote;  // Without a question one can still answer.
}

// Takes a line from the terminal. Returns full when it is too long.
Status read_tty(int fd, uint8_t* out, uint32_t capacity, uint32_t& size) {
    size = 0;
    bool is_long = false;
    for (;;) {
        uint8_t byte = 0;
        const ssize_t got = read(fd, &byte, 1);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0 && size == 0) return Status::end;
        if (got <= 0 || byte == '\n') return is_long ? Status::full : Status::ok;
        is_long = is_long || size == capacity;
        if (!is_long) out[size++] = byte;
    }
}

Status ask_silently(int fd, const char* question, uint8_t* out, uint32_t capacity, uint32_t& size) {
    termios silent = {};
    if (tcgetattr(fd, &before) != 0) return Status::failed;
    silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHOE | ECHOK | ECHONL);
    struct sigaction die = {};
    struct sigaction before_int = {};
    struct sigaction before_term = {};
    die.sa_handler = restore_and_die;
    silent_fd = fd;
    sigaction(SIGINT, &die, &before_int);
    sigaction(SIGTERM, &die, &before_term);
    tcsetattr(fd, TCSAFLUSH, &silent);
    put_tty(fd, question);
    const Status status = read_tty(fd, out, capacity, size);
    put_tty(fd, "\n");
    tcsetattr(fd, TCSAFLUSH, &before);
    sigaction(SIGINT, &before_int, nullptr);
    sigaction(SIGTERM, &before_term, nullptr);
    silent_fd = -1;
    return status;
}

Status read_plain(char* out, uint32_t capacity) {
    uint32_t size = 0;
    bool fits = true;
    for (;;) {
        const int byte = getc(stdin);
        if (byte == EOF && size == 0 && fits) return Status::end;
        if (byte == EOF || byte == '\n') break;
        fits = fits && byte != '\0' && size + 1 < capacity;
        if (fits) out[size++] = static_cast<char>(byte);
    }
    if (!fits) return Status::full;
    if (size > 0 && out[size - 1] == '\r') size--;
    out[size] = '\0';
    return Status::ok;
}

// Takes an answer from a script.
Status read_input(uint8_t* out, uint32_t capacity, uint32_t& size) {
    char line[password_size_max + 2];
    size = 0;
    Status status = read_plain(line, sizeof line);
    if (status == Status::ok && strlen(line) > capacity) status = Status::full;
    if (status == Status::ok) {
        size = static_cast<uint32_t>(strlen(line));
        memcpy(out, line, size);
    }
    wipe(line, sizeof line);
    return status;
}

#if PENNY_HAVE_EDITLINE

// Gives the names of commands that begin with `text`, one for each call.
char* next_name(const char* text, int state) {
    static uint32_t at;
    if (state == 0) at = 0;
    while (completes && at < help_name_count()) {
        const char* name = help_name(at++);
        if (strncasecmp(name, text, strlen(text)) == 0) return strdup(name);
    }
    return nullptr;
}

// Only the first word is a command; nothing is known about the others.
char** complete(const char* text, int start, int) {
    rl_attempted_completion_over = 1;
    return start == 0 ? rl_completion_matches(text, next_name) : nullptr;
}

Status read_edited(const char* prompt, char* out, uint32_t capacity) {
    static bool ready = false;
    if (!ready) {
        rl_readline_name = "penny";
        rl_attempted_completion_function = complete;
        ready = true;
    }
    char* line = readline(prompt);
    if (line == nullptr) {
        puts("");
        return Status::end;
    }
    const size_t size = strlen(line);
    const bool fits = size < capacity;
    if (fits) memcpy(out, line, size + 1);
    wipe(line, size);
    free(line);
    return fits ? Status::ok : Status::full;
}

#else

Status read_edited(const char* prompt, char* out, uint32_t capacity) {
    fputs(prompt, stdout);
    fflush(stdout);
    const Status status = read_plain(out, capacity);
    if (status == Status::end) {
        clearerr(stdin);  // A terminal goes on behind its end of input.
        puts("");
    }
    return status;
}

#endif

constexpr int input_fd = -2;  // in the place of the terminal

int open_tty() { return from_input ? input_fd : open("/dev/tty", O_RDWR | O_CLOEXEC); }

void close_tty(int fd) {
    if (fd >= 0) close(fd);
}

Status ask_plainly(int fd, const char* question, uint8_t* out, uint32_t capacity, uint32_t& size) {
    if (fd == input_fd) return read_input(out, capacity, size);
    put_tty(fd, question);
    return read_tty(fd, out, capacity, size);
}

Status ask_secret(int fd, const char* question, uint8_t* out, uint32_t capacity, uint32_t& size) {
    if (fd == input_fd) return read_input(out, capacity, size);
    return ask_silently(fd, question, out, capacity, size);
}

ExitCode refuse_name() {
    say("a name has 1 to %u bytes", name_size_max);
    return exit_refused;
}

ExitCode refuse_tty() {
    say("there is no terminal to ask for the password; use --pass or $PENNY_PASS");
    return exit_refused;
}

ExitCode ask_password(const char* question, Password& out) {
    const int fd = open_tty();
    if (fd == -1) return refuse_tty();
    const Status status = ask_secret(fd, question, out.bytes, sizeof out.bytes, out.size);
    close_tty(fd);
    out.given = status == Status::ok;
    if (out.given) return exit_go_on;
    wipe(&out, sizeof out);
    say("no password was given");
    return exit_refused;
}

// What was typed blindly is typed twice.
ExitCode ask_again(Password& password) {
    Password again = {};
    ExitCode code = ask_password("The same password again: ", again);
    const bool same = code == exit_go_on && again.size == password.size &&
                      memcmp(again.bytes, password.bytes, again.size) == 0;
    wipe(&again, sizeof again);
    if (same) return code;
    wipe(&password, sizeof password);
    if (code == exit_go_on) say("the two passwords differ");
    return exit_refused;
}

}  // namespace

Status prompt_line(const char* prompt, char* out, uint32_t capacity) {
    return isatty(STDIN_FILENO) != 0 ? read_edited(prompt, out, capacity)
                                     : read_plain(out, capacity);
}

Status prompt_answer(const char* question, char* out, uint32_t capacity) {
    completes = false;
    const Status status = prompt_line(question, out, capacity);
    completes = true;
    return status;
}

void prompt_from_input() { from_input = true; }

bool prompt_has_person() { return from_input || isatty(STDIN_FILENO) != 0; }

void prompt_remember(const char* line) {
#if PENNY_HAVE_EDITLINE
    if (isatty(STDIN_FILENO) != 0) add_history(line);
#else
    (void)line;
#endif
}

ExitCode prompt_user(Login& login, bool& creates) {
    creates = false;
    const int fd = open_tty();
    if (fd == -1) return exit_go_on;  // Nobody to ask, so nobody logs in.
    const Status status =
        ask_plainly(fd, "User to sign in as, + to create an account, or empty for nobody: ",
                    login.user, sizeof login.user, login.user_size);
    close_tty(fd);
    creates = status == Status::ok && login.user_size == 1 && login.user[0] == '+';
    if (creates) login.user_size = 0;
    if (status == Status::ok || status == Status::end) return exit_go_on;
    return refuse_name();
}

ExitCode prompt_password(Login& login) {
    char question[64];
    snprintf(question, sizeof question, "Password for %.*s: ", static_cast<int>(login.user_size),
             reinterpret_cast<const char*>(login.user));
    return ask_password(question, login.password);
}

ExitCode prompt_account(Login& login) {
    const int fd = open_tty();
    if (fd == -1) return refuse_tty();
    const Status status = ask_plainly(fd, "Name of the new account: ", login.user,
                                      sizeof login.user, login.user_size);
    close_tty(fd);
    if (status == Status::end || (status == Status::ok && login.user_size == 0)) {
        say("no name was given");
        return exit_usage;
    }
    if (status != Status::ok) return refuse_name();
    const ExitCode code = prompt_password(login);
    return code == exit_go_on ? ask_again(login.password) : code;
}

ExitCode prompt_fresh(Password& out) {
    const ExitCode code = ask_password("New password: ", out);
    return code == exit_go_on ? ask_again(out) : code;
}

ExitCode prompt_passphrase(uint8_t* out, uint32_t size) {
    const int fd = open_tty();
    if (fd == -1) {
        say("there is no terminal to ask for the passphrase; use --passphrase-file");
        return exit_refused;
    }
    uint32_t got = 0;
    const Status status = ask_secret(fd, "Passphrase: ", out, size, got);
    close_tty(fd);
    if (status == Status::ok && got == size) return exit_go_on;
    wipe(out, size);
    say("the passphrase has not exactly %u bytes", size);
    return exit_refused;
}

Status prompt_pin(Pin& out) {
    const int fd = open_tty();
    if (fd == -1) return Status::failed;
    const Status status = ask_secret(fd, "PIN: ", out.digits, sizeof out.digits, out.size);
    close_tty(fd);
    if (status == Status::ok) return status;
    wipe(&out, sizeof out);
    return Status::failed;
}

// lab_break_replay.cpp - `penny lab break replay`: what a client sent in one session is sent again,
// byte for byte, by somebody who has no key.
//
// The session is one TELL, which leaves a line in the server's log each time it is carried out.

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "penny/lab_break.h"
#include "penny/lab_failure.h"
#include "penny/lab_print.h"
#include "penny/lab_stage.h"
#include "penny/lab_tape.h"
#include "posix/system.h"

namespace {

constexpr uint64_t again_ms_max = 10000;  // for the server to answer, or to hang up
constexpr uint32_t heard_size_max = 16384;  // bytes of what it says to that
constexpr char logged[] = "text \"pay attention\"";
constexpr uint8_t message_data = 16;  // types of the laboratory's messages
constexpr uint8_t message_alert = 21;
constexpr uint8_t record_alert = 21;  // and of a record of TLS
constexpr uint32_t record_header_size = 5;

// What the server said to what it had heard before.
struct Heard {
    bool hung_up;
    bool data;        // sealed data, which nobody can read who has no key
    uint32_t data_size;
    bool alert;
    uint8_t number;   // of the alert
    uint32_t size;
    uint8_t bytes[heard_size_max];
};

// Looks at the whole messages of a laboratory channel.
void look_lab(Heard& heard) {
    const Slice all = {heard.bytes, heard.size};
    for (uint32_t at = 0; heard.size - at >= lab_header_size;) {
        const uint8_t type = all.data[at];
        const uint32_t size = all.data[at + 1] * 256u + all.data[at + 2];
        if (heard.size - at - lab_header_size < size) return;
        if (type == message_data) {
            heard.data = true;
            heard.data_size = size;
        }
        if (type == message_alert && size == 1) {
            heard.alert = true;
            heard.number = all.data[at + lab_header_size];
        }
        at += lab_header_size + size;
    }
}

// Of TLS only an alert in the clear can be told from other records.
void look_tls(Heard& heard) {
    for (uint32_t at = 0; heard.size - at >= record_header_size;) {
        const uint32_t size = heard.bytes[at + 3] * 256u + heard.bytes[at + 4];
        if (heard.size - at - record_header_size < size) return;
        if (heard.bytes[at] == record_alert && size == 2) {
            heard.alert = true;
            heard.number = heard.bytes[at + record_header_size + 1];
        }
        at += record_header_size + size;
    }
}

Status connect_again(const LabStage& stage, int& out) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return Status::failed;
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(atoi(stage.port)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        close(fd);
        return Status::failed;
    }
    out = fd;
    return Status::ok;
}

// Takes what the server says until it answers or hangs up.
void listen_to(const LabStage& stage, int fd, Heard& heard) {
    const uint64_t deadline_ms = system_now_ms() + again_ms_max;
    while (!heard.data && heard.size < heard_size_max) {
        const uint64_t now_ms = system_now_ms();
        if (now_ms >= deadline_ms || lab_is_interrupted()) return;
        pollfd ready = {fd, POLLIN, 0};
        if (poll(&ready, 1, static_cast<int>(deadline_ms - now_ms)) <= 0) continue;
        const ssize_t got = recv(fd, heard.bytes + heard.size, heard_size_max - heard.size, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            heard.hung_up = true;
            return;
        }
        heard.size += static_cast<uint32_t>(got);
        if (stage.lab != nullptr) look_lab(heard);
        if (stage.lab == nullptr) look_tls(heard);
    }
}

Status send_again(LabStage& stage, const LabTape& tape, Heard& heard) {
    int fd = -1;
    if (connect_again(stage, fd) != Status::ok) {
        snprintf(stage.reason, sizeof stage.reason, "no second connection: %s", strerror(errno));
        return Status::failed;
    }
    // A server that breaks off in the middle takes no more, which is an answer too.
    for (uint32_t at = 0; at < tape.sent_size;) {
        const ssize_t sent = send(fd, tape.sent + at, tape.sent_size - at, MSG_NOSIGNAL);
        if (sent <= 0 && errno == EINTR && !lab_is_interrupted()) continue;
        if (sent <= 0) break;
        at += static_cast<uint32_t>(sent);
    }
    listen_to(stage, fd, heard);
    close(fd);
    return Status::ok;
}

uint32_t count_logged(const LabChild& server) {
    uint32_t count = 0;
    Slice line = {};
    for (uint32_t at = 0; lab_child_line(server, at, line);) {
        if (memmem(line.data, line.size, logged, sizeof logged - 1) != nullptr) count++;
    }
    return count;
}

// One TELL, all of whose bytes the tape has, the end of the session included.
Status tell(LabStage& stage, LabTape& tape) {
    const char* words[] = {"TELL", "pay attention", nullptr};
    uint8_t text[lab_answer_size_max];
    Writer answer = writer_of(text, sizeof text);
    lab_tape_init(tape);
    Status status = lab_stage_connect(stage, &tape.tap);
    if (status == Status::ok) status = lab_stage_ask(stage, words, answer);
    lab_stage_hang_up(stage);
    if (status == Status::ok && tape.overflow) {
        snprintf(stage.reason, sizeof stage.reason, "the session was too long to be kept");
        return Status::failed;
    }
    return status;
}

// Why the server ended the session in which it was asked nothing, as its log has it.
Slice find_reason(const LabChild& server) {
    constexpr char ended[] = " commands 0 because ";
    Slice line = {};
    Slice found = slice_of("it gave no reason");
    for (uint32_t at = 0; lab_child_line(server, at, line);) {
        const void* place = memmem(line.data, line.size, ended, sizeof ended - 1);
        if (place == nullptr) continue;
        const uint32_t start =
            static_cast<uint32_t>(static_cast<const uint8_t*>(place) - line.data);
        found = slice_part(line, start + sizeof ended - 1, line.size);
    }
    return found;
}

void describe(const LabStage& stage, const Heard& heard, uint32_t told, char* what, size_t size) {
    const char* times = told == 1 ? "once" : told == 2 ? "twice" : "more than twice";
    if (heard.data) {
        snprintf(what, size, "answered again, with %u sealed bytes; told %s", heard.data_size,
                 times);
    } else if (heard.alert && stage.lab != nullptr) {
        snprintf(what, size, "alert %u: %s; told %s", heard.number,
                 lab_failure_meaning(heard.number), times);
    } else if (heard.alert) {
        snprintf(what, size, "a TLS alert, %u; told %s", heard.number, times);
    } else if (heard.hung_up) {
        const Slice reason = find_reason(stage.server);
        snprintf(what, size, "hung up: %.*s; told %s", static_cast<int>(reason.size),
                 reinterpret_cast<const char*>(reason.data), times);
    } else {
        snprintf(what, size, "%u bytes came, and no end; told %s", heard.size, times);
    }
}

// One row. Returns exit_done when it went as the channel's properties say.
ExitCode replay(LabStage& stage, LabTape& tape, const LabProperties& properties) {
    static Heard heard;
    heard = {};
    Status status = lab_stage_open(stage, properties.name);
    if (status == Status::ok) status = tell(stage, tape);
    if (status == Status::ok) status = send_again(stage, tape, heard);
    lab_stage_end_server(stage);
    const uint32_t told = count_logged(stage.server);
    char what[160];
    describe(stage, heard, told, what, sizeof what);
    lab_stage_close(stage);
    if (status == Status::ok && told == 0) {
        snprintf(stage.reason, sizeof stage.reason, "the server's log does not have it even once");
        status = Status::failed;
    }
    if (status != Status::ok) {
        lab_print_row(properties.name, stage.reason, "failed");
        return exit_refused;
    }
    const bool carried_out = told == 2 && heard.data;
    const bool withstood = told == 1 && !heard.data && (heard.alert || heard.hung_up);
    lab_print_row(properties.name, what,
                  carried_out ? "carried out again" : withstood ? "withstood" : "unclear");
    const bool is_open = strncmp(properties.replay_protection, "none", 4) == 0;
    return (is_open ? carried_out : withstood) ? exit_done : exit_refused;
}

}  // namespace

ExitCode lab_break_replay(char** words, int count) {
    (void)words;
    static LabTape tape;
    if (count > 0) {
        say("lab break replay takes no words");
        return exit_usage;
    }
    LabStage* stage = lab_stage();
    if (stage == nullptr) return exit_refused;
    ExitCode code = exit_done;
    puts("One TELL, and then the same bytes again on a connection of their own. \"told\" is how\n"
         "often the server's log has what it was told.\n");
    lab_print_head();
    for (uint32_t i = 0; i < lab_property_count(); i++) {
        const LabProperties& properties = lab_properties(i);
        // On xor the server draws another padlock, and what comes again is noise to it.
        if (!lab_stage_has(properties.name) || strcmp(properties.name, "xor") == 0) continue;
        if (replay(*stage, tape, properties) != exit_done) code = exit_refused;
    }
    return code;
}

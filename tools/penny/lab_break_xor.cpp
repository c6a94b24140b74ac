// lab_break_xor.cpp - `penny lab break xor`: the key of an xor channel out of what an eavesdropper
// saw, be it a conversation that is held here, or a recording of anybody's.

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "penny/capture.h"
#include "penny/lab_break.h"
#include "penny/lab_eavesdrop.h"
#include "penny/lab_print.h"
#include "penny/lab_stage.h"
#include "penny/lab_tape.h"
#include "posix/system.h"

namespace {

// Reserved, since most runs of penny never look at a recording.
struct Recording {
    Capture capture;
    CaptureBytes client;
    CaptureBytes server;
    XorSpoils spoils;
    uint8_t file[capture_file_size_max];
};

// Connections that could be an exchange, and are none.
struct Failures {
    uint32_t count;
    char first[2 * capture_end_size_max + overheard_reason_size + 16];
};

// "127.0.0.1:40000 -> 127.0.0.1:1337", as the connection was opened.
void put_ends(const CaptureStream& stream, char out[2 * capture_end_size_max + 4]) {
    char client[capture_end_size_max];
    char server[capture_end_size_max];
    capture_end_text(stream.ends[stream.client], client);
    capture_end_text(stream.ends[1 - stream.client], server);
    snprintf(out, 2 * capture_end_size_max + 4, "%s -> %s", client, server);
}

void note_failure(Failures& failures, const CaptureStream& stream, const char* reason) {
    if (failures.count++ > 0) return;
    char ends[2 * capture_end_size_max + 4];
    put_ends(stream, ends);
    snprintf(failures.first, sizeof failures.first, "%s: %s", ends, reason);
}

// Returns ok for an exchange that is broken now; absent for a connection that cannot be one;
// invalid, and notes why, for one that fails.
Status try_stream(Recording& recording, uint32_t number, Failures& failures) {
    Capture& capture = recording.capture;
    const CaptureStream& stream = capture.streams[number];
    const uint8_t client = stream.client;
    Status status = capture_join(capture, number, client, recording.client);
    if (status == Status::ok) {
        status = capture_join(capture, number, static_cast<uint8_t>(1 - client), recording.server);
    }
    if (status == Status::ok && !xor_has_passes(recording.client.size, recording.server.size)) {
        return Status::absent;
    }
    char reason[96];
    if (stream.wrong_packet != 0) {
        snprintf(reason, sizeof reason, "packet %u: its checksum does not fit: a byte was changed",
                 stream.wrong_packet);
        note_failure(failures, stream, reason);
        return Status::invalid;
    }
    if (stream.cut_packet != 0) {
        snprintf(reason, sizeof reason, "packet %u was not recorded whole", stream.cut_packet);
        note_failure(failures, stream, reason);
        return Status::invalid;
    }
    if (status != Status::ok) {
        note_failure(failures, stream, capture.reason);
        return Status::invalid;
    }
    const Overheard overheard = {recording.client.bytes, recording.client.size,
                                 recording.server.bytes, recording.server.size};
    status = xor_break(overheard, recording.spoils);
    if (status == Status::ok) return status;
    note_failure(failures, stream, recording.spoils.reason);
    return Status::invalid;
}

void print_broken(const Recording& recording, uint32_t number) {
    const CaptureStream& stream = recording.capture.streams[number];
    char ends[2 * capture_end_size_max + 4];
    put_ends(stream, ends);
    printf("an xor channel between %s, as it was recorded:\n", ends);
    lab_print_spoils(recording.spoils);
    printf("broken: read by somebody who had no key (requests: %u, replies: %u).\n",
           recording.spoils.request_count, recording.spoils.reply_count);
    if (!stream.left_to_card) {
        puts("The checksum of every packet fits.");
        return;
    }
    puts("Checksums were left to the network card, as on loopback: a byte that was changed inside a"
         "\ntext would not be noticed, since the channel has no integrity of its own.");
}

ExitCode refuse_file(const char* path, const char* reason) {
    say("%s: %s", path, reason);
    return exit_refused;
}

// Says why no connection of the recording is an exchange.
ExitCode refuse_all(const Recording& recording, const char* path, const Failures& failures) {
    if (failures.count > 1) {
        say("%s: %s (and %u other connections are no xor exchange either)", path, failures.first,
            failures.count - 1);
        return exit_refused;
    }
    if (failures.count == 1) return refuse_file(path, failures.first);
    if (recording.capture.cut_packet != 0) {
        say("%s: no connection has the three passes of xor; packet %u was not recorded whole", path,
            recording.capture.cut_packet);
        return exit_refused;
    }
    return refuse_file(path, "no connection has the three passes of xor, 32 bytes from the client "
                             "and 16 from the server");
}

ExitCode break_recording(Recording& recording, const char* path) {
    uint32_t size = 0;
    Status status = system_read_file(path, recording.file, capture_file_size_max, size);
    if (status == Status::full) return refuse_file(path, "the file is too large");
    if (status != Status::ok) return refuse_file(path, strerror(errno));
    status = capture_read(recording.capture, {recording.file, size});
    if (status != Status::ok) return refuse_file(path, recording.capture.reason);
    Failures failures = {};
    for (uint32_t i = 0; i < recording.capture.stream_count; i++) {
        if (try_stream(recording, i, failures) != Status::ok) continue;
        print_broken(recording, i);
        return exit_done;
    }
    return refuse_all(recording, path, failures);
}

ExitCode break_file(const char* path) {
    uint8_t* memory = system_reserve(sizeof(Recording));
    if (memory == nullptr) return refuse_file(path, "no memory");
    return break_recording(*reinterpret_cast<Recording*>(memory), path);
}

// --- A conversation that is held here ---

struct Listener {
    LabTape tape;
    XorSpoils spoils;
};

// Asks the server for the time over a line on which somebody listens.
Status talk(LabStage& stage, Listener& listener, Writer& answer) {
    const char* words[] = {"CLOCK", nullptr};
    lab_tape_init(listener.tape);
    Status status = lab_stage_open(stage, "xor");
    if (status == Status::ok) status = lab_stage_connect(stage, &listener.tape.tap);
    if (status == Status::ok) status = lab_stage_ask(stage, words, answer);
    lab_stage_close(stage);
    return status;
}

ExitCode break_talk(LabStage& stage, Listener& listener) {
    uint8_t text[lab_answer_size_max];
    Writer answer = writer_of(text, sizeof text);
    if (talk(stage, listener, answer) != Status::ok) {
        say("%s", stage.reason);
        return exit_refused;
    }
    LabTape& tape = listener.tape;
    puts("an xor channel, as somebody saw it who was no part of it:");
    const Overheard overheard = {tape.sent, tape.sent_size, tape.received, tape.received_size};
    if (xor_break(overheard, listener.spoils) != Status::ok) {
        say("%s", listener.spoils.reason);
        return exit_refused;
    }
    lab_print_spoils(listener.spoils);
    const Slice read = listener.spoils.replies;
    if (answer.size == 0 || memmem(read.data, read.size, text, answer.size) == nullptr) {
        say("the client was given another answer than was read");
        return exit_refused;
    }
    printf("broken: the client, who has the key, was answered \"");
    lab_print_part(writer_slice(answer));
    puts("\" as well.");
    return exit_done;
}

ExitCode break_here() {
    LabStage* stage = lab_stage();
    uint8_t* memory = system_reserve(sizeof(Listener));
    if (stage == nullptr || memory == nullptr) {
        say("no memory");
        return exit_refused;
    }
    return break_talk(*stage, *reinterpret_cast<Listener*>(memory));
}

}  // namespace

ExitCode lab_break_xor(char** words, int count) {
    if (count == 0 && lab_stage_has("xor")) return break_here();
    if (count == 0) {
        say("this build has no channel xor");
        return exit_refused;
    }
    if (count == 2 && strcmp(words[0], "--from") == 0) return break_file(words[1]);
    say("lab break xor takes nothing, or --from and the file of a recording");
    return exit_usage;
}

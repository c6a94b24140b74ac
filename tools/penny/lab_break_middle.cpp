// lab_break_middle.cpp - `penny lab break middle`: somebody between the two ends of rsa has a key
// of his own, and holds a channel with each of them.
//
//     client ══ rsa ══► middle, as a server │ middle, as a client ══ rsa ══► server
//                             opens, reads ─┴─► seals again
//
// He answers a hello when he has heard the other side's, so that nothing comes earlier or later
// than without him.

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "penny/lab_break.h"
#include "penny/lab_failure.h"
#include "penny/lab_print.h"
#include "penny/lab_stage.h"
#include "penny/lab_tape.h"
#include "posix/system.h"

namespace {

constexpr char asked[] = "the safe is open at noon";
constexpr uint32_t queue_size_max = 65536;  // bytes
constexpr uint32_t pem_size_max = 4096;

struct Queue {
    uint32_t size;
    uint8_t bytes[queue_size_max];
};

// What he holds with one of the two.
struct Side {
    LabConfig config;
    LabMemory memory;
    Channel channel;
    bool established;
    Queue in;   // came from it, and is no whole message yet
    Queue out;  // for it
};

struct Middle {
    ConnectionTap tap;
    Side client;  // his channel with the client, in which he is the server
    Side server;
    bool failed;
    bool has_met;  // he has shaken hands with both
    uint32_t read_count;
};

Writer writer_behind(Queue& queue) {
    Writer out = writer_of(queue.bytes, sizeof queue.bytes);
    out.size = queue.size;
    return out;
}

void drop(Queue& queue, uint32_t size) {
    Writer all = writer_behind(queue);
    writer_drop(all, size);
    queue.size = all.size;
}

void put(Middle& middle, Queue& queue, Slice bytes) {
    Writer out = writer_behind(queue);
    put_bytes(out, bytes);
    middle.failed = middle.failed || out.overflow;
    queue.size = out.size;
}

void shake(Middle& middle, Side& side) {
    Reader in = reader_of({side.in.bytes, side.in.size});
    Writer out = writer_behind(side.out);
    const Status status = channel_advance(side.channel, in, out);
    side.out.size = out.size;
    drop(side.in, in.offset);
    side.established = status == Status::ok;
    if (status == Status::failed) middle.failed = true;
}

// Opens what came from one side, shows it, and seals it for the other.
void carry(Middle& middle, Side& from, Side& to, const char* head) {
    static uint8_t plain[queue_size_max];
    Reader in = reader_of({from.in.bytes, from.in.size});
    Writer read = writer_of(plain, sizeof plain);
    const Status status = channel_read(from.channel, in, read);
    drop(from.in, in.offset);
    if (status == Status::failed) middle.failed = true;
    if (read.size == 0) return;
    middle.read_count++;
    lab_print_bytes(head, writer_slice(read));
    Reader left = reader_of(writer_slice(read));
    Writer out = writer_behind(to.out);
    if (channel_write(to.channel, left, out) != Status::ok) middle.failed = true;
    to.out.size = out.size;
}

void go_on(Middle& middle) {
    if (!middle.client.established) shake(middle, middle.client);
    if (!middle.server.established) shake(middle, middle.server);
    middle.has_met = middle.client.established && middle.server.established;
    if (!middle.has_met || middle.failed) return;
    carry(middle, middle.client, middle.server, "    read of the client     ");
    carry(middle, middle.server, middle.client, "    read of the server     ");
}

// Whatever he has for that side leaves.
void leave(Middle& middle, Side& side, Writer& out) {
    if (middle.failed) return;
    const uint32_t room = writer_room(out);
    const uint32_t size = side.out.size < room ? side.out.size : room;
    put_bytes(out, {side.out.bytes, size});
    drop(side.out, size);
}

void take_sent(void* context, Slice in, Writer& out) {
    Middle& middle = *static_cast<Middle*>(context);
    put(middle, middle.client.in, in);
    go_on(middle);
    leave(middle, middle.server, out);
}

void take_received(void* context, Slice in, Writer& out) {
    Middle& middle = *static_cast<Middle*>(context);
    put(middle, middle.server.in, in);
    go_on(middle);
    // The answer to the client's hello waits for the server's.
    if (middle.server.established) leave(middle, middle.client, out);
}

void free_side(Side& side) {
    channel_free(side.channel);
    if (side.config.loaded) lab_config_free(side.config);
}

void open_sides(Middle& middle) {
    const LabExplain nobody = {nullptr, nullptr};
    Side* const sides[] = {&middle.client, &middle.server};
    for (Side* side : sides) {
        channel_free(side->channel);
        side->established = false;
        side->in.size = 0;
        side->out.size = 0;
        lab_open(side->channel, side->memory, side->config, nobody);
    }
    middle.tap = {take_sent, take_received, &middle};
    middle.failed = false;
    middle.has_met = false;
    middle.read_count = 0;
}

Status load_sides(Middle& middle, LabStage& stage) {
    static uint8_t pem[pem_size_max];
    Writer key = writer_of(pem, sizeof pem);
    const char* reason = "no key can be made";
    Status status = lab_key_make(key);
    LabFiles files = {};
    files.key = writer_slice(key);
    if (status == Status::ok) {
        status = lab_config_load(middle.client.config, *stage.lab, LabEnd::server, files, reason);
    }
    if (status == Status::ok) {
        status = lab_config_load(middle.server.config, *stage.lab, LabEnd::client, files, reason);
    }
    wipe(pem, sizeof pem);
    if (status == Status::ok) return status;
    snprintf(stage.reason, sizeof stage.reason, "the keys of who is in the middle: %s", reason);
    return Status::failed;
}

// The fingerprint of the server's key, as a session shows it in which nobody is between: that of
// the body of the first message that comes.
Status find_fingerprint(LabStage& stage, Hash& out) {
    static LabTape tape;
    lab_tape_init(tape);
    const Status status = lab_stage_connect(stage, &tape.tap);
    lab_stage_hang_up(stage);
    if (status != Status::ok) return status;
    const Slice hello = {tape.received, tape.received_size};
    const uint32_t size = hello.size >= lab_header_size ? hello.data[1] * 256u + hello.data[2] : 0;
    if (size == 0 || hello.size < lab_header_size + size) return Status::failed;
    out = hash_of(slice_part(hello, lab_header_size, size));
    return Status::ok;
}

// Without a pin: everything is read, and nobody notices.
ExitCode read_all(Middle& middle, LabStage& stage) {
    const char* words[] = {"ECHO", asked, nullptr};
    uint8_t text[lab_answer_size_max];
    Writer answer = writer_of(text, sizeof text);
    open_sides(middle);
    puts("rsa, with somebody in the middle who has a key of his own:");
    Status status = lab_stage_connect(stage, &middle.tap);
    if (status == Status::ok) status = lab_stage_ask(stage, words, answer);
    lab_stage_hang_up(stage);
    if (status != Status::ok) {
        printf("    the client gave up: %s\n", stage.reason);
        return exit_refused;
    }
    const bool is_same = slice_equal_text(writer_slice(answer), asked);
    fputs("    the client was answered \"", stdout);
    lab_print_part(writer_slice(answer));
    puts("\", and noticed nothing");
    return is_same && middle.read_count >= 2 ? exit_done : exit_refused;
}

// With it: the client refuses him.
ExitCode be_refused(Middle& middle, LabStage& stage, const Hash& pin) {
    uint8_t hex[2 * hash_size];
    Writer out = writer_of(hex, sizeof hex);
    put_hex(out, hash_slice(pin));
    printf("the same, with the server's fingerprint: --pin %.*s\n", static_cast<int>(out.size),
           reinterpret_cast<const char*>(hex));
    Status status = lab_stage_pin(stage, pin);
    if (status == Status::ok) {
        open_sides(middle);
        status = lab_stage_connect(stage, &middle.tap);
        lab_stage_hang_up(stage);
        if (status == Status::ok) {
            puts("    the client noticed nothing");
            return exit_refused;
        }
    }
    printf("    the client refused: %s\n", stage.reason);
    const char* expected = lab_failure_meaning(lab_failure_pin);
    return strstr(stage.reason, expected) != nullptr ? exit_done : exit_refused;
}

ExitCode play(Middle& middle, LabStage& stage) {
    Hash fingerprint = {};
    Status status = lab_stage_open(stage, "rsa");
    if (status == Status::ok) status = load_sides(middle, stage);
    if (status == Status::ok) status = find_fingerprint(stage, fingerprint);
    if (status != Status::ok) {
        say("%s", stage.reason);
        return exit_refused;
    }
    const ExitCode code = read_all(middle, stage);
    const ExitCode pinned = be_refused(middle, stage, fingerprint);
    return code == exit_done ? pinned : code;
}

}  // namespace

ExitCode lab_break_middle(char** words, int count) {
    (void)words;
    if (count > 0) {
        say("lab break middle takes no words");
        return exit_usage;
    }
    if (!lab_stage_has("rsa")) {
        say("this build has no channel rsa");
        return exit_refused;
    }
    LabStage* stage = lab_stage();
    uint8_t* memory = system_reserve(sizeof(Middle));
    if (stage == nullptr || memory == nullptr) return exit_refused;
    Middle& middle = *reinterpret_cast<Middle*>(memory);
    const ExitCode code = play(middle, *stage);
    free_side(middle.client);
    free_side(middle.server);
    lab_stage_close(*stage);
    return code;
}

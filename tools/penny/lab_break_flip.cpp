// lab_break_flip.cpp - `penny lab break flip`: one bit of an answer is turned on its way.
//
// The server is asked to echo "pay 1000". Its answer is "$8\r\npay 1000\r\n", and where a channel
// lets it, the turned bit is the one that makes the 1 a 9.

#include <stdio.h>
#include <string.h>

#include "penny/lab_break.h"
#include "penny/lab_print.h"
#include "penny/lab_stage.h"

namespace {

constexpr char told[] = "pay 1000";
constexpr char forged[] = "pay 9000";
constexpr uint8_t turned_bit = '1' ^ '9';
constexpr uint32_t digit_at = 8;         // of the answer, from its first byte
constexpr uint32_t tls_header_size = 5;  // bytes

// Where in the answer's message, from its first byte on the wire, the digit lies, or what it is
// decrypted from.
struct FlipRow {
    const char* channel;
    uint32_t offset;
};

constexpr FlipRow rows[] = {
    {"xor", digit_at},
    {"rsa", lab_header_size + digit_at},
    {"hybrid", lab_header_size + 512 + 23},       // of the token's IV, in its base64url
    {"dhe", lab_header_size + 8 + digit_at},      // of the IV
    {"psk", lab_header_size + digit_at},
    {"tls", tls_header_size + digit_at},
};

struct Flipper {
    bool armed;
    bool done;
    uint32_t left;  // bytes until the one to be turned
};

void pass_sent(void*, Slice in, Writer& out) { put_bytes(out, in); }

void flip_received(void* context, Slice in, Writer& out) {
    Flipper& flipper = *static_cast<Flipper*>(context);
    const uint32_t start = out.size;
    put_bytes(out, in);
    if (!flipper.armed || flipper.done || out.overflow) return;
    if (flipper.left >= in.size) {
        flipper.left -= in.size;
        return;
    }
    uint8_t& byte = out.data[start + flipper.left];
    byte = static_cast<uint8_t>(byte ^ turned_bit);
    flipper.done = true;
}

// What the client had of it, once it has asked. Returns failed when nothing was learned.
Status ask(LabStage& stage, Flipper& flipper, char* what, size_t size, bool& noticed) {
    const char* words[] = {"ECHO", told, nullptr};
    uint8_t text[lab_answer_size_max];
    Writer answer = writer_of(text, sizeof text);
    flipper.armed = true;
    const Status status = lab_stage_ask(stage, words, answer);
    if (!flipper.done) return Status::failed;
    noticed = status != Status::ok;
    if (noticed) {
        snprintf(what, size, "refused: %s", stage.reason);
        return Status::ok;
    }
    const char* beside = slice_equal_text(writer_slice(answer), forged) ? "" : "something else: ";
    snprintf(what, size, "the server said \"%s\", the client had %s\"%.*s\"", told, beside,
             static_cast<int>(answer.size), reinterpret_cast<const char*>(text));
    return Status::ok;
}

// One row. Returns exit_done when it went as the channel's properties say.
ExitCode flip(LabStage& stage, const FlipRow& row, const LabProperties& properties) {
    Flipper flipper = {false, false, row.offset};
    const ConnectionTap tap = {pass_sent, flip_received, &flipper};
    bool noticed = false;
    char what[sizeof stage.reason + 64] = "";
    Status status = lab_stage_open(stage, row.channel);
    if (status == Status::ok) status = lab_stage_connect(stage, &tap);
    if (status == Status::ok) status = ask(stage, flipper, what, sizeof what, noticed);
    lab_stage_close(stage);
    if (status != Status::ok) {
        lab_print_row(row.channel, stage.reason, "failed");
        return exit_refused;
    }
    lab_print_row(row.channel, what, noticed ? "noticed" : "forged");
    const bool is_open = strncmp(properties.integrity, "none", 4) == 0;
    return noticed == is_open ? exit_refused : exit_done;
}

}  // namespace

ExitCode lab_break_flip(char** words, int count) {
    (void)words;
    if (count > 0) {
        say("lab break flip takes no words");
        return exit_usage;
    }
    LabStage* stage = lab_stage();
    if (stage == nullptr) return exit_refused;
    ExitCode code = exit_done;
    printf("The server is asked to ECHO \"%s\"; one bit of its answer is turned on the way.\n\n",
           told);
    lab_print_head();
    for (const FlipRow& row : rows) {
        if (!lab_stage_has(row.channel)) continue;
        const LabProperties* properties = lab_stage_properties(row.channel);
        if (properties == nullptr || flip(*stage, row, *properties) != exit_done) {
            code = exit_refused;
        }
    }
    return code;
}

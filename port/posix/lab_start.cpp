#include "lab_start.h"

#include "base/check.h"
#include "base/text.h"

namespace {

// The book stays empty, and nobody logs in: all that is of money or people is as small as can be.
// All clients may come from one address, of which half of the sessions are allowed.
constexpr const char* settings[] = {
    "server.temperature=simulated",
    "limits.sessions=32",
    "limits.strangers-per-source=32",
    "limits.lab-sessions=16",
    "limits.handshakes=8",
    "limits.buffers=32",
    "limits.hashes=1",
    "limits.reads=1",
    "limits.accounts=4",
    "limits.ids=1024",
    "limits.terminals=1",
    "limits.holds=16",
    "limits.items=1",
    "limits.orders=16",
    "limits.reversible=64",
    "limits.multi=1",
    "limits.groups=1",
    "limits.message-keys=1",
    "limits.messages=1",
    "limits.mailbox=1",
    "limits.penalty-sources=16",
    "limits.penalty-pairs=16",
};

void assign(Config& config, Slice assignment) {
    uint8_t text[config_error_size_max];
    Writer error = writer_of(text, sizeof text);
    CHECK(config_set(config, assignment, error) == Status::ok);
}

void assign_to_listener(Config& config, const char* listener, const char* key,
                        const char* value) {
    uint8_t text[64];
    Writer assignment = writer_of(text, sizeof text);
    put_text(assignment, "listener ");
    put_text(assignment, listener);
    put_text(assignment, key);
    put_text(assignment, value);
    CHECK(!assignment.overflow);
    assign(config, writer_slice(assignment));
}

}  // namespace

void lab_configure(const char* channel, Config& config) {
    config_defaults(config);
    config.lab_only = true;
    for (const char* setting : settings) assign(config, slice_of(setting));
    assign_to_listener(config, channel, ".channel=", channel);
    assign_to_listener(config, channel, ".lab=", "yes");
    assign_to_listener(config, channel, ".explain=", "yes");
    config.listeners[0].lab_keys[0] = '\0';  // No folder, whatever lies where it was started.
}

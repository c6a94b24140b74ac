#include "port/sim/channel_plain.h"

#include <string.h>

namespace {

Status plain_advance(Channel& channel, Reader& in, Writer&) {
    const Slice rest = reader_rest(in);
    uint32_t size = 0;
    while (size < rest.size && rest.data[size] != '\n') size++;
    if (size == rest.size && size < sizeof channel.peer.name) return Status::more;
    if (size >= sizeof channel.peer.name) {
        channel.reason = "the terminal's line is too long";
        return Status::failed;
    }
    channel.peer = {};
    channel.peer.authenticated = true;
    memcpy(channel.peer.name, rest.data, size);
    get_bytes(in, size + 1);
    return Status::ok;
}

Status plain_copy(Reader& in, Writer& out) {
    const uint32_t left = reader_left(in);
    const uint32_t room = writer_room(out);
    put_bytes(out, get_bytes(in, left < room ? left : room));
    return reader_left(in) == 0 ? Status::ok : Status::full;
}

Status plain_read(Channel&, Reader& in, Writer& out) { return plain_copy(in, out); }
Status plain_write(Channel&, Reader& in, Writer& out) { return plain_copy(in, out); }
void plain_close(Channel&, Writer&) {}
bool plain_is_idle(const Channel&) { return true; }
void plain_free(Channel&) {}

constexpr ChannelType plain_type = {.name = "plain",
                                    .lab = false,
                                    .slow = false,
                                    .advance = plain_advance,
                                    .read = plain_read,
                                    .write = plain_write,
                                    .close = plain_close,
                                    .is_idle = plain_is_idle,
                                    .free = plain_free};

}  // namespace

void sim_plain_open(Channel& channel) {
    channel = {};
    channel.type = &plain_type;
}

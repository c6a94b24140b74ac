#include "channel/channel.h"

#include "base/check.h"

Status channel_advance(Channel& channel, Reader& cipher_in, Writer& cipher_out) {
    CHECK(channel.type != nullptr);
    return channel.type->advance(channel, cipher_in, cipher_out);
}

Status channel_read(Channel& channel, Reader& cipher_in, Writer& plain_out) {
    CHECK(channel.type != nullptr);
    return channel.type->read(channel, cipher_in, plain_out);
}

Status channel_write(Channel& channel, Reader& plain_in, Writer& cipher_out) {
    CHECK(channel.type != nullptr);
    return channel.type->write(channel, plain_in, cipher_out);
}

void channel_close(Channel& channel, Writer& cipher_out) {
    if (channel.type != nullptr) channel.type->close(channel, cipher_out);
}

bool channel_is_idle(const Channel& channel) {
    return channel.type == nullptr || channel.type->is_idle(channel);
}

void channel_free(Channel& channel) {
    if (channel.type == nullptr) return;
    channel.type->free(channel);
    wipe(&channel, sizeof channel);
}

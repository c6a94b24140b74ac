// test_channel.h - a channel that ciphers nothing, for tests of what stands behind one.
#pragma once

#include "session.h"
#include "unit/test_bank.h"

inline Status test_plain_advance(Channel&, Reader&, Writer&) { return Status::ok; }

inline Status test_plain_copy(Reader& in, Writer& out) {
    const uint32_t left = reader_left(in);
    const uint32_t size = left < writer_room(out) ? left : writer_room(out);
    put_bytes(out, get_bytes(in, size));
    return reader_left(in) == 0 ? Status::ok : Status::full;
}

inline Status test_plain_read(Channel&, Reader& in, Writer& out) {
    return test_plain_copy(in, out);
}
inline Status test_plain_write(Channel&, Reader& in, Writer& out) {
    return test_plain_copy(in, out);
}
inline void test_plain_close(Channel&, Writer& out) { put_text(out, "<closed>"); }
inline bool test_plain_is_idle(const Channel&) { return true; }
inline void test_plain_free(Channel&) {}

inline constexpr ChannelType test_plain_channel = {.name = "plain",
                                                   .lab = false,
                                                   .slow = false,
                                                   .advance = test_plain_advance,
                                                   .read = test_plain_read,
                                                   .write = test_plain_write,
                                                   .close = test_plain_close,
                                                   .is_idle = test_plain_is_idle,
                                                   .free = test_plain_free};

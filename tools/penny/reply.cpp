#include "penny/reply.h"

#include "penny/options.h"

const Value* reply_find_in(const Reply& reply, uint32_t at, const char* name) {
    if (at >= reply.count) return nullptr;
    const Value& whole = reply.values[at];
    if (whole.type != ValueType::map && whole.type != ValueType::array) return nullptr;
    const uint32_t end = value_skip(reply.values, reply.count, at++);
    while (at < end) {
        const uint32_t value = value_skip(reply.values, reply.count, at);
        if (value >= end) return nullptr;
        if (slice_equal_text(reply.values[at].text, name)) return &reply.values[value];
        at = value_skip(reply.values, reply.count, value);
    }
    return nullptr;
}

const Value* reply_find(const Reply& reply, const char* name) {
    return reply_find_in(reply, 0, name);
}

bool reply_text(const Reply& reply, const char* name, Slice& out) {
    const Value* value = reply_find(reply, name);
    if (value != nullptr && (value->type == ValueType::bulk || value->type == ValueType::simple)) {
        out = value->text;
        return true;
    }
    say("the server's answer has no %s", name);
    return false;
}

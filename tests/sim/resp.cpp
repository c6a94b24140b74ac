#include "sim/resp.h"

#include <stdlib.h>
#include <string.h>

namespace sim {

namespace {

constexpr uint64_t items_max = 4096;
constexpr uint64_t bulk_max = 1 << 20;

// The number of a head such as "*3"; false when it is none.
bool number_of(const std::string& text, int64_t& out) {
    char* end = nullptr;
    out = strtoll(text.c_str(), &end, 10);
    return !text.empty() && *end == '\0';
}

RespParse parse_bulk(const std::string& bytes, size_t& at, int64_t size, Value& out) {
    if (size < 0) {
        out.type = '_';
        return RespParse::value;
    }
    if (static_cast<uint64_t>(size) > bulk_max) return RespParse::broken;
    const size_t end = at + static_cast<size_t>(size);
    if (bytes.size() < end + 2) return RespParse::more;
    if (bytes[end] != '\r' || bytes[end + 1] != '\n') return RespParse::broken;
    out.text = bytes.substr(at, static_cast<size_t>(size));
    at = end + 2;
    return RespParse::value;
}

RespParse parse_items(const std::string& bytes, size_t& at, int64_t count, Value& out) {
    if (count < 0) {
        out.type = '_';
        return RespParse::value;
    }
    if (static_cast<uint64_t>(count) > items_max) return RespParse::broken;
    for (int64_t i = 0; i < count; i++) {
        Value item;
        const RespParse parsed = resp_parse(bytes, at, item);
        if (parsed != RespParse::value) return parsed;
        out.items.push_back(item);
    }
    return RespParse::value;
}

}  // namespace

RespParse resp_parse(const std::string& bytes, size_t& at, Value& out) {
    const size_t end = bytes.find("\r\n", at);
    if (end == std::string::npos) return RespParse::more;
    out.type = bytes[at];
    const std::string head = bytes.substr(at + 1, end - at - 1);
    size_t next = end + 2;
    int64_t number = 0;
    RespParse parsed = RespParse::value;
    switch (out.type) {
        case '+':
        case '-': out.text = head; break;
        case '#':
        case ':': out.text = head; break;
        case '_': break;
        case '$':
        case '=':
            if (!number_of(head, number)) return RespParse::broken;
            parsed = parse_bulk(bytes, next, number, out);
            break;
        case '*':
        case '~':
        case '>':
        case '%':
            if (!number_of(head, number)) return RespParse::broken;
            parsed = parse_items(bytes, next, out.type == '%' ? 2 * number : number, out);
            break;
        default: return RespParse::broken;
    }
    if (parsed == RespParse::value) at = next;
    return parsed;
}

std::string resp_request(const std::vector<std::string>& words) {
    std::string request = "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string& word : words) {
        request += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    }
    return request;
}

std::string resp_inline(const std::vector<std::string>& words, const char* line_end) {
    static const char digits[] = "0123456789abcdef";
    std::string line;
    for (const std::string& word : words) {
        if (!line.empty()) line += ' ';
        const bool plain = !word.empty() && word.find_first_of(" \"'\\\r\n\t") == std::string::npos;
        if (plain) {
            line += word;
            continue;
        }
        line += '"';
        for (const char c : word) {
            const uint8_t byte = static_cast<uint8_t>(c);
            if (byte >= ' ' && byte < 0x7f && c != '"' && c != '\\') {
                line += c;
            } else {
                line += std::string("\\x") + digits[byte >> 4] + digits[byte & 15];
            }
        }
        line += '"';
    }
    return line + line_end;
}

bool resp_same(const Value& a, const Value& b) {
    const char type_a = a.type == '%' ? '*' : a.type;
    const char type_b = b.type == '%' ? '*' : b.type;
    if (type_a != type_b || a.text != b.text || a.items.size() != b.items.size()) return false;
    for (size_t i = 0; i < a.items.size(); i++) {
        if (!resp_same(a.items[i], b.items[i])) return false;
    }
    return true;
}

const Value* resp_field(const Value& map, const std::string& name) {
    for (size_t i = 0; i + 1 < map.items.size(); i += 2) {
        if (map.items[i].text == name) return &map.items[i + 1];
    }
    return nullptr;
}

}  // namespace sim

// resp.h - the clients' side of RESP, for players: words to requests, bytes to values.
#pragma once

#include <stdint.h>

#include <string>
#include <vector>

namespace sim {

// A reply. Maps of RESP3 are kept flat, as RESP2 has them.
struct Value {
    char type = 0;  // + - : $ * % and so on; '_' for a null of either protocol
    std::string text;
    std::vector<Value> items;

    bool is_error() const { return type == '-'; }
    std::string word() const { return text.substr(0, text.find(' ')); }
};

enum class RespParse { more, value, broken };

// Takes the value at `at`, which then stands behind it.
RespParse resp_parse(const std::string& bytes, size_t& at, Value& out);

// A whole request. Inline it has quotes where a word needs them.
std::string resp_request(const std::vector<std::string>& words);
std::string resp_inline(const std::vector<std::string>& words, const char* line_end);

// Whether two replies say the same, each in a protocol of its own.
bool resp_same(const Value& a, const Value& b);

// The value of a field of a map; nullptr when there is none.
const Value* resp_field(const Value& map, const std::string& name);

}  // namespace sim

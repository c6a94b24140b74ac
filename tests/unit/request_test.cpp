// The parser of requests: every cut, every limit at its bound and one beyond, Redis's texts.
#include "wire/request.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/slices.h"

namespace {

using Words = std::vector<std::string>;

struct Parsed {
    Status status;
    Words words;
    uint32_t size;
    bool is_inline;
    std::string error;
    std::string buffer;  // what the bytes are after the call
    bool inside;         // Q1
};

Parsed parse(std::string bytes, const RequestLimits& limits) {
    // A copy of just that size, so that the sanitizer sees every read past its end.
    std::vector<uint8_t> buffer(bytes.begin(), bytes.end());
    uint8_t text[request_error_size_max];
    Writer error = writer_of(text, sizeof text);
    Request request = {};
    request.size = 12345;
    const uint32_t size = static_cast<uint32_t>(buffer.size());
    const Status status = request_parse(buffer.data(), size, limits, request, error);
    Parsed parsed = {status, {}, request.size, request.is_inline, "", "", true};
    EXPECT_FALSE(error.overflow);
    parsed.error = string_of(writer_slice(error));
    parsed.buffer = std::string(buffer.begin(), buffer.end());
    for (uint32_t i = 0; status == Status::ok && i < request.count; i++) {
        const Slice word = request.words[i];
        parsed.words.push_back(string_of(word));
        if (word.size == 0) continue;
        parsed.inside = parsed.inside && word.data >= buffer.data() &&
                        word.data + word.size <= buffer.data() + request.size;
    }
    return parsed;
}

Parsed parse_ready(const std::string& bytes) { return parse(bytes, request_limits_ready()); }
Parsed parse_login(const std::string& bytes) { return parse(bytes, request_limits_login()); }

std::string array_of(const Words& words) {
    std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string& word : words) {
        bytes += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    }
    return bytes;
}

std::string error_of(const std::string& bytes, const RequestLimits& limits) {
    const Parsed parsed = parse(bytes, limits);
    EXPECT_EQ(parsed.status, Status::invalid) << bytes;
    EXPECT_EQ(parsed.size, 12345u) << "out was set";
    EXPECT_EQ(parsed.buffer, bytes) << "Q2";
    return parsed.error;
}

std::string error_ready(const std::string& bytes) {
    return error_of(bytes, request_limits_ready());
}

std::string error_login(const std::string& bytes) {
    return error_of(bytes, request_limits_login());
}

std::string all_bytes() {
    std::string bytes;
    for (int i = 0; i < 256; i++) bytes.push_back(static_cast<char>(i));
    return bytes;
}

int hex_of(char letter) {
    const std::string digits = "0123456789abcdef";
    const size_t at = digits.find(letter >= 'A' && letter <= 'F' ? letter + 32 : letter);
    return at == std::string::npos ? -1 : static_cast<int>(at);
}

// The rules for one line once more, as a grammar that eats its text from the front; it stands for
// the one that Redis has. Returns false for quotes that do not match.
bool split(std::string line, Words& out) {
    const std::string blanks = " \t\r\v\f";
    while (true) {
        line.erase(0, line.find_first_not_of(blanks));
        if (line.empty() || line.find_first_not_of(blanks) == std::string::npos) return true;
        std::string word;
        while (!line.empty() && blanks.substr(0, 3).find(line[0]) == std::string::npos) {
            const char quote = line[0];
            line.erase(0, 1);
            if (quote != '"' && quote != '\'') {
                word += quote;
                continue;
            }
            while (!line.empty() && line[0] != quote) {
                size_t used = 1;
                char value = line[0];
                if (line[0] == '\\' && line.size() > 1 && (quote == '"' || line[1] == '\'')) {
                    const bool is_hex = quote == '"' && line.size() > 3 && line[1] == 'x' &&
                                        hex_of(line[2]) >= 0 && hex_of(line[3]) >= 0;
                    const std::string named = "nrtba";
                    const size_t name = quote == '"' ? named.find(line[1]) : std::string::npos;
                    used = is_hex ? 4 : 2;
                    value = line[1];
                    if (name != std::string::npos) value = "\n\r\t\b\a"[name];
                    if (is_hex) value = static_cast<char>(hex_of(line[2]) * 16 + hex_of(line[3]));
                }
                word += value;
                line.erase(0, used);
            }
            if (line.empty()) return false;
            line.erase(0, 1);
            if (!line.empty() && blanks.find(line[0]) == std::string::npos) return false;
            break;
        }
        out.push_back(word);
    }
}

struct Sample {
    std::string bytes;
    Words words;
};

const std::vector<Sample>& samples() {
    static const std::vector<Sample> all = {
        {array_of({"PING"}), {"PING"}},
        {array_of({"ECHO", ""}), {"ECHO", ""}},
        {array_of({"TRANSFER", "i-1", "bob", "12.50", "MEMO", "for \r\n lunch"}),
         {"TRANSFER", "i-1", "bob", "12.50", "MEMO", "for \r\n lunch"}},
        {array_of({"ECHO", all_bytes()}), {"ECHO", all_bytes()}},
        {array_of({"", "", "", ""}), {"", "", "", ""}},
        {"*0\r\n", {}},
        {"*-1\r\n", {}},
        {"*-7\r\n", {}},
        {"\r\n", {}},
        {"\n", {}},
        {"  \t \r\n", {}},
        {"PING\r\n", {"PING"}},
        {"PING\n", {"PING"}},
        {"  transfer  i-2\tbob 1  \r\n", {"transfer", "i-2", "bob", "1"}},
        {"ECHO \"he said \\\"hello\\\"\\x21\"\r\n", {"ECHO", "he said \"hello\"!"}},
        {"ECHO \"\\x00\\xfF\\n\\r\\t\\b\\a\\\\\\q\"\r\n",
         {"ECHO", std::string("\0\xff\n\r\t\b\a\\q", 9)}},
        {"ECHO \"\\xg1\\x1\" 'it\\'s \\n' \"\" ''\n", {"ECHO", "xg1x1", "it's \\n", "", ""}},
        {"f\"oo b\"\tb'a r'\n", {"foo b", "ba r"}},
        {"\"*1\" '$2'\r\n", {"*1", "$2"}},
        {"a\\b c\\\"d\"\r\n", {"a\\b", "c\\d"}},
        {"ECHO \xc3\xa4 \x7f\x80\r\n", {"ECHO", "\xc3\xa4", "\x7f\x80"}},
        {" *1 $2\r\n", {"*1", "$2"}},
    };
    return all;
}

}  // namespace

TEST(Request, WordsAreWhatThePeerMeant) {
    for (const Sample& sample : samples()) {
        for (const RequestLimits& limits : {request_limits_login(), request_limits_ready()}) {
            const Parsed parsed = parse(sample.bytes, limits);
            EXPECT_EQ(parsed.status, Status::ok) << sample.bytes << parsed.error;
            EXPECT_EQ(parsed.words, sample.words) << sample.bytes;
            EXPECT_EQ(parsed.size, sample.bytes.size()) << sample.bytes;
            EXPECT_EQ(parsed.is_inline, sample.bytes[0] != '*') << sample.bytes;
            EXPECT_EQ(parsed.error, "");
            EXPECT_TRUE(parsed.inside) << sample.bytes;
        }
    }
}

TEST(Request, EveryPrefixWantsMoreAndStaysAsItWas) {
    for (const Sample& sample : samples()) {
        for (size_t cut = 0; cut < sample.bytes.size(); cut++) {
            const std::string prefix = sample.bytes.substr(0, cut);
            const Parsed parsed = parse_ready(prefix);
            EXPECT_EQ(parsed.status, Status::more) << prefix << " " << parsed.error;
            EXPECT_EQ(parsed.size, 12345u) << "out was set";
            EXPECT_EQ(parsed.buffer, prefix);
        }
    }
}

TEST(Request, WhatFollowsChangesNothing) {
    for (const Sample& sample : samples()) {
        for (const std::string& next : {std::string("*"), std::string("\"'\\x"), all_bytes()}) {
            const Parsed parsed = parse_ready(sample.bytes + next);
            EXPECT_EQ(parsed.status, Status::ok) << sample.bytes;
            EXPECT_EQ(parsed.words, sample.words) << sample.bytes;
            EXPECT_EQ(parsed.size, sample.bytes.size());
            EXPECT_EQ(parsed.buffer.substr(parsed.size), next);
        }
    }
}

TEST(Request, ASecondParseGivesTheSameWords) {
    for (const Sample& sample : samples()) {
        std::string bytes = sample.bytes + "PING\r\n";
        for (int turn = 0; turn < 3; turn++) {
            const Parsed parsed = parse_ready(bytes);
            EXPECT_EQ(parsed.status, Status::ok) << sample.bytes;
            EXPECT_EQ(parsed.words, sample.words) << sample.bytes << " turn " << turn;
            EXPECT_EQ(parsed.size, sample.bytes.size());
            bytes = parsed.buffer;  // Q4
        }
    }
}

TEST(Request, APipelineIsCutIntoItsRequests) {
    std::string bytes;
    for (const Sample& sample : samples()) bytes += sample.bytes;
    for (const Sample& sample : samples()) {
        const Parsed parsed = parse_ready(bytes);
        ASSERT_EQ(parsed.status, Status::ok);
        EXPECT_EQ(parsed.words, sample.words);
        bytes = parsed.buffer.substr(parsed.size);
    }
    EXPECT_EQ(bytes, "");
}

TEST(Request, EveryByteMayBeEscapedOrQuoted) {
    const char digits[] = "0123456789abcdefABCDEF";
    for (int value = 0; value < 256; value++) {
        std::string escape = "\\x";
        escape.push_back(digits[value / 16]);
        escape.push_back(digits[value % 16]);
        const Words wanted = {"a", std::string(1, static_cast<char>(value))};
        EXPECT_EQ(parse_ready("a \"" + escape + "\"\r\n").words, wanted) << value;
        if (value == '\n' || value == '\\') continue;
        const std::string quote = value == '"' ? "'" : "\"";
        EXPECT_EQ(parse_ready("a " + quote + wanted[1] + quote + "\r\n").words, wanted) << value;
        if (value == '\'') continue;
        EXPECT_EQ(parse_ready("a '" + wanted[1] + "'\r\n").words, wanted) << value;
    }
}

TEST(Request, EveryShortLineIsSplitAsByAnotherImplementation) {
    std::vector<std::string> all = {""};
    for (size_t i = 0; i < all.size() && all[i].size() < 6; i++) {
        for (const char letter : {'a', '"', '\'', '\\', 'x', '4', ' '}) {
            all.push_back(all[i] + letter);
        }
    }
    for (const std::string& line : all) {
        Words wanted;
        const bool fine = split(line, wanted);
        const Parsed parsed = parse_ready(line + "\n");
        ASSERT_EQ(parsed.status, fine ? Status::ok : Status::invalid) << line;
        if (!fine) continue;
        ASSERT_EQ(parsed.words, wanted) << line;
        const Parsed again = parse_ready(parsed.buffer);
        ASSERT_EQ(again.words, wanted) << line;  // Q4
        ASSERT_EQ(again.size, line.size() + 1);
    }
}

TEST(Request, QuotesThatDoNotMatchAreRefused) {
    const std::string text = "Protocol error: unbalanced quotes in request";
    for (const char* line : {"\"", "'", "ECHO \"abc", "ECHO 'abc", "ECHO \"abc\"d", "ECHO 'abc'd",
                             "ECHO \"abc\\\"", "ECHO \"abc\\", "ECHO 'abc\\'", "\"a\"\"b\"",
                             "ECHO \"\\x", "ECHO \"\\x4", "a'b'c"}) {
        EXPECT_EQ(error_ready(std::string(line) + "\n"), text) << line;
        EXPECT_EQ(error_login(std::string(line) + "\r\n"), text) << line;
    }
}

TEST(Request, BadFramingIsRefusedInTheWordsOfRedis) {
    const std::string count = "Protocol error: invalid multibulk length";
    const std::string size = "Protocol error: invalid bulk length";
    for (const char* number : {"", "x", "1x", "+1", " 1", "01", "1 ", "--1", "-", "1.0",
                               "9223372036854775808", "99999999999999999999"}) {
        EXPECT_EQ(error_ready(std::string("*") + number + "\r\n"), count) << number;
        EXPECT_EQ(error_ready(std::string("*1\r\n$") + number + "\r\n"), size) << number;
    }
    EXPECT_EQ(error_ready("*1\rx"), count);
    EXPECT_EQ(error_ready("*1\r\n$1\rx"), size);
    EXPECT_EQ(error_ready("*1\r\n$-1\r\n"), size);
    EXPECT_EQ(error_ready("*1\r\nPING\r\n"), "Protocol error: expected '$', got 'P'");
    EXPECT_EQ(error_ready("*2\r\n$4\r\nECHO\r\n:1\r\n"), "Protocol error: expected '$', got ':'");
    EXPECT_EQ(error_ready("*1\r\n\x1b"), "Protocol error: expected '$', got '\\x1b'");
    const std::string end = "Protocol error: expected CRLF after a bulk";
    EXPECT_EQ(error_ready("*1\r\n$4\r\nPINGx"), end);
    EXPECT_EQ(error_ready("*1\r\n$4\r\nPING\rx"), end);
    EXPECT_EQ(error_ready("*1\r\n$4\r\nPING\n\r"), end);
    EXPECT_EQ(error_ready("*1\r\n$3\r\nPING\r\n"), end);
}

TEST(Request, AHeaderLineIsBounded) {
    // A line of zeros is no number, so it is judged once it is whole and refused when it cannot be.
    const std::string fits(header_line_size_max - 3, '0');
    const std::string count = "Protocol error: invalid multibulk length";
    EXPECT_EQ(parse_ready("*" + fits).status, Status::more);
    EXPECT_EQ(error_ready("*" + fits + "\r\n"), count);
    EXPECT_EQ(error_ready("*" + fits + "0"), "Protocol error: too big mbulk count string");
    EXPECT_EQ(error_ready("*" + fits + "0\r\n"), "Protocol error: too big mbulk count string");
    EXPECT_EQ(error_ready("*1\r\n$" + fits + "\r\n"), "Protocol error: invalid bulk length");
    EXPECT_EQ(error_ready("*1\r\n$" + fits + "0"), "Protocol error: too big bulk count string");
    EXPECT_EQ(error_login("*1\r\n$" + fits + "0"), "Protocol error: too big bulk count string");
}

TEST(Request, TheNumberOfWordsIsBounded) {
    const Words sixteen(request_words_max, "w");
    const Words ten(login_words_max, "w");
    EXPECT_EQ(parse_ready(array_of(sixteen)).words, sixteen);
    EXPECT_EQ(parse_login(array_of(ten)).words, ten);
    const std::string beyond = "*" + std::to_string(request_words_max + 1) + "\r\n";
    EXPECT_EQ(error_ready(beyond), "Protocol error: invalid multibulk length");
    EXPECT_EQ(error_ready("*9223372036854775807\r\n"), "Protocol error: invalid multibulk length");
    const std::string login_beyond = "*" + std::to_string(login_words_max + 1) + "\r\n";
    EXPECT_EQ(error_login(login_beyond), "Protocol error: unauthenticated multibulk length");

    std::string line;
    for (uint32_t i = 0; i < request_words_max; i++) line += "w ";
    EXPECT_EQ(parse_ready(line + "\r\n").words, sixteen);
    EXPECT_EQ(error_ready(line + "w\r\n"), "Protocol error: too big inline request");
    line = line.substr(0, 2 * login_words_max);
    EXPECT_EQ(parse_login(line + "\r\n").words, ten);
    EXPECT_EQ(error_login(line + "w\r\n"), "Protocol error: too big inline request");
}

TEST(Request, TheSizeOfAWordIsBounded) {
    const Words largest = {"ECHO", std::string(bulk_size_max, 'b')};
    EXPECT_EQ(parse_ready(array_of(largest)).words, largest);
    EXPECT_EQ(error_ready("*1\r\n$" + std::to_string(bulk_size_max + 1) + "\r\n"),
              "Protocol error: invalid bulk length");
    const Words login_largest = {"AUTH", std::string(login_bulk_size_max, 'b')};
    EXPECT_EQ(parse_login(array_of(login_largest)).words, login_largest);
    EXPECT_EQ(error_login("*1\r\n$" + std::to_string(login_bulk_size_max + 1) + "\r\n"),
              "Protocol error: unauthenticated bulk length");
}

TEST(Request, TheSizeOfARequestIsBounded) {
    for (const RequestLimits& limits : {request_limits_login(), request_limits_ready()}) {
        const bool is_login = limits.request_size_max == login_request_size_max;
        Words words = {"w", std::string(limits.bulk_size_max, 'b'), ""};
        const size_t left = limits.request_size_max - array_of(words).size();
        words[2] = std::string(left - 2, 'c');  // Its size takes up to three digits instead of one.
        while (array_of(words).size() > limits.request_size_max) words[2].pop_back();
        ASSERT_EQ(array_of(words).size(), limits.request_size_max);
        EXPECT_EQ(parse(array_of(words), limits).words, words);
        words[2].push_back('c');
        const std::string cut = array_of(words).substr(0, limits.request_size_max - left + 8);
        EXPECT_EQ(error_of(cut, limits), is_login ? "Protocol error: unauthenticated bulk length"
                                                  : "Protocol error: invalid bulk length");
    }
}

TEST(Request, TheSizeOfALineIsBounded) {
    const std::string text = "Protocol error: too big inline request";
    for (const RequestLimits& limits : {request_limits_login(), request_limits_ready()}) {
        const std::string fits(limits.inline_size_max - 1, 'a');
        EXPECT_EQ(parse(fits, limits).status, Status::more);
        EXPECT_EQ(parse(fits + "\n", limits).words, Words{fits});
        EXPECT_EQ(error_of(fits + "a", limits), text);
        EXPECT_EQ(error_of(fits + "a\n", limits), text);
        EXPECT_EQ(error_of(std::string(limits.inline_size_max, ' '), limits), text);
        EXPECT_EQ(error_of("\"" + fits, limits), text);
        const std::string quoted = "\"" + fits.substr(2) + "\"\n";
        EXPECT_EQ(parse(quoted, limits).words, Words{fits.substr(2)});
    }
}

TEST(Request, AFullBufferNeverWantsMore) {
    for (const RequestLimits& limits : {request_limits_login(), request_limits_ready()}) {
        // Every filler, behind the front of a valid request: whatever it is, there is an answer.
        for (const std::string front : {"", "*1\r\n", "*2\r\n$1\r\na\r\n", "*1\r\n$", "\"", "'"}) {
            for (int value = 0; value < 256; value++) {
                std::string bytes = front;
                bytes.resize(limits.request_size_max, static_cast<char>(value));
                EXPECT_NE(parse(bytes, limits).status, Status::more) << front << value;  // Q3
            }
        }
        // A header line that begins in the last bytes of the buffer.
        for (uint32_t gap = 1; gap < header_line_size_max; gap++) {
            const uint32_t words = limits.words_max;
            std::string bytes = "*" + std::to_string(words) + "\r\n";
            for (uint32_t i = 0; i + 1 < words && bytes.size() < limits.request_size_max; i++) {
                const size_t left = limits.request_size_max - gap - bytes.size();
                const size_t size = left > limits.bulk_size_max + 16 ? limits.bulk_size_max : 1;
                bytes += "$" + std::to_string(size) + "\r\n" + std::string(size, 'b') + "\r\n";
            }
            bytes += "$000000000000000000000000000000000000000000000000000000000000000000000000000";
            bytes.resize(limits.request_size_max, '0');
            EXPECT_NE(parse(bytes, limits).status, Status::more) << gap;  // Q3
        }
    }
}

TEST(Request, NoByteAnywhereReachesACheck) {
    // Every byte value at every place of every sample, and every place left out.
    for (const Sample& sample : samples()) {
        if (sample.bytes.size() > 100) continue;
        for (size_t at = 0; at < sample.bytes.size(); at++) {
            for (int value = 0; value < 256; value++) {
                std::string bytes = sample.bytes;
                bytes[at] = static_cast<char>(value);
                const Parsed parsed = parse_ready(bytes);
                EXPECT_TRUE(parsed.inside);
                if (parsed.status != Status::ok) {
                    EXPECT_EQ(parsed.buffer, bytes);
                    continue;
                }
                const Parsed again = parse_ready(parsed.buffer);
                EXPECT_EQ(again.words, parsed.words) << bytes;
                EXPECT_EQ(again.size, parsed.size) << bytes;
            }
            std::string shorter = sample.bytes;
            shorter.erase(at, 1);
            parse_login(shorter);
        }
    }
}

TEST(Request, ABrowserIsRecognised) {
    for (const char* line : {"POST / HTTP/1.1\r\n", "Host: bank\r\n", "post x\r\n", "HOST:\r\n"}) {
        std::string bytes = line;
        Request request = {};
        Writer error = {};
        ASSERT_EQ(request_parse(reinterpret_cast<uint8_t*>(bytes.data()),
                                static_cast<uint32_t>(bytes.size()), request_limits_login(),
                                request, error),
                  Status::ok);
        EXPECT_TRUE(request_is_cross_protocol(request)) << line;
    }
    Request request = {};
    EXPECT_FALSE(request_is_cross_protocol(request));
    for (const char* word : {"PING", "GET", "Host", "POSTS", "", "POST "}) {
        request.count = 1;
        request.words[0] = slice_of(word);
        EXPECT_FALSE(request_is_cross_protocol(request)) << word;
    }
}

// request.h - bytes from a peer to the words of one command: RESP arrays of bulk strings (the only
// form that clients send) and inline commands (what a person types into `openssl s_client`).
//
// A parser without a memory: it looks at the front of the caller's buffer and either finds a whole
// request or asks for more bytes. Bulks are skipped by their length, so of a buffer that grows only
// the header lines are read again, request_words_max at most. An inline line is read again as it
// grows, and is at most inline_size_max bytes.
//
//     *2\r\n $4\r\nECHO\r\n $5\r\nhello\r\n        ECHO "he said \"hello\"\x21"\r\n
//
// A word with quotes is written over by what it means, so that `words` can point to it: a head of
// two bytes (its size, high byte first; 0 to 4, so it begins no other word), the bytes, blanks.
// A request that has to wait may therefore be parsed again and gives the same words.
//
//   Q1. Words point into the caller's buffer and nowhere else.
//   Q2. Anything but ok leaves the buffer as it was.
//   Q3. Never more for a buffer that holds limits.request_size_max bytes.
//   Q4. A second parse of a request that was found gives the same words and size.
#pragma once

#include "base/bytes.h"
#include "base/limits.h"

inline constexpr uint32_t login_words_max = 10;        // Redis's number before login
inline constexpr uint32_t login_bulk_size_max = 512;   // bytes of one word before login
inline constexpr uint32_t enrol_bulk_size_max = 4224;  // bytes of a certificate request, and more
inline constexpr uint32_t bulk_size_max = 15 * 1024;   // bytes of one word
inline constexpr uint32_t request_error_size_max = 128;  // bytes of a text in `error_text`
static_assert(enrol_bulk_size_max + 3 * header_line_size_max <= enrol_request_size_max);
static_assert(login_words_max <= request_words_max && login_bulk_size_max <= bulk_size_max);
static_assert(login_bulk_size_max >= 3 * password_size_max, "a password of UTF-8 fits");
static_assert(inline_size_max <= enrol_request_size_max);
static_assert(inline_size_max <= login_request_size_max, "Q3 holds for lines before login");
static_assert(inline_size_max < 5 * 256, "the size of a quoted word fits in its head");

struct Request {
    Slice words[request_words_max];  // point into the caller's buffer
    uint32_t count;                  // 0: nothing to do (empty line, *0, *-1); consume and go on
    uint32_t size;                   // bytes to consume from the front of the buffer
    bool is_inline;
};

struct RequestLimits {
    uint32_t words_max;         // <= request_words_max
    uint32_t bulk_size_max;     // bytes of one word
    uint32_t inline_size_max;   // bytes of one line, its end included
    uint32_t request_size_max;  // bytes of a whole request
};

RequestLimits request_limits_login();
RequestLimits request_limits_enrol();
RequestLimits request_limits_ready();

// Finds the request at the front of `data`. Returns ok with `out` set; more when it is not
// complete; invalid, with Redis's sentence put into `error_text` (no first word, no line end), when
// the peer broke the protocol or a limit: the session ends after that reply. `out` is set on ok
// only.
Status request_parse(uint8_t* data, uint32_t size, const RequestLimits& limits, Request& out,
                     Writer& error_text);

// True for what a browser would say here: a first word "POST" or "Host:". Such a session is closed
// without a reply.
bool request_is_cross_protocol(const Request& request);

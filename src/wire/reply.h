// reply.h - the values of one reply as bytes, in RESP2 or RESP3.
//
// The caller names what a value is; the protocol of the session decides how it is written. The
// bytes go to a Writer that the caller owns. Without room its `overflow` is set and the reply as a
// whole is void (B2): nothing here is checked one by one.
//
//                 RESP2           RESP3                          RESP2      RESP3
//     simple      +text           the same           map         *2n        %n
//     error       -WORD text      the same           set         *n         ~n
//     integer     :n              the same           push        *n         >n
//     bulk        $size, bytes    the same           null        $-1        _
//     array       *n              the same           boolean     :1 :0      #t #f
//                                                    verbatim    a bulk     =size, txt:bytes
//
//   E1. No byte of a simple or error text can end its line: control bytes become blanks.
//   E2. Between a _begin and its _end the caller puts text into *reply.out and nothing else.
#pragma once

#include "base/bytes.h"

struct Reply {
    Writer* out;
    uint8_t protocol;     // 2 or 3
    uint32_t text_start;  // where the text of a _begin starts in `out`; 0 when none is open
};

void reply_ok(Reply& reply);
void reply_simple(Reply& reply, const char* text);
void reply_error(Reply& reply, const char* word, const char* text);
void reply_integer(Reply& reply, int64_t value);
void reply_bulk(Reply& reply, Slice bytes);
void reply_bulk_text(Reply& reply, const char* text);
void reply_decimal_bulk(Reply& reply, uint64_t value);
void reply_minor_bulk(Reply& reply, int64_t minor, uint32_t scale);  // "12.50"
void reply_verbatim(Reply& reply, Slice text);
void reply_null(Reply& reply);
void reply_boolean(Reply& reply, bool value);

// The heads of values that hold others; as many values follow.
void reply_array(Reply& reply, uint32_t count);
void reply_set(Reply& reply, uint32_t count);
void reply_push(Reply& reply, uint32_t count);
void reply_map(Reply& reply, uint32_t pairs);  // key, value, key, value ...

// An error whose text is composed: begin, put_text and the like, end.
void reply_error_begin(Reply& reply, const char* word);
void reply_error_end(Reply& reply);

// A text whose size is known only when it is written. Its head is put in front of it at the end.
void reply_bulk_begin(Reply& reply);
void reply_bulk_end(Reply& reply);
void reply_verbatim_begin(Reply& reply);
void reply_verbatim_end(Reply& reply);

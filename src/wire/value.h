// value.h - bytes from a server to the values of one reply, RESP2 and RESP3: the client's half.
//
// A parser without a memory: it looks at the front of the caller's buffer and either finds a whole
// reply or asks for more bytes. A reply becomes a flat row of values in the order of the bytes; one
// that holds others says how many follow, so a walk needs a counter and no pointers:
//
//     *2\r\n :7\r\n %1\r\n +a\r\n #t\r\n    array 2 | integer 7 | map 2 | simple "a" | boolean 1
//     depth                                    0          1         1         2            2
//
//     + simple    - error     : integer    $ bulk       _ $-1 *-1 null     * array
//     % map       ~ set       > push       , real       # boolean          = verbatim
//     ( big       ! error of any bytes
//
// Streamed values ("$?") and attributes ("|") are not understood; no server here sends them.
//
//   U1. Texts point into the caller's buffer and nowhere else.
//   U2. What is found does not depend on what lies behind it.
//   U3. No memory but the caller's row is used, and no bytes are read twice within one call.
#pragma once

#include "base/bytes.h"

inline constexpr uint32_t value_depth_max = 8;               // values within values
inline constexpr uint32_t value_line_size_max = 65536;       // bytes of a simple or error text
inline constexpr uint32_t value_bulk_size_max = 512u << 20;  // bytes; as Redis

enum class ValueType : uint8_t {
    simple,
    error,
    integer,
    bulk,
    null,
    array,
    map,
    set,
    push,
    real,
    boolean,
    verbatim,
    big,
};

struct Value {
    ValueType type;
    uint8_t depth;     // 0 for the reply itself
    uint32_t count;    // values directly inside; for a map keys and values, so it is even
    int64_t integer;   // of an integer; 0 or 1 of a boolean
    Slice text;        // simple, error, bulk, real, verbatim (its bytes only), big
    uint8_t format[3];  // of a verbatim text, "txt" or "mkd"
};

// Finds the reply at the front of `data`. Returns ok with `out_count` values in `values` and the
// `out_size` bytes they took; more when it is not complete; invalid when it is no reply or nests
// deeper than value_depth_max; full when it has more than `count_max` values. Of the outputs only
// `values` may have changed on anything but ok.
Status value_parse(Slice data, Value* values, uint32_t count_max, uint32_t& out_count,
                   uint32_t& out_size);

// The index behind the value at `index` and all that it holds.
uint32_t value_skip(const Value* values, uint32_t count, uint32_t index);

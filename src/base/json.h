// json.h - one flat JSON object (RFC 8259), read strictly and without memory of its own.
//
// Enough for keys, headers and messages of JOSE, which are objects of strings and numbers:
//
//     {"alg":"PS256","kid":"...","n":1}      members in any order, blanks between them allowed
//
// Every text may come from a peer. It is never changed; what is found points into it.
//
//   N1. Exactly one object, and blanks around it, are the whole text. It is valid UTF-8.
//   N2. A name stands in it once, and is written without escapes: it has one spelling.
//   N3. A value is a string, a number, true, false or null. Objects and arrays inside are refused,
//       so nothing here recurses.
#pragma once

#include "base/bytes.h"

inline constexpr uint32_t json_members_max = 16;

enum class JsonKind : uint8_t { string, number, literal };

struct JsonMember {
    Slice name;
    JsonKind kind;
    Slice text;  // of a string what is between its quotes, escapes as they are written
};

struct JsonObject {
    JsonMember members[json_members_max];
    uint32_t count;
};

// Reads one object. Returns ok; invalid for anything else; full for more members than there is room
// for. `out` is set on ok only.
Status json_parse(Slice text, JsonObject& out);

// Returns nullptr where no member has this name.
const JsonMember* json_find(const JsonObject& object, const char* name);

// Puts what the string of a member means, as UTF-8. Returns ok; invalid for a member that is no
// string; full when `out` has no room, and then `out` is as it was.
Status json_unescape(const JsonMember& member, Writer& out);

// True for a string that means this, and is written without escapes.
bool json_is_text(const JsonMember& member, const char* text);

// Puts a string with its quotes (B2). `text` must be valid UTF-8; quotes, backslashes and control
// characters are escaped, everything else stands as it is.
void put_json_string(Writer& writer, Slice text);

// True for valid UTF-8 (RFC 3629).
bool json_is_utf8(Slice text);

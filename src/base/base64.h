// base64.h - bytes as text in the alphabets of RFC 4648: section 4 (certificates, passwords), and
// section 5, which is safe in names and addresses (JOSE). One way to write each value.
#pragma once

#include "base/bytes.h"

// What stands behind the last digits: nothing, or '=' up to a multiple of four.
enum class Base64End : uint8_t { bare, padded };

// Digits that `size` bytes become, padding included.
inline constexpr uint32_t base64_size(uint32_t size) { return (size + 2) / 3 * 4; }

// Puts the bytes as text (B2: without room nothing is written and overflow is set).
void put_base64(Writer& writer, Slice bytes, Base64End end);

// Puts the bytes that a text stands for. Returns invalid for a text that put_base64 would not have
// written, full when `out` has no room; on anything but ok `out` is as it was.
Status parse_base64(Slice text, Base64End end, Writer& out);

// The same in the alphabet of section 5; bare where no end is named.
void put_base64url(Writer& writer, Slice bytes);
void put_base64url(Writer& writer, Slice bytes, Base64End end);
Status parse_base64url(Slice text, Writer& out);
Status parse_base64url(Slice text, Base64End end, Writer& out);

// Digits that `size` bytes become in it, bare.
inline constexpr uint32_t base64url_size(uint32_t size) { return (size * 4 + 2) / 3; }

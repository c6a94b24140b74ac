// tar.h - one header of a POSIX ustar archive: written in one way, and believed in that way only.
//
// Lays 512 bytes out and judges 512 bytes; it opens no file and keeps no memory. An archive is,
// for each member, a header and the content, padded with zeros to whole blocks; then two blocks of
// zeros. Every tar lists and unpacks what is written here. Numbers are octal text.
//
//     offset  size  field
//          0   100  name, NUL-terminated where it is shorter
//        100     8  mode, always 0000600
//        108    16  owner and group, always 0000000 each
//        124    12  size of the content, bytes, 11 digits
//        136    12  time, seconds since 1970 UTC, 11 digits
//        148     8  sum of the header's bytes with blanks here: 6 digits, NUL, blank
//        156     1  type, always '0', a file
//        157   100  target of a link, always zero
//        257     8  "ustar" NUL "00"
//        265    64  names of owner and group, always zero
//        329    16  numbers of a device, always 0000000 each
//        345   167  prefix of the name and the rest, always zero
//
//   A1. tar_judge takes a header only when tar_put_header would write the very same bytes, so that
//       no bit of one can be flipped unnoticed, and no link, folder or device is ever made.
//   A2. A name leads below the folder in which it is unpacked: no '/' in front, no part that is
//       empty, `.` or `..`, no control byte.
#pragma once

#include "base/bytes.h"

inline constexpr uint32_t tar_block_size = 512;              // bytes
inline constexpr uint32_t tar_name_size_max = 100;           // bytes
inline constexpr uint64_t tar_size_max = (1ull << 33) - 1;   // bytes of one member: 8 GiB less 1

struct TarMember {
    char name[tar_name_size_max + 1];  // NUL-terminated
    uint64_t size;                     // bytes
    uint64_t time_s;                   // since 1970 UTC
};

enum class TarFind : uint8_t {
    member,  // a header that this program writes
    blank,   // all zero: the archive ends
    junk,    // no header at all, or one whose sum is wrong
    type,    // a sound header of something that is not a plain file
    name,    // a sound header whose name breaks A2
    other,   // a sound header that this program would have written otherwise (A1)
};

// True for a name that A2 allows and that fits.
bool tar_name_is_safe(Slice name);

// Takes a name. Returns invalid, with `out` unchanged, for one that A2 forbids or that is too long.
Status tar_name_set(TarMember& out, Slice name);

// Appends one block. The name is safe; size and time fit into 11 octal digits.
void tar_put_header(Writer& out, const TarMember& member);

// Judges one block of untrusted bytes; `out` is set on member only.
TarFind tar_judge(Slice block, TarMember& out);

// Bytes that a member takes behind its header.
inline uint64_t tar_padded(uint64_t size) {
    return (size + tar_block_size - 1) / tar_block_size * tar_block_size;
}

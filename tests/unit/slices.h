// slices.h - between our slices and std::string, for tests only.
#pragma once

#include <string>

#include "base/bytes.h"

inline std::string string_of(Slice slice) {
    return std::string(reinterpret_cast<const char*>(slice.data), slice.size);
}

// The string must outlive the slice.
inline Slice slice_of(const std::string& text) {
    return {reinterpret_cast<const uint8_t*>(text.data()), static_cast<uint32_t>(text.size())};
}

// Fills a Writer of `capacity` bytes by `put(writer)` and gives what was written.
template <typename Put>
std::string written(Put put, uint32_t capacity = 65536) {
    std::string bytes(capacity, '\xee');
    Writer writer = writer_of(reinterpret_cast<uint8_t*>(bytes.data()), capacity);
    put(writer);
    return writer.overflow ? "<overflow>" : bytes.substr(0, writer.size);
}

#include "base/status.h"

#include "base/check.h"

namespace {

struct Row {
    const char* word;
    const char* meaning;
    bool remembered;
};

constexpr bool yes = true;
constexpr bool no = false;

constexpr Row rows[] = {
#define STATUS(name, word, remembered, meaning) {word, meaning, remembered},
#include "base/status.def"
#undef STATUS
};

const Row& row_of(Status status) {
    CHECK(static_cast<uint32_t>(status) < status_count);
    return rows[static_cast<uint32_t>(status)];
}

}  // namespace

const char* status_word(Status status) { return row_of(status).word; }

const char* status_meaning(Status status) { return row_of(status).meaning; }

bool status_is_remembered(Status status) { return row_of(status).remembered; }

Status status_from_byte(uint8_t value, Status& out) {
    if (value >= status_count) return Status::damaged;
    out = static_cast<Status>(value);
    return Status::ok;
}

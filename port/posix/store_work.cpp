#include "store_work.h"

#include "base/check.h"
#include "base/text.h"
#include "store_file.h"

namespace {

constexpr uint32_t said_max = 400;  // bytes of one line of the log

void read_segment(const Store& store, Wish& wish) {
    uint32_t got = 0;
    wish.outcome = store_read(store, position_segment(wish.position),
                              position_offset(wish.position), wish.memory, wish.size, got);
    wish.size = got;
}

void make_segment(Store& store, Wish& wish, Writer& error) {
    uint8_t salt[8];
    if (!port_random(salt, sizeof salt)) {
        put_text(error, "no random bytes for the salt of a segment");
        wish.outcome = Status::failed;
        return;
    }
    wish.outcome = store_segment_make(store, wish.number, wish.size, error);
    Reader reader = reader_of({salt, sizeof salt});
    wish.salt = get_u64(reader);
}

void say(const Writer& error) {
    uint8_t text[512];
    Writer line = writer_of(text, sizeof text);
    put_printable(line, writer_slice(error), said_max);
    store_log(LogLevel::error, line);
}

}  // namespace

bool store_work_is_for(const Wish& wish) {
    switch (wish.kind) {
        case WishKind::channel:
        case WishKind::hash:
        case WishKind::enrol:
        case WishKind::key:
        case WishKind::sensor:
        case WishKind::reload: return false;
        case WishKind::read:
        case WishKind::segment:
        case WishKind::checkpoint_begin:
        case WishKind::checkpoint_append:
        case WishKind::checkpoint_finish:
        case WishKind::penalties: return true;
    }
    CHECK(false);
    return false;
}

void store_work_run(Store& store, Wish& wish) {
    uint8_t text[512];
    Writer error = writer_of(text, sizeof text);
    switch (wish.kind) {
        case WishKind::read: read_segment(store, wish); return;
        case WishKind::segment: make_segment(store, wish, error); break;
        case WishKind::checkpoint_begin:
            wish.outcome = store_checkpoint_begin(store, error);
            break;
        case WishKind::checkpoint_append:
            wish.outcome = store_checkpoint_append(store, static_cast<TableName>(wish.table),
                                                   {wish.memory, wish.size}, error);
            break;
        case WishKind::checkpoint_finish:
            wish.outcome = store_checkpoint_finish(store, {wish.memory, wish.size}, error);
            break;
        case WishKind::penalties:
            wish.outcome = store_penalties_put(store, wish.number, {wish.memory, wish.size},
                                               wish.table == 1, error);
            break;
        case WishKind::channel:
        case WishKind::hash:
        case WishKind::enrol:
        case WishKind::key:
        case WishKind::sensor:
        case WishKind::reload: CHECK(false);
    }
    if (wish.outcome == Status::ok) return;
    const bool is_checkpoint = wish.kind != WishKind::segment && wish.kind != WishKind::penalties;
    if (is_checkpoint) store_checkpoint_cancel(store);
    say(error);
}

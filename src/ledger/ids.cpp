#include "ledger/ids.h"

#include <string.h>

#include "base/check.h"

namespace {

uint64_t hash_of_id(const Ids& ids, uint32_t person, Slice id) {
    CHECK(id.size <= id_size_max);
    uint8_t bytes[4 + id_size_max];
    Writer writer = writer_of(bytes, sizeof bytes);
    put_u32(writer, person);
    put_bytes(writer, id);
    return siphash(ids.key, writer_slice(writer));
}

uint32_t place_of(const Ids& ids, uint64_t number) {
    return static_cast<uint32_t>(number % ids.capacity);
}

Slice id_slice(const Id& id) { return slice_of_chars(id.text, id.size); }

void put_into_table(Ids& ids, uint64_t number) {
    const uint32_t place = place_of(ids, number);
    const IdRecord& record = ids.records[place];
    table_put(ids.table, hash_of_id(ids, record.person, id_slice(record.id)), place);
}

void remove_from_table(Ids& ids, uint64_t number) {
    const uint32_t place = place_of(ids, number);
    const IdRecord& record = ids.records[place];
    table_remove(ids.table, hash_of_id(ids, record.person, id_slice(record.id)), place);
}

}  // namespace

void ids_layout(Ids& ids, Arena& arena, uint32_t window_max) {
    CHECK(window_max > 0);
    ids.window_max = window_max;
    ids.capacity = window_max + ids_slack;
    ids.records = arena_array<IdRecord>(arena, "ids remembered", ids.capacity);
    table_layout(ids.table, arena, "  by hash", window_max + 1);
}

void ids_init(Ids& ids, const uint8_t key[16]) {
    ids.window = ids.window_max;
    ids.head = 0;
    ids.floor = 0;
    ids.before = 0;
    memcpy(ids.key, key, sizeof ids.key);
    table_clear(ids.table);
}

void ids_set_window(Ids& ids, uint32_t window) {
    const uint64_t first = ids_first(ids);
    ids.window = window < ids.window_max ? window : ids.window_max;
    if (ids.window == 0) ids.window = 1;
    ids.floor = first;
    ids.floor = ids_first(ids);
    for (uint64_t number = first; number < ids.floor; number++) remove_from_table(ids, number);
}

const IdRecord* ids_find(const Ids& ids, uint32_t person, Slice id) {
    if (id.size > id_size_max) return nullptr;
    TableCursor cursor = table_find(ids.table, hash_of_id(ids, person, id));
    uint32_t place = 0;
    while (table_next(ids.table, cursor, place)) {
        const IdRecord& record = ids.records[place];
        if (record.person == person && slice_equal(id_slice(record.id), id)) return &record;
    }
    return nullptr;
}

uint16_t ids_print(const Ids& ids, uint32_t person, Slice id) {
    return static_cast<uint16_t>(hash_of_id(ids, person, id));
}

uint64_t ids_forgotten(const Ids& ids) { return ids.before + ids_first(ids); }

void ids_add(Ids& ids, const IdRecord& record) {
    const uint64_t first = ids_first(ids);
    if (ids_first_at(ids, ids.head + 1) > first) remove_from_table(ids, first);
    ids.records[place_of(ids, ids.head)] = record;
    put_into_table(ids, ids.head);
    ids.head++;
}

void ids_drop_after(Ids& ids, uint64_t seq) {
    while (ids.head > 0 && ids.records[place_of(ids, ids.head - 1)].seq > seq) {
        const uint64_t first = ids_first(ids);
        if (ids.head > first) remove_from_table(ids, ids.head - 1);
        ids.head--;
        // The window reaches one further back again.
        if (ids_first(ids) < first) put_into_table(ids, ids_first(ids));
    }
}

const IdRecord& ids_at(const Ids& ids, uint64_t number) {
    CHECK(number < ids.head && ids.head - number <= ids.capacity);
    return ids.records[place_of(ids, number)];
}

uint64_t ids_first(const Ids& ids) { return ids_first_at(ids, ids.head); }

uint64_t ids_first_at(const Ids& ids, uint64_t head) {
    const uint64_t first = head > ids.window ? head - ids.window : 0;
    return first > ids.floor ? first : ids.floor;
}

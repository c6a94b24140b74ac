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

void remove_from_table(Ids& ids, uint64_t number) {
    const uint32_t place = place_of(ids, number);
    const IdRecord& record = ids.records[place];
    table_remove(ids.table, hash_of_id(ids, record.person, id_slice(record.id)), place);
}

}  // namespace

void ids_layout(Ids& ids, Arena& arena, uint32_t window) {
    CHECK(window > 0);
    ids.window = window;
    ids.capacity = window + ids_slack;
    ids.records = arena_array<IdRecord>(arena, "ids remembered", ids.capacity);
    table_layout(ids.table, arena, "  by hash", window + 1);
}

void ids_init(Ids& ids, const uint8_t key[16]) {
    ids.head = 0;
    memcpy(ids.key, key, sizeof ids.key);
    table_clear(ids.table);
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

void ids_add(Ids& ids, const IdRecord& record) {
    if (ids.head >= ids.window) remove_from_table(ids, ids.head - ids.window);
    const uint32_t place = place_of(ids, ids.head);
    ids.records[place] = record;
    table_put(ids.table, hash_of_id(ids, record.person, id_slice(record.id)), place);
    ids.head++;
}

void ids_drop_after(Ids& ids, uint64_t seq) {
    while (ids.head > 0 && ids.records[place_of(ids, ids.head - 1)].seq > seq) {
        remove_from_table(ids, ids.head - 1);
        ids.head--;
        if (ids.head < ids.window) continue;
        // The window reaches one further back again.
        const uint32_t place = place_of(ids, ids.head - ids.window);
        const IdRecord& record = ids.records[place];
        table_put(ids.table, hash_of_id(ids, record.person, id_slice(record.id)), place);
    }
}

const IdRecord& ids_at(const Ids& ids, uint64_t number) {
    CHECK(number < ids.head && ids.head - number <= ids.capacity);
    return ids.records[place_of(ids, number)];
}

uint64_t ids_first(const Ids& ids) { return ids.head > ids.window ? ids.head - ids.window : 0; }

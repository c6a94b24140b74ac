#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "port/posix/store_file.h"

namespace {

void insert_number(void* context, Slice name) {
    StoreCheckpoints& list = *static_cast<StoreCheckpoints*>(context);
    uint32_t number = store_number_of(name, "checkpoint.", "");
    for (uint32_t i = 0; i < list.count; i++) {
        if (number <= list.numbers[i]) continue;
        const uint32_t moved = list.numbers[i];
        list.numbers[i] = number;
        number = moved;
    }
    if (number > 0 && list.count < store_checkpoints_max) list.numbers[list.count++] = number;
}

uint32_t current_number(const Store& store) {
    char target[64];
    const int64_t size =
        store.calls->readlink(store.dir_fd, "current", target, sizeof target);
    if (size <= 0) return 0;
    return store_number_of(slice_of_chars(target, static_cast<uint32_t>(size)), "checkpoint.", "");
}

// The current one comes first, however many newer ones were never finished.
void put_first(StoreCheckpoints& list, uint32_t number) {
    if (number == 0) return;
    uint32_t place = 0;
    while (place < list.count && list.numbers[place] != number) place++;
    if (place == store_checkpoints_max) place--;
    if (place == list.count) list.count++;
    for (; place > 0; place--) list.numbers[place] = list.numbers[place - 1];
    list.numbers[0] = number;
}

// One checkpoint while it is looked at.
struct Load {
    const Store& store;
    uint32_t number;
    uint8_t* window;
    Writer& said;  // why it is not good, or why the start is refused
};

Status open_file(const Load& load, const char* path, int& fd, uint64_t& size) {
    const StoreCalls& calls = *load.store.calls;
    fd = calls.open(load.store.dir_fd, path, O_RDONLY | O_CLOEXEC, 0);
    const int64_t found = fd < 0 ? -1 : calls.size(fd);
    if (found >= 0) {
        size = static_cast<uint64_t>(found);
        return Status::ok;
    }
    store_say_errno(load.store, load.said, path, "cannot be read");
    if (fd >= 0) calls.close(fd);
    return Status::damaged;
}

Status open_table(const Load& load, const char* file, int& fd, uint64_t& size) {
    return open_file(load, store_path_in_checkpoint(load.number, file).text, fd, size);
}

// Returns damaged with a sentence when there is no sound manifest, failed for a newer one.
Status read_manifest(const Load& load, Manifest& out) {
    int fd = -1;
    uint64_t size = 0;
    uint32_t got = 0;
    Status status = open_table(load, store_manifest_name, fd, size);
    if (status != Status::ok) return status;
    const StorePath path = store_path_in_checkpoint(load.number, store_manifest_name);
    status = store_read_all(*load.store.calls, fd, load.window, manifest_size_max, 0, got);
    if (status != Status::ok) store_say_errno(load.store, load.said, path.text, "cannot be read");
    load.store.calls->close(fd);
    if (status != Status::ok) return Status::damaged;
    status = manifest_parse({load.window, got}, out);
    if (status == Status::failed) {
        store_say(load.store, load.said, path.text,
                  "written by a newer version; start the program that wrote it");
        return Status::failed;
    }
    if (status == Status::ok) return status;
    store_say(load.store, load.said, path.text, "is not what a checkpoint wrote");
    return Status::damaged;
}

// Compares a table's file with the manifest and counts its rows. `differs` is true when it could be
// read and is not what was written.
Status verify_file(const Load& load, const char* path, const SnapshotTable& expected,
                   uint64_t& rows, bool& differs) {
    int fd = -1;
    uint64_t size = 0;
    Status status = open_file(load, path, fd, size);
    if (status != Status::ok) return status;
    Hasher hasher;
    hasher_init(hasher);
    rows = 0;
    uint32_t got = batch_size_max;
    for (uint64_t offset = 0; status == Status::ok && got == batch_size_max; offset += got) {
        status = store_read_all(*load.store.calls, fd, load.window, batch_size_max, offset, got);
        if (status != Status::ok) break;
        hasher_feed(hasher, {load.window, got});
        for (uint32_t i = 0; i < got; i++) rows += load.window[i] == '\n' ? 1 : 0;
    }
    if (status != Status::ok) store_say_errno(load.store, load.said, path, "cannot be read");
    load.store.calls->close(fd);
    if (status != Status::ok) return Status::damaged;
    if (size == expected.size && hash_equal(hasher_finish(hasher), expected.hash)) return status;
    store_say(load.store, load.said, path, "was changed by something else and is not believed");
    differs = true;
    return Status::damaged;
}

// Reads and compares all of a checkpoint. `edited` is the first table whose file is not what was
// written; table_count when there is none, or when the manifest is not sound.
Status verify(const Load& load, Manifest& out, bool& sound, uint64_t rows[table_count],
              uint32_t& edited) {
    Status status = read_manifest(load, out);
    sound = status == Status::ok;
    edited = table_count;
    for (uint32_t i = 0; i < table_count && status == Status::ok; i++) {
        if (!manifest_has(out, static_cast<TableName>(i))) continue;
        const char* name = table_name(static_cast<TableName>(i));
        bool differs = false;
        status = verify_file(load, store_path_in_checkpoint(load.number, name).text, out.tables[i],
                             rows[i], differs);
        if (differs) edited = i;
    }
    return status;
}

Status refuse_limit(const Load& load, TableName table, uint64_t rows, uint64_t limit,
                    const char* name) {
    if (rows <= limit) return Status::ok;
    const StorePath path = store_path_in_checkpoint(load.number, table_name(table));
    store_say(load.store, load.said, path.text, "holds ");
    put_decimal(load.said, rows);
    put_text(load.said, " rows, and the limit `");
    put_text(load.said, name);
    put_text(load.said, "` is ");
    put_decimal(load.said, limit);
    return Status::failed;
}

// Loads the lines of a chunk; `left` is what the last line still lacks.
Status load_lines(Ledger& ledger, TableName table, Slice chunk, uint64_t& row, uint32_t& left) {
    Reader reader = reader_of(chunk);
    left = chunk.size;
    while (left > 0) {
        Slice line;
        if (cut_word(reader, '\n', line) != Status::ok) return Status::damaged;
        if (reader.short_read) return Status::ok;  // No line end yet.
        row++;
        const Status status = tables_load(ledger, table, line);
        if (status != Status::ok) return status;
        left = reader_left(reader);
    }
    return Status::ok;
}

Status load_table(const Load& load, Ledger& ledger, TableName table) {
    int fd = -1;
    uint64_t size = 0;
    Status status = open_table(load, table_name(table), fd, size);
    if (status != Status::ok) return status;
    const StorePath path = store_path_in_checkpoint(load.number, table_name(table));
    uint64_t row = 0;
    uint32_t left = 0;
    for (uint64_t offset = 0; status == Status::ok && offset < size;) {
        uint32_t got = 0;
        status = store_read_all(*load.store.calls, fd, load.window + left, batch_size_max - left,
                                offset, got);
        if (status != Status::ok || got == 0) break;
        offset += got;
        const uint32_t filled = left + got;
        status = load_lines(ledger, table, {load.window, filled}, row, left);
        if (left > table_line_size_max) status = Status::damaged;
        memmove(load.window, load.window + (filled - left), left);
    }
    load.store.calls->close(fd);
    if (status == Status::ok && left == 0) return status;
    store_say(load.store, load.said, path.text, "cannot be loaded at line ");
    put_decimal(load.said, row);
    return Status::damaged;
}

// The rows of tables that do not lose their oldest must fit.
Status refuse_limits(const Load& load, const LedgerLimits& limits, const uint64_t* rows) {
    for (uint32_t i = 0; i < table_count; i++) {
        const TableName table = static_cast<TableName>(i);
        Status status = Status::ok;
        switch (table) {
            case TableName::passwd:
            case TableName::balance:
                status = refuse_limit(load, table, rows[i], limits.accounts, "accounts");
                break;
            case TableName::terminals:
                status = refuse_limit(load, table, rows[i], limits.terminals, "terminals");
                break;
            case TableName::holds:
                status = refuse_limit(load, table, rows[i], limits.holds, "holds");
                break;
            case TableName::items:
                status = refuse_limit(load, table, rows[i], limits.items, "items");
                break;
            case TableName::orders:
                status = refuse_limit(load, table, rows[i], limits.orders, "orders");
                break;
            case TableName::keys:
                status = refuse_limit(load, table, rows[i], limits.message_keys, "message-keys");
                break;
            case TableName::mail:
                status = refuse_limit(load, table, rows[i], limits.messages, "messages");
                break;
            case TableName::asked:
            case TableName::ids:
            case TableName::ordered:  // Of ids, which lose their oldest.
            case TableName::reversed:
            case TableName::people:
            case TableName::days: break;
        }
        if (status != Status::ok) return status;
    }
    return Status::ok;
}

// True when the table's file still reads as that table, row by row: a disk that fails does not
// write such rows, so a person did. It does empty files. The book is filled with the rows and is of
// no further use.
bool reads_as_rows(const Load& like, Book& book, const Manifest& manifest, uint32_t table) {
    uint8_t unsaid[512];
    Writer unused = writer_of(unsaid, sizeof unsaid);
    const Load load = {like.store, like.number, like.window, unused};
    int fd = -1;
    uint64_t size = 0;
    if (open_table(load, table_name(static_cast<TableName>(table)), fd, size) != Status::ok) {
        return false;
    }
    load.store.calls->close(fd);
    if (size == 0) return false;
    book_init(book, manifest.bank_id);
    tables_begin(book.ledger, manifest);
    for (uint32_t i = 0; i <= table; i++) {
        if (load_table(load, book.ledger, static_cast<TableName>(i)) != Status::ok) return false;
    }
    return true;
}

// Many an editor puts a file of its own in the place of the link that it was given. Returns failed
// with `out` when that is so and its rows are not the checkpoint's.
Status refuse_unlinked(const Load& load, const Manifest& manifest, StoreEdit& out) {
    uint8_t unsaid[512];
    Writer unused = writer_of(unsaid, sizeof unsaid);
    const Load quiet = {load.store, load.number, load.window, unused};
    for (const TableName table : store_linked_tables) {
        const char* name = table_name(table);
        char target[64];
        errno = 0;
        const int64_t size = load.store.calls->readlink(load.store.dir_fd, name, target,
                                                        sizeof target);
        if (size >= 0 || errno != EINVAL) continue;  // A link, or nothing at all.
        uint64_t rows = 0;
        bool differs = false;
        const SnapshotTable& expected = manifest.tables[static_cast<uint32_t>(table)];
        if (verify_file(quiet, name, expected, rows, differs) == Status::ok || !differs) continue;
        out = {load.number, table, manifest, true};
        return Status::failed;
    }
    return Status::ok;
}

// Returns ok when the book is filled, damaged when this checkpoint is no good, failed when the
// start must be refused; `out.edit` then says whether somebody changed a table.
Status load_one(const Load& load, Book& book, StoreLoaded& out) {
    Manifest manifest;
    bool sound = false;
    uint32_t edited = table_count;
    uint64_t rows[table_count] = {};
    Status status = verify(load, manifest, sound, rows, edited);
    if (sound) {
        if (manifest.mark.end > out.mark) out.mark = manifest.mark.end;
        memcpy(out.bank_id, manifest.bank_id, bank_id_size);
        out.bank_known = true;
    }
    if (edited < table_count && reads_as_rows(load, book, manifest, edited)) {
        out.edit = {load.number, static_cast<TableName>(edited), manifest, false};
        return Status::failed;
    }
    if (status == Status::ok) status = refuse_limits(load, book.ledger.limits, rows);
    if (status != Status::ok) return status;
    book_init(book, manifest.bank_id);
    tables_begin(book.ledger, manifest);
    for (uint32_t i = 0; i < table_count; i++) {
        if (!manifest_has(manifest, static_cast<TableName>(i))) continue;
        status = load_table(load, book.ledger, static_cast<TableName>(i));
        if (status != Status::ok) return status;
    }
    if (tables_end(book.ledger, manifest) != Status::ok) {
        store_say(load.store, load.said, store_path_checkpoint(load.number).text,
                  "its tables do not agree with each other");
        return Status::damaged;
    }
    out.number = load.number;
    out.manifest = manifest;
    const bool is_current = load.number == current_number(load.store);
    return is_current ? refuse_unlinked(load, manifest, out.edit) : Status::ok;
}

}  // namespace

Status store_checkpoint_list(const Store& store, StoreCheckpoints& out, Writer& error) {
    out = {};
    if (store_list(*store.calls, store.dir_fd, ".", insert_number, &out) != Status::ok) {
        store_say_errno(store, error, "", "cannot be read");
        return Status::failed;
    }
    put_first(out, current_number(store));
    return Status::ok;
}

Status store_checkpoint_verify(const Store& store, uint32_t number, uint8_t* window, Manifest& out,
                               bool& sound, uint64_t rows[table_count], Writer& error) {
    uint32_t edited = 0;
    return verify({store, number, window, error}, out, sound, rows, edited);
}

Status store_checkpoint_load(const Store& store, uint32_t number, Book& book, uint8_t* window,
                             Writer& error) {
    StoreLoaded loaded = {};
    const Status status = load_one({store, number, window, error}, book, loaded);
    return loaded.edit.is_unlinked ? Status::ok : status;  // That file is no part of it.
}

Status store_load(Store& store, Book& book, uint8_t* window, uint32_t except, StoreLoaded& out,
                  Writer& error) {
    out = {};
    StoreCheckpoints list;
    if (store_checkpoint_list(store, list, error) != Status::ok) return Status::failed;
    for (uint32_t i = 0; i < list.count; i++) {
        if (list.numbers[i] == except) continue;
        const Load load = {store, list.numbers[i], window, error};
        error.size = 0;
        const Status status = load_one(load, book, out);
        if (status == Status::failed) return status;
        if (status == Status::ok) {
            store.checkpoint_good = out.number;
            error.size = 0;
            return status;
        }
        put_text(error, i + 1 < list.count ? "; the checkpoint before it is tried"
                                           : "; the journal is read from its first segment");
        store_log(LogLevel::warning, error);
    }
    error.size = 0;
    return Status::ok;
}

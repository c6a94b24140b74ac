#include <errno.h>
#include <fcntl.h>

#include "base/check.h"
#include "base/text.h"
#include "port/posix/store_file.h"

namespace {

constexpr const char* current_name = "current";
constexpr const char* current_new_name = "current.new";
constexpr const char* link_new_name = "link.new";

Status say(const Store& store, Writer& error, const char* path, const char* what) {
    const Status status = store_status_of_errno();
    store_say_errno(store, error, path, what);
    return status;
}

void unlink_in(const Store& store, uint32_t number, const char* file) {
    store.calls->unlink(store.dir_fd, store_path_in_checkpoint(number, file).text, 0);
}

int open_new(const Store& store, const char* file) {
    const StorePath path = store_path_in_checkpoint(store.checkpoint_newest, file);
    return store.calls->open(store.dir_fd, path.text, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
                             store_file_mode);
}

void close_tables(Store& store) {
    for (int& fd : store.table_fd) {
        if (fd >= 0) store.calls->close(fd);
        fd = -1;
    }
    if (store.checkpoint_fd >= 0) store.calls->close(store.checkpoint_fd);
    store.checkpoint_fd = -1;
    store.checkpoint_open = false;
}

// Reads a synced table back from the device and compares it with what was fed to it (F3).
Status verify(const Store& store, int fd, const SnapshotTable& expected) {
    const StoreCalls& calls = *store.calls;
    calls.forget(fd);  // A hint; a file system may not know it.
    uint8_t bytes[block_size];
    Hasher hasher;
    hasher_init(hasher);
    uint64_t size = 0;
    for (uint32_t got = sizeof bytes; got == sizeof bytes; size += got) {
        const Status status = store_read_all(calls, fd, bytes, sizeof bytes, size, got);
        if (status != Status::ok) return status;
        hasher_feed(hasher, {bytes, got});
    }
    errno = EIO;  // For the sentence, should the comparison fail.
    if (size != expected.size) return Status::failed;
    return hash_equal(hasher_finish(hasher), expected.hash) ? Status::ok : Status::failed;
}

Status finish_tables(Store& store, const Manifest& manifest, Writer& error) {
    for (uint32_t i = 0; i < table_count; i++) {
        const TableName table = static_cast<TableName>(i);
        if (!manifest_has(manifest, table)) {  // It is empty, and of a version not needed here.
            unlink_in(store, store.checkpoint_newest, table_name(table));
            continue;
        }
        const StorePath path =
            store_path_in_checkpoint(store.checkpoint_newest, table_name(table));
        if (store.calls->fsync(store.table_fd[i]) != 0) {
            return say(store, error, path.text, "cannot be synced");
        }
        if (verify(store, store.table_fd[i], manifest.tables[i]) != Status::ok) {
            return say(store, error, path.text, "does not read back as it was written");
        }
    }
    return Status::ok;
}

Status write_manifest(Store& store, Slice manifest, Writer& error) {
    const StoreCalls& calls = *store.calls;
    const StorePath path = store_path_in_checkpoint(store.checkpoint_newest, store_manifest_name);
    const int fd = open_new(store, store_manifest_name);
    if (fd < 0) return say(store, error, path.text, "cannot be made");
    Status status = store_write_all(calls, fd, manifest, 0);
    if (status == Status::ok && calls.fsync(fd) != 0) status = store_status_of_errno();
    if (status != Status::ok) store_say_errno(store, error, path.text, "cannot be written");
    calls.close(fd);
    if (status != Status::ok) return status;
    if (calls.fsync(store.checkpoint_fd) != 0 || calls.fsync(store.dir_fd) != 0) {
        return say(store, error, store_path_checkpoint(store.checkpoint_newest).text,
                   "cannot be synced");
    }
    return Status::ok;
}

// Puts a link in the place of a file that is none: nobody would find the tables of later
// checkpoints behind it.
Status replace_by_link(Store& store, const char* name, const char* target, Writer& error) {
    const StoreCalls& calls = *store.calls;
    calls.unlink(store.dir_fd, link_new_name, 0);  // Left by a crash, or not there.
    if (calls.symlink(target, store.dir_fd, link_new_name) != 0 ||
        calls.rename(store.dir_fd, link_new_name, name) != 0) {
        return say(store, error, name, "cannot be linked");
    }
    store_say(store, error, name, "was a file of its own; it is a link to the checkpoint's again");
    store_log(LogLevel::warning, error);
    error.size = 0;
    return Status::ok;
}

Status link_tables(Store& store, Writer& error) {
    const StoreCalls& calls = *store.calls;
    for (const TableName table : store_linked_tables) {
        const char* name = table_name(table);
        char text[32] = {};
        char found[32];
        Writer target = writer_of(reinterpret_cast<uint8_t*>(text), sizeof text - 1);
        put_text(target, "current/");
        put_text(target, name);
        if (calls.symlink(text, store.dir_fd, name) == 0) continue;
        if (errno != EEXIST) return say(store, error, name, "cannot be linked");
        if (calls.readlink(store.dir_fd, name, found, sizeof found) >= 0) continue;
        const Status status = replace_by_link(store, name, text, error);
        if (status != Status::ok) return status;
    }
    if (store.calls->fsync(store.dir_fd) != 0) return say(store, error, "", "cannot be synced");
    return Status::ok;
}

struct Removal {
    const Store& store;
    uint32_t kept;      // beside the newest
    uint32_t found;     // one to remove; 0 for none
};

void find_old(void* context, Slice name) {
    Removal& removal = *static_cast<Removal*>(context);
    const uint32_t number = store_number_of(name, "checkpoint.", "");
    if (number == 0 || number == removal.kept) return;
    if (number != removal.store.checkpoint_newest) removal.found = number;
}

// Old checkpoints are of no use; one that cannot be removed does no harm either.
void remove_old(Store& store, uint32_t kept) {
    constexpr uint32_t removals_max = 64;
    for (uint32_t i = 0; i < removals_max; i++) {
        Removal removal = {store, kept, 0};
        if (store_list(*store.calls, store.dir_fd, ".", find_old, &removal) != Status::ok) return;
        if (removal.found == 0) return;
        store_checkpoint_remove(store, removal.found);
    }
}

}  // namespace

void store_checkpoint_remove(const Store& store, uint32_t number) {
    unlink_in(store, number, store_manifest_name);  // First, so that half of one is never believed.
    for (uint32_t i = 0; i < table_count; i++) {
        unlink_in(store, number, table_name(static_cast<TableName>(i)));
    }
    store.calls->unlink(store.dir_fd, store_path_checkpoint(number).text, AT_REMOVEDIR);
}

Status store_checkpoint_switch(const Store& store, uint32_t number, Writer& error) {
    const StoreCalls& calls = *store.calls;
    calls.unlink(store.dir_fd, current_new_name, 0);  // Left by a crash, or not there.
    if (number == 0) {
        if (calls.unlink(store.dir_fd, current_name, 0) == 0 || errno == ENOENT) return Status::ok;
        return say(store, error, current_name, "cannot be removed");
    }
    const StorePath target = store_path_checkpoint(number);
    if (calls.symlink(target.text, store.dir_fd, current_new_name) != 0) {
        return say(store, error, current_new_name, "cannot be made");
    }
    if (calls.rename(store.dir_fd, current_new_name, current_name) != 0) {
        return say(store, error, current_name, "cannot be switched");
    }
    return Status::ok;
}

Status store_checkpoint_begin(Store& store, Writer& error) {
    CHECK(store.mode != StoreMode::read && !store.checkpoint_open);
    const StoreCalls& calls = *store.calls;
    store.checkpoint_newest++;
    store.checkpoint_open = true;
    const StorePath path = store_path_checkpoint(store.checkpoint_newest);
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    if (calls.mkdir(store.dir_fd, path.text, store_directory_mode) != 0) {
        return say(store, error, path.text, "cannot be made");
    }
    store.checkpoint_fd = calls.open(store.dir_fd, path.text, flags, 0);
    if (store.checkpoint_fd < 0) return say(store, error, path.text, "cannot be opened");
    for (uint32_t i = 0; i < table_count; i++) {
        const char* name = table_name(static_cast<TableName>(i));
        store.table_size[i] = 0;
        store.table_fd[i] = open_new(store, name);
        if (store.table_fd[i] < 0) return say(store, error, path.text, "cannot be filled");
    }
    return Status::ok;
}

Status store_checkpoint_append(Store& store, TableName table, Slice bytes, Writer& error) {
    CHECK(store.checkpoint_open);
    const uint32_t index = static_cast<uint32_t>(table);
    const Status status = store_write_all(*store.calls, store.table_fd[index], bytes,
                                          store.table_size[index]);
    if (status == Status::ok) {
        store.table_size[index] += bytes.size;
        return status;
    }
    const StorePath path = store_path_in_checkpoint(store.checkpoint_newest, table_name(table));
    store_say_errno(store, error, path.text, "cannot be written");
    return status;
}

Status store_checkpoint_finish(Store& store, Slice manifest, Writer& error) {
    CHECK(store.checkpoint_open);
    Manifest parsed;
    CHECK(manifest_parse(manifest, parsed) == Status::ok);
    Status status = finish_tables(store, parsed, error);
    if (status == Status::ok) status = write_manifest(store, manifest, error);
    if (status == Status::ok) {
        status = store_checkpoint_switch(store, store.checkpoint_newest, error);
    }
    if (status != Status::ok) return status;
    close_tables(store);  // From here on it is named, and must not be cancelled.
    status = link_tables(store, error);
    if (status != Status::ok) return status;
    const uint32_t before = store.checkpoint_good;
    store.checkpoint_good = store.checkpoint_newest;
    remove_old(store, before);
    return status;
}

void store_checkpoint_cancel(Store& store) {
    if (!store.checkpoint_open) return;
    close_tables(store);
    store_checkpoint_remove(store, store.checkpoint_newest);
}

namespace {

Status write_snapshot(Store& store, Book& book, Writer& rows, Writer& error) {
    constexpr uint32_t rows_max = 1024;
    while (!snapshot_is_done(book.snapshot)) {
        const TableName table = static_cast<TableName>(book.snapshot.table);
        rows.size = 0;
        // Both answers, more rows or the next table, are in the snapshot itself.
        const Status step = snapshot_step(book.snapshot, book.ledger, rows, rows_max);
        CHECK(step == Status::ok || step == Status::end);
        const Status status = store_checkpoint_append(store, table, writer_slice(rows), error);
        if (status != Status::ok) return status;
    }
    return Status::ok;
}

}  // namespace

Status store_checkpoint_now(Store& store, Book& book, uint8_t* buffer, uint32_t size, Hash& digest,
                            Writer& error) {
    CHECK(size >= manifest_size_max && size >= table_line_size_max);
    CHECK(log_is_idle(book.log) && !book.snapshot.active);
    Status status = store_checkpoint_begin(store, error);
    book_snapshot_begin(book);
    Writer rows = writer_of(buffer, size);
    if (status == Status::ok) status = write_snapshot(store, book, rows, error);
    Hash made = {};
    if (status == Status::ok) {
        rows.size = 0;
        made = manifest_format(book.snapshot, book.ledger, rows);
        status = store_checkpoint_finish(store, writer_slice(rows), error);
    }
    snapshot_end(book.snapshot, book.ledger);
    if (status == Status::ok) {
        digest = made;
    } else {
        store_checkpoint_cancel(store);
    }
    return status;
}

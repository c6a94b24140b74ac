#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "pennyctl/backup.h"
#include "pennyctl/bank_files.h"
#include "port/posix/store_file.h"
#include "port/posix/system.h"

namespace {

constexpr uint32_t small_file_max = 256 * 1024;  // bytes of a configuration or of a key
constexpr uint32_t certs_depth_max = 3;

struct Gather {
    const BankPlace& place;
    const Check& check;
    BackupSources& out;
    Writer& error;
};

Status refuse(Gather& gather, const char* path, const char* what) {
    gather.error.size = 0;
    put_text(gather.error, path);
    put_text(gather.error, ": ");
    put_text(gather.error, what);
    return Status::failed;
}

Status refuse_errno(Gather& gather, const char* path) {
    return refuse(gather, path, strerror(errno));
}

Status grow(Gather& gather) {
    BackupSources& out = gather.out;
    if (out.count < out.room) return Status::ok;
    const uint32_t room = out.room == 0 ? 64 : 2 * out.room;
    void* grown = realloc(out.rows, room * sizeof(BackupSource));
    if (grown == nullptr) return refuse(gather, gather.place.data.text, "no memory for its list");
    out.rows = static_cast<BackupSource*>(grown);
    out.room = room;
    return Status::ok;
}

// Adds a row whose size and hash are not known yet.
Status add(Gather& gather, const char* name, const char* path, BackupSource*& row) {
    if (!tar_name_is_safe(slice_of(name))) {
        return refuse(gather, path, "its name is too long for a backup, or has strange bytes");
    }
    const Status status = grow(gather);
    if (status != Status::ok) return status;
    row = &gather.out.rows[gather.out.count];
    *row = {};
    memcpy(row->file.name, name, strlen(name) + 1);
    row->path = strdup(path);
    if (row->path == nullptr) return refuse(gather, path, "no memory for its name");
    gather.out.count++;
    return Status::ok;
}

Status open_and_hash(BackupSource& row, uint64_t whole, uint64_t size) {
    const int fd = open(row.path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return Status::failed;
    struct stat facts;
    const bool is_file = fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode);
    Status status = is_file ? Status::ok : Status::failed;
    if (!is_file) errno = EINVAL;
    row.file.whole = whole != 0 ? whole : static_cast<uint64_t>(facts.st_size);
    row.file.size = whole != 0 ? size : row.file.whole;
    if (status == Status::ok) status = file_hash(fd, row.file.size, row.file.hash);
    const int why = status == Status::torn ? EIO : errno;
    close(fd);
    errno = why;
    return status == Status::ok ? status : Status::failed;
}

// Adds a file. With `whole` not 0 only its first `size` bytes are stored, of `whole`.
Status add_file(Gather& gather, const char* name, const char* path, uint64_t whole,
                uint64_t size) {
    BackupSource* row = nullptr;
    const Status status = add(gather, name, path, row);
    if (status != Status::ok) return status;
    if (open_and_hash(*row, whole, size) == Status::ok) return Status::ok;
    const bool is_gone = errno == ENOENT;
    const Status refused = refuse_errno(gather, path);
    return is_gone ? Status::absent : refused;
}

// A passphrase of the laboratory is as secret, and looks like nothing; `pennyctl lab` names it.
bool is_private_key(const Gather& gather, const char* name, const char* path) {
    static uint8_t text[small_file_max];
    const uint32_t size_of_name = slice_of(name).size;
    constexpr char passphrase[] = "/passphrase";
    constexpr uint32_t size_of_passphrase = sizeof passphrase - 1;
    if (size_of_name >= size_of_passphrase &&
        strcmp(name + size_of_name - size_of_passphrase, passphrase) == 0) {
        return true;
    }
    for (uint32_t i = 0; i < gather.place.config.listener_count; i++) {
        const char* value = gather.place.config.listeners[i].passphrase_file;
        if (value[0] != '\0' && strcmp(backup_name_of(value).text, name) == 0) return true;
    }
    uint32_t size = 0;
    const bool is_read = system_read_file(path, text, sizeof text, size) == Status::ok;
    constexpr char mark[] = "PRIVATE KEY-----";
    const bool is_key = is_read && memmem(text, size, mark, sizeof mark - 1) != nullptr;
    wipe(text, size);
    return is_key;
}

Status leave_out(Gather& gather, const char* name) {
    BackupSources& out = gather.out;
    void* grown = realloc(out.without, (out.without_count + 1) * sizeof(char*));
    if (grown == nullptr) return refuse(gather, name, "no memory for its name");
    out.without = static_cast<char**>(grown);
    out.without[out.without_count] = strdup(name);
    if (out.without[out.without_count] == nullptr) {
        return refuse(gather, name, "no memory for its name");
    }
    out.without_count++;
    return Status::ok;
}

// Certificates, keys, revocations.
Status add_certificate(Gather& gather, const char* name, const char* path) {
    for (uint32_t i = 0; i < gather.out.count; i++) {
        if (strcmp(gather.out.rows[i].file.name, name) == 0) return Status::ok;
    }
    for (uint32_t i = 0; i < gather.out.without_count; i++) {
        if (strcmp(gather.out.without[i], name) == 0) return Status::ok;
    }
    if (!tar_name_is_safe(slice_of(name))) {
        return refuse(gather, path, "its name is too long for a backup, or has strange bytes");
    }
    if (gather.out.keys_left_out && is_private_key(gather, name, path)) {
        return leave_out(gather, name);
    }
    return add_file(gather, name, path, 0, 0);
}

struct Folder {
    Gather& gather;
    const char* name;  // such as "certs/clients"
    const char* path;
    uint32_t depth;
};

Status add_folder(Gather& gather, const char* name, const char* path, uint32_t depth);

Status add_entry(void* context, const char* entry) {
    Folder& folder = *static_cast<Folder*>(context);
    Gather& gather = folder.gather;
    const ToolPath name = tool_path(folder.name, entry);
    const ToolPath path = tool_path(folder.path, entry);
    struct stat facts;
    if (path.text[0] == '\0' || stat(path.text, &facts) != 0) {
        return refuse_errno(gather, path.text[0] == '\0' ? folder.path : path.text);
    }
    if (S_ISREG(facts.st_mode)) return add_certificate(gather, name.text, path.text);
    if (!S_ISDIR(facts.st_mode)) return Status::ok;
    if (folder.depth == 0) return refuse(gather, path.text, "lies too deep for a backup");
    return add_folder(gather, name.text, path.text, folder.depth - 1);
}

Status add_folder(Gather& gather, const char* name, const char* path, uint32_t depth) {
    Folder folder = {gather, name, path, depth};
    gather.error.size = 0;
    const Status status = file_each(AT_FDCWD, path, add_entry, &folder);
    if (status == Status::ok || gather.error.size > 0 || errno == ENOENT) return status;
    return refuse_errno(gather, path);
}

Status add_conf(Gather& gather) {
    static uint8_t text[small_file_max];
    static uint8_t led[small_file_max];
    const char* path = gather.place.conf.text;
    uint32_t size = 0;
    if (system_read_file(path, text, sizeof text, size) != Status::ok) {
        return refuse_errno(gather, path);
    }
    Writer out = writer_of(led, sizeof led);
    Status status = backup_conf(gather.place, {text, size}, out, gather.error);
    BackupSource* row = nullptr;
    if (status == Status::ok) status = add(gather, "pennyd.conf", path, row);
    if (status != Status::ok) return status;
    row->content = writer_slice(out);
    row->file.size = row->file.whole = out.size;
    row->file.hash = hash_of(row->content);
    return Status::ok;
}

Status add_named(Gather& gather, const char* value) {
    if (value[0] == '\0') return Status::ok;
    return add_certificate(gather, backup_name_of(value).text,
                           place_resolve(gather.place, value).text);
}

// What a listener of the laboratory has. What is not there is made at each start.
Status add_lab_keys(Gather& gather, const char* folder) {
    const ToolPath from = place_resolve(gather.place, folder);
    const BackupName to = backup_name_of(folder);
    Status status = Status::ok;
    for (uint32_t i = 0; i < config_lab_file_count && status == Status::ok; i++) {
        const ToolPath path = tool_path(from.text, config_lab_files[i]);
        if (access(path.text, F_OK) != 0) continue;
        status = add_certificate(gather, tool_path(to.text, config_lab_files[i]).text, path.text);
    }
    return status;
}

Status add_around(Gather& gather) {
    const BankPlace& place = gather.place;
    Status status = add_conf(gather);
    const ToolPath client = tool_path(place.folder.text, "client.conf");
    if (status == Status::ok && access(client.text, F_OK) == 0) {
        status = add_file(gather, "client.conf", client.text, 0, 0);
    }
    const ToolPath certs = tool_path(place.folder.text, "certs");
    if (status == Status::ok && access(certs.text, F_OK) == 0) {
        status = add_folder(gather, "certs", certs.text, certs_depth_max);
    }
    const ToolPath lab = tool_path(place.folder.text, config_lab_keys);
    if (status == Status::ok && access(lab.text, F_OK) == 0) {
        status = add_folder(gather, config_lab_keys, lab.text, 0);
    }
    if (status == Status::ok) status = add_named(gather, place.config.message_key);
    const char* issuing[] = {place.config.issuing_certificate, place.config.issuing_key};
    for (const char* value : issuing) {
        const bool is_there = access(place_resolve(place, value).text, F_OK) == 0;
        if (status == Status::ok && is_there) status = add_named(gather, value);
    }
    for (uint32_t i = 0; status == Status::ok && i < place.config.listener_count; i++) {
        const ListenerConfig& listener = place.config.listeners[i];
        const char* values[] = {listener.certificate, listener.key, listener.ca, listener.crl,
                                listener.passphrase_file};
        for (const char* value : values) {
            if (status == Status::ok) status = add_named(gather, value);
        }
        if (status == Status::ok && listener.lab) status = add_lab_keys(gather, listener.lab_keys);
    }
    if (status != Status::absent) return status;
    return Status::failed;  // Only a checkpoint may go away beside a server.
}

Status add_data_file(Gather& gather, const char* name, uint64_t whole, uint64_t size) {
    const ToolPath path = tool_path(gather.place.data.text, name);
    return add_file(gather, tool_path("data", name).text, path.text, whole, size);
}

Status add_checkpoint(Gather& gather) {
    if (gather.check.list.count == 0) return Status::ok;
    const uint32_t number = gather.check.list.numbers[0];
    Status status = Status::ok;
    for (uint32_t i = 0; i <= table_count && status == Status::ok; i++) {
        const bool is_manifest = i == table_count;
        const TableName table = static_cast<TableName>(i);
        if (!is_manifest && !manifest_has(gather.check.manifests[0], table)) continue;
        const char* file = is_manifest ? store_manifest_name : table_name(table);
        status = add_data_file(gather, store_path_in_checkpoint(number, file).text, 0, 0);
    }
    return status;
}

// Every segment up to the one in which the sound part ends; of that one the sound part alone.
Status add_journal(Gather& gather) {
    const Recovery& end = gather.check.recovery;
    Status status = Status::ok;
    for (uint32_t segment = gather.check.segment_first;
         segment <= end.segment && status == Status::ok; segment++) {
        const StorePath name = store_path_segment(segment);
        const ToolPath path = tool_path(gather.place.data.text, name.text);
        struct stat facts;
        if (stat(path.text, &facts) != 0) return refuse_errno(gather, path.text);
        const uint64_t whole = static_cast<uint64_t>(facts.st_size);
        const uint64_t size = segment == end.segment ? end.offset : whole;
        if (size > whole) return refuse(gather, path.text, "became shorter meanwhile");
        status = add_data_file(gather, name.text, whole, size);
    }
    return status == Status::absent ? Status::failed : status;
}

Status add_if_there(Gather& gather, const char* name) {
    const ToolPath path = tool_path(gather.place.data.text, name);
    if (access(path.text, F_OK) != 0) return Status::ok;
    const Status status = add_data_file(gather, name, 0, 0);
    return status == Status::absent ? Status::ok : status;
}

int compare_names(const void* a, const void* b) {
    return strcmp(static_cast<const BackupSource*>(a)->file.name,
                  static_cast<const BackupSource*>(b)->file.name);
}

int compare_texts(const void* a, const void* b) {
    return strcmp(*static_cast<char* const*>(a), *static_cast<char* const*>(b));
}

}  // namespace

Status backup_gather(const BankPlace& place, const Check& check, BackupSources& out,
                     Writer& error) {
    Gather gather = {place, check, out, error};
    Status status = add_around(gather);
    if (status == Status::ok) status = add_checkpoint(gather);
    if (status == Status::ok) status = add_if_there(gather, "penalties");
    // Of what the server signed; the codes beside it, data/enrol, are secrets of a day and stay
    // out.
    if (status == Status::ok) status = add_if_there(gather, "issued");
    if (status == Status::ok) status = add_if_there(gather, "journal/ARCHIVED");
    if (status == Status::ok) status = add_journal(gather);
    if (status != Status::ok) return status;
    if (out.count > backup_files_max) {
        return refuse(gather, place.data.text, "has more files than a backup holds");
    }
    qsort(out.rows, out.count, sizeof(BackupSource), compare_names);
    if (out.without_count > 0) {
        qsort(out.without, out.without_count, sizeof(char*), compare_texts);
    }
    return Status::ok;
}

void backup_forget(BackupSources& sources) {
    for (uint32_t i = 0; i < sources.count; i++) free(sources.rows[i].path);
    for (uint32_t i = 0; i < sources.without_count; i++) free(sources.without[i]);
    free(sources.rows);
    free(sources.without);
    sources = {};
}

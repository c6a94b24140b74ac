#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "pennyctl/backup.h"
#include "pennyctl/bank_files.h"

namespace {

constexpr const char* name_pattern = "pennybank-dddd-dd-ddTddddddZ.tar";  // d is a digit

struct Found {
    BackupFileName* names;  // from malloc
    uint32_t count;
    uint32_t room;
    const char* folder;
    const uint8_t* bank_id;
};

// Notes backups of this bank; whatever else lies in the folder is left alone.
Status note(void* context, const char* name) {
    Found& found = *static_cast<Found*>(context);
    if (!backup_file_name_is_ours(name)) return Status::ok;
    uint8_t unsaid[PATH_MAX + 256];
    Writer error = writer_of(unsaid, sizeof unsaid);
    BackupBook book = {};
    const ToolPath path = tool_path(found.folder, name);
    if (path.text[0] == '\0' || backup_peek(path.text, book, error) != Status::ok) {
        return Status::ok;
    }
    if (memcmp(book.bank_id, found.bank_id, bank_id_size) != 0) return Status::ok;
    if (found.count == found.room) {
        const uint32_t room = found.room == 0 ? 64 : 2 * found.room;
        void* grown = realloc(found.names, room * sizeof(BackupFileName));
        if (grown == nullptr) return Status::failed;
        found.names = static_cast<BackupFileName*>(grown);
        found.room = room;
    }
    snprintf(found.names[found.count++].text, sizeof(BackupFileName), "%s", name);
    return Status::ok;
}

int compare_newest_first(const void* a, const void* b) {
    return strcmp(static_cast<const BackupFileName*>(b)->text,
                  static_cast<const BackupFileName*>(a)->text);
}

ExitCode remove_old(const Found& found, const char* made, uint32_t keep) {
    uint32_t kept = 1;  // the one just made, whatever its date
    for (uint32_t i = 0; i < found.count; i++) {
        const ToolPath path = tool_path(found.folder, found.names[i].text);
        if (strcmp(path.text, made) == 0) continue;
        if (kept < keep) {
            kept++;
            continue;
        }
        if (unlink(path.text) != 0) {
            return tool_refuse("the backup was made, but the old one %s cannot be removed: %s",
                               path.text, strerror(errno));
        }
        printf("removed  %s\n", path.text);
    }
    return exit_done;
}

void put_two(Writer& out, uint32_t value) {
    if (value < 10) put_u8(out, '0');
    put_decimal(out, value);
}

}  // namespace

BackupFileName backup_file_name(uint64_t wall_ms) {
    BackupFileName name = {};
    const CivilTime time = civil_time_of(wall_ms / 1000);
    Writer out = writer_of(reinterpret_cast<uint8_t*>(name.text), sizeof name.text - 1);
    put_text(out, "pennybank-");
    put_decimal(out, time.year);
    put_u8(out, '-');
    put_two(out, time.month);
    put_u8(out, '-');
    put_two(out, time.day);
    put_u8(out, 'T');
    put_two(out, time.hour);
    put_two(out, time.minute);
    put_two(out, time.second);
    put_text(out, "Z.tar");
    return name;
}

bool backup_file_name_is_ours(const char* name) {
    if (strlen(name) != strlen(name_pattern)) return false;
    for (uint32_t i = 0; name_pattern[i] != '\0'; i++) {
        const bool is_digit = name[i] >= '0' && name[i] <= '9';
        if (name_pattern[i] == 'd' ? !is_digit : name[i] != name_pattern[i]) return false;
    }
    return true;
}

ExitCode backup_keep(const char* folder, const char* made, const uint8_t* bank_id, uint32_t keep) {
    Found found = {nullptr, 0, 0, folder, bank_id};
    ExitCode code = exit_done;
    if (file_each(AT_FDCWD, folder, note, &found) != Status::ok) {
        code = tool_refuse("the backup was made, but %s cannot be read for old ones: %s", folder,
                           strerror(errno));
    }
    if (found.count > 0) {
        qsort(found.names, found.count, sizeof(BackupFileName), compare_newest_first);
    }
    if (code == exit_done) code = remove_old(found, made, keep);
    free(found.names);
    return code;
}

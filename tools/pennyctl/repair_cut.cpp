#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "pennyctl/bank_files.h"
#include "pennyctl/repair.h"
#include "port/posix/store_file.h"

namespace {

// The folder for copies, while it is filled.
struct Aside {
    Repair& repair;
    ToolPath path;
    int fd;
};

Status say(Repair& repair, const char* path, const char* what) {
    repair.error.size = 0;
    put_text(repair.error, path);
    put_text(repair.error, ": ");
    put_text(repair.error, what);
    return Status::failed;
}

Position place_of_damage(const Repair& repair) {
    return position_of(repair.check.recovery.segment, repair.check.recovery.offset);
}

ToolPath default_folder(const Repair& repair) {
    const CivilTime time = civil_time_of(tool_wall_ms() / 1000);
    char name[64];
    snprintf(name, sizeof name, "repair.%04u%02u%02uT%02u%02u%02uZ",
             static_cast<unsigned>(time.year), time.month, time.day, time.hour, time.minute,
             time.second);
    return tool_path(repair.place.data.text, name);
}

Status open_aside(Aside& aside, const char* copies) {
    Repair& repair = aside.repair;
    aside.path = copies == nullptr ? default_folder(repair) : tool_path("", copies);
    const bool may_be_there = copies != nullptr;
    if (mkdir(aside.path.text, 0700) != 0 && !(may_be_there && errno == EEXIST)) {
        return say(repair, aside.path.text, strerror(errno));
    }
    aside.fd = open(aside.path.text, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return aside.fd >= 0 ? Status::ok : say(repair, aside.path.text, strerror(errno));
}

// Copies data/PATH to NAME in the folder; nothing that is there is overwritten.
Status copy_aside(Aside& aside, const char* path, const char* name) {
    if (file_copy(aside.repair.check.store.dir_fd, path, aside.fd, name) == Status::ok) {
        return Status::ok;
    }
    const char* why = strerror(errno);
    return say(aside.repair, path, why);
}

Status copy_checkpoint(Aside& aside, uint32_t number) {
    const StorePath folder = store_path_checkpoint(number);
    if (mkdirat(aside.fd, folder.text, 0700) != 0) {
        return say(aside.repair, folder.text, strerror(errno));
    }
    Status status = Status::ok;
    for (uint32_t i = 0; i <= table_count && status == Status::ok; i++) {
        const char* file =
            i == table_count ? store_manifest_name : table_name(static_cast<TableName>(i));
        const StorePath path = store_path_in_checkpoint(number, file);
        status = copy_aside(aside, path.text, path.text);
        if (status != Status::ok && errno == ENOENT) status = Status::ok;  // It was not there.
    }
    if (status != Status::ok || file_sync_folder(aside.fd, folder.text) == Status::ok) {
        return status;
    }
    return say(aside.repair, folder.text, strerror(errno));
}

// The names of the copies and the folder's own.
Status close_aside(Aside& aside) {
    const ToolPath around = place_folder_of(aside.path.text);
    const bool is_synced =
        fsync(aside.fd) == 0 && file_sync_folder(AT_FDCWD, around.text) == Status::ok;
    const Status status =
        is_synced ? Status::ok : say(aside.repair, aside.path.text, strerror(errno));
    close(aside.fd);
    aside.fd = -1;
    return status;
}

Status copy_journal(Aside& aside) {
    const Check& check = aside.repair.check;
    Status status = Status::ok;
    for (uint32_t segment = check.recovery.segment;
         segment <= check.segment_last && status == Status::ok; segment++) {
        const StorePath path = store_path_segment(segment);
        status = copy_aside(aside, path.text, path.text + strlen("journal/"));
    }
    for (uint32_t i = 0; i < check.list.count && status == Status::ok; i++) {
        if (check.manifests[i].mark.end <= place_of_damage(aside.repair)) continue;
        status = copy_checkpoint(aside, check.list.numbers[i]);
    }
    return status;
}

// The newest good checkpoint that ends no later; 0 for none.
uint32_t good_checkpoint_until(const Repair& repair, Position place) {
    const Check& check = repair.check;
    uint32_t best = check.list.count;
    for (uint32_t i = 0; i < check.list.count; i++) {
        const Position end = check.manifests[i].mark.end;
        if (!repair.tables_are_good[i] || end > place) continue;
        if (best == check.list.count || end > check.manifests[best].mark.end) best = i;
    }
    return best == check.list.count ? 0 : check.list.numbers[best];
}

Status remove_checkpoints_behind(Repair& repair, Position place) {
    Check& check = repair.check;
    for (uint32_t i = 0; i < check.list.count; i++) {
        if (check.manifests[i].mark.end > place) {
            store_checkpoint_remove(check.store, check.list.numbers[i]);
        }
    }
    const Status status =
        store_checkpoint_switch(check.store, good_checkpoint_until(repair, place), repair.error);
    if (status != Status::ok) return Status::failed;
    return fsync(check.store.dir_fd) == 0 ? status
                                          : say(repair, check.store.dir, strerror(errno));
}

const char* newest_archive(const Repair& repair) {
    const Archived& archived = repair.check.archived;
    return archived.parts[archived.part_count - 1].name;
}

bool refuse_cut(Repair& repair, const char* why) {
    put_text(repair.error, "; ");
    put_text(repair.error, why);
    return false;
}

// True when a start begins behind the damage and so never meets it.
bool start_is_behind(const Repair& repair) {
    const Check& check = repair.check;
    for (uint32_t i = 0; i < check.list.count; i++) {
        if (repair.tables_are_good[i] &&
            position_segment(check.manifests[i].mark.end) > check.recovery.segment) {
            return true;
        }
    }
    return false;
}

}  // namespace

bool repair_can_cut(Repair& repair) {
    const CheckDamage& damage = repair.check.damage;
    if (!damage.is_there) {
        return refuse_cut(repair, "no disk does that, so nothing is dropped: restore a backup");
    }
    if (damage.is_missing) {
        return refuse_cut(repair, "that cannot be mended by dropping: put the segment back from a "
                                  "backup, or restore one with `pennyctl restore`");
    }
    if (damage.found != RecoveryFound::junk && damage.found != RecoveryFound::blank) {
        return refuse_cut(repair, "these bytes are not damaged but of another place, bank or "
                                  "version, or the file has another length: put the segment back "
                                  "from a backup, or restore one with `pennyctl restore`");
    }
    if (start_is_behind(repair)) {
        return refuse_cut(repair, "a start does not read it, the balances are safe, and dropping "
                                  "would lose them: put the segment back from a backup");
    }
    if (check_is_anchored(repair.check) &&
        good_checkpoint_until(repair, place_of_damage(repair)) == 0) {
        refuse_cut(repair, "no checkpoint ends before it, and the first segments are in the "
                           "archive ");
        put_text(repair.error, newest_archive(repair));
        put_text(repair.error, ": copy them back into journal/ first, or restore a backup");
        return false;
    }
    if (!repair.check.recovery.bank_known || repair.check.recovery.batch_seq == 0) {
        return refuse_cut(repair, "nothing would be left: restore a backup");
    }
    return true;
}

Status repair_cut(Repair& repair, const char* copies) {
    Check& check = repair.check;
    const Recovery at = check.recovery;
    const Position place = place_of_damage(repair);
    Aside aside = {repair, {}, -1};
    Status status = open_aside(aside, copies);
    if (status != Status::ok) return status;
    status = copy_journal(aside);
    const Status closed = close_aside(aside);  // Q1
    if (status == Status::ok) status = closed;
    if (status == Status::ok) status = remove_checkpoints_behind(repair, place);
    if (status == Status::ok) {
        status = store_journal_drop(check.store, at.segment, at.offset, check.segment_last,
                                    repair.error);
    }
    if (status != Status::ok) return Status::failed;
    printf("copies   %s\n", aside.path.text);
    return repair_look(repair) == Status::ok ? Status::ok : Status::failed;
}

namespace {

bool is_plain_file(int dir, const char* name) {
    struct stat facts;
    return fstatat(dir, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(facts.st_mode);
}

constexpr const char* linked_names[] = {"passwd", "balance"};

// Many an editor puts a file of its own in the place of a link.
Status put_link_back(Repair& repair, const char* name) {
    const int dir = repair.check.store.dir_fd;
    char target[32];
    snprintf(target, sizeof target, "current/%s", name);
    const char* made = "link.making";
    unlinkat(dir, made, 0);
    const bool is_back = symlinkat(target, dir, made) == 0 && renameat(dir, made, dir, name) == 0;
    return is_back ? Status::ok : say(repair, name, strerror(errno));
}

// Which checkpoint is good and stays; list.count for none.
uint32_t good_index(const Repair& repair) {
    uint32_t i = 0;
    while (i < repair.check.list.count && !repair.tables_are_good[i]) i++;
    return i;
}

Status forget_checkpoint(Aside& aside, uint32_t index) {
    Repair& repair = aside.repair;
    const uint32_t number = repair.check.list.numbers[index];
    const Status status = copy_checkpoint(aside, number);
    if (status != Status::ok) return status;
    if (fsync(aside.fd) != 0) return say(repair, aside.path.text, strerror(errno));
    const uint32_t good = good_index(repair);
    const uint32_t current = good == repair.check.list.count ? 0 : repair.check.list.numbers[good];
    if (store_checkpoint_switch(repair.check.store, current, repair.error) != Status::ok) {
        return Status::failed;
    }
    store_checkpoint_remove(repair.check.store, number);
    printf("put aside checkpoint %u, as it was changed\n", number);
    return Status::ok;
}

Status forget_file(Aside& aside, const char* name) {
    Status status = copy_aside(aside, name, name);
    if (status == Status::ok && fsync(aside.fd) != 0) {
        status = say(aside.repair, aside.path.text, strerror(errno));
    }
    if (status == Status::ok) status = put_link_back(aside.repair, name);
    if (status == Status::ok) printf("put aside %s, which stood in the place of a link\n", name);
    return status;
}

Status forget_all(Aside& aside) {
    Repair& repair = aside.repair;
    Status status = Status::ok;
    for (uint32_t i = 0; i < repair.check.list.count && status == Status::ok; i++) {
        if (!repair.tables_are_good[i]) status = forget_checkpoint(aside, i);
    }
    for (const char* name : linked_names) {
        if (status == Status::ok && is_plain_file(repair.check.store.dir_fd, name)) {
            status = forget_file(aside, name);
        }
    }
    if (status == Status::ok && fsync(repair.check.store.dir_fd) != 0) {
        status = say(repair, repair.check.store.dir, strerror(errno));
    }
    return status;
}

}  // namespace

Status repair_forget_edits(Repair& repair, const char* copies) {
    const Check& check = repair.check;
    uint32_t edits = 0;
    for (uint32_t i = 0; i < check.list.count; i++) edits += repair.tables_are_good[i] ? 0 : 1;
    const uint32_t edited_checkpoints = edits;
    for (const char* name : linked_names) edits += is_plain_file(check.store.dir_fd, name) ? 1 : 0;
    if (edits == 0) return Status::absent;
    if (edited_checkpoints > 0 && check_is_anchored(check) &&
        good_index(repair) == check.list.count) {
        const Status refused = say(repair, check.store.dir,
                                   "no other checkpoint is sound, and the first segments are in "
                                   "the archive ");
        put_text(repair.error, newest_archive(repair));
        put_text(repair.error, ": copy them back into journal/ first, or restore a backup");
        return refused;
    }
    Aside aside = {repair, {}, -1};
    Status status = open_aside(aside, copies);
    if (status != Status::ok) return status;
    status = forget_all(aside);
    const Status closed = close_aside(aside);
    if (status == Status::ok) status = closed;
    if (status == Status::ok) printf("copies   %s\n", aside.path.text);
    return status;
}

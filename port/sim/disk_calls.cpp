#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "port/sim/disk_parts.h"

namespace {

// What a call may do, for the faults that strike only some.
enum class Does : uint8_t { look, read, change, take_room, sync, close };

bool can_strike(const SimFaultPlan& plan, Does does, bool is_write, bool is_transfer) {
    switch (plan.fault) {
        case SimFault::none: return false;
        case SimFault::error:
            if (does == Does::close) return false;
            if (plan.code == EROFS) return does != Does::look && does != Does::read;
            if (plan.code == ENOSPC || plan.code == EDQUOT) {
                return does == Does::take_room || does == Does::sync;
            }
            return true;
        case SimFault::short_call: return is_transfer;
        case SimFault::flip:
        case SimFault::misdirect: return is_write;
        case SimFault::lie: return does == Does::sync;
        case SimFault::cut: return true;
        case SimFault::unreadable: return does == Does::read;
    }
    CHECK(false);
    return false;
}

// Counts a call and tells which fault strikes it.
SimFault strike(Does does, bool is_write = false, bool is_transfer = false) {
    sim_disk.counts.calls++;
    const SimFaultPlan& plan = sim_disk.plan;
    const uint64_t call = sim_disk.plan_calls++;
    if (call < sim_disk.plan_next || !can_strike(plan, does, is_write, is_transfer)) {
        return SimFault::none;
    }
    sim_disk.plan_next = plan.for_good      ? call + 1
                         : plan.period != 0 ? call + plan.period
                                            : UINT64_MAX;
    sim_disk.counts.by_fault[static_cast<uint32_t>(plan.fault)]++;
    return plan.fault;
}

int fail(int code) {
    errno = code;
    return -1;
}

// The end of a call: when the power went during it, nobody hears of its outcome (K3).
int end(SimFault fault, int answer) {
    if (fault != SimFault::cut) return answer;
    sim_disk_cut();
    return fail(EIO);
}

SimDescriptor* descriptor_of(int fd) {
    const int index = fd - sim_descriptor_first;
    if (index < 0 || index >= static_cast<int>(sim_descriptors_max)) return nullptr;
    SimDescriptor& descriptor = sim_disk.descriptors[index];
    return descriptor.is_open ? &descriptor : nullptr;
}

const SimNode& node_of(uint32_t inode) {
    const SimNode* node = sim_disk.cached.nodes[inode];
    CHECK(node != nullptr);
    return *node;
}

bool is_directory(uint32_t inode) { return node_of(inode).kind == SimKind::directory; }

// Where a path leads: the directory of its last name, and what stands there.
struct Found {
    uint32_t directory;
    SimName name;    // empty for the root, `.` and `..`
    uint32_t inode;  // sim_inode_none when there is nothing
};

constexpr uint32_t links_max = 8;   // followed in one path
constexpr uint32_t path_max = 256;  // bytes

// Cuts the next name off a path. Returns 0 or errno.
int cut_name(const char*& path, SimName& out) {
    out = {};
    while (*path == '/') path++;
    uint32_t size = 0;
    while (path[size] != '\0' && path[size] != '/') size++;
    if (size > sim_name_size_max) return ENAMETOOLONG;
    memcpy(out.text, path, size);
    path += size;
    while (*path == '/') path++;
    return 0;
}

uint32_t step_to(uint32_t directory, SimName& name) {
    if (strcmp(name.text, "..") == 0) {
        name = {};
        return sim_disk.parent[directory];
    }
    if (name.text[0] == '\0' || strcmp(name.text, ".") == 0) {
        name = {};
        return directory;
    }
    return sim_node_find(node_of(directory), name.text);
}

enum class Last : uint8_t { follow, keep };  // a link at the end of a path

// Puts the target of a link in front of the rest of the path. Returns 0 or errno.
int splice(uint32_t link, const char* rest, char* out) {
    char target[path_max] = {};
    const size_t size = static_cast<size_t>(
        sim_node_read(node_of(link), reinterpret_cast<uint8_t*>(target), sizeof target - 1, 0));
    const size_t left = strlen(rest);
    if (size + 1 + left >= path_max) return ENAMETOOLONG;
    char joined[path_max] = {};
    memcpy(joined, target, size);
    if (left > 0) joined[size] = '/';
    memcpy(joined + size + (left > 0 ? 1 : 0), rest, left);
    memcpy(out, joined, path_max);
    return 0;
}

// Walks a path. Returns 0, also when only its last name is not there; otherwise errno.
int walk(uint32_t start, const char* path, Last last, Found& out) {
    char text[path_max] = {};
    if (*path == '\0') return ENOENT;
    if (strlen(path) >= path_max) return ENAMETOOLONG;
    memcpy(text, path, strlen(path));
    const char* left = text;
    out = {start, {}, start};
    for (uint32_t links = 0; *left != '\0';) {
        if (*left == '/' && left == text) out.inode = sim_root;
        if (out.inode == sim_inode_none) return ENOENT;
        if (!is_directory(out.inode)) return ENOTDIR;
        out.directory = out.inode;
        const int code = cut_name(left, out.name);
        if (code != 0) return code;
        out.inode = step_to(out.directory, out.name);
        const bool is_last = *left == '\0';
        if (out.inode == sim_inode_none || node_of(out.inode).kind != SimKind::link) continue;
        if (is_last && last == Last::keep) return 0;
        if (++links > links_max) return ELOOP;
        const int spliced = splice(out.inode, left, text);
        if (spliced != 0) return spliced;
        left = text;
        out.inode = out.directory;
    }
    return 0;
}

// As walk, from a descriptor.
int walk_from(int dir, const char* path, Last last, Found& out) {
    if (dir == AT_FDCWD || *path == '/') return walk(sim_root, path, last, out);
    const SimDescriptor* descriptor = descriptor_of(dir);
    if (descriptor == nullptr) return EBADF;
    if (!is_directory(descriptor->inode)) return ENOTDIR;
    return walk(descriptor->inode, path, last, out);
}

// Does a change of names now, and adds it to what is not synced.
void change_names(SimOp* op) {
    sim_op_apply(sim_disk.cached, *op);
    sim_disk_add_op(op);
}

// Makes something new at a place. Returns its inode, or sim_inode_none when the disk is full.
uint32_t make(const Found& place, SimNode* born) {
    const uint32_t inode = sim_disk_new_inode();
    if (inode == sim_inode_none || sim_volume_bytes() > sim_disk_bytes_max) {
        sim_node_drop(born);
        return sim_inode_none;
    }
    SimOp* op = sim_op_new(SimOpKind::add, inode);
    op->born = born;
    op->to_dir = place.directory;
    op->to = place.name;
    op->to.inode = inode;
    op->from_dir = place.directory;
    sim_disk.parent[inode] = place.directory;
    sim_disk.is_stale[inode] = false;
    sim_disk.is_lock[inode] = strcmp(place.name.text, "lock") == 0;
    change_names(op);
    return inode;
}

void cut_file(uint32_t inode, uint64_t size) {
    if (node_of(inode).size == size) return;
    SimOp* op = sim_op_new(SimOpKind::truncate, inode);
    op->size = size;
    sim_op_apply(sim_disk.cached, *op);
    sim_disk_add_op(op);
}

int open_inode(uint32_t inode, int flags) {
    for (uint32_t i = 0; i < sim_descriptors_max; i++) {
        SimDescriptor& descriptor = sim_disk.descriptors[i];
        if (descriptor.is_open) continue;
        const int access = flags & O_ACCMODE;
        descriptor = {true, access != O_WRONLY, access != O_RDONLY, inode, 0};
        return sim_descriptor_first + static_cast<int>(i);
    }
    return fail(EMFILE);
}

int open_found(Found& found, int flags) {
    const bool may_write = (flags & O_ACCMODE) != O_RDONLY;
    if (found.inode == sim_inode_none) {
        if ((flags & O_CREAT) == 0) return fail(ENOENT);
        found.inode = make(found, sim_node_new(SimKind::file));
        if (found.inode == sim_inode_none) return fail(ENOSPC);
        return open_inode(found.inode, flags);
    }
    if ((flags & O_CREAT) != 0 && (flags & O_EXCL) != 0) return fail(EEXIST);
    const SimKind kind = node_of(found.inode).kind;
    if (kind == SimKind::link) return fail(ELOOP);
    if (kind != SimKind::directory && (flags & O_DIRECTORY) != 0) return fail(ENOTDIR);
    if (kind == SimKind::directory && (may_write || (flags & O_CREAT) != 0)) return fail(EISDIR);
    if ((flags & O_TRUNC) != 0 && may_write) cut_file(found.inode, 0);
    return open_inode(found.inode, flags);
}

int call_open(int dir, const char* path, int flags, uint32_t mode) {
    (void)mode;  // There is one user.
    if (sim_disk.is_cut) return fail(EIO);
    const bool makes = (flags & O_CREAT) != 0;
    const bool changes = makes || (flags & O_ACCMODE) != O_RDONLY;
    const SimFault fault = strike(makes     ? Does::take_room
                                  : changes ? Does::change
                                            : Does::look);
    if (fault == SimFault::error) return fail(sim_disk.plan.code);
    const bool keeps = (flags & O_NOFOLLOW) != 0 || (makes && (flags & O_EXCL) != 0);
    Found found;
    const int code = walk_from(dir, path, keeps ? Last::keep : Last::follow, found);
    if (code != 0) return end(fault, fail(code));
    return end(fault, open_found(found, flags));
}

int call_close(int fd) {
    if (sim_disk.is_cut) return fail(EIO);
    const SimFault fault = strike(Does::close);
    SimDescriptor* descriptor = descriptor_of(fd);
    if (descriptor == nullptr) return fail(EBADF);
    uint32_t& holder = sim_disk.holder[descriptor->inode];
    if (holder == static_cast<uint32_t>(fd - sim_descriptor_first) + 1) holder = 0;
    *descriptor = {};
    return end(fault, 0);
}

// One byte less than asked, or one byte.
uint64_t shorten(uint64_t size) {
    return sim_random_chance(sim_disk.random, 50) ? size - 1 : 1;
}

int64_t call_pread(int fd, void* out, uint64_t size, uint64_t offset) {
    if (sim_disk.is_cut) return fail(EIO);
    const SimFault fault = strike(Does::read, false, size > 1);
    if (fault == SimFault::error) return fail(sim_disk.plan.code);
    if (fault == SimFault::unreadable) return fail(EIO);
    const SimDescriptor* descriptor = descriptor_of(fd);
    if (descriptor == nullptr || !descriptor->may_read) return fail(EBADF);
    if (is_directory(descriptor->inode)) return fail(EISDIR);
    if (fault == SimFault::cut) return end(fault, 0);
    if (fault == SimFault::short_call) size = shorten(size);
    return static_cast<int64_t>(sim_node_read(node_of(descriptor->inode),
                                              static_cast<uint8_t*>(out), size, offset));
}

// The write as the disk will see it: whole sectors, as the cache has them (V1).
SimOp* op_of_write(uint32_t inode, uint64_t size, uint64_t offset) {
    const SimNode& node = node_of(inode);
    SimOp* op = sim_op_new(SimOpKind::write, inode);
    op->offset = offset - offset % sim_sector_size;
    uint64_t to = (offset + size + sim_sector_size - 1) / sim_sector_size * sim_sector_size;
    if (to > node.size) to = node.size;
    const uint64_t whole = to - op->offset;
    uint8_t* bytes = static_cast<uint8_t*>(malloc(static_cast<size_t>(whole)));
    CHECK(bytes != nullptr);
    sim_node_read(node, bytes, whole, op->offset);
    sim_op_take_data(*op, bytes, whole);
    free(bytes);
    return op;
}

void flip_bit(SimOp& op) {
    const uint64_t bit = sim_random_below(sim_disk.random, 8 * op.size);
    uint8_t* bytes = static_cast<uint8_t*>(calloc(1, static_cast<size_t>(op.size)));
    CHECK(bytes != nullptr);
    if (op.data != nullptr) memcpy(bytes, op.data, static_cast<size_t>(op.size));
    bytes[bit / 8] = static_cast<uint8_t>(bytes[bit / 8] ^ 1u << bit % 8);
    SimOp* fresh = sim_op_new(SimOpKind::write, op.inode);
    sim_op_take_data(*fresh, bytes, op.size);
    free(bytes);
    uint8_t* data = op.data;
    op.data = fresh->data;
    fresh->data = data;
    sim_op_drop(fresh);
    sim_disk.is_stale[op.inode] = true;
}

// Another place in which the bytes would fit too, on the same file or another one.
bool misdirect(SimOp& op) {
    uint32_t inodes[sim_inodes_max];
    uint32_t count = 0;
    for (uint32_t i = 0; i < sim_inodes_max; i++) {
        const SimNode* node = sim_disk.cached.nodes[i];
        if (node == nullptr || node->kind != SimKind::file || sim_disk.is_lock[i]) continue;
        if (node->size >= op.size) inodes[count++] = i;
    }
    if (count == 0) return false;
    const uint32_t inode = inodes[sim_random_below(sim_disk.random, count)];
    const uint64_t places = (node_of(inode).size - op.size) / sim_sector_size + 1;
    const uint64_t offset = sim_random_below(sim_disk.random, places) * sim_sector_size;
    sim_disk.is_stale[op.inode] = true;
    sim_disk.is_stale[inode] = true;
    op.inode = inode;
    op.offset = offset;
    return true;
}

void write_bytes(uint32_t inode, const uint8_t* data, uint64_t size, uint64_t offset,
                 SimFault fault) {
    if (size == 0) return;
    sim_volume_write(sim_disk.cached, inode, data, size, offset);
    SimOp* op = op_of_write(inode, size, offset);
    if (fault == SimFault::flip) flip_bit(*op);
    if (fault == SimFault::misdirect) (void)misdirect(*op);
    sim_disk_add_op(op);
    sim_disk.counts.bytes_written += size;
}

int64_t call_pwrite(int fd, const void* data, uint64_t size, uint64_t offset) {
    if (sim_disk.is_cut) return fail(EIO);
    const SimDescriptor* descriptor = descriptor_of(fd);
    const bool is_lock = descriptor != nullptr && sim_disk.is_lock[descriptor->inode];
    const SimFault fault = strike(Does::take_room, size > 0 && !is_lock, size > 1);
    if (descriptor == nullptr || !descriptor->may_write) return fail(EBADF);
    if (offset + size > sim_file_size_max) return fail(EFBIG);
    const uint8_t* bytes = static_cast<const uint8_t*>(data);
    if (fault == SimFault::error) {
        const uint64_t part = sim_random_below(sim_disk.random, 2 * size + 1);  // K5
        if (part < size) write_bytes(descriptor->inode, bytes, part, offset, SimFault::none);
        return fail(sim_disk.plan.code);
    }
    if (sim_volume_bytes() > sim_disk_bytes_max) return fail(ENOSPC);
    if (fault == SimFault::short_call) size = shorten(size);
    write_bytes(descriptor->inode, bytes, size, offset, fault);
    return fault == SimFault::cut ? end(fault, 0) : static_cast<int64_t>(size);
}

int call_sync(int fd) {
    if (sim_disk.is_cut) return fail(EIO);
    const SimFault fault = strike(Does::sync);
    const SimDescriptor* descriptor = descriptor_of(fd);
    if (descriptor == nullptr) return fail(EBADF);
    sim_disk.counts.syncs++;
    if (sim_disk.is_recording) {
        bool has_some = false;
        for (uint32_t i = 0; i < sim_disk.op_count && !has_some; i++) {
            has_some = sim_op_is_of(*sim_disk.ops[i], descriptor->inode);
        }
        if (has_some) sim_disk_save();
    }
    if (fault == SimFault::cut) return end(fault, 0);
    if (fault == SimFault::lie) return 0;
    sim_disk_sync_inode(descriptor->inode,
                        fault == SimFault::error ? SimSync::lost : SimSync::done);
    return fault == SimFault::error ? fail(sim_disk.plan.code) : 0;
}

int call_rename(int dir, const char* from, const char* to) {
    if (sim_disk.is_cut) return fail(EIO);
    const SimFault fault = strike(Does::take_room);
    if (fault == SimFault::error) return fail(sim_disk.plan.code);
    Found source;
    Found target;
    int code = walk_from(dir, from, Last::keep, source);
    if (code == 0) code = walk_from(dir, to, Last::keep, target);
    if (code == 0 && source.inode == sim_inode_none) code = ENOENT;
    if (code != 0) return end(fault, fail(code));
    if (source.name.text[0] == '\0' || target.name.text[0] == '\0') return end(fault, fail(EBUSY));
    if (is_directory(source.inode)) return end(fault, fail(EXDEV));  // Nobody here renames one.
    if (target.inode == source.inode) return end(fault, 0);
    if (target.inode != sim_inode_none && is_directory(target.inode)) {
        return end(fault, fail(EISDIR));
    }
    SimOp* op = sim_op_new(SimOpKind::rename, source.inode);
    const SimNode& node = node_of(source.inode);
    op->born = node.kind == SimKind::link ? sim_node_hold(sim_disk.cached.nodes[source.inode])
                                          : sim_node_new(node.kind);
    op->from_dir = source.directory;
    op->from = source.name;
    op->to_dir = target.directory;
    op->to = target.name;
    op->to.inode = source.inode;
    change_names(op);
    return end(fault, 0);
}

int remove_found(const Found& found, int flags) {
    if (found.inode == sim_inode_none) return fail(ENOENT);
    if (found.name.text[0] == '\0') return fail(EBUSY);
    const SimNode& node = node_of(found.inode);
    const bool is_folder = node.kind == SimKind::directory;
    if ((flags & AT_REMOVEDIR) != 0 && !is_folder) return fail(ENOTDIR);
    if ((flags & AT_REMOVEDIR) == 0 && is_folder) return fail(EISDIR);
    if (is_folder && node.name_count > 0) return fail(ENOTEMPTY);
    SimOp* op = sim_op_new(SimOpKind::remove, found.inode);
    op->from_dir = op->to_dir = found.directory;
    op->from = found.name;
    change_names(op);
    return 0;
}

int call_unlink(int dir, const char* path, int flags) {
    if (sim_disk.is_cut) return fail(EIO);
    const SimFault fault = strike(Does::change);
    if (fault == SimFault::error) return fail(sim_disk.plan.code);
    Found found;
    const int code = walk_from(dir, path, Last::keep, found);
    return end(fault, code != 0 ? fail(code) : remove_found(found, flags));
}

int make_at(int dir, const char* path, SimNode* born) {
    const SimFault fault = strike(Does::take_room);
    Found found = {};
    int code = fault == SimFault::error ? sim_disk.plan.code
                                        : walk_from(dir, path, Last::keep, found);
    if (code == 0 && found.inode != sim_inode_none) code = EEXIST;
    if (code != 0) {
        sim_node_drop(born);
        return end(fault, fail(code));
    }
    return end(fault, make(found, born) == sim_inode_none ? fail(ENOSPC) : 0);
}

int call_mkdir(int dir, const char* path, uint32_t mode) {
    (void)mode;
    if (sim_disk.is_cut) return fail(EIO);
    return make_at(dir, path, sim_node_new(SimKind::directory));
}

int call_symlink(const char* target, int dir, const char* path) {
    if (sim_disk.is_cut) return fail(EIO);
    SimVolume volume = {};
    sim_volume_own(volume, sim_root, SimKind::link);
    sim_volume_write(volume, sim_root, reinterpret_cast<const uint8_t*>(target), strlen(target),
                     0);
    return make_at(dir, path, volume.nodes[sim_root]);
}

int64_t call_readlink(int dir, const char* path, char* out, uint64_t size) {
    if (sim_disk.is_cut) return fail(EIO);
    const SimFault fault = strike(Does::look);
    if (fault == SimFault::error) return fail(sim_disk.plan.code);
    Found found;
    int code = walk_from(dir, path, Last::keep, found);
    if (code == 0 && found.inode == sim_inode_none) code = ENOENT;
    if (code == 0 && node_of(found.inode).kind != SimKind::link) code = EINVAL;
    if (code != 0 || fault == SimFault::cut) return end(fault, fail(code));
    return static_cast<int64_t>(
        sim_node_read(node_of(found.inode), reinterpret_cast<uint8_t*>(out), size, 0));
}

// One entry as getdents64 lays it out. Returns its size, or 0 when there is no room.
uint64_t put_entry(uint8_t* out, uint64_t room, uint32_t inode, const char* name, uint32_t place) {
    constexpr uint8_t types[] = {8, 4, 10};  // DT_REG, DT_DIR, DT_LNK
    const uint64_t head = 8 + 8 + 2 + 1;
    const uint64_t size = (head + strlen(name) + 1 + 7) / 8 * 8;
    if (size > room) return 0;
    memset(out, 0, static_cast<size_t>(size));
    const uint64_t number = inode + 1;  // 0 would be no inode.
    const uint64_t next = place + 1;
    const uint16_t whole = static_cast<uint16_t>(size);
    memcpy(out, &number, 8);
    memcpy(out + 8, &next, 8);
    memcpy(out + 16, &whole, 2);
    out[18] = types[static_cast<uint32_t>(node_of(inode).kind)];
    memcpy(out + head, name, strlen(name));
    return size;
}

int64_t list_into(SimDescriptor& descriptor, uint8_t* out, uint64_t room) {
    const SimNode& node = node_of(descriptor.inode);
    uint64_t done = 0;
    for (; descriptor.listed < node.name_count + 2; descriptor.listed++) {
        const uint32_t place = descriptor.listed;
        const uint32_t inode = place == 0   ? descriptor.inode
                               : place == 1 ? sim_disk.parent[descriptor.inode]
                                            : node.names[place - 2].inode;
        const char* name = place == 0 ? "." : place == 1 ? ".." : node.names[place - 2].text;
        const uint64_t size = put_entry(out + done, room - done, inode, name, place);
        if (size == 0) return done == 0 ? fail(EINVAL) : static_cast<int64_t>(done);
        done += size;
    }
    return static_cast<int64_t>(done);
}

int64_t call_list(int fd, void* out, uint64_t size) {
    if (sim_disk.is_cut) return fail(EIO);
    const SimFault fault = strike(Does::look);
    if (fault == SimFault::error) return fail(sim_disk.plan.code);
    SimDescriptor* descriptor = descriptor_of(fd);
    if (descriptor == nullptr) return fail(EBADF);
    if (!is_directory(descriptor->inode)) return fail(ENOTDIR);
    if (fault == SimFault::cut) return end(fault, 0);
    return list_into(*descriptor, static_cast<uint8_t*>(out), size);
}

int64_t call_size(int fd) {
    if (sim_disk.is_cut) return fail(EIO);
    const SimFault fault = strike(Does::look);
    if (fault == SimFault::error) return fail(sim_disk.plan.code);
    const SimDescriptor* descriptor = descriptor_of(fd);
    if (descriptor == nullptr) return fail(EBADF);
    if (is_directory(descriptor->inode)) return fail(EINVAL);
    if (fault == SimFault::cut) return end(fault, 0);
    return static_cast<int64_t>(node_of(descriptor->inode).size);
}

int call_truncate(int fd, uint64_t size) {
    if (sim_disk.is_cut) return fail(EIO);
    const SimFault fault = strike(Does::change);
    if (fault == SimFault::error) return fail(sim_disk.plan.code);
    const SimDescriptor* descriptor = descriptor_of(fd);
    if (descriptor == nullptr) return fail(EBADF);
    if (!descriptor->may_write) return fail(EINVAL);
    if (size > sim_file_size_max) return fail(EFBIG);
    cut_file(descriptor->inode, size);
    return end(fault, 0);
}

int call_forget(int fd) {
    if (sim_disk.is_cut) return fail(EIO);
    const SimFault fault = strike(Does::look);
    if (fault == SimFault::error) return fail(sim_disk.plan.code);
    const SimDescriptor* descriptor = descriptor_of(fd);
    if (descriptor == nullptr) return fail(EBADF);
    sim_disk_forget_inode(descriptor->inode);
    return end(fault, 0);
}

int call_lock(int fd) {
    if (sim_disk.is_cut) return fail(EIO);
    const SimFault fault = strike(Does::look);
    if (fault == SimFault::error) return fail(sim_disk.plan.code);
    const SimDescriptor* descriptor = descriptor_of(fd);
    if (descriptor == nullptr || !descriptor->may_write) return fail(EBADF);
    uint32_t& holder = sim_disk.holder[descriptor->inode];
    const uint32_t self = static_cast<uint32_t>(fd - sim_descriptor_first) + 1;
    if (holder != 0 && holder != self) return end(fault, fail(EAGAIN));
    holder = self;
    return end(fault, 0);
}

int call_lock_test(int fd) {
    if (sim_disk.is_cut) return fail(EIO);
    const SimFault fault = strike(Does::look);
    if (fault == SimFault::error) return fail(sim_disk.plan.code);
    const SimDescriptor* descriptor = descriptor_of(fd);
    if (descriptor == nullptr) return fail(EBADF);
    const uint32_t holder = sim_disk.holder[descriptor->inode];
    const uint32_t self = static_cast<uint32_t>(fd - sim_descriptor_first) + 1;
    return end(fault, holder != 0 && holder != self ? 1 : 0);
}

// The same on every run, since it comes to lie on the disk.
int call_pid() { return 1; }

}  // namespace

const StoreCalls sim_disk_calls = {
    .open = call_open,
    .close = call_close,
    .pread = call_pread,
    .pwrite = call_pwrite,
    .fdatasync = call_sync,
    .fsync = call_sync,
    .rename = call_rename,
    .unlink = call_unlink,
    .mkdir = call_mkdir,
    .symlink = call_symlink,
    .readlink = call_readlink,
    .list = call_list,
    .size = call_size,
    .truncate = call_truncate,
    .forget = call_forget,
    .lock = call_lock,
    .lock_test = call_lock_test,
    .pid = call_pid,
};

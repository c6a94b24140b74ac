#include "port/sim/disk_volume.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"

namespace {

uint64_t bytes_held = 0;

void* take(uint64_t size) {
    void* memory = calloc(1, static_cast<size_t>(size));
    CHECK(memory != nullptr);
    return memory;
}

bool is_zero(const uint8_t* bytes, uint64_t size) {
    return size == 0 ||
           (bytes[0] == 0 && memcmp(bytes, bytes + 1, static_cast<size_t>(size - 1)) == 0);
}

SimPage* page_new() {
    SimPage* page = static_cast<SimPage*>(take(sizeof(SimPage)));
    page->references = 1;
    bytes_held += sizeof(SimPage);
    return page;
}

SimPage* page_hold(SimPage* page) {
    if (page != nullptr) page->references++;
    return page;
}

void page_drop(SimPage* page) {
    if (page == nullptr || --page->references > 0) return;
    bytes_held -= sizeof(SimPage);
    free(page);
}

// The page at this place, no longer shared and about to change.
SimPage& page_own(SimPage*& place) {
    if (place == nullptr) {
        place = page_new();
    } else if (place->references > 1) {
        SimPage* copy = page_new();
        memcpy(copy->bytes, place->bytes, sim_page_size);
        page_drop(place);
        place = copy;
    }
    place->is_hashed = false;
    return *place;
}

void set_page_count(SimNode& node, uint32_t count) {
    for (uint32_t i = count; i < node.page_count; i++) page_drop(node.pages[i]);
    if (count == 0) {
        free(node.pages);
        node.pages = nullptr;
    } else if (count != node.page_count) {
        node.pages = static_cast<SimPage**>(realloc(node.pages, count * sizeof(SimPage*)));
        CHECK(node.pages != nullptr);
    }
    for (uint32_t i = node.page_count; i < count; i++) node.pages[i] = nullptr;
    node.page_count = count;
}

uint32_t pages_of(uint64_t size) {
    CHECK(size <= sim_file_size_max);
    return static_cast<uint32_t>((size + sim_page_size - 1) / sim_page_size);
}

void set_size(SimNode& node, uint64_t size) {
    const uint32_t rest = static_cast<uint32_t>(size % sim_page_size);
    if (size < node.size && rest != 0 && node.pages[size / sim_page_size] != nullptr) {
        SimPage& page = page_own(node.pages[size / sim_page_size]);
        memset(page.bytes + rest, 0, sim_page_size - rest);
    }
    node.size = size;
    set_page_count(node, pages_of(size));
    node.is_hashed = false;
}

void write_in_page(SimPage*& place, const uint8_t* data, uint32_t size, uint32_t offset) {
    const bool is_blank = data == nullptr || is_zero(data, size);
    if (is_blank && place == nullptr) return;
    if (is_blank && size == sim_page_size) {
        page_drop(place);
        place = nullptr;
        return;
    }
    SimPage& page = page_own(place);
    if (data == nullptr) {
        memset(page.bytes + offset, 0, size);
    } else {
        memcpy(page.bytes + offset, data, size);
    }
    if (is_blank && is_zero(page.bytes, sim_page_size)) {
        page_drop(place);
        place = nullptr;
    }
}

SimNode* node_copy(const SimNode& from) {
    SimNode* node = sim_node_new(from.kind);
    set_page_count(*node, from.page_count);
    for (uint32_t i = 0; i < from.page_count; i++) node->pages[i] = page_hold(from.pages[i]);
    node->size = from.size;
    if (from.name_count > 0) {
        node->names = static_cast<SimName*>(take(from.name_count * sizeof(SimName)));
        memcpy(node->names, from.names, from.name_count * sizeof(SimName));
        node->name_count = from.name_count;
    }
    return node;
}

// Index of a name, or of the first one behind the place where it would be.
uint32_t name_place(const SimNode& node, const char* name, bool& found) {
    uint32_t place = 0;
    int order = 1;
    while (place < node.name_count && (order = strcmp(node.names[place].text, name)) < 0) place++;
    found = place < node.name_count && order == 0;
    return place;
}

void add_name(SimNode& node, const SimName& name) {
    bool found = false;
    const uint32_t place = name_place(node, name.text, found);
    if (!found) {
        node.names = static_cast<SimName*>(
            realloc(node.names, (node.name_count + 1) * sizeof(SimName)));
        CHECK(node.names != nullptr);
        memmove(node.names + place + 1, node.names + place,
                (node.name_count - place) * sizeof(SimName));
        node.name_count++;
    }
    node.names[place] = name;
}

void remove_name(SimNode& node, const char* name) {
    bool found = false;
    const uint32_t place = name_place(node, name, found);
    if (!found) return;
    node.name_count--;
    memmove(node.names + place, node.names + place + 1,
            (node.name_count - place) * sizeof(SimName));
}

void feed_number(Hasher& hasher, uint64_t number) {
    uint8_t bytes[8];
    for (uint32_t i = 0; i < 8; i++) bytes[i] = static_cast<uint8_t>(number >> (8 * i));
    hasher_feed(hasher, {bytes, sizeof bytes});
}

const Hash& page_hash(SimPage& page) {
    if (!page.is_hashed) page.hash = hash_of({page.bytes, sim_page_size});
    page.is_hashed = true;
    return page.hash;
}

const Hash& node_hash(SimNode& node) {
    if (node.is_hashed) return node.hash;
    Hasher hasher;
    hasher_init(hasher);
    feed_number(hasher, static_cast<uint64_t>(node.kind));
    feed_number(hasher, node.size);
    for (uint32_t i = 0; i < node.page_count; i++) {
        if (node.pages[i] == nullptr) continue;
        feed_number(hasher, i);
        const Hash& hash = page_hash(*node.pages[i]);
        hasher_feed(hasher, {hash.bytes, sizeof hash.bytes});
    }
    node.hash = hasher_finish(hasher);
    node.is_hashed = true;
    return node.hash;
}

void feed_directory(Hasher& hasher, const SimVolume& volume, const SimNode& directory,
                    uint32_t depth) {
    constexpr uint32_t depth_max = 16;
    CHECK(depth < depth_max);
    for (uint32_t i = 0; i < directory.name_count; i++) {
        const SimName& name = directory.names[i];
        SimNode* node = volume.nodes[name.inode];
        CHECK(node != nullptr);
        if (strcmp(name.text, "lock") == 0) continue;
        hasher_feed(hasher, {reinterpret_cast<const uint8_t*>(name.text), sizeof name.text});
        const Hash& hash = node_hash(*node);
        hasher_feed(hasher, {hash.bytes, sizeof hash.bytes});
        if (node->kind == SimKind::directory) feed_directory(hasher, volume, *node, depth + 1);
    }
    feed_number(hasher, directory.name_count);
}

}  // namespace

uint64_t sim_volume_bytes() { return bytes_held; }

SimNode* sim_node_new(SimKind kind) {
    SimNode* node = static_cast<SimNode*>(take(sizeof(SimNode)));
    node->references = 1;
    node->kind = kind;
    return node;
}

SimNode* sim_node_hold(SimNode* node) {
    if (node != nullptr) node->references++;
    return node;
}

void sim_node_drop(SimNode* node) {
    if (node == nullptr || --node->references > 0) return;
    set_page_count(*node, 0);
    free(node->names);
    free(node);
}

uint32_t sim_node_find(const SimNode& node, const char* name) {
    bool found = false;
    const uint32_t place = name_place(node, name, found);
    return found ? node.names[place].inode : sim_inode_none;
}

uint64_t sim_node_read(const SimNode& node, uint8_t* out, uint64_t size, uint64_t offset) {
    if (offset >= node.size) return 0;
    if (size > node.size - offset) size = node.size - offset;
    for (uint64_t done = 0; done < size;) {
        const uint32_t within = static_cast<uint32_t>((offset + done) % sim_page_size);
        uint64_t part = sim_page_size - within;
        if (part > size - done) part = size - done;
        const SimPage* page = node.pages[(offset + done) / sim_page_size];
        if (page == nullptr) {
            memset(out + done, 0, static_cast<size_t>(part));
        } else {
            memcpy(out + done, page->bytes + within, static_cast<size_t>(part));
        }
        done += part;
    }
    return size;
}

void sim_volume_init(SimVolume& volume) {
    volume = {};
    volume.nodes[sim_root] = sim_node_new(SimKind::directory);
}

void sim_volume_free(SimVolume& volume) {
    for (SimNode*& node : volume.nodes) {
        sim_node_drop(node);
        node = nullptr;
    }
}

void sim_volume_copy(SimVolume& volume, const SimVolume& from) {
    for (uint32_t i = 0; i < sim_inodes_max; i++) {
        if (volume.nodes[i] == from.nodes[i]) continue;
        sim_node_drop(volume.nodes[i]);
        volume.nodes[i] = sim_node_hold(from.nodes[i]);
    }
}

SimNode& sim_volume_own(SimVolume& volume, uint32_t inode, SimKind kind) {
    CHECK(inode < sim_inodes_max);
    SimNode*& place = volume.nodes[inode];
    if (place == nullptr) {
        place = sim_node_new(kind);
    } else if (place->references > 1) {
        SimNode* copy = node_copy(*place);
        sim_node_drop(place);
        place = copy;
    }
    place->is_hashed = false;
    return *place;
}

void sim_volume_write(SimVolume& volume, uint32_t inode, const uint8_t* data, uint64_t size,
                      uint64_t offset) {
    SimNode& node = sim_volume_own(volume, inode, SimKind::file);
    if (offset + size > node.size) set_size(node, offset + size);
    for (uint64_t done = 0; done < size;) {
        const uint32_t within = static_cast<uint32_t>((offset + done) % sim_page_size);
        uint32_t part = sim_page_size - within;
        if (part > size - done) part = static_cast<uint32_t>(size - done);
        write_in_page(node.pages[(offset + done) / sim_page_size],
                      data == nullptr ? nullptr : data + done, part, within);
        done += part;
    }
}

void sim_volume_truncate(SimVolume& volume, uint32_t inode, uint64_t size) {
    set_size(sim_volume_own(volume, inode, SimKind::file), size);
}

void sim_volume_share_page(SimVolume& volume, const SimVolume& from, uint32_t inode,
                           uint32_t page) {
    const SimNode* node = from.nodes[inode];
    SimPage* shared = node != nullptr && page < node->page_count ? node->pages[page] : nullptr;
    SimNode& owned = sim_volume_own(volume, inode, SimKind::file);
    CHECK(page < owned.page_count);
    page_hold(shared);
    page_drop(owned.pages[page]);
    owned.pages[page] = shared;
}

void sim_volume_digest(const SimVolume& volume, uint8_t out[32]) {
    Hasher hasher;
    hasher_init(hasher);
    feed_directory(hasher, volume, *volume.nodes[sim_root], 0);
    const Hash hash = hasher_finish(hasher);
    memcpy(out, hash.bytes, sizeof hash.bytes);
}

SimOp* sim_op_new(SimOpKind kind, uint32_t inode) {
    SimOp* op = static_cast<SimOp*>(take(sizeof(SimOp)));
    op->references = 1;
    op->kind = kind;
    op->inode = op->of = inode;
    return op;
}

SimOp* sim_op_hold(SimOp* op) {
    op->references++;
    return op;
}

void sim_op_drop(SimOp* op) {
    if (--op->references > 0) return;
    sim_node_drop(op->born);
    if (op->data != nullptr) bytes_held -= op->size;
    free(op->data);
    free(op);
}

void sim_op_take_data(SimOp& op, const uint8_t* data, uint64_t size) {
    CHECK(op.data == nullptr);
    op.size = size;
    if (is_zero(data, size)) return;
    op.data = static_cast<uint8_t*>(take(size));
    memcpy(op.data, data, static_cast<size_t>(size));
    bytes_held += size;
}

bool sim_op_is_name(const SimOp& op) {
    return op.kind != SimOpKind::write && op.kind != SimOpKind::truncate;
}

uint32_t sim_op_units(const SimOp& op) {
    if (op.kind != SimOpKind::write) return 1;
    return static_cast<uint32_t>((op.size + sim_sector_size - 1) / sim_sector_size);
}

void sim_op_apply(SimVolume& volume, const SimOp& op) {
    if (op.kind == SimOpKind::write) {
        sim_volume_write(volume, op.inode, op.data, op.size, op.offset);
        return;
    }
    if (op.kind == SimOpKind::truncate) {
        sim_volume_truncate(volume, op.inode, op.size);
        return;
    }
    if (op.kind != SimOpKind::add) {
        remove_name(sim_volume_own(volume, op.from_dir, SimKind::directory), op.from.text);
    }
    if (op.kind == SimOpKind::remove) return;
    if (volume.nodes[op.inode] == nullptr) volume.nodes[op.inode] = sim_node_hold(op.born);  // V2
    add_name(sim_volume_own(volume, op.to_dir, SimKind::directory), op.to);
}

void sim_op_apply_unit(SimVolume& volume, const SimOp& op, uint32_t unit) {
    CHECK(unit < sim_op_units(op));
    if (op.kind != SimOpKind::write) {
        sim_op_apply(volume, op);
        return;
    }
    const uint64_t at = static_cast<uint64_t>(unit) * sim_sector_size;
    const uint64_t left = op.size - at;
    sim_volume_write(volume, op.inode, op.data == nullptr ? nullptr : op.data + at,
                     left < sim_sector_size ? left : sim_sector_size, op.offset + at);
}

void sim_op_apply_torn(SimVolume& volume, const SimOp& op, uint64_t bytes) {
    CHECK(op.kind == SimOpKind::write && bytes <= op.size);
    if (bytes > 0) sim_volume_write(volume, op.inode, op.data, bytes, op.offset);
}

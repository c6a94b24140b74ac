// backup_fuzz.cpp - the texts of a backup and of an archive, and the headers around them. Sums and
// hashes would stop every mutation, so they are put in here. The first byte chooses: a header of
// the archive, MANIFEST, END, or journal/ARCHIVED; the rest is that, without its sum. It also goes
// into the readers as it is.
#include <string.h>

#include <string>

#include "base/text.h"
#include "fuzz/fuzz.h"
#include "journal/archived.h"
#include "journal/backup.h"

namespace {

constexpr uint32_t text_room = 65536;

uint8_t room[text_room];

Slice slice_of_string(const std::string& text) {
    return slice_of_chars(text.data(), static_cast<uint32_t>(text.size()));
}

void with_sum(std::string& text) {
    uint8_t digits[2 * hash_size];
    Writer writer = writer_of(digits, sizeof digits);
    const Hash sum = hash_of(slice_of_string(text));
    put_hex(writer, hash_slice(sum));
    text += "sum ";
    text.append(reinterpret_cast<const char*>(digits), sizeof digits);
    text += '\n';
}

// A1, A2.
void try_header(Slice bytes) {
    uint8_t block[tar_block_size] = {};
    memcpy(block, bytes.data, bytes.size < sizeof block ? bytes.size : sizeof block);
    memset(block + 148, ' ', 8);
    unsigned sum = 0;
    for (const uint8_t byte : block) sum += byte;
    snprintf(reinterpret_cast<char*>(block + 148), 7, "%06o", sum);
    block[155] = ' ';
    TarMember member;
    if (tar_judge({block, sizeof block}, member) != TarFind::member) return;
    CHECK(tar_name_is_safe(slice_of(member.name)));
    uint8_t again[tar_block_size];
    Writer writer = writer_of(again, sizeof again);
    tar_put_header(writer, member);
    CHECK(memcmp(again, block, sizeof block) == 0);
}

// L1: what was read is written in the same way again.
void try_manifest(Slice text) {
    BackupBook book;
    Reader lines;
    if (backup_take_head(text, book, lines) != Status::ok) return;
    Writer again = writer_of(room, sizeof room);
    backup_put_head(again, book);
    BackupFile file;
    Status status = backup_take_file(lines, file);
    for (; status == Status::ok; status = backup_take_file(lines, file)) {
        CHECK(tar_name_is_safe(slice_of(file.name)) && file.size <= file.whole);
        backup_put_file(again, file);
    }
    if (status != Status::end) return;
    BackupName name;
    status = backup_take_without(lines, name);
    for (; status == Status::ok; status = backup_take_without(lines, name)) {
        backup_put_without(again, slice_of(name.text));
    }
    if (status != Status::end) return;
    backup_put_sum(again);
    CHECK(!again.overflow && slice_equal(writer_slice(again), text));
    fuzz_mark_reached();
#if PLANT
    if (book.entry != 10) fuzz_mark_planted();  // The seeds' entry.
#endif
}

void try_end(Slice text) {
    BackupEnd end;
    if (backup_take_end(text, end) != Status::ok) return;
    Writer again = writer_of(room, sizeof room);
    backup_put_end(again, end);
    CHECK(slice_equal(writer_slice(again), text));
}

// Y1, Y2.
void try_archived(Slice text) {
    static Archived archived;
    if (archived_parse(text, archived) != Status::ok) return;
    uint32_t next = 1;
    for (uint32_t i = 0; i < archived.part_count; i++) {
        CHECK(archived.parts[i].first == next && archived.parts[i].last >= next);
        next = archived.parts[i].last + 1;
    }
    CHECK(next == archived.segment);
    CHECK(archived_find(archived, archived.segment) == nullptr);
    CHECK(archived_find(archived, next - 1) == &archived.parts[archived.part_count - 1]);
    Writer again = writer_of(room, sizeof room);
    archived_format(archived, again);
    CHECK(slice_equal(writer_slice(again), text));
    fuzz_mark_reached();
}

}  // namespace

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const Slice bytes = {data + 1, static_cast<uint32_t>(size - 1)};
    std::string text(reinterpret_cast<const char*>(bytes.data), bytes.size);
    try_end(bytes);
    try_manifest(bytes);
    try_archived(bytes);
    TarMember member;
    if (tar_judge(bytes, member) == TarFind::member) CHECK(tar_name_is_safe(slice_of(member.name)));
    switch (data[0] % 4) {
        case 0: try_header(bytes); break;
        case 1:
            with_sum(text);
            try_manifest(slice_of_string(text));
            break;
        case 2:
            with_sum(text);
            try_end(slice_of_string(text));
            break;
        case 3:
            with_sum(text);
            try_archived(slice_of_string(text));
            break;
    }
    return 0;
}

#include "base/tar.h"

#include <gtest/gtest.h>
#include <string.h>

#include <string>
#include <vector>

#include "base/text.h"
#include "journal/backup.h"
#include "unit/slices.h"

namespace {

TarMember member_of(const std::string& name, uint64_t size = 0, uint64_t time_s = 0) {
    TarMember member = {};
    EXPECT_EQ(tar_name_set(member, slice_of(name.c_str())), Status::ok) << name;
    member.size = size;
    member.time_s = time_s;
    return member;
}

std::vector<uint8_t> header_of(const TarMember& member) {
    std::vector<uint8_t> block(tar_block_size);
    Writer out = writer_of(block.data(), tar_block_size);
    tar_put_header(out, member);
    return block;
}

TarFind judge(const std::vector<uint8_t>& block, TarMember& out) {
    return tar_judge({block.data(), static_cast<uint32_t>(block.size())}, out);
}

// Puts the right sum, as a forger would.
void sum_up(std::vector<uint8_t>& block) {
    memset(block.data() + 148, ' ', 8);
    unsigned sum = 0;
    for (const uint8_t byte : block) sum += byte;
    snprintf(reinterpret_cast<char*>(block.data() + 148), 7, "%06o", sum);
    block[155] = ' ';
}

TEST(Tar, header_reads_back) {
    for (const uint64_t size : {uint64_t{0}, uint64_t{1}, uint64_t{511}, tar_size_max}) {
        TarMember out = {};
        const auto block = header_of(member_of("data/journal/00000001.journal", size, 1795262173));
        ASSERT_EQ(judge(block, out), TarFind::member);
        EXPECT_STREQ(out.name, "data/journal/00000001.journal");
        EXPECT_EQ(out.size, size);
        EXPECT_EQ(out.time_s, 1795262173u);
    }
    const std::string longest(tar_name_size_max, 'n');
    TarMember out = {};
    ASSERT_EQ(judge(header_of(member_of(longest)), out), TarFind::member);
    EXPECT_EQ(out.name, longest);
}

TEST(Tar, every_flipped_bit_of_a_header_is_noticed) {
    const auto block = header_of(member_of("certs/ca.key", 227, 1795262173));
    TarMember out = member_of("unchanged");
    for (uint32_t bit = 0; bit < tar_block_size * 8; bit++) {
        auto bad = block;
        bad[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
        EXPECT_NE(judge(bad, out), TarFind::member) << bit;
        sum_up(bad);
        const TarFind forged = judge(bad, out);
        // With the sum put right only another name, size or time can be said in our own spelling.
        const uint32_t place = bit / 8;
        const bool says = place < 100 || (place >= 124 && place < 147) ||
                          (place >= 148 && place < 156);
        EXPECT_TRUE(says || forged != TarFind::member) << bit;
    }
}

TEST(Tar, short_blank_and_foreign_blocks) {
    TarMember out = {};
    const auto block = header_of(member_of("x"));
    for (uint32_t size = 0; size < tar_block_size; size++) {
        EXPECT_EQ(tar_judge({block.data(), size}, out), TarFind::junk);
    }
    EXPECT_EQ(judge(std::vector<uint8_t>(tar_block_size), out), TarFind::blank);
    EXPECT_EQ(judge(std::vector<uint8_t>(tar_block_size, 'x'), out), TarFind::junk);
    for (const char kind : {'1', '2', '3', '4', '5', '6', '7', 'x', 'g', 'L', '\0'}) {
        auto bad = block;
        bad[156] = static_cast<uint8_t>(kind);
        sum_up(bad);
        EXPECT_EQ(judge(bad, out), TarFind::type) << kind;
    }
}

TEST(Tar, names_stay_in_their_folder) {
    for (const char* name : {"a", "a/b", "a.b", "..a", "a../b", ".hidden", "a/...", "\xc3\xa9"}) {
        EXPECT_TRUE(tar_name_is_safe(slice_of(name))) << name;
    }
    for (const char* name : {"", "/", "/a", "a/", "a//b", ".", "..", "./a", "../a", "a/..", "a/./b",
                             "a/../b", "a\nb", "a\x7f", "a\x01/b"}) {
        EXPECT_FALSE(tar_name_is_safe(slice_of(name))) << name;
        TarMember out = member_of("kept");
        EXPECT_EQ(tar_name_set(out, slice_of(name)), Status::invalid);
        EXPECT_STREQ(out.name, "kept");
        auto block = header_of(member_of("y"));
        memset(block.data(), 0, 100);
        memcpy(block.data(), name, strlen(name));
        sum_up(block);
        EXPECT_EQ(judge(block, out), TarFind::name) << name;
    }
    EXPECT_FALSE(tar_name_is_safe(slice_of(std::string(tar_name_size_max + 1, 'n').c_str())));
}

struct Text {
    std::vector<uint8_t> bytes = std::vector<uint8_t>(8192);
    Writer out = writer_of(bytes.data(), 8192);
};

BackupBook book() {
    BackupBook book = {};
    book.made_ms = 1795262173825;
    book.batch = 3;
    book.entry = 10;
    book.time_ms = 1795262173675;
    book.end = position_of(1, 12288);
    book.chain.bytes[0] = 0xab;
    book.digest.bytes[31] = 0xcd;
    book.has_keys = true;
    return book;
}

BackupFile file_of(const char* name, uint64_t size, uint64_t whole) {
    BackupFile file = {};
    snprintf(file.name, sizeof file.name, "%s", name);
    file.size = size;
    file.whole = whole;
    return file;
}

void put_manifest(Writer& out) {
    backup_put_head(out, book());
    EXPECT_LE(out.size, backup_head_size_max);
    backup_put_file(out, file_of("certs/a key %", 5, 5));
    backup_put_file(out, file_of("data/journal/00000001.journal", 12288, 8388608));
    backup_put_without(out, slice_of("certs/ca.key"));
    backup_put_sum(out);
    EXPECT_FALSE(out.overflow);
}

// Reads the whole of it. Returns how many files and keys there were, or -1.
int read_manifest(Slice text) {
    BackupBook head = {};
    Reader lines;
    if (backup_take_head(text, head, lines) != Status::ok) return -1;
    int count = 0;
    BackupFile file = {};
    Status status = backup_take_file(lines, file);
    for (; status == Status::ok; status = backup_take_file(lines, file)) count++;
    if (status != Status::end) return -1;
    BackupName name;
    status = backup_take_without(lines, name);
    for (; status == Status::ok; status = backup_take_without(lines, name)) count += 100;
    return status == Status::end ? count : -1;
}

TEST(Backup, manifest_reads_back) {
    Text text;
    put_manifest(text.out);
    BackupBook found = {};
    Reader lines;
    ASSERT_EQ(backup_take_head(writer_slice(text.out), found, lines), Status::ok);
    EXPECT_EQ(found.made_ms, book().made_ms);
    EXPECT_EQ(found.end, book().end);
    EXPECT_TRUE(hash_equal(found.chain, book().chain));
    EXPECT_TRUE(hash_equal(found.digest, book().digest));
    EXPECT_TRUE(found.has_keys);
    BackupFile file = {};
    ASSERT_EQ(backup_take_file(lines, file), Status::ok);
    EXPECT_STREQ(file.name, "certs/a key %");
    ASSERT_EQ(backup_take_file(lines, file), Status::ok);
    EXPECT_EQ(file.whole, 8388608u);
    EXPECT_EQ(backup_take_file(lines, file), Status::end);
    EXPECT_EQ(read_manifest(writer_slice(text.out)), 102);
}

TEST(Backup, manifest_every_cut_and_every_flipped_bit_is_noticed) {
    Text text;
    put_manifest(text.out);
    for (uint32_t size = 0; size < text.out.size; size++) {
        EXPECT_EQ(read_manifest({text.bytes.data(), size}), -1) << size;
    }
    for (uint32_t bit = 0; bit < text.out.size * 8; bit++) {
        text.bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
        EXPECT_EQ(read_manifest(writer_slice(text.out)), -1) << bit;
        text.bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    }
    EXPECT_EQ(read_manifest(writer_slice(text.out)), 102);
}

TEST(Backup, a_name_has_one_spelling) {
    for (const char* name : {"a%62", "a%2F", "a%2f", "%2561", "a%"}) {
        Text text;
        backup_put_head(text.out, book());
        put_text(text.out, "file 5 5 ");
        put_hex(text.out, hash_slice({}));
        put_text(text.out, " ");
        put_text(text.out, name);
        put_text(text.out, "\n");
        backup_put_sum(text.out);
        const bool is_plain = strcmp(name, "%2561") == 0;  // A name of four bytes with a '%'.
        EXPECT_EQ(read_manifest(writer_slice(text.out)), is_plain ? 1 : -1) << name;
    }
}

TEST(Backup, longest_lines_fit_the_bounds) {
    Text text;
    const std::string longest = "certs/" + std::string(tar_name_size_max - 6, ' ');
    backup_put_file(text.out, file_of(longest.c_str(), tar_size_max, tar_size_max));
    EXPECT_LE(text.out.size, backup_line_size_max);
    text.out.size = 0;
    BackupBook most = book();
    most.made_ms = most.batch = most.entry = most.time_ms = UINT64_MAX;
    most.end = UINT64_MAX;
    backup_put_head(text.out, most);
    EXPECT_LE(text.out.size, backup_head_size_max);
    text.out.size = 0;
    backup_put_end(text.out, {backup_files_max, {}});
    EXPECT_LE(text.out.size, backup_end_size_max);
}

TEST(Backup, newer_version_is_told_from_damage) {
    Text text;
    put_text(text.out, "pennybank-backup 2\nwhatever it says\n");
    BackupBook head = {};
    Reader lines;
    EXPECT_EQ(backup_take_head(writer_slice(text.out), head, lines), Status::failed);
    text.bytes[17] = '0';
    EXPECT_EQ(backup_take_head(writer_slice(text.out), head, lines), Status::damaged);
}

TEST(Backup, end_every_cut_and_flipped_bit_changes_what_it_says) {
    Text text;
    BackupEnd end = {24, hash_of(slice_of("all of it"))};
    backup_put_end(text.out, end);
    BackupEnd out = {};
    ASSERT_EQ(backup_take_end(writer_slice(text.out), out), Status::ok);
    EXPECT_EQ(out.files, 24u);
    EXPECT_TRUE(hash_equal(out.sum, end.sum));
    for (uint32_t size = 0; size < text.out.size; size++) {
        EXPECT_EQ(backup_take_end({text.bytes.data(), size}, out), Status::damaged);
    }
    for (uint32_t bit = 0; bit < text.out.size * 8; bit++) {
        text.bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
        const Status status = backup_take_end(writer_slice(text.out), out);
        const bool same = status == Status::ok && out.files == 24 && hash_equal(out.sum, end.sum);
        EXPECT_FALSE(same) << bit;
        text.bytes[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    }
}

}  // namespace

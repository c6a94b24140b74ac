#include "journal/archived.h"

#include <gtest/gtest.h>
#include <string.h>

#include <string>
#include <vector>

#include "base/text.h"
#include "unit/slices.h"

namespace {

Archived three_parts() {
    Archived archived = {};
    archived.bank_id[3] = 7;
    EXPECT_EQ(archived_add(archived, 1, 3, 4000, slice_of("attic")), Status::ok);
    EXPECT_EQ(archived_add(archived, 4, 4, 5000, slice_of("cellar room")), Status::ok);
    EXPECT_EQ(archived_add(archived, 5, 6, 6000, slice_of("attic")), Status::ok);
    archived.segment = 7;
    archived.batch = 900;
    archived.entry = 6000;
    archived.time_ms = 1795262173675;
    archived.chain.bytes[5] = 9;
    return archived;
}

std::string text_of(const Archived& archived) {
    return written([&](Writer& out) { archived_format(archived, out); }, archived_size_max);
}

std::string with_sum(std::string text) {
    return text + written([&](Writer& out) {
               const Hash sum = hash_of(slice_of(text));
               put_text(out, "sum ");
               put_hex(out, hash_slice(sum));
               put_text(out, "\n");
           });
}

std::string without_sum(const std::string& text) { return text.substr(0, text.rfind("sum ")); }

TEST(Archived, reads_back) {
    const Archived made = three_parts();
    Archived found = {};
    ASSERT_EQ(archived_parse(slice_of(text_of(made)), found), Status::ok);
    EXPECT_EQ(memcmp(&made, &found, sizeof made), 0);
    EXPECT_EQ(text_of(found), text_of(made));
    for (const uint32_t segment : {0u, 7u, 8u}) EXPECT_EQ(archived_find(found, segment), nullptr);
    for (const uint32_t segment : {1u, 2u, 3u}) EXPECT_EQ(archived_find(found, segment)->last, 3u);
    EXPECT_STREQ(archived_find(found, 4)->name, "cellar room");
    EXPECT_EQ(archived_find(found, 6)->entry_next, 6000u);
}

TEST(Archived, every_cut_and_every_flipped_bit_is_noticed) {
    const std::string text = text_of(three_parts());
    Archived found = {};
    for (uint32_t size = 0; size < text.size(); size++) {
        EXPECT_EQ(archived_parse(slice_of(text.substr(0, size)), found), Status::damaged) << size;
        EXPECT_EQ(found.segment, 0u);
    }
    for (uint32_t bit = 0; bit < text.size() * 8; bit++) {
        std::string bad = text;
        bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ 1 << bit % 8);
        EXPECT_NE(archived_parse(slice_of(bad), found), Status::ok) << bit;
    }
}

TEST(Archived, a_forged_text_is_not_believed) {
    const std::string text = without_sum(text_of(three_parts()));
    const auto refused = [&](const std::string& from, const std::string& to) {
        std::string bad = text;
        const size_t at = bad.find(from);
        ASSERT_NE(at, std::string::npos) << from;
        bad.replace(at, from.size(), to);
        bad = with_sum(bad);
        Archived found = {};
        EXPECT_EQ(archived_parse(slice_of(bad), found), Status::damaged) << to;
    };
    refused("part 4 4 ", "part 5 4 ");
    refused("part 4 4 ", "part 4 5 ");   // Y1: the next begins at 5.
    refused("part 5 6 ", "part 5 7 ");   // Y1: segment 7 is kept.
    refused("part 1 3 ", "part 2 3 ");
    refused("segment 7", "segment 8");
    refused("segment 7", "segment 07");
    refused("batch 900", "batch 1");
    refused("cellar%20room", "cellar%20%72oom");  // Y2
    refused("cellar%20room", "cellar%0aroom");
    refused("part 5 6 6000 attic\n", "");
    refused("time ", "thyme ");
    Archived found = {};
    EXPECT_EQ(archived_parse(slice_of(with_sum("pennybank-archived 2\n")), found), Status::failed);
    EXPECT_EQ(archived_parse(slice_of(with_sum(text)), found), Status::ok);
}

TEST(Archived, the_newest_part_grows_under_its_name) {
    Archived archived = {};
    ASSERT_EQ(archived_add(archived, 1, 1, 10, slice_of("attic")), Status::ok);
    ASSERT_EQ(archived_add(archived, 2, 5, 90, slice_of("attic")), Status::ok);
    EXPECT_EQ(archived.part_count, 1u);
    EXPECT_EQ(archived.parts[0].last, 5u);
    EXPECT_EQ(archived.parts[0].entry_next, 90u);
    for (const char* name : {"", "a\nb", "\x7f"}) {
        EXPECT_EQ(archived_add(archived, 6, 6, 99, slice_of(name)), Status::invalid);
    }
    EXPECT_EQ(archived_add(archived, 6, 6, 99, slice_of(std::string(64, 'n'))), Status::invalid);
    for (uint32_t part = 2; part <= archived_parts_max; part++) {
        const std::string name = std::string(62, '\xff') + static_cast<char>('a' + part % 26);
        ASSERT_EQ(archived_add(archived, part + 4, part + 4, UINT64_MAX, slice_of(name)),
                  Status::ok);
    }
    const uint32_t next = archived_parts_max + 5;
    EXPECT_EQ(archived_add(archived, next, next, 100, slice_of("more")), Status::full);
    archived.segment = next;
    archived.batch = archived.entry = archived.time_ms = UINT64_MAX;
    Archived found = {};
    ASSERT_EQ(archived_parse(slice_of(text_of(archived)), found), Status::ok);
    EXPECT_EQ(found.part_count, archived_parts_max);
}

TEST(Archived, a_walk_begins_behind_the_last_archived_batch) {
    const Archived archived = three_parts();
    Recovery recovery;
    archived_start(archived, recovery, 0);
    EXPECT_TRUE(recovery.anchored && recovery.bank_known);
    EXPECT_EQ(recovery.segment, 7u);
    EXPECT_EQ(recovery.offset, 0u);
    EXPECT_EQ(recovery.batch_seq, 899u);
    EXPECT_EQ(recovery.entry_seq, 5999u);
    EXPECT_TRUE(hash_equal(recovery.chain, archived.chain));
}

}  // namespace

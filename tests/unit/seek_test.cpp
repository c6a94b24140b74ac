#include "journal/seek.h"

#include <gtest/gtest.h>
#include <string.h>

#include <map>
#include <random>
#include <vector>

namespace {

constexpr uint8_t bank[bank_id_size] = {7, 1, 7};

// A journal in memory; entries hold their sequence and filler.
struct Journal {
    std::map<uint32_t, std::vector<uint8_t>> segments;
    std::map<uint64_t, Position> entries;
    std::map<uint64_t, uint64_t> batch_of;
    std::map<uint64_t, Hash> hashes;  // by batch
    Position end = 0;
    uint64_t seq = 0;
    uint64_t batch = 0;
    uint32_t segment = 1;
    uint32_t offset = 0;
    Hash chain = {};

    void add(const std::vector<uint32_t>& sizes) {
        uint32_t entries_size = 0;
        for (const uint32_t size : sizes) entries_size += size;
        const uint32_t size = batch_size_of(entries_size);
        if (segments[segment].empty()) segments[segment].resize(segment_size_min);
        if (segment_size_min - offset < batch_size_max) {  // J4
            segment++;
            offset = 0;
            segments[segment].resize(segment_size_min);
        }
        std::vector<uint8_t> memory(size);
        BatchHeader header = {};
        memcpy(header.bank_id, bank, sizeof bank);
        header.salt = segment * 11;
        header.segment = segment;
        header.offset = offset;
        header.seq = ++batch;
        header.entry_first = seq + 1;
        header.entry_count = static_cast<uint32_t>(sizes.size());
        header.entries_size = entries_size;
        header.segment_size = segment_size_min;
        header.previous = chain;
        Writer writer = writer_of(memory.data() + batch_header_size, entries_size);
        for (const uint32_t entry_size : sizes) {
            entries[++seq] = position_of(segment, offset + batch_header_size + writer.size);
            batch_of[seq] = batch;
            put_u16(writer, static_cast<uint16_t>(entry_size));
            put_u64(writer, seq);
            for (uint32_t i = 10; i < entry_size; i++) put_u8(writer, 0x5a);
        }
        chain = batch_seal(memory.data(), header);
        hashes[batch] = chain;
        memcpy(segments[segment].data() + offset, memory.data(), size);
        offset += size;
        end = position_of(segment, offset);
    }
};

struct Found {
    Status status;
    uint32_t reads;
};

Found find(const Journal& journal, uint64_t seq, Seek& seek) {
    seek_begin(seek, bank, seq, journal.end);
    for (uint32_t reads = 1; reads < 10000; reads++) {
        EXPECT_LE(seek.want_size, seek_window_size);
        const auto segment = journal.segments.find(position_segment(seek.want));
        Status outcome = Status::absent;
        Slice bytes = {nullptr, 0};
        if (segment != journal.segments.end()) {
            const std::vector<uint8_t>& image = segment->second;
            outcome = Status::ok;
            bytes = slice_part({image.data(), static_cast<uint32_t>(image.size())},
                               position_offset(seek.want), seek.want_size);
        }
        const Status status = seek_feed(seek, outcome, bytes);
        if (status != Status::more) return {status, reads};
    }
    return {Status::more, 10000};
}

uint32_t below(std::mt19937& random, uint32_t bound) {
    return static_cast<uint32_t>(random() % bound);
}

Journal random_journal(uint32_t seed, uint32_t batches) {
    Journal journal;
    std::mt19937 random(seed);
    for (uint32_t i = 0; i < batches; i++) {
        std::vector<uint32_t> sizes;
        const uint32_t kind = below(random, 8);
        const uint32_t count = kind == 0 ? 0 : kind < 6 ? 1 + below(random, 4) : below(random, 250);
        for (uint32_t k = 0; k < count; k++) sizes.push_back(10 + below(random, 500));
        journal.add(sizes);
    }
    return journal;
}

TEST(Seek, FindsEveryEntryOfAJournalOfManySegments) {
    const Journal journal = random_journal(1, 150);
    ASSERT_GT(journal.segment, 3u);
    Seek seek;
    uint32_t reads_max = 0;
    for (const auto& [seq, position] : journal.entries) {
        const Found found = find(journal, seq, seek);
        ASSERT_EQ(found.status, Status::end) << seq;
        EXPECT_EQ(seek.position, position);
        EXPECT_EQ(seek.header.seq, journal.batch_of.at(seq));
        EXPECT_TRUE(hash_equal(seek.hash, journal.hashes.at(seek.header.seq)));
        Reader reader = reader_of({seek.entry, seek.entry_size});
        EXPECT_EQ(get_u16(reader), seek.entry_size);
        EXPECT_EQ(get_u64(reader), seq);
        if (found.reads > reads_max) reads_max = found.reads;
    }
    EXPECT_LT(reads_max, 400u);  // X2
}

TEST(Seek, FindsTheOnlyEntryOfTheShortestJournal) {
    Journal journal;
    journal.add({10});
    Seek seek;
    EXPECT_EQ(find(journal, 1, seek).status, Status::end);
}

TEST(Seek, SaysAbsentForWhatOnlyAMissingOldSegmentHas) {
    Journal journal = random_journal(2, 150);
    ASSERT_GT(journal.segment, 3u);
    journal.segments.erase(1);
    journal.segments.erase(2);
    Seek seek;
    for (const auto& [seq, position] : journal.entries) {
        const Status wanted = position_segment(position) < 3 ? Status::absent : Status::end;
        ASSERT_EQ(find(journal, seq, seek).status, wanted) << seq;
    }
}

TEST(Seek, SaysDamagedForAnEntryThatNoBatchHas) {
    const Journal journal = random_journal(3, 20);
    Seek seek;
    EXPECT_EQ(find(journal, journal.seq + 1, seek).status, Status::damaged);
    EXPECT_EQ(find(journal, journal.seq + 1000000, seek).status, Status::damaged);
}

// X1: whatever bit is turned in the batch, nothing of it is handed out.
TEST(Seek, BelievesNoBatchWithAFlippedBit) {
    Journal journal;
    journal.add({10, 20, 300});
    journal.add({40, 50, 60});
    journal.add({70});
    const uint32_t start = 4096;
    const uint32_t size = batch_header_size + 150 + hash_size;
    Seek seek;
    for (uint32_t bit = 0; bit < size * 8; bit++) {
        uint8_t& byte = journal.segments[1][start + bit / 8];
        byte ^= static_cast<uint8_t>(1u << bit % 8);
        const Status status = find(journal, 5, seek).status;
        EXPECT_NE(status, Status::end) << bit;
        EXPECT_NE(status, Status::more) << bit;
        byte ^= static_cast<uint8_t>(1u << bit % 8);
    }
    EXPECT_EQ(find(journal, 5, seek).status, Status::end);
}

TEST(Seek, GoesOnThroughNoiseWithoutEnd) {
    std::mt19937 random(4);
    Journal journal = random_journal(5, 60);
    for (uint32_t i = 0; i < 300; i++) {
        Journal noisy = journal;
        for (uint32_t k = 0; k < 2000; k++) {
            std::vector<uint8_t>& image = noisy.segments[1 + below(random, journal.segment)];
            if (!image.empty()) image[random() % image.size()] = static_cast<uint8_t>(random());
        }
        Seek seek;
        EXPECT_NE(find(noisy, 1 + random() % journal.seq, seek).status, Status::more);
    }
}

TEST(Seek, PassesOnThatASegmentCannotBeRead) {
    const Journal journal = random_journal(6, 5);
    Seek seek;
    seek_begin(seek, bank, 1, journal.end);
    EXPECT_EQ(seek_feed(seek, Status::failed, {nullptr, 0}), Status::failed);
}

}  // namespace

#include "journal/recovery.h"

#include <gtest/gtest.h>
#include <string.h>

#include <set>
#include <vector>

#include "unit/test_bank.h"

namespace {

// The written part of a segment, as the disk has it.
using Image = std::vector<uint8_t>;

constexpr uint32_t image_blocks = 20;

struct Walked {
    RecoveryAction ended;  // finish, drop or refuse
    uint64_t batch_seq;
    uint64_t entry_seq;
    bool operator==(const Walked&) const = default;
};

Slice window_of(const Image& image, uint32_t offset) {
    return slice_part({image.data(), static_cast<uint32_t>(image.size())}, offset, batch_size_max);
}

// What a start would do with the image, as if it were the beginning of a larger segment of zeros.
Walked walk(const Image& image, Position mark = 0, uint32_t size = segment_size_min) {
    Recovery recovery;
    recovery_start(recovery, nullptr, 1, mark);
    for (;;) {
        RecoveryBatch batch;
        const RecoveryFound found =
            recovery_judge(recovery, window_of(image, recovery.offset), size, batch);
        bool later = false;
        for (uint32_t at = recovery.offset + block_size; at < image.size(); at += block_size) {
            later = later || recovery_is_later(recovery, window_of(image, at));
        }
        const RecoveryRow& row = recovery_decide(found, later, recovery_is_marked(recovery));
        if (row.action != RecoveryAction::install) {
            return {row.action, recovery.batch_seq, recovery.entry_seq};
        }
        recovery_install(recovery, batch);
    }
}

// Batches of one, two, ... entries; the third takes three blocks. `ends` is where each one ends.
struct Journal {
    Image image = Image(image_blocks * block_size);
    std::vector<uint32_t> starts;
    std::vector<uint32_t> ends;
    std::vector<uint64_t> entries;  // the last one of each

    Journal() {
        TestBook bank;
        test_create(bank.book);
        take(bank.book);
        EXPECT_EQ(test_add(bank.book, "alice"), Status::ok);
        take(bank.book);
        for (uint32_t i = 0; i < 120; i++) deposit(bank.book, "a" + std::to_string(i));
        take(bank.book);
        for (uint32_t i = 0; i < 2; i++) deposit(bank.book, "b" + std::to_string(i));
        take(bank.book);
        for (uint32_t i = 0; i < 60; i++) deposit(bank.book, "c" + std::to_string(i));
        take(bank.book);
    }

    void deposit(Book& book, const std::string& id) {
        EXPECT_EQ(test_move(book, {.operation = Operation::deposit,
                                   .debit = "cash",
                                   .credit = "alice",
                                   .amount = 5,
                                   .id = id}),
                  Status::ok);
    }

    void take(Book& book) {
        const TestWrite keep = [](void* context, const LogWrite& write) {
            Journal& journal = *static_cast<Journal*>(context);
            memcpy(journal.image.data() + write.offset, write.bytes.data, write.bytes.size);
            journal.starts.push_back(write.offset);
            journal.ends.push_back(write.offset + write.bytes.size);
            return Status::ok;
        };
        test_commit(book, keep, this);
        entries.push_back(book.log.entry_durable);
    }

    uint64_t count() const { return ends.size(); }

    // The outcome when exactly the first `batches` are left.
    Walked prefix(uint64_t batches, RecoveryAction ended) const {
        return {ended, batches, batches == 0 ? 0 : entries[batches - 1]};
    }
};

uint32_t matching_rows(RecoveryFound found, bool later, bool marked) {
    const auto matches = [](RecoveryWhen when, bool fact) {
        return when == RecoveryWhen::any || (when == RecoveryWhen::yes) == fact;
    };
    uint32_t count = 0;
    const RecoveryRow* rows = recovery_rows(count);
    uint32_t matching = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (rows[i].found == found && matches(rows[i].later, later) &&
            matches(rows[i].marked, marked)) {
            matching++;
        }
    }
    return matching;
}

}  // namespace

TEST(Recovery, HasExactlyOneRowForEveryMeeting) {
    std::set<const RecoveryRow*> met;
    for (uint32_t found = 0; found < recovery_found_count; found++) {
        for (bool later : {false, true}) {
            for (bool marked : {false, true}) {
                const RecoveryFound what = static_cast<RecoveryFound>(found);
                EXPECT_EQ(matching_rows(what, later, marked), 1u) << found << later << marked;
                met.insert(&recovery_decide(what, later, marked));
            }
        }
    }
    uint32_t count = 0;
    recovery_rows(count);
    EXPECT_EQ(met.size(), count) << "a row that nothing meets";
}

TEST(Recovery, NeverDropsWhatIsMarkedOrFollowed) {
    for (uint32_t found = 0; found < recovery_found_count; found++) {
        const RecoveryFound what = static_cast<RecoveryFound>(found);
        EXPECT_NE(recovery_decide(what, true, false).action, RecoveryAction::drop);
        EXPECT_NE(recovery_decide(what, false, true).action, RecoveryAction::drop);
        EXPECT_NE(recovery_decide(what, true, true).action, RecoveryAction::drop);
        if (what == RecoveryFound::tail) continue;
        EXPECT_NE(recovery_decide(what, true, false).action, RecoveryAction::finish);
        EXPECT_NE(recovery_decide(what, false, true).action, RecoveryAction::finish);
    }
}

TEST(Recovery, ReadsAWholeJournalToItsEnd) {
    const Journal journal;
    EXPECT_EQ(journal.ends[2] - journal.starts[2], 3 * block_size);
    EXPECT_EQ(walk(journal.image), journal.prefix(journal.count(), RecoveryAction::finish));
}

// A power cut while the last batch is written: all bytes behind some byte are not there yet.
TEST(Recovery, GivesAPrefixForACutAtEveryByteOfTheLastBatches) {
    const Journal journal;
    for (uint64_t last = journal.count(); last > journal.count() - 2; last--) {
        Image image = journal.image;
        std::fill(image.begin() + journal.ends[last - 1], image.end(), 0);
        EXPECT_EQ(walk(image), journal.prefix(last, RecoveryAction::finish));
        const Walked dropped = journal.prefix(last - 1, RecoveryAction::drop);
        const Walked nothing = journal.prefix(last - 1, RecoveryAction::finish);
        for (uint32_t at = journal.ends[last - 1]; at-- > journal.starts[last - 1];) {
            const uint8_t before = image[at];
            image[at] = 0;
            if (before == 0) continue;  // As with one byte less.
            const Walked walked = walk(image);
            const bool is_blank = at == journal.starts[last - 1];
            EXPECT_EQ(walked, is_blank ? nothing : dropped) << at;
        }
    }
}

// The blocks of one write may reach the disk in any order.
TEST(Recovery, GivesAPrefixForEverySubsetOfTheLastWritesBlocks) {
    const Journal journal;
    for (uint64_t last : {uint64_t{3}, journal.count()}) {
        const uint32_t start = journal.starts[last - 1];
        const uint32_t blocks = (journal.ends[last - 1] - start) / block_size;
        ASSERT_GE(blocks, 2u);
        for (uint32_t kept = 0; kept < 1u << blocks; kept++) {
            Image image = journal.image;
            std::fill(image.begin() + journal.ends[last - 1], image.end(), 0);
            for (uint32_t block = 0; block < blocks; block++) {
                if (kept >> block & 1) continue;
                const auto from = image.begin() + start + block * block_size;
                std::fill(from, from + block_size, 0);
            }
            const bool all = kept + 1 == 1u << blocks;
            const RecoveryAction ended = kept == 0 || all ? RecoveryAction::finish
                                                          : RecoveryAction::drop;
            EXPECT_EQ(walk(image), journal.prefix(all ? last : last - 1, ended)) << kept;
        }
    }
}

TEST(Recovery, NeverGivesAWrongStateForAFlippedBit) {
    const Journal journal;
    for (uint64_t batch = 1; batch <= journal.count(); batch++) {
        const uint32_t start = journal.starts[batch - 1];
        const uint32_t end = journal.ends[batch - 1];
        for (uint32_t at = start; at < end; at++) {
            const bool is_header = at - start < batch_header_size;
            if (!is_header && at % 13 != 0) continue;
            for (uint32_t bit = 0; bit < 8; bit += is_header ? 1 : 5) {
                Image image = journal.image;
                image[at] = static_cast<uint8_t>(image[at] ^ 1u << bit);
                const Walked walked = walk(image);
                const bool is_last = batch == journal.count();
                // A version that became a higher one is refused wherever it stands.
                const bool is_version = at - start == 8 || at - start == 9;
                EXPECT_TRUE(walked == journal.prefix(batch - 1, RecoveryAction::refuse) ||
                            (is_last && walked == journal.prefix(batch - 1, RecoveryAction::drop)))
                    << at << "." << bit;
                if (is_last && !is_version) {
                    EXPECT_EQ(walked.ended, RecoveryAction::drop) << at;
                }
            }
        }
    }
}

TEST(Recovery, RefusesAHoleBeforeASoundBatch) {
    const Journal journal;
    for (uint64_t batch = 1; batch < journal.count(); batch++) {
        Image image = journal.image;
        std::fill(image.begin() + journal.starts[batch - 1], image.begin() + journal.ends[batch - 1],
                  0);
        EXPECT_EQ(walk(image), journal.prefix(batch - 1, RecoveryAction::refuse)) << batch;
    }
}

TEST(Recovery, RefusesWhatACheckpointVouchesFor) {
    const Journal journal;
    const uint64_t last = journal.count();
    const Position mark = position_of(1, journal.ends[last - 1]);
    Image image = journal.image;
    EXPECT_EQ(walk(image, mark), journal.prefix(last, RecoveryAction::finish));
    image[journal.starts[last - 1] + 200] ^= 1;
    EXPECT_EQ(walk(image, mark), journal.prefix(last - 1, RecoveryAction::refuse));
    std::fill(image.begin() + journal.starts[last - 1], image.end(), 0);
    EXPECT_EQ(walk(image, mark), journal.prefix(last - 1, RecoveryAction::refuse));
}

TEST(Recovery, RefusesABatchThatStandsElsewhere) {
    const Journal journal;
    Image image = journal.image;
    // The fourth batch once more where the fifth was.
    std::copy(journal.image.begin() + journal.starts[3], journal.image.begin() + journal.ends[3],
              image.begin() + journal.starts[4]);
    EXPECT_EQ(walk(image), journal.prefix(4, RecoveryAction::refuse));
}

TEST(Recovery, GoesOnBehindASegmentsTail) {
    Recovery recovery;
    recovery_start(recovery, nullptr, 1, 0);
    RecoveryBatch batch;
    const Image blank(batch_size_max);
    const auto judge = [&](uint32_t left) {
        recovery.offset = segment_size_min - left;
        return recovery_judge(recovery, {blank.data(), left}, segment_size_min, batch);
    };
    EXPECT_EQ(judge(batch_size_max - block_size), RecoveryFound::tail);
    EXPECT_EQ(judge(0), RecoveryFound::tail);
    EXPECT_EQ(judge(batch_size_max), RecoveryFound::blank);
    recovery_advance(recovery);
    EXPECT_EQ(recovery.segment, 2u);
    EXPECT_EQ(recovery.offset, 0u);
}

// Unlike a power cut, this leaves no zeros behind: without a rule of its own the sound batches that
// are left would look like a whole journal.
TEST(Recovery, RefusesASegmentCutAtAnyBlockOfItsBatches) {
    const Journal journal;
    for (uint32_t size = block_size; size <= journal.ends.back(); size += block_size) {
        const Image image(journal.image.begin(), journal.image.begin() + size);
        EXPECT_EQ(walk(image, 0, size), journal.prefix(0, RecoveryAction::refuse)) << size;
    }
}

// Batches as large as can be, in a segment of `size` bytes.
struct FullBatches {
    explicit FullBatches(uint32_t size) : image(size) {
        std::vector<uint8_t> memory(2 * batch_size_max + 2 * arena_align);
        Arena arena = {};
        const uintptr_t at = reinterpret_cast<uintptr_t>(memory.data());
        arena.base = memory.data() + (arena_align - at % arena_align) % arena_align;
        arena.size = memory.size() - arena_align;
        Log log = {};
        log_layout(log, arena);
        LogStart start = {};
        start.segment = 1;
        start.segment_size = size;
        start.salt = 5;
        log_start(log, start, UINT64_MAX);
        LogStamp stamp;
        while (log_reserve(log, 1000, 1, stamp) == Status::ok) {
            take(log);
            count++;
        }
        EXPECT_TRUE(log_wants_segment(log));
        end = log.offset;
    }

    void take(Log& log) {
        std::vector<uint8_t> entry(entry_size_max);
        entry[1] = entry_size_max >> 8;
        LogStamp stamp;
        while (log_reserve(log, 1000, 1, stamp) == Status::ok) {
            log_propose(log, {entry.data(), entry_size_max});
        }
        LogWrite write;
        ASSERT_TRUE(log_seal(log, write));
        ASSERT_EQ(write.bytes.size, batch_size_max);
        memcpy(image.data() + write.offset, write.bytes.data, write.bytes.size);
        Slice entries;
        ASSERT_EQ(log_committed(log, Status::ok, entries), Status::ok);
        log_release(log);
    }

    Image image;
    uint64_t count = 0;
    uint32_t end = 0;
};

// Behind a full batch nothing is left of the segment, as at the end of a whole one (J4).
TEST(Recovery, RefusesASegmentCutExactlyBehindAFullBatch) {
    const FullBatches full(segment_size_min + 2 * batch_size_max);
    ASSERT_EQ(full.count, 6u);
    const uint32_t size = static_cast<uint32_t>(full.image.size());
    ASSERT_EQ(full.end, size);
    EXPECT_EQ(walk(full.image, 0, size).ended, RecoveryAction::advance);
    EXPECT_EQ(walk(full.image, 0, size).batch_seq, full.count);
    for (uint32_t cut = size - batch_size_max; cut > 0; cut -= batch_size_max) {
        const Image image(full.image.begin(), full.image.begin() + cut);
        EXPECT_EQ(walk(image, 0, cut), (Walked{RecoveryAction::refuse, 0, 0})) << cut;
    }
}

TEST(Recovery, RefusesASegmentThatIsLongerThanItWasMade) {
    const FullBatches full(segment_size_min);
    Image image = full.image;
    image.resize(segment_size_min + block_size);
    EXPECT_EQ(walk(image, 0, segment_size_min + block_size), (Walked{RecoveryAction::refuse, 0, 0}));
}

// Only while a segment is read can its length change; the batches before have said how long it was.
TEST(Recovery, NoticesASegmentThatIsCutWhileItIsRead) {
    const FullBatches full(segment_size_min);
    Recovery recovery;
    RecoveryBatch batch;
    recovery_start(recovery, nullptr, 1, 0);
    ASSERT_EQ(recovery_judge(recovery, window_of(full.image, 0), segment_size_min, batch),
              RecoveryFound::fits);
    recovery_install(recovery, batch);
    for (uint32_t size : {batch_size_max, 2 * batch_size_max, segment_size_min - block_size}) {
        const Slice window = slice_part(window_of(full.image, batch_size_max), 0,
                                        size - batch_size_max);
        EXPECT_EQ(recovery_judge(recovery, window, size, batch), RecoveryFound::cut) << size;
    }
}

TEST(Recovery, CountsABatchOfANewerFormatAsLater) {
    Recovery recovery;
    recovery_start(recovery, nullptr, 1, 0);
    Image image(block_size);
    memcpy(image.data(), "PNYBATCH\2\0\0\0", 12);
    EXPECT_TRUE(recovery_is_later(recovery, {image.data(), block_size}));
}

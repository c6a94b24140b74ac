// The simulated disk when something goes wrong: cuts, faults of single calls, images.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "unit/sim_disk_kit.h"

// K1: what a sync made durable survives every cut; names need a sync of their own.
TEST(SimDisk, KeepsWhatWasSynced) {
    for (const SimLoss loss :
         {SimLoss::keep_all, SimLoss::drop_all, SimLoss::prefix, SimLoss::any}) {
        for (uint64_t seed = 0; seed < 50; seed++) {
            const TestSim sim(seed);
            put_durable("/kept", sectors("abc"));
            const int fd = open_new("/kept");
            put(fd, sectors("X"), sim_sector_size);
            cut_and_mount(loss);
            const std::string found = get("/kept");
            EXPECT_EQ(found.substr(0, sim_sector_size), sectors("a"));
            EXPECT_EQ(found.substr(2 * sim_sector_size), sectors("c"));
        }
    }
}

TEST(SimDisk, LosesAllThatWasNotSyncedWhenItDropsAll) {
    const TestSim sim;
    put_durable("/old", "old");
    const std::string before = digest();
    const int fd = open_new("/old");
    put(fd, "new");
    const int made = open_new("/made");
    put(made, "bytes");
    ASSERT_EQ(disk.fdatasync(made), 0);  // Its bytes, not its name.
    ASSERT_EQ(disk.mkdir(AT_FDCWD, "/d", 0700), 0);
    EXPECT_EQ(get("/old"), "new");
    EXPECT_NE(digest(), before);
    EXPECT_GT(sim_disk_unsynced(), 0u);
    cut_and_mount(SimLoss::drop_all);
    EXPECT_EQ(digest(), before);
    EXPECT_EQ(get("/old"), "old");
    EXPECT_EQ(get("/made"), "no file");
    EXPECT_EQ(sim_disk_unsynced(), 0u);
    EXPECT_EQ(sim_disk_descriptors(), 0u);
    EXPECT_GT(sim_disk_counts().sectors_dropped, 0u);
    EXPECT_GT(sim_disk_counts().names_dropped, 0u);
}

// A name may be durable before the bytes of its file are.
TEST(SimDisk, KeepsANameWithoutItsBytes) {
    const TestSim sim;
    const int fd = open_new("/file");
    put(fd, "bytes");
    ASSERT_TRUE(sync_directory("/"));
    cut_and_mount(SimLoss::drop_all);
    EXPECT_EQ(get("/file"), "");
}

TEST(SimDisk, RenamesAtOnceOrNotAtAll) {
    std::set<std::string> seen;
    for (uint64_t seed = 0; seed < 100; seed++) {
        const TestSim sim(seed);
        put_durable("/target", "old");
        put_durable("/making", "new");
        ASSERT_EQ(disk.rename(AT_FDCWD, "/making", "/target"), 0);
        cut_and_mount(SimLoss::any);
        seen.insert(get("/target") + "," + get("/making"));
    }
    EXPECT_EQ(seen, (std::set<std::string>{"old,new", "new,no file"}));
}

// Every subset of four sectors turns up, and no half of one.
TEST(SimDisk, DropsSectorsInAnyOrder) {
    std::set<std::string> seen;
    for (uint64_t seed = 0; seed < 400; seed++) {
        const TestSim sim(seed);
        put_durable("/file", sectors("abcd"));
        put(open_new("/file"), sectors("ABCD"));
        cut_and_mount(SimLoss::any);
        const std::string found = get("/file");
        std::string letters;
        for (uint32_t i = 0; i < 4; i++) {
            const std::string part = found.substr(i * sim_sector_size, sim_sector_size);
            ASSERT_EQ(part, std::string(sim_sector_size, part[0]));
            letters += part[0];
        }
        seen.insert(letters);
    }
    EXPECT_EQ(seen.size(), 16u);
}

// V1: a later write takes along what an earlier one put into the same sector.
TEST(SimDisk, WritesWholeSectors) {
    std::set<std::string> seen;
    for (uint64_t seed = 0; seed < 200; seed++) {
        const TestSim sim(seed);
        put_durable("/file", "");
        const int fd = open_new("/file");
        put(fd, "one,");
        put(fd, "two", 4);
        cut_and_mount(SimLoss::any);
        seen.insert(get("/file"));
    }
    EXPECT_EQ(seen, (std::set<std::string>{"", "one,", "one,two"}));
}

TEST(SimDisk, TearsTheCallThatTheCutMeets) {
    std::set<size_t> sizes;
    for (uint64_t seed = 0; seed < 400; seed++) {
        const TestSim sim(seed);
        put_durable("/file", "");
        const int fd = open_new("/file");
        for (uint64_t i = 0; i < 3; i++) put(fd, sectors("x"), i * sim_sector_size);
        cut_and_mount(SimLoss::prefix);
        const std::string found = get("/file");
        EXPECT_EQ(found, std::string(found.size(), 'x'));  // A front part, with nothing behind it.
        sizes.insert(found.size());
    }
    EXPECT_TRUE(*sizes.begin() < sim_sector_size && sizes.contains(3 * sim_sector_size));
    EXPECT_GT(sizes.size(), 100u);
}

// K2.
TEST(SimDisk, LeavesPagesCleanWhenASyncFails) {
    std::set<std::string> after;
    for (uint64_t seed = 0; seed < 100; seed++) {
        const TestSim sim(seed);
        put_durable("/file", sectors("ab"));
        const int fd = open_new("/file");
        put(fd, sectors("AB"));
        sim_disk_plan({SimFault::error, 0, false, EIO, 0});
        EXPECT_EQ(errno_of(disk.fdatasync(fd)), EIO);
        EXPECT_EQ(disk.fdatasync(fd), 0);  // Says that all is well, and does nothing.
        EXPECT_EQ(get("/file"), sectors("AB"));
        EXPECT_EQ(disk.forget(fd), 0);
        const std::string found = get("/file");
        cut_and_mount(SimLoss::keep_all);
        EXPECT_EQ(get("/file"), found);
        cut_and_mount(SimLoss::any);
        EXPECT_EQ(get("/file"), found);
        after.insert(found);
    }
    EXPECT_EQ(after.size(), 4u);
}

TEST(SimDisk, ForgetsOnlyCleanPages) {
    const TestSim sim;
    put_durable("/file", std::string(8192, 'a'));
    const int fd = open_new("/file");
    put(fd, std::string(4096, 'b'));
    EXPECT_EQ(disk.forget(fd), 0);
    EXPECT_EQ(get("/file")[0], 'b');
    sim_disk_plan({SimFault::lie, 0, false, 0, 0});
    EXPECT_EQ(disk.fdatasync(fd), 0);
    EXPECT_EQ(disk.forget(fd), 0);
    EXPECT_EQ(get("/file")[0], 'b');
    cut_and_mount(SimLoss::drop_all);
    EXPECT_EQ(get("/file")[0], 'a');  // It lied.
    EXPECT_EQ(sim_disk_counts().by_fault[static_cast<uint32_t>(SimFault::lie)], 1u);
}

// K3.
TEST(SimDisk, IsDeadAfterTheCut) {
    const TestSim sim;
    put_durable("/file", "old");
    const std::string before = digest();
    const int fd = open_new("/file");
    sim_disk_plan({SimFault::cut, 1, false, 0, 0});
    put(fd, "n");
    EXPECT_EQ(errno_of(disk.pwrite(fd, "ne", 2, 0)), EIO);
    EXPECT_TRUE(sim_disk_is_cut());
    char byte = 0;
    EXPECT_EQ(errno_of(disk.open(AT_FDCWD, "/file", O_RDONLY, 0)), EIO);
    EXPECT_EQ(errno_of(disk.pread(fd, &byte, 1, 0)), EIO);
    EXPECT_EQ(errno_of(disk.pwrite(fd, "x", 1, 0)), EIO);
    EXPECT_EQ(errno_of(disk.fdatasync(fd)), EIO);
    EXPECT_EQ(errno_of(disk.fsync(fd)), EIO);
    EXPECT_EQ(errno_of(disk.rename(AT_FDCWD, "/file", "/b")), EIO);
    EXPECT_EQ(errno_of(disk.unlink(AT_FDCWD, "/file", 0)), EIO);
    EXPECT_EQ(errno_of(disk.mkdir(AT_FDCWD, "/d", 0)), EIO);
    EXPECT_EQ(errno_of(disk.symlink("a", AT_FDCWD, "/l")), EIO);
    EXPECT_EQ(errno_of(disk.readlink(AT_FDCWD, "/l", &byte, 1)), EIO);
    EXPECT_EQ(errno_of(disk.list(fd, &byte, 1)), EIO);
    EXPECT_EQ(errno_of(disk.size(fd)), EIO);
    EXPECT_EQ(errno_of(disk.truncate(fd, 0)), EIO);
    EXPECT_EQ(errno_of(disk.forget(fd)), EIO);
    EXPECT_EQ(errno_of(disk.lock(fd)), EIO);
    EXPECT_EQ(errno_of(disk.lock_test(fd)), EIO);
    EXPECT_EQ(errno_of(disk.close(fd)), EIO);
    sim_disk_mount(SimLoss::drop_all);
    EXPECT_EQ(digest(), before);
    EXPECT_EQ(sim_disk_counts().cuts, 1u);
}

TEST(SimDisk, StrikesTheCallOfThePlanOnceOrForGood) {
    const TestSim sim;
    const int fd = open_new("/file");
    put(fd, std::string(100, 'a'));
    sim_disk_plan({SimFault::error, 2, false, EIO, 0});
    std::vector<int> found;
    for (uint32_t i = 0; i < 5; i++) found.push_back(errno_of(disk.size(fd)));
    EXPECT_EQ(found, (std::vector<int>{0, 0, EIO, 0, 0}));
    EXPECT_EQ(sim_disk_calls_made(), 5u);
    sim_disk_plan({SimFault::error, 1, true, EROFS, 0});
    EXPECT_EQ(errno_of(disk.pwrite(fd, "b", 1, 0)), 0);
    EXPECT_EQ(errno_of(disk.size(fd)), 0);  // What only looks goes on.
    EXPECT_EQ(errno_of(disk.pwrite(fd, "b", 1, 0)), EROFS);
    EXPECT_EQ(errno_of(disk.open(AT_FDCWD, "/file", O_RDWR, 0)), EROFS);
    EXPECT_EQ(errno_of(disk.unlink(AT_FDCWD, "/file", 0)), EROFS);
    EXPECT_EQ(get("/file").size(), 100u);
    sim_disk_plan({SimFault::error, 0, true, ENOSPC, 0});
    EXPECT_EQ(errno_of(disk.mkdir(AT_FDCWD, "/d", 0700)), ENOSPC);
    EXPECT_EQ(errno_of(disk.unlink(AT_FDCWD, "/file", 0)), 0);
    sim_disk_plan({SimFault::error, 0, false, EIO, 2});
    found.clear();
    for (uint32_t i = 0; i < 5; i++) found.push_back(errno_of(disk.size(fd)));
    EXPECT_EQ(found, (std::vector<int>{EIO, 0, EIO, 0, EIO}));
    sim_disk_plan({SimFault::error, 0, false, EIO, 0});
    EXPECT_EQ(disk.close(fd), 0);
}

TEST(SimDisk, CannotReadWhereThePlanSaysSo) {
    const TestSim sim;
    const int fd = open_new("/file");
    put(fd, "abc");
    char bytes[3];
    sim_disk_plan({SimFault::unreadable, 1, false, 0, 0});
    EXPECT_EQ(disk.pread(fd, bytes, sizeof bytes, 0), 3);
    EXPECT_EQ(disk.size(fd), 3);  // Only reads fail.
    EXPECT_EQ(errno_of(disk.pwrite(fd, "d", 1, 0)), 0);
    EXPECT_EQ(errno_of(disk.pread(fd, bytes, sizeof bytes, 0)), EIO);
    EXPECT_EQ(disk.pread(fd, bytes, sizeof bytes, 0), 3);
    sim_disk_plan({SimFault::unreadable, 0, true, 0, 0});
    for (uint32_t i = 0; i < 3; i++) {
        EXPECT_EQ(errno_of(disk.pread(fd, bytes, sizeof bytes, 0)), EIO);
    }
    EXPECT_EQ(sim_disk_counts().by_fault[static_cast<uint32_t>(SimFault::unreadable)], 4u);
}

TEST(SimDisk, ShortensTurnsAndMisdirects) {
    std::set<int64_t> sizes;
    for (uint64_t seed = 0; seed < 20; seed++) {
        const TestSim sim(seed);
        put_durable("/file", std::string(4096, 'a'));
        put_durable("/other", std::string(4096, 'o'));
        const int fd = open_new("/file");
        std::string bytes(4096, 'b');
        sim_disk_plan({SimFault::short_call, 0, true, 0, 0});
        sizes.insert(disk.pread(fd, bytes.data(), bytes.size(), 0));
        sizes.insert(disk.pwrite(fd, bytes.data(), bytes.size(), 0));

        sim_disk_plan({SimFault::flip, 0, false, 0, 0});
        bytes = std::string(4096, 'c');
        put(fd, bytes);
        ASSERT_EQ(disk.fdatasync(fd), 0);
        EXPECT_EQ(get("/file"), bytes);  // The cache has it right.
        EXPECT_EQ(disk.forget(fd), 0);
        const std::string found = get("/file");
        uint32_t bits = 0;
        for (size_t i = 0; i < bytes.size(); i++) {
            bits += static_cast<uint32_t>(__builtin_popcount(
                static_cast<uint8_t>(found[i]) ^ static_cast<uint8_t>(bytes[i])));
        }
        EXPECT_EQ(bits, 1u);

        sim_disk_plan({SimFault::misdirect, 0, false, 0, 0});
        const std::string before = get("/file") + get("/other");
        put(fd, sectors("z"), 0);
        ASSERT_EQ(disk.fdatasync(fd), 0);
        cut_and_mount(SimLoss::drop_all);
        const std::string after = get("/file") + get("/other");
        EXPECT_EQ(std::count(after.begin(), after.end(), 'z'), sim_sector_size);
        EXPECT_EQ(after.size(), before.size());
    }
    EXPECT_EQ(sizes, (std::set<int64_t>{1, 4095}));
}

// K4.
TEST(SimDisk, GivesTheSameBytesForTheSameSeed) {
    std::map<uint64_t, std::string> found;
    for (uint32_t round = 0; round < 2; round++) {
        for (uint64_t seed = 0; seed < 20; seed++) {
            const TestSim sim(seed);
            put_durable("/file", "");
            put(open_new("/file"), sectors("abcdefgh"));
            put(open_new("/lock"), std::to_string(round));
            cut_and_mount(SimLoss::any);
            if (round == 0) {
                found[seed] = digest();
            } else {
                EXPECT_EQ(found[seed], digest());
            }
        }
    }
    EXPECT_NE(found[0], found[1]);
}

TEST(SimDisk, MountsEveryImageOfAWindow) {
    const TestSim sim;
    put_durable("/file", sectors("ab"));
    sim_disk_record(true);
    sim_disk_mark(41);
    const int fd = open_new("/file");
    put(fd, sectors("AB"));
    disk.close(open_new("/new"));
    ASSERT_EQ(disk.fdatasync(fd), 0);
    ASSERT_EQ(disk.fdatasync(fd), 0);  // Has nothing to do.
    sim_disk_mark(42);
    put(fd, sectors("c"));
    ASSERT_EQ(disk.fdatasync(fd), 0);
    sim_disk_record(false);
    ASSERT_EQ(sim_disk_windows(), 2u);
    const SimWindow window = sim_disk_window(0);
    EXPECT_EQ(window.mark, 41u);
    EXPECT_EQ(window.units, 3u);
    EXPECT_EQ(window.names, 1u);
    EXPECT_EQ(window.last_size, 0u);
    EXPECT_EQ(sim_disk_window(1).mark, 42u);
    EXPECT_EQ(sim_disk_window(1).last_size, sim_sector_size);
    std::set<std::string> seen;
    std::set<std::string> digests;
    for (uint8_t bits = 0; bits < 8; bits++) {
        const uint8_t keep[] = {static_cast<uint8_t>(bits & 1), static_cast<uint8_t>(bits >> 1 & 1),
                                static_cast<uint8_t>(bits >> 2)};
        sim_disk_mount_image(0, keep);
        seen.insert(get("/file") + get("/new"));
        digests.insert(digest());
        put_durable("/file", "spoilt");  // The window is not.
    }
    EXPECT_EQ(seen.size(), 8u);
    EXPECT_EQ(digests.size(), 8u);
    EXPECT_TRUE(seen.contains(sectors("aB")));
    sim_disk_mount_image(0, nullptr);
    EXPECT_EQ(get("/file"), sectors("ab"));
    for (uint64_t bytes = 0; bytes <= sim_sector_size; bytes++) {
        sim_disk_mount_torn(1, bytes);
        EXPECT_EQ(get("/file"), std::string(bytes, 'c') +
                                    std::string(sim_sector_size - bytes, 'A') + sectors("B"));
    }
    sim_disk_mount_image(0, nullptr);
    const uint32_t saved = sim_disk_save();
    put_durable("/file", "spoilt");
    sim_disk_mount_image(saved, nullptr);
    EXPECT_EQ(get("/file"), sectors("ab"));
}

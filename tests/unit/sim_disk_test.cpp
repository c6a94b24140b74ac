#include "port/sim/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <string.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "unit/test_bank.h"
#include "unit/test_port.h"

namespace {

const StoreCalls& disk = sim_disk_calls;

// A disk that goes away with the test.
struct TestSim {
    explicit TestSim(uint64_t seed = 1) { sim_disk_init(seed); }
    ~TestSim() { sim_disk_free(); }
};

int open_new(const char* path) { return disk.open(AT_FDCWD, path, O_RDWR | O_CREAT, 0600); }

void put(int fd, const std::string& bytes, uint64_t offset = 0) {
    ASSERT_EQ(disk.pwrite(fd, bytes.data(), bytes.size(), offset),
              static_cast<int64_t>(bytes.size()));
}

std::string get(const char* path) {
    const int fd = disk.open(AT_FDCWD, path, O_RDONLY, 0);
    if (fd < 0) return "no file";
    std::string bytes(1 << 20, '\0');
    const int64_t got = disk.pread(fd, bytes.data(), bytes.size(), 0);
    disk.close(fd);
    bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
    return bytes;
}

bool sync_directory(const char* path) {
    const int fd = disk.open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    const bool done = fd >= 0 && disk.fsync(fd) == 0;
    if (fd >= 0) disk.close(fd);
    return done;
}

// A file that a cut cannot touch.
void put_durable(const char* path, const std::string& bytes) {
    const int fd = open_new(path);
    ASSERT_GE(fd, 0);
    put(fd, bytes);
    ASSERT_EQ(disk.fdatasync(fd), 0);
    disk.close(fd);
    ASSERT_TRUE(sync_directory("/"));
}

std::string digest() {
    uint8_t bytes[32];
    sim_disk_digest(bytes);
    return std::string(reinterpret_cast<char*>(bytes), sizeof bytes);
}

void cut_and_mount(SimLoss loss) {
    sim_disk_cut();
    sim_disk_mount(loss);
}

std::string sectors(const std::string& letters) {
    std::string bytes;
    for (const char letter : letters) bytes += std::string(sim_sector_size, letter);
    return bytes;
}

Status write_to(void* context, const LogWrite& write) {
    return store_write(*static_cast<Store*>(context), write);
}

int errno_of(int64_t answer) { return answer < 0 ? errno : 0; }

}  // namespace

TEST(SimDisk, AnswersAsLinuxDoes) {
    const TestSim sim;
    EXPECT_EQ(errno_of(disk.open(AT_FDCWD, "/a", O_RDONLY, 0)), ENOENT);
    EXPECT_EQ(errno_of(disk.open(AT_FDCWD, "/no/a", O_RDWR | O_CREAT, 0600)), ENOENT);
    const int a = open_new("/a");
    ASSERT_GE(a, 1'000'000);
    EXPECT_EQ(errno_of(disk.open(AT_FDCWD, "/a", O_RDWR | O_CREAT | O_EXCL, 0600)), EEXIST);
    EXPECT_EQ(errno_of(disk.open(AT_FDCWD, "/a", O_RDONLY | O_DIRECTORY, 0)), ENOTDIR);
    EXPECT_EQ(errno_of(disk.open(AT_FDCWD, "/a/b", O_RDONLY, 0)), ENOTDIR);
    EXPECT_EQ(disk.mkdir(AT_FDCWD, "/d", 0700), 0);
    EXPECT_EQ(errno_of(disk.mkdir(AT_FDCWD, "/d", 0700)), EEXIST);
    EXPECT_EQ(errno_of(disk.mkdir(AT_FDCWD, "/a", 0700)), EEXIST);
    EXPECT_EQ(errno_of(disk.open(AT_FDCWD, "/d", O_RDWR, 0)), EISDIR);
    const int d = disk.open(AT_FDCWD, "/d", O_RDONLY | O_DIRECTORY, 0);
    ASSERT_GE(d, 0);
    const int inner = disk.open(d, "x", O_RDWR | O_CREAT, 0600);
    ASSERT_GE(inner, 0);
    EXPECT_EQ(errno_of(disk.unlink(AT_FDCWD, "/d", AT_REMOVEDIR)), ENOTEMPTY);
    EXPECT_EQ(errno_of(disk.unlink(AT_FDCWD, "/d", 0)), EISDIR);
    EXPECT_EQ(errno_of(disk.unlink(AT_FDCWD, "/a", AT_REMOVEDIR)), ENOTDIR);
    EXPECT_EQ(errno_of(disk.unlink(AT_FDCWD, "/none", 0)), ENOENT);
    EXPECT_EQ(disk.unlink(d, "x", 0), 0);
    put(inner, "still there");  // As long as it is open.
    EXPECT_EQ(disk.close(inner), 0);
    EXPECT_EQ(errno_of(disk.close(inner)), EBADF);
    EXPECT_EQ(errno_of(disk.pwrite(inner, "x", 1, 0)), EBADF);
    EXPECT_EQ(disk.unlink(AT_FDCWD, "/d", AT_REMOVEDIR), 0);
    EXPECT_EQ(errno_of(disk.rename(AT_FDCWD, "/none", "/b")), ENOENT);
    put(a, "bytes");
    EXPECT_EQ(disk.rename(AT_FDCWD, "/a", "/b"), 0);
    EXPECT_EQ(get("/b"), "bytes");
    EXPECT_EQ(get("/a"), "no file");
    const int reader = disk.open(AT_FDCWD, "/b", O_RDONLY, 0);
    EXPECT_EQ(errno_of(disk.pwrite(reader, "x", 1, 0)), EBADF);
    EXPECT_EQ(errno_of(disk.lock(reader)), EBADF);
    const int writer = disk.open(AT_FDCWD, "/b", O_WRONLY, 0);
    char byte = 0;
    EXPECT_EQ(errno_of(disk.pread(writer, &byte, 1, 0)), EBADF);
    EXPECT_EQ(disk.size(reader), 5);
    EXPECT_EQ(disk.pread(reader, &byte, 1, 5), 0);
    EXPECT_EQ(disk.truncate(writer, 2), 0);
    EXPECT_EQ(get("/b"), "by");
    EXPECT_EQ(disk.truncate(writer, 4), 0);
    EXPECT_EQ(get("/b"), std::string("by\0\0", 4));
    EXPECT_GE(disk.open(AT_FDCWD, "/b", O_WRONLY | O_CREAT | O_TRUNC, 0600), 0);
    EXPECT_EQ(get("/b"), "");
    EXPECT_EQ(sim_disk_descriptors(), 5u);
}

TEST(SimDisk, FollowsLinksWhereLinuxDoes) {
    const TestSim sim;
    ASSERT_EQ(disk.mkdir(AT_FDCWD, "/one", 0700), 0);
    const int fd = open_new("/one/file");
    put(fd, "first");
    ASSERT_EQ(disk.symlink("one", AT_FDCWD, "/current"), 0);
    ASSERT_EQ(disk.symlink("current/file", AT_FDCWD, "/file"), 0);
    ASSERT_EQ(disk.symlink("loop", AT_FDCWD, "/loop"), 0);
    EXPECT_EQ(errno_of(disk.symlink("one", AT_FDCWD, "/current")), EEXIST);
    EXPECT_EQ(get("/file"), "first");
    EXPECT_EQ(get("/current/../current/file"), "first");
    EXPECT_EQ(errno_of(disk.open(AT_FDCWD, "/file", O_RDONLY | O_NOFOLLOW, 0)), ELOOP);
    EXPECT_EQ(errno_of(disk.open(AT_FDCWD, "/file", O_RDWR | O_CREAT | O_EXCL, 0)), EEXIST);
    EXPECT_EQ(errno_of(disk.open(AT_FDCWD, "/loop", O_RDONLY, 0)), ELOOP);
    char target[16] = {};
    EXPECT_EQ(disk.readlink(AT_FDCWD, "/file", target, sizeof target), 12);
    EXPECT_STREQ(target, "current/file");
    EXPECT_EQ(disk.readlink(AT_FDCWD, "/file", target, 4), 4);
    EXPECT_EQ(errno_of(disk.readlink(AT_FDCWD, "/one", target, 4)), EINVAL);
    EXPECT_EQ(errno_of(disk.readlink(AT_FDCWD, "/none", target, 4)), ENOENT);
    ASSERT_EQ(disk.mkdir(AT_FDCWD, "/two", 0700), 0);
    ASSERT_EQ(disk.symlink("two", AT_FDCWD, "/new"), 0);
    ASSERT_EQ(disk.rename(AT_FDCWD, "/new", "/current"), 0);
    EXPECT_EQ(get("/file"), "no file");
    EXPECT_EQ(disk.unlink(AT_FDCWD, "/file", 0), 0);  // The link, not what it names.
    EXPECT_EQ(get("/one/file"), "first");
}

TEST(SimDisk, ListsNamesAsGetdentsDoes) {
    const TestSim sim;
    std::set<std::string> expected = {".", ".."};
    for (uint32_t i = 0; i < 40; i++) {
        const std::string name = "name." + std::to_string(i);
        disk.close(open_new(("/" + name).c_str()));
        expected.insert(name);
    }
    const int fd = disk.open(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY, 0);
    std::set<std::string> found;
    uint8_t bytes[256];
    for (;;) {
        const int64_t got = disk.list(fd, bytes, sizeof bytes);
        ASSERT_GE(got, 0);
        if (got == 0) break;
        for (int64_t at = 0; at < got;) {
            uint16_t size = 0;
            memcpy(&size, bytes + at + 16, 2);
            EXPECT_EQ(size % 8, 0);
            EXPECT_TRUE(found.insert(reinterpret_cast<char*>(bytes + at + 19)).second);
            at += size;
        }
    }
    EXPECT_EQ(found, expected);
    EXPECT_EQ(errno_of(disk.list(open_new("/name.1"), bytes, sizeof bytes)), ENOTDIR);
}

TEST(SimDisk, LocksOpenDescriptionsOfAFile) {
    const TestSim sim;
    const int a = open_new("/lock");
    const int b = open_new("/lock");
    EXPECT_EQ(disk.lock_test(b), 0);
    EXPECT_EQ(disk.lock(a), 0);
    EXPECT_EQ(disk.lock(a), 0);
    EXPECT_EQ(errno_of(disk.lock(b)), EAGAIN);
    EXPECT_EQ(disk.lock_test(b), 1);
    EXPECT_EQ(disk.lock_test(a), 0);
    disk.close(a);
    EXPECT_EQ(disk.lock(b), 0);
    cut_and_mount(SimLoss::keep_all);
    EXPECT_EQ(disk.lock(open_new("/lock")), 0);
}

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

TEST(SimDisk, IsFullAtItsBound) {
    const TestSim sim;
    const int fd = open_new("/file");
    const std::string bytes(1 << 20, 'x');
    uint64_t written = 0;
    int code = 0;
    for (uint32_t i = 0; i < 200 && code == 0; i++) {
        code = errno_of(disk.pwrite(fd, bytes.data(), bytes.size(), (written % 32) << 20));
        written++;
    }
    EXPECT_EQ(code, 0);  // 32 MiB of pages and what was synced in between:
    for (uint32_t i = 0; i < 400 && code == 0; i++) {
        code = errno_of(disk.pwrite(fd, bytes.data(), bytes.size(), (written % 32) << 20));
        written++;
    }
    EXPECT_EQ(code, ENOSPC);  // Unsynced writes take room until they are synced.
    EXPECT_EQ(disk.fdatasync(fd), 0);
    EXPECT_EQ(errno_of(disk.pwrite(fd, bytes.data(), bytes.size(), 0)), 0);
}

TEST(SimDisk, UsesInodesAgain) {
    const TestSim sim;
    for (uint32_t i = 0; i < 2 * sim_inodes_max; i++) {
        const int fd = open_new("/file");
        ASSERT_GE(fd, 0) << i;
        put(fd, "x");
        disk.close(fd);
        ASSERT_EQ(disk.unlink(AT_FDCWD, "/file", 0), 0);
        ASSERT_TRUE(sync_directory("/"));
    }
    int code = 0;
    for (uint32_t i = 0; i < sim_inodes_max && code == 0; i++) {
        const int fd = open_new(("/f" + std::to_string(i)).c_str());
        code = errno_of(fd);
        if (fd >= 0) disk.close(fd);
    }
    EXPECT_EQ(code, ENOSPC);
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

// The store over this disk does what it does over a board's: a book is made, found again by a start
// after a cut, checkpointed, archived; and there is one writer at a time.
TEST(SimDisk, CarriesTheStore) {
    const TestSim sim;
    std::vector<uint8_t> window(batch_size_max);
    uint8_t text[512];
    Writer error = writer_of(text, sizeof text);
    Store store;
    Hash made;
    for (const bool is_new : {true, false}) {
        TestBook bank;
        Book& book = bank.book;
        StoreStart start = {};
        ASSERT_EQ(store_open(store, disk, "data", is_new ? StoreMode::create : StoreMode::write,
                             error),
                  Status::ok)
            << string_of(writer_slice(error));
        if (is_new) {
            ASSERT_EQ(store_segment_make(store, 1, test_segment_size, error), Status::ok);
            test_create(book);
            ASSERT_EQ(test_add(book, "alice"), Status::ok);
            test_commit(book, write_to, &store);
        } else {
            ASSERT_EQ(store_recover(store, book, window.data(), {}, start, error), Status::ok);
            EXPECT_EQ(start.checkpoint, 1u);
            EXPECT_EQ(start.batches, 1u);
            EXPECT_EQ(test_balance(book, "alice"), 30);
            book_open(book, start.log, UINT64_MAX);
        }
        Store second;
        EXPECT_EQ(store_open(second, disk, "data", StoreMode::write, error), Status::failed);
        EXPECT_NE(store_lock_holder(disk, "data"), 0u);
        for (const int64_t amount : {10, 20}) {
            const std::string id = (is_new ? "a" : "b") + std::to_string(amount);
            ASSERT_EQ(test_move(book, {.operation = Operation::deposit,
                                       .debit = "cash",
                                       .credit = "alice",
                                       .amount = amount,
                                       .id = id}),
                      Status::ok);
            test_commit(book, write_to, &store);
            if (amount == 20) continue;
            ASSERT_EQ(store_checkpoint_now(store, book, window.data(), batch_size_max, made,
                                           error),
                      Status::ok)
                << string_of(writer_slice(error));
        }
        cut_and_mount(SimLoss::drop_all);
        EXPECT_EQ(sim_disk_descriptors(), 0u);
        EXPECT_EQ(store_lock_holder(disk, "data"), 0u);
    }
    Archived archived = {};
    ASSERT_EQ(store_open(store, disk, "data", StoreMode::write, error), Status::ok);
    ASSERT_EQ(store_archived(store, archived, error), Status::ok);
    EXPECT_EQ(archived.segment, 0u);
    const std::string before = digest();
    ASSERT_EQ(store_segment_make(store, 2, test_segment_size, error), Status::ok);
    EXPECT_NE(digest(), before);
    EXPECT_EQ(store_segment_remove(store, 2), Status::ok);
    EXPECT_EQ(digest(), before);
    store_close(store);
}

// The simulated disk as a file system: what its calls answer, and what the store makes of it.

#include <string.h>

#include <algorithm>
#include <vector>

#include "unit/sim_disk_kit.h"
#include "unit/test_bank.h"
#include "unit/test_port.h"

namespace {

Status write_to(void* context, const LogWrite& write) {
    return store_write(*static_cast<Store*>(context), write);
}

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

#include "port/posix/store.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "unit/test_bank.h"
#include "unit/test_faults.h"
#include "unit/test_port.h"

namespace {

namespace fs = std::filesystem;

// A folder that goes away with the test; in memory where the system has that, to spare the disk.
struct TestFolder {
    TestFolder() {
        const fs::path memory = "/dev/shm";
        const bool has_memory = access(memory.c_str(), W_OK) == 0;
        const fs::path where = has_memory ? memory : fs::temp_directory_path();
        std::string pattern = (where / "penny-store-XXXXXX").string();
        path = mkdtemp(pattern.data());
    }
    ~TestFolder() { fs::remove_all(path); }
    std::string data() const { return (path / "data").string(); }
    std::string segment(uint32_t number) const {
        char name[32];
        snprintf(name, sizeof name, "%08u.journal", number);
        return (path / "data" / "journal" / name).string();
    }
    std::string checkpoint(uint32_t number, const std::string& file) const {
        char name[32];
        snprintf(name, sizeof name, "checkpoint.%08u", number);
        return (path / "data" / name / file).string();
    }
    fs::path path;
};

// A store with a place for its sentence.
struct TestStore {
    uint8_t text[512];
    Writer error = writer_of(text, sizeof text);
    Store store;
    bool open = false;
    std::vector<uint8_t> window = std::vector<uint8_t>(batch_size_max);

    Status begin(const TestFolder& folder, StoreMode mode,
                 const StoreCalls& calls = store_calls_posix) {
        error.size = 0;
        const Status status = store_open(store, calls, folder.data().c_str(), mode, error);
        open = status == Status::ok;
        return status;
    }
    std::string said() const { return string_of(writer_slice(error)); }
    void end() {
        if (open) store_close(store);
        open = false;
    }
    ~TestStore() { end(); }
};

Status write_to(void* context, const LogWrite& write) {
    return store_write(*static_cast<Store*>(context), write);
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
}

void write_file(const std::string& path, const std::string& bytes) {
    std::ofstream file(path, std::ios::binary | std::ios::trunc);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// A book on disk with `cash`, `shop`, alice and bob, and `batches` batches of one deposit each.
void make_book(const TestFolder& folder, uint32_t batches, bool checkpoint) {
    TestStore disk;
    TestBook bank;
    ASSERT_EQ(disk.begin(folder, StoreMode::create), Status::ok) << disk.said();
    ASSERT_EQ(store_segment_make(disk.store, 1, test_segment_size, disk.error), Status::ok);
    test_create(bank.book);
    ASSERT_EQ(test_add(bank.book, "alice"), Status::ok);
    ASSERT_EQ(test_add(bank.book, "bob"), Status::ok);
    test_commit(bank.book, write_to, &disk.store);
    for (uint32_t i = 0; i < batches; i++) {
        ASSERT_EQ(test_move(bank.book, {.operation = Operation::deposit,
                                        .debit = "cash",
                                        .credit = i % 2 == 0 ? "alice" : "bob",
                                        .amount = 100 + i,
                                        .id = "d" + std::to_string(i)}),
                  Status::ok);
        test_commit(bank.book, write_to, &disk.store);
    }
    Hash digest;
    if (checkpoint) {
        ASSERT_EQ(store_checkpoint_now(disk.store, bank.book, disk.window.data(), batch_size_max,
                                       digest, disk.error),
                  Status::ok)
            << disk.said();
    }
}

// A recovered book.
struct TestStart {
    TestStore disk;
    TestBook bank;
    StoreStart start = {};
    Status status = Status::failed;

    explicit TestStart(const TestFolder& folder, StoreMode mode = StoreMode::write,
                       const StoreCalls& calls = store_calls_posix,
                       const LedgerLimits& limits = test_limits)
        : bank(limits) {
        status = disk.begin(folder, mode, calls);
        if (status != Status::ok) return;
        status = store_recover(disk.store, bank.book, disk.window.data(), {}, start, disk.error);
        if (status != Status::ok) disk.end();  // As pennyd would, so that the next may start.
        if (status == Status::ok) book_open(bank.book, start.log, UINT64_MAX);
    }
    Book& book() { return bank.book; }
    bool is_refused_with(const std::string& part) const {
        return status == Status::failed && disk.said().find(part) != std::string::npos;
    }
};

// Leaves a checkpoint that is being written as a crash would.
void crash(Store& store) {
    for (int& fd : store.table_fd) {
        close(fd);
        fd = -1;
    }
    close(store.checkpoint_fd);
    store.checkpoint_fd = -1;
    store.checkpoint_open = false;
}

bool log_has(const std::string& part) {
    const std::vector<TestLogLine> lines = test_log_take();
    return std::any_of(lines.begin(), lines.end(), [&](const TestLogLine& line) {
        return line.text.find(part) != std::string::npos;
    });
}

// Deposits into alice's account and commits it on disk; true when it was acknowledged.
bool deposit(TestStart& start, const std::string& id, int64_t amount) {
    if (test_move(start.book(), {.operation = Operation::deposit,
                                 .debit = "cash",
                                 .credit = "alice",
                                 .amount = amount,
                                 .id = id}) != Status::ok) {
        return false;
    }
    const std::vector<BookDone> done = test_commit(start.book(), write_to, &start.disk.store);
    return done.size() == 1 && done[0].durable;
}

}  // namespace

TEST(Store, RecoversFromTheCheckpointAndWhatFollowsIt) {
    TestFolder folder;
    make_book(folder, 3, true);
    {
        TestStart start(folder);
        ASSERT_EQ(start.status, Status::ok) << start.disk.said();
        EXPECT_EQ(start.start.checkpoint, 1u);
        EXPECT_EQ(start.start.batches, 0u);
        EXPECT_TRUE(deposit(start, "more", 1000));
    }
    TestStart start(folder);
    ASSERT_EQ(start.status, Status::ok) << start.disk.said();
    EXPECT_EQ(start.start.batches, 1u);
    EXPECT_EQ(start.start.entries, 1u);
    EXPECT_EQ(start.start.next_segment, 0u);
    EXPECT_EQ(test_balance(start.book(), "alice"), 100 + 102 + 1000);
    EXPECT_EQ(test_balance(start.book(), "bob"), 101);
    EXPECT_EQ(ledger_sum(start.book().ledger), 0);
}

TEST(Store, RecoversTheSameBookFromTheJournalAlone) {
    TestFolder folder;
    make_book(folder, 5, true);
    TestTables with;
    {
        TestStart start(folder);
        ASSERT_EQ(start.status, Status::ok) << start.disk.said();
        with = test_tables(start.book());
    }
    fs::remove_all(folder.path / "data" / "checkpoint.00000001");
    TestStart start(folder);
    ASSERT_EQ(start.status, Status::ok) << start.disk.said();
    EXPECT_EQ(start.start.checkpoint, 0u);
    EXPECT_EQ(start.start.batches, 6u);
    const TestTables without = test_tables(start.book());
    EXPECT_EQ(with.manifest, without.manifest);
    EXPECT_EQ(with.tables, without.tables);
}

TEST(Store, KeepsItsFilesFromOtherPeople) {
    TestFolder folder;
    make_book(folder, 1, true);
    for (const fs::directory_entry& entry :
         fs::recursive_directory_iterator(folder.path / "data")) {
        if (entry.is_symlink()) continue;
        struct stat facts;
        ASSERT_EQ(stat(entry.path().c_str(), &facts), 0);
        EXPECT_EQ(facts.st_mode & 0777u, entry.is_directory() ? 0700u : 0600u) << entry.path();
    }
    EXPECT_EQ(fs::read_symlink(folder.path / "data" / "passwd"), "current/passwd");
    EXPECT_EQ(fs::read_symlink(folder.path / "data" / "balance"), "current/balance");
    EXPECT_EQ(fs::read_symlink(folder.path / "data" / "current"), "checkpoint.00000001");
}

TEST(Store, RefusesASecondWriterAndNamesThePid) {
    TestFolder folder;
    make_book(folder, 1, false);
    TestStore first;
    TestStore second;
    TestStore reader;
    EXPECT_EQ(store_lock_holder(store_calls_posix, folder.data().c_str()), 0u);
    ASSERT_EQ(first.begin(folder, StoreMode::write), Status::ok);
    EXPECT_EQ(second.begin(folder, StoreMode::write), Status::failed);
    EXPECT_NE(second.said().find("process " + std::to_string(getpid())), std::string::npos)
        << second.said();
    EXPECT_EQ(store_lock_holder(store_calls_posix, folder.data().c_str()),
              static_cast<uint32_t>(getpid()));
    EXPECT_EQ(reader.begin(folder, StoreMode::read), Status::ok);
    first.end();
    EXPECT_EQ(store_lock_holder(store_calls_posix, folder.data().c_str()), 0u);
    EXPECT_EQ(second.begin(folder, StoreMode::write), Status::ok) << second.said();
}

TEST(Store, NamesInitWhereThereIsNoBook) {
    TestFolder folder;
    TestStart absent(folder);
    EXPECT_TRUE(absent.is_refused_with("pennyctl init")) << absent.disk.said();
    fs::create_directories(folder.path / "data");
    TestStart empty(folder);
    EXPECT_TRUE(empty.is_refused_with("pennyctl init")) << empty.disk.said();
    fs::create_directories(folder.path / "data" / "journal");
    TestStart bare(folder);
    EXPECT_TRUE(bare.is_refused_with("pennyctl init")) << bare.disk.said();
    write_file(folder.segment(1), std::string(test_segment_size, '\0'));
    TestStart blank(folder);
    EXPECT_TRUE(blank.is_refused_with("pennyctl init")) << blank.disk.said();
    TestStore again;
    EXPECT_EQ(again.begin(folder, StoreMode::create), Status::failed);
}

TEST(Store, FallsBackFromADamagedTable) {
    TestFolder folder;
    make_book(folder, 3, true);
    {
        TestStart start(folder);
        ASSERT_EQ(start.status, Status::ok) << start.disk.said();
        Hash digest;
        ASSERT_EQ(store_checkpoint_now(start.disk.store, start.book(), start.disk.window.data(),
                                       manifest_size_max, digest, start.disk.error),
                  Status::ok);
    }
    test_log_take();
    std::string balance = read_file(folder.checkpoint(2, "balance"));
    balance[balance.find("alice:") + 6] = '\0';
    write_file(folder.checkpoint(2, "balance"), balance);
    {
        TestStart start(folder);
        ASSERT_EQ(start.status, Status::ok) << start.disk.said();
        EXPECT_EQ(start.start.checkpoint, 1u);
        EXPECT_EQ(test_balance(start.book(), "alice"), 202);
        EXPECT_TRUE(log_has("checkpoint.00000002/balance: was changed"));
    }
    fs::remove(folder.checkpoint(1, "ids"));
    TestStart start(folder);
    ASSERT_EQ(start.status, Status::ok) << start.disk.said();
    EXPECT_EQ(start.start.checkpoint, 0u);
    EXPECT_EQ(test_balance(start.book(), "alice"), 202);
    EXPECT_TRUE(log_has("checkpoint.00000001/ids: cannot be read"));
}

// A table that still reads as one was changed by a person, who would wonder where the change went.
TEST(Store, RefusesATableChangedByHandAndNamesTheLine) {
    TestFolder folder;
    make_book(folder, 3, true);
    {
        TestStart start(folder);
        ASSERT_EQ(start.status, Status::ok) << start.disk.said();
        EXPECT_TRUE(deposit(start, "more", 1000));
        Hash digest;
        ASSERT_EQ(store_checkpoint_now(start.disk.store, start.book(), start.disk.window.data(),
                                       batch_size_max, digest, start.disk.error),
                  Status::ok);
        EXPECT_TRUE(deposit(start, "later", 1));
    }
    struct Edit {
        const char* table;
        const char* from;
        const char* to;
        const char* line;
        const char* command;
    };
    constexpr Edit edits[] = {
        {"balance", "alice:12.02", "alice:92.02", "line 3 ", "DEPOSIT"},
        {"balance", "shop:0.00", "shop:0.01", "line 2 ", "ACCOUNT LIMIT"},
        {"balance", "bob:1.01:0.00:0.00:", "bob:1.01:0.00:-5.00:", "line 4 ", "ACCOUNT LIMIT"},
        {"passwd", "bob:customer", "bob:admin", "line 2 ", "PASSWD"},
        {"passwd", "alice:customer:active", "alice:customer:locked", "line 1 ", "PASSWD"},
        {"ids", ":d1:", ":e1:", "line 2 ", "no command"},
    };
    for (const bool has_previous : {true, false}) {
        if (!has_previous) fs::remove_all(folder.path / "data" / "checkpoint.00000001");
        for (const Edit& edit : edits) {
            const std::string path = folder.checkpoint(2, edit.table);
            const std::string good = read_file(path);
            std::string text = good;
            ASSERT_NE(text.find(edit.from), std::string::npos) << edit.from << "\n" << text;
            text.replace(text.find(edit.from), strlen(edit.from), edit.to);
            write_file(path, text);
            TestStart start(folder);
            const std::string place = std::string("checkpoint.00000002/") + edit.table + ": ";
            EXPECT_TRUE(start.is_refused_with(place + edit.line)) << start.disk.said();
            EXPECT_TRUE(start.is_refused_with(edit.command)) << start.disk.said();
            EXPECT_TRUE(start.is_refused_with("pennyctl repair " + folder.data() +
                                              " --forget-edits"))
                << start.disk.said();
            EXPECT_EQ(read_file(path), text);
            write_file(path, good);
        }
    }
    const std::string path = folder.checkpoint(2, "terminals");
    write_file(path, "kiosk\n");
    TestStart added(folder);
    EXPECT_TRUE(added.is_refused_with("/terminals: line 1 ")) << added.disk.said();
    write_file(path, "");
    // Whoever damages the journal as well is not told a line that nothing vouches for.
    std::string bytes = read_file(folder.segment(1));
    bytes[2 * block_size + 200] ^= 1;
    write_file(folder.segment(1), bytes);
    const std::string balance = read_file(folder.checkpoint(2, "balance"));
    std::string text = balance;
    text.replace(text.find("shop:0.00"), 9, "shop:0.01");
    write_file(folder.checkpoint(2, "balance"), text);
    TestStart both(folder);
    EXPECT_TRUE(both.is_refused_with("/balance: was changed by hand")) << both.disk.said();
    EXPECT_EQ(read_file(folder.segment(1)), bytes);
    test_log_take();
}

// As `sed -i` leaves it: a file in the place of the link, and the checkpoint as it was.
TEST(Store, RefusesAChangedTableInThePlaceOfItsLink) {
    TestFolder folder;
    make_book(folder, 3, true);
    const fs::path link = folder.path / "data" / "balance";
    const std::string good = read_file(link.string());
    std::string text = good;
    text.replace(text.find("alice:2.02"), 10, "alice:9.02");
    fs::remove(link);
    write_file(link.string(), text);
    TestStart start(folder);
    EXPECT_TRUE(start.is_refused_with("data/balance: line 3 was changed by hand"))
        << start.disk.said();
    EXPECT_TRUE(start.is_refused_with("move this file away")) << start.disk.said();
    EXPECT_EQ(read_file(link.string()), text);
    // A copy that knew no links is as good as one; the next checkpoint makes it one.
    write_file(link.string(), good);
    {
        TestStart copied(folder);
        ASSERT_EQ(copied.status, Status::ok) << copied.disk.said();
        EXPECT_TRUE(deposit(copied, "more", 1000));
        test_log_take();
        Hash digest;
        ASSERT_EQ(store_checkpoint_now(copied.disk.store, copied.book(), copied.disk.window.data(),
                                       batch_size_max, digest, copied.disk.error),
                  Status::ok)
            << copied.disk.said();
        EXPECT_TRUE(log_has("data/balance: was a file of its own"));
    }
    EXPECT_EQ(fs::read_symlink(link), "current/balance");
    EXPECT_NE(read_file(link.string()).find("alice:12.02"), std::string::npos);
    fs::remove(link);
    TestStart without(folder);
    EXPECT_EQ(without.status, Status::ok) << without.disk.said();
}

TEST(Store, NoticesEveryFlippedByteOfACheckpoint) {
    TestFolder folder;
    make_book(folder, 2, true);
    for (const char* file : {"MANIFEST", "passwd", "balance", "terminals", "ids"}) {
        const std::string path = folder.checkpoint(1, file);
        const std::string good = read_file(path);
        for (size_t at = 0; at < good.size(); at++) {
            std::string bad = good;
            bad[at] = static_cast<char>(bad[at] ^ 1);
            write_file(path, bad);
            TestStart start(folder, StoreMode::read);
            // A manifest whose version became a higher one is refused, and so is a table that still
            // reads as one; all else is not believed.
            if (start.status == Status::ok) {
                EXPECT_EQ(start.start.checkpoint, 0u) << file << " " << at;
                EXPECT_EQ(test_balance(start.book(), "alice"), 100);
            } else {
                EXPECT_TRUE(start.is_refused_with("newer version") ||
                            start.is_refused_with(std::string("/") + file + ": line "))
                    << start.disk.said();
            }
        }
        write_file(path, good);
    }
    test_log_take();
}

TEST(Store, RefusesACheckpointOfAnotherJournal) {
    TestFolder folder;
    TestFolder other;
    make_book(folder, 2, true);
    make_book(other, 4, true);
    fs::remove(folder.segment(1));
    fs::copy(other.segment(1), folder.segment(1));
    // The first batches of both are the same, as all of it is but the number of deposits.
    TestStart same(folder, StoreMode::read);
    EXPECT_EQ(same.status, Status::ok) << same.disk.said();
    {
        TestStart start(other);
        ASSERT_EQ(start.status, Status::ok);
        Hash digest;
        EXPECT_TRUE(deposit(start, "x", 5));
        ASSERT_EQ(store_checkpoint_now(start.disk.store, start.book(), start.disk.window.data(),
                                       batch_size_max, digest, start.disk.error),
                  Status::ok);
    }
    fs::remove_all(folder.path / "data" / "checkpoint.00000001");
    fs::copy(other.path / "data" / "checkpoint.00000002",
             folder.path / "data" / "checkpoint.00000002");
    TestStart late(folder, StoreMode::read);
    EXPECT_TRUE(late.is_refused_with("a checkpoint vouches for it"))
        << late.disk.said();
    {
        fs::remove_all(folder.path / "data" / "checkpoint.00000002");
        TestStart start(folder);
        ASSERT_EQ(start.status, Status::ok) << start.disk.said();
        EXPECT_TRUE(deposit(start, "y", 5));  // In the place of x.
    }
    fs::copy(other.path / "data" / "checkpoint.00000002",
             folder.path / "data" / "checkpoint.00000002");
    TestStart mixed(folder, StoreMode::read);
    EXPECT_TRUE(mixed.is_refused_with("was not taken from this journal")) << mixed.disk.said();
}

TEST(Store, RollsToTheNextSegmentAndRecoversAcrossIt) {
    TestFolder folder;
    make_book(folder, 1, true);
    uint32_t booked = 0;
    for (uint32_t round = 0; round < 3; round++) {
        TestStart start(folder);
        ASSERT_EQ(start.status, Status::ok) << start.disk.said();
        Log& log = start.book().log;
        if (start.start.next_segment != 0) {
            log_segment_made(log, start.start.next_segment, start.start.next_size, 1000 + round);
        }
        for (uint32_t i = 0; i < 100; i++) {
            if (log_wants_segment(log)) {
                ASSERT_EQ(store_segment_make(start.disk.store, log.segment + 1, test_segment_size,
                                             start.disk.error),
                          Status::ok)
                    << start.disk.said();
                log_segment_made(log, log.segment + 1, test_segment_size, 2000 + i);
            }
            ASSERT_TRUE(deposit(start, "r" + std::to_string(round) + "." + std::to_string(i), 1));
            booked++;
        }
        EXPECT_EQ(test_balance(start.book(), "alice"), 100 + booked);
    }
    TestStart start(folder);
    ASSERT_EQ(start.status, Status::ok) << start.disk.said();
    EXPECT_EQ(test_balance(start.book(), "alice"), 100 + booked);
    EXPECT_GT(start.start.log.segment, 2u);
    EXPECT_EQ(start.start.next_segment, start.start.log.segment + 1);

    fs::remove(folder.segment(2));
    TestStart gap(folder, StoreMode::read);
    EXPECT_TRUE(gap.is_refused_with("00000002.journal: is missing")) << gap.disk.said();
}

// A start from a checkpoint begins at its segment, and does not know how many batches lie before.
TEST(Store, NamesNoNumberOfABatchThatItCannotKnow) {
    TestFolder folder;
    make_book(folder, 1, false);
    {
        TestStart start(folder);
        ASSERT_EQ(start.status, Status::ok) << start.disk.said();
        Log& log = start.book().log;
        for (uint32_t i = 0; log.segment == 1; i++) {
            if (log_wants_segment(log)) {
                ASSERT_EQ(store_segment_make(start.disk.store, 2, test_segment_size,
                                             start.disk.error),
                          Status::ok);
                log_segment_made(log, 2, test_segment_size, 2000);
            }
            ASSERT_TRUE(deposit(start, "n" + std::to_string(i), 1));
        }
        Hash digest;
        ASSERT_EQ(store_checkpoint_now(start.disk.store, start.book(), start.disk.window.data(),
                                       batch_size_max, digest, start.disk.error),
                  Status::ok);
    }
    std::string bytes = read_file(folder.segment(2));
    bytes[100] ^= 1;
    write_file(folder.segment(2), bytes);
    TestStart start(folder);
    EXPECT_TRUE(start.is_refused_with(
        "00000002.journal: at offset 0, its first batch: damage: a checkpoint vouches for it"))
        << start.disk.said();
    EXPECT_EQ(read_file(folder.segment(2)), bytes);
}

// What the journal will be written into must be as it was made (F1).
TEST(Store, WantsABlankSegmentAhead) {
    TestFolder folder;
    make_book(folder, 1, false);
    const std::string ahead = folder.segment(2);
    const std::string blank(test_segment_size, '\0');
    write_file(ahead, blank);
    {
        TestStart start(folder);
        ASSERT_EQ(start.status, Status::ok) << start.disk.said();
        EXPECT_EQ(start.start.next_segment, 2u);
    }
    const std::string first = read_file(folder.segment(1));
    for (const uint32_t offset : {0u, 3 * block_size, test_segment_size - block_size}) {
        std::string bytes = blank;
        bytes.replace(offset, block_size, first.substr(0, block_size));
        write_file(ahead, bytes);
        TestStart start(folder);
        EXPECT_TRUE(start.is_refused_with("00000002.journal: holds batches that do not follow"))
            << start.disk.said();
        EXPECT_EQ(read_file(ahead), bytes);
        bytes = blank;
        bytes[offset + 77] = 'x';
        write_file(ahead, bytes);
        test_log_take();
        TestStart reader(folder, StoreMode::read);
        ASSERT_EQ(reader.status, Status::ok) << reader.disk.said();
        EXPECT_TRUE(log_has("00000002.journal: is not blank"));
        EXPECT_EQ(read_file(ahead), bytes);
        TestStart writer(folder);
        ASSERT_EQ(writer.status, Status::ok) << writer.disk.said();
        EXPECT_EQ(writer.start.next_segment, 2u);
        EXPECT_TRUE(log_has("00000002.journal: was not blank"));
        EXPECT_EQ(read_file(ahead), blank);
    }
}

// The journal had rolled, and the segment behind the next was made, when the first batch of the new
// one was lost: what is blank may be made anew, and nothing else.
TEST(Store, MakesABlankSegmentAnewThatACutLeftBehindTheNext) {
    TestFolder folder;
    make_book(folder, 1, false);
    write_file(folder.segment(2), std::string(test_segment_size, '\0'));
    write_file(folder.segment(3), std::string(test_segment_size, '\0'));
    TestStart start(folder);
    ASSERT_EQ(start.status, Status::ok) << start.disk.said();
    EXPECT_EQ(start.start.next_segment, 2u);
    const uint32_t size = test_segment_size + block_size;
    EXPECT_EQ(store_segment_make(start.disk.store, 3, size, start.disk.error), Status::ok)
        << start.disk.said();
    EXPECT_TRUE(read_file(folder.segment(3)) == std::string(size, '\0'));
    for (const uint32_t offset : {0u, block_size + 5, size - 1}) {
        std::string bytes(size, '\0');
        bytes[offset] = 'x';
        write_file(folder.segment(3), bytes);
        EXPECT_EQ(store_segment_make(start.disk.store, 3, size, start.disk.error), Status::failed);
        EXPECT_TRUE(read_file(folder.segment(3)) == bytes);
    }
}

TEST(Store, RefusesASegmentThatWasCutShort) {
    TestFolder folder;
    make_book(folder, 1, true);
    fs::resize_file(folder.segment(1), test_segment_size - block_size);
    TestStart start(folder);
    EXPECT_TRUE(start.is_refused_with("bytes long")) << start.disk.said();
}

TEST(Store, DropsATornLastBatchAndLogsItsEntries) {
    TestFolder folder;
    make_book(folder, 3, false);
    std::string bytes = read_file(folder.segment(1));
    bytes[3 * block_size + 200] ^= 1;  // In the third deposit, the fourth batch.
    write_file(folder.segment(1), bytes);
    test_log_take();
    {
        TestStart reader(folder, StoreMode::read);
        ASSERT_EQ(reader.status, Status::ok) << reader.disk.said();
        EXPECT_TRUE(log_has("left as it is"));
        EXPECT_EQ(read_file(folder.segment(1)), bytes);
    }
    {
        TestStart start(folder);
        ASSERT_EQ(start.status, Status::ok) << start.disk.said();
        EXPECT_EQ(start.start.dropped_batch, 4u);
        EXPECT_TRUE(log_has("batch 4, entries 9 to 9"));
        EXPECT_EQ(test_balance(start.book(), "alice"), 100);
        EXPECT_TRUE(deposit(start, "again", 7));
    }
    TestStart start(folder);
    ASSERT_EQ(start.status, Status::ok) << start.disk.said();
    EXPECT_EQ(start.start.dropped_batch, 0u);
    EXPECT_EQ(test_balance(start.book(), "alice"), 107);
}

TEST(Store, RefusesDamageThatALaterBatchProves) {
    TestFolder folder;
    make_book(folder, 3, false);
    std::string bytes = read_file(folder.segment(1));
    bytes[2 * block_size + 200] ^= 1;
    write_file(folder.segment(1), bytes);
    TestStart start(folder);
    EXPECT_TRUE(start.is_refused_with("at offset 8192, batch 3: damage: a later sound batch"))
        << start.disk.said();
    EXPECT_EQ(read_file(folder.segment(1)), bytes);
}

TEST(Store, RefusesDamageThatTheCheckpointVouchesFor) {
    TestFolder folder;
    make_book(folder, 3, true);
    std::string bytes = read_file(folder.segment(1));
    bytes[3 * block_size + 200] ^= 1;
    write_file(folder.segment(1), bytes);
    TestStart start(folder);
    EXPECT_TRUE(start.is_refused_with("a checkpoint vouches for it"))
        << start.disk.said();
    // Its tables may be damaged as well: the manifest alone is enough to vouch.
    fs::remove(folder.checkpoint(1, "balance"));
    TestStart bare(folder);
    EXPECT_TRUE(bare.is_refused_with("a checkpoint vouches for it"))
        << bare.disk.said();
    EXPECT_EQ(read_file(folder.segment(1)), bytes);
    test_log_take();
}

TEST(Store, RefusesNewerFormatsByName) {
    TestFolder folder;
    make_book(folder, 2, true);
    const std::string manifest = read_file(folder.checkpoint(1, "MANIFEST"));
    std::string newer = manifest;
    newer.replace(0, newer.find('\n'),
                  "pennybank-checkpoint " + std::to_string(manifest_version_max + 1));
    write_file(folder.checkpoint(1, "MANIFEST"), newer);
    TestStart table(folder);
    EXPECT_TRUE(table.is_refused_with("checkpoint.00000001/MANIFEST: written by a newer version"))
        << table.disk.said();
    write_file(folder.checkpoint(1, "MANIFEST"), manifest);
    std::string bytes = read_file(folder.segment(1));
    bytes[3 * block_size] = 'P';
    bytes.replace(3 * block_size, 12, std::string("PNYBATCH\2\0\0\0", 12));
    write_file(folder.segment(1), bytes);
    TestStart batch(folder);
    EXPECT_TRUE(batch.is_refused_with("at offset 12288, batch 4: a batch of a newer format"))
        << batch.disk.said();
}

TEST(Store, NamesBothNumbersOfALimitThatIsTooSmall) {
    TestFolder folder;
    make_book(folder, 1, true);
    const LedgerLimits few = {.accounts = 3, .ids = 256, .terminals = 8, .holds = 16, .reversible = 128,
    .message_keys = 8, .messages = 16, .mailbox = 4};
    TestStart loaded(folder, StoreMode::read, store_calls_posix, few);
    EXPECT_TRUE(loaded.is_refused_with("holds 4 rows, and the limit `accounts` is 3"))
        << loaded.disk.said();
    fs::remove_all(folder.path / "data" / "checkpoint.00000001");
    TestStart replayed(folder, StoreMode::read, store_calls_posix, few);
    EXPECT_TRUE(replayed.is_refused_with("the limit `accounts` is 3, and this book was kept with 64"))
        << replayed.disk.said();
}

// Orders are asked for by as many ids as the ring has, however few people have keys for messages.
TEST(Store, LoadsMoreIdsOfOrdersThanThereMayBeKeys) {
    TestFolder folder;
    make_book(folder, 1, false);
    Hash digest;
    {
        TestStart start(folder);
        ASSERT_EQ(start.status, Status::ok) << start.disk.said();
        ASSERT_EQ(test_set_item(start.book(), "tea", 2), Status::ok);
        test_commit(start.book(), write_to, &start.disk.store);
        for (uint32_t i = 0; i <= test_limits.message_keys; i++) {
            ASSERT_EQ(test_move(start.book(), {.operation = Operation::order,
                                               .debit = "alice",
                                               .id = "o" + std::to_string(i),
                                               .person = "alice",
                                               .item = "tea",
                                               .quantity = 1}),
                      Status::ok);
            test_commit(start.book(), write_to, &start.disk.store);
            ASSERT_EQ(test_move(start.book(), {.operation = Operation::order_done,
                                               .id = "h" + std::to_string(i),
                                               .person = "alice",
                                               .order = start.book().ledger.seq_installed}),
                      Status::ok);
            test_commit(start.book(), write_to, &start.disk.store);
        }
        ASSERT_EQ(store_checkpoint_now(start.disk.store, start.book(), start.disk.window.data(),
                                       batch_size_max, digest, start.disk.error),
                  Status::ok);
    }
    {
        TestStart start(folder);
        ASSERT_EQ(start.status, Status::ok) << start.disk.said();
    }
    const std::string path = folder.checkpoint(1, "ordered");
    std::string text = read_file(path);
    ASSERT_NE(text.find(":tea:1:"), std::string::npos) << text;
    text.replace(text.find(":tea:1:"), 7, ":tea:2:");
    write_file(path, text);
    TestStart edited(folder);
    EXPECT_TRUE(edited.is_refused_with("no command changes it")) << edited.disk.said();
}

TEST(Store, KeepsThePreviousCheckpointAndRemovesOlderOnes) {
    TestFolder folder;
    make_book(folder, 1, true);
    for (uint32_t number = 2; number < 6; number++) {
        TestStart start(folder);
        ASSERT_EQ(start.status, Status::ok) << start.disk.said();
        EXPECT_EQ(start.start.checkpoint, number - 1);
        ASSERT_TRUE(deposit(start, "n" + std::to_string(number), 1));
        Hash digest;
        ASSERT_EQ(store_checkpoint_now(start.disk.store, start.book(), start.disk.window.data(),
                                       batch_size_max, digest, start.disk.error),
                  Status::ok);
        EXPECT_TRUE(fs::exists(folder.checkpoint(number, "MANIFEST")));
        EXPECT_TRUE(fs::exists(folder.checkpoint(number - 1, "MANIFEST")));
        EXPECT_FALSE(fs::exists(folder.path / "data" /
                                ("checkpoint.0000000" + std::to_string(number - 2))));
    }
}

TEST(Store, TakesACheckpointThatWasNeverFinishedForNone) {
    TestFolder folder;
    make_book(folder, 1, true);
    for (uint32_t i = 0; i < store_checkpoints_max + 2; i++) {
        TestStart start(folder);
        ASSERT_EQ(start.start.checkpoint, 1u);
        ASSERT_EQ(store_checkpoint_begin(start.disk.store, start.disk.error), Status::ok);
        ASSERT_EQ(store_checkpoint_append(start.disk.store, TableName::passwd,
                                          slice_of("half a line"), start.disk.error),
                  Status::ok);
        crash(start.disk.store);
    }
    TestStart start(folder);
    EXPECT_EQ(start.status, Status::ok) << start.disk.said();
    EXPECT_EQ(start.start.checkpoint, 1u);
    Hash digest;
    ASSERT_EQ(store_checkpoint_now(start.disk.store, start.book(), start.disk.window.data(),
                                   batch_size_max, digest, start.disk.error),
              Status::ok);
    EXPECT_TRUE(fs::exists(folder.checkpoint(store_checkpoints_max + 4, "MANIFEST")));
    EXPECT_TRUE(fs::exists(folder.checkpoint(1, "MANIFEST")));
    EXPECT_FALSE(fs::exists(folder.path / "data" / "checkpoint.00000002"));
    test_log_take();
}

TEST(Store, FillsAWholeSegmentWithZerosOrLeavesNothing) {
    TestFolder folder;
    make_book(folder, 1, false);
    TestStore disk;
    for (int code : {ENOSPC, EDQUOT, EIO}) {
        for (uint64_t at = 0;; at++) {
            test_faults_begin({});
            ASSERT_EQ(disk.begin(folder, StoreMode::write, test_calls), Status::ok);
            test_faults_begin({.fail_at = at, .for_good = false, .code = code});
            const Status status =
                store_segment_make(disk.store, 2, test_segment_size, disk.error);
            const bool failed_at_all = test_faults_calls() > at;
            disk.end();
            if (!failed_at_all) {
                ASSERT_EQ(status, Status::ok);
                break;
            }
            EXPECT_NE(status, Status::ok) << at;
            EXPECT_FALSE(fs::exists(folder.segment(2))) << at;
            EXPECT_FALSE(fs::exists(folder.path / "data" / "journal" / "00000002.making"));
        }
        const std::string bytes = read_file(folder.segment(2));
        EXPECT_EQ(bytes, std::string(test_segment_size, '\0'));
        fs::remove(folder.segment(2));
    }
    ASSERT_EQ(disk.begin(folder, StoreMode::write), Status::ok);
    EXPECT_EQ(store_segment_make(disk.store, 1, test_segment_size, disk.error), Status::failed);
    EXPECT_NE(read_file(folder.segment(1)), std::string(test_segment_size, '\0'));
}

TEST(Store, SurvivesShortReadsAndWrites) {
    TestFolder folder;
    make_book(folder, 1, true);
    test_faults_begin({.short_writes = true});
    {
        TestStart start(folder, StoreMode::write, test_calls);
        ASSERT_EQ(start.status, Status::ok) << start.disk.said();
        EXPECT_TRUE(deposit(start, "short", 5));
        Hash digest;
        EXPECT_EQ(store_checkpoint_now(start.disk.store, start.book(), start.disk.window.data(),
                                       batch_size_max, digest, start.disk.error),
                  Status::ok)
            << start.disk.said();
    }
    TestStart start(folder);
    EXPECT_EQ(start.start.checkpoint, 2u);
    EXPECT_EQ(test_balance(start.book(), "alice"), 105);
}

// Every call that pennyd makes of the system fails once, or from then on for good, with each of two
// codes. Whatever was acknowledged is there after the next start, and a checkpoint that was said to
// be taken is loaded.
TEST(Store, NeverClaimsWhatItDidNotDo) {
    constexpr uint32_t deposits = 3;
    for (int code : {EIO, ENOSPC, EINTR}) {
        for (bool for_good : {false, true}) {
            if (code == EINTR && for_good) continue;  // It would be asked for ever.
            for (uint64_t at = 0;; at++) {
                TestFolder folder;
                make_book(folder, 1, true);
                int64_t acknowledged = 100;
                int64_t asked = 100;
                bool checkpoint = false;
                test_faults_begin({.fail_at = at, .for_good = for_good, .code = code});
                {
                    TestStart start(folder, StoreMode::write, test_calls);
                    for (uint32_t i = 0; i < deposits && start.status == Status::ok; i++) {
                        if (start.book().log.blocked != LogBlock::none) break;
                        asked += 10;
                        if (deposit(start, "f" + std::to_string(i), 10)) acknowledged += 10;
                    }
                    Hash digest;
                    checkpoint =
                        start.status == Status::ok &&
                        start.book().log.blocked == LogBlock::none &&
                        store_checkpoint_now(start.disk.store, start.book(),
                                             start.disk.window.data(), batch_size_max, digest,
                                             start.disk.error) == Status::ok;
                }
                const bool reached = test_faults_calls() > at;
                TestStart after(folder);
                ASSERT_EQ(after.status, Status::ok) << at << " " << after.disk.said();
                const int64_t balance = test_balance(after.book(), "alice");
                EXPECT_GE(balance, acknowledged) << at;
                EXPECT_LE(balance, asked) << at;
                EXPECT_EQ(ledger_sum(after.book().ledger), 0);
                if (checkpoint) {
                    EXPECT_EQ(after.start.checkpoint, 2u) << at;
                }
                if (!reached) {
                    EXPECT_EQ(balance, 100 + 10 * deposits);
                    EXPECT_TRUE(checkpoint);
                    break;
                }
            }
        }
    }
    test_log_take();
}

TEST(Store, NeverWritesAgainAfterAFailure) {
    TestFolder folder;
    make_book(folder, 1, true);
    test_faults_begin({});
    TestStart start(folder, StoreMode::write, test_calls);
    ASSERT_EQ(start.status, Status::ok);
    test_faults_begin({.fail_at = 2, .code = EIO});  // open, pwrite, fdatasync
    EXPECT_FALSE(deposit(start, "lost", 10));
    EXPECT_EQ(start.book().log.blocked, LogBlock::failed);
    const uint64_t calls = test_faults_calls();
    std::vector<uint8_t> block(block_size);
    EXPECT_EQ(store_write(start.disk.store, {1, 0, {block.data(), block_size}}), Status::failed);
    EXPECT_EQ(test_faults_calls(), calls);
}

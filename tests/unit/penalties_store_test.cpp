// data/penalties: never half a text, whichever call of the system fails, and never half a load.
#include <errno.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "port/posix/store.h"
#include "unit/test_bank.h"
#include "unit/test_faults.h"

namespace {

namespace fs = std::filesystem;

constexpr uint64_t now = 100'000;
constexpr uint64_t calendar = 1'800'000'000'000;

struct TestPlace {
    TestPlace() {
        const bool has_memory = access("/dev/shm", W_OK) == 0;
        const fs::path where = has_memory ? "/dev/shm" : fs::temp_directory_path().string();
        std::string pattern = (where / "penny-door-XXXXXX").string();
        folder = mkdtemp(pattern.data());
        const std::string data = (folder / "data").string();
        test_faults_begin({});
        EXPECT_EQ(store_open(store, test_calls, data.c_str(), StoreMode::create, error),
                  Status::ok);
        test_create(book.book);
        for (const char* name : {"alice", "bob"}) {
            EXPECT_EQ(test_add(book.book, name), Status::ok);
        }
        test_commit(book.book);
        Arena measured = {};
        const PenaltyLimits limits = {.people = 8, .sources = 4, .terminals = 4, .pairs = 4};
        penalties_layout(penalties, measured, limits);
        memory.resize(measured.used + arena_align);
        const uintptr_t at = reinterpret_cast<uintptr_t>(memory.data());
        arena.base = memory.data() + (arena_align - at % arena_align) % arena_align;
        arena.size = measured.used;
        penalties_layout(penalties, arena, limits);
        init();
    }
    ~TestPlace() {
        test_faults_begin({});
        store_close(store);
        fs::remove_all(folder);
    }
    void init() {
        PenaltyRules rules = {};
        rules.own = rules.shared = {3, 900'000};
        rules.first_ms = 1000;
        rules.half_life_ms = 600'000;
        const uint8_t key[16] = {7};
        penalties_init(penalties, rules, key);
    }
    void fail(uint32_t person, int count) {
        Attempt attempt = {};
        attempt.person = person;
        attempt.terminal = test_name("kiosk");
        for (int i = 0; i < count; i++) penalties_fail(penalties, attempt, now, calendar);
    }
    std::string text() {
        std::vector<uint8_t> room(4096);
        Writer out = writer_of(room.data(), 4096);
        PenaltiesSave save = {};
        penalties_save_begin(penalties, save, calendar, out);
        while (save.active) {
            penalties_save_step(penalties, save, book.book.ledger, now, 100, out);
        }
        return string_of(writer_slice(out));
    }
    // The text in pieces, until one cannot be put.
    Status put(const std::string& bytes, uint32_t piece) {
        const uint32_t size = static_cast<uint32_t>(bytes.size());
        for (uint32_t at = 0; at < size; at += piece) {
            const Slice part = slice_part(slice_of_chars(bytes.data(), size), at, piece);
            const Status status =
                store_penalties_put(store, at, part, at + piece >= size, error);
            if (status != Status::ok) return status;
        }
        return Status::ok;
    }
    Status load() {
        init();
        return store_penalties_load(store, now, calendar, window, sizeof window,
                                    book.book.ledger, penalties, error);
    }
    std::string path() const { return (folder / "data" / "penalties").string(); }
    std::string on_disk() const {
        std::ifstream file(path(), std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(file), {});
    }
    bool is_empty() const {
        return penalties.people[0].points == 0 && penalties.people[1].points == 0;
    }
    fs::path folder;
    uint8_t said[512];
    Writer error = writer_of(said, sizeof said);
    Store store;
    TestBook book;
    Penalties penalties = {};
    Arena arena = {};
    std::vector<uint8_t> memory;
    uint8_t window[64];
};

}  // namespace

TEST(PenaltiesStore, ComeBackAndAreReadableToTheirOwnerOnly) {
    TestPlace one;
    EXPECT_EQ(one.load(), Status::absent);
    one.fail(0, 5);
    one.fail(1, 1);
    const std::string text = one.text();
    for (const uint32_t piece : {1u, 7u, 64u, 4096u}) {
        EXPECT_EQ(one.put(text, piece), Status::ok);
        EXPECT_EQ(one.on_disk(), text);
        EXPECT_EQ(one.load(), Status::ok);
        EXPECT_EQ(one.text(), text);
    }
    struct stat facts = {};
    EXPECT_EQ(stat(one.path().c_str(), &facts), 0);
    EXPECT_EQ(facts.st_mode & 07777, 0600u);
}

TEST(PenaltiesStore, AreTheOldTextOrTheNewWhicheverCallFails) {
    TestPlace one;
    one.fail(0, 5);
    const std::string before = one.text();
    one.fail(1, 2);
    const std::string after = one.text();
    for (const int code : {EIO, ENOSPC}) {
        for (const bool for_good : {false, true}) {
            uint64_t failures = 0;
            for (uint64_t call = 0;; call++) {
                test_faults_begin({});
                ASSERT_EQ(one.put(before, 40), Status::ok);  // Whatever the last failure left.
                test_faults_begin({.fail_at = call, .for_good = for_good, .code = code});
                const Status status = one.put(after, 40);
                const bool was_reached = test_faults_calls() > call;
                const std::string found = one.on_disk();
                if (status == Status::ok) {
                    ASSERT_EQ(found, after);
                } else {
                    failures++;
                    ASSERT_EQ(status, code == ENOSPC ? Status::full : Status::failed);
                    ASSERT_TRUE(found == before || found == after) << call;
                    ASSERT_NE(string_of(writer_slice(one.error)).find("data/penalties"),
                              std::string::npos);
                }
                if (!was_reached) break;
            }
            EXPECT_GT(failures, 8u);
        }
    }
}

TEST(PenaltiesStore, AreLoadedWholeOrNotAtAll) {
    TestPlace one;
    one.fail(0, 5);
    one.fail(1, 2);
    const std::string text = one.text();
    ASSERT_EQ(one.put(text, 4096), Status::ok);
    for (uint64_t call = 0;; call++) {
        test_faults_begin({.fail_at = call, .code = EIO});
        const Status status = one.load();
        if (test_faults_calls() <= call) break;
        if (status == Status::ok) {  // It was closing that failed.
            EXPECT_EQ(one.text(), text);
        } else {
            EXPECT_EQ(status, Status::failed);
            EXPECT_TRUE(one.is_empty()) << call;
        }
    }
    test_faults_begin({.short_writes = true});
    EXPECT_EQ(one.load(), Status::ok);
    EXPECT_EQ(one.put(text, 40), Status::ok);
    EXPECT_EQ(one.on_disk(), text);
}

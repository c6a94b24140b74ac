// sim_disk_kit.h - what the tests of the simulated disk do to it, in few words.
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>

#include <string>

#include "port/sim/disk.h"

inline const StoreCalls& disk = sim_disk_calls;

// A disk that goes away with the test.
struct TestSim {
    explicit TestSim(uint64_t seed = 1) { sim_disk_init(seed); }
    ~TestSim() { sim_disk_free(); }
};

inline int open_new(const char* path) { return disk.open(AT_FDCWD, path, O_RDWR | O_CREAT, 0600); }

inline void put(int fd, const std::string& bytes, uint64_t offset = 0) {
    ASSERT_EQ(disk.pwrite(fd, bytes.data(), bytes.size(), offset),
              static_cast<int64_t>(bytes.size()));
}

inline std::string get(const char* path) {
    const int fd = disk.open(AT_FDCWD, path, O_RDONLY, 0);
    if (fd < 0) return "no file";
    std::string bytes(1 << 20, '\0');
    const int64_t got = disk.pread(fd, bytes.data(), bytes.size(), 0);
    disk.close(fd);
    bytes.resize(got < 0 ? 0 : static_cast<size_t>(got));
    return bytes;
}

inline bool sync_directory(const char* path) {
    const int fd = disk.open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
    const bool done = fd >= 0 && disk.fsync(fd) == 0;
    if (fd >= 0) disk.close(fd);
    return done;
}

// A file that a cut cannot touch.
inline void put_durable(const char* path, const std::string& bytes) {
    const int fd = open_new(path);
    ASSERT_GE(fd, 0);
    put(fd, bytes);
    ASSERT_EQ(disk.fdatasync(fd), 0);
    disk.close(fd);
    ASSERT_TRUE(sync_directory("/"));
}

inline std::string digest() {
    uint8_t bytes[32];
    sim_disk_digest(bytes);
    return std::string(reinterpret_cast<char*>(bytes), sizeof bytes);
}

inline void cut_and_mount(SimLoss loss) {
    sim_disk_cut();
    sim_disk_mount(loss);
}

inline std::string sectors(const std::string& letters) {
    std::string bytes;
    for (const char letter : letters) bytes += std::string(sim_sector_size, letter);
    return bytes;
}

inline int errno_of(int64_t answer) { return answer < 0 ? errno : 0; }

// lab_kit.h - both ends of a laboratory channel in memory, for tests.
//
// An end holds nothing of the library's between two calls, so that a copy of it put back into the
// same place goes on from there: tests try many things from one state.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "channel/lab/lab_parts.h"

using LabNames = std::vector<std::string>;
inline const LabNames lab_names = {"xor", "rsa", "hybrid", "dhe", "psk"};

// A private key of its own for each name, made once a run.
const std::string& lab_test_key(const std::string& name);

// A CA of its own for each name, and the certificate by it for the key `key`: a client's for the one
// of that name, a server's for others.
const std::string& lab_test_ca(const std::string& name);
std::string lab_test_certificate(const std::string& ca, const std::string& key);

// Brings the library up on the C library's memory, and tells it the present time.
struct LabTest : testing::Test {
    static void SetUpTestSuite();
    static void TearDownTestSuite();
    void TearDown() override;
};

// The config of one end, freed with it. Unless told otherwise its key has the name of the end.
struct LabHome {
    LabConfig config = {};
    const char* reason = nullptr;

    LabHome() = default;
    LabHome(const LabHome&) = delete;
    LabHome& operator=(const LabHome&) = delete;
    ~LabHome() { lab_config_free(config); }
};

struct LabWish {
    std::string key;
    std::string certificate;
    std::string ca;
    std::string passphrase = "open sesame 1234";
    const Hash* pin = nullptr;
};

Status lab_test_load(LabHome& home, const std::string& name, LabEnd end, const LabWish& wish);

// One end of a connection.
struct LabSide {
    LabMemory memory;
    Channel channel;
    Status status;        // the last answer
    bool established;
    uint32_t out_size;    // bytes put and not taken yet
    uint32_t plain_size;  // bytes read and not taken yet
    uint8_t out[32768];
    uint8_t plain[16384];

    void open(LabHome& home, std::vector<std::string>* lines = nullptr);

    // Gives the end bytes of its peer; the handshake goes on, or messages are read. The alert that
    // follows a failure is in `out`.
    Status feed(const std::string& bytes);
    Status write(const std::string& bytes);
    void close();

    // The same where `status` is looked at later.
    void give(const std::string& bytes) { status = feed(bytes); }
    void say(const std::string& bytes) { status = write(bytes); }

    std::string take_out();
    std::string take_plain();
    std::string reason() const { return channel.reason == nullptr ? "" : channel.reason; }
};

// Both ends, opened.
struct LabPair {
    LabHome client_home;
    LabHome server_home;
    LabSide client;
    LabSide server;
    std::vector<std::string> client_lines;
    std::vector<std::string> server_lines;

    explicit LabPair(const std::string& name, const LabWish& client_wish = {},
                     const LabWish& server_wish = {});

    // Carries bytes to and fro, in pieces of that size, until both are silent.
    void pump(uint32_t piece_size = 65536);
};

// What a reason must be: a row of failures.def, or what is said where the other side sent an alert.
bool lab_is_reason(const std::string& reason);

// The messages of a flight, cut at their headers.
std::vector<std::string> lab_messages(const std::string& flight);

// The alert that has this failure's number.
std::string lab_alert(LabFailure failure);

// enrol.h - what the halves of `pennyctl enrol` share: enrol.cpp and enrol_sign.cpp.
//
// The spool of access/enrol_spool.h, beside a running server or without one. Files that are made here
// belong to whoever owns the data folder, so that the server can read them, also when root made them.
#pragma once

#include "access/enrol_spool.h"
#include "pennyctl/place.h"

struct EnrolSpool {
    BankPlace place;
    int dir_fd;             // of the data folder
    uint32_t listener;      // the first one of channel enrol; listener_count where there is none
    uint64_t wall_ms;
    Writer error;           // one sentence
};

// What is known of one code or renewal.
struct EnrolRow {
    EnrolBase base;
    Name name;
    bool is_renewal;
    bool has_request;
    bool has_answer;
    uint64_t expires_ms;    // of a code
};

// Calls `each` for each code and each renewal that there is, until it answers something else than
// exit_done. A file that is damaged is told of and passed over.
ExitCode enrol_each(EnrolSpool& spool, ExitCode (*each)(void* context, const EnrolRow& row),
                    void* context);

// Reads or writes one file of the spool. Print the reason.
ExitCode enrol_read(const EnrolSpool& spool, const EnrolBase& base, const char* ending, uint8_t* out,
                    uint32_t capacity, uint32_t& size);
ExitCode enrol_write(const EnrolSpool& spool, const EnrolBase& base, const char* ending,
                     Slice bytes);

// --sign: signs what waits, of one terminal or of all where `name` is nullptr.
ExitCode enrol_sign(EnrolSpool& spool, const char* name);

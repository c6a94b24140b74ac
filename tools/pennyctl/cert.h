// cert.h - what the verbs of `pennyctl cert` share: their words, the bank's authority, the outcome.
//
// Each verb takes its words, opens the authority, acts, and closes it; a refusal takes back what
// was made, but never a line of the register. Printed is what was done, a line for each
// certificate.
#pragma once

#include "pennyctl/authority.h"

inline constexpr uint32_t cert_words_max = 512;  // of one command line
inline constexpr uint32_t cert_names_max = 8;    // --name options

// What was typed behind one of the verbs.
struct CertWords {
    const char* verb;  // "cert client"
    const char* words[cert_words_max];
    uint32_t word_count;
    const char* bank;  // nullptr for the usual one
    const char* names[cert_names_max];
    uint32_t name_count;
    const char* out;
    uint32_t days;     // 0 for what the kind has
    bool due;
    bool csv;
};

// What a verb takes: from `least` to `most` words before the bank, and options, one letter each: d
// --days, n --name, o --out, u --due, c --csv. `wanted` says what is missing.
struct CertTakes {
    const char* verb;
    uint32_t least;
    uint32_t most;
    const char* wanted;
    const char* options;
};

// All of one run. Too large for a stack; keys in it are wiped at the end.
struct Cert {
    CertWords words;
    Authority authority;
    Pem key;
    Pem certificate;
    HostList hosts;
};

int cert_run(const CertTakes& takes, int argc, char** argv, ExitCode (*act)(Cert& cert));

// The path as it is shown.
ToolPath cert_whole(const Cert& cert, const char* path);

// Refuses a name that nobody can have in a certificate.
ExitCode cert_check_name(const char* text);
ExitCode cert_check_hosts(const Cert& cert);

// Enters what was just made in the register.
ExitCode cert_enter(Cert& cert, CertificateKind kind, bool by_issuing);

ExitCode cert_folder(Cert& cert, const char* name);
ExitCode cert_sync(Cert& cert);

// Says where what was just made is, until when it holds, and its serial number.
ExitCode cert_tell(const Cert& cert, const char* name, const char* path, const char* key_path);

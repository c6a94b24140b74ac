// lab_stage.h - where an attack of the laboratory is played: a server of one channel, started for
// it, and a client that talks to it over a line on which somebody may stand.
//
//     lab_stage_open ─► lab_stage_connect ─► lab_stage_ask … ─► lab_stage_hang_up ─► … connect …
//          └──────────────────────────── lab_stage_close ◄────────────────────────────┘
//
// TLS, to compare with, gets a bank of its own in a folder that goes with the stage. Servers listen
// on loopback, at ports that the kernel chooses. Whatever fails leaves a sentence in `reason`; the
// stage is closed on every path.
#pragma once

#include "channel/lab/lab.h"
#include "penny/connection.h"
#include "penny/lab_child.h"

inline constexpr uint32_t lab_folder_size_max = 1024;  // bytes of a path, NUL included
inline constexpr uint32_t lab_answer_size_max = 512;   // bytes of an answer's text
inline constexpr uint32_t lab_pem_size_max = 16384;
inline constexpr uint32_t lab_words_max = 6;           // of a request

struct LabStage {
    const char* channel;
    const LabOps* lab;      // nullptr for TLS
    LabChild server;
    char port[6];
    char folder[lab_folder_size_max];  // "" while there is none
    LabConfig client;
    LabMemory memory;
    TlsConfig tls;
    char password[64];      // alice's, in a bank of TLS
    Connection connection;
    char reason[512];
};

// The one stage that there is, as large as it is. Reserved when first asked for; nullptr without
// memory.
LabStage* lab_stage();

// Whether this build has that channel. Every build has TLS.
bool lab_stage_has(const char* channel);

// What the channel is worth; nullptr for none that there is.
const LabProperties* lab_stage_properties(const char* channel);

// Starts a server of the channel and loads what its client needs. Returns ok or failed.
Status lab_stage_open(LabStage& stage, const char* channel);

// Loads the client's part anew, with the server's key pinned. Returns ok or failed.
Status lab_stage_pin(LabStage& stage, const Hash& pin);

// Connects, over a tap if there is one, and logs in where the channel has people. Returns ok or
// failed.
Status lab_stage_connect(LabStage& stage, const ConnectionTap* tap);

// Sends a request and takes the text of its answer. Returns ok, also for an answer that is an
// error; failed.
Status lab_stage_ask(LabStage& stage, const char* const* words, Writer& answer);

void lab_stage_hang_up(LabStage& stage);

// Ends the server; what it said is complete then.
void lab_stage_end_server(LabStage& stage);

void lab_stage_close(LabStage& stage);

// init.h - the parts of `pennyctl init`: what was asked for, who gets a certificate, and the texts.
#pragma once

#include "crypto/certificate.h"
#include "pennyctl/files.h"
#include "pennyctl/tool.h"

inline constexpr uint32_t init_hosts_max = 8;      // --name options
inline constexpr uint32_t init_tills_max = 3;      // --till options
inline constexpr uint32_t init_conf_size_max = 16384;  // bytes of one configuration file

struct InitOptions {
    const char* dir;
    bool demo;
    const char* address;        // to listen on, in figures
    const char* hosts[init_hosts_max];
    uint32_t host_count;
    const char* tills[init_tills_max];
    uint32_t till_count;
    const char* currency;
    uint32_t scale;
    const char* password_file;  // nullptr: ask
    bool no_message_key;        // the server answers no messages to @server
};

// Puts DIR/pennyd.conf, checked by the server's own reading. Returns invalid with `error` for what
// the server would refuse.
Status init_put_server_conf(const InitOptions& options, Writer& out, Writer& error);

// Puts DIR/client.conf for the person `user`, whose certificate has that name.
void init_put_client_conf(const InitOptions& options, const char* user, Writer& out);

// Puts DIR/certs/clients/USER.conf, which goes to another machine together with the files that it
// names; so it looks for the server under the first name that was given.
void init_put_till_conf(const InitOptions& options, const char* user, Writer& out);

// Makes the authority, the server's certificate, an empty list of revoked ones, and a certificate
// for each of `clients`. Returns exit_done, or exit_refused with the reason printed.
ExitCode init_make_certificates(Made& made, const InitOptions& options, const char* const* clients,
                                uint32_t client_count, uint64_t wall_ms);

// Makes certs/message.key, for messages to the server itself. Returns as init_make_certificates.
ExitCode init_make_message_key(Made& made);

// "certs/clients/NAME.crt" and the like.
MadePath init_client_path(const char* name, const char* ending);

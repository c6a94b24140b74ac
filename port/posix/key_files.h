// key_files.h - reads the certificates, keys and passphrases that a configuration names, and hands
// them to the server. What was read is wiped before a call returns.
//
// Each call that fails has put its sentence into `message`.
#pragma once

#include "server.h"

inline constexpr uint32_t pem_size_max = 65536;  // bytes of one certificate, key or CRL file
inline constexpr uint32_t key_path_size = 2 * path_size_max + 2;  // bytes of a path put together

struct KeyFiles {
    char folder[path_size_max + 1];  // of the configuration file, empty or with its slash
    alignas(64) uint8_t pem[4][pem_size_max];
};

// Makes a path of the configuration absolute, or relative to where the process was started. Returns
// ok, or full for one that is too long.
Status key_files_resolve(const KeyFiles& files, const char* path, char out[key_path_size]);

// Loads what each of the server's listeners of TLS has, by the files that `config` names, into a
// generation that is not in use.
Status key_files_load_tls(KeyFiles& files, Server& server, const Config& config,
                          uint32_t generation, Writer& message);

// Loads what each listener of the laboratory has.
Status key_files_load_lab(KeyFiles& files, Server& server, Writer& message);

// Loads the authority that signs terminals' certificates, where the server does that, behind what
// its listeners have.
Status key_files_load_issuer(KeyFiles& files, Server& server, const Config& config,
                             uint32_t generation, Writer& message);

// Loads the key of messages to the server itself, where one is named.
Status key_files_load_message(KeyFiles& files, Server& server, Writer& message);

// conf.h - client.conf: where the server is and with what this terminal comes.
//
//     [client]
//     host = 127.0.0.1
//     port = 6226
//     cacert = certs/ca.crt          paths are relative to the file
//     cert = certs/clients/alice.crt
//     key = certs/clients/alice.key
//     user = alice
//     messages = messages            keys and pins of people; this folder when nothing is said
//
// For channels of the laboratory; they take nothing else from here but the host, as the port, the
// terminal and the person are those of the bank:
//
//     lab-key = lab/client.key
//     lab-cert = lab/client.crt
//     lab-ca = lab/ca.crt
//     passphrase-file = lab/passphrase
#pragma once

#include "penny/options.h"

inline constexpr uint32_t conf_text_size_max = 1023;  // bytes of one value, a path made whole

struct ClientConf {
    char path[conf_text_size_max + 1];
    char host[conf_text_size_max + 1];
    char port[conf_text_size_max + 1];
    char cacert[conf_text_size_max + 1];
    char cert[conf_text_size_max + 1];
    char key[conf_text_size_max + 1];
    char user[conf_text_size_max + 1];
    char messages[conf_text_size_max + 1];
    char lab_key[conf_text_size_max + 1];
    char lab_cert[conf_text_size_max + 1];
    char lab_ca[conf_text_size_max + 1];
    char passphrase_file[conf_text_size_max + 1];
};

// Finds the file, says which it took unless -c named it, and fills in what `options` leaves open.
// No file at all is no error. Returns exit_go_on, or exit_refused with the reason printed.
ExitCode conf_read(ClientConf& conf, Options& options);

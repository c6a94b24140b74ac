// authority.h - the bank's authority, for every verb that makes or revokes certificates.
//
// The one place that opens ca.key and issuing.key, makes keys and certificates, enters them in the
// register, writes them, and keeps the lists of what is revoked. Everything lies in the folder of
// the CA's certificate, which the first listener of channel tls names (`ca`, usually certs/ca.crt):
//
//     ca.crt  ca.key            the CA; no server ever opens its key, which may be kept elsewhere
//     issuing.crt  issuing.key  the intermediate, where there is one, by which a server may sign
//     server.crt  server.key    what the listener names (`certificate`, `key`)
//     clients/NAME.crt  .key    terminals' and people's; no key where only a request came
//     crl.pem                   what the listener names (`crl`): the CA's list and, behind
//                               issuing's certificate, its own
//     issued                    the register (crypto/issued.h) of what was signed by these verbs
//     old/                      certificates that were renewed, for receipts that they judge
//
// Keys are mode 0600 and wiped from memory. A verb's sentence is printed by the call that fails,
// and nothing else is; `exit_done` is the answer of those that went well.
//
//   U1. A certificate's line is in the register, on disk, before its file has its name.
//   U2. A file gets its name whole (files.h, F1). A new one never takes another's place, and no
//       call here replaces a key.
//   U3. What is renewed is renewed for the key that it had. So a server's certificate and key are
//       never seen apart: the key's file stays, the certificate's is replaced by one rename, and a
//       cut before it leaves the old one, one behind it the new one, each of that key.
//   U4. A list keeps its rows. Where there is no room for another one, the rows go first whose
//       certificates have ended longest ago, and none of less than a year ago: until then it may
//       still ask to be renewed.
//   U5. One at a time: the folder is locked from authority_open to authority_close, so that no
//       revocation is lost between two runs.
#pragma once

#include "crypto/issued.h"
#include "crypto/revocation.h"
#include "pennyctl/files.h"
#include "pennyctl/place.h"

inline constexpr uint32_t key_mode = 0600;
inline constexpr uint32_t public_mode = 0644;
inline constexpr uint32_t authority_days_max = 36525;  // of --days: a hundred years

// A key, or a certificate and the one that signed it.
struct Pem {
    uint8_t bytes[2 * certificate_pem_size_max];
    Writer text;
};

void pem_clear(Pem& pem);
Slice pem_slice(const Pem& pem);

// Who signs: the CA, or issuing. A part that is not there is empty.
struct Signer {
    Pem certificate;
    Pem key;
    CertificateFacts facts;  // of the certificate, where there is one
};

struct Authority {
    BankPlace place;
    Made made;              // the configuration's folder, to which the paths below are relative
    MadePath folder;        // "certs"
    MadePath certificate;   // "certs/server.crt"
    MadePath key;
    MadePath crl;
    bool crl_is_named;      // by the configuration
    int lock_fd;
    uint64_t wall_ms;
    Signer ca;
    Signer issuing;
};

// "certs/NAME.ENDING" and the like; of issuing what the configuration names.
MadePath authority_path(const Authority& authority, const char* name, const char* ending);

// True for a word that stands for one of the bank's own where a name does: ca, issuing, server,
// crl.
bool authority_is_word(const char* name);

// --- Opening it ---

// Opens the authority of the bank that was named, or of the usual one for nullptr; reads which
// parts there are. Nothing is held on anything but exit_done.
ExitCode authority_open(Authority& authority, const char* given);
void authority_close(Authority& authority);

// Reads both signers again, after one of them was written.
ExitCode authority_look(Authority& authority);

// Refuses where the signer's key is away, open to others, another certificate's, or has ended.
ExitCode authority_need_ca(const Authority& authority);
ExitCode authority_need_issuing(const Authority& authority);

// Who signs terminals: the CA where its key is at hand, else issuing.
ExitCode authority_need_signer(const Authority& authority, bool& is_issuing);

// --- Making certificates ---

// Makes an authority's key and certificate, "WORDS 0123abcd" by name, signed by itself or `by`: a
// number keeps the authorities of two banks apart in one list of trusted ones. The key is the one
// that `out` has, or a new one.
ExitCode signer_make(const char* words, CertificateKind kind, const Signer* by, uint64_t wall_ms,
                     uint32_t days, Signer& out);

// Signs in memory, for the request `csr` where that is not empty, else for `key`, which is made
// where it is empty. An intermediate's own certificate is put behind the new one.
ExitCode signer_sign(const Signer& signer, const CertificateRequest& request, Slice csr, Pem& key,
                     Pem& certificate);

// Signs anew what is there, for its key (U3).
ExitCode signer_sign_again(const Signer& signer, const CertificateRequest& request, Slice old_pem,
                           Pem& certificate);

// Adds what a server is called to an empty list: this machine's names, the address that it listens
// on, and those asked for. `own` keeps what was put together.
struct HostList {
    Slice rows[certificate_hosts_max];
    uint32_t count;
    char own[2][certificate_host_size_max + 8];
};
void host_list_add(HostList& hosts, Slice host);
void host_list_fill(HostList& hosts, const char* address, const char* const* names, uint32_t count);

// Adds a line to the register for a certificate that is about to be written.
ExitCode authority_enter(Made& made, const char* folder, Slice pem, CertificateKind kind,
                         IssuedSigner signer);

// Writes a file that is not there yet, or one in the place of another.
ExitCode authority_write(Made& made, const char* path, uint32_t mode, Slice bytes);
ExitCode authority_replace(Made& made, const char* path, Slice bytes);

// Puts the CA's certificate in the place of the one before in ca.crt, which may hold others too.
ExitCode authority_replace_ca(Authority& authority, Slice pem);

// True for the name of a CA in ca.crt, whoever has its key.
bool authority_has_ca(const Authority& authority, const uint8_t subject_hash[hash_size]);

// --- What there is ---

enum class KnownFrom : uint8_t { register_own, register_server, file };

// One certificate that was found in a register or as a file. Foreign ones have another signer.
struct Known {
    IssuedRow row;
    KnownFrom from;
    bool is_foreign;
    bool is_revoked;
};

struct KnownList {
    Known* rows;
    uint32_t count;
    uint32_t capacity;
};

// Finds all of them, by kind and name, with what the lists say of each. The rows are given back by
// known_free. What cannot be read is told on standard error and passed over.
ExitCode authority_find(Authority& authority, KnownList& out);
void known_free(KnownList& list);

// --- What is revoked ---

// Puts certificates on the lists of their signers, with the present time, and writes them; none of
// them where `count` is 0, so that the lists are made anew. `added` is how many were not on them
// yet.
ExitCode authority_revoke(Authority& authority, const IssuedRow* rows, uint32_t count,
                          uint32_t& added);

// The facts of a signer's list as it is on disk. Returns absent where there is none.
Status authority_list_facts(const Authority& authority, const Signer& signer,
                            RevocationFacts& out);

// --- Telling ---

// "2026-12-01" of a time.
struct DayText {
    char text[11];
};
DayText day_text(uint64_t wall_ms);

// Says how a running server takes up what was changed. Returns false where none runs.
bool authority_tell_server(const Authority& authority);

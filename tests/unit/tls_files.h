// tls_files.h - a certificate authority for tests, made by the openssl program in its own folder.
//
// Nobody here wrote the maker, so what it makes is what peers bring. Keys live as long as the run.
#pragma once

#include <string>

#include "channel/tls.h"

// Makes the folder on first use. Certificates, each with a key of the same name:
//   ca, server          the bank; server is localhost, 127.0.0.1
//   other-ca, stranger  somebody else's
//   till                a terminal as it should be ("till-1")
//   twin                another terminal of the same name
//   server-no-use       localhost too, without a purpose
//   below               a terminal ("till-11") whose certificate `issuing` signed, which ca signed
//   short               a terminal's that ends after 10 days; all others last 300
//   revoked, ca-leaf, server-use, no-use, any-use, both-uses, no-constraints, no-name,
//   two-names, long-name, weak-rsa, rsa, p384
// and crl.pem (revoked is on it), empty.pem (nobody is), other.pem (of other-ca), both.pem (of ca
// and of issuing, with its certificate), both-revoked.pem (below is on it), unvouched.pem (without
// it), misvouched.pem (with that of another authority of that name).
const std::string& tls_files_dir();

// The text of a file of that folder.
const std::string& tls_file(const std::string& name);

// Loads certificate `name`, trusting `ca`, with the revocation list `crl`; "" stands for none.
// Returns what tls_config_load returns.
Status tls_files_load(TlsConfig& config, TlsEnd end, const std::string& name,
                      const std::string& ca = "ca.crt", const std::string& crl = "",
                      TlsVersion version_min = TlsVersion::tls13);

// Tells the library the present time, moved by `days`.
void tls_files_clock(int days);

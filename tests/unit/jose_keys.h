// jose_keys.h - private keys for the tests of JOSE, made by the openssl program once a run.
//
// alice and bob are as people's keys are; short, long, small-exponent and curve are not.
#pragma once

#include <string>

#include "crypto/jose.h"

const std::string& jose_test_pem(const std::string& name);
JoseKey jose_test_key(const std::string& name);  // of alice or bob

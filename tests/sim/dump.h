// dump.h - the simulated bank as files on a real disk, for programs that know nothing of simulation.
#pragma once

#include <string>

#include "server.h"
#include "sim/oracle.h"

// Writes into a folder, which is made: pennyd.conf, data/journal/ with every segment as it is on the
// simulated disk, and `balances`, a line of account and balance each, as the oracle has them.
// Returns false with `why`.
bool dump_bank(const std::string& folder, Server& server, const sim::Oracle& oracle,
               std::string& why);

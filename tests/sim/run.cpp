// One whole-server run: a world drawn from a seed, players in it, and the oracle's judgement.

#include "sim/parts.h"

bool run_seed(uint64_t seed, Tally& tally, uint8_t digest[32], std::string& why) {
    (void)tally;
    (void)digest;
    why = "seed " + std::to_string(seed) + ": there is no world yet";
    return false;
}

bool run_seeds(const Share& share, Tally& tally, std::string& why) {
    for (uint64_t i = 0; i < share.count; i++) {
        uint8_t digest[32];
        if (!run_seed(share.first + i * share.step, tally, digest, why)) return false;
        tally.add("seeds");
    }
    return true;
}

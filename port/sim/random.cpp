#include "port/sim/random.h"

#include "base/check.h"

namespace {

uint64_t rotate(uint64_t value, uint32_t bits) { return value << bits | value >> (64 - bits); }

// splitmix64: well mixed words even from seeds that differ in one bit.
uint64_t mix_next(uint64_t& state) {
    state += 0x9e3779b97f4a7c15;
    uint64_t value = state;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
    value = (value ^ value >> 27) * 0x94d049bb133111eb;
    return value ^ value >> 31;
}

}  // namespace

SimRandom sim_random_of(uint64_t seed, SimStream stream) {
    uint64_t mixed = seed;
    uint64_t state = mix_next(mixed) + static_cast<uint64_t>(stream);
    SimRandom random = {};
    for (uint64_t& word : random.state) word = mix_next(state);
    return random;
}

uint64_t sim_random_next(SimRandom& random) {
    uint64_t* s = random.state;
    const uint64_t result = rotate(s[1] * 5, 7) * 9;
    const uint64_t shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t sim_random_below(SimRandom& random, uint64_t bound) {
    CHECK(bound > 0);
    // Numbers from the last, incomplete round of `bound` would favour the small results.
    const uint64_t unfair = (UINT64_MAX % bound + 1) % bound;
    for (;;) {
        const uint64_t drawn = sim_random_next(random);
        if (drawn <= UINT64_MAX - unfair) return drawn % bound;
    }
}

uint64_t sim_random_between(SimRandom& random, uint64_t low, uint64_t high) {
    CHECK(low <= high);
    const uint64_t span = high - low;
    if (span == UINT64_MAX) return sim_random_next(random);
    return low + sim_random_below(random, span + 1);
}

bool sim_random_chance(SimRandom& random, uint32_t percent) {
    return sim_random_below(random, 100) < percent;
}

void sim_random_fill(SimRandom& random, uint8_t* out, uint32_t size) {
    for (uint32_t i = 0; i < size;) {
        uint64_t word = sim_random_next(random);
        for (uint32_t byte = 0; byte < 8 && i < size; byte++, i++) {
            out[i] = static_cast<uint8_t>(word);
            word >>= 8;
        }
    }
}

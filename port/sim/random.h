// random.h - the simulator's one source of chance: a seeded generator, split into named streams.
//
// Everything that the simulator leaves to chance is drawn from here, so a seed is a run. Each part
// draws from a stream of its own: one more draw in one part does not move the others, and a seed
// found today still means the same run tomorrow where only another part changed.
//
// The generator is xoshiro256**, seeded through splitmix64 (Blackman and Vigna, "Scrambled linear
// pseudorandom number generators", 2021). It is no source of secrets; the simulated bank has none.
#pragma once

#include <stdint.h>

struct SimRandom {
    uint64_t state[4];
};

enum class SimStream : uint8_t { world, disk, net, players, faults, secrets };

SimRandom sim_random_of(uint64_t seed, SimStream stream);
uint64_t sim_random_next(SimRandom& random);

// 0 <= result < bound; bound is not 0. Without bias.
uint64_t sim_random_below(SimRandom& random, uint64_t bound);

// low <= result <= high.
uint64_t sim_random_between(SimRandom& random, uint64_t low, uint64_t high);

// True `percent` times of a hundred.
bool sim_random_chance(SimRandom& random, uint32_t percent);
void sim_random_fill(SimRandom& random, uint8_t* out, uint32_t size);

// stage.h - players on the simulated world: what carries their bytes, and how a run of them is let
// go on, brought to a quiet point and judged. A run of a seed and a day of faults both stand on it.
#pragma once

#include <deque>
#include <string>

#include "port/sim/world.h"
#include "sim/players.h"

namespace sim {

struct Stage;

struct StagePeer {
    Stage* stage;
    PlayerPeer peer;
};

struct Stage {
    Party party;
    std::deque<StagePeer> peers;  // one for each connection ever
    size_t peers_max = SIZE_MAX;   // more find no way in
    void (*answered)(const Party& party) = nullptr;  // after each time that a player got bytes
};

// Short waits, so that a run has many; what the server and the players are told of them.
DoorRules stage_door(Chance& chance);
void stage_door_config(const DoorRules& rules, Config& config);
void stage_mail_config(const MailRules& rules, Config& config);

// The people of the bank, for SimWorldPlan; the same array each time.
const SimPerson* stage_people(uint32_t& count);

// Writes the bounds of a terminal into the configuration, as an operator does.
void stage_bound(Config& config, const std::string& terminal, const Bounds& bounds);

// The players' way into the world. The stage stays where it is.
PlayerNet stage_net(Stage& stage);

// Lets time pass. Returns false with `why` when something did not hold; `alive` tells whether the
// server is.
bool stage_pass(Stage& stage, uint64_t us, bool& alive, std::string& why);

// Until every request has its answer; nothing new is begun meanwhile. Then reads the whole book and
// judges it. The server is not expected to go away.
bool stage_settle(Stage& stage, std::string& why);
bool stage_judge(Stage& stage, std::string& why);

}  // namespace sim

#include "sim/stage.h"

#include "base/check.h"

namespace sim {

namespace {

constexpr uint64_t second_us = 1'000'000;
constexpr uint64_t slice_us = second_us / 5;
constexpr uint64_t settle_us_max = 900 * second_us;  // simulated time in which all must be settled

void bytes_came(void* context, uint32_t link, Slice bytes) {
    const StagePeer& here = *static_cast<StagePeer*>(context);
    here.peer.received(here.peer.context, link, bytes.data, bytes.size);
    if (here.stage->answered != nullptr) here.stage->answered(here.stage->party);
}

void link_closed(void* context, uint32_t link) {
    const PlayerPeer& peer = static_cast<StagePeer*>(context)->peer;
    peer.closed(peer.context, link);
}

uint32_t net_connect(void* context, const PlayerPeer& peer, const char* terminal) {
    Stage& stage = *static_cast<Stage*>(context);
    if (stage.peers.size() >= stage.peers_max) return link_none;
    stage.peers.push_back({&stage, peer});
    return sim_connect({&stage.peers.back(), bytes_came, link_closed}, terminal);
}

void net_send(void*, uint32_t link, const uint8_t* bytes, uint32_t size) {
    sim_send(link, {bytes, size});
}

void net_hang_up(void*, uint32_t link) { sim_hang_up(link); }
void net_read(void*, uint32_t link, bool reads) { sim_read(link, reads); }

void net_after(void*, uint64_t delay_us, void (*call)(void* context, uint64_t value),
               void* call_context, uint64_t value) {
    sim_after(delay_us, call, call_context, value);
}

uint64_t net_now(void*) { return sim_world_now_us(); }

}  // namespace

DoorRules stage_door(Chance& chance) {
    DoorRules rules = {};
    rules.own = {chance.below(4), chance.between(1, 4) * second_us};
    rules.shared = {chance.between(4, 12), chance.between(1, 2) * second_us};
    rules.first_us = chance.between(50, 1000) * 1000;
    return rules;
}

void stage_door_config(const DoorRules& rules, Config& config) {
    config.penalty_free = static_cast<uint32_t>(rules.own.free);
    config.penalty_s = static_cast<uint32_t>(rules.own.us_max / second_us);
    config.penalty_shared_free = static_cast<uint32_t>(rules.shared.free);
    config.penalty_shared_s = static_cast<uint32_t>(rules.shared.us_max / second_us);
    config.penalty_first_ms = static_cast<uint32_t>(rules.first_us / 1000);
    config.penalty_half_life_s = 86'400;
}

void stage_mail_config(const MailRules& rules, Config& config) {
    config.message_keys = rules.keys;
    config.messages = rules.messages;
    config.mailbox = rules.mailbox;
}

const SimPerson* stage_people(uint32_t& count) {
    static SimPerson people[sizeof party_people / sizeof party_people[0]];
    count = 0;
    for (const PartyPerson& person : party_people) {
        people[count++] = {person.name, person.role, person.password, 0};
    }
    return people;
}

void stage_bound(Config& config, const std::string& terminal, const Bounds& bounds) {
    uint8_t memory[config_error_size_max];
    const auto set = [&](const char* key, const std::string& value) {
        const std::string text = "terminal " + terminal + "." + key + "=" + value;
        Writer error = writer_of(memory, sizeof memory);
        const Slice assignment = {reinterpret_cast<const uint8_t*>(text.data()),
                                  static_cast<uint32_t>(text.size())};
        CHECK(config_set(config, assignment, error) == Status::ok);
    };
    const auto list = [](const std::set<std::string>& words) {
        std::string text;
        for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
        return text;
    };
    const auto set_amount = [&](const char* key, int64_t amount) {
        if (amount != bound_none) set(key, oracle_amount(amount));
    };
    if (!bounds.roles.empty()) set("roles", list(bounds.roles));
    if (!bounds.accounts.empty()) set("accounts", list(bounds.accounts));
    set_amount("amount-max", bounds.amount_max);
    set_amount("day-max", bounds.day_max);
    set_amount("pin-above", bounds.pin_above);
}

PlayerNet stage_net(Stage& stage) {
    return {&stage, net_connect, net_send, net_hang_up, net_read, net_after, net_now};
}

bool stage_pass(Stage& stage, uint64_t us, bool& alive, std::string& why) {
    const uint64_t until_us = sim_world_now_us() + us;
    alive = sim_world_is_running();
    while (alive && sim_world_now_us() < until_us) {
        const uint64_t next_us = sim_world_now_us() + slice_us;
        alive = sim_world_run(next_us < until_us ? next_us : until_us);
        if (stage.party.failure.empty()) continue;
        why = stage.party.failure;
        return false;
    }
    return true;
}

bool stage_settle(Stage& stage, std::string& why) {
    bool alive = true;
    stage.party.quiet = true;
    const uint64_t until_us = sim_world_now_us() + settle_us_max;
    while (!stage.party.is_settled()) {
        if (!stage_pass(stage, second_us, alive, why)) return false;
        why = !alive                            ? "the server went away at a quiet point"
              : sim_world_now_us() > until_us ? "something was never answered for sure"
                                                : "";
        if (!why.empty()) return false;
    }
    return stage_pass(stage, second_us, alive, why);
}

bool stage_judge(Stage& stage, std::string& why) {
    if (!stage_settle(stage, why)) return false;
    bool alive = true;
    stage.party.begin_audit();
    const uint64_t until_us = sim_world_now_us() + settle_us_max;
    while (!stage.party.audit.done) {
        if (!stage_pass(stage, second_us, alive, why)) return false;
        why = !alive                            ? "the server went away during the audit"
              : sim_world_now_us() > until_us ? "the audit never ended"
                                                : "";
        if (!why.empty()) return false;
    }
    const bool held = stage.party.judge();
    why = stage.party.failure;
    stage.party.quiet = false;
    return held;
}

}  // namespace sim

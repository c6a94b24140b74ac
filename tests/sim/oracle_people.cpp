#include "sim/oracle_people.h"

#include "sim/oracle.h"

namespace sim {

using std::string;

void PeopleOracle::begin(const string& person, const Facts& facts, uint64_t tick) {
    steps[person] = {{facts, tick, tick}};
}

void PeopleOracle::change(const string& person, const Facts& next, uint64_t tick) {
    std::vector<Step>& all = steps[person];
    if (all.back().answered == UINT64_MAX && all.back().facts == next) return;
    all.push_back({next, tick, UINT64_MAX});
}

void PeopleOracle::changed(const string& person, uint64_t tick) {
    for (Step& step : steps[person]) {
        if (step.answered == UINT64_MAX) step.answered = tick;
    }
}

void PeopleOracle::forget(const string& person) {
    std::vector<Step>& all = steps[person];
    while (all.back().answered == UINT64_MAX) all.pop_back();
}

const Facts& PeopleOracle::now(const string& person) const { return at(person, UINT64_MAX - 1); }

const Facts& PeopleOracle::at(const string& person, uint64_t tick) const {
    const std::vector<Step>& all = steps.at(person);
    size_t last = 0;
    for (size_t i = 0; i < all.size(); i++) {
        if (all[i].answered <= tick) last = i;
    }
    return all[last].facts;
}

std::vector<Facts> PeopleOracle::possible(const string& person, uint64_t sent,
                                          uint64_t answered) const {
    const std::vector<Step>& all = steps.at(person);
    std::vector<Facts> out;
    for (size_t i = 0; i < all.size(); i++) {
        const bool is_over = i + 1 < all.size() && all[i + 1].answered < sent;
        if (all[i].sent <= answered && !is_over) out.push_back(all[i].facts);
    }
    return out;
}

bool role_has(const string& role, const string& command) {
    static const std::set<string> money = {"DEPOSIT", "WITHDRAW", "TRANSFER", "HOLD",
                                           "CAPTURE", "VOID",     "MULTI",    "EXEC",
                                           "ORDER",   "CANCEL"};
    if (command == "REVERSE") return role == "till" || role == "treasurer";
    if (command == "ITEM") return role == "admin" || role == "treasurer";
    if (command == "USER" || command == "CHECKPOINT") return role == "admin";
    return money.count(command) == 0 || (role != "admin" && role != "auditor");
}

bool first_has(const string& command) {
    static const std::set<string> words = {"HELLO", "AUTH", "PING",  "ECHO", "SELECT",
                                           "QUIT",  "RESET", "TIME", "CLOCK", "DATE",
                                           "TEMPERATURE", "WHOAMI", "PASSWD"};
    return words.count(command) > 0;
}

bool bounds_take(const Bounds& bounds, const string& role) {
    return bounds.roles.empty() || bounds.roles.count(role) > 0;
}

string bounds_refusal(const Bounds& bounds, const Side& debit, const Side& credit, int64_t amount) {
    for (const Side& side : {debit, credit}) {
        const bool listed = bounds.accounts.empty() || bounds.accounts.count(side.account) > 0;
        if (listed || side.own || side.account.empty()) continue;
        return "NOPERM this terminal does not move money of that account";
    }
    if (bounds.amount_max == bound_none || amount <= bounds.amount_max) return "";
    return "NOPERM this terminal moves at most " + oracle_amount(bounds.amount_max) + " at once";
}

string pin_refusal(const Bounds& bounds, const Facts& facts, const string& pin, int64_t amount) {
    if (bounds.pin_above == bound_none || amount <= bounds.pin_above) return "";
    if (pin.empty()) {
        return "NOPERM a PIN is needed above " + oracle_amount(bounds.pin_above) +
               ": end the command with PIN and the PIN";
    }
    if (!facts.has_pin) return "NOPERM no PIN is set; set one with PIN SET and your password";
    return facts.pin_locked ? pin_locked_text : "";
}

}  // namespace sim

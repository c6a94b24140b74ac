#include "access/access.h"

#include "base/check.h"

namespace {

constexpr uint64_t minute_ms = 60'000;

uint32_t minute_of(uint64_t now_ms) { return static_cast<uint32_t>(now_ms / minute_ms); }

void turn_to(MinuteBudget& budget, uint32_t minute) {
    if (budget.minute != minute) budget = {minute, 0, 0};
}

}  // namespace

bool role_is_in(RoleSet set, Role role) { return (set & role_bit(role)) != 0; }

void access_layout(Access& access, Arena& arena, uint32_t people_max) {
    access.people_max = people_max;
    access.budgets = arena_array<MinuteBudget>(arena, "budgets per person", people_max);
}

void access_init(Access& access, const AccessRules& rules) {
    access.rules = rules;
    access.nobody = {};
}

bool access_may_refuse(const Access& access, uint32_t person, uint64_t now_ms) {
    CHECK(person < access.people_max);
    const MinuteBudget& budget = access.budgets[person];
    return budget.minute != minute_of(now_ms) || budget.refused < access.rules.refused_per_minute;
}

void access_note_refusal(Access& access, uint32_t person, uint64_t now_ms) {
    CHECK(person < access.people_max);
    MinuteBudget& budget = access.budgets[person];
    turn_to(budget, minute_of(now_ms));
    if (budget.refused < UINT16_MAX) budget.refused++;
}

bool access_take_told(Access& access, uint32_t person, uint64_t now_ms) {
    CHECK(person == row_none || person < access.people_max);
    MinuteBudget& budget = person == row_none ? access.nobody : access.budgets[person];
    turn_to(budget, minute_of(now_ms));
    if (budget.told >= told_per_minute) return false;
    budget.told++;
    return true;
}

#include "access/access.h"

#include "base/check.h"

namespace {

constexpr uint64_t minute_ms = 60'000;

uint32_t minute_of(uint64_t now_ms) { return static_cast<uint32_t>(now_ms / minute_ms); }

}  // namespace

bool role_is_in(RoleSet set, Role role) { return (set & role_bit(role)) != 0; }

void access_layout(Access& access, Arena& arena, uint32_t people_max) {
    access.people_max = people_max;
    access.budgets = arena_array<RefusalBudget>(arena, "refusals per person", people_max);
}

void access_init(Access& access, const AccessRules& rules) { access.rules = rules; }

bool access_may_refuse(const Access& access, uint32_t person, uint64_t now_ms) {
    CHECK(person < access.people_max);
    const RefusalBudget& budget = access.budgets[person];
    return budget.minute != minute_of(now_ms) || budget.count < access.rules.refused_per_minute;
}

void access_note_refusal(Access& access, uint32_t person, uint64_t now_ms) {
    CHECK(person < access.people_max);
    RefusalBudget& budget = access.budgets[person];
    if (budget.minute != minute_of(now_ms)) budget = {minute_of(now_ms), 0};
    budget.count++;
}

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

void access_layout(Access& access, Arena& arena, uint32_t people_max, uint32_t terminals_max) {
    access.people_max = people_max;
    access.terminals_max = terminals_max + 1;
    access.pin_tries = arena_array<uint8_t>(arena, "wrong PINs per person", people_max);
    access.terminals =
        arena_array<TerminalRights>(arena, "rights of terminals", access.terminals_max);
    access.budgets = arena_array<MinuteBudget>(arena, "budgets per person", people_max);
}

void access_init(Access& access, const AccessRules& rules) {
    access.rules = rules;
    access.nobody = {};
    access_clear_terminals(access);
}

void access_clear_terminals(Access& access) {
    access.terminals[rights_default] = {};
    access.terminals[rights_default].roles = roles_all;
    access.terminals[rights_default].login = true;
    access.terminals[rights_default].pin_above = pin_never;
    access.terminal_count = 1;
}

void access_add_terminal(Access& access, const TerminalRights& rights) {
    CHECK(rights.account_count <= rights_accounts_max);
    if (rights.name.size == 0) {
        access.terminals[rights_default] = rights;
        return;
    }
    CHECK(access.terminal_count < access.terminals_max);
    access.terminals[access.terminal_count++] = rights;
}

uint32_t access_find_terminal(const Access& access, const Name& name) {
    for (uint32_t i = rights_default + 1; i < access.terminal_count; i++) {
        if (name_equal(access.terminals[i].name, name)) return i;
    }
    return rights_default;
}

AccessVerdict access_may(AccessPhase phase, RoleSet row, const TerminalRights& terminal,
                         bool logged_in, Role role) {
    if (phase == AccessPhase::any) return AccessVerdict::yes;
    if (phase == AccessPhase::terminal && !terminal.login) return AccessVerdict::yes;
    if (!logged_in) return AccessVerdict::needs_login;
    if (!role_is_in(terminal.roles, role)) return AccessVerdict::not_from_here;
    return role_is_in(row, role) ? AccessVerdict::yes : AccessVerdict::not_this_role;
}

bool access_may_touch(const TerminalRights& terminal, const Name& account) {
    if (terminal.account_count == 0) return true;
    for (uint32_t i = 0; i < terminal.account_count; i++) {
        if (name_equal(terminal.accounts[i], account)) return true;
    }
    return false;
}

int64_t access_pin_above(const Access& access, const TerminalRights& terminal) {
    return terminal.pin_above != pin_never ? terminal.pin_above : access.rules.pin_above;
}

void access_note_wrong_pin(Access& access, uint32_t person) {
    CHECK(person < access.people_max);
    if (access.pin_tries[person] < pin_tries_max) access.pin_tries[person]++;
}

void access_clear_pin(Access& access, uint32_t person) {
    CHECK(person < access.people_max);
    access.pin_tries[person] = 0;
}

bool access_pin_is_spent(const Access& access, uint32_t person) {
    CHECK(person < access.people_max);
    return access.pin_tries[person] >= pin_tries_max;
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

// What may be done: every command, by every role, from every terminal, through the real dispatcher.
#include <gtest/gtest.h>
#include <string.h>

#include <map>

#include "service/service.h"
#include "unit/test_bank.h"

namespace {

constexpr uint32_t nobody = role_count;  // behind the roles: not logged in

// A book with one person in each role, and the service over it.
struct TestRights {
    TestRights() {
        test_create(bank.book);
        for (uint32_t i = 0; i < role_count; i++) {
            const Role role = static_cast<Role>(i);
            EXPECT_EQ(test_add(bank.book, std::string("x") + role_name(role), role), Status::ok);
        }
        test_commit(bank.book);
        access.budgets = refusals;
        access.pin_tries = tries;
        access.people_max = 8;
        access.terminals = rights;
        access.terminals_max = 2;
        access_init(access, {.registration = AccessRegistration::off,
                             .self_service = false,
                             .refused_per_minute = 60,
                             .reverse_minutes = 15,
                             .multi = 16,
                             .register_per_day = 20,
                             .pin_above = pin_never});
        TerminalRights kiosk = rights[rights_default];
        kiosk.name = test_name("kiosk");
        access_add_terminal(access, kiosk);
        lay_out_penalties();
        service.book = &bank.book;
        service.access = &access;
        service.expiry = &expiry;
        service.penalties = &penalties;
        service.message = "hello";
        service.version = "0";
        sensor_init(service.sensor, slice_of("none"), "/sys");
    }
    void lay_out_penalties() {
        const PenaltyLimits limits = {.people = 8, .sources = 4, .terminals = 4, .pairs = 4};
        Arena arena = {};
        penalties_layout(penalties, arena, limits);
        memory.resize(arena.used + arena_align);
        const uint64_t size = arena.used;
        const uintptr_t at = reinterpret_cast<uintptr_t>(memory.data());
        arena = {};
        arena.base = memory.data() + (arena_align - at % arena_align) % arena_align;
        arena.size = size;
        penalties_layout(penalties, arena, limits);
        PenaltyRules rules = {};
        rules.first_ms = rules.half_life_ms = 1000;
        const uint8_t key[16] = {7};
        penalties_init(penalties, rules, key);
    }
    // What comes back for these words, by who is in that role, at the kiosk.
    std::string ask(const std::vector<std::string>& words, uint32_t role) {
        Request request = {};
        for (const std::string& word : words) request.words[request.count++] = slice_of(word);
        Caller caller = {};
        caller.protocol = 2;
        caller.terminal = test_name("kiosk");
        caller.rights = access_find_terminal(access, caller.terminal);
        EXPECT_EQ(caller.rights, 1u);
        caller.person = row_none;
        if (role != nobody) {
            caller.person = role;
            caller.version = bank.book.ledger.people[role].installed.version;
        }
        std::vector<uint8_t> said(reply_size_max);
        Writer out = writer_of(said.data(), reply_size_max);
        ServiceCall call = {.request = &request,
                            .caller = &caller,
                            .reply = {&out, 2, 0},
                            .tag = book_tag_none,
                            .wall_ms = 1000,
                            .wall_us = 1'000'000,
                            .now_ms = 1000,
                            .alone = true,
                            .hash = nullptr,
                            .read = nullptr,
                            .group = nullptr,
                            .pin = {nullptr, 0},
                            .pin_verified = false};
        service_execute(service, call);
        EXPECT_EQ(call.request, &request);
        return string_of(writer_slice(out));
    }
    TestBook bank;
    MinuteBudget refusals[8] = {};
    uint8_t tries[8] = {};
    TerminalRights rights[2] = {};
    Expiry expiry = {};
    Access access = {};
    Penalties penalties = {};
    std::vector<uint8_t> memory;
    Service service = {};
};

// As few words as the row takes, none of which means anything.
std::vector<std::string> least_words(const CommandRow& row) {
    std::vector<std::string> words = {row.name};
    while (words.size() < row.words_min) words.push_back("?");
    return words;
}

enum class Denial : uint8_t { none, login, terminal, role };

Denial refusal_of(const std::string& said) {
    if (said == "-NOAUTH Authentication required.\r\n") return Denial::login;
    if (said == "-NOPERM this terminal does not permit your role\r\n") return Denial::terminal;
    if (said == "-NOPERM your role does not permit this command\r\n") return Denial::role;
    return Denial::none;
}

bool has(uint32_t set, uint32_t role) { return (set >> role & 1) != 0; }

// What row, role and terminal come to, written down a second time.
Denial expected(const CommandRow& row, uint32_t role, const TerminalRights& terminal) {
    if (row.phase == CommandPhase::any) return Denial::none;
    if (row.phase == CommandPhase::terminal && !terminal.login) return Denial::none;
    if (role == nobody) return Denial::login;
    if (!has(terminal.roles, role)) return Denial::terminal;
    return has(row.roles, role) ? Denial::none : Denial::role;
}

}  // namespace

TEST(Rights, EveryCommandByEveryRoleFromEveryTerminalIsWhatItsRowSays) {
    TestRights one;
    TerminalRights& kiosk = one.rights[1];
    uint32_t met[4] = {};
    for (uint32_t i = 0; i < command_count(); i++) {
        const CommandRow& row = command_row(i);
        const std::vector<std::string> words = least_words(row);
        for (uint32_t set = 1; set <= roles_all; set++) {
            kiosk.roles = static_cast<RoleSet>(set);
            for (const bool login : {true, false}) {
                kiosk.login = login;
                for (uint32_t role = 0; role <= role_count; role++) {
                    const Denial found = refusal_of(one.ask(words, role));
                    ASSERT_EQ(found, expected(row, role, kiosk))
                        << row.name << " role " << role << " set " << set << " login " << login;
                    met[static_cast<uint32_t>(found)]++;
                }
            }
        }
    }
    for (const uint32_t count : met) EXPECT_GT(count, 100u);
}

// The rows themselves: who has which command, as DESIGN's roles have it.
TEST(Rights, RowsGiveEachCommandToTheRolesThatAreMeant) {
    const uint32_t all = roles_all;
    const uint32_t member = role_bit(Role::customer) | role_bit(Role::till) |
                            role_bit(Role::treasurer);
    const uint32_t reverser = role_bit(Role::till) | role_bit(Role::treasurer);
    const uint32_t admin = role_bit(Role::admin);
    const uint32_t manager = role_bit(Role::treasurer) | admin;
    const std::map<std::string, uint32_t> bounded = {
        {"DEPOSIT", member}, {"WITHDRAW", member}, {"TRANSFER", member},   {"HOLD", member},
        {"CAPTURE", member}, {"VOID", member},     {"REVERSE", reverser},  {"MULTI", member},
        {"EXEC", member},    {"DISCARD", member},  {"CHECKPOINT", admin}, {"SHUTDOWN", admin},
        {"RELOAD", admin},
        {"USER", admin},     {"ITEM", manager},   {"ORDER", member},      {"CANCEL", member}};
    const std::string before_login =
        "HELLO AUTH QUIT RESET REGISTER TIME CLOCK DATE TEMPERATURE ";
    const std::string of_nobody = "PING ECHO SELECT INFO ";
    uint32_t found = 0;
    for (uint32_t i = 0; i < command_count(); i++) {
        const CommandRow& row = command_row(i);
        const auto at = bounded.find(row.name);
        if (at != bounded.end()) found++;
        EXPECT_EQ(row.roles, at == bounded.end() ? all : at->second) << row.name;
        const std::string word = std::string(row.name) + " ";
        EXPECT_EQ(row.phase == CommandPhase::any, before_login.find(word) != std::string::npos)
            << row.name;
        EXPECT_EQ(row.phase == CommandPhase::terminal, of_nobody.find(word) != std::string::npos)
            << row.name;
    }
    EXPECT_EQ(found, bounded.size());
}

TEST(Rights, ATerminalTouchesTheOwnAccountAndThoseOfItsList) {
    TerminalRights rights = {};
    EXPECT_TRUE(access_may_touch(rights, test_name("alice")));
    rights.accounts[rights.account_count++] = test_name("shop");
    rights.accounts[rights.account_count++] = test_name("fund");
    EXPECT_TRUE(access_may_touch(rights, test_name("shop")));
    EXPECT_TRUE(access_may_touch(rights, test_name("fund")));
    EXPECT_FALSE(access_may_touch(rights, test_name("alice")));
    EXPECT_FALSE(access_may_touch(rights, test_name("cash")));
}

TEST(Rights, OfADefaultSectionHoldForAllTerminalsWithoutOne) {
    TestRights one;
    EXPECT_EQ(access_find_terminal(one.access, test_name("nowhere")), rights_default);
    TerminalRights others = one.rights[rights_default];
    others.day_max = 7;
    access_add_terminal(one.access, others);
    EXPECT_EQ(one.access.terminal_count, 2u);
    EXPECT_EQ(one.rights[access_find_terminal(one.access, test_name("nowhere"))].day_max, 7);
    EXPECT_EQ(one.rights[access_find_terminal(one.access, test_name("kiosk"))].day_max, 0);
}

TEST(Rights, ATerminalsPinBoundGoesBeforeTheServers) {
    TestRights one;
    TerminalRights& kiosk = one.rights[1];
    EXPECT_EQ(access_pin_above(one.access, kiosk), pin_never);
    one.access.rules.pin_above = 2000;
    EXPECT_EQ(access_pin_above(one.access, kiosk), 2000);
    kiosk.pin_above = 0;
    EXPECT_EQ(access_pin_above(one.access, kiosk), 0);
}

// N3.
TEST(Rights, ThreeWrongPinsInARowAreThree) {
    TestRights one;
    for (uint32_t i = 0; i < pin_tries_max; i++) {
        EXPECT_FALSE(access_pin_is_spent(one.access, 3));
        access_note_wrong_pin(one.access, 3);
    }
    EXPECT_TRUE(access_pin_is_spent(one.access, 3));
    for (uint32_t i = 0; i < 1000; i++) access_note_wrong_pin(one.access, 3);
    EXPECT_TRUE(access_pin_is_spent(one.access, 3));
    EXPECT_FALSE(access_pin_is_spent(one.access, 4));
    access_clear_pin(one.access, 3);
    EXPECT_FALSE(access_pin_is_spent(one.access, 3));
}

TEST(Rights, APinIsTakenOffTheEndOfAMovementOnly) {
    TestRights one;
    const uint32_t till = static_cast<uint32_t>(Role::till);
    const uint32_t customer = static_cast<uint32_t>(Role::customer);
    const auto says = [&](const std::vector<std::string>& words, uint32_t role, const char* part) {
        const std::string said = one.ask(words, role);
        EXPECT_NE(said.find(part), std::string::npos) << said;
    };
    for (const char* text : {"", "123", "1234567890123", "12a4", "-123", "12.4", "\xc2\xb2\xc2\xb2"}) {
        says({"DEPOSIT", "a", "1", "PIN", text}, till, "-ERR a PIN has 4 to 12 digits");
    }
    // Who may not do it at all is not asked for one.
    says({"DEPOSIT", "a", "1", "PIN", "x"}, static_cast<uint32_t>(Role::admin), "-NOPERM your role");
    // Where the words are needed they are what they stand for.
    says({"DEPOSIT", "PIN", "x"}, till, "-AMOUNT");
    says({"VOID", "PIN", "x"}, till, "-ERR a hold is named by its number");
    says({"TRANSFER", "a", "PIN", "1234"}, customer, "-NOACCT no account 'PIN'");
    says({"DEPOSIT", "pin", "1", "PIN", "x"}, till, "-ERR a PIN has");
    // Nothing else has one.
    says({"BALANCE", "PIN", "1234"}, customer, "-ERR wrong number of arguments");
    says({"ECHO", "PIN", "1234"}, customer, "-ERR wrong number of arguments");
}

// S2: a request that waits for its commit, or a worker, is parsed again with all of its words.
TEST(Rights, AMovementThatNeedsAPinWaitsForAWorker) {
    TestRights one;
    const uint32_t till = static_cast<uint32_t>(Role::till);
    one.access.rules.pin_above = 2000;
    EXPECT_EQ(one.ask({"DEPOSIT", "a", "20.01"}, till),
              "-NOPERM a PIN is needed above 20.00: end the command with PIN and the PIN\r\n");
    EXPECT_EQ(one.ask({"DEPOSIT", "a", "20.01", "PIN", "1234"}, till),
              "-NOPERM no PIN is set; set one with PIN SET and your password\r\n");
    EXPECT_EQ(test_change(one.bank.book, {.operation = PersonOperation::pin_set,
                                          .person = "xtill", .record = "x"}), Status::ok);
    test_commit(one.bank.book);
    EXPECT_EQ(one.ask({"DEPOSIT", "a", "20.01", "PIN", "1234"}, till), "");
    for (uint32_t i = 0; i < pin_tries_max; i++) access_note_wrong_pin(one.access, till);
    EXPECT_EQ(one.ask({"DEPOSIT", "a", "20.01", "PIN", "1234"}, till),
              "-NOPERM the PIN is locked; a till or an admin unlocks it\r\n");
    // What needs none is not looked at.
    EXPECT_EQ(one.ask({"DEPOSIT", "b", "20.00", "PIN", "1234"}, till), "");
    EXPECT_EQ(one.bank.book.log.entry_proposed, one.bank.book.ledger.seq_installed + 2);
}

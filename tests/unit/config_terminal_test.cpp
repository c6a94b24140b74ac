// Sections [terminal NAME], and the options that only they and a PIN need.
#include <gtest/gtest.h>
#include <string.h>

#include <string>

#include "access/access.h"
#include "config.h"
#include "unit/slices.h"

namespace {

struct Answer {
    Status status;
    std::string error;
};

Answer answer_of(Status status, const Writer& error) {
    return {status, std::string(reinterpret_cast<const char*>(error.data), error.size)};
}

Answer parse(Config& config, const std::string& text) {
    uint8_t memory[config_error_size_max];
    Writer error = writer_of(memory, sizeof memory);
    const Status status = config_parse(config, "pennyd.conf", slice_of(text), error);
    return answer_of(status, error);
}

Answer check(const Config& config) {
    uint8_t memory[config_error_size_max];
    Writer error = writer_of(memory, sizeof memory);
    const Status status = config_check(config, error);
    return answer_of(status, error);
}

Config whole(const std::string& more) {
    Config config;
    config_defaults(config);
    const Answer answer = parse(config, "[listener tls]\ncertificate = a\nkey = b\nca = c\n" + more);
    EXPECT_EQ(answer.status, Status::ok) << answer.error;
    return config;
}

std::string refusal(const std::string& text) {
    Config config;
    config_defaults(config);
    const Answer answer = parse(config, text);
    EXPECT_EQ(answer.status, Status::invalid) << text;
    EXPECT_EQ(config.terminal_section_count, 0u);
    return answer.error;
}

}  // namespace

TEST(ConfigTerminal, ASectionSaysWhatMayBeDoneFromThere) {
    const Config config = whole("[terminal kiosk-1]\n"
                                "roles = customer,till  admin\n"
                                "accounts = shop,  fund\talice\n"
                                "amount-max = 50\n"
                                "day-max = 500.5\n"
                                "pin-above = 0\n"
                                "login = no\n"
                                "[terminal default]\n");
    ASSERT_EQ(config.terminal_section_count, 2u);
    const TerminalConfig& kiosk = config.terminal_sections[0];
    EXPECT_STREQ(kiosk.name, "kiosk-1");
    EXPECT_EQ(kiosk.roles, uint32_t{role_bit(Role::customer)} | role_bit(Role::till) |
                               role_bit(Role::admin));
    EXPECT_STREQ(kiosk.accounts, "shop fund alice");
    EXPECT_STREQ(kiosk.amount_max, "50");
    EXPECT_STREQ(kiosk.day_max, "500.5");
    EXPECT_STREQ(kiosk.pin_above, "0");
    EXPECT_FALSE(kiosk.login);
    const TerminalConfig& others = config.terminal_sections[1];
    EXPECT_STREQ(others.name, "default");
    EXPECT_EQ(others.roles, uint32_t{roles_all});
    EXPECT_STREQ(others.accounts, "");
    EXPECT_STREQ(others.day_max, "");
    EXPECT_TRUE(others.login);
    EXPECT_EQ(check(config).status, Status::ok) << check(config).error;
    EXPECT_EQ(whole("").register_per_day, 20u);
    EXPECT_STREQ(whole("").pin_above, "");
}

TEST(ConfigTerminal, AnUnknownRoleIsRefusedWithFileAndLineAndThoseThereAre) {
    for (const char* roles : {"cashier", "customer till boss", "Till", "", " , ", "customer;till"}) {
        const std::string error = refusal(std::string("[terminal x]\nlogin = yes\nroles = ") + roles);
        EXPECT_EQ(error.find("pennyd.conf:3: roles cannot be \""), 0u) << error;
        EXPECT_NE(error.find("it takes one or more of customer, till, treasurer, auditor and admin"),
                  std::string::npos)
            << error;
    }
}

TEST(ConfigTerminal, RolesAreNumberedAndNamedAsTheBookHasThem) {
    for (uint32_t i = 0; i < role_count; i++) {
        EXPECT_STREQ(config_role_word(i), role_name(static_cast<Role>(i)));
    }
    EXPECT_EQ(config_role_count, role_count);
}

TEST(ConfigTerminal, AccountsAreNamesAndNotTooMany) {
    std::string names;
    for (uint32_t i = 0; i < terminal_accounts_max; i++) {
        names += " n" + std::string(name_size_max - 2, 'x') + static_cast<char>('a' + i);
    }
    const Config config = whole("[terminal x]\naccounts =" + names + "\n");
    EXPECT_EQ(strlen(config.terminal_sections[0].accounts), config_names_size_max);
    for (const std::string& wrong : {names + " one", std::string("Alice"), std::string("a b."),
                                     std::string("-")}) {
        EXPECT_NE(refusal("[terminal x]\naccounts = " + wrong + "\n")
                      .find("it takes up to 16 names of accounts, or none"),
                  std::string::npos);
    }
}

TEST(ConfigTerminal, AmountsAreThoseOfTheLedgersCurrency) {
    for (const char* key : {"amount-max", "day-max", "pin-above"}) {
        const std::string line = std::string("[terminal x]\n") + key + " = ";
        for (const char* wrong : {"ten", "-1", "1,50", "1e3", ".5", "1.23456", "100000000000000000000"}) {
            const std::string error = refusal(line + wrong);
            EXPECT_NE(error.find("it takes a decimal amount"), std::string::npos) << error;
        }
        EXPECT_EQ(check(whole(line + "1.25")).status, Status::ok);
        const Answer fine = check(whole(line + "1.255"));
        EXPECT_EQ(fine.error, std::string("terminal x: ") + key + " is 1.255; it takes at most "
                              "10000000000000.00 in steps of 0.01, as [ledger] scale says");
        EXPECT_EQ(check(whole(line + "1.255\n[ledger]\nscale = 3\n")).status, Status::ok);
        EXPECT_EQ(check(whole(line + "10000000000000.01\n")).status, Status::invalid);
    }
    EXPECT_EQ(check(whole("[server]\npin-above = 0.001\n")).error.find("server: pin-above is"), 0u);
    EXPECT_NE(refusal("[terminal x]\nday-max = 0\n").find("above 0, or none"), std::string::npos);
    EXPECT_NE(refusal("[terminal x]\namount-max = 0.00\n").find("above 0"), std::string::npos);
}

TEST(ConfigTerminal, ANameFollowsTheRuleOfNamesAndHasOneSection) {
    for (const std::string& name :
         {std::string("terminal"), std::string("terminal "), std::string("terminal  x"),
          std::string("terminal X"), std::string("terminals x"), std::string("terminal x.")}) {
        EXPECT_NE(refusal("[" + name + "]\n").find(" names no terminal; it takes one blank"),
                  std::string::npos)
            << name;
    }
    EXPECT_EQ(refusal("[terminal a]\n[terminal b]\n[terminal a]\n"),
              "pennyd.conf:3: \"terminal a\" a second time; the first is in line 1");
    std::string many;
    for (uint32_t i = 0; i < terminals_config_max; i++) {
        many += "[terminal t" + std::to_string(i) + "]\n";
    }
    EXPECT_EQ(whole(many).terminal_section_count, terminals_config_max);
    EXPECT_EQ(refusal(many + "[terminal more]\n"),
              "pennyd.conf:65: one terminal too many; there can be 64");
}

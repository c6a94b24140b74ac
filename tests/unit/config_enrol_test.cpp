// Listeners of channel enrol, and what a server signs with: what each needs and what none may have.
#include <gtest/gtest.h>

#include <string>

#include "config.h"
#include "unit/slices.h"

namespace {

const char* const bank = "[listener tls]\ncertificate = a\nkey = b\nca = c\n";
const char* const enrol = "[listener door]\nchannel = enrol\ncertificate = a\nkey = b\nca = c\n";

std::string text_of(const Writer& error) {
    return std::string(reinterpret_cast<const char*>(error.data), error.size);
}

// What reading and checking a file come to; empty where it is fine.
std::string checked(const std::string& text, Config& config) {
    uint8_t memory[config_error_size_max];
    Writer error = writer_of(memory, sizeof memory);
    config_defaults(config);
    Status status = config_parse(config, "pennyd.conf", slice_of(text), error);
    if (status == Status::ok) status = config_check(config, error);
    EXPECT_EQ(status == Status::ok, error.size == 0);
    return text_of(error);
}

std::string checked(const std::string& text) {
    static Config config;
    return checked(text, config);
}

}  // namespace

TEST(ConfigEnrol, AListenerHasAPortOfItsOwnAndLeadsToNoMoney) {
    static Config config;
    EXPECT_EQ(checked(std::string(enrol) + bank, config), "");
    EXPECT_EQ(config.listeners[0].port, config_enrol_port);
    EXPECT_EQ(config.listeners[1].port, 6226u);
    EXPECT_TRUE(config_is_channel(config.listeners[0], "enrol"));
    EXPECT_EQ(config_bank_listener(config), 1u);
    EXPECT_EQ(checked(enrol).find("there is no listener of channel tls, which a bank needs"), 0u);
}

TEST(ConfigEnrol, AListenerNeedsItsFiles) {
    const struct {
        const char* line;
        const char* told;
    } rows[] = {{"certificate = a\n", "listener door: channel enrol needs a file as its certificate"},
                {"key = b\n", "listener door: channel enrol needs a file as its key"},
                {"ca = c\n", "listener door: channel enrol needs a file as its ca"}};
    for (const auto& row : rows) {
        std::string text = enrol;
        text.erase(text.find(row.line), std::string(row.line).size());
        EXPECT_EQ(checked(bank + text), row.told);
    }
}

TEST(ConfigEnrol, AListenerTakesNothingThatMakesATerminalOrAPerson) {
    for (const char* option : {"crl = a", "tls-min = 1.2", "certificate-is-user = yes",
                               "explain = yes", "lab-keys = x", "passphrase-file = x"}) {
        const std::string line = option;
        EXPECT_EQ(checked(std::string(bank) + enrol + line + "\n"),
                  "listener door: channel enrol takes no " + line.substr(0, line.find(' ')));
    }
    EXPECT_NE(checked(std::string(bank) + enrol + "lab = yes\n"), "");
}

TEST(ConfigEnrol, AServerSignsWhenItIsTold) {
    static Config config;
    EXPECT_EQ(checked(bank, config), "");
    EXPECT_FALSE(config.issue);
    EXPECT_STREQ(config.issuing_certificate, "certs/issuing.crt");
    EXPECT_STREQ(config.issuing_key, "certs/issuing.key");
    EXPECT_EQ(config.issued_days, 30u);
    EXPECT_EQ(checked(std::string("[server]\nissue = yes\nissued-days = 7\n") + bank, config), "");
    EXPECT_TRUE(config.issue);
    EXPECT_EQ(config.issued_days, 7u);
    EXPECT_NE(checked(std::string("[server]\nissued-days = 0\n") + bank), "");
    EXPECT_NE(checked(std::string("[server]\nissuing-key =\n") + bank), "");
}

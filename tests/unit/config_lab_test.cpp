// Listeners of the laboratory: what each needs, what none may have (P9), and where it listens.
#include <gtest/gtest.h>
#include <string.h>

#include <string>
#include <vector>

#include "config.h"
#include "unit/slices.h"

namespace {

const char* const listener_text = "[listener tls]\ncertificate = a\nkey = b\nca = c\n";

std::string text_of(const Writer& error) {
    return std::string(reinterpret_cast<const char*>(error.data), error.size);
}

void parse(Config& config, const std::string& text) {
    uint8_t memory[config_error_size_max];
    Writer error = writer_of(memory, sizeof memory);
    EXPECT_EQ(config_parse(config, "pennyd.conf", slice_of(text), error), Status::ok)
        << text_of(error);
}

void set(Config& config, const std::string& assignment) {
    uint8_t memory[config_error_size_max];
    Writer error = writer_of(memory, sizeof memory);
    EXPECT_EQ(config_set(config, slice_of(assignment), error), Status::ok) << text_of(error);
}

// The sentence of config_check; empty where everything fits together.
std::string checked(const Config& config) {
    uint8_t memory[config_error_size_max];
    Writer error = writer_of(memory, sizeof memory);
    const Status status = config_check(config, error);
    EXPECT_EQ(status == Status::ok, error.size == 0);
    return text_of(error);
}

Config with_listener() {
    Config config;
    config_defaults(config);
    parse(config, listener_text);
    return config;
}

// What this build has (CHANNELS=).
std::vector<std::string> lab_words() {
    return {
#define LAB_BUILT(symbol) #symbol,
#include "lab_built.def"
#undef LAB_BUILT
    };
}

bool is_built(const std::string& channel) {
    for (const std::string& word : lab_words()) {
        if (word == channel) return true;
    }
    return false;
}

// A bank with a listener of that channel beside TLS, and these lines in its section.
Config with_lab(const std::string& channel, const std::string& lines) {
    Config config = with_listener();
    parse(config, "[listener x]\nchannel = " + channel + "\n" + lines);
    return config;
}

}  // namespace

TEST(ConfigLab, AChannelOfTheLaboratoryNeedsNothingButToSayThatItIsOne) {
    for (const std::string& channel : lab_words()) {
        Config config = with_lab(channel, "lab = yes\n");
        EXPECT_EQ(checked(config), "") << channel;
        EXPECT_TRUE(config.listeners[1].lab);
        EXPECT_FALSE(config.listeners[1].explain);
        EXPECT_STREQ(config.listeners[1].channel, channel.c_str());
        EXPECT_STREQ(config.listeners[1].lab_keys, "lab");
        EXPECT_STREQ(config.listeners[1].passphrase_file, "");
        EXPECT_EQ(checked(with_lab(channel, "")),
                  "listener x: it needs lab = yes, as nothing of worth goes over channel " +
                      channel);
    }
    Config config = with_listener();
    EXPECT_FALSE(config.listeners[0].lab);
    EXPECT_EQ(config.lab_sessions, 16u);
    set(config, "listener tls.lab=yes");
    EXPECT_EQ(checked(config),
              "listener tls: it takes no lab = yes, as it is of channel tls");
}

TEST(ConfigLab, TheLaboratoryLeavesABankHalfOfItsSessions) {
    for (const std::string& channel : lab_words()) {
        Config config = with_lab(channel, "lab = yes\n");
        set(config, "limits.sessions=32");
        EXPECT_EQ(checked(config), "");
        set(config, "limits.lab-sessions=17");
        EXPECT_EQ(checked(config), "limits: lab-sessions is 17; it can be at most half of sessions, "
                                   "which is 16");
        config.lab_only = true;  // There is nobody to leave any for.
        config.listeners[0] = config.listeners[1];
        config.listener_count = 1;
        EXPECT_EQ(checked(config), "");
    }
    Config config = with_listener();
    set(config, "limits.sessions=16");
    set(config, "limits.handshakes=1");
    EXPECT_EQ(checked(config), "") << "nobody asks for the laboratory";
}

TEST(ConfigLab, AListenerOfTheLaboratoryHasThePortOfItsChannelUnlessOneIsWrittenDown) {
    const struct {
        const char* channel;
        uint32_t port;
    } usual[] = {{"xor", 1337}, {"rsa", 3405}, {"hybrid", 3406}, {"dhe", 5050}, {"psk", 6227}};
    for (const auto& row : usual) {
        if (!is_built(row.channel)) continue;
        SCOPED_TRACE(row.channel);
        const std::string channel = std::string("channel = ") + row.channel + "\n";
        Config config = with_lab(row.channel, "lab = yes\n");
        EXPECT_EQ(config.listeners[1].port, row.port);
        for (const std::string& lines : {channel + "port = 6226\n", "port = 6226\n" + channel}) {
            config = with_listener();
            parse(config, "[listener x]\n" + lines);
            EXPECT_EQ(config.listeners[1].port, 6226u);
        }
        config = with_listener();
        set(config, std::string("listener x.channel=") + row.channel);
        EXPECT_EQ(config.listeners[1].port, row.port);
        set(config, "listener x.channel=tls");
        EXPECT_EQ(config.listeners[1].port, 6226u);
        set(config, "listener x.port=0");
        set(config, std::string("listener x.channel=") + row.channel);
        EXPECT_EQ(config.listeners[1].port, 0u);
    }
}

TEST(ConfigLab, AListenerOfTheLaboratoryHasNoPartInWhatMakesATerminalOrAPerson) {
    for (const std::string& channel : lab_words()) {
        for (const char* option : {"certificate = a", "key = a", "ca = a", "crl = a",
                                   "tls-min = 1.2", "certificate-is-user = yes"}) {
            const std::string line = option;
            EXPECT_EQ(checked(with_lab(channel, "lab = yes\n" + line + "\n")),
                      "listener x: a laboratory channel takes no " +
                          line.substr(0, line.find(' ')));
        }
    }
}

TEST(ConfigLab, OnlyTheLaboratoryTakesWhatIsForItAlone) {
    for (const char* option : {"explain=yes", "lab-keys=keys", "passphrase-file=a"}) {
        Config config = with_listener();
        const std::string assignment = option;
        set(config, "listener tls." + assignment);
        EXPECT_EQ(checked(config), "listener tls: channel tls takes no " +
                                                assignment.substr(0, assignment.find('=')));
    }
    for (const std::string& channel : lab_words()) {
        const Config config =
            with_lab(channel, "lab = yes\nexplain = yes\nlab-keys = keys\n");
        EXPECT_EQ(checked(config), "") << channel;
        EXPECT_TRUE(config.listeners[1].explain);
        EXPECT_STREQ(config.listeners[1].lab_keys, "keys");
        const Config with_passphrase = with_lab(channel, "lab = yes\npassphrase-file = a\n");
        if (channel == "psk") {
            EXPECT_EQ(checked(with_passphrase), "");
            EXPECT_STREQ(with_passphrase.listeners[1].passphrase_file, "a");
        } else {
            EXPECT_EQ(checked(with_passphrase),
                      "listener x: only channel psk takes a passphrase-file");
        }
    }
}

TEST(ConfigLab, ABankHasAListenerOfTlsAndALaboratoryAloneHasNone) {
    Config config;
    config_defaults(config);
    EXPECT_FALSE(config.lab_only);
    for (const std::string& channel : lab_words()) {
        config_defaults(config);
        parse(config, "[listener x]\nlab = yes\nchannel = " + channel + "\n");
        EXPECT_EQ(checked(config),
                  "there is no listener of channel tls, which a bank needs; pennyd --lab CHANNEL "
                  "runs a laboratory channel without a bank");
        config.lab_only = true;
        EXPECT_EQ(checked(config), "");
        parse(config, listener_text);
        EXPECT_EQ(checked(config),
                  "--lab has no bank behind it, and so no listener of channel tls");
        config.lab_only = false;
        EXPECT_EQ(checked(config), "");
    }
}


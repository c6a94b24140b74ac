// The configuration: every row at its bounds, every refusal by its words, and bytes that are none.
#include "config.h"

#include <gtest/gtest.h>
#include <string.h>

#include <random>
#include <set>
#include <string>
#include <vector>

#include "access/access.h"
#include "base/text.h"
#include "crypto/password.h"

// The configuration sees only src/base, so that these are kept equal here.
static_assert(config_currency_size_max == currency_size_max);

namespace {

const char* const listener_text =
    "[listener tls]\ncertificate = server.crt\nkey = server.key\nca = ca.crt\n";

Slice slice(const std::string& text) {
    return slice_of_chars(text.data(), static_cast<uint32_t>(text.size()));
}

struct Answer {
    Status status;
    std::string error;
};

std::ostream& operator<<(std::ostream& out, const Answer& answer) { return out << answer.error; }

struct Sentence {
    uint8_t memory[config_error_size_max];
    Writer writer = writer_of(memory, sizeof memory);

    Answer answer(Status status) const {
        EXPECT_FALSE(writer.overflow);
        return {status, std::string(reinterpret_cast<const char*>(memory), writer.size)};
    }
};

Answer parse(Config& config, const std::string& text, const char* file_name = "pennyd.conf") {
    Sentence sentence;
    return sentence.answer(config_parse(config, file_name, slice(text), sentence.writer));
}

Answer set(Config& config, const std::string& assignment) {
    Sentence sentence;
    return sentence.answer(config_set(config, slice(assignment), sentence.writer));
}

Answer check(const Config& config) {
    Sentence sentence;
    return sentence.answer(config_check(config, sentence.writer));
}

Config defaults() {
    Config config;
    config_defaults(config);
    return config;
}

Config with_listener() {
    Config config = defaults();
    EXPECT_EQ(parse(config, listener_text).status, Status::ok);
    return config;
}

bool is_same(const Config& a, const Config& b) { return memcmp(&a, &b, sizeof a) == 0; }

// The sentence that refuses a whole file, which must change nothing.
std::string refusal(const std::string& text) {
    Config config = defaults();
    const Config before = config;
    const Answer answer = parse(config, text);
    EXPECT_EQ(answer.status, Status::invalid) << text;
    EXPECT_TRUE(is_same(config, before)) << text;
    return answer.error;
}

std::string refusal_of_set(const std::string& assignment) {
    Config config = with_listener();
    const Config before = config;
    const Answer answer = set(config, assignment);
    EXPECT_EQ(answer.status, Status::invalid) << assignment;
    EXPECT_TRUE(is_same(config, before)) << assignment;
    return answer.error;
}

std::string refusal_of_check(const Config& config) {
    const Answer answer = check(config);
    EXPECT_EQ(answer.status, Status::invalid);
    return answer.error;
}

bool is_listener(const ConfigRow& row) { return strcmp(row.section, "listener") == 0; }
bool is_terminal(const ConfigRow& row) { return strcmp(row.section, "terminal") == 0; }

std::string section_of(const ConfigRow& row) {
    return std::string(row.section) +
           (is_listener(row) ? " tls" : is_terminal(row) ? " till" : "");
}

std::string header(const ConfigRow& row) { return "[" + section_of(row) + "]"; }

std::string file_with(const ConfigRow& row, const std::string& value) {
    return header(row) + "\n" + row.key + " = " + value + "\n";
}

const uint8_t* field(const Config& config, const ConfigRow& row) {
    const void* fields = &config;
    if (is_listener(row)) fields = &config.listeners[0];
    if (is_terminal(row)) fields = &config.terminal_sections[0];
    return static_cast<const uint8_t*>(fields) + row.offset;
}

uint32_t number_at(const Config& config, const ConfigRow& row) {
    uint32_t number = 0;
    memcpy(&number, field(config, row), sizeof number);
    return number;
}

std::string range_of(const ConfigRow& row) {
    Sentence sentence;
    config_put_range(sentence.writer, row);
    return sentence.answer(Status::ok).error;
}

std::vector<ConfigRow> rows() {
    std::vector<ConfigRow> found;
    for (uint32_t i = 0; i < config_row_count(); i++) found.push_back(config_row(i));
    return found;
}

std::vector<ConfigRow> rows_of(const std::set<ConfigType>& types) {
    std::vector<ConfigRow> found;
    for (const ConfigRow& row : rows()) {
        if (types.count(row.type) > 0) found.push_back(row);
    }
    return found;
}

const ConfigRow& row_of(const std::string& key) {
    for (uint32_t i = 0; i < config_row_count(); i++) {
        if (key == config_row(i).key) return config_row(i);
    }
    ADD_FAILURE() << key;
    return config_row(0);
}

std::string text_of_size(ConfigType type, uint32_t size) {
    if (type == ConfigType::prefixes) {
        return size < 3 ? "" : "::1" + std::string(size - 3, ',');
    }
    const std::string front = type == ConfigType::address  ? "fe80::1%"
                              : type == ConfigType::sensor ? "file:/"
                              : type == ConfigType::root   ? "/"
                                                           : "";
    if (front.empty()) return std::string(size, 'X');
    return size >= front.size() ? front + std::string(size - front.size(), 'e') : "";
}

// The shortest text that a row takes, its own rules included.
uint32_t least_size(const ConfigRow& row) {
    if (row.type == ConfigType::address) return 9;
    return row.type == ConfigType::sensor ? 7 : row.min;
}

}  // namespace

// --- Rows -----------------------------------------------------------------------------------

TEST(Config, EveryNumberIsTakenFromItsLeastToItsGreatestValueAndNotBeyond) {
    const std::vector<ConfigRow> numbers = rows_of({ConfigType::number});
    EXPECT_GE(numbers.size(), 21u);
    for (const ConfigRow& row : numbers) {
        SCOPED_TRACE(row.key);
        EXPECT_LT(row.min, row.max);
        for (const uint32_t value : {row.min, row.min + 1, row.max - 1, row.max}) {
            Config config = defaults();
            EXPECT_EQ(parse(config, file_with(row, std::to_string(value))).status, Status::ok);
            EXPECT_EQ(number_at(config, row), value);
        }
        const std::string below =
            row.min > 0 ? std::to_string(row.min - 1) : std::string("-1");
        const std::string above = std::to_string(uint64_t{row.max} + 1);
        for (const std::string& value :
             {below, above, std::string("4294967296"), std::string("18446744073709551616"),
              std::string(""), std::string("many"), std::string("0x10"), std::string("007"),
              std::string("+7"), std::string("7 7"), std::string("7.5")}) {
            EXPECT_EQ(refusal(file_with(row, value)),
                      std::string("pennyd.conf:2: ") + row.key + " cannot be \"" + value +
                          "\"; it takes a number from " + std::to_string(row.min) + " to " +
                          std::to_string(row.max) + (row.unit[0] != 0 ? " " : "") + row.unit);
        }
    }
}

TEST(Config, EveryTextIsTakenFromItsLeastToItsGreatestSizeAndNotBeyond) {
    const std::set<ConfigType> types = {ConfigType::text, ConfigType::path, ConfigType::address,
                                        ConfigType::currency, ConfigType::zone,
                                        ConfigType::root, ConfigType::sensor,
                                        ConfigType::prefixes};
    EXPECT_EQ(rows_of(types).size(), 17u);
    for (const ConfigRow& row : rows_of(types)) {
        SCOPED_TRACE(row.key);
        for (const uint32_t size : {least_size(row), row.max - 1, row.max}) {
            Config config = defaults();
            const std::string value = text_of_size(row.type, size);
            EXPECT_EQ(parse(config, file_with(row, value)).status, Status::ok);
            EXPECT_STREQ(reinterpret_cast<const char*>(field(config, row)), value.c_str());
        }
        std::vector<std::string> wrong = {text_of_size(row.type, row.max + 1), "a\x01z", "a\x7fz",
                                          "a\xffz", "\xc3", "a\xed\xa0\x80z"};
        if (row.min > 0) wrong.push_back("");
        for (const std::string& value : wrong) {
            const std::string error = refusal(file_with(row, value));
            EXPECT_EQ(error.rfind(std::string("pennyd.conf:2: ") + row.key + " cannot be \"", 0),
                      0u) << error;
            EXPECT_NE(error.find("; it takes " + range_of(row)), std::string::npos) << error;
            EXPECT_NE(error.find(std::to_string(row.min) + " to " + std::to_string(row.max)),
                      std::string::npos) << error;
        }
    }
}

TEST(Config, AListOfAddressesHasOnlyAddressesAndPrefixesInIt) {
    const ConfigRow& row = row_of("penalty-exempt");
    for (const char* list : {"", "127.0.0.1", "192.168.1.0/24, 10.0.0.7,::1", "fd00::/8"}) {
        Config config = defaults();
        EXPECT_EQ(parse(config, file_with(row, list)).status, Status::ok) << list;
        EXPECT_STREQ(config.penalty_exempt, list);
    }
    std::string many;
    for (int i = 0; i < 17; i++) many += (i > 0 ? ",10.0.0." : "10.0.0.") + std::to_string(i);
    for (const std::string& list : {std::string("localhost"), std::string("10.0.0.0/33"),
                                    std::string("10.0.0.1;10.0.0.2"), many}) {
        const std::string error = refusal(file_with(row, list));
        EXPECT_EQ(error.rfind("pennyd.conf:2: penalty-exempt cannot be \"", 0), 0u) << error;
        EXPECT_NE(error.find("it takes up to 16 addresses in figures such as 192.168.1.7"),
                  std::string::npos) << error;
    }
}

TEST(Config, ATimeZoneIsANameAndNeverAPath) {
    for (const char* name : {"", "UTC", "Europe/Berlin", "Etc/GMT+5", "America/Port-au-Prince",
                             "America/North_Dakota/New_Salem", "EST5EDT"}) {
        Config config = defaults();
        EXPECT_EQ(parse(config, file_with(row_of("time-zone"), name)).status, Status::ok) << name;
        EXPECT_STREQ(config.time_zone, name);
    }
    for (const char* name : {":UTC", "/UTC", "UTC/", "Europe//Berlin", "../UTC", "Europe/../UTC",
                             "./UTC", "5UTC", "-UTC", "<+03>-3", "CET-1CEST,M3.5.0", "a b", "a.b",
                             "Etc/Ã¤"}) {
        EXPECT_NE(refusal(file_with(row_of("time-zone"), name))
                      .find("it takes a name such as Europe/Berlin of 0 to 63 bytes"),
                  std::string::npos) << name;
    }
}

TEST(Config, ASensorIsOneOfItsFormsAndItsRootIsNoPathOfTheBank) {
    for (const char* text : {"none", "thermal", "thermal:3", "w1:28-0123456789ab", "simulated",
                             "file:/run/a sensor"}) {
        Config config = defaults();
        EXPECT_EQ(parse(config, file_with(row_of("temperature"), text)).status, Status::ok) << text;
        EXPECT_STREQ(config.temperature, text);
    }
    for (const char* text : {"", "thermal:x", "w1:28", "w1:../../x", "file:", "file:t", "file:./t",
                             "off", "file:/a\x1bz", "file:/\xff"}) {
        EXPECT_NE(refusal(file_with(row_of("temperature"), text))
                      .find("it takes none, thermal, thermal:N, w1:ID, file:/PATH or simulated, in 1 "
                            "to 255 bytes"),
                  std::string::npos) << text;
    }
    for (const char* text : {"", "sys", "./sys", "../sys"}) {
        EXPECT_NE(refusal(file_with(row_of("sensor-root"), text))
                      .find("it takes a folder's name from / on of 1 to 255 bytes"),
                  std::string::npos) << text;
    }
}

TEST(Config, AShorterTextLeavesNothingOfALongerOne) {
    Config config = defaults();
    ASSERT_EQ(set(config, "server.message=a long message").status, Status::ok);
    ASSERT_EQ(set(config, "server.message=no").status, Status::ok);
    EXPECT_STREQ(config.message, "no");
    for (const char byte : std::string(config.message + 2, sizeof config.message - 2)) {
        EXPECT_EQ(byte, 0);
    }
}

TEST(Config, TextMayHoldQuotesBackslashesAndOtherAlphabets) {
    for (const std::string& value :
         {std::string("\"quoted\""), std::string("C:\\bank\\"), std::string("Kasse für Öl = 5 €"),
          std::string("\xf0\x9f\xaa\x99"), std::string("a;b#c # d")}) {
        Config config = defaults();
        EXPECT_EQ(parse(config, "[server]\nmessage = " + value + "\n").status, Status::ok) << value;
        EXPECT_EQ(std::string(config.message), value);
    }
}

// What this build has (CHANNELS=).
std::vector<std::string> built_channels() {
    return {"tls", "enrol",
#define LAB_BUILT(symbol) #symbol,
#include "lab_built.def"
#undef LAB_BUILT
    };
}

std::string built_channels_range() {
    const std::vector<std::string> words = built_channels();
    std::string range = words[0];
    for (size_t i = 1; i < words.size(); i++) {
        range += (i + 1 < words.size() ? ", " : " or ") + words[i];
    }
    return range;
}

TEST(Config, AChoiceIsOneOfItsWordsAndTheRefusalNamesThemAll) {
    struct Choice {
        const char* key;
        std::vector<std::string> words;
        std::string range;
    };
    const std::vector<Choice> choices = {{"register", {"off", "till", "open"}, "off, till or open"},
                                         {"self-service", {"yes", "no"}, "yes or no"},
                                         {"issue", {"yes", "no"}, "yes or no"},
                                         {"certificate-is-user", {"yes", "no"}, "yes or no"},
                                         {"login", {"yes", "no"}, "yes or no"},
                                         {"tls-min", {"1.2", "1.3"}, "1.2 or 1.3"},
                                         {"lab", {"yes", "no"}, "yes or no"},
                                         {"explain", {"yes", "no"}, "yes or no"},
                                         {"channel", built_channels(), built_channels_range()}};
    EXPECT_EQ(rows_of({ConfigType::flag, ConfigType::registration, ConfigType::tls_version,
                       ConfigType::channel}).size(), choices.size());
    for (const Choice& choice : choices) {
        const ConfigRow& row = row_of(choice.key);
        for (const std::string& word : choice.words) {
            Config config = defaults();
            EXPECT_EQ(parse(config, file_with(row, word)).status, Status::ok) << word;
        }
        for (const char* word : {"", "true", "1", "Yes", "Xor", "1.1", "tls2"}) {
            EXPECT_EQ(refusal(file_with(row, word)),
                      std::string("pennyd.conf:2: ") + choice.key + " cannot be \"" + word +
                          "\"; it takes " + choice.range);
        }
    }
}

TEST(Config, AChoiceIsKeptAsTheFieldSays) {
    Config config = with_listener();
    EXPECT_EQ(config.registration, Registration::off);
    EXPECT_FALSE(config.self_service);
    EXPECT_EQ(config.listeners[0].tls_min, 13u);
    const ConfigRow& row = row_of("register");
    ASSERT_EQ(parse(config, file_with(row, "till")).status, Status::ok);
    EXPECT_EQ(config.registration, Registration::till);
    ASSERT_EQ(parse(config, file_with(row, "open")).status, Status::ok);
    EXPECT_EQ(config.registration, Registration::open);
    ASSERT_EQ(set(config, "server.self-service=yes").status, Status::ok);
    EXPECT_TRUE(config.self_service);
    ASSERT_EQ(set(config, "listener tls.tls-min=1.2").status, Status::ok);
    EXPECT_EQ(config.listeners[0].tls_min, 12u);
    EXPECT_FALSE(config.listeners[0].lab);
}

TEST(Config, AnAddressIsInFiguresAndNeverANameToLookUp) {
    for (const char* address : {"127.0.0.1", "0.0.0.0", "255.255.255.255", "::", "::1",
                                "2001:db8::7", "::ffff:10.0.0.1", "fe80::1%eth0"}) {
        Config config = with_listener();
        EXPECT_EQ(set(config, std::string("listener tls.address=") + address).status, Status::ok)
            << address;
        EXPECT_STREQ(config.listeners[0].address, address);
    }
    for (const char* address : {"localhost", "127.0.0", "127.0.0.256", "127.0.0.1.1", "127..0.1",
                                ":::", "1::2::3", "127.0.0.1%lo", "127.0.0.01", "*", "bank.example:80", "::g", "[::1]"}) {
        EXPECT_NE(refusal_of_set(std::string("listener tls.address=") + address)
                      .find("it takes an IPv4 or IPv6 address in figures of 1 to 63 bytes"),
                  std::string::npos) << address;
    }
}

TEST(Config, ACurrencyIsUpperCaseLetters) {
    for (const char* word : {"eur", "E R", "EU1", "\xc3\x84"}) {
        EXPECT_NE(refusal(std::string("[ledger]\ncurrency = ") + word)
                      .find("it takes upper-case text of 1 to 8 letters"), std::string::npos);
    }
}

TEST(Config, EveryRowIsReadyForTheReferencePage) {
    std::set<std::string> seen;
    for (const ConfigRow& row : rows()) {
        SCOPED_TRACE(row.key);
        EXPECT_TRUE(seen.insert(std::string(row.section) + "." + row.key).second);
        EXPECT_EQ(std::string(row.key).find_first_not_of("abcdefghijklmnopqrstuvwxyz-"),
                  std::string::npos);
        EXPECT_EQ(std::string(row.help).find_first_of("\r\n\""), std::string::npos);
        EXPECT_EQ(row.help[strlen(row.help) - 1], '.');
        EXPECT_LE(row.min, row.max);
        EXPECT_FALSE(range_of(row).empty());
    }
    EXPECT_DEATH(config_row(config_row_count()), "index < row_count");
}

TEST(Config, TheDefaultsAreTheBoardsAndStandInTheRows) {
    Config config = defaults();
    EXPECT_EQ(config.sessions, 256u);
    EXPECT_EQ(config.handshakes, 16u);
    EXPECT_EQ(config.accounts, 16384u);
    EXPECT_EQ(config.ids, 65536u);
    EXPECT_EQ(config.checkpoint_entries, 100000u);
    EXPECT_EQ(config.checkpoint_minutes, 60u);
    EXPECT_EQ(config.refused_per_minute, 60u);
    EXPECT_EQ(config.clock_step_max_days, 400u);
    EXPECT_EQ(config.password_memory_kib, password_memory_kib_default);
    EXPECT_STREQ(config.currency, "EUR");
    EXPECT_EQ(config.scale, 2u);
    EXPECT_EQ(config.listener_count, 0u);
    for (const ConfigRow& row : rows_of({ConfigType::number})) {
        if (is_listener(row)) continue;
        EXPECT_EQ(std::to_string(number_at(config, row)), row.value_default) << row.key;
    }
    config = with_listener();
    EXPECT_STREQ(config.listeners[0].channel, "tls");
    EXPECT_STREQ(config.listeners[0].address, "127.0.0.1");
    EXPECT_EQ(config.listeners[0].port, 6226u);
}

TEST(Config, BoundsAgreeWithTheRoomsThatUseThem) {
    EXPECT_EQ(row_of("password-memory-kib").min, password_memory_kib_min);
    EXPECT_EQ(row_of("password-memory-kib").max, password_memory_kib_max);
    EXPECT_EQ(row_of("password-passes").max, password_passes_max);
    EXPECT_EQ(row_of("segment-size-kib").min * 1024, segment_size_min);
    EXPECT_EQ(row_of("scale").max, scale_max);
    EXPECT_EQ(static_cast<int>(Registration::off), static_cast<int>(AccessRegistration::off));
    EXPECT_EQ(static_cast<int>(Registration::till), static_cast<int>(AccessRegistration::till));
    EXPECT_EQ(static_cast<int>(Registration::open), static_cast<int>(AccessRegistration::open));
}

// --- Files ----------------------------------------------------------------------------------

TEST(Config, AWholeFileIsRead) {
    Config config = defaults();
    const Answer answer = parse(config,
                                "\xef\xbb\xbf[server]\r\n"
                                "; a remark\n"
                                "# another\n"
                                "data = /var/lib/pennyd   ; in line\n"
                                "  threads=4\n"
                                "\n"
                                "[limits] # room\n"
                                "sessions = 20000\n"
                                "[listener front.desk]\n"
                                "certificate = a.crt\n"
                                "key = a.key\n"
                                "ca = ca.crt\n"
                                "[listener back]\n"
                                "port = 0");
    ASSERT_EQ(answer.status, Status::ok) << answer;
    EXPECT_EQ(answer.error, "");
    EXPECT_STREQ(config.data, "/var/lib/pennyd");
    EXPECT_EQ(config.threads, 4u);
    EXPECT_EQ(config.sessions, 20000u);
    ASSERT_EQ(config.listener_count, 2u);
    EXPECT_STREQ(config.listeners[0].name, "front.desk");
    EXPECT_STREQ(config.listeners[0].certificate, "a.crt");
    EXPECT_STREQ(config.listeners[1].name, "back");
    EXPECT_EQ(config.listeners[1].port, 0u);
    EXPECT_EQ(config_find_listener(config, slice("back")), &config.listeners[1]);
    EXPECT_EQ(config_find_listener(config, slice("bac")), nullptr);
}

TEST(Config, AnEmptyFileChangesNothing) {
    for (const char* text : {"", "\n", "; nothing\n\n", "\xef\xbb\xbf"}) {
        Config config = defaults();
        EXPECT_EQ(parse(config, text).status, Status::ok);
        EXPECT_TRUE(is_same(config, defaults()));
    }
    Config config = defaults();
    Sentence sentence;
    EXPECT_EQ(config_parse(config, "pennyd.conf", {nullptr, 0}, sentence.writer), Status::ok);
}

TEST(Config, AnUnknownSectionIsRefusedWithThoseThereAre) {
    const std::string known = "\"; there are server, ledger, limits, listener NAME and terminal NAME";
    for (const char* name : {"sever", "Server", " server", "server ", "", "till x", "lis"}) {
        EXPECT_EQ(refusal(std::string("\n[") + name + "]\n"),
                  std::string("pennyd.conf:2: unknown section \"") + name + known);
    }
    EXPECT_EQ(refusal("[server]\n[" + std::string(100, 's') + "]\n"),
              "pennyd.conf:2: unknown section \"" + std::string(64, 's') + "..." + known);
    EXPECT_EQ(refusal("# first\nthreads = 4\n"),
              "pennyd.conf:2: no section before \"threads" + known);
}

TEST(Config, AListenersNameFollowsTheRuleOfNames) {
    for (const std::string& name :
         {std::string("listener"), std::string("listener "), std::string("listener  tls"),
          std::string("listener TLS"), std::string("listener\ttls"), std::string("listener tls."),
          std::string("listeners tls"), "listener a" + std::string(31, 'b')}) {
        EXPECT_NE(refusal("[" + name + "]\n").find(
                      " names no listener; it takes one blank and a name: a lower-case letter, "
                      "then up to 30 of a-z 0-9 . _ -, not ending in ."),
                  std::string::npos) << name;
    }
    Config config = defaults();
    EXPECT_EQ(parse(config, "[listener a" + std::string(30, 'b') + "]\nport = 1\n").status,
              Status::ok);
    EXPECT_EQ(config.listeners[0].port, 1u);
}

TEST(Config, ASectionStandsAloneInItsLineAndIsClosed) {
    for (const char* line : {"[server", "[server threads = 4", "[server] threads = 4", "[server]]",
                             "[server ; remark"}) {
        EXPECT_EQ(refusal(std::string(" ") + line + "\n"),
                  std::string("pennyd.conf:1: \"") + line +
                      "\" is no section; it takes [NAME] alone in its line");
    }
}

TEST(Config, AnUnknownKeyIsRefusedWithTheNearestOne) {
    EXPECT_EQ(refusal("[server]\n\nthread = 4\n"),
              "pennyd.conf:3: unknown key \"thread\" in section server; did you mean threads");
    EXPECT_EQ(refusal("[server]\nlogin_ms = 4\n"),
              "pennyd.conf:2: unknown key \"login_ms\" in section server; did you mean login-ms");
    EXPECT_EQ(refusal("[listener tls]\nprot = 4\n"),
              "pennyd.conf:2: unknown key \"prot\" in section listener; did you mean port");
    EXPECT_EQ(refusal("[server]\nsessions = 4\n"),
              "pennyd.conf:2: unknown key \"sessions\" in section server; it belongs to section "
              "limits");
    EXPECT_EQ(refusal("[ledger]\ncolour = red\n"),
              "pennyd.conf:2: unknown key \"colour\" in section ledger; there are currency, scale");
    EXPECT_EQ(refusal("[ledger]\n= red\n"),
              "pennyd.conf:2: unknown key \"\" in section ledger; there are currency, scale");
    const std::string error = refusal("[server]\n" + std::string(900, 'k') + " = red\n");
    for (const ConfigRow& row : rows()) {
        if (strcmp(row.section, "server") != 0) continue;
        EXPECT_NE(error.find(row.key), std::string::npos) << error;
    }
}

TEST(Config, AKeyTwiceInOneSectionIsRefusedWithBothLines) {
    EXPECT_EQ(refusal("[server]\nthreads = 4\n\nthreads = 4\n"),
              "pennyd.conf:4: \"threads\" a second time; the first is in line 2");
    EXPECT_EQ(refusal("[listener a]\nport = 1\n[listener b]\nport = 1\nport = 1\n"),
              "pennyd.conf:5: \"port\" a second time; the first is in line 4");
}

TEST(Config, ASectionTwiceIsRefusedWithBothLinesEvenWhenOneIsEmpty) {
    EXPECT_EQ(refusal("[server]\n[limits]\n[server]\nthreads = 4\n"),
              "pennyd.conf:3: \"server\" a second time; the first is in line 1");
    EXPECT_EQ(refusal("[listener a]\nport = 1\n[listener b]\n[listener a]\n"),
              "pennyd.conf:4: \"listener a\" a second time; the first is in line 1");
}

TEST(Config, EightListenersAreTakenAndNotNine) {
    std::string text;
    for (uint32_t i = 0; i < listeners_max; i++) {
        text += "[listener l" + std::to_string(i) + "]\nport = " + std::to_string(i + 1) + "\n";
    }
    Config config = defaults();
    ASSERT_EQ(parse(config, text).status, Status::ok);
    EXPECT_EQ(config.listener_count, listeners_max);
    EXPECT_EQ(config.listeners[7].port, 8u);
    EXPECT_EQ(refusal(text + "[listener last]\n"),
              "pennyd.conf:17: one listener too many; there can be 8");
    EXPECT_EQ(set(config, "listener last.port=1").error,
              "--set listener last.port=1: one listener too many; there can be 8");
}

TEST(Config, ALineIsTakenUpToItsBoundAndNotBeyond) {
    for (const char* end : {"\n", ""}) {
        const std::string longest = ";" + std::string(config_line_size_max - 1, 'x');
        Config config = defaults();
        EXPECT_EQ(parse(config, "[server]\n" + longest + end).status, Status::ok);
        EXPECT_EQ(refusal("[server]\n" + longest + "x" + end),
                  "pennyd.conf:2: a line of 1023 bytes; it takes at most 1022");
    }
    // Padding after the '=' counts, and what inih would cut off is never taken for a value.
    Config config = defaults();
    const std::string padded = "threads =" + std::string(config_line_size_max - 10, ' ') + "4";
    ASSERT_EQ(padded.size(), config_line_size_max);
    EXPECT_EQ(parse(config, "[server]\n" + padded + "\n").status, Status::ok);
    EXPECT_EQ(config.threads, 4u);
    EXPECT_EQ(refusal("[server]\n" + padded + "2\n").substr(0, 16), "pennyd.conf:2: a");
    EXPECT_EQ(parse(config, "\xef\xbb\xbf;" + std::string(config_line_size_max - 4, 'x') + "\n")
                  .status, Status::ok);
}

TEST(Config, ANulByteIsRefusedWhereverItStands) {
    const std::string text = "[server]\nthreads = 4\n";
    for (uint32_t i = 0; i <= text.size(); i++) {
        std::string damaged = text;
        damaged.insert(i, 1, '\0');
        const std::string line = std::to_string(i < 9 ? 1 : i < 21 ? 2 : 3);
        EXPECT_EQ(refusal(damaged), "pennyd.conf:" + line + ": a NUL byte; it takes text") << i;
    }
}

TEST(Config, ALineWithoutAnEqualsSignIsRefused) {
    for (const char* line : {"threads", "threads 4", "threads ; = 4", "server]"}) {
        EXPECT_EQ(refusal(std::string("[server]\n\n") + line + "\n"),
                  "pennyd.conf:3: no '=' in this line; it takes KEY = VALUE");
    }
}

TEST(Config, ARefusalShowsNoControlBytesOfTheFileAndFitsItsBound) {
    const std::string error = refusal("[server]\nthreads = \x1b[2J" + std::string(900, '\x01'));
    EXPECT_EQ(error.find_first_of("\x1b\x01"), std::string::npos);
    EXPECT_NE(error.find("\\x1b[2J"), std::string::npos);
    Config config = defaults();
    const std::string key(900, '\x02');
    const std::string name(path_size_max, '\x03');
    EXPECT_EQ(parse(config, "[server]\n" + key + "=\n", name.c_str()).error.find('\x03'),
              std::string::npos);
}

// --- Assignments ----------------------------------------------------------------------------

TEST(Config, AnAssignmentOverridesAnyKeyOfTheFile) {
    Config config = with_listener();
    for (const ConfigRow& row : rows()) {
        if (row.value_default[0] == 0) continue;
        const std::string assignment = section_of(row) + "." + row.key + "=" + row.value_default;
        EXPECT_EQ(set(config, assignment).status, Status::ok) << assignment;
    }
    Config expected = with_listener();
    ASSERT_EQ(parse(expected, "[terminal till]\n").status, Status::ok);
    expected.listeners[0].port_is_given = true;
    EXPECT_TRUE(is_same(config, expected));
    EXPECT_EQ(set(config, "server.threads=4").status, Status::ok);
    EXPECT_EQ(set(config, " server.threads = 5 ").status, Status::ok);
    EXPECT_EQ(config.threads, 5u);
    EXPECT_EQ(set(config, "server.message=a=b.c").status, Status::ok);
    EXPECT_STREQ(config.message, "a=b.c");
    EXPECT_EQ(set(config, "listener tls.port=7000").status, Status::ok);
    EXPECT_EQ(config.listeners[0].port, 7000u);
    EXPECT_EQ(config.listener_count, 1u);
}

TEST(Config, AnAssignmentAddsAListenerWhoseNameMayHoldDots) {
    Config config = with_listener();
    EXPECT_EQ(set(config, "listener back.door.port=7000").status, Status::ok);
    ASSERT_EQ(config.listener_count, 2u);
    EXPECT_STREQ(config.listeners[1].name, "back.door");
    EXPECT_EQ(config.listeners[1].port, 7000u);
    EXPECT_STREQ(config.listeners[1].address, "127.0.0.1");
    EXPECT_EQ(refusal_of_check(config),
              "listener back.door: channel tls needs a file as its certificate");
}

TEST(Config, AnAssignmentThatIsNoneIsRefusedAndAddsNothing) {
    for (const char* text :
         {"", "threads", "threads=4", "server.threads", "server=4.5", "=", "."}) {
        EXPECT_EQ(refusal_of_set(text),
                  std::string("--set ") + text +
                      ": it takes SECTION.KEY=VALUE or 'listener NAME.KEY=VALUE'");
    }
    EXPECT_EQ(refusal_of_set("server.threads=65"),
              "--set server.threads=65: threads cannot be \"65\"; it takes a number from 0 to 64 "
              "threads");
    EXPECT_EQ(refusal_of_set("listener new.port=65536"),
              "--set listener new.port=65536: port cannot be \"65536\"; it takes a number from 0 "
              "to 65535");
    EXPECT_EQ(refusal_of_set("listener new.prot=1"),
              "--set listener new.prot=1: unknown key \"prot\" in section listener; did you mean "
              "port");
    EXPECT_EQ(refusal_of_set("sever.threads=1"),
              "--set sever.threads=1: unknown section \"sever\"; there are server, ledger, limits, "
              "listener NAME and terminal NAME");
    EXPECT_NE(refusal_of_set(std::string("server.message=a\0b", 18)).find("printable UTF-8"),
              std::string::npos);
}

// --- What fits together ---------------------------------------------------------------------

TEST(Config, TheDefaultsPassOnceAListenerHasItsFiles) {
    EXPECT_EQ(check(with_listener()).status, Status::ok);
    EXPECT_EQ(refusal_of_check(defaults()),
              "there is no listener; it takes a section such as [listener tls]");
}

TEST(Config, AListenerOfTlsNeedsCertificateKeyAndCaButNoCrl) {
    const Config whole = with_listener();
    Config config = whole;
    config.listeners[0].certificate[0] = 0;
    EXPECT_EQ(refusal_of_check(config),
              "listener tls: channel tls needs a file as its certificate");
    config = whole;
    config.listeners[0].key[0] = 0;
    EXPECT_EQ(refusal_of_check(config), "listener tls: channel tls needs a file as its key");
    config = whole;
    config.listeners[0].ca[0] = 0;
    EXPECT_EQ(refusal_of_check(config), "listener tls: channel tls needs a file as its ca");
    config = whole;
    ASSERT_EQ(set(config, "listener tls.crl=crl.pem").status, Status::ok);
    EXPECT_EQ(check(config).status, Status::ok);
}

TEST(Config, TwoListenersMayNotShareAnAddressAndPort) {
    Config config = with_listener();
    for (const char* assignment : {"listener b.certificate=b", "listener b.key=b",
                                   "listener b.ca=b"}) {
        ASSERT_EQ(set(config, assignment).status, Status::ok);
    }
    EXPECT_EQ(refusal_of_check(config),
              "listener b: its address and port are already those of listener tls");
    Config other = config;
    ASSERT_EQ(set(other, "listener b.port=6227").status, Status::ok);
    EXPECT_EQ(check(other).status, Status::ok);
    other = config;
    ASSERT_EQ(set(other, "listener b.address=127.0.0.2").status, Status::ok);
    EXPECT_EQ(check(other).status, Status::ok);
    ASSERT_EQ(set(config, "listener tls.port=0").status, Status::ok);
    ASSERT_EQ(set(config, "listener b.port=0").status, Status::ok);
    EXPECT_EQ(check(config).status, Status::ok);
}

TEST(Config, HandshakesFitIntoSessionsAndBuffers) {
    Config config = with_listener();
    ASSERT_EQ(set(config, "limits.sessions=16").status, Status::ok);
    EXPECT_EQ(check(config).status, Status::ok);
    ASSERT_EQ(set(config, "limits.sessions=15").status, Status::ok);
    EXPECT_EQ(refusal_of_check(config),
              "limits: handshakes is 16; it can be at most sessions, which is 15");
    config = with_listener();
    ASSERT_EQ(set(config, "limits.handshakes=64").status, Status::ok);
    EXPECT_EQ(check(config).status, Status::ok);
    ASSERT_EQ(set(config, "limits.handshakes=65").status, Status::ok);
    EXPECT_EQ(refusal_of_check(config),
              "limits: handshakes is 65; it can be at most buffers, which is 64");
}

TEST(Config, ASegmentIsWholeBlocks) {
    Config config = with_listener();
    ASSERT_EQ(set(config, "server.segment-size-kib=8193").status, Status::ok);
    EXPECT_EQ(refusal_of_check(config),
              "server: segment-size-kib is 8193; it takes a multiple of 4");
}

// --- Bytes from outside ---------------------------------------------------------------------

TEST(Config, RandomBytesNeverCrashAndNeverLeaveTheBoundsOfARow) {
    const std::vector<std::string> pieces = {"[", "]", "server", "listener ", "limits", "\n", "=",
                                             ":", " ", ";", "#", "\r", "a", ".", "threads",
                                             "sessions", "port", "4", "99999", "\xef\xbb\xbf",
                                             "\xc3\xa9", "message", "\"", "\\", "\t", "yes"};
    for (uint32_t seed = 1; seed <= 4000; seed++) {
        std::mt19937 random(seed);
        std::string text;
        const size_t count = random() % 60;
        for (size_t i = 0; i < count; i++) {
            if (random() % 8 == 0) {
                text += static_cast<char>(random());
            } else {
                text += pieces[random() % pieces.size()];
            }
        }
        SCOPED_TRACE(seed);
        Config config = defaults();
        Answer answer = parse(config, text);
        EXPECT_EQ(answer.status == Status::ok, answer.error.empty()) << answer;
        answer = set(config, text);
        EXPECT_EQ(answer.status == Status::ok, answer.error.empty()) << answer;
        ASSERT_LE(config.listener_count, listeners_max);
        ASSERT_LE(config.terminal_section_count, terminals_config_max);
        for (const ConfigRow& row : rows_of({ConfigType::number})) {
            if (is_listener(row) && config.listener_count == 0) continue;
            EXPECT_GE(number_at(config, row), row.min) << row.key;
            EXPECT_LE(number_at(config, row), row.max) << row.key;
        }
    }
}

TEST(Config, EveryCutAndEveryFlippedBitOfAFileIsAnAnswer) {
    const std::string text = std::string("[server]\nthreads = 4\nmessage = \xc3\xa4\n[limits]\n") +
                             listener_text;
    for (uint32_t size = 0; size <= text.size(); size++) {
        Config config = defaults();
        const Answer answer = parse(config, text.substr(0, size));
        EXPECT_EQ(answer.status == Status::ok, answer.error.empty()) << size;
    }
    for (uint32_t bit = 0; bit < 8 * text.size(); bit++) {
        std::string damaged = text;
        damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ 1 << bit % 8);
        Config config = defaults();
        const Answer answer = parse(config, damaged);
        EXPECT_EQ(answer.status == Status::ok, answer.error.empty()) << bit;
    }
}

TEST(Config, ASentenceWithoutRoomIsCutAndNothingElse) {
    for (uint32_t capacity = 0; capacity < 64; capacity++) {
        uint8_t memory[64];
        Writer error = writer_of(memory, capacity);
        Config config = defaults();
        EXPECT_EQ(config_parse(config, "pennyd.conf", slice("[server]\nfoo = 1\n"), error),
                  Status::invalid);
        EXPECT_LE(error.size, capacity);
    }
}

#include "penny/login.h"

#include <string.h>

#include "penny/prompt.h"

namespace {

constexpr uint32_t account_tries_max = 3;

// Asks for a new account until the server takes one.
ExitCode create_account(Client& client) {
    for (uint32_t i = 0; i < account_tries_max; i++) {
        Login login = {};
        const ExitCode code = prompt_account(login);
        Outcome outcome = Outcome::none;
        if (code == exit_go_on) outcome = client_register(client, login);
        wipe(&login, sizeof login);
        if (outcome == Outcome::reply) return exit_go_on;
        if (code == exit_go_on && outcome != Outcome::error_reply) return exit_refused;
        if (code == exit_usage) return exit_refused;  // Nobody is there, or has had enough.
    }
    return exit_refused;
}

}  // namespace

ExitCode login_find(Options& options, Client& client, Login& out) {
    const bool person = prompt_has_person();
    if (options.user != nullptr) {
        const uint32_t size = slice_of(options.user).size;
        if (size > name_size_max) {
            say("a name has at most %u bytes", name_size_max);
            return exit_usage;
        }
        memcpy(out.user, options.user, size);
        out.user_size = size;
    } else if (person) {
        bool creates = false;
        const ExitCode code = prompt_user(out, creates);
        if (code != exit_go_on) return code;
        if (creates) return create_account(client);
    }
    if (out.user_size == 0) return exit_go_on;
    out.password = options.password;
    wipe(&options.password, sizeof options.password);
    if (out.password.given && !options.askpass) return exit_go_on;
    if (person || options.askpass) return prompt_password(out);
    say("no password for %.*s: use --askpass, $PENNY_PASS or --pass",
        static_cast<int>(out.user_size), reinterpret_cast<const char*>(out.user));
    return exit_usage;
}

// login.h - who logs in, and what is asked of a person for that.
#pragma once

#include "penny/client.h"

// Finds out who logs in: from the options, or from the person that prompt_has_person knows of. What
// is missing is asked for. Returns exit_go_on with `out` set, user_size 0 for nobody; what else
// there is to exit with has been said. Who makes an account instead is client.login afterwards, and
// `out`, unless it is that, has nobody.
ExitCode login_find(Options& options, Client& client, Login& out);

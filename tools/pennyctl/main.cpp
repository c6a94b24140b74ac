// pennyctl - the operator's tool: makes a bank, looks after it, and proves what it holds.
#include <stdio.h>
#include <string.h>

#include "pennyctl/tool.h"
#include "version.h"

namespace {

struct Verb {
    const char* word;
    int (*handler)(int argc, char** argv);
    const char* usage;  // behind the word
    const char* help;   // one sentence
};

constexpr Verb verbs[] = {
#define VERB(word, handler, usage, help) {word, handler, usage, help},
#include "pennyctl/verbs.def"
#undef VERB
};

void print_help() {
    printf("usage: pennyctl VERB ...\n\n");
    for (const Verb& verb : verbs) {
        printf("  pennyctl %s %s\n      %s\n", verb.word, verb.usage, verb.help);
    }
    printf("\n  pennyctl --help, pennyctl VERB --help, pennyctl --version\n\n"
           "Exit codes: 0 done, 1 refused or failed, 2 not a command line that is understood.\n");
}

bool is_help(const char* word) { return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0; }

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return tool_misused("no verb; pennyctl --help lists them");
    if (is_help(argv[1])) {
        print_help();
        return tool_flushed(exit_done);
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("pennyctl %s\n", PENNY_VERSION);
        return tool_flushed(exit_done);
    }
    for (const Verb& verb : verbs) {
        if (strcmp(argv[1], verb.word) != 0) continue;
        if (argc == 3 && is_help(argv[2])) {
            printf("usage: pennyctl %s %s\n\n%s\n", verb.word, verb.usage, verb.help);
            return tool_flushed(exit_done);
        }
        return verb.handler(argc - 2, argv + 2);
    }
    return tool_misused("no verb \"%s\"; pennyctl --help lists them", argv[1]);
}

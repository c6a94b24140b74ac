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

// How many of the words typed a verb has, which may be two; 0 when it is another one.
int words_of(const Verb& verb, int argc, char** argv) {
    const char* blank = strchr(verb.word, ' ');
    if (blank == nullptr) return strcmp(argv[1], verb.word) == 0 ? 1 : 0;
    const size_t first = static_cast<size_t>(blank - verb.word);
    const bool is_first = strlen(argv[1]) == first && strncmp(argv[1], verb.word, first) == 0;
    return is_first && argc > 2 && strcmp(argv[2], blank + 1) == 0 ? 2 : 0;
}

// True for the first word of verbs that have two.
bool begins_verbs(const Verb& verb, const char* word) {
    const size_t size = strlen(word);
    return strncmp(verb.word, word, size) == 0 && verb.word[size] == ' ';
}

// "user" alone, or with a second word that is none of its own: those that there are.
bool print_verbs_of(const char* word, FILE* out) {
    bool is_known = false;
    for (const Verb& verb : verbs) {
        if (!begins_verbs(verb, word)) continue;
        is_known = true;
        fprintf(out, "  pennyctl %s %s\n      %s\n", verb.word, verb.usage, verb.help);
    }
    return is_known;
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
        const int words = words_of(verb, argc, argv);
        if (words == 0) continue;
        if (argc == words + 2 && is_help(argv[words + 1])) {
            printf("usage: pennyctl %s %s\n\n%s\n", verb.word, verb.usage, verb.help);
            return tool_flushed(exit_done);
        }
        return verb.handler(argc - words - 1, argv + words + 1);
    }
    if (argc == 3 && is_help(argv[2]) && print_verbs_of(argv[1], stdout)) {
        return tool_flushed(exit_done);
    }
    for (const Verb& verb : verbs) {
        if (!begins_verbs(verb, argv[1])) continue;
        if (argc == 2) {
            return tool_misused("which of its verbs? pennyctl %s --help lists them", argv[1]);
        }
        return tool_misused("no verb \"%s %s\"; pennyctl %s --help lists them", argv[1], argv[2],
                            argv[1]);
    }
    return tool_misused("no verb \"%s\"; pennyctl --help lists them", argv[1]);
}

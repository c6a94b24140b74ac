#include "sim/workers.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <vector>

namespace {

constexpr uint32_t show_every_s = 10;

volatile sig_atomic_t stop_wanted = 0;

void want_stop(int) { stop_wanted = 1; }

void catch_stops() {
    struct sigaction action = {};
    action.sa_handler = want_stop;  // No SA_RESTART: poll is to return.
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
}

uint64_t now_s() {
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec);
}

// One process of several, seen from the one that waits.
struct Worker {
    pid_t pid;
    int from;           // its pipe
    std::string rest;   // of a line that is not whole yet
    bool done;
};

void tell(int to, const Tally& tally, const std::string& why) {
    std::string text;
    for (const auto& [name, count] : tally.counts) {
        text += std::to_string(count) + " " + name + "\n";
    }
    if (!why.empty()) text += "!" + why + "\n";
    size_t sent = 0;
    while (sent < text.size()) {
        const ssize_t size = write(to, text.data() + sent, text.size() - sent);
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) _exit(1);
        sent += static_cast<size_t>(size);
    }
}

// Adds whole lines to the tally. Returns false when one of them says that something did not hold.
bool take_lines(Worker& worker, Tally& tally) {
    bool held = true;
    for (size_t end; (end = worker.rest.find('\n')) != std::string::npos;) {
        const std::string line = worker.rest.substr(0, end);
        worker.rest.erase(0, end + 1);
        if (line[0] == '!') {
            printf("FAILED: %s\n", line.c_str() + 1);
            held = false;
            continue;
        }
        char* name = nullptr;
        const uint64_t count = strtoull(line.c_str(), &name, 10);
        tally.add(name + 1, count);
    }
    return held;
}

using WorkerBody = bool (*)(void* context, uint32_t index, int to);

void start(std::vector<Worker>& workers, uint32_t jobs, WorkerBody body, void* context) {
    fflush(stdout);
    for (uint32_t i = 0; i < jobs; i++) {
        int ends[2];
        if (pipe(ends) != 0) {
            perror("pipe");
            exit(1);
        }
        const pid_t pid = fork();
        if (pid < 0) {
            perror("fork");
            exit(1);
        }
        if (pid == 0) {
            close(ends[0]);
            const bool held = body(context, i, ends[1]);
            fflush(stdout);
            _exit(held ? 0 : 1);
        }
        close(ends[1]);
        workers.push_back({pid, ends[0], "", false});
    }
}

// Waits for what the workers say. Returns false when a worker failed or something did not hold.
bool collect(std::vector<Worker>& workers, Tally& tally, bool show) {
    bool held = true;
    uint64_t shown_s = now_s();
    for (;;) {
        std::vector<pollfd> polls;
        for (const Worker& worker : workers) {
            if (!worker.done) polls.push_back({worker.from, POLLIN, 0});
        }
        if (polls.empty()) break;
        poll(polls.data(), polls.size(), 1000);
        for (const pollfd& ready : polls) {
            if (ready.revents == 0) continue;
            for (Worker& worker : workers) {
                if (worker.done || worker.from != ready.fd) continue;
                char bytes[4096];
                const ssize_t size = read(worker.from, bytes, sizeof bytes);
                if (size > 0) worker.rest.append(bytes, static_cast<size_t>(size));
                held = take_lines(worker, tally) && held;
                if (size != 0) continue;
                worker.done = true;
                close(worker.from);
                int status = 0;
                waitpid(worker.pid, &status, 0);
                if (WIFSIGNALED(status)) {
                    printf("FAILED: a worker was ended by signal %d\n", WTERMSIG(status));
                }
                held = held && WIFEXITED(status) && WEXITSTATUS(status) == 0;
            }
        }
        if (show && now_s() - shown_s >= show_every_s) {
            shown_s = now_s();
            tally_print(stdout, tally);
            printf("\n");
            fflush(stdout);
        }
        // What did not hold in one is no reason for the others to go on.
        for (const Worker& worker : workers) {
            if (!held && !worker.done) kill(worker.pid, SIGTERM);
        }
    }
    return held;
}

struct PartBody {
    const Part* part;
    uint64_t from;
    uint64_t count;
    uint32_t jobs;
};

Share share_of(const PartBody& body, uint32_t index) {
    const uint64_t more = body.count % body.jobs > index ? 1 : 0;
    const bool all = body.count == UINT64_MAX;
    return {.first = body.from + index,
            .step = body.jobs,
            .count = all ? UINT64_MAX : body.count / body.jobs + more};
}

bool run_part(void* context, uint32_t index, int to) {
    const PartBody& body = *static_cast<const PartBody*>(context);
    Tally tally;
    std::string why;
    const bool held = body.part->run(share_of(body, index), tally, why);
    tell(to, tally, why);
    return held;
}

struct LongBody {
    const Part* parts;
    uint32_t part_count;
    uint64_t from;
    uint32_t jobs;
    uint32_t seconds;
};

bool run_long(void* context, uint32_t index, int to) {
    const LongBody& body = *static_cast<const LongBody*>(context);
    const uint64_t started_s = now_s();
    std::string why;
    for (uint64_t turn = 0; stop_wanted == 0; turn++) {
        if (body.seconds != 0 && now_s() - started_s >= body.seconds) return true;
        const Part& part = body.parts[turn % body.part_count];
        const uint64_t before = turn / body.part_count * part.portion;
        const Share share = {.first = body.from + before * body.jobs + index,
                             .step = body.jobs,
                             .count = part.portion};
        Tally tally;
        const bool held = part.run(share, tally, why);
        tell(to, tally, why);
        if (!held) return false;
    }
    return true;
}

}  // namespace

void tally_print(FILE* out, const Tally& tally) {
    for (const auto& [name, count] : tally.counts) {
        fprintf(out, "%-40s %12" PRIu64 "\n", name.c_str(), count);
    }
}

bool workers_run(const Part& part, uint64_t from, uint64_t count, uint32_t jobs, Tally& tally) {
    PartBody body = {&part, from, count, jobs};
    if (jobs <= 1) {
        std::string why;
        const bool held = part.run(share_of(body, 0), tally, why);
        if (!held) printf("FAILED: %s\n", why.c_str());
        return held;
    }
    std::vector<Worker> workers;
    start(workers, jobs, run_part, &body);
    return collect(workers, tally, false);
}

bool workers_run_long(const Part* parts, uint32_t part_count, uint64_t from, uint32_t jobs,
                      uint32_t seconds, Tally& tally) {
    catch_stops();
    LongBody body = {parts, part_count, from, jobs, seconds};
    std::vector<Worker> workers;
    start(workers, jobs, run_long, &body);
    return collect(workers, tally, true);
}

#include "start.h"

#include <string.h>

#include "base/text.h"
#include "store_file.h"

namespace {

struct Starting {
    Server& server;
    Store& store;
    const StartPlan& plan;
    Writer& error;
};

// Opens the data folder; where nothing can be written or shall be, to read it alone (X2).
Status open_store(Starting& starting) {
    const StartPlan& plan = starting.plan;
    Writer& error = starting.error;
    Status status = Status::misconf;
    if (plan.read_only) {
        put_text(error, "started with --read-only");
    } else {
        status = store_open(starting.store, *plan.calls, plan.dir, StoreMode::write, error);
    }
    if (status != Status::misconf) return status;
    const uint32_t pid = store_lock_holder(*plan.calls, plan.dir);
    if (pid != 0) {  // It is read-only for us, but not for everybody.
        put_text(error, "; and in use by process ");
        put_decimal(error, pid);
        return Status::failed;
    }
    put_text(error, "; the book can be read, and no money moves until a start that can write");
    port_log(plan.read_only ? LogLevel::warning : LogLevel::error,
             reinterpret_cast<const char*>(error.data), error.size);
    error.size = 0;
    return store_open(starting.store, *plan.calls, plan.dir, StoreMode::read, error);
}

// The configuration must mean the same money as the book.
Status compare_currency(Starting& starting) {
    const Config& config = starting.server.config;
    const Ledger& ledger = starting.server.book.ledger;
    if (strcmp(config.currency, ledger.currency) == 0 && config.scale == ledger.scale) {
        return Status::ok;
    }
    Writer& error = starting.error;
    error.size = 0;
    put_text(error, "the configuration says ");
    put_text(error, config.currency);
    put_text(error, " with scale ");
    put_decimal(error, config.scale);
    put_text(error, ", the book is kept in ");
    put_text(error, ledger.currency);
    put_text(error, " with scale ");
    put_decimal(error, ledger.scale);
    put_text(error, ", which never changes; set [ledger] to that");
    return Status::failed;
}

// The segment that was made ahead gets another salt with each start.
Status take_next_segment(Starting& starting, const StoreStart& start) {
    if (start.next_segment == 0) return Status::ok;
    uint8_t salt[8];
    if (!port_random(salt, sizeof salt)) {
        starting.error.size = 0;
        put_text(starting.error, "the system gives no random bytes");
        return Status::failed;
    }
    Reader reader = reader_of({salt, sizeof salt});
    log_segment_made(starting.server.book.log, start.next_segment, start.next_size,
                     get_u64(reader));
    return Status::ok;
}

void log_start(const StoreStart& start) {
    uint8_t text[256];
    Writer line = writer_of(text, sizeof text);
    put_text(line, "the book is open: checkpoint ");
    put_decimal(line, start.checkpoint);
    put_text(line, ", then ");
    put_decimal(line, start.entries);
    put_text(line, " entries in ");
    put_decimal(line, start.batches);
    put_text(line, " batches, up to entry ");
    put_decimal(line, start.log.entry_seq);
    store_log(LogLevel::info, line);
}

// Passwords keep the cost they were made with, so an older record may need more than the
// configuration says.
Status reserve_password_arena(Starting& starting) {
    Server& server = starting.server;
    const PasswordCost cost = server_password_cost(server);
    const uint64_t size = password_arena_size(cost);
    const PasswordArena arena = {.memory = starting.plan.reserve(size), .size = size, .used = 0};
    if (arena.memory == nullptr) {
        starting.error.size = 0;
        put_text(starting.error, "no memory for a password hash of ");
        put_decimal(starting.error, cost.memory_kib);
        put_text(starting.error, " KiB");
        return Status::failed;
    }
    server_set_password_arena(server, arena);
    if (cost.memory_kib == server.config.password_memory_kib) return Status::ok;
    uint8_t text[192];
    Writer line = writer_of(text, sizeof text);
    put_text(line, "password records of ");
    put_decimal(line, cost.memory_kib);
    put_text(line, " KiB are in use; that much is reserved until all are changed");
    store_log(LogLevel::warning, line);
    return Status::ok;
}

// Whom to let wait. A start without it is as good as any other.
void load_penalties(Starting& starting) {
    Server& server = starting.server;
    uint8_t text[512];
    Writer line = writer_of(text, sizeof text);
    const Status status = store_penalties_load(
        starting.store, server.now_ms, server.wall_us / 1000, starting.plan.window,
        batch_size_max, server.book.ledger, server.penalties, line);
    if (status == Status::ok || status == Status::absent) return;
    put_text(line, "; it is ignored, and nobody has to wait for earlier failed logins");
    store_log(LogLevel::warning, line);
}

Status open_book(Starting& starting) {
    Server& server = starting.server;
    Store& store = starting.store;
    const StartPlan& plan = starting.plan;
    StoreStart start = {};
    Status status = store_recover(store, server.book, plan.window, plan.progress, start,
                                  starting.error);
    if (status == Status::ok) status = store_archived(store, server.archived, starting.error);
    if (status == Status::ok) status = compare_currency(starting);
    if (status != Status::ok) return status;
    const uint64_t step_ms = server.config.clock_step_max_days * 86'400'000ull;
    book_open(server.book, start.log, step_ms);
    if (store.mode == StoreMode::read) log_forbid(server.book.log);
    status = take_next_segment(starting, start);
    if (status != Status::ok) return status;
    log_start(start);
    status = reserve_password_arena(starting);
    if (status != Status::ok) return status;
    plan.tell_time(server);
    load_penalties(starting);
    server_start(server, start.checkpoint);
    return Status::ok;
}

}  // namespace

void start_without_book(Server& server, void (*tell_time)(Server& server)) {
    constexpr uint8_t no_bank[bank_id_size] = {};
    Book& book = server.book;
    book_init(book, no_bank);
    const LedgerLimits& limits = book.ledger.limits;
    LimitsEntry& known = book.ledger.limits_known;
    known.accounts = limits.accounts;  // There is no journal in which they could be noted.
    known.ids = limits.ids;
    known.terminals = limits.terminals;
    known.holds = limits.holds;
    known.reversible = limits.reversible;
    LogStart start = {};
    start.segment = 1;
    start.segment_size = segment_size_min;
    book_open(book, start, 0);
    log_forbid(book.log);
    tell_time(server);
    server_start(server, 0);
}

Status start_book(Server& server, Store& store, const StartPlan& plan, Writer& error) {
    Starting starting = {server, store, plan, error};
    if (open_store(starting) != Status::ok) return Status::failed;
    if (open_book(starting) == Status::ok) return Status::ok;
    store_close(store);
    return Status::failed;
}

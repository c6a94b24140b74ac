#include "base/check.h"
#include "port.h"
#include "server_parts.h"

namespace {

constexpr uint64_t told_refused_ms = 1000;      // of one source, about logins during a penalty
constexpr uint64_t told_turned_away_ms = 60'000;  // about connections
constexpr uint64_t count_every_ms = 1000;

PenaltyRules rules_of(const Config& config) {
    PenaltyRules rules = {};
    rules.own = {config.penalty_free, config.penalty_s * 1000ull};
    rules.shared = {config.penalty_shared_free, config.penalty_shared_s * 1000ull};
    rules.first_ms = config.penalty_first_ms;
    rules.half_life_ms = config.penalty_half_life_s * 1000ull;
    const Status status = parse_prefixes(slice_of(config.penalty_exempt), rules.exempt);
    CHECK(status == Status::ok);  // O1
    return rules;
}

// Sessions of this source, other than this one, that nobody has logged in on. Those that end are
// still there.
uint32_t count_strangers(const Server& server, const Session& asking) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < server.sessions.count; i++) {
        if (i == asking.tag.session || !pool_is_taken(server.sessions, i)) continue;
        const Session& session = server.sessions.slots[i];
        // Where nobody need log in, who was let in is no stranger; in the laboratory all are.
        const bool is_known = session.caller.person != row_none ||
                              (session.phase == SessionPhase::ready && !session.caller.lab);
        if (session.turned_away || is_known) continue;
        count += net_address_equal(session.caller.source, asking.caller.source) ? 1 : 0;
    }
    return count;
}

uint32_t strangers_max(const Config& config) {
    const uint32_t half = config.sessions > 1 ? config.sessions / 2 : 1;
    return config.strangers_per_source < half ? config.strangers_per_source : half;
}

void log_turned_away(Server& server, const Session& session, uint32_t strangers) {
    if (!penalties_may_tell(server.penalties, session.caller.source, PenaltyNews::turned_away,
                            server.now_ms, told_turned_away_ms)) {
        return;
    }
    LogLine line;
    log_begin(line, "turned away");
    log_number(line, "session", session.caller.number);
    log_text(line, "from", slice_of(session.address));
    log_number(line, "strangers", strangers);
    log_end(line, LogLevel::warning);
}

// fail2ban reads this line: see tools/packaging/fail2ban/filter.d/pennyd.conf. The name comes last,
// as one word, whatever was typed.
void log_refused(const Server& server, const Session& session) {
    const Attempt& guess = server.service.guess;
    LogLine line;
    log_begin(line, "login refused");
    log_number(line, "session", session.caller.number);
    log_text(line, "from", slice_of(session.address));
    log_text(line, "terminal", name_slice(session.caller.terminal));
    put_text(line.writer, " name ");
    put_escaped(line.writer, {guess.tried, guess.tried_size});
    log_end(line, LogLevel::warning);
}

}  // namespace

void door_layout(Server& server, Arena& arena) {
    const Config& config = server.config;
    const PenaltyLimits limits = {.people = config.accounts,
                                  .sources = config.penalty_sources,
                                  .terminals = config.terminals,
                                  .pairs = config.penalty_pairs};
    penalties_layout(server.penalties, arena, limits);
    uint8_t* text = arena_array<uint8_t>(arena, "text of penalties", penalties_text_size);
    server.penalties_job.text = writer_of(text, penalties_text_size);
}

void door_init(Server& server) {
    uint8_t key[16];
    // Without chance, rows can be aimed at; people, who matter, have rows of their own.
    if (!port_random(key, sizeof key)) wipe(key, sizeof key);
    penalties_init(server.penalties, rules_of(server.config), key);
    server.service.penalties = &server.penalties;
}

void door_set_address(Server& server, Session& session, const char* address) {
    NetAddress found = {};
    if (parse_endpoint(slice_of(address), found) != Status::ok) found = {};  // D1
    session.caller.source = net_source_of(found);
    session.caller.is_exempt = net_prefixes_have(server.penalties.rules.exempt, found);
    if (session.caller.is_exempt) return;
    const uint32_t strangers = count_strangers(server, session);
    if (strangers < strangers_max(server.config)) return;
    session_end(session, "its source has too many sessions without a login");
    session.turned_away = true;
    session.peer_gone = true;
    server.service.stats.strangers_refused++;
    log_turned_away(server, session, strangers);
    mark_dirty(server, session.tag.session);
}

void door_refuse_hashes(Server& server) {
    uint32_t job = 0;
    while (server.hash_running == pool_none && ring_peek(server.hash_queue, job)) {
        const Status judged = service_hash_judge(server.service, server.hashes.slots[job],
                                                 server.now_ms, server.wall_us / 1000);
        if (judged == Status::ok) return;
        ring_pop(server.hash_queue, job);
        server.hashes.slots[job].outcome = judged;
        finish_hash(server, job);
    }
}

DoorCounts door_counts(const Server& server) {
    const ServiceStats& stats = server.service.stats;
    return {stats.logins_failed, stats.logins_refused};
}

void door_log(Server& server, const Session& session, const DoorCounts& before) {
    const DoorCounts now = door_counts(server);
    if (now.failed > before.failed) {
        log_refused(server, session);
    } else if (now.refused > before.refused &&
               penalties_may_tell(server.penalties, session.caller.source, PenaltyNews::refused,
                                  server.now_ms, told_refused_ms)) {
        log_refused(server, session);
    }
}

// --- What survives a restart ----------------------------------------------------------------

namespace {

bool may_save(const Server& server) {
    return server.book.log.blocked != LogBlock::read_only;
}

bool is_saving_due(const Server& server) {
    const PenaltiesJob& job = server.penalties_job;
    if (job.changes == server.penalties.changes || !may_save(server)) return false;
    if (server.phase == ServerPhase::saving_penalties) return !job.last;
    return server.phase == ServerPhase::running &&
           server.now_ms - job.begun_ms >= penalties_save_ms;
}

void begin_saving(Server& server) {
    PenaltiesJob& job = server.penalties_job;
    job.begun = true;
    job.last = server.phase == ServerPhase::saving_penalties;
    job.begun_ms = server.now_ms;
    job.offset = 0;
    job.text.size = 0;
    penalties_save_begin(server.penalties, job.save, server.wall_us / 1000, job.text);
}

void advance_saving(Server& server) {
    PenaltiesJob& job = server.penalties_job;
    if (job.working || job.ready) return;
    if (!job.begun && is_saving_due(server)) begin_saving(server);
    if (!job.begun) return;
    penalties_save_step(server.penalties, job.save, server.book.ledger, server.now_ms,
                        penalties_rows_per_turn, job.text);
    job.ready = !job.save.active || writer_room(job.text) < penalties_line_size_max;
}

}  // namespace

void door_tick(Server& server) {
    advance_saving(server);
    if (server.now_ms - server.penalties_counted_ms < count_every_ms) return;
    server.penalties_counted_ms = server.now_ms;
    server.service.stats.penalties_in_force = penalties_in_force(server.penalties, server.now_ms);
}

bool door_take_wish(Server& server, Wish& out) {
    PenaltiesJob& job = server.penalties_job;
    if (!job.ready || job.working) return false;
    out = {};
    out.kind = WishKind::penalties;
    out.number = job.offset;
    out.table = job.save.active ? 0 : 1;
    out.memory = job.text.data;
    out.size = job.text.size;
    job.working = true;
    return true;
}

void door_finish_wish(Server& server, const Wish& wish) {
    PenaltiesJob& job = server.penalties_job;
    job.working = false;
    job.ready = false;
    job.offset += job.text.size;
    job.text.size = 0;
    if (wish.outcome == Status::ok && job.save.active) return;
    job.begun = false;
    const bool was_failed = job.failed;
    job.failed = wish.outcome != Status::ok;
    if (!job.failed) {
        job.changes = job.save.changes;
    } else if (!was_failed) {
        LogLine line;
        log_begin(line, "penalties could not be written: a restart will not know of them");
        log_end(line, LogLevel::error);
    }
}

bool door_is_saved(const Server& server) {
    const PenaltiesJob& job = server.penalties_job;
    return !job.begun && !is_saving_due(server);
}

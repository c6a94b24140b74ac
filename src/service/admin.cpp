// The commands about the server itself: INFO CHECKPOINT DIGEST RELOAD SHUTDOWN.

#include "base/check.h"
#include "service/handlers.h"

namespace {

// Clients read features off this number; it says which Redis our shapes are those of.
constexpr char redis_compatibility[] = "7.0.0";

using PutSection = void (*)(const Service& service, const ServiceCall& call, Writer& out);

void put_line(Writer& out, const char* name, const char* value) {
    put_text(out, name);
    put_u8(out, ':');
    put_text(out, value);
    put_text(out, "\r\n");
}

void put_number(Writer& out, const char* name, uint64_t value) {
    put_text(out, name);
    put_u8(out, ':');
    put_decimal(out, value);
    put_text(out, "\r\n");
}

void put_server(const Service& service, const ServiceCall& call, Writer& out) {
    (void)call;
    put_line(out, "redis_version", redis_compatibility);
    put_line(out, "redis_mode", "standalone");
    put_line(out, "pennybank_version", service.version);
    put_number(out, "tcp_port", service.stats.port);
    put_number(out, "uptime_in_seconds", service.stats.uptime_s);
}

void put_clients(const Service& service, const ServiceCall& call, Writer& out) {
    (void)call;
    put_number(out, "connected_clients", service.stats.sessions);
    put_number(out, "maxclients", service.stats.sessions_max);
}

void put_memory(const Service& service, const ServiceCall& call, Writer& out) {
    (void)call;
    put_number(out, "memory_reserved", service.stats.memory_reserved);
}

void put_persistence(const Service& service, const ServiceCall& call, Writer& out) {
    (void)call;
    const Book& book = *service.book;
    put_number(out, "loading", 0);
    put_number(out, "aof_enabled", 1);
    put_line(out, "aof_last_write_status", log_is_stopped(book.log) ? "err" : "ok");
    put_number(out, "journal_segment", book.log.segment);
    put_number(out, "journal_batches", book.log.batch_durable);
    put_number(out, "journal_entries", book.log.entry_durable);
    put_number(out, "entries_since_checkpoint", book.entries_since_snapshot);
    put_number(out, "checkpoints", service.stats.snapshots);
}

void put_stats(const Service& service, const ServiceCall& call, Writer& out) {
    (void)call;
    const ServiceStats& stats = service.stats;
    put_number(out, "total_connections_received", stats.connections);
    put_number(out, "total_commands_processed", stats.commands);
    put_number(out, "rejected_connections", stats.rejected_sessions);
    put_number(out, "handshakes_failed", stats.handshakes_failed);
    put_number(out, "logins_failed", stats.logins_failed);
    put_number(out, "commits", stats.batches);
    put_number(out, "entries_committed", stats.batch_entries);
}

void put_access(const Service& service, const ServiceCall& call, Writer& out) {
    (void)call;
    const ServiceStats& stats = service.stats;
    put_number(out, "logins_refused", stats.logins_refused);
    put_number(out, "penalties_in_force", stats.penalties_in_force);
    put_number(out, "strangers_refused", stats.strangers_refused);
    put_number(out, "familiar_pairs", service.penalties->pairs.used);
}

struct DatedRow {
    ExpiryKind kind;
    const char* name;
};

constexpr DatedRow dated_rows[] = {
    {ExpiryKind::server, "server_certificate_days_left"},
    {ExpiryKind::authority, "authority_certificate_days_left"},
    {ExpiryKind::issuing, "issuing_certificate_days_left"},
    {ExpiryKind::revocations, "revocation_list_days_left"},
    {ExpiryKind::terminal, "terminal_certificate_days_left"},
};

void put_certificates(const Service& service, const ServiceCall& call, Writer& out) {
    const Expiry& expiry = *service.expiry;
    for (const DatedRow& dated : dated_rows) {
        const ExpiryRow* row = expiry_first(expiry, dated.kind);
        if (row != nullptr) put_number(out, dated.name, expiry_days_left(*row, call.wall_ms));
    }
    put_number(out, "terminal_certificates_seen", expiry_count(expiry, ExpiryKind::terminal));
    put_number(out, "terminal_certificates_ending",
               expiry_within(expiry, ExpiryKind::terminal, call.wall_ms, expiry_days[0]));
    put_number(out, "reloads", service.stats.reloads);
    put_number(out, "reloads_failed", service.stats.reloads_failed);
}

uint64_t seconds_since(const ServiceCall& call, uint64_t time_ms) {
    return call.wall_ms > time_ms ? (call.wall_ms - time_ms) / 1000 : 0;
}

void put_book(const Service& service, const ServiceCall& call, Writer& out) {
    const Ledger& ledger = service.book->ledger;
    put_line(out, "currency", ledger.currency);
    put_number(out, "scale", ledger.scale);
    put_number(out, "people", ledger.people_installed);
    put_number(out, "accounts", ledger.accounts_installed);
    put_number(out, "accounts_max", ledger.limits.accounts);
    put_number(out, "movements", ledger.movements);
    const uint64_t first = ids_first(ledger.ids);
    const uint64_t oldest_ms =
        ledger.ids.head > first ? ids_at(ledger.ids, first).time_ms : call.wall_ms;
    put_number(out, "ids_window", ledger.ids.window);
    put_number(out, "ids_remembered", ledger.ids.head - first);
    put_number(out, "ids_forgotten", ids_forgotten(ledger.ids));
    put_number(out, "ids_age_seconds", seconds_since(call, oldest_ms));
    put_number(out, "receipt_alarms", service.alarms.count);
    put_number(out, "receipt_alarm_entry", service.alarms.entry_newest);
    if (call.caller->person == row_none) return;
    const Asked& asked = ledger.asked[call.caller->person].installed;
    const uint64_t own = asked.count < asked_max ? asked.count : asked_max;
    put_number(out, "own_ids_window", asked_max);
    put_number(out, "own_ids_remembered", own);
    put_number(out, "own_ids_forgotten", asked.count - own);
    put_number(out, "own_ids_age_seconds",
               seconds_since(call, own == 0 ? call.wall_ms : asked.turned_ms));
}

struct Section {
    const char* name;
    PutSection put;
};

constexpr Section sections[] = {
    {"Server", put_server}, {"Clients", put_clients},         {"Memory", put_memory},
    {"Stats", put_stats},   {"Persistence", put_persistence}, {"Book", put_book},
    {"Access", put_access},
    {"Certificates", put_certificates},
};

bool is_wanted(const ServiceCall& call, const Section& section) {
    if (call_words(call) == 1) return true;
    for (uint32_t i = 1; i < call_words(call); i++) {
        const Slice word = call_word(call, i);
        if (slice_equal_nocase(word, section.name) || slice_equal_nocase(word, "all") ||
            slice_equal_nocase(word, "default") || slice_equal_nocase(word, "everything")) {
            return true;
        }
    }
    return false;
}

}  // namespace

ServiceNext command_info(Service& service, ServiceCall& call) {
    reply_verbatim_begin(call.reply);
    Writer& out = *call.reply.out;
    bool first = true;
    for (const Section& section : sections) {
        if (!is_wanted(call, section)) continue;
        put_text(out, first ? "# " : "\r\n# ");
        put_text(out, section.name);
        put_text(out, "\r\n");
        section.put(service, call, out);
        first = false;
    }
    reply_verbatim_end(call.reply);
    return ServiceNext::replied;
}

ServiceNext command_checkpoint(Service& service, ServiceCall& call) {
    if (log_is_stopped(service.book->log)) return refuse_misconf(service, call);
    return ServiceNext::checkpoint;
}

ServiceNext command_digest(Service& service, ServiceCall& call) {
    (void)service;
    (void)call;
    return ServiceNext::digest;
}

ServiceNext command_reload(Service& service, ServiceCall& call) {
    (void)service;
    (void)call;
    return ServiceNext::reload;
}

void service_reload_done(ServiceCall& call, Status outcome, Slice why) {
    if (outcome == Status::ok) {
        reply_ok(call.reply);
        return;
    }
    reply_error_begin(call.reply, status_word(Status::err));
    put_text(*call.reply.out, "everything stays as it was: ");
    put_printable(*call.reply.out, why, why.size);
    reply_error_end(call.reply);
}

ServiceNext command_shutdown(Service& service, ServiceCall& call) {
    (void)service;
    reply_ok(call.reply);
    call.caller->wants_close = true;
    return ServiceNext::shutdown;
}

void service_snapshot_done(ServiceCall& call, bool was_checkpoint, Status outcome,
                           const Hash& digest, uint64_t entry) {
    if (outcome != Status::ok) {
        refuse(call, Status::misconf, "the checkpoint could not be written; see the server's log");
        return;
    }
    if (!was_checkpoint) {
        reply_bulk_begin(call.reply);
        put_hex(*call.reply.out, hash_slice(digest));
        reply_bulk_end(call.reply);
        return;
    }
    reply_map(call.reply, 2);
    reply_bulk_text(call.reply, "entry");
    reply_integer(call.reply, static_cast<int64_t>(entry));
    reply_bulk_text(call.reply, "digest");
    reply_bulk_begin(call.reply);
    put_hex(*call.reply.out, hash_slice(digest));
    reply_bulk_end(call.reply);
}

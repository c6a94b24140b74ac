#include "server_parts.h"

void log_begin(LogLine& line, const char* event) {
    line.writer = writer_of(line.text, sizeof line.text);
    put_text(line.writer, event);
}

void log_text(LogLine& line, const char* name, Slice value) {
    put_u8(line.writer, ' ');
    put_text(line.writer, name);
    put_u8(line.writer, ' ');
    put_printable(line.writer, value, 128);
}

void log_number(LogLine& line, const char* name, uint64_t value) {
    put_u8(line.writer, ' ');
    put_text(line.writer, name);
    put_u8(line.writer, ' ');
    put_decimal(line.writer, value);
}

void log_end(LogLine& line, LogLevel level) {
    port_log(level, reinterpret_cast<const char*>(line.text), line.writer.size);
}

void log_session(Server& server, const Session& session, const char* event) {
    LogLine line;
    log_begin(line, event);
    log_number(line, "session", session.caller.number);
    log_text(line, "from", slice_of(session.address));
    if (session.caller.terminal.size > 0) {
        log_text(line, "terminal", name_slice(session.caller.terminal));
    }
    if (session.caller.person != row_none) {
        log_text(line, "person", name_slice(server.book.ledger.people[session.caller.person].name));
    }
    if (session.end_reason != nullptr) {
        log_number(line, "commands", session.commands);
        log_text(line, "because", slice_of(session.end_reason));
    }
    log_end(line, LogLevel::info);
}

void log_receipt_alarm(const Server& server, const Session& session) {
    const ReceiptAlarms& alarms = server.service.alarms;
    const Person& person = server.book.ledger.people[session.caller.person];
    LogLine line;
    log_begin(line, "receipt alarm");
    log_number(line, "entry", alarms.entry);
    log_number(line, "head", server.book.log.entry_durable);
    log_number(line, "session", session.caller.number);
    log_text(line, "terminal", name_slice(session.caller.terminal));
    log_text(line, "person", name_slice(person.name));
    log_text(line, "because", slice_of(alarms.what));
    log_end(line, LogLevel::error);
}

void log_established(const Session& session) {
    const ChannelPeer& peer = session.channel.peer;
    LogLine line;
    log_begin(line, "connected");
    log_number(line, "session", session.caller.number);
    log_text(line, "from", slice_of(session.address));
    if (session.caller.lab || session.caller.enrol) {
        const char* const channel = session.caller.enrol ? "enrol" : session.channel.type->name;
        log_text(line, "channel", slice_of(channel));
        log_end(line, LogLevel::info);
        return;
    }
    log_text(line, "terminal", slice_of(peer.name));
    put_text(line.writer, " serial ");
    put_hex(line.writer, {peer.own.serial, peer.own.serial_size});
    log_text(line, "with", slice_of(peer.protocol));
    log_text(line, "cipher", slice_of(peer.cipher));
    log_end(line, LogLevel::info);
}

void log_received(const Session& session) {
    LogLine line;
    log_begin(line, "connection received");
    log_number(line, "session", session.caller.number);
    log_text(line, "from", slice_of(session.address));
    log_end(line, LogLevel::info);
}

// Whoever has the session calls it: the loop, or a worker (N4).
void log_explained(void* context, const char* text, uint32_t size) {
    Session& session = *static_cast<Session*>(context);
    if (session.explained > explained_lines_max) return;
    const bool is_last = session.explained++ == explained_lines_max;
    LogLine line;
    log_begin(line, "explain");
    log_number(line, "session", session.caller.number);
    put_u8(line.writer, ' ');
    put_bytes(line.writer, is_last ? slice_of("and so on: no more of this session is told")
                                   : slice_of_chars(text, size));
    log_end(line, LogLevel::info);
}

void log_sensor(const Server& server) {
    const Sensor& sensor = server.service.sensor;
    const bool is_fine = sensor.why == nullptr;
    LogLine line;
    log_begin(line, is_fine ? "the sensor answers" : "the sensor tells no temperature");
    log_text(line, "file", slice_of(sensor.path));
    if (!is_fine) log_text(line, "because", slice_of(sensor.why));
    log_end(line, is_fine ? LogLevel::info : LogLevel::warning);
}

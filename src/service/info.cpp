// What people and boards ask the server beside money: TELL TIME CLOCK DATE TEMPERATURE.

#include "port.h"
#include "service/handlers.h"

namespace {

constexpr char temperature_unit[] = "celsius";

}  // namespace

void log_told(const Service& service, const ServiceCall& call, Slice text) {
    uint8_t memory[4 * told_size_max + 256];
    static_assert(sizeof memory <= port_log_size_max, "no byte of what was told is cut");
    Writer line = writer_of(memory, sizeof memory);
    put_text(line, "told session ");
    put_decimal(line, call.caller->number);
    if (call.caller->terminal.size > 0) {
        put_text(line, " terminal ");
        put_bytes(line, name_slice(call.caller->terminal));
    }
    if (call.caller->person != row_none) {
        put_text(line, " person ");
        put_bytes(line, name_slice(call_person(service, call).name));
    }
    put_text(line, " text \"");
    put_printable(line, text, told_size_max);
    put_text(line, "\"");
    port_log(LogLevel::info, reinterpret_cast<const char*>(memory), line.size);
}

namespace {

ServiceNext refuse_sensor(const Sensor& sensor, ServiceCall& call) {
    reply_error_begin(call.reply, status_word(Status::err));
    put_text(*call.reply.out, "sensor ");
    put_sensor_name(*call.reply.out, sensor.source);
    put_text(*call.reply.out, ": ");
    put_text(*call.reply.out, sensor.why);
    reply_error_end(call.reply);
    return ServiceNext::replied;
}

}  // namespace

ServiceNext command_tell(Service& service, ServiceCall& call) {
    const Slice text = call_word(call, 1);
    if (text.size > told_size_max) {
        return refuse_longer(call, "a text", text.size, "the log takes", told_size_max);
    }
    if (!access_take_told(*service.access, call.caller->person, call.now_ms)) {
        return refuse(call, Status::busy, "enough was told in this minute; try later");
    }
    log_told(service, call, text);
    reply_bulk_text(call.reply, service.message);
    return ServiceNext::replied;
}

ServiceNext command_time(Service& service, ServiceCall& call) {
    (void)service;
    reply_array(call.reply, 2);
    reply_decimal_bulk(call.reply, call.wall_us / 1'000'000);
    reply_decimal_bulk(call.reply, call.wall_us % 1'000'000);
    return ServiceNext::replied;
}

ServiceNext command_clock(Service& service, ServiceCall& call) {
    reply_bulk_begin(call.reply);
    put_local(*call.reply.out, call.wall_us, service.book->utc_offset_s);
    reply_bulk_end(call.reply);
    return ServiceNext::replied;
}

ServiceNext command_date(Service& service, ServiceCall& call) {
    reply_bulk_begin(call.reply);
    put_local_date(*call.reply.out, call.wall_us, service.book->utc_offset_s);
    reply_bulk_end(call.reply);
    return ServiceNext::replied;
}

// The same shape for every source, so that nobody takes a simulated one for a measured one.
ServiceNext command_temperature(Service& service, ServiceCall& call) {
    Sensor& sensor = service.sensor;
    const Status status = sensor_ask(sensor, call.now_ms);
    if (status == Status::pending) return ServiceNext::waiting;
    if (status != Status::ok) return refuse_sensor(sensor, call);
    reply_map(call.reply, 3);
    reply_bulk_text(call.reply, "temperature");
    reply_bulk_begin(call.reply);
    put_temperature(*call.reply.out, sensor.milli);
    reply_bulk_end(call.reply);
    reply_bulk_text(call.reply, "unit");
    reply_bulk_text(call.reply, temperature_unit);
    reply_bulk_text(call.reply, "source");
    reply_bulk_begin(call.reply);
    put_sensor_name(*call.reply.out, sensor.source);
    reply_bulk_end(call.reply);
    return ServiceNext::replied;
}

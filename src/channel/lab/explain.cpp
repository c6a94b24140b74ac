// What --explain and `explain = yes` show of an exchange.

#include "base/text.h"
#include "channel/lab/lab_parts.h"

namespace {

// In hex. What can be compared or calculated with is whole: a fingerprint to pin, a pass of xor.
constexpr uint32_t whole_bytes_max = 32;  // of a field that is shown whole
constexpr uint32_t shown_bytes_max = 12;  // of a longer one

struct Line {
    uint8_t text[lab_line_size_max];
    Writer writer;
};

void begin_line(Line& line) { line.writer = writer_of(line.text, sizeof line.text); }

void end_line(const LabSession& session, const Line& line) {
    session.explain.line(session.explain.context, reinterpret_cast<const char*>(line.text),
                         line.writer.size);
}

bool is_heard(const LabSession& session) { return session.explain.line != nullptr; }

void put_size(Writer& out, uint32_t size) {
    put_decimal(out, size);
    put_text(out, size == 1 ? " byte" : " bytes");
}

}  // namespace

void lab_tell_message(const LabSession& session, LabWay way, const char* name, uint32_t size) {
    if (!is_heard(session)) return;
    Line line;
    begin_line(line);
    put_text(line.writer, way == LabWay::sent ? "--> " : "<-- ");
    put_text(line.writer, name);
    put_text(line.writer, ", ");
    put_size(line.writer, size);
    end_line(session, line);
}

void lab_tell_field(const LabSession& session, const char* name, Slice bytes, const char* proves) {
    if (!is_heard(session)) return;
    Line line;
    begin_line(line);
    put_text(line.writer, "    ");
    put_text(line.writer, name);
    put_text(line.writer, " ");
    const bool is_whole = bytes.size <= whole_bytes_max;
    put_hex(line.writer, is_whole ? bytes : slice_part(bytes, 0, shown_bytes_max));
    put_text(line.writer, is_whole ? " (" : "... (");
    put_size(line.writer, bytes.size);
    put_text(line.writer, "): ");
    put_text(line.writer, proves);
    end_line(session, line);
}

void lab_tell(const LabSession& session, const char* sentence) {
    if (!is_heard(session)) return;
    Line line;
    begin_line(line);
    put_text(line.writer, "    ");
    put_text(line.writer, sentence);
    end_line(session, line);
}

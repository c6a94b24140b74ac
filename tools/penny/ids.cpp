#include "penny/ids.h"

#include "base/text.h"
#include "port.h"

namespace {

struct ResendRow {
    const char* command;
    const char* second;  // "" for any
    Plan plan;
};

constexpr Plan id_at(uint32_t index) { return {Resend::by_id, index}; }
constexpr Plan reads_only = {Resend::reads_only, 0};
constexpr Plan never = {Resend::never, 0};

constexpr ResendRow rows[] = {
#define RESEND(command, second, plan) {command, second, plan},
#include "penny/resend.def"
#undef RESEND
};

bool fits(const ResendRow& row, const Slice* words, uint32_t count) {
    if (!slice_equal_nocase(words[0], row.command)) return false;
    return row.second[0] == '\0' || (count > 1 && slice_equal_nocase(words[1], row.second));
}

}  // namespace

Plan ids_plan(const Slice* words, uint32_t count) {
    for (const ResendRow& row : rows) {
        if (count == 0 || !fits(row, words, count)) continue;
        if (row.plan.resend != Resend::by_id) return row.plan;
        if (row.plan.id_at >= count) return never;
        return slice_equal_text(words[row.plan.id_at], "*") ? never : row.plan;
    }
    return never;
}

bool ids_is_wanted(const Plan& plan, const Slice* words) {
    return plan.resend == Resend::by_id && slice_equal_text(words[plan.id_at], "+");
}

Status ids_make(FreshId& out) {
    uint8_t random[sizeof out.text / 2];
    if (!port_random(random, sizeof random)) return Status::failed;
    Writer text = writer_of(out.text, sizeof out.text);
    put_hex(text, {random, sizeof random});
    return Status::ok;
}

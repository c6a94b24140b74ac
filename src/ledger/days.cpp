#include "ledger/days.h"

#include "base/check.h"

namespace {

constexpr int64_t day_s = 86400;

}  // namespace

uint32_t days_at(uint64_t time_ms, int32_t utc_offset_s) {
    CHECK(utc_offset_s > -day_s && utc_offset_s < day_s);
    const int64_t local_s = static_cast<int64_t>(time_ms / 1000) + utc_offset_s;
    const int64_t day = local_s / day_s;
    if (day < 1) return 1;
    return day > UINT32_MAX ? UINT32_MAX : static_cast<uint32_t>(day);
}

bool days_is_past(uint32_t day, uint64_t time_ms) {
    return day >= 1 && day <= time_ms / 1000 / static_cast<uint64_t>(day_s) + 1;
}

bool days_fits_time(uint32_t day, uint64_t time_ms) {
    const uint64_t utc = time_ms / 1000 / static_cast<uint64_t>(day_s);
    return day + uint64_t{1} >= utc && days_is_past(day, time_ms);
}

TerminalDay days_on(const TerminalDay& now, uint32_t day) {
    return day > now.day ? TerminalDay{day, 0, 0} : now;
}

int64_t days_add(int64_t total, int64_t amount) {
    CHECK(total >= 0 && total <= balance_minor_max);
    CHECK(amount >= 0 && amount <= amount_minor_max);
    const int64_t sum = total + amount;
    return sum < balance_minor_max ? sum : balance_minor_max;
}

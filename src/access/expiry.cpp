#include "access/expiry.h"

#include "base/check.h"

namespace {

constexpr uint64_t ms_per_day = 86'400'000;

ExpiryRow* find(Expiry& expiry, ExpiryKind kind, const Name& name) {
    for (uint32_t i = 0; i < expiry.count; i++) {
        ExpiryRow& row = expiry.rows[i];
        if (row.kind == kind && name_equal(row.name, name)) return &row;
    }
    return nullptr;
}

// A row for a certificate that ends then; nullptr where all others end sooner (W2).
ExpiryRow* place_for(Expiry& expiry, uint64_t not_after_ms) {
    if (expiry.count < expiry.capacity) return &expiry.rows[expiry.count++];
    ExpiryRow* last = nullptr;
    for (uint32_t i = 0; i < expiry.count; i++) {
        ExpiryRow& row = expiry.rows[i];
        if (row.kind != ExpiryKind::terminal) continue;
        if (last == nullptr || row.not_after_ms > last->not_after_ms) last = &row;
    }
    return last != nullptr && last->not_after_ms > not_after_ms ? last : nullptr;
}

bool ends_within(const ExpiryRow& row, uint64_t wall_ms, uint32_t days) {
    return row.not_after_ms <= wall_ms + days * ms_per_day;
}

}  // namespace

void expiry_layout(Expiry& expiry, Arena& arena, uint32_t terminals) {
    expiry.capacity = terminals + expiry_kind_count - 1;
    expiry.rows = arena_array<ExpiryRow>(arena, "ends of certificates", expiry.capacity);
}

void expiry_init(Expiry& expiry) { expiry.count = 0; }

void expiry_note(Expiry& expiry, ExpiryKind kind, const Name& name, uint64_t not_after_ms) {
    ExpiryRow* row = find(expiry, kind, name);
    if (not_after_ms == 0) {
        if (row != nullptr) *row = expiry.rows[--expiry.count];
        return;
    }
    if (row != nullptr && row->not_after_ms == not_after_ms) return;
    if (row == nullptr) row = place_for(expiry, not_after_ms);
    if (row != nullptr) *row = {not_after_ms, name, kind, 0};
}

bool expiry_next(Expiry& expiry, uint64_t wall_ms, ExpiryRow& out) {
    for (uint32_t i = 0; i < expiry.count; i++) {
        ExpiryRow& row = expiry.rows[i];
        const uint8_t told = row.told;
        while (row.told < expiry_days_count && ends_within(row, wall_ms, expiry_days[row.told])) {
            row.told++;
        }
        if (row.told == told) continue;
        out = row;
        return true;
    }
    return false;
}

const ExpiryRow* expiry_first(const Expiry& expiry, ExpiryKind kind) {
    const ExpiryRow* first = nullptr;
    for (uint32_t i = 0; i < expiry.count; i++) {
        const ExpiryRow& row = expiry.rows[i];
        if (row.kind != kind) continue;
        if (first == nullptr || row.not_after_ms < first->not_after_ms) first = &row;
    }
    return first;
}

uint32_t expiry_count(const Expiry& expiry, ExpiryKind kind) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < expiry.count; i++) count += expiry.rows[i].kind == kind ? 1 : 0;
    return count;
}

uint32_t expiry_within(const Expiry& expiry, ExpiryKind kind, uint64_t wall_ms, uint32_t days) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < expiry.count; i++) {
        const ExpiryRow& row = expiry.rows[i];
        count += row.kind == kind && ends_within(row, wall_ms, days) ? 1 : 0;
    }
    return count;
}

uint64_t expiry_days_left(const ExpiryRow& row, uint64_t wall_ms) {
    return row.not_after_ms <= wall_ms ? 0 : (row.not_after_ms - wall_ms) / ms_per_day;
}

const char* expiry_kind_name(ExpiryKind kind) {
    switch (kind) {
        case ExpiryKind::server: return "the server's certificate";
        case ExpiryKind::authority: return "an authority's certificate";
        case ExpiryKind::issuing: return "the issuing certificate";
        case ExpiryKind::revocations: return "a list of revoked certificates";
        case ExpiryKind::terminal: return "a terminal's certificate";
    }
    CHECK(false);
    return "";
}

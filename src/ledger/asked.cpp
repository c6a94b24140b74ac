#include "ledger/asked.h"

void asked_add(Asked& asked, uint16_t print, Position position, uint64_t time_ms) {
    asked.prints[asked.count % asked_max] = print;
    if (asked.count % asked_max == 0) asked.turned_ms = time_ms;
    asked.last = position;
    asked.count++;
}

uint32_t asked_steps(const Asked& asked, uint16_t print, uint64_t looked) {
    const uint64_t behind = looked < asked.count ? asked.count - looked : 0;
    const uint32_t known = behind < asked_max ? static_cast<uint32_t>(behind) : asked_max;
    for (uint32_t steps = known; steps > 0; steps--) {
        if (asked.prints[(asked.count - steps) % asked_max] == print) return steps;
    }
    return 0;
}

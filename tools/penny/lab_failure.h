// lab_failure.h - the alerts of the laboratory's channels: failures.def, for whoever sees one pass.
#pragma once

#include <stdint.h>

enum LabFailureNumber : uint8_t {
#define LAB_FAILURE(symbol, number, meaning) lab_failure_##symbol = number,
#include "channel/lab/failures.def"
#undef LAB_FAILURE
};

// What a number means, or that it has no meaning.
inline const char* lab_failure_meaning(uint8_t number) {
    switch (number) {
#define LAB_FAILURE(symbol, number, meaning) \
    case number: return meaning;
#include "channel/lab/failures.def"
#undef LAB_FAILURE
        default: return "of no meaning that is known";
    }
}

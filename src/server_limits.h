// server_limits.h - how much a configuration lets the book of a server hold.
#pragma once

#include "config.h"
#include "ledger/ledger.h"

inline LedgerLimits server_limits_of(const Config& config) {
    return {.accounts = config.accounts,
            .ids = config.ids,
            .terminals = config.terminals,
            .holds = config.holds,
            .reversible = config.reversible,
            .items = config.items,
            .orders = config.orders,
            .message_keys = config.message_keys,
            .messages = config.messages,
            .mailbox = config.mailbox};
}

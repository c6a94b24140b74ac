// oracle_mail.h - what an outsider knows about keys and sealed messages: who published what, which
// message was acknowledged under which number, and who forgot it. The part of the oracle (oracle.h)
// that is about the mailbox.
//
// Like the oracle it shares no line with the server. Everything that was asked and shown is kept
// until a quiet point and judged there, when every SEND and FORGET has its answer; ticks are those
// of the oracle.
//
//      SEND sent      answered                     FORGET sent    answered
//     ────┼───────────────┼───── it must be there ──────┼─────────────┼──── it must be gone
//         └─ it may be ───┘                             └─ it may be ─┘
//
//   L1. What was acknowledged is there until it is forgotten, once, as it was sent, byte for byte.
//   L2. Nothing is there that nobody sent, and nothing that was forgotten comes back.
//   L3. Numbers rise, from one acknowledged message to the next that is sent, and are never used
//       again.
//   L4. A mailbox and the table of all messages take what they have room for, and refuse no message
//       while they have.
//   L5. Nobody is sent a message before they published a key, or after they were removed; then key
//       and messages are gone.
//   L6. A key that is shown is the newest that its owner published.
//   L7. What lies in an archive is named as such, and nothing else is.
#pragma once

#include <stdint.h>

#include <map>
#include <string>
#include <vector>

#include "sim/oracle_people.h"

namespace sim {

// A SEND, from the first time it is sent to the answer.
struct Letter {
    std::string from;
    std::string to;
    std::string id;  // "+": the server chose one
    std::string envelope;
    uint64_t sent = 0;
    uint64_t answered = 0;
    uint64_t number = 0;  // 0: refused
    std::string refusal;
};

struct PublishedKey {
    std::string jwk;
    uint64_t sent = 0;
    uint64_t answered = UINT64_MAX;
    std::string refusal;  // for want of room; then it never came to be
};

struct Forgotten {
    std::string person;
    uint64_t number = 0;
    uint64_t sent = 0;
    uint64_t answered = UINT64_MAX;
};

struct ShownKey {
    std::string person;  // whose it is
    std::string jwk;     // empty: none
    uint64_t sent = 0;
    uint64_t answered = 0;
};

// A row of INBOX; READ has an envelope and no size.
struct ShownLetter {
    uint64_t number = 0;
    std::string from;
    std::string id;
    std::string time;
    uint64_t size = 0;
    std::string envelope;
};

struct ShownInbox {
    std::string person;
    std::vector<ShownLetter> rows;
    bool at_rest = false;  // at a quiet point, so nothing that was lost is still to come
    uint64_t sent = 0;
    uint64_t answered = 0;
};

struct ShownRead {
    std::string person;
    uint64_t number = 0;    // that was asked for
    ShownLetter letter;     // unless it was refused
    std::string refusal;
    uint64_t archived = 0;  // newest entry that lay elsewhere
    uint64_t sent = 0;
    uint64_t answered = 0;
};

struct MailRules {
    uint32_t keys = 16;
    uint32_t messages = 32;
    uint32_t mailbox = 8;
};

struct MailOracle {
    // --- what it is told ---
    MailRules rules;
    std::vector<Letter> letters;  // with their answers, in any order
    std::vector<Letter> maybe;    // id chosen by the server, answer lost
    std::map<std::string, std::vector<PublishedKey>> keys;  // by person, one after the other
    std::vector<Forgotten> forgotten;
    std::vector<ShownKey> shown_keys;
    std::vector<ShownInbox> inboxes;
    std::vector<ShownRead> reads;

    // --- what it says ---
    // Judges everything since the last quiet point, and begins anew. `head` is the newest entry of
    // the book. Returns false with `why`.
    bool judge(const PeopleOracle& people, uint64_t head, std::string& why);
    uint64_t kept_ever = 0;

    // --- what it keeps ---
    struct Kept {
        Letter letter;
        std::string time;  // as it was first shown
        uint64_t forget_sent = UINT64_MAX;
        uint64_t forget_answered = UINT64_MAX;
    };
    std::map<uint64_t, Kept> kept;  // what waits, by number
    uint64_t judged = 0;            // head of the last quiet point
};

}  // namespace sim

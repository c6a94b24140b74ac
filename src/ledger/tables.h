// tables.h - the state of the book as text tables that a person can read, and back.
//
// A snapshot is the installed state at one batch boundary. It is formatted a slice of rows at a
// time while the book goes on: a row that changes meanwhile keeps its old values in `saved`, and id
// records that are still to be formatted are not overwritten (ids.h, I3). The same walk makes a
// checkpoint's files and the answer to DIGEST; who writes the text, if anybody, is not known here.
//
//     snapshot_begin ──► snapshot_step … (ok) ──► (end: one table done) … ──► manifest_format
//
// One row is one line; columns are separated by ':', free text is percent-encoded, amounts are
// decimal text, `-` stands for none, positions are SEGMENT.OFFSET. The manifest says first what the
// state is, then its SHA-256 (`digest`, the digest of the book: it stays the same over a restart),
// then where the journal goes on, and last the SHA-256 of all lines before (`sum`).
//
//   T1. The text depends on the installed entries alone (P4).
//   T2. What manifest_format and snapshot_step write is accepted by the loaders and gives the same
//       text again.
//   T3. Loaders believe nothing: every field is checked, every refusal names the line.
//   T4. Of two versions a checkpoint has the lower one that can say it: a manifest names the tables
//       of its version, and version 2 is that of a state which has rows in a table of version 2. So
//       a digest never changes because a newer program looks at the same book. Version 3 is also
//       that of a state in which an id was used for what older programs do not know, and version 4,
//       which has the tables of 3, is that of one in which a password is a first one: `passwd` says
//       so behind the person's state, as in `active/first`.
#pragma once

#include "ledger/ledger.h"

enum class TableName : uint8_t {
#define TABLE(name, since, columns) name,
#include "ledger/tables.def"
#undef TABLE
};

inline constexpr uint32_t table_count = 0
#define TABLE(name, since, columns) +1
#include "ledger/tables.def"
#undef TABLE
    ;

inline constexpr uint32_t table_line_size_max = 768;   // bytes of one row, its line end included
inline constexpr uint32_t manifest_size_max = 2048;    // bytes
inline constexpr uint32_t manifest_version_max = 4;

const char* table_name(TableName table);
const char* table_columns(TableName table);

// The first version of a checkpoint that may have it.
uint32_t table_since(TableName table);

// What the snapshot belongs to; copied into the manifest.
struct SnapshotMark {
    uint64_t entry;
    uint64_t batch;
    uint64_t time_ms;
    Position end;      // of the newest durable batch
    uint64_t salt;     // of that segment
    Hash chain;
};

struct SnapshotTable {
    uint64_t size;  // bytes
    Hash hash;
};

struct Snapshot {
    bool active;
    SnapshotMark mark;
    uint32_t table;     // index of the table being formatted; table_count when all are done
    uint32_t step;      // how many tables are complete
    uint64_t row;       // next row of it
    uint64_t row_end[table_count];
    Hasher hasher;
    uint32_t version_least;  // that the rows need which were formatted, whatever tables they are in
    SnapshotTable tables[table_count];
    LimitsEntry limits;
    uint64_t holds_given;  // newest number of a hold
    uint64_t reversible_from;  // oldest entry that can still be reversed
    uint64_t ids_from;         // the first record of the window
    uint64_t ids_forgotten;    // records that have left the window of ids
};

// Fixes the state of this moment; one snapshot at a time. The ledger must be at `mark`.
void snapshot_begin(Snapshot& snapshot, Ledger& ledger, const SnapshotMark& mark);

// Appends at most `rows_max` rows of the present table, as many as fit into `out`. Returns ok (more
// rows to come, call again), end (this table is complete and the next one begins).
Status snapshot_step(Snapshot& snapshot, Ledger& ledger, Writer& out, uint32_t rows_max);

// True when all tables are complete.
bool snapshot_is_done(const Snapshot& snapshot);

// Ends the snapshot, complete or not, and lets the id records go.
void snapshot_end(Snapshot& snapshot, Ledger& ledger);

// What a manifest says.
struct Manifest {
    uint32_t version;
    uint8_t bank_id[bank_id_size];
    uint8_t scale;
    char currency[currency_size_max + 1];
    SnapshotMark mark;
    LimitsEntry limits;
    uint64_t holds_given;
    uint64_t reversible_from;
    uint64_t ids_forgotten;
    SnapshotTable tables[table_count];  // one of a later version is empty
    Hash digest;
};

// Whether the checkpoint has a file for this table.
bool manifest_has(const Manifest& manifest, TableName table);

// No more rows than this stand in a table of its size, for those of which the limits say nothing.
uint32_t manifest_rows_most(const Manifest& manifest, TableName table);

// Writes the manifest of a complete snapshot; its digest is returned. `out` has manifest_size_max.
Hash manifest_format(const Snapshot& snapshot, const Ledger& ledger, Writer& out);

// Returns damaged for anything but a manifest with a right digest, and failed for a newer version.
Status manifest_parse(Slice text, Manifest& out);

// Readies an empty ledger for its tables.
void tables_begin(Ledger& ledger, const Manifest& manifest);

// Takes one row, without its line end, in the order of tables.def and of the file. Returns damaged
// for a row that snapshot_step would not have written, full when the limits are too small.
Status tables_load(Ledger& ledger, TableName table, Slice line);

// After the last row: checks that the balances add up to zero, that everybody has an account, and
// that no id was answered later than the manifest's entry.
Status tables_end(Ledger& ledger, const Manifest& manifest);

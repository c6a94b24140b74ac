#include "pennyctl/old_books.h"

#include <string.h>

namespace {

// The MD5 of nothing: whoever has it had no password, and everybody could log in.
constexpr char md5_of_nothing[] = "d41d8cd98f00b204e9800998ecf8427e";
static_assert(sizeof md5_of_nothing == password_md5_size + 1);

constexpr uint32_t shown_size_max = 40;  // bytes of somebody's text in a sentence

bool is_blank(uint8_t byte) { return byte == ' ' || byte == '\t'; }

Slice trimmed(Slice text) {
    while (text.size > 0 && is_blank(text.data[0])) text = slice_part(text, 1, text.size - 1);
    while (text.size > 0 && is_blank(text.data[text.size - 1])) text.size--;
    return text;
}

// One line on its way: where it is, and its two words.
struct OldLine {
    const OldFile& file;
    Writer& error;
    uint32_t number;
    Slice text;
    Slice name;
    Slice value;
};

// Begins a sentence about the line.
Writer& at(OldLine& line) {
    line.error.size = 0;
    put_text(line.error, line.file.name);
    put_text(line.error, ":");
    put_decimal(line.error, line.number);
    put_text(line.error, ": ");
    return line.error;
}

Status refuse(OldLine& line, const char* what) {
    put_text(at(line), what);
    return Status::invalid;
}

// The same with the name in front.
Writer& at_name(OldLine& line) {
    put_printable(at(line), line.name, shown_size_max);
    put_text(line.error, ": ");
    return line.error;
}

Status refuse_name(OldLine& line, const char* what) {
    put_text(at_name(line), what);
    return Status::invalid;
}

// Takes the next line off the text, without its end. Returns end when there is none left.
Status take_line(Reader& rest, OldLine& line) {
    if (reader_left(rest) == 0) return Status::end;
    line.number++;
    const Slice left = reader_rest(rest);
    const void* found = memchr(left.data, '\n', left.size);
    const uint32_t size = found == nullptr
                              ? left.size
                              : static_cast<uint32_t>(static_cast<const uint8_t*>(found) -
                                                      left.data);
    line.text = get_bytes(rest, size);
    const bool has_cr = size > 0 && line.text.data[size - 1] == '\r';
    if (has_cr) line.text.size--;
    if (line.text.size > old_line_size_max) {
        put_text(at(line), "this line is longer than ");
        put_decimal(line.error, old_line_size_max);
        put_text(line.error, " bytes");
        return Status::invalid;
    }
    if (found == nullptr) {
        return refuse(line, "this line has no end, so it may have been cut short; if it is whole, "
                            "put a line end behind it");
    }
    (void)get_u8(rest);  // The line feed.
    return Status::ok;
}

// Cuts the line into its two words. Returns absent for an empty line.
Status cut_line(OldLine& line, const char* wanted) {
    const Slice text = trimmed(line.text);
    if (text.size == 0) return Status::absent;
    uint32_t size = 0;
    while (size < text.size && text.data[size] != ':' && !is_blank(text.data[size])) size++;
    line.name = slice_part(text, 0, size);
    line.value = {nullptr, 0};
    if (size < text.size) line.value = slice_part(text, size + 1, text.size - size - 1);
    // Of several blanks between the two only the first has been taken.
    if (size < text.size && text.data[size] != ':') line.value = trimmed(line.value);
    if (line.name.size > 0 && line.value.size > 0) return Status::ok;
    put_text(at(line), "this line is cut short: a name and ");
    put_text(line.error, wanted);
    put_text(line.error, " are wanted");
    return Status::invalid;
}

// A name in any case.
Status take_name(OldLine& line, Name& out) {
    uint8_t folded[name_size_max];
    bool is_fine = line.name.size <= name_size_max;
    for (uint32_t i = 0; is_fine && i < line.name.size; i++) {
        const uint8_t byte = line.name.data[i];
        folded[i] = byte >= 'A' && byte <= 'Z' ? static_cast<uint8_t>(byte + 'a' - 'A') : byte;
    }
    is_fine = is_fine && parse_name({folded, line.name.size}, out) == Status::ok;
    if (!is_fine) {
        return refuse_name(line, "not a name: a letter and up to 30 of [a-z0-9._-], not ending in "
                                 "'.'");
    }
    return name_is_reserved(out) ? refuse_name(line, "the name is reserved") : Status::ok;
}

OldPerson* find(OldBooks& books, const Name& name, uint64_t& hash) {
    hash = siphash(books.key, name_slice(name));
    TableCursor cursor = table_find(books.by_name, hash);
    for (uint32_t row = 0; table_next(books.by_name, cursor, row);) {
        if (name_equal(books.people[row].name, name)) return &books.people[row];
    }
    return nullptr;
}

Status refuse_twice(OldLine& line, uint32_t first) {
    put_text(at_name(line), "is in line ");
    put_decimal(line.error, first);
    put_text(line.error, " already");
    return Status::invalid;
}

// O3.
Status take_md5(OldLine& line, uint8_t out[password_md5_size]) {
    bool is_hex = line.value.size == password_md5_size;
    for (uint32_t i = 0; is_hex && i < password_md5_size; i++) {
        const uint8_t byte = line.value.data[i];
        const bool is_upper = byte >= 'A' && byte <= 'F';
        is_hex = is_upper || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'f');
        out[i] = is_upper ? static_cast<uint8_t>(byte + 'a' - 'A') : byte;
    }
    if (!is_hex) {
        put_text(at_name(line), "a hash is 32 hex digits, and this one ");
        if (line.value.size == password_md5_size) {
            put_text(line.error, "has others");
        } else {
            put_text(line.error, "has ");
            put_decimal(line.error, line.value.size);
        }
        return Status::invalid;
    }
    if (memcmp(out, md5_of_nothing, password_md5_size) != 0) return Status::ok;
    return refuse_name(line, "the hash is that of an empty password, with which everybody could "
                             "log in");
}

Status take_person(OldBooks& books, OldLine& line) {
    OldPerson person = {};
    uint64_t hash = 0;
    Status status = take_name(line, person.name);
    if (status == Status::ok) status = take_md5(line, person.md5);
    if (status != Status::ok) return status;
    const OldPerson* known = find(books, person.name, hash);
    if (known != nullptr) return refuse_twice(line, known->line);
    if (books.count == books.room) {
        put_text(at_name(line), "there is no room: [limits] accounts is ");
        put_decimal(line.error, books.room);
        return Status::invalid;
    }
    person.line = line.number;
    books.people[books.count] = person;
    table_put(books.by_name, hash, books.count++);
    return Status::ok;
}

Status refuse_balance(OldLine& line, uint8_t scale) {
    put_text(at_name(line), "a balance is digits with at most ");
    put_decimal(line.error, scale);
    put_text(line.error, " decimals, not above ");
    put_minor(line.error, amount_minor_max, scale);
    put_text(line.error, ", and not \"");
    put_printable(line.error, line.value, shown_size_max);
    put_text(line.error, "\"");
    return Status::invalid;
}

Status take_balance(OldBooks& books, OldLine& line) {
    Name name;
    uint64_t hash = 0;
    int64_t minor = 0;
    const Status status = take_name(line, name);
    if (status != Status::ok) return status;
    OldPerson* person = find(books, name, hash);
    if (person == nullptr) return refuse_name(line, "a balance of somebody who is no person");
    if (person->balance_line != 0) return refuse_twice(line, person->balance_line);
    if (line.value.data[0] == '-') {
        return refuse_name(line, "a balance below zero is not imported: settle it before");
    }
    const bool is_fine = parse_minor(line.value, books.scale, minor) == Status::ok;
    if (!is_fine || minor > amount_minor_max) return refuse_balance(line, books.scale);
    person->balance = minor;
    person->balance_line = line.number;
    return Status::ok;
}

Status take_lines(OldBooks& books, const OldFile& file, Writer& error, const char* wanted,
                  Status (*take)(OldBooks&, OldLine&)) {
    constexpr uint8_t mark[] = {0xef, 0xbb, 0xbf};  // U+FEFF, which some editors put in front
    OldLine line = {file, error, 0, {}, {}, {}};
    Reader rest = reader_of(file.text);
    if (slice_equal(slice_part(file.text, 0, sizeof mark), {mark, sizeof mark})) {
        rest.offset = sizeof mark;
    }
    for (;;) {
        Status status = take_line(rest, line);
        if (status == Status::end) return Status::ok;
        if (status == Status::ok) status = cut_line(line, wanted);
        if (status == Status::absent) continue;
        if (status == Status::ok) status = take(books, line);
        if (status != Status::ok) return status;
    }
}

}  // namespace

void old_books_layout(OldBooks& books, Arena& arena, uint32_t people_max) {
    books.room = people_max;
    books.people = arena_array<OldPerson>(arena, "people of the old books", people_max);
    table_layout(books.by_name, arena, "  by name", people_max);
}

void old_books_init(OldBooks& books, uint8_t scale, const uint8_t key[16]) {
    CHECK(scale <= scale_max);
    books.count = 0;
    books.scale = scale;
    memcpy(books.key, key, sizeof books.key);
    table_clear(books.by_name);
}

Status old_books_take_people(OldBooks& books, const OldFile& file, Writer& error) {
    return take_lines(books, file, error, "the 32 hex digits of its hash", take_person);
}

Status old_books_take_balances(OldBooks& books, const OldFile& file, Writer& error) {
    return take_lines(books, file, error, "its balance", take_balance);
}

Status old_books_refuse(const OldFile& file, uint32_t line, const Name& name, const char* what,
                        Writer& error) {
    OldLine refused = {file, error, line, {}, name_slice(name), {}};
    return refuse_name(refused, what);
}

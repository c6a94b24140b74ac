// The text of a receipt: what is written, what is read back, and that nothing else is.
#include "service/receipt.h"

#include <gtest/gtest.h>
#include <string.h>

#include <set>
#include <string>
#include <vector>

#include "unit/slices.h"

namespace {

Name name_of(const std::string& text) {
    Name name = {};
    EXPECT_EQ(parse_name(slice_of(text), name), Status::ok) << text;
    return name;
}

template <typename Text>
void set_text(Text& out, const std::string& text) {
    out.size = static_cast<uint8_t>(text.size());
    memcpy(out.text, text.data(), text.size());
}

Receipt sample() {
    Receipt receipt = {};
    for (uint8_t i = 0; i < bank_id_size; i++) receipt.bank_id[i] = static_cast<uint8_t>(i + 1);
    receipt.entry = 13;
    receipt.time_ms = 1'795'182'911'284;
    receipt.batch = 9;
    memset(receipt.chain.bytes, 0xab, hash_size);
    receipt.operation = Operation::transfer;
    receipt.account = name_of("alice");
    receipt.other = name_of("bob");
    receipt.scale = 2;
    strcpy(receipt.currency, "EUR");
    receipt.amount = -1250;
    receipt.balance = 23750;
    set_text(receipt.id, "round-1");
    set_text(receipt.memo, "a round: 100%\n");
    memset(receipt.certificate.bytes, 0xcd, hash_size);
    receipt.signature_size = 4;
    memcpy(receipt.signature, "\x01\x02\x03\x04", 4);
    return receipt;
}

std::string text_of(const Receipt& receipt) {
    return written([&](Writer& out) {
        receipt_put_signed(out, receipt);
        receipt_put_signature(out, receipt);
    });
}

Status parse(const std::string& text, Receipt& out, uint32_t& line) {
    return receipt_parse(slice_of(text), out, line);
}

std::string tidy(const std::string& text, uint32_t capacity = receipt_pasted_size_max) {
    return written([&](Writer& out) { (void)receipt_tidy(slice_of(text), out); }, capacity);
}

const std::string sample_text =
    "Pennybank receipt 1\n"
    "bank: 0102030405060708090a0b0c0d0e0f10\n"
    "entry: 13\n"
    "time: 2026-11-20T13:55:11.284Z\n"
    "batch: 9\n"
    "chain: abababababababababababababababababababababababababababababababab\n"
    "operation: transfer\n"
    "account: alice\n"
    "other: bob\n"
    "amount: -12.50 EUR\n"
    "balance: 237.50 EUR\n"
    "id: round-1\n"
    "memo: a%20round:%20100%25%0a\n"
    "certificate: cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd\n"
    "signature: AQIDBA==\n";

// The largest of everything.
Receipt largest() {
    Receipt receipt = sample();
    receipt.entry = UINT64_MAX;
    receipt.batch = UINT64_MAX;
    receipt.hold = UINT64_MAX;
    receipt.reversed = UINT64_MAX;
    receipt.operation = Operation::withdraw;
    receipt.account = name_of("a" + std::string(name_size_max - 1, 'z'));
    receipt.other = receipt.account;
    receipt.scale = scale_max;
    strcpy(receipt.currency, std::string(currency_size_max, 'X').c_str());
    receipt.amount = -amount_minor_max;
    receipt.balance = -balance_minor_max;
    set_text(receipt.id, std::string(id_size_max, ' '));
    set_text(receipt.memo, std::string(memo_size_max, '\xff'));
    receipt.signature_size = signature_size_max;
    return receipt;
}

TEST(Receipt, is_written_line_by_line) { EXPECT_EQ(text_of(sample()), sample_text); }

TEST(Receipt, comes_back_as_it_was_written) {
    std::vector<Receipt> receipts = {sample(), largest()};
    Receipt ordered = sample();
    ordered.operation = Operation::order;
    ordered.order = ordered.entry;
    ASSERT_EQ(parse_name(slice_of("mate"), ordered.item), Status::ok);
    ordered.quantity = quantity_max;
    receipts.push_back(ordered);
    EXPECT_EQ(text_of(ordered).rfind("Pennybank receipt 2\n", 0), 0u);  // R4
    Receipt other = sample();
    other.operation = Operation::release;
    other.hold = 7;
    other.id = {};
    other.memo = {};
    other.scale = 0;
    other.amount = 1;
    other.balance = -5;
    receipts.push_back(other);
    for (const Receipt& receipt : receipts) {
        Receipt found = {};
        uint32_t line = 0;
        ASSERT_EQ(parse(text_of(receipt), found, line), Status::ok) << line << text_of(receipt);
        EXPECT_EQ(receipt_difference(found, receipt), nullptr);
        EXPECT_EQ(text_of(found), text_of(receipt));
        EXPECT_TRUE(hash_equal(found.certificate, receipt.certificate));
        EXPECT_EQ(memcmp(found.signature, receipt.signature, signature_size_max), 0);
    }
}

TEST(Receipt, always_has_room) {
    const std::string text = text_of(largest());
    EXPECT_LE(text.size(), receipt_size_max);
    EXPECT_GT(text.size() + 256, receipt_size_max) << "the bound says what is needed";
}

// The first line is fixed, and the 65th byte of any receipt is no byte of 3 (R2).
TEST(Receipt, cannot_be_what_the_key_signs_for_tls) {
    EXPECT_EQ(sample_text.rfind("Pennybank receipt 1\n", 0), 0u);
    for (const Receipt& receipt : {sample(), largest()}) {
        for (const char byte : text_of(receipt)) EXPECT_TRUE(byte == '\n' || byte >= ' ');
    }
}

TEST(Receipt, any_changed_byte_is_refused_or_says_something_else) {
    Receipt found = {};
    uint32_t line = 0;
    for (size_t i = 0; i < sample_text.size(); i++) {
        for (int bits = 1; bits < 256; bits++) {
            std::string text = sample_text;
            text[i] = static_cast<char>(text[i] ^ bits);
            if (parse(text, found, line) != Status::ok) continue;
            ASSERT_EQ(text_of(found), text) << i << " " << bits;
        }
    }
}

TEST(Receipt, a_part_of_one_is_refused) {
    Receipt found = {};
    uint32_t line = 0;
    for (size_t size = 0; size < sample_text.size(); size++) {
        ASSERT_EQ(parse(sample_text.substr(0, size), found, line), Status::invalid) << size;
        ASSERT_EQ(parse(sample_text.substr(sample_text.size() - size), found, line),
                  Status::invalid);
    }
    EXPECT_EQ(parse(sample_text + "\n", found, line), Status::invalid);
    EXPECT_EQ(line, 16u);
    EXPECT_EQ(parse(sample_text + sample_text, found, line), Status::invalid);
}

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (size_t from = 0; from < text.size();) {
        const size_t end = text.find('\n', from);
        lines.push_back(text.substr(from, end - from + 1));
        from = end + 1;
    }
    return lines;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line;
    return text;
}

TEST(Receipt, lines_stand_once_and_in_their_order) {
    const std::vector<std::string> lines = lines_of(sample_text);
    Receipt found = {};
    uint32_t line = 0;
    for (size_t i = 0; i < lines.size(); i++) {
        std::vector<std::string> twice = lines;
        twice.insert(twice.begin() + static_cast<long>(i), lines[i]);
        EXPECT_EQ(parse(joined(twice), found, line), Status::invalid) << lines[i];
        EXPECT_EQ(line, i + 2) << lines[i];
        std::vector<std::string> missing = lines;
        missing.erase(missing.begin() + static_cast<long>(i));
        const bool may_be_missing = lines[i].rfind("id:", 0) == 0 || lines[i].rfind("memo:", 0) == 0;
        EXPECT_EQ(parse(joined(missing), found, line) == Status::ok, may_be_missing) << lines[i];
        if (i + 1 == lines.size()) continue;
        std::vector<std::string> swapped = lines;
        std::swap(swapped[i], swapped[i + 1]);
        EXPECT_EQ(parse(joined(swapped), found, line), Status::invalid) << lines[i];
    }
}

TEST(Receipt, each_line_has_one_spelling) {
    struct Row {
        uint32_t line;
        const char* from;
        const char* to;
    };
    const std::string long_text(memo_size_max + 1, 'x');
    const Row rows[] = {
        {1, "receipt 1", "receipt 0"},     {1, "Penny", "penny"},
        {1, "receipt 1", "receipt 01"},    {1, "receipt 1", "receipt 2 "},
        {1, "receipt 1", "receipt "},      {1, "receipt 1", "receipt"},
        {2, "0a0b", "0A0B"},               {2, "bank: ", "bank:"},
        {2, "bank: ", "bank:  "},          {3, "entry: 13", "entry: 013"},
        {3, "entry: 13", "entry: +13"},    {3, "entry: 13", "entry: 99999999999999999999"},
        {3, "entry: 13", "entry: 0"},      {5, "batch: 9", "batch: 0"},
        {4, "T13:55", "T25:55"},           {4, "Z\n", "z\n"},
        {6, "chain: ab", "chain: AB"},     {6, "chain: ab", "chain: "},
        {7, "transfer", "Transfer"},       {7, "transfer", "payment"},
        {7, "transfer", ""},               {8, "alice", "Alice"},
        {9, "bob", "bob "},                {10, "-12.50 EUR", "-12.5 EUR"},
        {10, "-12.50 EUR", "-012.50 EUR"}, {10, "-12.50 EUR", "-12.50 eur"},
        {10, "-12.50 EUR", "-12.50"},      {10, "-12.50 EUR", "0.00 EUR"},
        {10, "-12.50 EUR", "-0.00 EUR"},   {10, "-12.50 EUR", "+12.50 EUR"},
        {10, "-12.50 EUR", "12.500000 EUR"}, {10, "-12.50 EUR", "10000000000000.01 EUR"},
        {10, "-12.50 EUR", " EUR"},        {10, "-12.50 EUR", "-12.50 EUR EUR"},
        {10, "-12.50 EUR", "-12.50 CHF"},  {11, "237.50", "-0.00"},
        {11, "237.50 EUR", "237.5 EUR"},   {11, "237.50", "99999999999999999999.00"},
        {12, "round-1", "%72ound-1"},      {12, "round-1", ""},
        {12, "round-1", "round%2"},        {12, "id: round-1\n", "hold: 0\nid: round-1\n"},
        {12, "id: round-1\n", "reversed: 0\nid: round-1\n"},
        {13, "id: round-1\n", "reversed: 2\nhold: 1\nid: round-1\n"},
        {13, "%0a", "%0A"},                {13, "a%20", "a "},
        {13, "%0a", long_text.c_str()},
        {14, "cdcd", "cd"},                {15, "AQIDBA==", "AQIDBA"},
        {15, "AQIDBA==", "AQIDBB=="},      {15, "AQIDBA==", ""},
        {15, "AQIDBA==\n", "AQIDBA==\r\n"},
    };
    for (const Row& row : rows) {
        std::string text = sample_text;
        const size_t at = text.find(row.from);
        ASSERT_NE(at, std::string::npos) << row.from;
        text.replace(at, strlen(row.from), row.to);
        Receipt found = {};
        uint32_t line = 0;
        EXPECT_EQ(parse(text, found, line), Status::invalid) << row.from << " -> " << row.to;
        // A currency or scale of two kinds shows where the two are compared.
        EXPECT_TRUE(line == row.line || (row.line == 10 && line == 11)) << line << " " << row.to;
        EXPECT_EQ(found.entry, 0u) << "unchanged by refusals";
    }
}

TEST(Receipt, a_newer_version_is_told_apart) {
    for (const char* version : {"3", "10", "18446744073709551615"}) {
        const std::string texts[] = {std::string("Pennybank receipt ") + version + "\n",
                                     std::string("Pennybank receipt ") + version + "\nstrange\n"};
        for (const std::string& text : texts) {
            Receipt found = {};
            uint32_t line = 0;
            EXPECT_EQ(parse(text, found, line), Status::failed) << text;
            EXPECT_EQ(found.entry, 0u);
        }
    }
}

TEST(Receipt, is_taken_as_people_paste_it) {
    std::string windows;
    std::string blanks;
    for (const std::string& line : lines_of(sample_text)) {
        windows += line.substr(0, line.size() - 1) + "\r\n";
        blanks += line.substr(0, line.size() - 1) + " \t\n";
    }
    const std::string no_end = sample_text.substr(0, sample_text.size() - 1);
    for (const std::string& text : {sample_text, windows, blanks, no_end, "\n\r\n" + sample_text,
                                    sample_text + "\n \n\r\n", windows + "\r\n"}) {
        EXPECT_EQ(tidy(text), sample_text);
    }
    // What stands between lines or in front of their words is no accident of pasting.
    Receipt found = {};
    uint32_t line = 0;
    for (const std::string& text : {"x\n" + sample_text, sample_text + "x", " " + sample_text,
                                    "Pennybank receipt 1\n\n" + sample_text.substr(20)}) {
        EXPECT_EQ(parse(tidy(text), found, line), Status::invalid) << text;
    }
    EXPECT_EQ(tidy("\n\n \n"), "");
    EXPECT_EQ(tidy(""), "");
    EXPECT_EQ(tidy("a\n\nb"), "a\n\nb\n");
    EXPECT_EQ(tidy(sample_text, static_cast<uint32_t>(sample_text.size())), sample_text);
    EXPECT_EQ(tidy(sample_text, static_cast<uint32_t>(sample_text.size()) - 1), "<overflow>");
}

Entry movement() {
    Entry entry = {};
    entry.kind = EntryKind::movement;
    entry.status = Status::ok;
    entry.seq = 13;
    entry.time_ms = 1'795'182'911'284;
    entry.movement.debit = 2;
    entry.movement.credit = 3;
    entry.movement.amount = 1250;
    entry.movement.debit_after = 23750;
    entry.movement.credit_after = 99;
    entry.movement.operation = Operation::transfer;
    set_text(entry.movement.id, "round-1");
    set_text(entry.movement.memo, "a round: 100%\n");
    return entry;
}

TEST(Receipt, tells_each_side_its_own) {
    Receipt receipt = sample();
    receipt_take_entry(movement(), ReceiptSide::debit, receipt);
    EXPECT_EQ(receipt_difference(receipt, sample()), nullptr);
    EXPECT_EQ(receipt_side(receipt), ReceiptSide::debit);
    receipt_take_entry(movement(), ReceiptSide::credit, receipt);
    EXPECT_EQ(receipt.amount, 1250);
    EXPECT_EQ(receipt.balance, 99);
    EXPECT_EQ(receipt_side(receipt), ReceiptSide::credit);
}

TEST(Receipt, is_of_movements_that_happened) {
    Entry entry = movement();
    EXPECT_TRUE(receipt_is_of(entry));
    entry.status = Status::funds;
    EXPECT_FALSE(receipt_is_of(entry));
    entry = {};
    entry.kind = EntryKind::person;
    EXPECT_FALSE(receipt_is_of(entry));
}

TEST(Receipt, each_difference_has_its_name) {
    const Receipt same = sample();
    std::set<std::string> names;
    const auto differs = [&](auto change) {
        Receipt other = sample();
        change(other);
        const char* name = receipt_difference(same, other);
        EXPECT_NE(name, nullptr);
        if (name != nullptr) names.insert(name);
    };
    differs([](Receipt& r) { r.bank_id[15]++; });
    differs([](Receipt& r) { r.entry++; });
    differs([](Receipt& r) { r.time_ms++; });
    differs([](Receipt& r) { r.batch++; });
    differs([](Receipt& r) { r.chain.bytes[31]++; });
    differs([](Receipt& r) { r.operation = Operation::deposit; });
    differs([](Receipt& r) { r.account = r.other; });
    differs([](Receipt& r) { r.other = r.account; });
    differs([](Receipt& r) { r.amount++; });
    differs([](Receipt& r) { r.balance++; });
    differs([](Receipt& r) { r.hold++; });
    differs([](Receipt& r) { r.reversed++; });
    differs([](Receipt& r) { r.order++; });
    differs([](Receipt& r) { r.item = r.account; });
    differs([](Receipt& r) { r.quantity++; });
    differs([](Receipt& r) { r.id.size--; });
    differs([](Receipt& r) { r.memo.text[0]++; });
    EXPECT_EQ(names.size(), 17u);
    differs([](Receipt& r) { r.scale--; });
    differs([](Receipt& r) { r.currency[0] = 'X'; });
    EXPECT_EQ(names.size(), 17u);
    EXPECT_EQ(receipt_difference(same, sample()), nullptr);
}

}  // namespace

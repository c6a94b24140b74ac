// The list of a class: which people are taken from a table, and which line is to blame.
#include "pennyctl/people_list.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "unit/slices.h"

namespace {

struct TestList {
    // The sentence, or nothing where everything was taken.
    std::string take(const std::string& text) {
        uint8_t said[512];
        Writer error = writer_of(said, sizeof said);
        const Status status = people_list_take(*list, "people.csv", slice_of(text), error);
        EXPECT_EQ(status == Status::ok, error.size == 0);
        EXPECT_TRUE(status == Status::ok || status == Status::invalid);
        EXPECT_FALSE(error.overflow);
        return std::string(reinterpret_cast<char*>(said), error.size);
    }
    // "name|title" of each, joined by blanks.
    std::string people() const {
        std::string all;
        for (uint32_t i = 0; i < list->count; i++) {
            const PersonRow& row = list->rows[i];
            all += std::string(i == 0 ? "" : " ") + string_of(name_slice(row.name));
            all += "|" + std::string(row.title.text, row.title.size);
        }
        return all;
    }
    std::unique_ptr<PeopleList> list = std::make_unique<PeopleList>();
};

std::string taken(const std::string& text) {
    TestList one;
    EXPECT_EQ(one.take(text), "") << text;
    return one.people();
}

std::string refused(const std::string& text) {
    TestList one;
    const std::string said = one.take(text);
    EXPECT_NE(said, "") << text;
    return said;
}

}  // namespace

TEST(PeopleList, TakesWhatSpreadsheetsWrite) {
    EXPECT_EQ(taken("anna\nbert\n"), "anna| bert|");
    EXPECT_EQ(taken("anna\r\nbert\r\n"), "anna| bert|");
    EXPECT_EQ(taken("anna"), "anna|") << "without its end";
    EXPECT_EQ(taken("\xef\xbb\xbfname,display name\nanna,Anna\n"), "anna|Anna");
    EXPECT_EQ(taken("NAME\nanna\n"), "anna|");
    EXPECT_EQ(taken("\n ,\n\"Name\",x,y,z\n\nanna\n,,,\n"), "anna|");
    EXPECT_EQ(taken("anna,Anna Berg,,\nbert,,\n"), "anna|Anna Berg bert|");
    EXPECT_EQ(taken(" anna\t, Anna  B \n"), "anna|Anna  B");
    EXPECT_EQ(taken("\"anna\" , \"Berg, \"\"Anna\"\"\" ,\"\"\n"), "anna|Berg, \"Anna\"");
    EXPECT_EQ(taken("anna,\" A \"\n"), "anna| A ");
    EXPECT_EQ(taken("zo\x65,Zo\xc3\xab M\xc3\xbcller\n"), "zoe|Zo\xc3\xab M\xc3\xbcller");
    EXPECT_EQ(taken("anna\nname\n"), "anna| name|") << "a head is the first line only";
}

TEST(PeopleList, NamesTheLineThatIsWrong) {
    const std::string no_name = "is no name: a letter and up to 30 of [a-z0-9._-], not ending in '.'";
    EXPECT_EQ(refused("name\nanna\n\nAnna\n"), "people.csv:4: Anna: " + no_name);
    EXPECT_EQ(refused("anna;Anna\n"), "people.csv:1: anna;Anna: " + no_name);
    EXPECT_EQ(refused("an\tna\n"), "people.csv:1: an\\x09na: " + no_name);
    EXPECT_EQ(refused("bert\ncash\n"), "people.csv:2: cash: the name is reserved");
    EXPECT_EQ(refused("anna\r\nbert\r\nanna,A\r\n"), "people.csv:3: anna: is in line 1 already");
    EXPECT_EQ(refused(",Anna\n"), "people.csv:1: the name is missing");
    EXPECT_EQ(refused("anna,A,7b\n"), "people.csv:1: anna: has more than a name and a name to show");
    EXPECT_EQ(refused("anna,\"A\n"), "people.csv:1: a quote is not closed in its line");
    EXPECT_EQ(refused("anna,A\"B\"\n"), "people.csv:1: a quote stands inside of a cell");
    EXPECT_EQ(refused("\"anna\"x,A\n"), "people.csv:1: a cell goes on behind its closing quote");
    const std::string title = "people.csv:1: anna: a name to show is at most 63 bytes of UTF-8 "
                              "without control characters";
    EXPECT_EQ(refused("anna," + std::string(64, 'x') + "\n"), title);
    EXPECT_EQ(refused("anna,\xff\n"), title);
    EXPECT_EQ(refused("anna,a\x07\n"), title);
    EXPECT_EQ(refused(std::string("anna,a\0b\n", 9)), title);
    EXPECT_EQ(refused("anna\rbert\r"), "people.csv:1: anna\\x0dbert: " + no_name);
    EXPECT_EQ(refused(""), "people.csv names nobody");
    EXPECT_EQ(refused("name,display name\n\n"), "people.csv names nobody");
}

TEST(PeopleList, LinesAndPeopleHaveABound) {
    const std::string title(63, 'x');
    EXPECT_EQ(taken("anna," + title + std::string(people_line_size_max - 68, ' ') + "\n"),
              "anna|" + title);
    EXPECT_EQ(refused("bert\nanna," + std::string(people_line_size_max - 4, ' ') + "\n"),
              "people.csv:2: the line is too long");
    EXPECT_EQ(refused(std::string(1 << 20, 'x')), "people.csv:1: the line is too long");
    std::string many;
    for (uint32_t i = 0; i < people_list_max; i++) many += "a" + std::to_string(i) + "\n";
    TestList full;
    EXPECT_EQ(full.take(many), "");
    EXPECT_EQ(full.list->count, people_list_max);
    EXPECT_EQ(refused(many + "one\n"), "people.csv:513: one: is one too many: at most 512");
}

// P3, and no prefix of a table does harm.
TEST(PeopleList, WhatIsPutIsReadAgain) {
    const std::string text = "name,x\nanna,\"Berg, \"\"Anna\"\"\"\nbert\ncarl, C \ndora,\" D\"\n";
    TestList one;
    ASSERT_EQ(one.take(text), "");
    std::string again;
    for (uint32_t i = 0; i < one.list->count; i++) {
        uint8_t line[people_put_size_max];
        Writer out = writer_of(line, sizeof line);
        people_list_put(one.list->rows[i], out);
        ASSERT_FALSE(out.overflow);
        again += string_of(writer_slice(out));
    }
    EXPECT_EQ(again, "anna,\"Berg, \"\"Anna\"\"\"\nbert\ncarl,C\ndora,\" D\"\n");
    EXPECT_EQ(taken(again), one.people());
    for (size_t size = 0; size < text.size(); size++) {
        TestList cut;
        (void)cut.take(text.substr(0, size));
        EXPECT_LE(cut.list->count, 4u);
    }
}

#include "pennyctl/check.h"

#include <stdio.h>

#include "base/text.h"
#include "pennyctl/data.h"
#include "pennyctl/tool.h"

namespace {

void print_total(const CheckSums& sums) {
    uint8_t text[64];
    Writer out = writer_of(text, sizeof text);
    put_minor(out, sums.total, sums.scale);
    printf("total    %.*s %s\n", static_cast<int>(out.size), reinterpret_cast<char*>(text),
           sums.currency);
}

void print_outcome(const Check& check, const CheckSums& sums, const Hash& digest) {
    printf("entries  %llu\n", static_cast<unsigned long long>(sums.entries));
    printf("batches  %llu\n", static_cast<unsigned long long>(sums.batches));
    printf("accounts %u\n", sums.account_count);
    print_total(sums);
    printf("digest   ");
    for (const uint8_t byte : digest.bytes) printf("%02x", byte);
    printf("\n");
    for (uint32_t i = 0; i < check.list.count; i++) {
        printf("checkpoint %u agrees with the journal\n", check.list.numbers[i]);
    }
    if (check.has_torn_tail) {
        printf("the last batch is not complete and was never acknowledged; a start drops it\n");
    }
    printf("the books sum to zero\n");
}

Status check_all(Check& check, CheckSums& sums, Hash& digest) {
    Status status = check_sums(check, sums, nullptr);
    if (status == Status::ok) status = check_ahead(check);
    if (status != Status::ok) return status;
    BookMemory memory;
    if (book_memory_take(memory, sums.limits_max) != Status::ok) {
        return check_wrong_here(check, "there is no memory for a book of its limits");
    }
    status = check_again(check, sums, memory, digest);
    book_memory_give(memory);
    return status;
}

ExitCode check_data(const char* data) {
    static Check check;
    if (check_open(check, data) != Status::ok) return tool_refuse_said(check.error);
    CheckSums sums = {};
    Hash digest = {};
    const Status status = check_all(check, sums, digest);
    check_close(check);
    if (status == Status::ok) print_outcome(check, sums, digest);
    check_sums_free(sums);
    return status == Status::ok ? tool_flushed(exit_done) : tool_refuse_said(check.error);
}

}  // namespace

int verb_check(int argc, char** argv) {
    ToolWords words = {argc, argv, 0, nullptr, false};
    bool is_option = false;
    const char* dir = tool_next(words, is_option);
    if (dir == nullptr) return tool_misused("check: which bank? pennyctl check DIR|CONFIG");
    if (is_option) return tool_misused("check: no option \"%s\"", dir);
    if (tool_next(words, is_option) != nullptr) return tool_misused("check: one bank at a time");
    ToolData data;
    const ExitCode code = data_find(dir, data);
    return code == exit_done ? check_data(data.folder.text) : code;
}

// What ENROL and RENEW come to: the files of the spool, a job's judgement, its files on a disk that
// fails, and who reaches what.

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>

#include "access/enrol_spool.h"
#include "crypto/certificate.h"
#include "crypto/chain.h"
#include "crypto/crypto.h"
#include "crypto/request.h"
#include "port/posix/enrol_files.h"
#include "service/enrol.h"
#include "unit/test_bank.h"
#include "unit/test_faults.h"
#include "unit/test_port.h"
#include "unit/test_server.h"

namespace {

namespace fs = std::filesystem;

constexpr uint64_t now_ms = 1'800'000'000'000;

std::string grant_text(const char* name, uint64_t expires_ms) {
    return written([&](Writer& out) { put_enrol_grant(out, {test_name(name), expires_ms}); });
}

std::string make_key() {
    EXPECT_EQ(crypto_init(nullptr), Status::ok);
    return written([](Writer& out) { EXPECT_EQ(certificate_make_key(out), Status::ok); });
}

std::string request_of(const std::string& key, const char* name) {
    return written([&](Writer& out) {
        EXPECT_EQ(request_make(slice_of(key), slice_of(name), out), Status::ok);
    });
}

// A CA and an authority below it, made once.
struct Authorities {
    std::string ca_key;
    std::string ca;
    std::string key;
    std::string certificate;
    Authorities() {
        EXPECT_EQ(crypto_init(nullptr), Status::ok);
        ca_key = make_key();
        key = make_key();
        const CertificateRequest root = {CertificateKind::authority, slice_of("Test CA"), nullptr, 0,
                                         now_ms, 0};
        ca = written([&](Writer& out) {
            EXPECT_EQ(certificate_make(root, slice_of(ca_key), {}, out), Status::ok);
        });
        const CertificateRequest below = {CertificateKind::issuing, slice_of("Test issuing"), nullptr,
                                          0, now_ms, 0};
        certificate = written([&](Writer& out) {
            EXPECT_EQ(certificate_make(below, slice_of(key), {slice_of(ca), slice_of(ca_key)}, out),
                      Status::ok);
        });
    }
    EnrolIssuer issuer() const { return {{slice_of(certificate), slice_of(key)}, 30}; }
};

const Authorities& authorities() {
    static const Authorities made;
    return made;
}

template <uint32_t size_max>
void fill(EnrolText<size_max>& out, const std::string& text) {
    ASSERT_LE(text.size(), size_max);
    memcpy(out.bytes, text.data(), text.size());
    out.size = static_cast<uint32_t>(text.size());
}

template <uint32_t size_max>
std::string text_of(const EnrolText<size_max>& text) {
    return string_of({text.bytes, text.size});
}

// A job as it stands when its files have been read.
struct Job {
    std::unique_ptr<EnrolJob> owner = std::make_unique<EnrolJob>();
    EnrolJob& job = *owner;
    explicit Job(EnrolUse use, const std::string& csr = "") {
        job.use = use;
        job.may_spend = true;
        job.wall_ms = now_ms;
        fill(job.csr, csr);
        if (use == EnrolUse::renew) {
            job.name = test_name("till");
        } else {
            fill(job.grant, grant_text("till", now_ms + 1000));
        }
    }
    Status run(const EnrolIssuer& issuer = {}) {
        enrol_run(job, issuer);
        EXPECT_EQ(job.reason == nullptr, job.outcome == Status::ok);
        return job.outcome;
    }
    bool writes() const {
        return job.row.size > 0 || job.puts_csr || job.puts_answer || job.drops_answer ||
               job.drops_csr;
    }
};

}  // namespace

TEST(EnrolSpool, GrantsComeBackAndNothingElseDoes) {
    const std::string text = grant_text("kiosk-1", now_ms);
    EXPECT_EQ(text, "name kiosk-1\nexpires 2027-01-15T08:00:00Z\n");
    EnrolGrant grant = {};
    ASSERT_EQ(enrol_grant_parse(slice_of(text), grant), Status::ok);
    EXPECT_EQ(string_of(name_slice(grant.name)), "kiosk-1");
    EXPECT_EQ(grant.expires_ms, now_ms);
    for (size_t size = 0; size < text.size(); size++) {
        EXPECT_EQ(enrol_grant_parse(slice_of(text.substr(0, size)), grant), Status::damaged) << size;
    }
    for (const std::string& other :
         {text + "\n", text + "x", " " + text, "name Kiosk\nexpires 2027-01-15T08:00:00Z\n" + text,
          std::string("name kiosk-1\nexpires 2027-01-15T08:00:00.000Z\n"),
          std::string("name kiosk-1\nexpires 2027-13-15T08:00:00Z\n"),
          std::string("name Kiosk\nexpires 2027-01-15T08:00:00Z\n")}) {
        EXPECT_EQ(enrol_grant_parse(slice_of(other), grant), Status::damaged) << other;
    }
    EXPECT_EQ(grant.expires_ms, now_ms);
}

TEST(EnrolSpool, NamesOfFilesAreHashesOrRenewals) {
    EnrolCode code = {};
    const EnrolBase base = enrol_base_of_code(code);
    EXPECT_STREQ(base.text, "01d448afd928065458cf670b60f5a594");
    EXPECT_STREQ(enrol_base_of_renewal(test_name("a")).text, "renew-a");
    Name name = test_name("x");
    EXPECT_TRUE(enrol_base_parse(slice_of(base.text), name));
    EXPECT_EQ(name.size, 0);
    EXPECT_TRUE(enrol_base_parse(slice_of("renew-till.1"), name));
    EXPECT_EQ(string_of(name_slice(name)), "till.1");
    for (const char* text : {"", "renew-", "renew-Till", "renew-../x", "01d4", "..", "passwd",
                             "01D448AFD928065458CF670B60F5A594"}) {
        EXPECT_FALSE(enrol_base_parse(slice_of(text), name)) << text;
    }
}

TEST(EnrolRun, ACodeIsBoundToTheFirstKey) {
    const std::string key = make_key();
    const std::string csr = request_of(key, "till");
    Job first(EnrolUse::sign, csr);
    ASSERT_EQ(first.run(), Status::ok);
    EXPECT_TRUE(first.job.puts_csr);
    EXPECT_FALSE(first.job.is_issued || first.job.puts_answer);
    Job again(EnrolUse::sign, request_of(key, ""));
    fill(again.job.known, csr);
    EXPECT_EQ(again.run(), Status::ok);
    EXPECT_FALSE(again.writes() || again.job.is_issued);
    Job other(EnrolUse::sign, request_of(make_key(), "till"));
    fill(other.job.known, csr);
    EXPECT_EQ(other.run(authorities().issuer()), Status::state);
    EXPECT_FALSE(other.writes());
}

TEST(EnrolRun, WhatWaitsIsSignedByAServerThatMay) {
    const std::string key = make_key();
    Job job(EnrolUse::sign, request_of(key, "till"));
    fill(job.job.known, text_of(job.job.csr));
    fill(job.job.grant, grant_text("till", now_ms - 1000));  // Its time is of no matter any more.
    ASSERT_EQ(job.run(authorities().issuer()), Status::ok);
    EXPECT_TRUE(job.job.is_issued && job.job.puts_answer);
    EXPECT_FALSE(job.job.puts_csr);
    const std::string chain = text_of(job.job.answer);
    EXPECT_NE(chain.find(authorities().certificate), std::string::npos);
    Slice leaf = {};
    ASSERT_EQ(certificate_first(slice_of(chain), leaf), Status::ok);
    EXPECT_EQ(certificate_match(leaf, slice_of(key)), Status::ok);
    EXPECT_EQ(text_of(job.job.row).find(" client issuing till\n") != std::string::npos, true);
    EXPECT_EQ(job.job.facts.not_after_ms, now_ms + 30ull * 86'400'000);

    Job again(EnrolUse::sign, request_of(key, "till"));
    fill(again.job.answer, chain);
    ASSERT_EQ(again.run(authorities().issuer()), Status::ok);
    EXPECT_TRUE(again.job.is_issued);
    EXPECT_FALSE(again.writes());
    EXPECT_EQ(text_of(again.job.answer), chain);  // M4
    Job other(EnrolUse::sign, request_of(make_key(), "till"));
    fill(other.job.answer, chain);
    EXPECT_EQ(other.run(authorities().issuer()), Status::state);
}

TEST(EnrolRun, RefusesInOrder) {
    Job unknown(EnrolUse::sign, "garbage");
    unknown.job.grant.size = 0;
    EXPECT_EQ(unknown.run(), Status::absent);
    Job damaged(EnrolUse::sign, "garbage");
    fill(damaged.job.grant, "name till\n");
    EXPECT_EQ(damaged.run(), Status::damaged);
    Job garbage(EnrolUse::sign, "garbage");
    EXPECT_EQ(garbage.run(authorities().issuer()), Status::invalid);
    Job named(EnrolUse::sign, request_of(make_key(), "admin"));
    EXPECT_EQ(named.run(authorities().issuer()), Status::invalid);
    EXPECT_STREQ(named.job.reason, "it is for another name");
    Job late(EnrolUse::sign, request_of(make_key(), "till"));
    fill(late.job.grant, grant_text("till", now_ms));
    EXPECT_EQ(late.run(authorities().issuer()), Status::expired);
    Job torn(EnrolUse::sign, request_of(make_key(), "till"));
    fill(torn.job.answer, "-----BEGIN CERTIFICATE-----\n");
    EXPECT_EQ(torn.run(authorities().issuer()), Status::damaged);
    for (Job* job : {&unknown, &damaged, &garbage, &named, &late, &torn}) {
        EXPECT_FALSE(job->writes());
        EXPECT_FALSE(job->job.is_issued);
    }
}

TEST(EnrolRun, ARenewalIsForTheTerminalThatAsks) {
    Job other(EnrolUse::renew, request_of(make_key(), "admin"));
    EXPECT_EQ(other.run(authorities().issuer()), Status::invalid);
    Job fine(EnrolUse::renew, request_of(make_key(), ""));
    ASSERT_EQ(fine.run(authorities().issuer()), Status::ok);
    EXPECT_TRUE(fine.job.is_issued && fine.job.is_spent);
    EXPECT_STREQ(fine.job.facts.name, "till");
    EXPECT_FALSE(fine.job.puts_csr || fine.job.puts_answer);
    Job spent(EnrolUse::renew, request_of(make_key(), ""));
    spent.job.may_spend = false;
    EXPECT_EQ(spent.run(authorities().issuer()), Status::busy);
    EXPECT_FALSE(spent.writes());
}

TEST(EnrolRun, ARenewalThatWaitsGivesWayToAnotherKey) {
    const std::string key = make_key();
    Job first(EnrolUse::renew, request_of(key, "till"));
    ASSERT_EQ(first.run(), Status::ok);
    EXPECT_TRUE(first.job.puts_csr && first.job.is_spent);
    Job polls(EnrolUse::renew, request_of(key, "till"));
    fill(polls.job.known, text_of(first.job.csr));
    polls.job.may_spend = false;  // To ask again costs nothing.
    EXPECT_EQ(polls.run(), Status::ok);
    EXPECT_FALSE(polls.writes() || polls.job.is_spent);
    Job signing(EnrolUse::sign, text_of(first.job.csr));
    ASSERT_EQ(signing.run(authorities().issuer()), Status::ok);
    Job fetches(EnrolUse::renew, request_of(key, "till"));
    fill(fetches.job.known, text_of(first.job.csr));
    fill(fetches.job.answer, text_of(signing.job.answer));
    EXPECT_EQ(fetches.run(), Status::ok);
    EXPECT_TRUE(fetches.job.is_issued);
    EXPECT_FALSE(fetches.writes());
    Job other(EnrolUse::renew, request_of(make_key(), "till"));
    fill(other.job.known, text_of(first.job.csr));
    fill(other.job.answer, text_of(signing.job.answer));
    EXPECT_EQ(other.run(), Status::ok);
    EXPECT_TRUE(other.job.drops_answer && other.job.puts_csr);
    EXPECT_FALSE(other.job.is_issued);
}

TEST(EnrolRun, WithoutChanceNothingIsSigned) {
    Job job(EnrolUse::sign, request_of(make_key(), "till"));
    const EnrolIssuer issuer = authorities().issuer();
    test_random_fail_after(0);
    EXPECT_EQ(job.run(issuer), Status::failed);
    test_random_mend();
    EXPECT_FALSE(job.writes());
    EXPECT_EQ(job.run(authorities().issuer()), Status::ok);
}

TEST(Renewals, AreCountedByTerminalAndDay) {
    auto renewals = std::make_unique<Renewals>();
    const Name till = test_name("till");
    constexpr uint64_t day_ms = 86'400'000;
    for (uint32_t i = 0; i < renewals_per_day; i++) {
        EXPECT_TRUE(renewals_may(*renewals, till, now_ms));
        renewals_note(*renewals, till);
    }
    EXPECT_FALSE(renewals_may(*renewals, till, now_ms));
    EXPECT_TRUE(renewals_may(*renewals, test_name("kiosk"), now_ms));
    EXPECT_FALSE(renewals_may(*renewals, till, now_ms));
    EXPECT_TRUE(renewals_may(*renewals, till, now_ms + day_ms));
}

// S3, for both kinds of callers who reach next to nothing.
TEST(EnrolReach, StrangersAndTheExpiredReachTheirTwoRowsAlone) {
    struct Kind {
        bool Caller::*mark;
        const char* own;
        const char* refusal;
    };
    const Kind kinds[] = {
        {&Caller::enrol, "ENROL", "-NOPERM channel enrol carries ENROL and QUIT alone\r\n"},
        {&Caller::renew_only, "RENEW",
         "-NOPERM the certificate has expired; it can be renewed, and nothing else\r\n"}};
    for (const Kind& kind : kinds) {
        TestServer one;
        const uint32_t index = one.connect("chief");
        one.session(index).caller.*kind.mark = true;
        for (uint32_t i = 0; i < command_count(); i++) {
            const std::string name = command_row(i).name;
            if (name == kind.own || name == "QUIT") continue;
            EXPECT_EQ(one.say(index, name + "\r\n"), kind.refusal) << name;
            EXPECT_EQ(one.say(index, name + " a b c\r\n"), kind.refusal) << name;
        }
        EXPECT_EQ(one.say(index, "NOTHING\r\n"), kind.refusal);
        EXPECT_EQ(one.say(index, "QUIT\r\n"), "+OK\r\n<closed>");
    }
}

// Who leaves while the server signs has had a certificate of the day's all the same.
TEST(EnrolReach, WhatNobodyWaitsForCounts) {
    TestServer one;
    for (uint32_t i = 0; i < renewals_per_day; i++) {
        EXPECT_TRUE(renewals_may(one.server.service.renewals, test_name("kiosk"),
                                 one.server.wall_us / 1000));
        const uint32_t index = one.connect("chief");
        EXPECT_EQ(one.say(index, "RENEW x\r\n"), "");
        Wish wish;
        ASSERT_TRUE(server_wish_take(one.server, wish));
        ASSERT_EQ(wish.kind, WishKind::enrol);
        server_peer_closed(one.server, index, "the peer reset the connection");
        wish.enrol->is_issued = true;  // What enrol_run leaves behind when it has signed.
        wish.enrol->is_spent = true;
        wish.outcome = Status::ok;
        server_wish_done(one.server, wish);
        one.close(index);
    }
    EXPECT_FALSE(renewals_may(one.server.service.renewals, test_name("kiosk"),
                              one.server.wall_us / 1000));
}

// --- Files -----------------------------------------------------------------------------------

namespace {

struct TestFolder {
    TestFolder() {
        const bool has_memory = access("/dev/shm", W_OK) == 0;
        const fs::path where = has_memory ? "/dev/shm" : fs::temp_directory_path().string();
        std::string pattern = (where / "penny-enrol-XXXXXX").string();
        folder = mkdtemp(pattern.data());
        dir_fd = test_calls.open(AT_FDCWD, folder.c_str(), O_RDONLY | O_DIRECTORY, 0);
        test_faults_begin({});
    }
    ~TestFolder() {
        test_faults_begin({});
        close(dir_fd);
        fs::remove_all(folder);
    }
    std::string read(const char* name) const {
        std::ifstream file(folder / name);
        return std::string(std::istreambuf_iterator<char>(file), {});
    }
    fs::path folder;
    int dir_fd;
};

}  // namespace

TEST(EnrolFiles, AreWholeOrNotThereWhicheverCallFails) {
    const EnrolBase base = enrol_base_of_renewal(test_name("till"));
    const std::string before = "before\n";
    const std::string after(3000, 'x');
    for (uint64_t call = 0;; call++) {
        TestFolder place;
        ASSERT_EQ(enrol_files_make_folder(test_calls, place.dir_fd), Status::ok);
        ASSERT_EQ(enrol_files_write(test_calls, place.dir_fd, base, ".csr", slice_of(before),
                                    nullptr), Status::ok);
        test_faults_begin({.fail_at = call, .code = ENOSPC});
        const Status status = enrol_files_write(test_calls, place.dir_fd, base, ".csr",
                                                slice_of(after), nullptr);
        const bool was_reached = test_faults_calls() > call;
        test_faults_begin({});
        const std::string found = place.read("enrol/renew-till.csr");
        EXPECT_TRUE(found == before || found == after);
        if (!was_reached) {
            EXPECT_EQ(status, Status::ok);
            EXPECT_EQ(found, after);
            EXPECT_GT(call, 4u);
            break;
        }
        EXPECT_NE(status, Status::ok) << call;
    }
}

TEST(EnrolFiles, ATornLineOfTheRegisterIsTakenAwayBeforeTheNextOne) {
    const std::string line = "4f0c 2026-12-01T14:00:00Z 2029-03-05T15:00:00Z client ca till-1\n";
    for (size_t size = 0; size <= line.size(); size++) {
        TestFolder place;
        std::ofstream(place.folder / "issued") << line << line.substr(0, size);
        ASSERT_EQ(enrol_files_register(test_calls, place.dir_fd, slice_of(line)), Status::ok);
        EXPECT_EQ(place.read("issued"), size == line.size() ? line + line + line : line + line);
    }
    TestFolder place;
    ASSERT_EQ(enrol_files_register(test_calls, place.dir_fd, slice_of(line)), Status::ok);
    EXPECT_EQ(place.read("issued"), line);
}

TEST(EnrolFiles, ARegisterThatFailsIsToldOf) {
    const std::string line = "4f0c 2026-12-01T14:00:00Z 2029-03-05T15:00:00Z client ca till-1\n";
    for (uint64_t call = 0;; call++) {
        TestFolder place;
        std::ofstream(place.folder / "issued") << line << "torn";
        test_faults_begin({.fail_at = call, .code = EIO});
        const Status status = enrol_files_register(test_calls, place.dir_fd, slice_of(line));
        const bool was_reached = test_faults_calls() > call;
        test_faults_begin({});
        if (!was_reached) {
            EXPECT_EQ(status, Status::ok);
            break;
        }
        EXPECT_NE(status, Status::ok) << call;
        EXPECT_EQ(enrol_files_register(test_calls, place.dir_fd, slice_of(line)), Status::ok);
        const std::string found = place.read("issued");
        EXPECT_TRUE(found == line + line || found == line + line + line) << found;
    }
}

TEST(Chain, LeadsToTheAuthorityThatIsKnown) {
    Job job(EnrolUse::sign, request_of(make_key(), "till"));
    ASSERT_EQ(job.run(authorities().issuer()), Status::ok);
    const std::string chain = text_of(job.job.answer);
    const char* reason = nullptr;
    crypto_clock_set(now_ms);
    EXPECT_EQ(chain_verify(slice_of(chain), slice_of(authorities().ca), reason), Status::ok);
    Slice leaf = {};
    ASSERT_EQ(certificate_first(slice_of(chain), leaf), Status::ok);
    EXPECT_EQ(chain_verify(leaf, slice_of(authorities().ca), reason), Status::invalid);
    EXPECT_STREQ(reason, "it is not signed by our CA");
    const Authorities other;
    EXPECT_EQ(chain_verify(slice_of(chain), slice_of(other.ca), reason), Status::invalid);
    crypto_clock_set(now_ms + 31ull * 86'400'000);
    EXPECT_EQ(chain_verify(slice_of(chain), slice_of(authorities().ca), reason), Status::invalid);
    EXPECT_STREQ(reason, "it has expired");
    EXPECT_EQ(chain_verify(slice_of("x"), slice_of(other.ca), reason), Status::invalid);
    crypto_clock_set(now_ms);
}

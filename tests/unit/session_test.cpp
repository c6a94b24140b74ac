// One session over a channel that ciphers nothing: order, waiting, and ends.

#include "session.h"

#include <string>

#include "unit/test_channel.h"

namespace {

// A session that is logged in as alice, with the rooms behind it.
struct TestSession {
    TestSession() {
        test_create(book.book);
        EXPECT_EQ(test_add(book.book, "alice"), Status::ok);
        EXPECT_EQ(test_add(book.book, "bob"), Status::ok);
        EXPECT_EQ(test_move(book.book, {.operation = Operation::deposit,
                                        .debit = "cash",
                                        .credit = "alice",
                                        .amount = 1000,
                                        .id = "opening"}),
                  Status::ok);
        test_commit(book.book);
        access.budgets = refusals;
        access.people_max = 8;
        access.pin_tries = tries;
        access.terminals = rights;
        access.terminals_max = 1;
        access_init(access, {.registration = AccessRegistration::open,
                             .self_service = true,
                             .refused_per_minute = 60,
                             .register_per_day = 20,
                             .pin_above = pin_never});
        service.book = &book.book;
        service.access = &access;
        service.expiry = &expiry;
        session.buffers = UINT32_MAX;
        session_lend(session, 0, buffers);
        session.phase = SessionPhase::ready;
        session.deadline_ms = 1'000'000;
        session.channel.type = &test_plain_channel;
        session.caller.protocol = 2;
        session.caller.person = ledger_find_person(book.book.ledger, test_name("alice"));
        session.caller.version = 1;
        session.tag = {7, 1};
        tools.service = &service;
        tools.now_ms = 1000;
        tools.wall_us = 1'000'000;
        tools.login_ms = 1000;
        tools.idle_ms = 1000;
    }
    SessionNeed feed(const std::string& text) {
        put_bytes(session.cipher_in, slice_of(text));
        return session_step(session, tools);
    }
    // What would be sent now; it is taken.
    std::string sent() {
        const Slice out = writer_slice(session.cipher_out);
        const std::string text(reinterpret_cast<const char*>(out.data), out.size);
        writer_drop(session.cipher_out, out.size);
        return text;
    }
    void commit() {
        for (const BookDone& done : test_commit(book.book)) session_committed(session, tools, done);
        session.wants_commit = false;
        if (session.block == SessionBlock::commit) session.block = SessionBlock::none;
        session_step(session, tools);
    }
    TestBook book;
    MinuteBudget refusals[8] = {};
    uint8_t tries[8] = {};
    TerminalRights rights[1] = {};
    Expiry expiry = {};
    Access access = {};
    Service service = {};
    SessionBuffers buffers;
    Session session = {};
    SessionTools tools = {};
};

// --- Channels whose records take a worker --------------------------------------------------------

constexpr ChannelType slow_channel = {.name = "slow",
                                      .lab = false,
                                      .slow = true,
                                      .advance = test_plain_advance,
                                      .read = test_plain_read,
                                      .write = test_plain_write,
                                      .close = test_plain_close,
                                      .is_idle = test_plain_is_idle,
                                      .free = test_plain_free};

Status fail_read(Channel& channel, Reader&, Writer&) {
    channel.reason = "it was altered";
    return Status::failed;
}

constexpr ChannelType failing_channel = {.name = "failing",
                                         .lab = false,
                                         .slow = true,
                                         .advance = test_plain_advance,
                                         .read = fail_read,
                                         .write = test_plain_write,
                                         .close = test_plain_close,
                                         .is_idle = test_plain_is_idle,
                                         .free = test_plain_free};

// What the server does with SessionNeed::channel, and the step behind it.
SessionNeed work(TestSession& one) {
    one.session.lent = true;
    EXPECT_EQ(session_step(one.session, one.tools), SessionNeed::none);  // N4
    const Status status = session_channel_run(one.session);
    one.session.lent = false;
    session_channel_done(one.session, one.tools, status);
    return session_step(one.session, one.tools);
}

TEST(Session, HasSlowRecordsOpenedAndSealedByWorkersOnly) {
    TestSession one;
    one.session.channel.type = &slow_channel;
    EXPECT_EQ(one.feed("PING\r\nPING again\r\n"), SessionNeed::channel);
    EXPECT_EQ(one.session.plain_in.size, 0u);
    EXPECT_EQ(work(one), SessionNeed::channel);  // The replies are there, and are not sealed.
    EXPECT_EQ(one.session.cipher_out.size, 0u);
    EXPECT_EQ(work(one), SessionNeed::none);
    EXPECT_EQ(one.sent(), "+PONG\r\n$5\r\nagain\r\n");
    EXPECT_TRUE(session_is_idle(one.session));
}

TEST(Session, LetsNoWorkerInWhileBytesAreBeingSent) {
    TestSession one;
    one.session.channel.type = &slow_channel;
    EXPECT_EQ(one.feed("PING\r\n"), SessionNeed::channel);
    EXPECT_EQ(work(one), SessionNeed::channel);
    EXPECT_EQ(work(one), SessionNeed::none);
    EXPECT_EQ(one.feed("PING\r\n"), SessionNeed::none);  // The port may hold what is in cipher_out.
    EXPECT_EQ(one.sent(), "+PONG\r\n");
    EXPECT_EQ(session_step(one.session, one.tools), SessionNeed::channel);
}

TEST(Session, AnswersQuitOnASlowChannelBeforeItEnds) {
    TestSession one;
    one.session.channel.type = &slow_channel;
    EXPECT_EQ(one.feed("QUIT\r\n"), SessionNeed::channel);
    EXPECT_EQ(work(one), SessionNeed::channel);
    EXPECT_EQ(one.session.phase, SessionPhase::ending);
    EXPECT_FALSE(session_is_over(one.session));
    EXPECT_EQ(work(one), SessionNeed::none);
    EXPECT_EQ(one.sent(), "+OK\r\n<closed>");
    EXPECT_TRUE(session_is_over(one.session));
}

TEST(Session, EndsWithTheReasonOfASlowRecordThatFails) {
    TestSession one;
    one.session.channel.type = &failing_channel;
    EXPECT_EQ(one.feed("PING\r\n"), SessionNeed::channel);
    EXPECT_EQ(work(one), SessionNeed::none);
    EXPECT_EQ(one.session.phase, SessionPhase::ending);
    EXPECT_STREQ(one.session.end_reason, "it was altered");
    EXPECT_EQ(one.sent(), "<closed>");
    EXPECT_TRUE(session_is_over(one.session));
}

TEST(Session, MayEndWhileAWorkerHasIt) {
    TestSession one;
    one.session.channel.type = &failing_channel;
    EXPECT_EQ(one.feed("PING\r\n"), SessionNeed::channel);
    put_text(one.session.plain_out, "+unsent\r\n");
    one.session.lent = true;
    const Status status = session_channel_run(one.session);
    session_end(one.session, "idle for too long");
    one.session.lent = false;
    session_channel_done(one.session, one.tools, status);
    EXPECT_EQ(session_step(one.session, one.tools), SessionNeed::none);
    EXPECT_STREQ(one.session.end_reason, "idle for too long");
    EXPECT_EQ(one.sent(), "<closed>");
    EXPECT_TRUE(session_is_over(one.session));
}

TEST(Session, AnswersWhatStandsUnopenedWhenThePeerHasClosed) {
    TestSession one;
    one.session.channel.type = &slow_channel;
    EXPECT_EQ(one.feed("PING\r\n"), SessionNeed::channel);
    EXPECT_EQ(work(one), SessionNeed::channel);
    EXPECT_EQ(work(one), SessionNeed::none);
    one.session.peer_closed = true;  // Half-closed: it still reads.
    EXPECT_EQ(one.feed("PING too\r\n"), SessionNeed::none);  // The first reply is not out yet.
    EXPECT_EQ(one.session.phase, SessionPhase::ready);
    EXPECT_EQ(one.sent(), "+PONG\r\n");
    EXPECT_EQ(session_step(one.session, one.tools), SessionNeed::channel);
    EXPECT_EQ(work(one), SessionNeed::channel);
    EXPECT_EQ(work(one), SessionNeed::none);
    EXPECT_EQ(one.sent(), "$3\r\ntoo\r\n<closed>");
    EXPECT_STREQ(one.session.end_reason, "the client closed");
}

TEST(Session, OfTheLaboratoryIsIdleOnlyWithoutRequests) {
    TestSession one;
    one.session.caller.lab = true;
    one.session.caller.person = row_none;
    one.tools.now_ms = 1'500;
    one.session.deadline_ms = 2'000;
    EXPECT_EQ(one.feed("PING\r\n"), SessionNeed::none);
    EXPECT_EQ(one.sent(), "+PONG\r\n");
    EXPECT_EQ(one.session.deadline_ms, 2'500u);
    EXPECT_EQ(one.session.phase, SessionPhase::ready);
}

TEST(Session, SealsNothingThatNobodyReads) {
    TestSession one;
    one.session.channel.type = &slow_channel;
    EXPECT_EQ(one.feed("PING\r\n"), SessionNeed::channel);
    EXPECT_EQ(work(one), SessionNeed::channel);
    one.session.peer_gone = true;
    session_end(one.session, "the peer is gone");
    EXPECT_EQ(session_step(one.session, one.tools), SessionNeed::none);
    EXPECT_TRUE(session_is_over(one.session));
}

}  // namespace

TEST(Session, AnswersInTheOrderOfRequestsAndReadsItsOwnWrites) {
    TestSession one;
    one.feed("TRANSFER a bob 1\r\nTRANSFER b bob 2\r\nBALANCE\r\nPING\r\n");
    EXPECT_EQ(one.sent(), "");
    EXPECT_EQ(one.session.pending, 2u);
    one.commit();
    const std::string said = one.sent();
    const size_t first = said.find("9.00");
    const size_t second = said.find("7.00");
    const size_t balance = said.rfind("7.00");
    const size_t pong = said.find("+PONG");
    EXPECT_LT(first, second);
    EXPECT_LT(second, balance);
    EXPECT_LT(balance, pong);
    EXPECT_NE(pong, std::string::npos);
    EXPECT_TRUE(session_is_idle(one.session));
}

TEST(Session, TakesNoMoreThanAPipelineOfMoney) {
    TestSession one;
    std::string many;
    for (uint32_t i = 0; i < 3 * pipeline_max; i++) {
        many += "TRANSFER m" + std::to_string(i) + " bob 0.01\r\n";
    }
    one.feed(many);
    EXPECT_EQ(one.session.pending, pipeline_max);
    uint32_t commits = 0;
    for (; one.session.pending > 0; commits++) {
        one.sent();
        one.commit();
    }
    EXPECT_EQ(commits, 3u);
    EXPECT_EQ(test_balance(one.book.book, "bob"), 3 * pipeline_max);
}

TEST(Session, AnswersNothingAtOnceWhileEarlierMoneyWaits) {
    TestSession one;
    one.feed("TRANSFER a bob 1\r\nTRANSFER b bob nonsense\r\nTRANSFER a bob 1\r\n");
    EXPECT_EQ(one.sent(), "");
    one.commit();
    const std::string said = one.sent();
    EXPECT_EQ(said.find("*4"), 0u);
    EXPECT_NE(said.find("-AMOUNT"), std::string::npos);
    EXPECT_GT(said.rfind("*4"), said.find("-AMOUNT"));
}

TEST(Session, SaysGoodbyeAfterTheRepliesThatAreOwed) {
    TestSession one;
    one.feed("TRANSFER a bob 1\r\nQUIT\r\n");
    EXPECT_NE(one.session.phase, SessionPhase::ending);
    one.commit();
    const std::string said = one.sent();
    EXPECT_LT(said.find("9.00"), said.find("+OK"));
    EXPECT_EQ(said.substr(said.size() - 8), "<closed>");
    EXPECT_TRUE(session_is_over(one.session));
}

TEST(Session, SendsNothingWhenThePeerIsGoneWhateverIsStillOwed) {
    TestSession one;
    one.feed("TRANSFER a bob 1\r\n");
    session_end(one.session, "idle for too long");
    one.session.peer_gone = true;
    EXPECT_FALSE(session_is_over(one.session)) << "a reply is still owed";
    one.commit();
    EXPECT_EQ(one.sent(), "");
    EXPECT_TRUE(session_is_over(one.session));
}

TEST(Session, TakesNoRequestWhoseReplyMightNotFit) {
    TestSession one;
    one.session.plain_out.size = plain_out_size - reply_size_max + 1;
    one.session.cipher_out.size = cipher_out_size;
    one.feed("PING\r\n");
    EXPECT_EQ(one.session.commands, 0u);
    EXPECT_GT(one.session.plain_in.size, 0u);
    one.session.plain_out.size = 0;
    one.session.cipher_out.size = 0;
    session_step(one.session, one.tools);
    EXPECT_EQ(one.session.commands, 1u);
    EXPECT_EQ(one.sent(), "+PONG\r\n");
}

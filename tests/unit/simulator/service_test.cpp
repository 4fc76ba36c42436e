// Faults, journal and control routes, without sockets.
#include "service.hpp"

#include "fake.hpp"

namespace tbs::simulator {
namespace {

using std::chrono::milliseconds;

class FakeNetwork final : public Network {
 public:
    void refuse(const Refusal& refusal) override { refusals.push_back(refusal); }
    void restore() override { ++restored; }
    std::vector<Refusal> refusals;
    int restored = 0;
};

class ServiceTest : public testing::Test {
 protected:
    explicit ServiceTest(std::size_t journal_limit = 1000)
        : service_(SwitchOptions(), journal_limit, 1, clock_) {
        service_.attach(network_);
        call("POST", "/ns-api/v2/domains",
             {{"domain", "acme"}, {"reseller", "north"}, {"synchronous", "yes"}});
    }

    // From arrival to the end, latency included.
    Exchange run(const Request& request) {
        Exchange exchange = service_.arrive(request);
        clock_.advance(exchange.decision.latency);
        service_.conclude(exchange, request);
        return exchange;
    }
    Response call(std::string method, std::string_view target, const Json& body = nullptr) {
        return run(request_to(std::move(method), target, body)).response;
    }
    void add_fault(const Json& rules) {
        const Response response = call("POST", "/_faults", rules);
        ASSERT_EQ(response.status, 200) << response.body;
    }
    Exchange make_site(const std::string& site) {
        return run(request_to("POST", "/ns-api/v2/domains/acme/sites", {{"site", site}}));
    }
    bool has_site(const std::string& site) {
        return json_of(call("GET", "/_state"))["sites"].contains(site + "@acme");
    }
    Json journal(const std::string& query = "") {
        return json_of(call("GET", "/_journal" + query));
    }

    FakeClock clock_;
    FakeNetwork network_;
    Service service_;
};

TEST_F(ServiceTest, StatusFaultAnswersInsteadOfTheSwitch) {
    add_fault({{{"path", "sites$"},
                {"method", "POST"},
                {"fault", "status"},
                {"status", 429},
                {"headers", {{"Retry-After", "2"}}},
                {"count", 1}}});
    EXPECT_EQ(call("GET", "/ns-api/v2/domains/acme/sites").status, 200);
    const Exchange throttled = make_site("a");
    EXPECT_EQ(throttled.response.status, 429);
    EXPECT_EQ(throttled.response.headers, (Headers{{"Retry-After", "2"}}));
    EXPECT_EQ(throttled.response.content_type, "application/json");
    EXPECT_FALSE(has_site("a"));
    EXPECT_EQ(make_site("a").response.status, 202);
    EXPECT_EQ(json_of(call("GET", "/_faults"))["rules"][0]["hits"], 1);
}

TEST_F(ServiceTest, StatusFaultMayLetTheWriteHappen) {
    add_fault({{{"fault", "status"}, {"status", 502}, {"body", "<h1>Bad</h1>"}, {"effect", true}}});
    const Exchange lost = make_site("a");
    EXPECT_EQ(lost.response.status, 502);
    EXPECT_EQ(lost.response.body, "<h1>Bad</h1>");
    EXPECT_EQ(lost.response.content_type, "text/plain");
    EXPECT_TRUE(has_site("a"));
    EXPECT_EQ(journal()[1]["effect"], true);
}

TEST_F(ServiceTest, LoginPageComesWithoutEffect) {
    add_fault({{"fault", "html"}});
    const Exchange page = make_site("a");
    EXPECT_EQ(page.response.status, 200);
    EXPECT_EQ(page.response.content_type, "text/html");
    EXPECT_FALSE(has_site("a"));
}

TEST_F(ServiceTest, ResetBeforeHasNoEffectResetAfterHas) {
    add_fault({{{"fault", "reset_before"}, {"count", 1}}, {{"fault", "reset_after"}}});
    EXPECT_EQ(make_site("a").decision.ending, Ending::reset);
    EXPECT_FALSE(has_site("a"));
    EXPECT_EQ(make_site("b").decision.ending, Ending::reset);
    EXPECT_TRUE(has_site("b"));
    const Json entries = journal();
    EXPECT_EQ(entries[1]["fault"], "reset_before");
    EXPECT_EQ(entries[1]["status"], nullptr);
    EXPECT_EQ(entries[1]["effect"], false);
    EXPECT_EQ(entries[2]["fault"], "reset_after");
    EXPECT_EQ(entries[2]["effect"], true);
}

TEST_F(ServiceTest, HungRequestStaysOpenInTheJournal) {
    add_fault({{"fault", "hang"}});
    const Request request = request_to("POST", "/ns-api/v2/domains/acme/sites", {{"site", "a"}});
    const Exchange hung = run(request);
    EXPECT_EQ(hung.decision.ending, Ending::hang);
    EXPECT_EQ(journal()[1]["completed_at"], nullptr);
    EXPECT_EQ(journal()[1]["completion"], nullptr);
    service_.abandon(hung);
    EXPECT_EQ(journal()[1]["completion"], 2);
    EXPECT_EQ(journal()[1]["fault"], "hang");
    EXPECT_FALSE(has_site("a"));
}

TEST_F(ServiceTest, LatencyGoesTogetherWithOtherFaults) {
    add_fault({{{"fault", "latency"}, {"milliseconds", 20}},
               {{"fault", "visibility"}, {"milliseconds", 300}},
               {{"fault", "latency"}, {"milliseconds", 5}, {"method", "PUT"}},
               {{"fault", "status"}, {"status", 503}, {"path", "users"}}});
    const Exchange slow = make_site("a");
    EXPECT_EQ(slow.decision.latency, milliseconds(20));
    EXPECT_EQ(slow.response.status, 202);
    EXPECT_TRUE(has_site("a"));
    EXPECT_EQ(call("GET", "/ns-api/v2/domains/acme/sites/a").status, 404);
    clock_.advance(milliseconds(300));
    EXPECT_EQ(call("GET", "/ns-api/v2/domains/acme/sites/a").status, 200);
    EXPECT_EQ(call("GET", "/ns-api/v2/domains/acme/users").status, 503);
    const Json entries = journal();
    EXPECT_EQ(entries[1]["fault"], "latency+visibility");
    EXPECT_EQ(entries[4]["fault"], "latency+visibility+status");
    const auto took = entries[1]["completed_at"].get<int>() - entries[1]["arrived_at"].get<int>();
    EXPECT_NEAR(took, 20000, 100);
}

TEST_F(ServiceTest, SlowWriteCanHappenLate) {
    add_fault({{"fault", "latency"}, {"milliseconds", 20}, {"effect", "after"}});
    const Request request = request_to("POST", "/ns-api/v2/domains/acme/sites", {{"site", "a"}});
    Exchange exchange = service_.arrive(request);
    EXPECT_FALSE(has_site("a"));
    service_.conclude(exchange, request);
    EXPECT_TRUE(has_site("a"));
    EXPECT_EQ(exchange.response.status, 202);
}

TEST_F(ServiceTest, ProbabilityIsKept) {
    add_fault({{"fault", "status"}, {"status", 500}, {"probability", 0.3}});
    int failed = 0;
    for (int i = 0; i < 2000; ++i) failed += call("POST", "/sink").status == 500 ? 1 : 0;
    EXPECT_GT(failed, 500);
    EXPECT_LT(failed, 700);
}

TEST_F(ServiceTest, WrongRulesAreRefusedAsAWhole) {
    const std::vector<Json> wrong = {
        {{"fault", "magic"}},
        {{"fault", "latency"}},
        {{"fault", "latency"}, {"milliseconds", -1}},
        {{"fault", "latency"}, {"milliseconds", 1}, {"effect", false}},
        {{"fault", "status"}},
        {{"fault", "status"}, {"status", 99}},
        {{"fault", "hang"}, {"path", "("}},
        {{"fault", "hang"}, {"probability", 2}},
        {{"fault", "hang"}, {"count", -1}},
        {{"fault", "hang"}, {"effect", "sometimes"}},
        {{"fault", "hang"}, {"cuont", 1}},
        {{"fault", "refuse"}, {"path", "x"}},
        7,
    };
    for (const Json& rule : wrong)
        EXPECT_EQ(call("POST", "/_faults", Json::array({{{"fault", "refuse"}}, rule})).status, 400)
            << rule;
    EXPECT_EQ(call("POST", "/_faults", "nonsense").status, 400);
    EXPECT_TRUE(network_.refusals.empty());
    EXPECT_TRUE(json_of(call("GET", "/_faults"))["rules"].empty());
}

TEST_F(ServiceTest, RefuseClosesTheDoorUntilFaultsAreDeleted) {
    add_fault({{{"fault", "refuse"}},
               {{"fault", "refuse"}, {"milliseconds", 50}, {"connections", "keep"}}});
    ASSERT_EQ(network_.refusals.size(), 1U);
    EXPECT_EQ(network_.refusals[0].duration, milliseconds(50));
    EXPECT_FALSE(network_.refusals[0].cut_connections);
    call("DELETE", "/_faults");
    EXPECT_EQ(network_.restored, 1);
    EXPECT_TRUE(json_of(call("GET", "/_faults"))["rules"].empty());
}

TEST_F(ServiceTest, JournalKeepsWhatWasAsked) {
    Request request = request_to("PUT", "/ns-api/v2/domains/acme?x=1", "no json");
    request.noted_headers = {{"x-request-id", "7"}};
    run(request);
    call("POST", "/sink", {{"a", 1}});
    const Json entries = journal();
    ASSERT_EQ(entries.size(), 3U);
    EXPECT_EQ(entries[0]["number"], 1);
    EXPECT_EQ(entries[0]["status"], 200);
    EXPECT_EQ(entries[0]["effect"], true);
    EXPECT_EQ(entries[0]["fault"], nullptr);
    EXPECT_EQ(entries[1]["method"], "PUT");
    EXPECT_EQ(entries[1]["path"], "/ns-api/v2/domains/acme");
    EXPECT_EQ(entries[1]["query"], "x=1");
    EXPECT_EQ(entries[1]["body"], "no json");
    EXPECT_EQ(entries[1]["status"], 400);
    EXPECT_EQ(entries[1]["effect"], false);
    EXPECT_EQ(entries[1]["headers"], (Json{{"x-request-id", "7"}}));
    EXPECT_EQ(entries[2]["body"], (Json{{"a", 1}}));
    EXPECT_EQ(journal("?after=2").size(), 1U);
    EXPECT_EQ(call("GET", "/_journal?after=x").status, 400);
    // Even when the clock stands still times tell the order.
    EXPECT_LT(entries[0]["completed_at"], entries[1]["arrived_at"]);

    call("DELETE", "/_journal");
    call("POST", "/sink");
    EXPECT_EQ(journal()[0]["number"], 4);
}

TEST_F(ServiceTest, CompletionTellsTheOrderOfAnswers) {
    const Request request = request_to("POST", "/sink");
    Exchange first = service_.arrive(request);
    Exchange second = service_.arrive(request);
    service_.conclude(second, request);
    service_.conclude(first, request);
    const Json entries = journal();
    EXPECT_EQ(entries[1]["completion"], 3);
    EXPECT_EQ(entries[2]["completion"], 2);
    EXPECT_LT(entries[2]["completed_at"], entries[1]["completed_at"]);
}

TEST_F(ServiceTest, AnswerAfterTheJournalWasEmptiedIsNoProblem) {
    const Request request = request_to("POST", "/sink");
    Exchange exchange = service_.arrive(request);
    call("DELETE", "/_journal");
    service_.conclude(exchange, request);
    EXPECT_TRUE(journal().empty());
}

TEST_F(ServiceTest, ResetStartsAnew) {
    add_fault({{"fault", "html"}});
    make_site("a");
    call("POST", "/_reset");
    EXPECT_TRUE(journal().empty());
    EXPECT_TRUE(json_of(call("GET", "/_faults"))["rules"].empty());
    EXPECT_TRUE(json_of(call("GET", "/_state"))["domains"].empty());
    EXPECT_EQ(network_.restored, 1);
}

TEST_F(ServiceTest, ReadyTellsSeedAndTime) {
    clock_.advance(milliseconds(3));
    const Json ready = json_of(call("GET", "/_ready"));
    EXPECT_EQ(ready["ready"], true);
    EXPECT_EQ(ready["seed"], 1);
    EXPECT_EQ(ready["started_at"], 1'700'000'000'000'000);
    EXPECT_EQ(ready["now"], 3000);
    EXPECT_EQ(call("GET", "/_nothing").status, 404);
}

class BoundedJournalTest : public ServiceTest {
 protected:
    BoundedJournalTest() : ServiceTest(2) {}
};

TEST_F(BoundedJournalTest, OldestEntriesGoFirst) {
    const Request request = request_to("POST", "/sink");
    Exchange pushed_out = service_.arrive(request);
    for (int i = 0; i < 3; ++i) call("POST", "/sink");
    service_.conclude(pushed_out, request);
    const Json entries = journal();
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0]["number"], 4);
    EXPECT_EQ(entries[1]["completion"], 4);
}

class NoJournalTest : public ServiceTest {
 protected:
    NoJournalTest() : ServiceTest(0) {}
};

TEST_F(NoJournalTest, NothingIsKept) {
    EXPECT_EQ(call("POST", "/sink").body, R"({"code":200})");
    EXPECT_TRUE(journal().empty());
}

}  // namespace
}  // namespace tbs::simulator

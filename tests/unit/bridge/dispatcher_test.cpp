#include "bridge/dispatcher.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "tests/unit/bridge/fixtures.hpp"
#include "tests/unit/bridge/http_server.hpp"

namespace tbs::bridge {
namespace {

using namespace std::chrono_literals;
using test::HttpServer;
using test::ServerRequest;
using test::ServerResponse;

ServerResponse ok(const ServerRequest& /*request*/) {
    return {};
}

ServerResponse slow(const ServerRequest& /*request*/) {
    ServerResponse response;
    response.delay = 300ms;
    return response;
}

class DispatcherTest : public test::LoopTest {
 protected:
    static ResourceConfiguration resource(const std::string& url, std::int32_t id = 1) {
        ResourceConfiguration configuration;
        configuration.id = id;
        configuration.name = "sink";
        configuration.base_url = url;
        configuration.connections = 4;
        configuration.timeout = 5s;
        return configuration;
    }

    void configure(ResourceConfiguration configuration) {
        std::vector<ResourceConfiguration> all;
        all.push_back(std::move(configuration));
        dispatcher_.configure(std::move(all));
    }

    static ClaimedCall claimed(std::int64_t id, std::string_view method = "POST",
                               std::string_view path = "/x", std::string_view body = "{}") {
        ClaimedCall call;
        call.activity_id = id;
        call.call_number = 1;
        call.network_resource_id = 1;
        call.method = method;
        call.path = path;
        call.headers = R"({"Content-Type":"application/json"})";
        call.body = body;
        call.has_body = true;
        return call;
    }

    void accept(std::vector<ClaimedCall> calls) { dispatcher_.accept(std::move(calls)); }

    // Runs until so many results are there, and takes them.
    std::vector<CallResult> results(std::size_t count) {
        run_until([&] {
            dispatcher_.pump();
            return reports_.size() >= count;
        });
        const auto batch = reports_.start_batch();
        std::vector<CallResult> taken{batch.begin(), batch.end()};
        reports_.confirmed();
        std::sort(taken.begin(), taken.end(), [](const CallResult& left, const CallResult& right) {
            return left.activity_id < right.activity_id;
        });
        return taken;
    }

    CallResult only_result() {
        const auto taken = results(1);
        EXPECT_EQ(taken.size(), 1U);
        return taken.empty() ? CallResult{} : taken.front();
    }

    ReportQueue reports_;
    HttpClient http_{reactor_, gate_};
    Dispatcher dispatcher_{clock_, http_, gate_, reports_};
};

TEST_F(DispatcherTest, MakesCallsWithinTheNumberOfConnections) {
    std::atomic<int> now_running = 0;
    std::atomic<int> most = 0;
    HttpServer server{[&](const ServerRequest&) {
        const int running = ++now_running;
        int seen = most;
        while (running > seen && !most.compare_exchange_weak(seen, running)) {
        }
        std::this_thread::sleep_for(5ms);
        --now_running;
        return ServerResponse{};
    }};
    configure(resource(server.url()));
    for (int i = 1; i <= 20; ++i) accept({claimed(i)});
    EXPECT_EQ(dispatcher_.size(), 20U);
    const auto taken = results(20);
    ASSERT_EQ(taken.size(), 20U);
    EXPECT_LE(most, 4);
    EXPECT_EQ(taken[0].http_status, 200);
    EXPECT_EQ(taken[0].answer, "{}");
    EXPECT_GT(taken[0].elapsed_microseconds, 0);
    EXPECT_EQ(dispatcher_.size(), 0U);
    EXPECT_EQ(dispatcher_.answered(), 20U);
}

TEST_F(DispatcherTest, TheTimeReachesFromHandOverToCompletion) {
    std::atomic<std::int64_t> arrived = 0;
    const auto microseconds = [](WallTime time) { return time.time_since_epoch().count(); };
    HttpServer server{[&](const ServerRequest&) {
        arrived = microseconds(clock_.wall_time());
        return ServerResponse{};
    }};
    configure(resource(server.url()));
    accept({claimed(1)});
    const std::int64_t before = microseconds(clock_.wall_time());
    dispatcher_.pump();
    // The loop is busy elsewhere: libcurl begins later than it was told to.
    std::this_thread::sleep_for(50ms);
    const CallResult result = only_result();
    const std::int64_t started = microseconds(result.started_at);
    EXPECT_GE(started, before);
    EXPECT_LE(started, arrived);
    EXPECT_GE(started + result.elapsed_microseconds, arrived);
}

TEST_F(DispatcherTest, PutsCredentialsAndSecretsIn) {
    HttpServer server{ok};
    ResourceConfiguration configuration = resource(server.url());
    configuration.authentication.header_name = "X-Api-Key";
    configuration.authentication.header_value = "k1";
    configure(std::move(configuration));
    ClaimedCall call = claimed(1, "POST", "/y", R"({"pin":"__TBS_SECRET_1_1__"})");
    call.headers = R"({"Content-Type":"application/json","x-api-key":"stolen","X-N":5})";
    call.secrets = R"({"__TBS_SECRET_1_1__":"a\"b"})";
    accept({call});
    EXPECT_EQ(only_result().http_status, 200);
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0].headers.at("x-api-key"), "k1");
    EXPECT_EQ(requests[0].headers.at("x-n"), "5");
    EXPECT_EQ(requests[0].body, R"({"pin":"a\"b"})");
}

TEST_F(DispatcherTest, MalformedCallsFailAlone) {
    HttpServer server{ok};
    configure(resource(server.url()));
    ClaimedCall bad_headers = claimed(4);
    bad_headers.headers = R"({"A":"x\r\nB: y"})";
    ClaimedCall bad_name = claimed(5);
    bad_name.headers = R"({"A B":"x"})";
    ClaimedCall bad_json = claimed(6);
    bad_json.headers = "[";
    ClaimedCall bad_secrets = claimed(7);
    bad_secrets.secrets = "[1]";
    accept({claimed(1, "get"), claimed(2, "GET", "@evil.example/"), claimed(3, "GET", "/a b"),
            bad_headers, bad_name, bad_json, bad_secrets, claimed(8)});
    const auto taken = results(8);
    ASSERT_EQ(taken.size(), 8U);
    for (std::size_t i = 0; i < 7; ++i) {
        EXPECT_EQ(taken[i].curl_result, CURLE_URL_MALFORMAT) << i;
        EXPECT_NE(taken[i].answer, "") << i;
    }
    EXPECT_EQ(taken[7].http_status, 200);
    EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(DispatcherTest, NothingGoesWithoutALease) {
    HttpServer server{ok};
    configure(resource(server.url()));
    gate_.open_for = 0;
    accept({claimed(1)});
    dispatcher_.pump();
    run_for(30ms);
    EXPECT_EQ(server.connections(), 0);
    EXPECT_EQ(dispatcher_.size(), 1U);
    gate_.open_for = 1'000'000;
    EXPECT_EQ(only_result().http_status, 200);
}

TEST_F(DispatcherTest, ALeaseThatEndsWhileConnectingHoldsTheCallBack) {
    HttpServer server{ok};
    configure(resource(server.url()));
    gate_.open_for = 1;  // when it is handed over, not when it would be sent
    accept({claimed(1)});
    dispatcher_.pump();
    run_until([&] { return gate_.asked == 2; });
    run_for(20ms);
    EXPECT_TRUE(server.requests().empty());
    EXPECT_EQ(dispatcher_.size(), 1U);
    gate_.open_for = 1'000'000;
    EXPECT_EQ(only_result().http_status, 200);
    EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(DispatcherTest, DroppedCallsAreNotSent) {
    HttpServer server{slow};
    ResourceConfiguration configuration = resource(server.url());
    configuration.connections = 1;
    configure(std::move(configuration));
    accept({claimed(1), claimed(2), claimed(3)});
    dispatcher_.pump();
    run_until([&] { return server.requests().size() == 1; });
    dispatcher_.drop(std::vector<std::int64_t>{1, 2, 99});
    const auto taken = results(2);
    ASSERT_EQ(taken.size(), 2U);
    EXPECT_EQ(taken[0].activity_id, 1);  // was under way
    EXPECT_EQ(taken[0].curl_result, CURLE_OPERATION_TIMEDOUT);
    EXPECT_EQ(taken[1].activity_id, 3);
    EXPECT_EQ(taken[1].http_status, 200);
    EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(DispatcherTest, StoppingGivesBackWhatWaits) {
    HttpServer server{slow};
    ResourceConfiguration configuration = resource(server.url());
    configuration.connections = 1;
    configure(std::move(configuration));
    accept({claimed(1), claimed(2)});
    dispatcher_.pump();
    run_until([&] { return server.requests().size() == 1; });
    dispatcher_.give_back_waiting();
    EXPECT_EQ(dispatcher_.size(), 1U);
    dispatcher_.abort_in_flight();
    EXPECT_EQ(dispatcher_.size(), 0U);
    const auto taken = results(2);
    EXPECT_EQ(taken[0].curl_result, CURLE_OPERATION_TIMEDOUT);
    EXPECT_EQ(taken[1].curl_result, kNotSent);
    EXPECT_EQ(taken[1].http_status, 0);
}

TEST_F(DispatcherTest, AReclaimedCallGoesOnce) {
    HttpServer server{ok};
    configure(resource(server.url()));
    accept({claimed(1)});
    dispatcher_.drop(std::vector<std::int64_t>{1});
    accept({claimed(1)});
    accept({claimed(1)});
    EXPECT_EQ(only_result().http_status, 200);
    run_for(20ms);
    EXPECT_EQ(server.requests().size(), 1U);
    EXPECT_EQ(dispatcher_.size(), 0U);
}

TEST_F(DispatcherTest, UnknownResourcesAreAskedForOnce) {
    HttpServer server{ok};
    accept({claimed(1), claimed(2)});
    EXPECT_TRUE(dispatcher_.configuration_wanted());
    configure(resource(server.url(), 1));
    EXPECT_FALSE(dispatcher_.configuration_wanted());
    EXPECT_EQ(results(2)[1].http_status, 200);
    ClaimedCall elsewhere = claimed(3);
    elsewhere.network_resource_id = 9;
    accept({elsewhere});
    configure(resource(server.url(), 1));
    EXPECT_EQ(only_result().curl_result, kNotSent);
}

TEST_F(DispatcherTest, CallsOfAResourceThatIsGoneAreGivenBack) {
    HttpServer server{slow};
    ResourceConfiguration configuration = resource(server.url());
    configuration.connections = 1;
    configure(std::move(configuration));
    accept({claimed(1), claimed(2)});
    dispatcher_.pump();
    dispatcher_.configure({});
    const auto taken = results(2);
    EXPECT_EQ(taken[0].http_status, 200);
    EXPECT_EQ(taken[1].curl_result, kNotSent);
}

TEST_F(DispatcherTest, UnresolvedSecretsAreReportedAsRefusedCredentials) {
    ResourceConfiguration configuration = resource("http://127.0.0.1:1");
    configuration.problem = "authentication: token: environment variable X is not set";
    configure(std::move(configuration));
    accept({claimed(1)});
    const CallResult result = only_result();
    EXPECT_EQ(result.http_status, 401);
    EXPECT_EQ(result.curl_result, 0);
    EXPECT_NE(result.answer.find("environment variable X"), std::string::npos);
}

// A token endpoint and an API that knows which tokens are good.
class OAuthDispatcherTest : public DispatcherTest {
 protected:
    ServerResponse answer(const ServerRequest& request) {
        ServerResponse response;
        if (request.target == "/token") {
            const bool refresh = request.body.find("refresh_token") != std::string::npos;
            ++(refresh ? refreshes_ : full_grants_);
            if (refresh ? refuse_refresh_.load() : refuse_full_.load()) {
                response.status = 400;
                response.body = R"({"error":"invalid_grant"})";
            } else if (empty_answer_) {
                response.body = "{}";
            } else {
                const int number = ++issued_;
                response.body = R"({"access_token":"t)" + std::to_string(number) +
                                R"(","expires_in":3600,"refresh_token":"r"})";
            }
            return response;
        }
        const std::string expected = "Bearer t" + std::to_string(good_);
        const bool good = good_ == 0 || request.headers.at("authorization") == expected;
        if (!good) response.status = 401;
        return response;
    }

    void start() {
        server_ = std::make_unique<HttpServer>(
            [this](const ServerRequest& request) { return answer(request); });
        ResourceConfiguration configuration = resource(server_->url());
        OAuthSettings settings;
        settings.token_url = server_->url() + "/token";
        settings.client_id = "id";
        settings.client_secret = "cs";
        configuration.authentication.oauth = settings;
        configure(std::move(configuration));
    }

    std::atomic<int> issued_ = 0;
    std::atomic<int> good_ = 0;  // 0: any
    std::atomic<int> refreshes_ = 0;
    std::atomic<int> full_grants_ = 0;
    std::atomic<bool> refuse_refresh_ = false;
    std::atomic<bool> refuse_full_ = false;
    std::atomic<bool> empty_answer_ = false;
    std::unique_ptr<HttpServer> server_;
};

TEST_F(OAuthDispatcherTest, FetchesOneTokenForAll) {
    start();
    for (int i = 1; i <= 10; ++i) accept({claimed(i)});
    for (const CallResult& result : results(10)) EXPECT_EQ(result.http_status, 200);
    EXPECT_EQ(full_grants_, 1);
    EXPECT_EQ(refreshes_, 0);
}

TEST_F(OAuthDispatcherTest, A401LeadsToOneRefreshAndOneRepeat) {
    good_ = 2;
    start();
    accept({claimed(1), claimed(2), claimed(3), claimed(4)});
    for (const CallResult& result : results(4)) EXPECT_EQ(result.http_status, 200);
    EXPECT_EQ(full_grants_, 1);
    EXPECT_EQ(refreshes_, 1);
}

TEST_F(OAuthDispatcherTest, ASecond401IsReported) {
    good_ = 99;
    start();
    accept({claimed(1)});
    EXPECT_EQ(only_result().http_status, 401);
    EXPECT_EQ(refreshes_, 1);
    EXPECT_EQ(server_->requests().size(), 4U);  // token, call, refresh, call
}

TEST_F(OAuthDispatcherTest, ARefusedRefreshFallsBackToTheFullGrant) {
    good_ = 2;
    refuse_refresh_ = true;
    start();
    accept({claimed(1)});
    EXPECT_EQ(only_result().http_status, 200);
    EXPECT_EQ(full_grants_, 2);
    EXPECT_EQ(refreshes_, 1);
}

TEST_F(OAuthDispatcherTest, WithoutATokenAllThatWaitIsReported) {
    empty_answer_ = true;
    start();
    accept({claimed(1), claimed(2)});
    for (const CallResult& result : results(2)) {
        EXPECT_EQ(result.http_status, 401);
        EXPECT_EQ(result.curl_result, 0);
        EXPECT_NE(result.answer.find("no access_token"), std::string::npos) << result.answer;
    }
    EXPECT_EQ(full_grants_, 1);
}

TEST_F(OAuthDispatcherTest, A401WhoseRefreshFailsIsReportedAsItWas) {
    good_ = 99;
    start();
    accept({claimed(1)});
    run_until([&] {
        dispatcher_.pump();
        return full_grants_ == 1;
    });
    refuse_refresh_ = true;
    refuse_full_ = true;
    const CallResult result = only_result();
    EXPECT_EQ(result.http_status, 401);
    EXPECT_EQ(result.answer, "{}");  // the resource's own
}

TEST_F(OAuthDispatcherTest, TheLeaseIsCheckedAfterTheTokenHasCome) {
    start();
    gate_.open_for = 1;  // the check before the token was asked for
    accept({claimed(1)});
    dispatcher_.pump();
    run_until([&] {
        dispatcher_.pump();
        return full_grants_ == 1;
    });
    run_for(50ms);
    dispatcher_.pump();
    run_for(20ms);
    EXPECT_EQ(server_->requests().size(), 1U);  // only the token
    EXPECT_EQ(dispatcher_.size(), 1U);
    gate_.open_for = 1'000'000;
    EXPECT_EQ(only_result().http_status, 200);
}

TEST_F(OAuthDispatcherTest, NewCredentialsForgetTheToken) {
    start();
    accept({claimed(1)});
    EXPECT_EQ(only_result().http_status, 200);
    ResourceConfiguration configuration = resource(server_->url());
    OAuthSettings settings;
    settings.token_url = server_->url() + "/token";
    settings.client_id = "other";
    settings.client_secret = "cs";
    configuration.authentication.oauth = settings;
    configure(std::move(configuration));
    accept({claimed(2)});
    EXPECT_EQ(only_result().http_status, 200);
    EXPECT_EQ(full_grants_, 2);
}

}  // namespace
}  // namespace tbs::bridge

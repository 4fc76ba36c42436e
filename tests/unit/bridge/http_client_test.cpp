#include "bridge/http_client.hpp"

#include <gtest/gtest.h>

#include <map>

#include "tests/unit/bridge/fixtures.hpp"
#include "tests/unit/bridge/http_server.hpp"

namespace tbs::bridge {
namespace {

using namespace std::chrono_literals;
using test::HttpServer;
using test::ServerRequest;
using test::ServerResponse;

class HttpClientTest : public test::LoopTest, public HttpObserver {
 public:
    void on_answer(std::uint64_t ticket, HttpAnswer answer) override {
        answers_[ticket] = std::move(answer);
    }

 protected:
    HttpClientTest() {
        HttpProfile profile;
        profile.connect_timeout = 2s;
        profile.maximum_answer_bytes = 1000;
        profile_ = std::make_shared<const HttpProfile>(profile);
    }

    std::uint64_t start(std::string method, const std::string& url,
                        std::optional<std::string_view> body = std::nullopt,
                        std::vector<std::string> headers = {},
                        std::chrono::milliseconds timeout = 5s) {
        HttpRequest request;
        request.method = std::move(method);
        request.url = url;
        request.headers = std::move(headers);
        request.has_body = body.has_value();
        request.body = body.value_or("");
        request.timeout = timeout;
        return client_.start(profile_, std::move(request), *this);
    }

    HttpAnswer call(std::string method, const std::string& url,
                    std::optional<std::string_view> body = std::nullopt,
                    std::vector<std::string> headers = {}, std::chrono::milliseconds timeout = 5s) {
        const std::uint64_t ticket =
            start(std::move(method), url, body, std::move(headers), timeout);
        run_until([&] { return answers_.contains(ticket); });
        return answers_[ticket];
    }

    std::shared_ptr<const HttpProfile> profile_;
    std::map<std::uint64_t, HttpAnswer> answers_;
    HttpClient client_{reactor_, gate_};
};

ServerResponse echo(const ServerRequest& request) {
    ServerResponse response;
    response.body = request.method + " " + request.target + " " + request.body;
    response.extra_headers = "X-Thing: a\r\nX-Thing: b\r\nSet-Cookie: session=secret\r\n";
    return response;
}

TEST_F(HttpClientTest, SendsMethodsWithAndWithoutBody) {
    HttpServer server{echo};
    const std::string url = server.url() + "/a?b=c";
    EXPECT_EQ(call("POST", url, R"({"x":1})").body, R"(POST /a?b=c {"x":1})");
    EXPECT_EQ(call("DELETE", url, "gone").body, "DELETE /a?b=c gone");
    EXPECT_EQ(call("GET", url).body, "GET /a?b=c ");
    EXPECT_EQ(call("PUT", url, "p").body, "PUT /a?b=c p");
    EXPECT_EQ(call("PATCH", url).body, "PATCH /a?b=c ");
    EXPECT_EQ(call("DELETE", url).body, "DELETE /a?b=c ");
    EXPECT_EQ(call("HEAD", url).body, "");
    EXPECT_EQ(call("GET", url).body, "GET /a?b=c ");
    const auto requests = server.requests();
    ASSERT_EQ(requests.size(), 8U);
    EXPECT_EQ(requests[0].headers.find("content-type"), requests[0].headers.end());
    EXPECT_EQ(requests[0].headers.find("expect"), requests[0].headers.end());
    EXPECT_EQ(requests[4].headers.at("content-length"), "0");
    EXPECT_EQ(requests[5].headers.find("content-length"), requests[5].headers.end());
    EXPECT_EQ(server.connections(), 1);  // kept alive
}

TEST_F(HttpClientTest, PassesHeadersBothWays) {
    HttpServer server{echo};
    const HttpAnswer answer = call("POST", server.url() + "/", "{}",
                                   {"Content-Type: application/json", "X-Empty;", "X-One: 1"});
    EXPECT_EQ(answer.http_status, 200);
    EXPECT_EQ(answer.curl_result, 0);
    EXPECT_TRUE(answer.sent);
    EXPECT_NE(answer.headers.find(R"("x-thing":"a, b")"), std::string::npos) << answer.headers;
    EXPECT_EQ(answer.headers.find("cookie"), std::string::npos);
    const auto requests = server.requests();
    EXPECT_EQ(requests[0].headers.at("content-type"), "application/json");
    EXPECT_EQ(requests[0].headers.at("x-empty"), "");
    EXPECT_EQ(requests[0].headers.at("x-one"), "1");
    EXPECT_TRUE(requests[0].headers.at("user-agent").starts_with("tbs-bridge/"));
}

TEST_F(HttpClientTest, SendsThePathAsItIs) {
    HttpServer server{echo};
    EXPECT_EQ(call("GET", server.url() + "/a/../b/%2e%2E/c").body, "GET /a/../b/%2e%2E/c ");
}

TEST_F(HttpClientTest, FollowsNoRedirect) {
    HttpServer server{[](const ServerRequest&) {
        ServerResponse response;
        response.status = 302;
        response.extra_headers = "Location: /elsewhere\r\n";
        return response;
    }};
    EXPECT_EQ(call("GET", server.url() + "/").http_status, 302);
    EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(HttpClientTest, RefusesOtherProtocols) {
    EXPECT_EQ(call("GET", "file:///etc/hostname").curl_result, CURLE_UNSUPPORTED_PROTOCOL);
    EXPECT_EQ(call("GET", "ftp://127.0.0.1/").curl_result, CURLE_UNSUPPORTED_PROTOCOL);
    EXPECT_NE(call("GET", "http://").curl_result, 0);
}

TEST_F(HttpClientTest, CapsTheAnswer) {
    HttpServer server{[](const ServerRequest&) {
        ServerResponse response;
        response.body.assign(5000, 'x');
        return response;
    }};
    const HttpAnswer answer = call("GET", server.url() + "/");
    EXPECT_EQ(answer.curl_result, CURLE_FILESIZE_EXCEEDED);
    EXPECT_EQ(answer.http_status, 200);
    EXPECT_EQ(answer.body.size(), 1000U);
}

TEST_F(HttpClientTest, TimesOut) {
    HttpServer server{[](const ServerRequest&) {
        ServerResponse response;
        response.delay = 400ms;
        return response;
    }};
    const HttpAnswer answer = call("POST", server.url() + "/", "x", {}, 100ms);
    EXPECT_EQ(answer.curl_result, CURLE_OPERATION_TIMEDOUT);
    EXPECT_EQ(answer.http_status, 0);
    EXPECT_TRUE(answer.sent);
}

TEST_F(HttpClientTest, RefusedConnectionIsNotSent) {
    std::string url;
    {
        HttpServer server{echo};
        url = server.url();
    }
    const HttpAnswer answer = call("POST", url + "/", "x");
    EXPECT_EQ(answer.curl_result, CURLE_COULDNT_CONNECT);
    EXPECT_FALSE(answer.sent);
    EXPECT_EQ(gate_.asked, 0);
}

TEST_F(HttpClientTest, ABrokenKeptConnectionIsNotUsedForASecondSendingOfAChange) {
    // The second request on a connection gets no answer; libcurl would send it again by itself.
    HttpServer server{[](const ServerRequest& request) {
        ServerResponse response;
        response.hang_up = request.number_on_connection == 2;
        return response;
    }};
    EXPECT_EQ(call("POST", server.url() + "/1", "x").http_status, 200);
    const HttpAnswer answer = call("POST", server.url() + "/2", "x");
    EXPECT_EQ(answer.curl_result, CURLE_GOT_NOTHING);
    EXPECT_TRUE(answer.sent);
    EXPECT_FALSE(answer.held_back);
    run_for(50ms);
    EXPECT_EQ(server.requests().size(), 2U);
    // Reads are sent again.
    EXPECT_EQ(call("GET", server.url() + "/3").http_status, 200);
    EXPECT_EQ(call("GET", server.url() + "/4").http_status, 200);
    EXPECT_EQ(server.requests().size(), 5U);
}

TEST_F(HttpClientTest, AsksTheGateAfterConnecting) {
    HttpServer server{echo};
    gate_.open_for = 0;
    const HttpAnswer answer = call("POST", server.url() + "/", "x");
    EXPECT_TRUE(answer.held_back);
    EXPECT_FALSE(answer.sent);
    EXPECT_EQ(gate_.asked, 1);
    EXPECT_TRUE(server.requests().empty());
}

TEST_F(HttpClientTest, UnfencedRequestsDoNotAsk) {
    HttpServer server{echo};
    gate_.open_for = 0;
    HttpRequest request;
    request.method = "GET";
    request.url = server.url() + "/";
    request.fenced = false;
    const std::uint64_t ticket = client_.start(profile_, std::move(request), *this);
    run_until([&] { return answers_.contains(ticket); });
    EXPECT_EQ(answers_[ticket].http_status, 200);
}

TEST_F(HttpClientTest, CancelTellsWhetherItWasSent) {
    HttpServer server{[](const ServerRequest&) {
        ServerResponse response;
        response.delay = 300ms;
        return response;
    }};
    const std::uint64_t early = start("POST", server.url() + "/early", "x");
    EXPECT_FALSE(client_.cancel(early));
    const std::uint64_t late = start("POST", server.url() + "/late", "x");
    run_until([&] { return !server.requests().empty(); });
    EXPECT_TRUE(client_.cancel(late));
    EXPECT_FALSE(client_.cancel(late));
    run_for(20ms);
    EXPECT_TRUE(answers_.empty());
    EXPECT_EQ(client_.in_flight(), 0U);
}

TEST_F(HttpClientTest, ManyAtOnce) {
    HttpServer server{echo};
    for (int i = 0; i < 40; ++i) {
        static_cast<void>(start("POST", server.url() + "/" + std::to_string(i), "x"));
    }
    run_until([&] { return answers_.size() == 40; });
    for (const auto& [ticket, answer] : answers_) EXPECT_EQ(answer.http_status, 200);
}

TEST_F(HttpClientTest, DestroyedWithRequestsUnderWay) {
    HttpServer server{[](const ServerRequest&) {
        ServerResponse response;
        response.delay = 100ms;
        return response;
    }};
    {
        HttpClient client{reactor_, gate_};
        HttpRequest request;
        request.method = "GET";
        request.url = server.url() + "/";
        static_cast<void>(client.start(profile_, std::move(request), *this));
        run_until([&] { return server.connections() == 1; });
    }
    run_for(10ms);
    EXPECT_TRUE(answers_.empty());
}

TEST_F(HttpClientTest, RetiredProfilesKeepNoHandles) {
    HttpServer server{echo};
    const std::uint64_t ticket = start("GET", server.url() + "/");
    client_.retire(profile_.get());
    run_until([&] { return answers_.contains(ticket); });
    EXPECT_EQ(profile_.use_count(), 1);
    EXPECT_EQ(call("GET", server.url() + "/").http_status, 200);
    EXPECT_EQ(profile_.use_count(), 2);  // one handle waits for the next request
}

}  // namespace
}  // namespace tbs::bridge

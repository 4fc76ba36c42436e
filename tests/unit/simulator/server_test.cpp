// What only real sockets show.
#include "server.hpp"

#include <gtest/gtest.h>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <thread>

namespace tbs::simulator {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using std::chrono::milliseconds;

constexpr const char* kAddress = "127.0.0.1";
constexpr milliseconds kIdleTimeout{150};

// A blocking client with one connection.
class Client {
 public:
    explicit Client(std::uint16_t port) {
        socket_.connect({asio::ip::make_address(kAddress), port}, problem_);
    }

    // The status; 0 when the connection broke instead: problem() tells how.
    unsigned call(http::verb method, const std::string& target, const std::string& body = "") {
        return send(method, target, body) ? receive() : 0;
    }
    bool send(http::verb method, const std::string& target, const std::string& body = "") {
        http::request<http::string_body> request{method, target, 11};
        request.set(http::field::host, kAddress);
        request.body() = body;
        request.prepare_payload();
        http::write(socket_, request, problem_);
        return !problem_;
    }
    unsigned receive() {
        response_ = {};
        http::read(socket_, buffer_, response_, problem_);
        return problem_ ? 0 : response_.result_int();
    }
    bool answer_waits() {
        error_code ignored;
        return socket_.available(ignored) > 0;
    }
    const error_code& problem() const { return problem_; }
    const http::response<http::string_body>& response() const { return response_; }

 private:
    asio::io_context loop_;
    asio::ip::tcp::socket socket_{loop_};
    boost::beast::flat_buffer buffer_;
    http::response<http::string_body> response_;
    error_code problem_;
};

class ServerTest : public testing::Test {
 public:
    ~ServerTest() override {
        server_.stop();
        thread_.join();
    }

 protected:
    explicit ServerTest(milliseconds idle_timeout = milliseconds(0))
        : server_(service_, kAddress, 0, 0, idle_timeout), thread_([this] { server_.run(); }) {}
    ServerTest(const ServerTest&) = delete;
    ServerTest& operator=(const ServerTest&) = delete;
    ServerTest(ServerTest&&) = delete;
    ServerTest& operator=(ServerTest&&) = delete;

    void control(http::verb method, const std::string& target, const std::string& body = "") {
        Client client(server_.control_port());
        ASSERT_EQ(client.call(method, target, body), 200U) << client.response().body();
    }
    std::string state() {
        Client client(server_.control_port());
        client.call(http::verb::get, "/_state");
        return client.response().body();
    }

    static constexpr const char* kDomains = "/ns-api/v2/domains";
    static constexpr const char* kDomain = R"({"domain":"acme","reseller":"north"})";

    SystemClock clock_;
    Service service_{SwitchOptions(), 1000, 1, clock_};
    Server server_;
    std::thread thread_;
};

TEST_F(ServerTest, ConnectionIsKeptForTheNextRequest) {
    Client client(server_.port());
    EXPECT_EQ(client.call(http::verb::post, kDomains, kDomain), 202U);
    EXPECT_EQ(client.response()[http::field::content_type], "application/json");
    EXPECT_EQ(client.call(http::verb::get, "/ns-api/v2/domains/acme"), 200U);
    EXPECT_EQ(client.call(http::verb::delete_, "/ns-api/v2/domains/acme", "{}"), 202U);
    EXPECT_EQ(client.call(http::verb::get, "/ns-api/v2/domains/acme"), 404U);
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
    Client client(server_.port());
    client.send(http::verb::post, kDomains, kDomain);
    client.send(http::verb::get, "/ns-api/v2/domains/acme");
    client.send(http::verb::get, "/nothing");
    EXPECT_EQ(client.receive(), 202U);
    EXPECT_EQ(client.receive(), 200U);
    EXPECT_EQ(client.receive(), 404U);
}

TEST_F(ServerTest, ResetIsARealReset) {
    control(http::verb::post, "/_faults",
            R"([{"fault":"reset_before","count":1},{"fault":"reset_after","count":1}])");
    Client before(server_.port());
    EXPECT_EQ(before.call(http::verb::post, kDomains, kDomain), 0U);
    EXPECT_EQ(before.problem(), asio::error::connection_reset);
    EXPECT_EQ(state().find("acme"), std::string::npos);
    Client after(server_.port());
    EXPECT_EQ(after.call(http::verb::post, kDomains, kDomain), 0U);
    EXPECT_EQ(after.problem(), asio::error::connection_reset);
    EXPECT_NE(state().find("acme"), std::string::npos);
}

TEST_F(ServerTest, HungRequestIsReleasedWithTheFaults) {
    control(http::verb::post, "/_faults", R"([{"fault":"hang"}])");
    Client client(server_.port());
    ASSERT_TRUE(client.send(http::verb::post, kDomains, kDomain));
    std::this_thread::sleep_for(milliseconds(50));
    EXPECT_FALSE(client.answer_waits());
    control(http::verb::delete_, "/_faults");
    EXPECT_EQ(client.receive(), 0U);
    EXPECT_EQ(client.problem(), http::error::end_of_stream);
    EXPECT_EQ(state().find("acme"), std::string::npos);
}

TEST_F(ServerTest, ClientThatGivesUpOnAHungRequestIsNoticed) {
    control(http::verb::post, "/_faults", R"([{"fault":"hang"}])");
    {
        Client client(server_.port());
        ASSERT_TRUE(client.send(http::verb::post, kDomains, kDomain));
        std::this_thread::sleep_for(milliseconds(20));
    }
    Client observer(server_.control_port());
    for (int i = 0; i < 200; ++i) {
        observer.call(http::verb::get, "/_journal");
        if (observer.response().body().find(R"("completion":1)") != std::string::npos) return;
        std::this_thread::sleep_for(milliseconds(10));
    }
    FAIL() << observer.response().body();
}

TEST_F(ServerTest, LatencyDelaysTheAnswer) {
    control(http::verb::post, "/_faults", R"([{"fault":"latency","milliseconds":60}])");
    Client client(server_.port());
    const auto start = std::chrono::steady_clock::now();
    EXPECT_EQ(client.call(http::verb::post, kDomains, kDomain), 202U);
    EXPECT_GE(std::chrono::steady_clock::now() - start, milliseconds(60));
}

TEST_F(ServerTest, RefusedConnectionsComeBackOnTheSamePort) {
    Client old(server_.port());
    ASSERT_EQ(old.call(http::verb::get, "/ns-api/v2/version"), 200U);
    const std::uint16_t port = server_.port();
    control(http::verb::post, "/_faults", R"([{"fault":"refuse"}])");
    EXPECT_EQ(Client(port).problem(), asio::error::connection_refused);
    EXPECT_EQ(old.call(http::verb::get, "/ns-api/v2/version"), 0U);
    control(http::verb::delete_, "/_faults");
    EXPECT_EQ(Client(port).call(http::verb::get, "/ns-api/v2/version"), 200U);
}

TEST_F(ServerTest, RefusalEndsByItself) {
    const std::uint16_t port = server_.port();
    Client kept(port);
    ASSERT_EQ(kept.call(http::verb::get, "/ns-api/v2/version"), 200U);
    control(http::verb::post, "/_faults",
            R"([{"fault":"refuse","milliseconds":400,"connections":"keep"}])");
    EXPECT_EQ(Client(port).problem(), asio::error::connection_refused);
    EXPECT_EQ(kept.call(http::verb::get, "/ns-api/v2/version"), 200U);
    for (int i = 0; i < 200; ++i) {
        if (Client(port).call(http::verb::get, "/ns-api/v2/version") == 200) return;
        std::this_thread::sleep_for(milliseconds(10));
    }
    FAIL() << "still refused";
}

class IdleServerTest : public ServerTest {
 protected:
    IdleServerTest() : ServerTest(kIdleTimeout) {}
};

TEST_F(IdleServerTest, IdleConnectionIsReset) {
    Client client(server_.port());
    EXPECT_EQ(client.call(http::verb::get, "/ns-api/v2/version"), 200U);
    EXPECT_EQ(client.receive(), 0U);
    EXPECT_EQ(client.problem(), asio::error::connection_reset);
}

}  // namespace
}  // namespace tbs::simulator

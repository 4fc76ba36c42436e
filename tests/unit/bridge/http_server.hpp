// A small HTTP/1.1 server inside the test process: one thread for each connection, on a port of its
// own. A handler says what to answer, or to hang up.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace tbs::bridge::test {

struct ServerRequest {
    std::string method;
    std::string target;
    std::map<std::string, std::string, std::less<>> headers;  // lower-case names
    std::string body;
    int connection = 0;  // which connection it came on
    int number_on_connection = 0;
};

struct ServerResponse {
    int status = 200;
    std::string body = "{}";
    std::string extra_headers;  // whole lines
    std::chrono::milliseconds delay{0};
    bool hang_up = false;  // close without an answer
    bool close_after = false;
};

class HttpServer {
 public:
    using Handler = std::function<ServerResponse(const ServerRequest&)>;

    explicit HttpServer(Handler handler);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;
    HttpServer(HttpServer&&) = delete;
    HttpServer& operator=(HttpServer&&) = delete;

    [[nodiscard]] std::string url() const;
    [[nodiscard]] std::vector<ServerRequest> requests() const;
    [[nodiscard]] int connections() const;

 private:
    void accept_loop();
    void serve(int fd, int connection);

    Handler handler_;
    int listen_fd_ = -1;
    int port_ = 0;
    std::atomic<bool> stopping_{false};
    mutable std::mutex mutex_;
    std::vector<ServerRequest> requests_;
    std::vector<int> connections_;
    std::vector<std::thread> threads_;
    std::thread acceptor_;
};

}  // namespace tbs::bridge::test

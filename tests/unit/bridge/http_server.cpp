#include "tests/unit/bridge/http_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <stdexcept>

#include "bridge/text.hpp"

namespace tbs::bridge::test {

namespace {

// False when the connection ended.
bool read_more(int fd, std::string& buffer) {
    std::array<char, 16384> chunk{};
    const ssize_t count = recv(fd, chunk.data(), chunk.size(), 0);
    if (count <= 0) return false;
    buffer.append(chunk.data(), static_cast<std::size_t>(count));
    return true;
}

void send_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
        if (count <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
}

ServerRequest parse_head(std::string_view head) {
    ServerRequest request;
    const std::size_t first_end = head.find("\r\n");
    const std::string_view first = head.substr(0, first_end);
    const std::size_t space = first.find(' ');
    request.method = std::string{first.substr(0, space)};
    request.target = std::string{first.substr(space + 1, first.rfind(' ') - space - 1)};
    std::size_t at = first_end + 2;
    while (at < head.size()) {
        const std::size_t end = std::min(head.find("\r\n", at), head.size());
        const std::string_view line = head.substr(at, end - at);
        const std::size_t colon = line.find(':');
        request.headers[lower_case(line.substr(0, colon))] =
            std::string{trim(line.substr(colon + 1))};
        at = end + 2;
    }
    return request;
}

}  // namespace

HttpServer::HttpServer(Handler handler) : handler_{std::move(handler)} {
    listen_fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (listen_fd_ < 0 || bind(listen_fd_, generic, length) != 0 || listen(listen_fd_, 64) != 0 ||
        getsockname(listen_fd_, generic, &length) != 0) {
        throw std::runtime_error{"no listening socket"};
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread{[this] { accept_loop(); }};
}

HttpServer::~HttpServer() {
    stopping_ = true;
    shutdown(listen_fd_, SHUT_RDWR);
    acceptor_.join();
    {
        const std::lock_guard lock{mutex_};
        for (const int fd : connections_) shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    for (const int fd : connections_) close(fd);
    close(listen_fd_);
}

std::string HttpServer::url() const {
    return "http://127.0.0.1:" + std::to_string(port_);
}

std::vector<ServerRequest> HttpServer::requests() const {
    const std::lock_guard lock{mutex_};
    return requests_;
}

int HttpServer::connections() const {
    const std::lock_guard lock{mutex_};
    return static_cast<int>(connections_.size());
}

void HttpServer::accept_loop() {
    while (!stopping_) {
        const int fd = accept(listen_fd_, nullptr, nullptr);
        if (fd < 0) return;
        const std::lock_guard lock{mutex_};
        connections_.push_back(fd);
        const int connection = static_cast<int>(connections_.size());
        threads_.emplace_back([this, fd, connection] { serve(fd, connection); });
    }
}

void HttpServer::serve(int fd, int connection) {
    std::string buffer;
    for (int number = 1;; ++number) {
        std::size_t head_end = 0;
        while ((head_end = buffer.find("\r\n\r\n")) == std::string::npos) {
            if (!read_more(fd, buffer)) return;
        }
        ServerRequest request = parse_head(std::string_view{buffer}.substr(0, head_end));
        buffer.erase(0, head_end + 4);
        std::size_t length = 0;
        if (const auto found = request.headers.find("content-length");
            found != request.headers.end()) {
            length = std::stoul(found->second);
        }
        while (buffer.size() < length) {
            if (!read_more(fd, buffer)) return;
        }
        request.body = buffer.substr(0, length);
        buffer.erase(0, length);
        request.connection = connection;
        request.number_on_connection = number;
        const ServerResponse response = handler_(request);
        const std::string method = request.method;
        {
            const std::lock_guard lock{mutex_};
            requests_.push_back(std::move(request));
        }
        if (response.delay.count() > 0) std::this_thread::sleep_for(response.delay);
        if (response.hang_up) {
            shutdown(fd, SHUT_RDWR);
            return;
        }
        std::string text = "HTTP/1.1 " + std::to_string(response.status) + " Answer\r\n";
        text += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
        text += response.extra_headers + "\r\n";
        if (method != "HEAD") text += response.body;
        send_all(fd, text);
        if (response.close_after) {
            shutdown(fd, SHUT_RDWR);
            return;
        }
    }
}

}  // namespace tbs::bridge::test

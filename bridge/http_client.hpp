// HTTP requests by libcurl's multi interface on the reactor. Single-threaded; redirects are not
// followed, protocols are http and https. Handles and connections are used again.
//
// Ownership: the reactor and the gate outlive the client; the body of a request belongs to the
// caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "bridge/http_transfer.hpp"
#include "bridge/reactor.hpp"

namespace tbs::bridge {

class HttpClient final : public IoHandler {
 public:
    HttpClient(Reactor& reactor, const SendGate& gate);
    ~HttpClient() override;
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;
    HttpClient(HttpClient&&) = delete;
    HttpClient& operator=(HttpClient&&) = delete;

    // Always answered later through the observer, unless cancelled.
    [[nodiscard]] std::uint64_t start(const std::shared_ptr<const HttpProfile>& profile,
                                      HttpRequest request, HttpObserver& observer);
    // True when the request may have reached the wire.
    bool cancel(std::uint64_t ticket);

    // Idle connections worth keeping.
    void keep_connections(std::size_t count);
    // Handles of a profile that is no longer used are not kept.
    void retire(const HttpProfile* profile);

    [[nodiscard]] std::size_t in_flight() const { return transfers_.size(); }

    void on_io(int fd, std::uint32_t events) override;

 private:
    void make_multi();
    void act(curl_socket_t socket, int events);
    void collect();
    void fail_all();
    void deliver_refused();
    static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self,
                         void* socket_data) noexcept;
    static int on_timer(CURLM* multi, long milliseconds, void* self) noexcept;

    Reactor& reactor_;
    const SendGate& gate_;
    Timer timer_;
    Timer refused_timer_;
    std::uint64_t last_ticket_ = 0;
    long kept_connections_ = 16;
    std::unordered_map<const HttpProfile*, std::vector<std::unique_ptr<HttpTransfer>>> idle_;
    std::unordered_map<std::uint64_t, std::unique_ptr<HttpTransfer>> transfers_;
    std::vector<std::uint64_t> refused_;  // what libcurl did not take
    CurlMulti multi_;  // last: its cleanup still calls on_socket(), which uses the members above
};

}  // namespace tbs::bridge

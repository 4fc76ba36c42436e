// One HTTP request and its answer on a libcurl easy handle. The handle is used again for later
// requests to the same resource: what belongs to the resource is set once, what belongs to the
// request each time.
//
// Failure: nothing throws out of a callback; what goes wrong is in the answer's curl_result.
#pragma once

#include <curl/curl.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bridge/clock.hpp"
#include "bridge/resource.hpp"

namespace tbs::bridge {

// What all requests to one resource have in common. Immutable; a changed configuration is a new
// profile.
struct HttpProfile {
    TlsSettings tls;
    std::chrono::milliseconds connect_timeout{10000};
    std::size_t maximum_answer_bytes = 0;

    bool operator==(const HttpProfile&) const = default;
};

struct HttpRequest {
    std::string method;
    std::string url;
    std::vector<std::string> headers;  // "Name: value"
    std::string_view body;  // lives until the answer is delivered or the request cancelled
    bool has_body = false;
    std::chrono::milliseconds timeout{30000};
    bool fenced = true;  // sent only while the lease holds
};

struct HttpAnswer {
    int curl_result = 0;
    int http_status = 0;
    std::string headers;  // a JSON object
    std::string body;
    bool sent = false;       // the request may have reached the wire
    bool held_back = false;  // not sent because the lease did not hold
};

// Asked immediately before a request goes to the wire, after name lookup, connect and TLS.
class SendGate {
 public:
    SendGate() = default;
    virtual ~SendGate() = default;
    SendGate(const SendGate&) = delete;
    SendGate& operator=(const SendGate&) = delete;
    SendGate(SendGate&&) = delete;
    SendGate& operator=(SendGate&&) = delete;
    [[nodiscard]] virtual bool may_send() const = 0;
};

class HttpObserver {
 public:
    HttpObserver() = default;
    virtual ~HttpObserver() = default;
    HttpObserver(const HttpObserver&) = delete;
    HttpObserver& operator=(const HttpObserver&) = delete;
    HttpObserver(HttpObserver&&) = delete;
    HttpObserver& operator=(HttpObserver&&) = delete;
    // Never called from inside HttpClient::start() or cancel().
    virtual void on_answer(std::uint64_t ticket, HttpAnswer answer) = 0;
};

template <auto Function>
struct CurlDeleter {
    template <typename Type>
    void operator()(Type* pointer) const noexcept {
        Function(pointer);
    }
};
using CurlEasy = std::unique_ptr<CURL, CurlDeleter<curl_easy_cleanup>>;
using CurlMulti = std::unique_ptr<CURLM, CurlDeleter<curl_multi_cleanup>>;
using CurlHeaders = std::unique_ptr<curl_slist, CurlDeleter<curl_slist_free_all>>;

class HttpTransfer {
 public:
    HttpTransfer(std::shared_ptr<const HttpProfile> profile, const SendGate& gate);
    ~HttpTransfer() = default;
    HttpTransfer(const HttpTransfer&) = delete;
    HttpTransfer& operator=(const HttpTransfer&) = delete;
    HttpTransfer(HttpTransfer&&) = delete;
    HttpTransfer& operator=(HttpTransfer&&) = delete;

    // Makes the handle ready; false when libcurl refuses the request as such.
    [[nodiscard]] bool prepare(HttpRequest request, std::uint64_t ticket, HttpObserver& observer);
    [[nodiscard]] HttpAnswer finish(CURLcode result);

    [[nodiscard]] CURL* handle() const { return easy_.get(); }
    [[nodiscard]] std::uint64_t ticket() const { return ticket_; }
    [[nodiscard]] HttpObserver& observer() const { return *observer_; }
    [[nodiscard]] bool sent() const { return sent_; }
    [[nodiscard]] const std::shared_ptr<const HttpProfile>& profile() const { return profile_; }

 private:
    void set_up();
    static std::size_t on_body(char* data, std::size_t size, std::size_t count,
                               void* self) noexcept;
    static std::size_t on_header(char* data, std::size_t size, std::size_t count,
                                 void* self) noexcept;
    static int on_before_send(void* self, char* remote_address, char* local_address,
                              int remote_port, int local_port) noexcept;
    void add_header(std::string_view line);
    [[nodiscard]] std::string headers_json() const;

    std::shared_ptr<const HttpProfile> profile_;
    const SendGate& gate_;
    HttpRequest request_;
    std::uint64_t ticket_ = 0;
    HttpObserver* observer_ = nullptr;
    CurlHeaders header_list_;
    std::string body_;
    std::vector<std::pair<std::string, std::string>> headers_;
    std::size_t header_bytes_ = 0;
    bool sent_ = false;
    bool held_back_ = false;
    bool repeat_refused_ = false;
    bool too_large_ = false;
    std::array<char, CURL_ERROR_SIZE> error_{};
    CurlEasy easy_;  // last: it points to the members above
};

}  // namespace tbs::bridge

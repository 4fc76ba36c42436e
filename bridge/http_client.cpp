#include "bridge/http_client.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <new>

#include "bridge/log.hpp"

namespace tbs::bridge {

HttpClient::HttpClient(Reactor& reactor, const SendGate& gate)
    : reactor_{reactor},
      gate_{gate},
      timer_{reactor, [this] { act(CURL_SOCKET_TIMEOUT, 0); }},
      refused_timer_{reactor, [this] { deliver_refused(); }} {
    make_multi();
}

HttpClient::~HttpClient() {
    for (const auto& [ticket, transfer] : transfers_) {
        curl_multi_remove_handle(multi_.get(), transfer->handle());
    }
    transfers_.clear();
}

void HttpClient::make_multi() {
    multi_.reset(curl_multi_init());
    if (multi_ == nullptr) throw std::bad_alloc{};
    curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, &HttpClient::on_socket);
    curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &HttpClient::on_timer);
    curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, kept_connections_);
}

void HttpClient::keep_connections(std::size_t count) {
    kept_connections_ = static_cast<long>(std::clamp<std::size_t>(count, 16, 4096));
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, kept_connections_);
}

std::uint64_t HttpClient::start(const std::shared_ptr<const HttpProfile>& profile,
                                HttpRequest request, HttpObserver& observer) {
    const std::uint64_t ticket = ++last_ticket_;
    std::unique_ptr<HttpTransfer> transfer;
    auto& idle = idle_[profile.get()];
    if (idle.empty()) {
        transfer = std::make_unique<HttpTransfer>(profile, gate_);
    } else {
        transfer = std::move(idle.back());
        idle.pop_back();
    }
    HttpTransfer& started = *transfer;
    transfers_.emplace(ticket, std::move(transfer));
    if (!started.prepare(std::move(request), ticket, observer) ||
        curl_multi_add_handle(multi_.get(), started.handle()) != CURLM_OK) {
        refused_.push_back(ticket);
        refused_timer_.arm_after(Duration::zero());
    }
    return ticket;
}

bool HttpClient::cancel(std::uint64_t ticket) {
    const auto found = transfers_.find(ticket);
    if (found == transfers_.end()) return false;
    const bool sent = found->second->sent();
    curl_multi_remove_handle(multi_.get(), found->second->handle());
    transfers_.erase(found);
    return sent;
}

void HttpClient::retire(const HttpProfile* profile) {
    idle_.erase(profile);
}

void HttpClient::on_io(int fd, std::uint32_t events) {
    int mask = 0;
    if ((events & EPOLLIN) != 0U) mask |= CURL_CSELECT_IN;
    if ((events & EPOLLOUT) != 0U) mask |= CURL_CSELECT_OUT;
    if ((events & (EPOLLERR | EPOLLHUP)) != 0U) mask |= CURL_CSELECT_ERR;
    act(fd, mask);
}

void HttpClient::act(curl_socket_t socket, int events) {
    int running = 0;
    const CURLMcode code = curl_multi_socket_action(multi_.get(), socket, events, &running);
    if (code != CURLM_OK) {
        log::error("http_failed", {{"reason", curl_multi_strerror(code)}});
        fail_all();
        return;
    }
    collect();
}

void HttpClient::collect() {
    int left = 0;
    while (const CURLMsg* const message = curl_multi_info_read(multi_.get(), &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        // Removing the handle invalidates the message.
        CURL* const easy = message->easy_handle;
        const CURLcode result = message->data.result;
        curl_multi_remove_handle(multi_.get(), easy);
        void* pointer = nullptr;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &pointer);
        const std::uint64_t ticket = static_cast<HttpTransfer*>(pointer)->ticket();
        const auto found = transfers_.find(ticket);
        if (found == transfers_.end()) continue;
        std::unique_ptr<HttpTransfer> transfer = std::move(found->second);
        transfers_.erase(found);
        HttpAnswer answer = transfer->finish(result);
        HttpObserver& observer = transfer->observer();
        // A profile that was retired meanwhile has no list any more; its handle is not kept.
        const auto idle = idle_.find(transfer->profile().get());
        if (idle != idle_.end()) idle->second.push_back(std::move(transfer));
        transfer.reset();
        observer.on_answer(ticket, std::move(answer));
    }
}

// After an error of the multi handle nothing is known about any transfer: all of them end as "no
// answer", and a new handle takes over.
void HttpClient::fail_all() {
    auto transfers = std::move(transfers_);
    transfers_.clear();
    for (const auto& [ticket, transfer] : transfers) {
        curl_multi_remove_handle(multi_.get(), transfer->handle());
    }
    idle_.clear();
    timer_.disarm();
    make_multi();
    for (const auto& [ticket, transfer] : transfers) {
        transfer->observer().on_answer(ticket, transfer->finish(CURLE_RECV_ERROR));
    }
}

void HttpClient::deliver_refused() {
    const auto refused = std::exchange(refused_, {});
    for (const std::uint64_t ticket : refused) {
        const auto found = transfers_.find(ticket);
        if (found == transfers_.end()) continue;
        const std::unique_ptr<HttpTransfer> transfer = std::move(found->second);
        transfers_.erase(found);
        transfer->observer().on_answer(ticket, transfer->finish(CURLE_FAILED_INIT));
    }
}

// Called by libcurl (C): nothing may escape.
int HttpClient::on_socket(CURL* /*easy*/, curl_socket_t socket, int what, void* self,
                          void* /*socket_data*/) noexcept {
    auto& client = *static_cast<HttpClient*>(self);
    try {
        if (what == CURL_POLL_REMOVE) {
            client.reactor_.forget(socket);
            return 0;
        }
        std::uint32_t events = 0;
        if (what == CURL_POLL_IN || what == CURL_POLL_INOUT) events |= EPOLLIN;
        if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT) events |= EPOLLOUT;
        client.reactor_.watch(socket, events, client);
        return 0;
    } catch (...) {
        return -1;
    }
}

// Called by libcurl, must not call it: also "now" goes through the loop.
int HttpClient::on_timer(CURLM* /*multi*/, long milliseconds, void* self) noexcept {
    auto& client = *static_cast<HttpClient*>(self);
    try {
        if (milliseconds < 0) {
            client.timer_.disarm();
        } else {
            client.timer_.arm_after(std::chrono::milliseconds{milliseconds});
        }
        return 0;
    } catch (...) {
        return -1;
    }
}

}  // namespace tbs::bridge

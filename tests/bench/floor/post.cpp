// tbs-post: the same POST again and again with libcurl's multi interface on epoll, over connections
// that are kept, and nothing else: no database, no order, no log. What it sends in a second is the
// most that a bridge could.
#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace {

struct Options {
    std::string url;
    std::size_t requests = 10000;
    std::size_t connections = 64;
    std::size_t bytes = 250;
};

std::size_t ignore(char* /*data*/, std::size_t size, std::size_t count, void* /*self*/) {
    return size * count;
}

class Poster {
 public:
    explicit Poster(const Options& options)
        : options_(options),
          body_(R"({"padding":")" + std::string(options.bytes, 'x') + R"("})"),
          epoll_(epoll_create1(EPOLL_CLOEXEC)),
          headers_(curl_slist_append(curl_slist_append(nullptr, "Content-Type: application/json"),
                                     "Expect:"),
                   &curl_slist_free_all),
          multi_(curl_multi_init(), &curl_multi_cleanup) {
        if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll");
        curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, &Poster::on_socket);
        curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
        curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &Poster::on_timer);
        curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
        curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS,
                          static_cast<long>(options.connections));
    }
    Poster(const Poster&) = delete;
    Poster& operator=(const Poster&) = delete;
    Poster(Poster&&) = delete;
    Poster& operator=(Poster&&) = delete;
    ~Poster() {
        for (const Easy& easy : easies_) curl_multi_remove_handle(multi_.get(), easy.get());
        multi_.reset();
        close(epoll_);
    }

    // Returns when all have been answered.
    void run() {
        for (std::size_t i = 0; i < std::min(options_.connections, options_.requests); ++i) {
            easies_.emplace_back(make_easy());
            send(easies_.back().get());
        }
        std::array<epoll_event, 64> events{};
        while (answered_ < options_.requests) {
            const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                                         static_cast<int>(timeout_));
            if (count < 0 && errno != EINTR)
                throw std::system_error(errno, std::generic_category(), "epoll_wait");
            for (int i = 0; i < count; ++i) {
                const epoll_event& event = events.at(static_cast<std::size_t>(i));
                act(event.data.fd, ((event.events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                                       ((event.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0));
            }
            if (count == 0 || timeout_ == 0) {
                // Once; libcurl asks again.
                timeout_ = -1;
                act(CURL_SOCKET_TIMEOUT, 0);
            }
            collect();
        }
    }

 private:
    using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

    Easy make_easy() const {
        Easy easy(curl_easy_init(), &curl_easy_cleanup);
        curl_easy_setopt(easy.get(), CURLOPT_URL, options_.url.c_str());
        curl_easy_setopt(easy.get(), CURLOPT_HTTPHEADER, headers_.get());
        curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body_.size()));
        curl_easy_setopt(easy.get(), CURLOPT_POSTFIELDS, body_.data());
        curl_easy_setopt(easy.get(), CURLOPT_WRITEFUNCTION, &ignore);
        curl_easy_setopt(easy.get(), CURLOPT_NOSIGNAL, 1L);
        return easy;
    }

    void send(CURL* easy) {
        if (curl_multi_add_handle(multi_.get(), easy) != CURLM_OK)
            throw std::runtime_error("libcurl took no request");
        ++sent_;
    }

    void act(curl_socket_t socket, int what) {
        int running = 0;
        curl_multi_socket_action(multi_.get(), socket, what, &running);
    }

    // A handle that has its answer sends the next.
    void collect() {
        int left = 0;
        while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
            CURL* const easy = message->easy_handle;
            const CURLcode result = message->data.result;
            long status = 0;
            curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
            if (result != CURLE_OK || status != 200)
                throw std::runtime_error(std::string(curl_easy_strerror(result)) + ", status " +
                                         std::to_string(status));
            ++answered_;
            curl_multi_remove_handle(multi_.get(), easy);
            if (sent_ < options_.requests) send(easy);
        }
    }

    static int on_socket(CURL* /*easy*/, curl_socket_t socket, int what, void* self,
                         void* /*socket_data*/) {
        const int epoll = static_cast<Poster*>(self)->epoll_;
        epoll_event event{};
        event.data.fd = socket;
        event.events = ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) |
                       ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
        if (what == CURL_POLL_REMOVE)
            epoll_ctl(epoll, EPOLL_CTL_DEL, socket, nullptr);
        else if (epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event) != 0)
            epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
        return 0;
    }

    static int on_timer(CURLM* /*multi*/, long milliseconds, void* self) {
        static_cast<Poster*>(self)->timeout_ = milliseconds;
        return 0;
    }

    const Options& options_;
    std::string body_;
    int epoll_;
    long timeout_ = -1;
    std::size_t sent_ = 0;
    std::size_t answered_ = 0;
    std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers_;
    std::unique_ptr<CURLM, decltype(&curl_multi_cleanup)> multi_;
    std::vector<Easy> easies_;
};

}  // namespace

int main(int argument_count, char** arguments) {
    CLI::App app("The same POST again and again; prints how many a second.", "tbs-post");
    Options options;
    app.add_option("url", options.url, "Where to")->required();
    app.add_option("--requests", options.requests, "How many")->capture_default_str();
    app.add_option("--connections", options.connections, "So many at a time")
        ->check(CLI::PositiveNumber)
        ->capture_default_str();
    app.add_option("--bytes", options.bytes, "Size of the body, about")->capture_default_str();
    CLI11_PARSE(app, argument_count, arguments);
    try {
        Poster poster(options);
        const auto begin = std::chrono::steady_clock::now();
        poster.run();
        const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
        std::cout << static_cast<double>(options.requests) / taken.count() << '\n';
    } catch (const std::exception& problem) {
        std::cerr << "tbs-post: " << problem.what() << '\n';
        return 1;
    }
    return 0;
}

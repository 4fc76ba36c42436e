#include "server.hpp"

#include <boost/asio/signal_set.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <csignal>
#include <vector>

#include "target.hpp"

namespace tbs::simulator {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr std::uint64_t kBodyLimit = std::uint64_t{25} << 20;
constexpr std::size_t kHungReadLimit = std::size_t{1} << 20;
constexpr std::chrono::milliseconds kRetryPause{50};

std::string to_string(boost::beast::string_view text) {
    return {text.data(), text.size()};
}

Request to_request(http::request<http::string_body>& message) {
    Request request;
    const boost::beast::string_view method = message.method_string();
    request.method.assign(method.data(), method.size());
    const boost::beast::string_view whole = message.target();
    const Target target = split_target({whole.data(), whole.size()});
    request.path = target.path;
    request.query = target.query;
    request.body = std::move(message.body());
    for (const auto& field : message) {
        if (field.name() == http::field::authorization) {
            request.authorization = to_string(field.value());
            continue;
        }
        const boost::beast::string_view name = field.name_string();
        const bool extension =
            name.size() > 2 && (name[0] == 'x' || name[0] == 'X') && name[1] == '-';
        if (!extension && field.name() != http::field::content_type) continue;
        std::string lower = to_string(name);
        for (char& c : lower)
            if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        request.noted_headers.emplace_back(std::move(lower), to_string(field.value()));
    }
    return request;
}

}  // namespace

// One connection: reads a request, lets the service decide, answers, reads the next. Kept alive by
// its own pending operation.
class Session : public std::enable_shared_from_this<Session> {
 public:
    Session(Server& server, asio::ip::tcp::socket socket, bool control)
        : server_(server), socket_(std::move(socket)), timer_(server.loop_), control_(control) {
        server_.sessions_.insert(this);
    }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    Session(Session&&) = delete;
    Session& operator=(Session&&) = delete;
    ~Session() { server_.sessions_.erase(this); }

    bool control() const { return control_; }
    bool hung() const { return hung_; }

    void read() {
        parser_.emplace();
        parser_->body_limit(kBodyLimit);
        if (server_.idle_timeout_.count() > 0) watch_idleness();
        http::async_read(socket_, buffer_, *parser_,
                         [self = shared_from_this()](error_code problem, std::size_t) {
                             // Closed meanwhile, for this request too.
                             if (problem || !self->socket_.is_open())
                                 self->end();
                             else
                                 self->on_request();
                         });
    }

    // Gives the connection up, and with it a request that has no answer yet.
    void end() {
        if (waiting_) server_.service_.abandon(exchange_);
        waiting_ = false;
        hung_ = false;
        timer_.cancel();
        error_code ignored;
        socket_.shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
        socket_.close(ignored);
    }

 private:
    void on_request() {
        ++requests_;
        timer_.cancel();
        request_ = to_request(parser_->get());
        // A connection over which somebody steers is not cut by what he asks for.
        if (request_.path.starts_with("/_")) control_ = true;
        exchange_ = server_.service_.arrive(request_);
        waiting_ = true;
        if (exchange_.decision.latency == Microseconds(0)) {
            answer();
            return;
        }
        timer_.expires_after(exchange_.decision.latency);
        timer_.async_wait([self = shared_from_this()](error_code problem) {
            if (!problem && self->waiting_) self->answer();
        });
    }

    void answer() {
        server_.service_.conclude(exchange_, request_);
        switch (exchange_.decision.ending) {
            case Ending::answer:
                waiting_ = false;
                write();
                break;
            case Ending::reset:
                waiting_ = false;
                reset();
                break;
            case Ending::hang:
                hung_ = true;
                watch();
                break;
        }
    }

    void write() {
        Response& from = exchange_.response;
        response_ = {};
        response_.version(parser_->get().version());
        response_.result(static_cast<unsigned>(from.status));
        for (const auto& [name, value] : from.headers) response_.set(name, value);
        const bool bodiless = from.status == 204 || from.status == 304;
        if (!bodiless) {
            response_.set(http::field::content_type, from.content_type);
            response_.body() = std::move(from.body);
        }
        response_.keep_alive(parser_->get().keep_alive());
        response_.prepare_payload();
        http::async_write(socket_, response_,
                          [self = shared_from_this()](error_code problem, std::size_t) {
                              if (problem || self->response_.need_eof())
                                  self->end();
                              else
                                  self->read();
                          });
    }

    void reset() {
        error_code ignored;
        socket_.set_option(asio::socket_base::linger(true, 0), ignored);
        socket_.close(ignored);
    }

    // Sets the timer that on_request() takes back.
    void watch_idleness() {
        timer_.expires_after(server_.idle_timeout_);
        timer_.async_wait([self = shared_from_this(), requests = requests_](error_code problem) {
            if (!problem && requests == self->requests_) self->reset();
        });
    }

    // While hung nothing is answered, but the client's going away has to be seen.
    void watch() {
        socket_.async_read_some(buffer_.prepare(4096),
                                [self = shared_from_this()](error_code problem, std::size_t size) {
                                    self->buffer_.commit(size);
                                    if (problem || self->buffer_.size() > kHungReadLimit)
                                        self->end();
                                    else
                                        self->watch();
                                });
    }

    Server& server_;
    asio::ip::tcp::socket socket_;
    asio::steady_timer timer_;
    boost::beast::flat_buffer buffer_;
    std::optional<http::request_parser<http::string_body>> parser_;
    http::response<http::string_body> response_;
    Request request_;
    Exchange exchange_;
    std::uint64_t requests_ = 0;
    bool control_;
    bool waiting_ = false;  // the request has arrived, its answer is still to come
    bool hung_ = false;
};

Server::Server(Service& service, const std::string& address, std::uint16_t port,
               std::optional<std::uint16_t> control_port, std::chrono::milliseconds idle_timeout)
    : service_(service), idle_timeout_(idle_timeout) {
    main_.endpoint = {asio::ip::make_address(address), port};
    listen(main_);
    if (control_port) {
        control_.endpoint = {asio::ip::make_address(address), *control_port};
        control_.control = true;
        listen(control_);
    }
    service_.attach(*this);
}

Server::~Server() = default;

void Server::run() {
    asio::signal_set signals(loop_, SIGINT, SIGTERM);
    signals.async_wait([this](error_code problem, int) {
        if (!problem) loop_.stop();
    });
    loop_.run();
}

void Server::listen(Listener& listener) {
    listener.acceptor.open(listener.endpoint.protocol());
    listener.acceptor.set_option(asio::socket_base::reuse_address(true));
    listener.acceptor.bind(listener.endpoint);
    listener.acceptor.listen();
    listener.endpoint = listener.acceptor.local_endpoint();
    ++listener.generation;
    accept(listener);
}

void Server::accept(Listener& listener) {
    listener.acceptor.async_accept([this, &listener, generation = listener.generation](
                                       error_code problem, Tcp::socket socket) {
        if (!problem) {
            error_code ignored;
            socket.set_option(Tcp::no_delay(true), ignored);
            std::make_shared<Session>(*this, std::move(socket), listener.control)->read();
        }
        if (generation != listener.generation || !listener.acceptor.is_open()) return;
        if (!problem) {
            accept(listener);
            return;
        }
        // Out of descriptors, most likely: try again a little later instead of spinning.
        listener.retry.expires_after(kRetryPause);
        listener.retry.async_wait([this, &listener, generation](error_code cancelled) {
            if (!cancelled && generation == listener.generation && listener.acceptor.is_open())
                accept(listener);
        });
    });
}

void Server::refuse(const Refusal& refusal) {
    error_code ignored;
    main_.acceptor.close(ignored);
    refusal_.cancel();
    if (refusal.cut_connections) {
        std::vector<std::shared_ptr<Session>> cut;
        for (Session* session : sessions_)
            if (!session->control()) cut.push_back(session->shared_from_this());
        for (const auto& session : cut) session->end();
    }
    if (!refusal.duration) return;
    refusal_.expires_after(*refusal.duration);
    refusal_.async_wait([this](error_code cancelled) {
        if (!cancelled) listen_again();
    });
}

void Server::restore() {
    refusal_.cancel();
    std::vector<std::shared_ptr<Session>> hung;
    for (Session* session : sessions_)
        if (session->hung()) hung.push_back(session->shared_from_this());
    for (const auto& session : hung) session->end();
    listen_again();
}

// Somebody else may have taken the port meanwhile: then until it is free again.
void Server::listen_again() {
    if (main_.acceptor.is_open()) return;
    try {
        listen(main_);
    } catch (const boost::system::system_error&) {
        error_code ignored;
        main_.acceptor.close(ignored);
        refusal_.expires_after(kRetryPause);
        refusal_.async_wait([this](error_code cancelled) {
            if (!cancelled) listen_again();
        });
    }
}

}  // namespace tbs::simulator

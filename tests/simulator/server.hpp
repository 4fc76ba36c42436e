// The sockets: an HTTP/1.1 server with keep-alive on one thread. It owns the event loop and all
// connections.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "service.hpp"

namespace tbs::simulator {

class Session;

class Server final : public Network {
 public:
    // Listens at once; throws boost::system::system_error when it cannot. Port 0: any. With a
    // control port the same routes are also reachable there, also while the switch refuses
    // connections. The service must outlive this object.
    // A connection that is idle for idle_timeout is reset; 0: never.
    Server(Service& service, const std::string& address, std::uint16_t port,
           std::optional<std::uint16_t> control_port, std::chrono::milliseconds idle_timeout);
    ~Server() override;
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    Server(Server&&) = delete;
    Server& operator=(Server&&) = delete;

    std::uint16_t port() const { return main_.endpoint.port(); }
    std::uint16_t control_port() const { return control_.endpoint.port(); }

    // Until stop(), which may be called from any thread, or SIGINT or SIGTERM.
    void run();
    void stop() { loop_.stop(); }

    void refuse(const Refusal& refusal) override;
    void restore() override;

 private:
    friend class Session;
    using Tcp = boost::asio::ip::tcp;

    struct Listener {
        explicit Listener(boost::asio::io_context& loop) : acceptor(loop), retry(loop) {}
        Tcp::acceptor acceptor;
        boost::asio::steady_timer retry;
        Tcp::endpoint endpoint;
        std::uint64_t generation = 0;  // an accept of an earlier one must not start the next
        bool control = false;
    };

    void listen(Listener& listener);
    void accept(Listener& listener);
    void listen_again();

    Service& service_;
    std::chrono::milliseconds idle_timeout_;
    // Sessions take themselves out of this set when the loop drops their handlers, so it has to
    // outlive the loop; what runs on the loop has to die before it. The order of these members is
    // that order.
    std::set<Session*> sessions_;
    boost::asio::io_context loop_{1};
    Listener main_{loop_};
    Listener control_{loop_};
    boost::asio::steady_timer refusal_{loop_};
};

}  // namespace tbs::simulator

// Signals as events of the loop (signalfd). The constructor blocks them for the process, so it
// comes before any thread is started (libcurl's resolver starts some). Signals: SIGTERM, SIGINT,
// SIGHUP.
#pragma once

#include <functional>

#include "bridge/reactor.hpp"

namespace tbs::bridge {

class Signals final : public IoHandler {
 public:
    Signals(Reactor& reactor, std::function<void(int)> callback);
    ~Signals() override;
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;
    Signals(Signals&&) = delete;
    Signals& operator=(Signals&&) = delete;

    void on_io(int fd, std::uint32_t events) override;

 private:
    Reactor& reactor_;
    std::function<void(int)> callback_;
    int fd_ = -1;
};

}  // namespace tbs::bridge

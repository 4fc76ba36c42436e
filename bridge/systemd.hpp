// The notify protocol of systemd: one datagram to $NOTIFY_SOCKET. Does nothing when that is not
// set. The watchdog answers from the loop: interval() says how often the loop has to call
// watchdog().
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bridge/clock.hpp"

namespace tbs::bridge {

class Systemd {
 public:
    // Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
    Systemd();

    void ready() const;
    void reloading() const;
    void stopping() const;
    void watchdog() const;
    void status(std::string_view text) const;

    // Half of what systemd waits for; none when there is no watchdog for this process.
    [[nodiscard]] std::optional<Duration> watchdog_interval() const { return watchdog_interval_; }

 private:
    void send(std::string_view message) const;

    std::string socket_;
    std::optional<Duration> watchdog_interval_;
};

}  // namespace tbs::bridge

#include "bridge/systemd.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace tbs::bridge {

namespace {

std::optional<std::int64_t> number_from_environment(const char* name) {
    const char* const text = std::getenv(name);
    if (text == nullptr) return std::nullopt;
    std::int64_t number = 0;
    const char* const end = text + std::strlen(text);
    const auto [stopped, error] = std::from_chars(text, end, number);
    if (error != std::errc{} || stopped != end) return std::nullopt;
    return number;
}

}  // namespace

Systemd::Systemd() {
    if (const char* const path = std::getenv("NOTIFY_SOCKET"); path != nullptr) socket_ = path;
    const auto microseconds = number_from_environment("WATCHDOG_USEC");
    const auto pid = number_from_environment("WATCHDOG_PID");
    if (microseconds && *microseconds > 0 && (!pid || *pid == getpid())) {
        watchdog_interval_ = std::chrono::microseconds{*microseconds / 2};
    }
}

void Systemd::ready() const {
    send("READY=1");
}
void Systemd::stopping() const {
    send("STOPPING=1");
}
void Systemd::watchdog() const {
    send("WATCHDOG=1");
}
void Systemd::status(std::string_view text) const {
    send("STATUS=" + std::string{text});
}

void Systemd::reloading() const {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    const std::int64_t microseconds = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
    send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(microseconds));
}

void Systemd::send(std::string_view message) const {
    sockaddr_un address{};
    if (socket_.empty() || socket_.size() >= sizeof address.sun_path) return;
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, socket_.data(), socket_.size());
    if (address.sun_path[0] == '@') address.sun_path[0] = '\0';  // abstract
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return;
    // Nothing can be done about a service manager that does not listen, and calls do not wait for
    // one that does not read.
    [[maybe_unused]] const auto ignored =
        sendto(fd, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
               reinterpret_cast<const sockaddr*>(&address),
               static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size()));
    close(fd);
}

}  // namespace tbs::bridge

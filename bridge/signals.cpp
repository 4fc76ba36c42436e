#include "bridge/signals.hpp"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace tbs::bridge {

Signals::Signals(Reactor& reactor, std::function<void(int)> callback)
    : reactor_{reactor}, callback_{std::move(callback)} {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    // Writing to a connection that the other side has closed is an error value, not a signal.
    signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c): cannot fail for SIGPIPE
    fd_ = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd_ < 0) throw std::system_error{errno, std::generic_category(), "signalfd"};
    reactor_.watch(fd_, EPOLLIN, *this);
}

Signals::~Signals() {
    reactor_.forget(fd_);
    close(fd_);
}

void Signals::on_io(int fd, std::uint32_t /*events*/) {
    signalfd_siginfo info{};
    while (read(fd, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
        callback_(static_cast<int>(info.ssi_signo));
    }
}

}  // namespace tbs::bridge

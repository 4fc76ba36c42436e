#include "bridge/reactor.hpp"

#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace tbs::bridge {

namespace {

// The payload of an event: a descriptor that was closed and opened again within one batch of events
// has another generation, so its old events reach nobody.
std::uint64_t payload_of(int fd, std::uint32_t generation) {
    return (std::uint64_t{generation} << 32U) | static_cast<std::uint32_t>(fd);
}

[[noreturn]] void fail(const char* what) {
    throw std::system_error{errno, std::generic_category(), what};
}

}  // namespace

Reactor::Reactor(const Clock& clock) : clock_{clock} {
    epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_fd_ < 0) fail("epoll_create1");
    timer_fd_ = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
    if (timer_fd_ < 0) fail("timerfd_create");
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = payload_of(timer_fd_, 0);
    if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, timer_fd_, &event) != 0) fail("epoll_ctl");
}

Reactor::~Reactor() {
    close(timer_fd_);
    close(epoll_fd_);
}

void Reactor::watch(int fd, std::uint32_t events, IoHandler& handler) {
    const auto index = static_cast<std::size_t>(fd);
    if (watches_.size() <= index) watches_.resize(index + 1);
    Watch& watch = watches_[index];
    if (watch.handler == &handler && watch.events == events) return;
    const bool known = watch.handler != nullptr;
    if (!known) watch.generation = ++next_generation_;
    watch.handler = &handler;
    watch.events = events;
    epoll_event event{};
    event.events = events;
    event.data.u64 = payload_of(fd, watch.generation);
    if (epoll_ctl(epoll_fd_, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) == 0) return;
    // A library may have closed the descriptor and opened another one with its number, or the
    // reverse.
    if (errno == ENOENT && epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) == 0) return;
    if (errno == EEXIST && epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0) return;
    watch.handler = nullptr;
    fail("epoll_ctl");
}

void Reactor::forget(int fd) {
    if (fd < 0) return;
    const auto index = static_cast<std::size_t>(fd);
    if (index >= watches_.size() || watches_[index].handler == nullptr) return;
    watches_[index].handler = nullptr;
    watches_[index].events = 0;
    epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);  // fails harmlessly when it is closed already
}

int Reactor::wait_milliseconds() {
    if (timers_.empty()) return -1;
    const TimePoint first = timers_.begin()->first;
    if (first <= clock_.now()) return 0;
    if (first != timer_armed_for_) {
        const auto nanoseconds = first.time_since_epoch().count();
        itimerspec spec{};
        spec.it_value.tv_sec = nanoseconds / 1'000'000'000;
        spec.it_value.tv_nsec = nanoseconds % 1'000'000'000;
        if (timerfd_settime(timer_fd_, TFD_TIMER_ABSTIME, &spec, nullptr) != 0) {
            fail("timerfd_settime");
        }
        timer_armed_for_ = first;
    }
    return -1;
}

void Reactor::poll_once() {
    std::array<epoll_event, 256> events{};
    const int count =
        epoll_wait(epoll_fd_, events.data(), static_cast<int>(events.size()), wait_milliseconds());
    if (count < 0 && errno != EINTR) fail("epoll_wait");
    for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        const int fd = static_cast<int>(event.data.u64 & 0xffffffffU);
        const auto generation = static_cast<std::uint32_t>(event.data.u64 >> 32U);
        if (fd == timer_fd_) {
            std::uint64_t expirations = 0;
            [[maybe_unused]] const auto ignored = read(timer_fd_, &expirations, sizeof expirations);
            timer_armed_for_ = TimePoint::max();
            continue;
        }
        const Watch& watch = watches_[static_cast<std::size_t>(fd)];
        if (watch.handler == nullptr || watch.generation != generation) continue;
        watch.handler->on_io(fd, event.events);
    }
    run_due_timers();
}

void Reactor::run_due_timers() {
    if (timers_.empty()) return;
    const TimePoint now = clock_.now();
    // Bounded, so that a timer that arms itself for "now" does not keep descriptors waiting.
    for (std::size_t budget = timers_.size(); budget > 0 && !timers_.empty(); --budget) {
        const auto first = timers_.begin();
        if (first->first > now) return;
        Timer* const timer = first->second;
        timers_.erase(first);
        timer->armed_ = false;
        timer->callback_();
    }
}

Timer::Timer(Reactor& reactor, std::function<void()> callback)
    : reactor_{reactor}, callback_{std::move(callback)} {}

Timer::~Timer() {
    disarm();
}

void Timer::arm_at(TimePoint when) {
    if (armed_ && when == when_) return;
    disarm();
    when_ = when;
    reactor_.timers_.emplace(when_, this);
    armed_ = true;
}

void Timer::arm_after(Duration delay) {
    arm_at(reactor_.clock().now() + delay);
}

void Timer::disarm() {
    if (!armed_) return;
    reactor_.timers_.erase({when_, this});
    armed_ = false;
}

}  // namespace tbs::bridge

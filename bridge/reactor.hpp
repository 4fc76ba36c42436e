// One thread's event loop: epoll for descriptors, one timerfd for all timers.
//
// Threading: everything is used from one thread. Ownership: the reactor owns neither descriptors
// nor handlers; a handler takes its descriptor out (forget) before it closes it. The reactor
// outlives its timers and handlers. Failure: system calls that cannot fail in a healthy process
// throw.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <utility>
#include <vector>

#include "bridge/clock.hpp"

namespace tbs::bridge {

class IoHandler {
 public:
    IoHandler() = default;
    virtual ~IoHandler() = default;
    IoHandler(const IoHandler&) = delete;
    IoHandler& operator=(const IoHandler&) = delete;
    IoHandler(IoHandler&&) = delete;
    IoHandler& operator=(IoHandler&&) = delete;

    // `events` are epoll's bits.
    virtual void on_io(int fd, std::uint32_t events) = 0;
};

class Timer;

class Reactor {
 public:
    explicit Reactor(const Clock& clock);
    ~Reactor();
    Reactor(const Reactor&) = delete;
    Reactor& operator=(const Reactor&) = delete;
    Reactor(Reactor&&) = delete;
    Reactor& operator=(Reactor&&) = delete;

    // Starts watching a descriptor, or changes what is watched.
    void watch(int fd, std::uint32_t events, IoHandler& handler);
    void forget(int fd);

    // Waits for at least one event, delivers what is there, and runs the timers that are due.
    void poll_once();

    [[nodiscard]] const Clock& clock() const { return clock_; }

 private:
    friend class Timer;

    struct Watch {
        IoHandler* handler = nullptr;
        std::uint32_t events = 0;
        std::uint32_t generation = 0;
    };

    [[nodiscard]] int wait_milliseconds();
    void run_due_timers();

    const Clock& clock_;
    int epoll_fd_ = -1;
    int timer_fd_ = -1;
    TimePoint timer_armed_for_ = TimePoint::max();
    std::uint32_t next_generation_ = 0;
    std::vector<Watch> watches_;  // by descriptor
    std::set<std::pair<TimePoint, Timer*>> timers_;
};

// A one-shot timer; the callback may arm it again, or destroy other timers.
class Timer {
 public:
    Timer(Reactor& reactor, std::function<void()> callback);
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    Timer(Timer&&) = delete;
    Timer& operator=(Timer&&) = delete;

    void arm_at(TimePoint when);
    void arm_after(Duration delay);
    void disarm();
    [[nodiscard]] bool armed() const { return armed_; }

 private:
    friend class Reactor;

    Reactor& reactor_;
    std::function<void()> callback_;
    TimePoint when_{};
    bool armed_ = false;
};

}  // namespace tbs::bridge

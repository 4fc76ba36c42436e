// Time as the switch sees it. Injected, so that tests decide how fast it runs. Implementations are
// used from one thread only.
#pragma once

#include <chrono>
#include <string>

namespace tbs::simulator {

using Microseconds = std::chrono::microseconds;

class Clock {
 public:
    Clock() = default;
    Clock(const Clock&) = delete;
    Clock& operator=(const Clock&) = delete;
    Clock(Clock&&) = delete;
    Clock& operator=(Clock&&) = delete;
    virtual ~Clock() = default;

    // Time since the program started; never goes back.
    virtual Microseconds now() const = 0;
    // The wall clock at now() == 0.
    virtual std::chrono::system_clock::time_point started_at() const = 0;

    // The wall clock in the switch's spelling: 2026-01-31T12:00:00+00:00.
    std::string wall_text() const;
};

class SystemClock final : public Clock {
 public:
    Microseconds now() const override {
        return std::chrono::duration_cast<Microseconds>(std::chrono::steady_clock::now() - zero_);
    }
    std::chrono::system_clock::time_point started_at() const override { return started_at_; }

 private:
    std::chrono::steady_clock::time_point zero_ = std::chrono::steady_clock::now();
    std::chrono::system_clock::time_point started_at_ = std::chrono::system_clock::now();
};

}  // namespace tbs::simulator

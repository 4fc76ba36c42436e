// Time as the bridge sees it: CLOCK_BOOTTIME, which goes on while the machine is suspended and
// while the process is stopped, so that a lease is never believed longer than the database believes
// it.
#pragma once

#include <chrono>
#include <cstdint>

namespace tbs::bridge {

struct BootClock {
    using rep = std::int64_t;
    using period = std::nano;
    using duration = std::chrono::nanoseconds;
    using time_point = std::chrono::time_point<BootClock>;
    // A clock's members have the standard library's names.
    // NOLINTNEXTLINE(readability-identifier-naming)
    static constexpr bool is_steady = true;
};

using TimePoint = BootClock::time_point;
using Duration = BootClock::duration;
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

// Everything that needs the time is given a Clock; tests give one that they move by hand.
class Clock {
 public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual TimePoint now() const = 0;
    [[nodiscard]] virtual WallTime wall_time() const = 0;
};

class SystemClock final : public Clock {
 public:
    [[nodiscard]] TimePoint now() const override;
    [[nodiscard]] WallTime wall_time() const override;
};

[[nodiscard]] constexpr std::int64_t milliseconds_of(Duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

}  // namespace tbs::bridge

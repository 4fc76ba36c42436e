// A clock that stands still until a test moves it.
#pragma once

#include "bridge/clock.hpp"

namespace tbs::bridge::test {

class ManualClock final : public Clock {
 public:
    [[nodiscard]] TimePoint now() const override { return now_; }
    [[nodiscard]] WallTime wall_time() const override {
        return WallTime{
            std::chrono::duration_cast<std::chrono::microseconds>(now_.time_since_epoch())};
    }
    void advance(Duration duration) { now_ += duration; }

 private:
    TimePoint now_{std::chrono::hours{1}};
};

}  // namespace tbs::bridge::test

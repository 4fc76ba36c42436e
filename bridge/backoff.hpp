// Exponential backoff with full jitter: each pause is drawn evenly from zero to a bound that
// doubles up to a cap. Pure: randomness is given.
#pragma once

#include <functional>

#include "bridge/clock.hpp"

namespace tbs::bridge {

class Backoff {
 public:
    // `random` gives a number in [0, 1).
    Backoff(Duration first, Duration cap, std::function<double()> random);

    [[nodiscard]] Duration next();
    void reset() { bound_ = first_; }

 private:
    Duration first_;
    Duration cap_;
    Duration bound_;
    std::function<double()> random_;
};

// A generator for Backoff, seeded by the system.
[[nodiscard]] std::function<double()> system_random();

}  // namespace tbs::bridge

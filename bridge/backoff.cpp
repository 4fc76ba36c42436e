#include "bridge/backoff.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <utility>

namespace tbs::bridge {

Backoff::Backoff(Duration first, Duration cap, std::function<double()> random)
    : first_{first}, cap_{cap}, bound_{first}, random_{std::move(random)} {}

Duration Backoff::next() {
    const Duration bound = bound_;
    bound_ = std::min(bound_ * 2, cap_);
    return Duration{static_cast<std::int64_t>(static_cast<double>(bound.count()) * random_())};
}

std::function<double()> system_random() {
    auto engine = std::make_shared<std::mt19937_64>(std::random_device{}());
    return [engine] { return std::uniform_real_distribution<double>{0.0, 1.0}(*engine); };
}

}  // namespace tbs::bridge

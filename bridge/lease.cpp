#include "bridge/lease.hpp"

#include <algorithm>

namespace tbs::bridge {

void Lease::set_lengths(Duration lease, Duration beat) {
    lease_ = lease;
    // A database that asks for fewer beats than keep its lease is not followed.
    beat_ = std::clamp<Duration>(beat, std::chrono::milliseconds{50}, lease / 2);
    margin_ = std::min<Duration>(lease / 10, std::chrono::seconds{1});
}

void Lease::renewed(TimePoint sent_at) {
    renewed_at_ = held_ ? std::max(renewed_at_, sent_at) : sent_at;
    held_ = true;
}

void Lease::lost() {
    held_ = false;
}

bool Lease::holds(TimePoint now) const {
    return held_ && now < ends_at();
}

TimePoint Lease::ends_at() const {
    return renewed_at_ + lease_ - margin_;
}

}  // namespace tbs::bridge

#include "bridge/pacer.hpp"

#include <algorithm>

namespace tbs::bridge {

namespace {

using std::chrono::milliseconds;

// With calls under way, the answer to one of them mostly leads to the next claim anyway.
constexpr Duration kBusyPause = milliseconds{3};
// While little room is free, claims are not made one by one, but never held back longer than this.
constexpr Duration kGatherPause = milliseconds{2};
// A sleep that ends sooner than this was not worth its two round trips (and made a commit notify).
constexpr Duration kShortSleep = milliseconds{10};
constexpr unsigned kLooksAfterShortSleep = 3;  // after 1, 2 and 4 ms
constexpr Duration kCrowdFirst = milliseconds{50};
constexpr Duration kCrowdLast = milliseconds{1000};
constexpr Duration kDueFirst = milliseconds{1};
constexpr Duration kFailureFirst = milliseconds{100};
constexpr Duration kFailureLast = milliseconds{5000};

Duration doubled(Duration first, unsigned times, Duration last) {
    return times >= 16 ? last : std::min<Duration>(first * (1U << times), last);
}

}  // namespace

void Pacer::listening(TimePoint now) {
    listening_ = true;
    wake_up(now);
    locked_ = false;
    wake_wanted_ = false;
    unanswered_sleeps_ = 0;
    claim_wanted_ = true;
}

void Pacer::not_listening(TimePoint now) {
    listening_ = false;
    wake_up(now);
    locked_ = false;
    wake_wanted_ = false;
    alone_ = false;
    unanswered_sleeps_ = 0;
    claim_wanted_ = true;
}

void Pacer::notified(TimePoint now) {
    wake_up(now);
    claim_wanted_ = true;
}

void Pacer::wake_up(TimePoint now) {
    if (locked_) {
        wake_wanted_ = true;
        locked_ = false;
    }
    if (phase_ == Phase::asleep) short_sleep_ = now - asleep_since_ < kShortSleep;
    if (phase_ == Phase::last_look) short_sleep_ = true;
    phase_ = Phase::awake;
    look_at_ = TimePoint::max();
}

void Pacer::claim_sent(TimePoint now, std::size_t maximum) {
    claim_in_flight_ = true;
    asked_for_ = maximum;
    claim_wanted_ = false;
    claimed_at_ = now;
}

void Pacer::claim_answered(std::size_t rows, TimePoint now, std::size_t in_hand) {
    claim_in_flight_ = false;
    failures_ = 0;
    not_before_ = {};
    if (rows > 0) {
        wake_up(now);
        fruitless_ = 0;
        looks_before_sleep_ = short_sleep_ ? kLooksAfterShortSleep : 0;
        if (rows >= asked_for_) {
            claim_wanted_ = true;
        } else {
            // The database has looked for more.
            look_at_ = now + kBusyPause;
        }
        return;
    }
    // A claim that was sent before the sleep was answered is not the last look: another is wanted.
    if (phase_ == Phase::last_look && !claim_wanted_) rest(now);
    if (phase_ != Phase::awake) return;
    if (looks_before_sleep_ > 0) {
        look_at_ = now + milliseconds{1U << (kLooksAfterShortSleep - looks_before_sleep_)};
        --looks_before_sleep_;
    } else if (listening_) {
        look_at_ = in_hand > 0 ? now + kBusyPause : now;
    } else {
        rest(now);
    }
}

void Pacer::claim_failed(TimePoint now) {
    claim_in_flight_ = false;
    claim_wanted_ = true;
    not_before_ = now + doubled(kFailureFirst, failures_, kFailureLast);
    ++failures_;
}

void Pacer::claim_interrupted() {
    claim_in_flight_ = false;
    claim_wanted_ = true;
}

void Pacer::reported(TimePoint now) {
    fruitless_ = 0;
    // An answer may have made a retry due sooner than what the database said before it: who sleeps
    // asks again.
    due_outdated_ = phase_ != Phase::awake;
    if (phase_ == Phase::asleep) {
        look_at_ = now;
    } else {
        claim_wanted_ = true;
    }
}

void Pacer::sleep_sent() {
    phase_ = Phase::falling_asleep;
    due_outdated_ = false;
    locked_ = true;
    look_at_ = TimePoint::max();
    ++unanswered_sleeps_;
}

void Pacer::sleep_answered(bool alone, bool claimable, std::optional<Duration> next_due,
                           TimePoint now) {
    if (unanswered_sleeps_ > 0) --unanswered_sleeps_;
    // Something woke it in between: the answer belongs to a sleep that is over.
    if (phase_ != Phase::falling_asleep || unanswered_sleeps_ > 0) return;
    alone_ = alone;
    locked_ = alone;
    next_due_ = next_due;
    asleep_since_ = now;
    if (!claimable && !claim_wanted_) {
        rest(now);
        return;
    }
    phase_ = Phase::last_look;
    claim_wanted_ = true;
}

void Pacer::sleep_failed(TimePoint now) {
    if (unanswered_sleeps_ > 0) --unanswered_sleeps_;
    if (phase_ != Phase::falling_asleep) return;
    alone_ = false;
    next_due_.reset();
    rest(now);
}

void Pacer::rest(TimePoint now) {
    phase_ = Phase::asleep;
    Duration pause = settings_.poll_interval;
    if (!alone_ || !listening_) {
        pause = std::min(pause, doubled(kCrowdFirst, fruitless_, kCrowdLast));
    }
    if (listening_ && next_due_) {
        // What is due and still cannot be claimed is looked at in growing intervals.
        const Duration floor = doubled(kDueFirst, fruitless_, kCrowdLast);
        pause = std::min(pause, std::max(*next_due_, floor));
    }
    if (fruitless_ < 16) ++fruitless_;
    look_at_ = due_outdated_ ? now : now + pause;
}

Pacer::Action Pacer::next(TimePoint now, std::size_t in_hand) {
    // Whoever wakes up claims first: that is what somebody waits for.
    if (!claim_in_flight_ && claim_wanted_ && claim_at(in_hand) <= now) return Action::claim;
    if (wake_wanted_) return Action::wake;
    if (claim_in_flight_ || claim_wanted_ || look_at_ > now) return Action::nothing;
    if (listening_ && looks_before_sleep_ == 0) return Action::sleep;
    phase_ = Phase::awake;
    look_at_ = TimePoint::max();
    claim_wanted_ = true;
    return claim_at(in_hand) <= now ? Action::claim : Action::nothing;
}

std::size_t Pacer::claim_limit(std::size_t in_hand) const {
    if (in_hand >= settings_.maximum_in_flight) return 0;
    return std::min(settings_.maximum_in_flight - in_hand, settings_.claim_size);
}

TimePoint Pacer::claim_at(std::size_t in_hand) const {
    const std::size_t limit = claim_limit(in_hand);
    if (limit == 0) return TimePoint::max();
    const std::size_t worth = std::min(settings_.claim_size, settings_.maximum_in_flight / 4);
    return limit >= worth ? not_before_ : std::max(not_before_, claimed_at_ + kGatherPause);
}

std::optional<TimePoint> Pacer::deadline(std::size_t in_hand) const {
    if (claim_in_flight_) return std::nullopt;
    const TimePoint when = claim_wanted_ ? claim_at(in_hand) : look_at_;
    if (when == TimePoint::max()) return std::nullopt;
    return when;
}

}  // namespace tbs::bridge

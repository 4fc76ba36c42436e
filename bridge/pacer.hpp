// Decides when to claim, when to go to sleep and when to look again. A pure state machine: it is
// told what happened, and asked what to do next.
//
// Awake: claims follow each other as long as they bring all that they ask for; one that brings less
// has found no more. A claim that brings nothing leads to sleep, also while calls are under way
// (otherwise a commit that nobody announces would wait for the slowest of them). Falling asleep is:
// bridge_sleep on the listening connection, then one last claim if the answer says that it may
// bring something, then waiting for a notification or a time.
#pragma once

#include <cstddef>
#include <optional>

#include "bridge/clock.hpp"

namespace tbs::bridge {

struct PacerSettings {
    std::size_t claim_size = 250;
    std::size_t maximum_in_flight = 500;
    Duration poll_interval = std::chrono::seconds{5};
};

class Pacer {
 public:
    enum class Action { nothing, claim, sleep, wake };

    explicit Pacer(const PacerSettings& settings) : settings_{settings} {}

    // What happened.
    void listening(TimePoint now);  // usable from now on: what was missed before is looked for
    void not_listening(TimePoint now);
    void notified(TimePoint now);
    void claim_sent(TimePoint now, std::size_t maximum);
    void claim_answered(std::size_t rows, TimePoint now, std::size_t in_hand);
    void claim_failed(TimePoint now);
    void claim_interrupted();  // the connection or the registration it was sent on is gone
    // Answers were recorded: what follows them may be claimable, or due at another time.
    void reported(TimePoint now);
    void sleep_sent();
    void sleep_answered(bool alone, bool claimable, std::optional<Duration> next_due,
                        TimePoint now);
    void sleep_failed(TimePoint now);
    void wake_sent() { wake_wanted_ = false; }

    // What to do now. `in_hand`: calls claimed and not yet reported.
    [[nodiscard]] Action next(TimePoint now, std::size_t in_hand);

    // How many to claim, when next() said so.
    [[nodiscard]] std::size_t claim_limit(std::size_t in_hand) const;

    // When next() has to be asked again although nothing happened.
    [[nodiscard]] std::optional<TimePoint> deadline(std::size_t in_hand) const;

    [[nodiscard]] bool claim_in_flight() const { return claim_in_flight_; }
    [[nodiscard]] bool asleep() const { return phase_ == Phase::asleep; }

 private:
    enum class Phase { awake, falling_asleep, last_look, asleep };

    void wake_up(TimePoint now);
    void rest(TimePoint now);  // decides how long to wait
    [[nodiscard]] TimePoint claim_at(std::size_t in_hand) const;

    PacerSettings settings_;
    Phase phase_ = Phase::awake;
    bool listening_ = false;
    bool claim_wanted_ = true;
    bool claim_in_flight_ = false;
    bool wake_wanted_ = false;
    bool locked_ = false;  // the database may hold the sleep lock for this bridge
    bool alone_ = false;
    std::size_t unanswered_sleeps_ = 0;
    std::optional<Duration> next_due_;
    bool due_outdated_ = false;             // next_due_ was asked for before the last report
    TimePoint look_at_ = TimePoint::max();  // the next look, or falling asleep
    TimePoint not_before_{};                // claims are held back after a failed one
    TimePoint claimed_at_{};
    std::size_t asked_for_ = 0;  // by the last claim
    TimePoint asleep_since_{};
    bool short_sleep_ = false;  // the last sleep ended at once
    unsigned looks_before_sleep_ = 0;
    unsigned fruitless_ = 0;  // times it looked in vain since something was found
    unsigned failures_ = 0;
};

}  // namespace tbs::bridge

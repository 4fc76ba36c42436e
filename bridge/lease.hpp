// How long this process may send. A pure value: no descriptor, no clock of its own.
//
// The lease counts from the moment its renewal was *sent*, so it always ends here before it ends in
// the database; a margin is kept for the way of a request to the wire.
#pragma once

#include "bridge/clock.hpp"

namespace tbs::bridge {

class Lease {
 public:
    // What the database says at registration.
    void set_lengths(Duration lease, Duration beat);

    // A renewal that was sent at `sent_at` has been confirmed.
    void renewed(TimePoint sent_at);
    void lost();

    // May something be sent now?
    [[nodiscard]] bool holds(TimePoint now) const;

    [[nodiscard]] TimePoint ends_at() const;

    // When the next renewal has to be sent, given when the last one was.
    [[nodiscard]] TimePoint next_beat(TimePoint last_sent) const { return last_sent + beat_; }
    [[nodiscard]] Duration length() const { return lease_; }

 private:
    Duration lease_{};
    Duration beat_{};
    Duration margin_{};
    TimePoint renewed_at_{};
    bool held_ = false;
};

}  // namespace tbs::bridge

#include "bridge/lease.hpp"

#include <gtest/gtest.h>

#include "tests/unit/bridge/manual_clock.hpp"

namespace tbs::bridge {
namespace {

using namespace std::chrono_literals;

class LeaseTest : public ::testing::Test {
 protected:
    LeaseTest() { lease_.set_lengths(10s, 3s); }

    test::ManualClock clock_;
    Lease lease_;
};

TEST_F(LeaseTest, HoldsNothingBeforeItIsGiven) {
    EXPECT_FALSE(lease_.holds(clock_.now()));
}

TEST_F(LeaseTest, CountsFromTheMomentOfSendingAndEndsEarly) {
    const TimePoint sent = clock_.now();
    clock_.advance(4s);  // the answer took that long
    lease_.renewed(sent);
    EXPECT_TRUE(lease_.holds(clock_.now()));
    EXPECT_TRUE(lease_.holds(sent + 8999ms));
    EXPECT_FALSE(lease_.holds(sent + 9000ms));  // the margin of a tenth
}

TEST_F(LeaseTest, IsOverAfterALongStop) {
    lease_.renewed(clock_.now());
    clock_.advance(1h);
    EXPECT_FALSE(lease_.holds(clock_.now()));
}

TEST_F(LeaseTest, AnOlderRenewalDoesNotShortenIt) {
    const TimePoint first = clock_.now();
    clock_.advance(2s);
    lease_.renewed(clock_.now());
    lease_.renewed(first);
    EXPECT_EQ(lease_.ends_at(), clock_.now() + 9s);
}

TEST_F(LeaseTest, LostIsLostAtOnce) {
    lease_.renewed(clock_.now());
    lease_.lost();
    EXPECT_FALSE(lease_.holds(clock_.now()));
    lease_.renewed(clock_.now());
    EXPECT_TRUE(lease_.holds(clock_.now()));
}

TEST_F(LeaseTest, BeatsAtLeastTwicePerLease) {
    lease_.set_lengths(4s, 1min);
    EXPECT_EQ(lease_.next_beat(clock_.now()), clock_.now() + 2s);
    lease_.set_lengths(4s, 0s);
    EXPECT_EQ(lease_.next_beat(clock_.now()), clock_.now() + 50ms);
}

}  // namespace
}  // namespace tbs::bridge

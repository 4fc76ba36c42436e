#include "bridge/pacer.hpp"

#include <gtest/gtest.h>

#include "tests/unit/bridge/manual_clock.hpp"

namespace tbs::bridge {
namespace {

using namespace std::chrono_literals;
using Action = Pacer::Action;

class PacerTest : public ::testing::Test {
 protected:
    PacerTest() : pacer_{PacerSettings{100, 200, 5s}} { pacer_.listening(clock_.now()); }

    [[nodiscard]] Action next() { return pacer_.next(clock_.now(), in_hand_); }

    void claim(std::size_t rows) {
        ASSERT_EQ(next(), Action::claim);
        pacer_.claim_sent(clock_.now(), pacer_.claim_limit(in_hand_));
        EXPECT_EQ(next(), Action::nothing);
        in_hand_ += rows;
        pacer_.claim_answered(rows, clock_.now(), in_hand_);
    }

    void fall_asleep(bool alone, std::optional<Duration> due = std::nullopt,
                     bool claimable = false) {
        ASSERT_EQ(next(), Action::sleep);
        pacer_.sleep_sent();
        EXPECT_EQ(next(), Action::nothing);
        pacer_.sleep_answered(alone, claimable, due, clock_.now());
        if (claimable) claim(0);
        EXPECT_TRUE(pacer_.asleep());
        EXPECT_EQ(next(), Action::nothing);
    }

    [[nodiscard]] Duration pause() const {
        const auto deadline = pacer_.deadline(in_hand_);
        return deadline ? *deadline - clock_.now() : Duration::max();
    }

    test::ManualClock clock_;
    Pacer pacer_;
    std::size_t in_hand_ = 0;
};

TEST_F(PacerTest, ClaimsFirstAndSleepsWhenThereIsNothing) {
    claim(0);
    fall_asleep(true);
    EXPECT_EQ(pause(), 5s);
}

TEST_F(PacerTest, ClaimsAgainAsLongAsAllThatWasAskedForComes) {
    claim(100);
    claim(100);
    EXPECT_EQ(next(), Action::nothing);  // no room
    EXPECT_FALSE(pacer_.deadline(in_hand_));
    in_hand_ = 100;
    EXPECT_EQ(pacer_.claim_limit(in_hand_), 100U);
    claim(0);
}

TEST_F(PacerTest, AClaimThatBringsLessHasFoundAll) {
    claim(99);
    EXPECT_EQ(next(), Action::nothing);
    EXPECT_EQ(pause(), 3ms);
    pacer_.reported(clock_.now());
    claim(0);
    clock_.advance(3ms);
    fall_asleep(true);
}

TEST_F(PacerTest, WhatIsAnnouncedDuringAClaimThatBringsLessIsClaimed) {
    ASSERT_EQ(next(), Action::claim);
    pacer_.claim_sent(clock_.now(), pacer_.claim_limit(in_hand_));
    pacer_.notified(clock_.now());
    in_hand_ = 5;
    pacer_.claim_answered(5, clock_.now(), in_hand_);
    claim(1);
}

TEST_F(PacerTest, LimitIsTheRoomThatIsLeft) {
    EXPECT_EQ(pacer_.claim_limit(0), 100U);
    EXPECT_EQ(pacer_.claim_limit(150), 50U);
    EXPECT_EQ(pacer_.claim_limit(200), 0U);
    EXPECT_EQ(pacer_.claim_limit(300), 0U);
}

TEST_F(PacerTest, LittleRoomIsGatheredButNotForLong) {
    claim(100);
    claim(100);
    in_hand_ = 190;
    EXPECT_EQ(next(), Action::nothing);
    EXPECT_EQ(pause(), 2ms);
    clock_.advance(2ms);
    claim(10);
}

TEST_F(PacerTest, LooksOnceMoreAfterTakingTheLock) {
    claim(0);
    ASSERT_EQ(next(), Action::sleep);
    pacer_.sleep_sent();
    pacer_.sleep_answered(true, true, std::nullopt, clock_.now());
    claim(3);  // it came in between
    EXPECT_EQ(next(), Action::wake);
    pacer_.wake_sent();
    EXPECT_FALSE(pacer_.asleep());
    EXPECT_EQ(pause(), 3ms);
}

TEST_F(PacerTest, NothingClaimableWithTheLockNeedsNoLastLook) {
    claim(0);
    ASSERT_EQ(next(), Action::sleep);
    pacer_.sleep_sent();
    pacer_.sleep_answered(true, false, std::nullopt, clock_.now());
    EXPECT_TRUE(pacer_.asleep());
    EXPECT_EQ(next(), Action::nothing);
    EXPECT_EQ(pause(), 5s);
}

TEST_F(PacerTest, WhatWasReportedWhileItFellAsleepIsFollowedByAClaim) {
    claim(0);
    ASSERT_EQ(next(), Action::sleep);
    pacer_.sleep_sent();
    pacer_.reported(clock_.now());
    pacer_.sleep_answered(true, false, std::nullopt, clock_.now());
    claim(0);
    fall_asleep(true);
}

TEST_F(PacerTest, AClaimSentBeforeTheLockIsNotTheLastLook) {
    claim(0);
    ASSERT_EQ(next(), Action::sleep);
    pacer_.sleep_sent();
    pacer_.reported(clock_.now());
    ASSERT_EQ(next(), Action::claim);
    pacer_.claim_sent(clock_.now(), pacer_.claim_limit(in_hand_));
    pacer_.sleep_answered(true, true, std::nullopt, clock_.now());
    pacer_.claim_answered(0, clock_.now(), 0);
    EXPECT_FALSE(pacer_.asleep());
    claim(0);
    EXPECT_TRUE(pacer_.asleep());
}

TEST_F(PacerTest, NotificationWakesAndClaims) {
    claim(0);
    fall_asleep(true);
    clock_.advance(1s);
    pacer_.notified(clock_.now());
    // First what somebody waits for.
    ASSERT_EQ(next(), Action::claim);
    pacer_.claim_sent(clock_.now(), pacer_.claim_limit(in_hand_));
    EXPECT_EQ(next(), Action::wake);
    pacer_.wake_sent();
    EXPECT_EQ(next(), Action::nothing);
    in_hand_ = 1;
    pacer_.claim_answered(1, clock_.now(), in_hand_);
    EXPECT_EQ(pause(), 3ms);
}

TEST_F(PacerTest, NotificationDuringAClaimLeadsToAnother) {
    ASSERT_EQ(next(), Action::claim);
    pacer_.claim_sent(clock_.now(), pacer_.claim_limit(in_hand_));
    pacer_.notified(clock_.now());
    pacer_.claim_answered(0, clock_.now(), 0);
    EXPECT_EQ(next(), Action::claim);
}

TEST_F(PacerTest, NotificationWhileFallingAsleepReleasesTheLockAfterIt) {
    claim(0);
    ASSERT_EQ(next(), Action::sleep);
    pacer_.sleep_sent();
    pacer_.notified(clock_.now());
    ASSERT_EQ(next(), Action::claim);
    pacer_.claim_sent(clock_.now(), pacer_.claim_limit(in_hand_));
    EXPECT_EQ(next(), Action::wake);
    pacer_.wake_sent();
    pacer_.sleep_answered(true, true, std::nullopt, clock_.now());  // of the sleep that is over
    pacer_.claim_answered(0, clock_.now(), in_hand_);
    EXPECT_FALSE(pacer_.asleep());
    fall_asleep(true);
}

TEST_F(PacerTest, WithoutTheLockItLooksAtGrowingIntervals) {
    claim(0);
    Duration expected = 50ms;
    for (int i = 0; i < 10; ++i) {
        fall_asleep(false);
        EXPECT_EQ(pause(), expected);
        clock_.advance(pause());
        expected = std::min<Duration>(expected * 2, 1s);
    }
    fall_asleep(false);
    pacer_.notified(clock_.now());
    claim(1);
    EXPECT_EQ(next(), Action::nothing);  // no lock, so nothing to release
    in_hand_ = 0;
    pacer_.reported(clock_.now());
    claim(0);
    clock_.advance(10ms);
}

TEST_F(PacerTest, ADueTimeShortensTheSleep) {
    claim(0);
    fall_asleep(true, 300ms);
    EXPECT_EQ(pause(), 300ms);
    clock_.advance(300ms);
    ASSERT_EQ(next(), Action::sleep);
    pacer_.sleep_sent();
    pacer_.sleep_answered(true, true, std::nullopt, clock_.now());
    claim(2);
}

TEST_F(PacerTest, WhatIsDueButCannotBeClaimedDoesNotMakeItSpin) {
    claim(0);
    fall_asleep(true, 0ms, true);
    EXPECT_EQ(pause(), 1ms);
    Duration total{};
    for (int i = 0; i < 12; ++i) {
        clock_.advance(pause());
        fall_asleep(true, 0ms, true);
        total += pause();
    }
    EXPECT_EQ(pause(), 1s);
    EXPECT_GT(total, 4s);
}

TEST_F(PacerTest, SleepsAlsoWhileCallsAreUnderWay) {
    claim(5);
    EXPECT_EQ(next(), Action::nothing);
    EXPECT_EQ(pause(), 3ms);
    clock_.advance(3ms);
    fall_asleep(true);
    pacer_.reported(clock_.now());  // the answer of a slow call: it sleeps on, and asks how long
    fall_asleep(true);
    EXPECT_GT(pause(), 4s);
}

TEST_F(PacerTest, ARetryThatAReportMadeWhileItSleptIsDueInTime) {
    claim(5);
    clock_.advance(3ms);
    fall_asleep(true);
    clock_.advance(1s);
    pacer_.reported(clock_.now());
    fall_asleep(true, 700ms);
    EXPECT_EQ(pause(), 700ms);
}

TEST_F(PacerTest, ARetryThatAReportMadeWhileItFellAsleepIsDueInTime) {
    claim(5);
    clock_.advance(3ms);
    ASSERT_EQ(next(), Action::sleep);
    pacer_.sleep_sent();
    pacer_.reported(clock_.now());
    pacer_.sleep_answered(true, true, std::nullopt, clock_.now());
    claim(0);
    fall_asleep(true, 700ms);
    EXPECT_EQ(pause(), 700ms);
}

TEST_F(PacerTest, ARetryThatAReportMadeDuringTheLastLookIsDueInTime) {
    claim(5);
    clock_.advance(3ms);
    ASSERT_EQ(next(), Action::sleep);
    pacer_.sleep_sent();
    pacer_.sleep_answered(true, true, std::nullopt, clock_.now());
    ASSERT_EQ(next(), Action::claim);
    pacer_.claim_sent(clock_.now(), pacer_.claim_limit(in_hand_));
    pacer_.reported(clock_.now());
    pacer_.claim_answered(0, clock_.now(), in_hand_);
    claim(0);
    fall_asleep(true, 700ms);
    EXPECT_EQ(pause(), 700ms);
}

TEST_F(PacerTest, ShortSleepsAreFollowedByLooksBeforeTheNext) {
    claim(0);
    fall_asleep(true);
    clock_.advance(2ms);
    pacer_.notified(clock_.now());
    ASSERT_EQ(next(), Action::claim);
    pacer_.claim_sent(clock_.now(), pacer_.claim_limit(in_hand_));
    ASSERT_EQ(next(), Action::wake);
    pacer_.wake_sent();
    pacer_.claim_answered(1, clock_.now(), 1);
    pacer_.reported(clock_.now());
    for (const Duration expected : {1ms, 2ms}) {
        claim(0);
        EXPECT_EQ(pause(), expected);
        EXPECT_EQ(next(), Action::nothing);
        clock_.advance(expected);
    }
    claim(0);
    EXPECT_EQ(pause(), 4ms);
    clock_.advance(4ms);
    fall_asleep(true);
}

TEST_F(PacerTest, WithoutListeningItPolls) {
    pacer_.not_listening(clock_.now());
    claim(0);
    EXPECT_EQ(pause(), 50ms);
    clock_.advance(50ms);
    claim(0);
    EXPECT_EQ(pause(), 100ms);
    pacer_.listening(clock_.now());
    claim(0);  // what came meanwhile
    fall_asleep(true);
}

TEST_F(PacerTest, LosingTheListenerWhileFallingAsleepDoesNotStopIt) {
    claim(0);
    ASSERT_EQ(next(), Action::sleep);
    pacer_.sleep_sent();
    pacer_.not_listening(clock_.now());
    claim(0);
    EXPECT_EQ(pause(), 50ms);
}

TEST_F(PacerTest, FailedClaimsBackOff) {
    Duration expected = 100ms;
    for (int i = 0; i < 8; ++i) {
        ASSERT_EQ(next(), Action::claim);
        pacer_.claim_sent(clock_.now(), pacer_.claim_limit(in_hand_));
        pacer_.claim_failed(clock_.now());
        EXPECT_EQ(next(), Action::nothing);
        EXPECT_EQ(pause(), expected);
        clock_.advance(expected);
        expected = std::min<Duration>(expected * 2, 5s);
    }
    claim(0);
    EXPECT_EQ(next(), Action::sleep);
}

TEST_F(PacerTest, FailedSleepIsTriedLater) {
    claim(0);
    ASSERT_EQ(next(), Action::sleep);
    pacer_.sleep_sent();
    pacer_.sleep_failed(clock_.now());
    EXPECT_EQ(next(), Action::nothing);
    EXPECT_EQ(pause(), 50ms);
    clock_.advance(50ms);
    fall_asleep(true);
}

TEST_F(PacerTest, AnInterruptedClaimIsRepeated) {
    ASSERT_EQ(next(), Action::claim);
    pacer_.claim_sent(clock_.now(), pacer_.claim_limit(in_hand_));
    pacer_.claim_interrupted();
    claim(0);
}

TEST_F(PacerTest, ALookThatFallsIntoAClaimIsNotForgotten) {
    claim(5);
    clock_.advance(3ms);
    fall_asleep(true);
    clock_.advance(4999ms);
    pacer_.claim_interrupted();
    ASSERT_EQ(next(), Action::claim);
    pacer_.claim_sent(clock_.now(), pacer_.claim_limit(in_hand_));
    clock_.advance(10ms);
    EXPECT_EQ(next(), Action::nothing);
    pacer_.claim_answered(0, clock_.now(), in_hand_);
    EXPECT_EQ(next(), Action::sleep);
}

}  // namespace
}  // namespace tbs::bridge

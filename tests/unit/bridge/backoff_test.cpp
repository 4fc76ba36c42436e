#include "bridge/backoff.hpp"

#include <gtest/gtest.h>

namespace tbs::bridge {
namespace {

using namespace std::chrono_literals;

TEST(BackoffTest, DoublesUntilTheCap) {
    Backoff backoff{100ms, 500ms, [] { return 0.5; }};
    EXPECT_EQ(backoff.next(), 50ms);
    EXPECT_EQ(backoff.next(), 100ms);
    EXPECT_EQ(backoff.next(), 200ms);
    EXPECT_EQ(backoff.next(), 250ms);
    EXPECT_EQ(backoff.next(), 250ms);
}

TEST(BackoffTest, JitterCoversEverythingFromZero) {
    double random = 0.0;
    Backoff backoff{100ms, 1s, [&random] { return random; }};
    EXPECT_EQ(backoff.next(), 0ms);
    random = 0.75;
    EXPECT_EQ(backoff.next(), 150ms);
}

TEST(BackoffTest, StartsAgainAfterSuccess) {
    Backoff backoff{100ms, 1s, [] { return 0.5; }};
    for (int i = 0; i < 5; ++i) static_cast<void>(backoff.next());
    backoff.reset();
    EXPECT_EQ(backoff.next(), 50ms);
}

TEST(BackoffTest, SystemRandomStaysInRange) {
    const auto random = system_random();
    for (int i = 0; i < 1000; ++i) {
        const double number = random();
        EXPECT_GE(number, 0.0);
        EXPECT_LT(number, 1.0);
    }
}

}  // namespace
}  // namespace tbs::bridge

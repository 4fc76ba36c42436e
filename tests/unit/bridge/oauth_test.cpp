#include "bridge/oauth.hpp"

#include <gtest/gtest.h>

#include "tests/unit/bridge/manual_clock.hpp"

namespace tbs::bridge {
namespace {

using namespace std::chrono_literals;
using State = TokenKeeper::State;

class TokenKeeperTest : public ::testing::Test {
 protected:
    void fetch(std::optional<std::chrono::seconds> life, std::string refresh = "r") {
        const auto grant = keeper_.wanted(clock_.now());
        ASSERT_TRUE(grant);
        keeper_.fetch_started(*grant, clock_.now());
        EXPECT_FALSE(keeper_.wanted(clock_.now()));  // single flight
        keeper_.fetched({"token", life, std::move(refresh)});
    }
    [[nodiscard]] State state() const { return keeper_.state(clock_.now()); }
    [[nodiscard]] std::optional<Grant> wanted() const { return keeper_.wanted(clock_.now()); }

    test::ManualClock clock_;
    TokenKeeper keeper_;
};

TEST_F(TokenKeeperTest, FirstItFetchesWithTheFullGrant) {
    EXPECT_EQ(state(), State::waiting);
    EXPECT_EQ(wanted(), Grant::full);
    fetch(1h);
    EXPECT_EQ(state(), State::usable);
    EXPECT_EQ(keeper_.token(), "token");
    EXPECT_FALSE(wanted());
}

TEST_F(TokenKeeperTest, RefreshesAMinuteAheadAndGoesOnWithTheOldOne) {
    fetch(1h);
    clock_.advance(1h - 61s);
    EXPECT_FALSE(wanted());
    clock_.advance(1s);
    EXPECT_EQ(wanted(), Grant::refresh);
    keeper_.fetch_started(Grant::refresh, clock_.now());
    EXPECT_EQ(state(), State::usable);
    clock_.advance(60s);
    EXPECT_EQ(state(), State::waiting);
    const std::uint64_t before = keeper_.number();
    keeper_.fetched({"newer", 3600s, ""});
    EXPECT_EQ(state(), State::usable);
    EXPECT_EQ(keeper_.token(), "newer");
    EXPECT_NE(keeper_.number(), before);
    EXPECT_EQ(keeper_.refresh_token(), "r");  // not renewed, so still valid
}

TEST_F(TokenKeeperTest, ShortLivedTokensAreRefreshedAtHalfTheirLife) {
    fetch(20s);
    clock_.advance(9999ms);
    EXPECT_FALSE(wanted());
    clock_.advance(1ms);
    EXPECT_EQ(wanted(), Grant::refresh);
    EXPECT_EQ(state(), State::usable);
}

TEST_F(TokenKeeperTest, WithoutALifeItIsUsedUntilItIsRefused) {
    fetch(std::nullopt, "");
    clock_.advance(1000h);
    EXPECT_EQ(state(), State::usable);
    EXPECT_FALSE(wanted());
    keeper_.refused(keeper_.number());
    EXPECT_EQ(state(), State::waiting);
    EXPECT_EQ(wanted(), Grant::full);
}

TEST_F(TokenKeeperTest, ARefusalOfAnOlderTokenCostsNothing) {
    fetch(1h);
    const std::uint64_t old = keeper_.number();
    keeper_.refused(old);
    EXPECT_EQ(wanted(), Grant::refresh);
    fetch(1h);
    keeper_.refused(old);
    EXPECT_EQ(state(), State::usable);
    EXPECT_FALSE(wanted());
}

TEST_F(TokenKeeperTest, ARefusedRefreshFallsBackToTheFullGrant) {
    fetch(1h);
    keeper_.refused(keeper_.number());
    keeper_.fetch_started(*wanted(), clock_.now());
    keeper_.fetch_failed({0, 401, "no"}, true, clock_.now());
    EXPECT_EQ(state(), State::waiting);
    EXPECT_EQ(wanted(), Grant::full);
    keeper_.fetch_started(Grant::full, clock_.now());
    keeper_.fetch_failed({0, 401, "no"}, true, clock_.now());
    EXPECT_EQ(state(), State::failed);
    EXPECT_EQ(keeper_.failure().http_status, 401);
    EXPECT_FALSE(wanted());
    clock_.advance(1s);
    EXPECT_EQ(state(), State::waiting);
    EXPECT_EQ(wanted(), Grant::full);
}

TEST_F(TokenKeeperTest, AnUnreachableServerDoesNotCostTheRefreshToken) {
    fetch(1h);
    keeper_.refused(keeper_.number());
    keeper_.fetch_started(Grant::refresh, clock_.now());
    keeper_.fetch_failed({7, 0, ""}, false, clock_.now());
    EXPECT_EQ(state(), State::failed);
    EXPECT_EQ(keeper_.failure().curl_result, 7);
    clock_.advance(1s);
    EXPECT_EQ(wanted(), Grant::refresh);
}

TEST_F(TokenKeeperTest, AnEarlyFailureDoesNotStopWhatStillWorks) {
    fetch(1h);
    clock_.advance(1h - 30s);
    keeper_.fetch_started(Grant::refresh, clock_.now());
    keeper_.fetch_failed({7, 0, ""}, false, clock_.now());
    EXPECT_EQ(state(), State::usable);
    EXPECT_FALSE(wanted());
    clock_.advance(5s);
    EXPECT_EQ(wanted(), Grant::refresh);
}

TEST_F(TokenKeeperTest, LifeCountsFromTheRequest) {
    keeper_.fetch_started(Grant::full, clock_.now());
    clock_.advance(50s);
    keeper_.fetched({"token", 60s, "r"});
    EXPECT_EQ(state(), State::usable);
    EXPECT_EQ(wanted(), Grant::refresh);
    clock_.advance(10s);
    EXPECT_EQ(state(), State::waiting);
}

TEST_F(TokenKeeperTest, ForgettingKeepsNumbersApart) {
    fetch(1h);
    const std::uint64_t number = keeper_.number();
    keeper_.forget();
    EXPECT_EQ(state(), State::waiting);
    fetch(1h);
    EXPECT_GT(keeper_.number(), number);
}

}  // namespace
}  // namespace tbs::bridge

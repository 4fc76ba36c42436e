// What tests of the HTTP parts have in common.
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "bridge/http_client.hpp"
#include "bridge/reactor.hpp"

namespace tbs::bridge::test {

class Gate final : public SendGate {
 public:
    [[nodiscard]] bool may_send() const override {
        ++asked;
        return asked <= open_for;
    }
    // Says yes this many times.
    int open_for = 1'000'000;
    mutable int asked = 0;
};

class LoopTest : public ::testing::Test {
 protected:
    // Turns the loop until the condition holds; fails after ten seconds.
    void run_until(const std::function<bool()>& condition) {
        bool late = false;
        Timer limit{reactor_, [&late] { late = true; }};
        limit.arm_after(std::chrono::seconds{10});
        // The condition may depend on another thread, whose doings are no event of the loop.
        Timer tick{reactor_, [&tick] { tick.arm_after(std::chrono::milliseconds{1}); }};
        tick.arm_after(Duration::zero());
        while (!condition() && !late) reactor_.poll_once();
        EXPECT_FALSE(late) << "nothing happened within ten seconds";
    }

    void run_for(Duration duration) {
        bool over = false;
        Timer limit{reactor_, [&over] { over = true; }};
        limit.arm_after(duration);
        while (!over) reactor_.poll_once();
    }

    SystemClock clock_;
    Reactor reactor_{clock_};
    Gate gate_;
};

}  // namespace tbs::bridge::test

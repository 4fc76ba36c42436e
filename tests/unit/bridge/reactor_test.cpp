#include "bridge/reactor.hpp"

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "tests/unit/bridge/fixtures.hpp"

namespace tbs::bridge {
namespace {

using namespace std::chrono_literals;

class Pipe {
 public:
    Pipe() { EXPECT_EQ(pipe(ends_.data()), 0); }
    ~Pipe() {
        close(ends_[0]);
        close(ends_[1]);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    Pipe(Pipe&&) = delete;
    Pipe& operator=(Pipe&&) = delete;
    void fill() const { EXPECT_EQ(write(ends_[1], "x", 1), 1); }
    [[nodiscard]] int reading() const { return ends_[0]; }

 private:
    std::array<int, 2> ends_{};
};

class Recorder final : public IoHandler {
 public:
    explicit Recorder(std::function<void(int)> action = {}) : action_{std::move(action)} {}
    void on_io(int fd, std::uint32_t /*events*/) override {
        ++events;
        if (action_) action_(fd);
    }
    int events = 0;

 private:
    std::function<void(int)> action_;
};

using ReactorTest = test::LoopTest;

TEST_F(ReactorTest, DeliversAndForgets) {
    const Pipe pipe;
    Recorder recorder;
    reactor_.watch(pipe.reading(), EPOLLIN, recorder);
    pipe.fill();
    reactor_.poll_once();
    EXPECT_EQ(recorder.events, 1);
    reactor_.forget(pipe.reading());
    run_for(5ms);
    EXPECT_EQ(recorder.events, 1);
}

TEST_F(ReactorTest, AForgottenDescriptorOfTheSameBatchIsNotDelivered) {
    const Pipe first;
    const Pipe second;
    Recorder other;
    Recorder recorder{[&](int fd) {
        const int neighbour = fd == first.reading() ? second.reading() : first.reading();
        reactor_.forget(neighbour);
        // Watched again at once: the event from before is not for the new owner.
        reactor_.watch(neighbour, 0, other);
    }};
    reactor_.watch(first.reading(), EPOLLIN, recorder);
    reactor_.watch(second.reading(), EPOLLIN, recorder);
    first.fill();
    second.fill();
    reactor_.poll_once();
    EXPECT_EQ(recorder.events, 1);
    EXPECT_EQ(other.events, 0);
    reactor_.forget(first.reading());
    reactor_.forget(second.reading());
}

TEST_F(ReactorTest, TimersRunInOrderAndOnce) {
    std::string order;
    Timer late{reactor_, [&] { order += 'c'; }};
    Timer early{reactor_, [&] { order += 'a'; }};
    Timer middle{reactor_, [&] { order += 'b'; }};
    late.arm_after(6ms);
    early.arm_after(0ms);
    middle.arm_after(3ms);
    run_for(20ms);
    EXPECT_EQ(order, "abc");
    EXPECT_FALSE(early.armed());
}

TEST_F(ReactorTest, TimersMayRearmDisarmAndDestroy) {
    int runs = 0;
    std::optional<Timer> victim;
    Timer other{reactor_, [] { FAIL() << "was disarmed"; }};
    Timer timer{reactor_, [&] {
                    if (++runs < 3) timer.arm_after(1ms);
                    other.disarm();
                    victim.reset();
                }};
    victim.emplace(reactor_, [] { FAIL() << "was destroyed"; });
    const TimePoint now = clock_.now();
    timer.arm_at(now);
    other.arm_at(now + 1us);
    victim->arm_at(now + 2us);
    run_for(20ms);
    EXPECT_EQ(runs, 3);
}

TEST_F(ReactorTest, ATimerThatIsAlwaysDueDoesNotStarveDescriptors) {
    const Pipe pipe;
    Recorder recorder;
    reactor_.watch(pipe.reading(), EPOLLIN, recorder);
    Timer busy{reactor_, [&] { busy.arm_after(0ms); }};
    busy.arm_after(0ms);
    pipe.fill();
    for (int i = 0; i < 5; ++i) reactor_.poll_once();
    EXPECT_GE(recorder.events, 1);
    reactor_.forget(pipe.reading());
}

TEST_F(ReactorTest, MovingATimerWorksBothWays) {
    int runs = 0;
    Timer timer{reactor_, [&] { ++runs; }};
    timer.arm_after(1h);
    timer.arm_after(1ms);
    run_for(10ms);
    EXPECT_EQ(runs, 1);
    timer.arm_after(1ms);
    timer.arm_after(1h);
    run_for(10ms);
    EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace tbs::bridge

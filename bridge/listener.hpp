// The listening connection: it hears wake-ups, and holds the sleep lock while the bridge sleeps. It
// is never in a transaction while it waits.
//
// A connection is only trusted after a notification that the bridge sent itself (by the other
// connection) has come in: behind a transaction pooler none would ever come.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "bridge/pg_session.hpp"

namespace tbs::bridge {

struct SleepAnswer {
    bool alone = false;
    bool claimable = true;
    std::optional<Duration> next_due;
};

class ListenerObserver {
 public:
    ListenerObserver() = default;
    virtual ~ListenerObserver() = default;
    ListenerObserver(const ListenerObserver&) = delete;
    ListenerObserver& operator=(const ListenerObserver&) = delete;
    ListenerObserver(ListenerObserver&&) = delete;
    ListenerObserver& operator=(ListenerObserver&&) = delete;
    // LISTEN is confirmed; test() is expected next.
    virtual void on_listening() = 0;
    // The bridge's own notification has come in.
    virtual void on_hearing() = 0;
    // It has not.
    virtual void on_deaf() = 0;
    virtual void on_wake_up() = 0;
    virtual void on_listener_lost() = 0;
};

class Listener final : public SessionObserver {
 public:
    using SleepReply = std::function<void(SleepAnswer answer, const PgError* error)>;

    Listener(Reactor& reactor, const ConnectionParameters& parameters, ListenerObserver& observer);

    void start() { session_.start(); }
    void stop() { session_.stop(); }
    void restart(const std::string& reason) { session_.restart(reason); }

    [[nodiscard]] bool listening() const { return listening_; }
    [[nodiscard]] bool hearing() const { return hearing_; }

    // Starts to wait for a notification with the payload that is returned.
    [[nodiscard]] std::string test();
    // The notification could not be sent: the test is off.
    void test_interrupted();
    [[nodiscard]] bool testing() const { return test_timer_.armed(); }

    void sleep(std::int64_t bridge_id, SleepReply reply);
    // Nothing is awaited.
    void wake(std::int64_t bridge_id);

    void on_session_open() override;
    void on_session_lost() override;
    void on_session_notification(std::string_view channel, std::string_view payload) override;

 private:
    ListenerObserver& observer_;
    PgSession session_;
    Timer test_timer_;
    std::string expected_;
    bool listening_ = false;
    bool hearing_ = false;
};

// Payloads of such tests begin with this; other bridges need not wake up for them.
inline constexpr std::string_view kTestPayload = "bridge-test ";

[[nodiscard]] std::string new_test_payload();

}  // namespace tbs::bridge

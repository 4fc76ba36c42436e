// The bridge: what the parts report is turned into the next statements and calls. One thread.
//
// Order of everything that the database hears on the working connection: a beat is only sent when
// no claim or report is under way (its list of what is held would be wrong), and nothing is sent
// after a beat that is due before it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "bridge/clock.hpp"
#include "bridge/database.hpp"
#include "bridge/dispatcher.hpp"
#include "bridge/http_client.hpp"
#include "bridge/lease.hpp"
#include "bridge/listener.hpp"
#include "bridge/options.hpp"
#include "bridge/pacer.hpp"
#include "bridge/reactor.hpp"
#include "bridge/report_queue.hpp"
#include "bridge/signals.hpp"
#include "bridge/systemd.hpp"

namespace tbs::bridge {

class Bridge final : public SendGate, public DatabaseObserver, public ListenerObserver {
 public:
    // Throws BridgeError for a malformed connection string.
    explicit Bridge(Options options);

    // Runs until it is told to stop; the exit code. Throws BridgeError when it cannot work at all.
    [[nodiscard]] int run();

    [[nodiscard]] bool may_send() const override;
    void on_database_ready() override;
    void on_database_lost() override;
    void on_listening() override;
    void on_hearing() override;
    void on_deaf() override;
    void on_wake_up() override;
    void on_listener_lost() override;

 private:
    void pump();
    void register_bridge(TimePoint now);
    void talk_to_database(TimePoint now);
    void send_beat(TimePoint now);
    void send_configuration();
    void send_report();
    void send_claim(TimePoint now);
    void pace(TimePoint now);
    void test_listener();
    void take(std::vector<ClaimedCall> calls);
    // Handles what every reply may say; true when the reply is an error or of a former
    // registration.
    [[nodiscard]] bool set_aside(const char* what, const PgError* error,
                                 std::uint64_t registration);
    void lease_lost();
    void arm_pump(TimePoint now);
    void on_signal(int number);
    void stop_step(TimePoint now);
    void become_ready();
    void tell_statistics();
    [[nodiscard]] std::size_t in_hand() const;

    Options options_;
    SystemClock clock_;
    Systemd systemd_;
    Reactor reactor_;
    Signals signals_;
    Lease lease_;
    ReportQueue reports_;
    Pacer pacer_;
    HttpClient http_;
    Dispatcher dispatcher_;
    Database database_;
    Listener listener_;
    Timer pump_timer_;
    Timer watchdog_timer_;
    Timer statistics_timer_;

    std::int64_t bridge_id_ = 0;
    std::uint64_t registration_ = 0;  // tells replies of a former registration apart
    bool registering_ = false;
    TimePoint register_not_before_{};

    TimePoint beat_sent_at_{};
    bool beat_wanted_ = false;
    bool beat_in_flight_ = false;

    bool configured_ = false;
    bool configuration_wanted_ = false;
    bool configuration_in_flight_ = false;
    bool reloading_ = false;
    TimePoint configuration_not_before_{};
    std::int64_t configuration_version_ = 0;
    bool configuration_version_known_ = false;

    bool claimed_once_ = false;
    bool ready_ = false;
    std::optional<std::string> fatal_;

    bool stopping_ = false;
    bool stop_sent_ = false;
    bool aborted_ = false;
    bool done_ = false;
    int exit_code_ = 0;
    TimePoint abort_at_{};
    TimePoint give_up_at_{};

    std::uint64_t claimed_ = 0;
    std::uint64_t told_answered_ = 0;
};

}  // namespace tbs::bridge

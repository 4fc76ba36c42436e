#include "bridge/bridge.hpp"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "bridge/error.hpp"
#include "bridge/log.hpp"

namespace tbs::bridge {

namespace {

constexpr Duration kRetryPause = std::chrono::seconds{1};
constexpr Duration kReportGrace = std::chrono::seconds{5};
constexpr Duration kStatisticsInterval = std::chrono::seconds{60};

PacerSettings pacer_settings(const Options& options) {
    return {options.claim_size, options.maximum_in_flight, options.poll_interval};
}

}  // namespace

Bridge::Bridge(Options options)
    : options_{std::move(options)},
      reactor_{clock_},
      signals_{reactor_, [this](int number) { on_signal(number); }},
      pacer_{pacer_settings(options_)},
      http_{reactor_, *this},
      dispatcher_{clock_, http_, *this, reports_},
      database_{reactor_, read_conninfo(options_.database, "tbs-bridge"), *this},
      listener_{reactor_, read_conninfo(options_.database, "tbs-bridge listening"), *this},
      pump_timer_{reactor_, [] {}},  // it is enough that the loop turns
      watchdog_timer_{reactor_,
                      [this] {
                          systemd_.watchdog();
                          watchdog_timer_.arm_after(*systemd_.watchdog_interval());
                      }},
      statistics_timer_{reactor_, [this] { tell_statistics(); }} {}

int Bridge::run() {
    log::info("starting", {{"version", version()},
                           {"name", options_.name},
                           {"environment", options_.environment},
                           {"database", describe(read_conninfo(options_.database, ""))}});
    if (systemd_.watchdog_interval()) watchdog_timer_.arm_after(Duration::zero());
    statistics_timer_.arm_after(kStatisticsInterval);
    database_.start();
    listener_.start();
    while (!done_) {
        reactor_.poll_once();
        if (!done_) pump();
    }
    if (fatal_) {
        throw BridgeError{
            *fatal_,
            "LISTEN and NOTIFY do not pass a transaction pooler (PgBouncer with pool_mode = "
            "transaction or statement): connect to PostgreSQL directly or through a session pool."};
    }
    log::info("stopped", {{"exit_code", exit_code_}});
    return exit_code_;
}

bool Bridge::may_send() const {
    return lease_.holds(clock_.now());
}

std::size_t Bridge::in_hand() const {
    return dispatcher_.size() + reports_.size();
}

void Bridge::pump() {
    dispatcher_.pump();
    const TimePoint now = clock_.now();
    if (database_.ready()) talk_to_database(now);
    if (stopping_) stop_step(now);
    if (!done_) arm_pump(now);
}

void Bridge::talk_to_database(TimePoint now) {
    test_listener();
    if (bridge_id_ == 0) {
        if (!registering_ && !stopping_ && now >= register_not_before_) register_bridge(now);
        return;
    }
    if (now >= lease_.next_beat(beat_sent_at_)) beat_wanted_ = true;
    if (beat_wanted_ && !beat_in_flight_) {
        if (pacer_.claim_in_flight() || reports_.under_way()) return;
        send_beat(now);
    }
    if (dispatcher_.configuration_wanted()) configuration_wanted_ = true;
    if (configuration_wanted_ && !configuration_in_flight_ && now >= configuration_not_before_) {
        send_configuration();
    }
    if (reports_.ready(now)) send_report();
    if (configured_ && !stopping_ && lease_.holds(now)) pace(now);
}

void Bridge::register_bridge(TimePoint now) {
    registering_ = true;
    const std::uint64_t registration = ++registration_;
    database_.bridge_start(options_.name, version(), options_.environment,
                           [this, registration, now](Registration answer, const PgError* error) {
                               registering_ = false;
                               if (error != nullptr) {
                                   if (error->connection_lost) return;
                                   log::error("registration_refused",
                                              {{"sqlstate", error->sqlstate},
                                               {"reason", error->message},
                                               {"detail", error->detail},
                                               {"hint", error->hint}});
                                   register_not_before_ = clock_.now() + kRetryPause;
                                   return;
                               }
                               if (registration != registration_ || answer.bridge_id == 0) return;
                               bridge_id_ = answer.bridge_id;
                               lease_.set_lengths(answer.lease, answer.beat);
                               lease_.renewed(now);
                               beat_sent_at_ = now;
                               beat_wanted_ = false;
                               beat_in_flight_ = false;
                               configuration_wanted_ = true;
                               configuration_version_known_ = false;
                               database_.healthy();
                               // A lock that was taken under another registration is let go.
                               if (listener_.hearing()) pacer_.notified(clock_.now());
                               log::info("registered", {{"bridge", bridge_id_},
                                                        {"lease_ms", milliseconds_of(answer.lease)},
                                                        {"beat_ms", milliseconds_of(answer.beat)}});
                           });
}

bool Bridge::set_aside(const char* what, const PgError* error, std::uint64_t registration) {
    if (registration != registration_) return true;
    if (error == nullptr) return false;
    if (error->connection_lost) return true;
    if (error->sqlstate == kLeaseLost) {
        log::warning("lease_lost", {{"during", what}, {"reason", error->message}});
        lease_lost();
        return true;
    }
    log::error("statement_failed", {{"statement", what},
                                    {"sqlstate", error->sqlstate},
                                    {"reason", error->message},
                                    {"detail", error->detail}});
    return true;
}

void Bridge::lease_lost() {
    lease_.lost();
    bridge_id_ = 0;
    ++registration_;
    beat_in_flight_ = false;
    configuration_in_flight_ = false;
    pacer_.claim_interrupted();
    dispatcher_.drop_all();
    reports_.carry_over();
}

void Bridge::send_beat(TimePoint now) {
    std::vector<std::int64_t> held;
    held.reserve(in_hand());
    dispatcher_.append_held(held);
    reports_.append_held(held);
    beat_wanted_ = false;
    beat_in_flight_ = true;
    beat_sent_at_ = now;
    const std::uint64_t registration = registration_;
    database_.bridge_beat(bridge_id_, held,
                          [this, registration, now](BeatAnswer answer, const PgError* error) {
                              if (registration == registration_) beat_in_flight_ = false;
                              if (set_aside("beat", error, registration)) return;
                              lease_.renewed(now);
                              database_.healthy();
                              if (!answer.lost.empty()) {
                                  log::warning("activities_lost", {{"count", answer.lost.size()}});
                                  dispatcher_.drop(answer.lost);
                              }
                              // The first beat does not know which version was read before it.
                              if (!configuration_version_known_ ||
                                  answer.configuration_version != configuration_version_) {
                                  configuration_wanted_ = true;
                              }
                              configuration_version_ = answer.configuration_version;
                              configuration_version_known_ = true;
                          });
}

void Bridge::send_configuration() {
    configuration_wanted_ = false;
    configuration_in_flight_ = true;
    const std::uint64_t registration = registration_;
    database_.bridge_configuration(bridge_id_, [this, registration](
                                                   std::vector<ResourceConfiguration> resources,
                                                   const PgError* error) {
        if (registration == registration_) configuration_in_flight_ = false;
        if (set_aside("configuration", error, registration)) {
            // The old configuration stays in use.
            configuration_wanted_ = true;
            configuration_not_before_ = clock_.now() + kRetryPause;
            return;
        }
        log::info("configured", {{"resources", resources.size()}});
        if (resources.empty()) {
            log::warning("no_resources",
                         {{"environment", options_.environment},
                          {"hint", "No network resource of the database has this environment."}});
        }
        dispatcher_.configure(std::move(resources));
        configured_ = true;
        // The database gives nothing to a bridge that has not read its newest configuration.
        pacer_.notified(clock_.now());
        if (std::exchange(reloading_, false) && ready_) systemd_.ready();
    });
}

void Bridge::send_report() {
    const std::uint64_t registration = registration_;
    database_.report(
        bridge_id_, reports_.start_batch(),
        [this, registration](std::vector<ClaimedCall> calls, const PgError* error) {
            if (registration != registration_) return;
            if (error != nullptr && !error->connection_lost && error->sqlstate != kLeaseLost) {
                for (const CallResult& result : reports_.refused(clock_.now())) {
                    log::error("result_given_up", {{"activity", result.activity_id},
                                                   {"call", result.call_number},
                                                   {"curl_result", result.curl_result},
                                                   {"http_status", result.http_status}});
                }
            }
            if (set_aside("report", error, registration)) return;
            std::vector<std::int64_t> again;
            std::erase_if(calls, [&again](const ClaimedCall& call) {
                if (!call.method.empty()) return false;
                again.push_back(call.activity_id);
                return true;
            });
            reports_.confirmed(again, clock_.now());
            pacer_.reported(clock_.now());
            take(std::move(calls));
        });
}

void Bridge::send_claim(TimePoint now) {
    const std::size_t limit = pacer_.claim_limit(in_hand());
    pacer_.claim_sent(now, limit);
    const std::uint64_t registration = registration_;
    database_.claim(bridge_id_, static_cast<std::int32_t>(limit),
                    [this, registration](std::vector<ClaimedCall> calls, const PgError* error) {
                        if (registration == registration_ && error != nullptr &&
                            !error->connection_lost && error->sqlstate != kLeaseLost) {
                            pacer_.claim_failed(clock_.now());
                        }
                        if (set_aside("claim", error, registration)) return;
                        const std::size_t rows = calls.size();
                        take(std::move(calls));
                        pacer_.claim_answered(rows, clock_.now(), in_hand());
                        claimed_once_ = true;
                        become_ready();
                    });
}

void Bridge::take(std::vector<ClaimedCall> calls) {
    claimed_ += calls.size();
    dispatcher_.accept(std::move(calls));
    if (stopping_) dispatcher_.give_back_waiting();
}

void Bridge::pace(TimePoint now) {
    while (true) {
        switch (pacer_.next(now, in_hand())) {
            case Pacer::Action::nothing:
                return;
            case Pacer::Action::claim:
                send_claim(now);
                break;
            case Pacer::Action::wake:
                pacer_.wake_sent();
                listener_.wake(bridge_id_);
                break;
            case Pacer::Action::sleep: {
                pacer_.sleep_sent();
                const std::uint64_t registration = registration_;
                listener_.sleep(bridge_id_,
                                [this, registration](SleepAnswer answer, const PgError* error) {
                                    if (error != nullptr && error->connection_lost) return;
                                    const bool failed = set_aside("sleep", error, registration);
                                    if (failed) {
                                        pacer_.sleep_failed(clock_.now());
                                    } else {
                                        pacer_.sleep_answered(answer.alone, answer.claimable,
                                                              answer.next_due, clock_.now());
                                    }
                                });
                break;
            }
        }
    }
}

void Bridge::test_listener() {
    if (!listener_.listening() || listener_.hearing() || listener_.testing()) return;
    database_.notify(listener_.test(), [this](bool, const PgError* error) {
        if (error == nullptr) return;
        listener_.test_interrupted();
        if (!error->connection_lost) {
            log::error("statement_failed", {{"statement", "notify"},
                                            {"sqlstate", error->sqlstate},
                                            {"reason", error->message}});
            listener_.restart(error->message);
        }
    });
}

void Bridge::on_database_ready() {
    // What the database believes after an interruption is compared first.
    if (bridge_id_ != 0) beat_wanted_ = true;
}

void Bridge::on_database_lost() {
    registering_ = false;
    beat_in_flight_ = false;
    configuration_in_flight_ = false;
    if (bridge_id_ != 0) configuration_wanted_ = true;
    pacer_.claim_interrupted();
    reports_.interrupted();
    listener_.test_interrupted();
}

void Bridge::on_listening() {}  // the next turn of the loop tests it

void Bridge::on_hearing() {
    log::info("listening");
    pacer_.listening(clock_.now());
    become_ready();
}

void Bridge::on_deaf() {
    log::error("notification_missing",
               {{"hint",
                 "The connection does not deliver notifications; is there a transaction pooler "
                 "between the bridge and PostgreSQL?"}});
    if (!ready_) {
        fatal_ = "a notification that the bridge sent to itself did not arrive within 5 s";
        done_ = true;
        exit_code_ = 1;
        return;
    }
    listener_.restart("own notification did not arrive");
}

void Bridge::on_wake_up() {
    pacer_.notified(clock_.now());
}

void Bridge::on_listener_lost() {
    pacer_.not_listening(clock_.now());
}

void Bridge::become_ready() {
    if (ready_ || !claimed_once_ || !listener_.hearing() || stopping_) return;
    ready_ = true;
    systemd_.ready();
    log::info("ready");
}

void Bridge::arm_pump(TimePoint now) {
    TimePoint next = TimePoint::max();
    if (database_.ready()) {
        const auto consider = [&](bool condition, TimePoint when) {
            if (condition && when > now) next = std::min(next, when);
        };
        consider(bridge_id_ == 0, register_not_before_);
        consider(bridge_id_ != 0 && !beat_in_flight_, lease_.next_beat(beat_sent_at_));
        consider(configuration_wanted_, configuration_not_before_);
        consider(!reports_.empty() && !reports_.under_way(), reports_.not_before());
        if (bridge_id_ != 0 && configured_ && !stopping_ && lease_.holds(now)) {
            if (const auto deadline = pacer_.deadline(in_hand())) next = std::min(next, *deadline);
        }
    }
    if (stopping_) next = std::min(next, aborted_ ? give_up_at_ : abort_at_);
    if (next == TimePoint::max()) {
        pump_timer_.disarm();
    } else {
        pump_timer_.arm_at(next);
    }
}

void Bridge::on_signal(int number) {
    if (number == SIGHUP) {
        log::info("reloading");
        systemd_.reloading();
        reloading_ = true;
        configuration_wanted_ = true;
        return;
    }
    if (stopping_) {
        log::warning("stopped_at_once", {{"in_hand", in_hand()}});
        exit_code_ = 1;
        done_ = true;
        return;
    }
    log::info("stopping", {{"in_hand", in_hand()}});
    systemd_.stopping();
    stopping_ = true;
    dispatcher_.give_back_waiting();
    abort_at_ = clock_.now() + options_.stop_grace;
    give_up_at_ = abort_at_ + kReportGrace;
}

void Bridge::stop_step(TimePoint now) {
    if (now >= abort_at_ && !aborted_) {
        aborted_ = true;
        dispatcher_.abort_in_flight();
    }
    if (now >= give_up_at_) {
        log::warning("stopped_with_results_unreported", {{"in_hand", in_hand()}});
        exit_code_ = 1;
        done_ = true;
        return;
    }
    // A call that came back from a renewed attempt (after 401) does not start again.
    dispatcher_.give_back_waiting();
    if (in_hand() > 0 || pacer_.claim_in_flight() || stop_sent_) return;
    if (bridge_id_ == 0 || !database_.ready()) {
        // Nothing is held: an unreachable database finds out by the lease.
        done_ = true;
        return;
    }
    stop_sent_ = true;
    database_.bridge_stop(bridge_id_, [this](bool, const PgError* error) {
        if (error != nullptr) {
            log::warning("statement_failed", {{"statement", "stop"}, {"reason", error->message}});
        }
        done_ = true;
    });
}

void Bridge::tell_statistics() {
    const std::uint64_t answered = dispatcher_.answered();
    const std::uint64_t calls = answered - std::exchange(told_answered_, answered);
    if (calls > 0) {
        log::info(
            "statistics",
            {{"calls", calls}, {"in_flight", dispatcher_.in_flight()}, {"in_hand", in_hand()}});
    }
    systemd_.status(std::to_string(answered) + " calls made, " + std::to_string(in_hand()) +
                    " activities in hand" + (listener_.hearing() ? "" : ", not listening"));
    statistics_timer_.arm_after(kStatisticsInterval);
}

}  // namespace tbs::bridge

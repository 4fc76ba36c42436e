#include "bridge/listener.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <utility>

#include "bridge/database.hpp"
#include "bridge/log.hpp"

namespace tbs::bridge {

namespace {

constexpr Duration kTestTime = std::chrono::seconds{5};
constexpr const char* kSleep =
    "SELECT alone, claimable, next_due_milliseconds FROM tbs.bridge_sleep($1)";
constexpr const char* kWake = "SELECT tbs.bridge_wake($1)";
constexpr const char* kSleepName = "tbs_sleep";
constexpr const char* kWakeName = "tbs_wake";

PgParameters identity(std::int64_t bridge_id) {
    PgParameters parameters;
    parameters.int64(bridge_id);
    return parameters;
}

}  // namespace

std::string new_test_payload() {
    std::random_device device;
    std::string payload{kTestPayload};
    for (int i = 0; i < 4; ++i) payload += std::to_string(device());
    return payload;
}

Listener::Listener(Reactor& reactor, const ConnectionParameters& parameters,
                   ListenerObserver& observer)
    : observer_{observer},
      session_{reactor, parameters, "listen", *this},
      test_timer_{reactor, [this] { observer_.on_deaf(); }} {}

void Listener::on_session_open() {
    PgConnection& connection = session_.connection();
    const auto check = [](const PgResult&, const PgError* error) {
        if (error == nullptr || error->connection_lost) return;
        log::error("database_unusable",
                   {{"sqlstate", error->sqlstate}, {"reason", error->message}});
    };
    connection.prepare(kSleepName, kSleep, identity(0), check);
    connection.prepare(kWakeName, kWake, identity(0), check);
    connection.query(sql::kListen, PgParameters{}, [this](const PgResult&, const PgError* error) {
        if (error != nullptr) {
            if (!error->connection_lost) session_.restart(error->message);
            return;
        }
        listening_ = true;
        observer_.on_listening();
    });
}

void Listener::on_session_lost() {
    test_timer_.disarm();
    hearing_ = false;
    if (std::exchange(listening_, false)) observer_.on_listener_lost();
}

std::string Listener::test() {
    expected_ = new_test_payload();
    test_timer_.arm_after(kTestTime);
    return expected_;
}

void Listener::test_interrupted() {
    test_timer_.disarm();
}

void Listener::on_session_notification(std::string_view /*channel*/, std::string_view payload) {
    if (payload.starts_with(kTestPayload)) {
        if (payload != expected_ || !test_timer_.armed()) return;
        test_timer_.disarm();
        hearing_ = true;
        session_.healthy();
        observer_.on_hearing();
        return;
    }
    if (hearing_) observer_.on_wake_up();
}

void Listener::sleep(std::int64_t bridge_id, SleepReply reply) {
    session_.connection().execute(
        kSleepName, identity(bridge_id),
        [reply = std::move(reply)](const PgResult& result, const PgError* error) {
            SleepAnswer answer;
            if (error == nullptr && result.rows() > 0) {
                answer.alone = result.boolean(0, 0);
                answer.claimable = result.boolean(0, 1);
                if (!result.is_null(0, 2)) {
                    answer.next_due =
                        std::chrono::milliseconds{std::max<std::int64_t>(result.int64(0, 2), 0)};
                }
            }
            reply(answer, error);
        });
}

void Listener::wake(std::int64_t bridge_id) {
    session_.connection().execute(
        kWakeName, identity(bridge_id), [](const PgResult&, const PgError* error) {
            if (error == nullptr || error->connection_lost) return;
            log::warning("wake_failed",
                         {{"sqlstate", error->sqlstate}, {"reason", error->message}});
        });
}

}  // namespace tbs::bridge

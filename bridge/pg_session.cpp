#include "bridge/pg_session.hpp"

#include "bridge/log.hpp"

namespace tbs::bridge {

namespace {

constexpr Duration kFirstRetry = std::chrono::milliseconds{200};
constexpr Duration kLastRetry = std::chrono::seconds{10};

// A statement that hangs is ended by the server before the bridge gives the connection up.
constexpr const char* kSettings =
    "SELECT pg_catalog.set_config(name, setting, false) FROM (VALUES"
    " ('statement_timeout', '15s'), ('idle_session_timeout', '0'), ('jit', 'off'),"
    " ('default_transaction_isolation', 'read committed')) AS settings (name, setting)";

}  // namespace

PgSession::PgSession(Reactor& reactor, const ConnectionParameters& parameters, const char* purpose,
                     SessionObserver& observer)
    : parameters_{parameters},
      purpose_{purpose},
      observer_{observer},
      backoff_{kFirstRetry, kLastRetry, system_random()},
      retry_timer_{reactor, [this] { start(); }},
      connection_{reactor, *this} {}

void PgSession::start() {
    connection_.open(rotate_hosts(parameters_, attempts_++));
}

void PgSession::stop() {
    retry_timer_.disarm();
    connection_.close();
}

void PgSession::restart(const std::string& reason) {
    connection_.close();
    observer_.on_session_lost();
    retry(reason);
}

void PgSession::on_connected() {
    log::info("database_connected", {{"connection", purpose_}});
    // The next attempt begins with this host again.
    --attempts_;
    connection_.query(kSettings, PgParameters{}, [](const PgResult&, const PgError* error) {
        if (error != nullptr && !error->connection_lost) {
            log::warning("session_settings_refused", {{"reason", error->message}});
        }
    });
    observer_.on_session_open();
}

void PgSession::on_connection_lost(const std::string& reason) {
    observer_.on_session_lost();
    retry(reason);
}

void PgSession::on_notification(std::string_view channel, std::string_view payload) {
    observer_.on_session_notification(channel, payload);
}

void PgSession::retry(const std::string& reason) {
    const Duration pause = backoff_.next();
    log::warning(
        "database_connection_lost",
        {{"connection", purpose_}, {"reason", reason}, {"retry_ms", milliseconds_of(pause)}});
    retry_timer_.arm_after(pause);
}

}  // namespace tbs::bridge

// A connection that comes back: it reconnects with exponential backoff and full jitter, and begins
// each attempt with the next host of a list. Single-threaded.
#pragma once

#include <string>
#include <string_view>

#include "bridge/backoff.hpp"
#include "bridge/conninfo.hpp"
#include "bridge/pg_connection.hpp"

namespace tbs::bridge {

class SessionObserver {
 public:
    SessionObserver() = default;
    virtual ~SessionObserver() = default;
    SessionObserver(const SessionObserver&) = delete;
    SessionObserver& operator=(const SessionObserver&) = delete;
    SessionObserver(SessionObserver&&) = delete;
    SessionObserver& operator=(SessionObserver&&) = delete;

    // Statements sent now are the first ones after the session's settings.
    virtual void on_session_open() = 0;
    virtual void on_session_lost() = 0;
    virtual void on_session_notification(std::string_view channel, std::string_view payload) = 0;
};

class PgSession final : public PgObserver {
 public:
    // `purpose` is for the log.
    PgSession(Reactor& reactor, const ConnectionParameters& parameters, const char* purpose,
              SessionObserver& observer);

    void start();
    void stop();
    // Gives the connection up, and tries again after a pause.
    void restart(const std::string& reason);
    // It does what it is for: the next loss is answered quickly again.
    void healthy() { backoff_.reset(); }

    [[nodiscard]] PgConnection& connection() { return connection_; }
    [[nodiscard]] bool open() const { return connection_.connected(); }

    void on_connected() override;
    void on_connection_lost(const std::string& reason) override;
    void on_notification(std::string_view channel, std::string_view payload) override;

 private:
    void retry(const std::string& reason);

    ConnectionParameters parameters_;
    const char* purpose_;
    SessionObserver& observer_;
    Backoff backoff_;
    std::size_t attempts_ = 0;
    Timer retry_timer_;
    PgConnection connection_;
};

}  // namespace tbs::bridge

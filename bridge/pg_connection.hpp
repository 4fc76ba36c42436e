// One asynchronous connection to PostgreSQL in pipeline mode, driven by the reactor.
//
// Each statement is followed by a sync, so each is a transaction of its own and an error of one
// does not reach the next. Results arrive in the order of sending. Failure: a lost connection ends
// every outstanding statement with an error that says so, then tells the observer once. It does not
// reconnect by itself. Callbacks may send statements and may close().
#pragma once

#include <libpq-fe.h>

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "bridge/conninfo.hpp"
#include "bridge/pg_parameters.hpp"
#include "bridge/pg_result.hpp"
#include "bridge/reactor.hpp"

namespace tbs::bridge {

class PgObserver {
 public:
    PgObserver() = default;
    virtual ~PgObserver() = default;
    PgObserver(const PgObserver&) = delete;
    PgObserver& operator=(const PgObserver&) = delete;
    PgObserver(PgObserver&&) = delete;
    PgObserver& operator=(PgObserver&&) = delete;

    virtual void on_connected() = 0;
    virtual void on_connection_lost(const std::string& reason) = 0;
    virtual void on_notification(std::string_view channel, std::string_view payload) = 0;
};

class PgConnection final : public IoHandler {
 public:
    // Exactly one of the two is meaningful: `error` when not null.
    using Callback = std::function<void(const PgResult& result, const PgError* error)>;

    PgConnection(Reactor& reactor, PgObserver& observer);
    ~PgConnection() override;
    PgConnection(const PgConnection&) = delete;
    PgConnection& operator=(const PgConnection&) = delete;
    PgConnection(PgConnection&&) = delete;
    PgConnection& operator=(PgConnection&&) = delete;

    void open(const ConnectionParameters& parameters);
    // Without telling anyone; outstanding callbacks are dropped.
    void close();

    // Only while connected(); a failure to send shows up as a lost connection.
    void prepare(const char* name, const char* sql, const PgParameters& types, Callback callback);
    void execute(const char* name, const PgParameters& parameters, Callback callback);
    void query(const char* sql, const PgParameters& parameters, Callback callback);

    [[nodiscard]] bool connected() const { return state_ == State::connected; }
    [[nodiscard]] bool closed() const { return state_ == State::closed; }
    [[nodiscard]] std::size_t outstanding() const { return outstanding_.size(); }

    void on_io(int fd, std::uint32_t events) override;

 private:
    enum class State { closed, connecting, connected };

    struct Statement {
        Callback callback;
        PgResult result;
        bool failed = false;
        PgError error;
    };

    void continue_connecting();
    void sent(int ok, Callback callback);
    void flush();
    void watch(std::uint32_t events);
    void receive();
    void read_results();
    void read_notifications();
    void fail_later(std::string reason);
    void lose(std::string reason);
    void release();

    Reactor& reactor_;
    PgObserver& observer_;
    Timer connect_timer_;
    Timer answer_timer_;
    Timer failure_timer_;
    std::string failure_;
    std::unique_ptr<PGconn, decltype(&PQfinish)> connection_{nullptr, &PQfinish};
    int fd_ = -1;
    State state_ = State::closed;
    unsigned generation_ = 0;  // tells whether a callback has closed or reopened the connection
    unsigned empty_reads_ = 0;
    std::deque<Statement> outstanding_;
};

}  // namespace tbs::bridge

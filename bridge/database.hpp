// The functions of the extension that a bridge calls: the only place of the bridge with SQL. The
// working connection; the listening one is Listener.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/pg_session.hpp"
#include "bridge/report_queue.hpp"
#include "bridge/resource.hpp"

namespace tbs::bridge {

// The registration is not (or no longer) valid: the lease is lost.
inline constexpr std::string_view kLeaseLost = "TB001";

struct Registration {
    std::int64_t bridge_id = 0;
    Duration lease{};
    Duration beat{};
};

struct BeatAnswer {
    std::int64_t configuration_version = 0;
    std::vector<std::int64_t> lost;
};

// A finished request. The views point into `backing`, which is shared by all calls of one claim.
struct ClaimedCall {
    std::int64_t activity_id = 0;
    std::int32_t call_number = 0;
    std::int32_t network_resource_id = 0;
    std::string_view method;
    std::string_view path;
    std::string_view headers;  // a JSON object; empty: none
    std::string_view body;
    bool has_body = false;
    std::string_view secrets;               // a JSON object; empty: none
    std::int32_t timeout_milliseconds = 0;  // 0: the resource's
    PgResult backing;
};

class DatabaseObserver {
 public:
    DatabaseObserver() = default;
    virtual ~DatabaseObserver() = default;
    DatabaseObserver(const DatabaseObserver&) = delete;
    DatabaseObserver& operator=(const DatabaseObserver&) = delete;
    DatabaseObserver(DatabaseObserver&&) = delete;
    DatabaseObserver& operator=(DatabaseObserver&&) = delete;
    virtual void on_database_ready() = 0;
    virtual void on_database_lost() = 0;
};

class Database final : public SessionObserver {
 public:
    // `error` is null on success. After a lost connection a reply says so with
    // error->connection_lost.
    template <typename Value>
    using Reply = std::function<void(Value value, const PgError* error)>;

    Database(Reactor& reactor, const ConnectionParameters& parameters, DatabaseObserver& observer);

    void start() { session_.start(); }
    void stop() { session_.stop(); }
    void restart(const std::string& reason) { session_.restart(reason); }
    void healthy() { session_.healthy(); }
    [[nodiscard]] bool ready() const { return ready_; }

    // Each is one transaction; they are carried out in the order of calling. Only while ready().
    void bridge_start(std::string_view name, std::string_view version, std::string_view environment,
                      Reply<Registration> reply);
    void bridge_configuration(std::int64_t bridge_id,
                              Reply<std::vector<ResourceConfiguration>> reply);
    void bridge_beat(std::int64_t bridge_id, std::span<const std::int64_t> held,
                     Reply<BeatAnswer> reply);
    void claim(std::int64_t bridge_id, std::int32_t maximum, Reply<std::vector<ClaimedCall>> reply);
    void report(std::int64_t bridge_id, std::span<const CallResult> results,
                Reply<std::vector<ClaimedCall>> reply);
    void bridge_stop(std::int64_t bridge_id, Reply<bool> reply);
    void notify(std::string_view payload, Reply<bool> reply);

    void on_session_open() override;
    void on_session_lost() override;
    void on_session_notification(std::string_view channel, std::string_view payload) override;

 private:
    DatabaseObserver& observer_;
    PgSession session_;
    bool ready_ = false;
};

// Parsing of results, shared with --check.
namespace sql {
inline constexpr const char* kBridgeStart =
    "SELECT bridge_id, lease_milliseconds, beat_milliseconds FROM tbs.bridge_start($1, $2, $3)";
inline constexpr const char* kBridgeConfiguration =
    "SELECT network_resource_id, name, base_url, authentication, secrets, tls, connections,"
    " timeout_milliseconds, connect_timeout_milliseconds, maximum_answer_bytes"
    " FROM tbs.bridge_configuration($1)";
inline constexpr const char* kBridgeStop = "SELECT tbs.bridge_stop($1)";
inline constexpr const char* kNotify = "SELECT pg_catalog.pg_notify('tbs_activity', $1)";
inline constexpr const char* kListen = "LISTEN tbs_activity";
}  // namespace sql

[[nodiscard]] std::vector<ResourceConfiguration> read_configuration(const PgResult& result);

}  // namespace tbs::bridge

#include "bridge/database.hpp"

#include <algorithm>
#include <utility>

#include "bridge/log.hpp"

namespace tbs::bridge {

namespace {

constexpr const char* kCallColumns =
    "SELECT activity_id, call_number, network_resource_id, method, path, headers, body, secrets,"
    " timeout_milliseconds FROM ";

constexpr const char* kBeatName = "tbs_beat";
constexpr const char* kBeatText = "SELECT configuration_version, lost FROM tbs.bridge_beat($1, $2)";
constexpr const char* kClaimName = "tbs_claim";
constexpr const char* kClaimText = "tbs.claim($1, $2)";
constexpr const char* kReportName = "tbs_report";
constexpr const char* kReportText = "tbs.report($1, $2, $3, $4, $5, $6, $7, $8, $9)";

std::vector<ClaimedCall> read_calls(const PgResult& result) {
    std::vector<ClaimedCall> calls;
    calls.reserve(static_cast<std::size_t>(result.rows()));
    for (int row = 0; row < result.rows(); ++row) {
        ClaimedCall& call = calls.emplace_back();
        call.activity_id = result.int64(row, 0);
        call.call_number = result.int32(row, 1);
        call.network_resource_id = result.int32(row, 2);
        call.method = result.text(row, 3);
        call.path = result.text(row, 4);
        call.headers = result.text(row, 5);
        call.body = result.text(row, 6);
        call.has_body = !result.is_null(row, 6);
        call.secrets = result.text(row, 7);
        call.timeout_milliseconds = result.int32(row, 8);
        call.backing = result;
    }
    return calls;
}

PgParameters beat_parameters(std::int64_t bridge_id, std::span<const std::int64_t> held) {
    PgParameters parameters;
    parameters.int64(bridge_id).int64_array(held);
    return parameters;
}

PgParameters claim_parameters(std::int64_t bridge_id, std::int32_t maximum) {
    PgParameters parameters;
    parameters.int64(bridge_id).int32(maximum);
    return parameters;
}

PgParameters report_parameters(std::int64_t bridge_id, std::span<const CallResult> results) {
    std::string headers = "[";
    for (const CallResult& result : results) {
        if (headers.size() > 1) headers += ',';
        headers += result.headers.empty() ? "{}" : result.headers;
    }
    headers += ']';
    const std::size_t count = results.size();
    const auto number = [results](std::size_t i) { return results[i].call_number; };
    const auto curl_result = [results](std::size_t i) { return results[i].curl_result; };
    const auto http_status = [results](std::size_t i) { return results[i].http_status; };
    PgParameters parameters;
    parameters.int64(bridge_id)
        .int64_array(count, [results](std::size_t i) { return results[i].activity_id; })
        .int32_array(count, number)
        .int32_array(count, curl_result)
        .int32_array(count, http_status)
        .json(headers)
        .bytes_array(count,
                     [results](std::size_t i) { return std::string_view{results[i].answer}; })
        .time_array(count, [results](std::size_t i) { return results[i].started_at; })
        .int64_array(count, [results](std::size_t i) { return results[i].elapsed_microseconds; });
    return parameters;
}

}  // namespace

std::vector<ResourceConfiguration> read_configuration(const PgResult& result) {
    std::vector<ResourceConfiguration> resources;
    for (int row = 0; row < result.rows(); ++row) {
        ResourceConfiguration& resource = resources.emplace_back();
        resource.id = result.int32(row, 0);
        resource.name = std::string{result.text(row, 1)};
        resource.connections = static_cast<std::size_t>(std::max(result.int32(row, 6), 1));
        if (result.int32(row, 7) > 0) {
            resource.timeout = std::chrono::milliseconds{result.int32(row, 7)};
        }
        if (result.int32(row, 8) > 0) {
            resource.connect_timeout = std::chrono::milliseconds{result.int32(row, 8)};
        }
        if (result.int32(row, 9) > 0) {
            resource.maximum_answer_bytes = static_cast<std::size_t>(result.int32(row, 9));
        }
        read_resource(resource, result.text(row, 2), result.text(row, 3), result.text(row, 4),
                      result.text(row, 5));
    }
    return resources;
}

Database::Database(Reactor& reactor, const ConnectionParameters& parameters,
                   DatabaseObserver& observer)
    : observer_{observer}, session_{reactor, parameters, "work", *this} {}

void Database::on_session_open() {
    const auto check = [this](const PgResult&, const PgError* error) {
        if (error == nullptr || error->connection_lost || !ready_) return;
        log::error("database_unusable",
                   {{"sqlstate", error->sqlstate},
                    {"reason", error->message},
                    {"hint",
                     "Is the extension tbs installed in this database, and has this role been "
                     "given access with tbs.grant_access(role, 'bridge')?"}});
        session_.restart(error->message);
    };
    PgConnection& connection = session_.connection();
    connection.prepare(kBeatName, kBeatText, beat_parameters(0, {}), check);
    connection.prepare(kClaimName, (std::string{kCallColumns} + kClaimText).c_str(),
                       claim_parameters(0, 0), check);
    connection.prepare(kReportName, (std::string{kCallColumns} + kReportText).c_str(),
                       report_parameters(0, {}), check);
    ready_ = true;
    observer_.on_database_ready();
}

void Database::on_session_lost() {
    const bool was_ready = std::exchange(ready_, false);
    if (was_ready) observer_.on_database_lost();
}

void Database::on_session_notification(std::string_view /*channel*/, std::string_view /*payload*/) {
}

void Database::bridge_start(std::string_view name, std::string_view version,
                            std::string_view environment, Reply<Registration> reply) {
    PgParameters parameters;
    parameters.text(name).text(version).text(environment);
    session_.connection().query(
        sql::kBridgeStart, parameters,
        [reply = std::move(reply)](const PgResult& result, const PgError* error) {
            Registration registration;
            if (error == nullptr && result.rows() > 0) {
                registration.bridge_id = result.int64(0, 0);
                registration.lease = std::chrono::milliseconds{result.int32(0, 1)};
                registration.beat = std::chrono::milliseconds{result.int32(0, 2)};
            }
            reply(registration, error);
        });
}

void Database::bridge_configuration(std::int64_t bridge_id,
                                    Reply<std::vector<ResourceConfiguration>> reply) {
    PgParameters parameters;
    parameters.int64(bridge_id);
    session_.connection().query(
        sql::kBridgeConfiguration, parameters,
        [reply = std::move(reply)](const PgResult& result, const PgError* error) {
            reply(error == nullptr ? read_configuration(result)
                                   : std::vector<ResourceConfiguration>{},
                  error);
        });
}

void Database::bridge_beat(std::int64_t bridge_id, std::span<const std::int64_t> held,
                           Reply<BeatAnswer> reply) {
    session_.connection().execute(
        kBeatName, beat_parameters(bridge_id, held),
        [reply = std::move(reply)](const PgResult& result, const PgError* error) {
            BeatAnswer answer;
            if (error == nullptr && result.rows() > 0) {
                answer.configuration_version = result.int64(0, 0);
                answer.lost = result.int64_array(0, 1);
            }
            reply(std::move(answer), error);
        });
}

void Database::claim(std::int64_t bridge_id, std::int32_t maximum,
                     Reply<std::vector<ClaimedCall>> reply) {
    session_.connection().execute(
        kClaimName, claim_parameters(bridge_id, maximum),
        [reply = std::move(reply)](const PgResult& result, const PgError* error) {
            reply(error == nullptr ? read_calls(result) : std::vector<ClaimedCall>{}, error);
        });
}

void Database::report(std::int64_t bridge_id, std::span<const CallResult> results,
                      Reply<std::vector<ClaimedCall>> reply) {
    session_.connection().execute(
        kReportName, report_parameters(bridge_id, results),
        [reply = std::move(reply)](const PgResult& result, const PgError* error) {
            reply(error == nullptr ? read_calls(result) : std::vector<ClaimedCall>{}, error);
        });
}

void Database::bridge_stop(std::int64_t bridge_id, Reply<bool> reply) {
    PgParameters parameters;
    parameters.int64(bridge_id);
    session_.connection().query(
        sql::kBridgeStop, parameters,
        [reply = std::move(reply)](const PgResult&, const PgError* error) { reply(true, error); });
}

void Database::notify(std::string_view payload, Reply<bool> reply) {
    PgParameters parameters;
    parameters.text(payload);
    session_.connection().query(
        sql::kNotify, parameters,
        [reply = std::move(reply)](const PgResult&, const PgError* error) { reply(true, error); });
}

}  // namespace tbs::bridge

#include "bridge/check.hpp"

#include <poll.h>

#include <iostream>
#include <memory>
#include <vector>

#include "bridge/conninfo.hpp"
#include "bridge/database.hpp"
#include "bridge/error.hpp"
#include "bridge/listener.hpp"

namespace tbs::bridge {

namespace {

constexpr std::chrono::seconds kNotificationTime{5};

class CheckConnection {
 public:
    explicit CheckConnection(ConnectionParameters parameters) {
        // Unlike the bridge this waits inside libpq.
        parameters.emplace(parameters.begin(), "connect_timeout", "10");
        std::vector<const char*> keywords;
        std::vector<const char*> values;
        for (const auto& [keyword, value] : parameters) {
            keywords.push_back(keyword.c_str());
            values.push_back(value.c_str());
        }
        keywords.push_back(nullptr);
        values.push_back(nullptr);
        connection_.reset(PQconnectdbParams(keywords.data(), values.data(), 0));
        if (PQstatus(connection_.get()) != CONNECTION_OK) {
            std::string text = PQerrorMessage(connection_.get());
            while (text.ends_with('\n')) text.pop_back();
            throw BridgeError{"no connection to the database: " + text};
        }
        PQsetNoticeReceiver(
            connection_.get(), [](void*, const PGresult*) {}, nullptr);
    }

    PgResult query(const char* sql, const PgParameters& parameters = {}) {
        const std::vector<int> formats(static_cast<std::size_t>(parameters.count()), 1);
        PgResult result{PQexecParams(connection_.get(), sql, parameters.count(),
                                     parameters.types().data(), parameters.pointers().data(),
                                     parameters.lengths().data(), formats.data(), 0)};
        if (result.status() != PGRES_TUPLES_OK && result.status() != PGRES_COMMAND_OK) {
            const PgError error = result.error();
            std::string text = error.message;
            if (!error.detail.empty()) text += " (" + error.detail + ")";
            throw BridgeError{text, error.hint};
        }
        return result;
    }

    // Waits for a notification with this payload.
    bool hears(const std::string& payload) {
        const auto deadline = std::chrono::steady_clock::now() + kNotificationTime;
        while (true) {
            if (PQconsumeInput(connection_.get()) == 0) return false;
            while (true) {
                const std::unique_ptr<PGnotify, decltype(&PQfreemem)> notification{
                    PQnotifies(connection_.get()), &PQfreemem};
                if (notification == nullptr) break;
                if (payload == notification->extra) return true;
            }
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                deadline - std::chrono::steady_clock::now());
            if (left.count() <= 0) return false;
            pollfd descriptor{PQsocket(connection_.get()), POLLIN, 0};
            poll(&descriptor, 1, static_cast<int>(left.count()));
        }
    }

 private:
    std::unique_ptr<PGconn, decltype(&PQfinish)> connection_{nullptr, &PQfinish};
};

void check_notifications(CheckConnection& listening, CheckConnection& working) {
    listening.query(sql::kListen);
    const std::string payload = new_test_payload();
    PgParameters parameters;
    parameters.text(payload);
    working.query(sql::kNotify, parameters);
    if (!listening.hears(payload)) {
        throw BridgeError{
            "a notification that was sent to the own channel did not arrive within 5 s",
            "LISTEN and NOTIFY do not pass a transaction pooler: connect directly or through a "
            "session pool."};
    }
    std::cout << "notifications: arrive\n";
}

bool print_resources(const std::vector<ResourceConfiguration>& resources) {
    bool good = true;
    std::cout << "network resources: " << resources.size() << '\n';
    for (const ResourceConfiguration& resource : resources) {
        std::cout << "  " << resource.name << ": " << origin_of(resource.base_url) << ", "
                  << resource.connections << " connections, ";
        if (resource.problem.empty()) {
            std::cout << "all secret references resolved\n";
        } else {
            std::cout << "UNUSABLE: " << resource.problem << '\n';
            good = false;
        }
    }
    return good;
}

bool run_checks(const Options& options) {
    const ConnectionParameters parameters = read_conninfo(options.database, "tbs-bridge --check");
    std::cout << "database: " << describe(parameters) << '\n';
    CheckConnection working{parameters};
    CheckConnection listening{parameters};

    const PgResult extension =
        working.query("SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'tbs'");
    if (extension.rows() == 0) {
        throw BridgeError{"the extension tbs is not installed in this database",
                          "CREATE EXTENSION tbs"};
    }
    std::cout << "extension: tbs " << extension.text(0, 0) << ", bridge: " << version() << '\n';
    check_notifications(listening, working);

    PgParameters registration;
    registration.text(options.name).text(version()).text(options.environment);
    const PgResult started = working.query(sql::kBridgeStart, registration);
    if (started.rows() == 0) throw BridgeError{"the database did not register the bridge"};
    PgParameters identity;
    identity.int64(started.int64(0, 0));
    std::cout << "environment: " << options.environment << ", lease: " << started.int32(0, 1)
              << " ms\n";
    const bool good =
        print_resources(read_configuration(working.query(sql::kBridgeConfiguration, identity)));
    working.query(sql::kBridgeStop, identity);
    return good;
}

}  // namespace

int check(const Options& options) {
    try {
        const bool good = run_checks(options);
        std::cout << (good ? "check: ok\n" : "check: failed\n");
        return good ? 0 : 1;
    } catch (const BridgeError& error) {
        std::cout << "check: failed: " << error.what() << '\n';
        if (!error.hint().empty()) std::cout << "hint: " << error.hint() << '\n';
        return 1;
    }
}

}  // namespace tbs::bridge

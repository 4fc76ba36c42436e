#include "bridge/options.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cmath>
#include <map>

namespace tbs::bridge {

namespace {

std::string default_name() {
    std::array<char, 256> host{};
    if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
    return std::string{host.data()} + ":" + std::to_string(getpid());
}

Duration seconds(double value) {
    return std::chrono::milliseconds{static_cast<std::int64_t>(std::llround(value * 1000.0))};
}

}  // namespace

const char* version() {
    return TBS_VERSION;
}

ParsedOptions parse_options(int argument_count, const char* const* arguments) {
    ParsedOptions parsed;
    Options& options = parsed.options;
    double poll_interval = 5.0;
    double stop_grace = 20.0;

    CLI::App app{"Makes the API calls that the tbs extension has queued, and reports the answers."};
    app.name("tbs-bridge");
    app.set_version_flag("--version", std::string{"tbs-bridge "} + version());
    app.set_config("--config", "",
                   "Configuration file with lines such as: environment = production")
        ->envname("TBS_BRIDGE_CONFIG");
    app.add_option(
           "--database", options.database,
           "libpq connection string or URI; several hosts are allowed. Not through a "
           "transaction pooler. Default: libpq's environment variables (PGHOST, PGSERVICE ...)")
        ->envname("TBS_BRIDGE_DATABASE");
    app.add_option("--environment", options.environment,
                   "Environment this bridge serves; must equal the environment of the network "
                   "resources it is to call")
        ->envname("TBS_BRIDGE_ENVIRONMENT")
        ->required();
    app.add_option("--name", options.name, "Name shown in the database. Default: host:pid")
        ->envname("TBS_BRIDGE_NAME");
    app.add_option("--claim-size", options.claim_size, "Most activities taken at once")
        ->envname("TBS_BRIDGE_CLAIM_SIZE")
        ->check(CLI::Range(std::size_t{1}, std::size_t{10000}))
        ->capture_default_str();
    app.add_option("--maximum-in-flight", options.maximum_in_flight,
                   "Most activities in hand at a time")
        ->envname("TBS_BRIDGE_MAXIMUM_IN_FLIGHT")
        ->check(CLI::Range(std::size_t{1}, std::size_t{100000}))
        ->capture_default_str();
    app.add_option("--poll-interval", poll_interval,
                   "Seconds between looks at the queue when no notification comes")
        ->envname("TBS_BRIDGE_POLL_INTERVAL")
        ->check(CLI::Range(0.05, 3600.0))
        ->capture_default_str();
    app.add_option("--stop-grace", stop_grace,
                   "Seconds that calls under way get to finish after SIGTERM")
        ->envname("TBS_BRIDGE_STOP_GRACE")
        ->check(CLI::Range(0.0, 3600.0))
        ->capture_default_str();
    const std::map<std::string, log::Level> levels{{"debug", log::Level::debug},
                                                   {"info", log::Level::info},
                                                   {"warning", log::Level::warning},
                                                   {"error", log::Level::error}};
    app.add_option("--log-level", options.log_level, "debug, info, warning or error")
        ->envname("TBS_BRIDGE_LOG_LEVEL")
        ->transform(CLI::CheckedTransformer(levels, CLI::ignore_case));
    app.add_flag("--check", options.check,
                 "Check configuration and connection, print the resources, call none, and exit")
        ->configurable(false);
    try {
        app.parse(argument_count, arguments);
    } catch (const CLI::ParseError& error) {
        parsed.exit_code = app.exit(error) == 0 ? 0 : 2;
        return parsed;
    }
    options.poll_interval = seconds(poll_interval);
    options.stop_grace = seconds(stop_grace);
    if (options.name.empty()) options.name = default_name();
    return parsed;
}

}  // namespace tbs::bridge

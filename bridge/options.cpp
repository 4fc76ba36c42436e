#include "bridge/options.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

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

log::Level level_of(std::string_view name) {
    if (name == "debug") return log::Level::debug;
    if (name == "warning") return log::Level::warning;
    if (name == "error") return log::Level::error;
    return log::Level::info;
}

// TBS_BRIDGE_CLAIM_SIZE=5 is --claim-size=5 before everything on the command line, so that the
// command line wins over it, and both over the configuration file.
std::vector<std::string> arguments_from_environment() {
    static constexpr std::array<std::string_view, 9> kNames = {
        "config",        "database",   "environment", "name", "claim-size", "maximum-in-flight",
        "poll-interval", "stop-grace", "log-level"};
    std::vector<std::string> arguments;
    for (const std::string_view name : kNames) {
        std::string variable = "TBS_BRIDGE_";
        for (const char c : name) {
            variable += c == '-' ? '_' : static_cast<char>(c >= 'a' ? c - 'a' + 'A' : c);
        }
        const char* const value = std::getenv(variable.c_str());
        if (value != nullptr) arguments.push_back("--" + std::string{name} + "=" + value);
    }
    return arguments;
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
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    app.footer(
        "Each option with a value can also be given as an environment variable (--claim-size as\n"
        "TBS_BRIDGE_CLAIM_SIZE) or as a line of the configuration file (claim-size = 250). The\n"
        "command line wins over the environment, and the environment over the file.");
    app.set_version_flag("--version", std::string{"tbs-bridge "} + version());
    app.set_config("--config", "",
                   "Configuration file with lines such as: environment = production");
    app.add_option(
        "--database", options.database,
        "libpq connection string or URI; several hosts are allowed. Not through a "
        "transaction pooler. Default: libpq's environment variables (PGHOST, PGSERVICE ...)");
    app.add_option("--environment", options.environment,
                   "Environment this bridge serves; must equal the environment of the network "
                   "resources it is to call")
        ->required();
    app.add_option("--name", options.name, "Name shown in the database. Default: host:pid");
    app.add_option("--claim-size", options.claim_size, "Most activities taken at once")
        ->check(CLI::Range(std::size_t{1}, std::size_t{10000}))
        ->capture_default_str();
    app.add_option("--maximum-in-flight", options.maximum_in_flight,
                   "Most activities in hand at a time")
        ->check(CLI::Range(std::size_t{1}, std::size_t{100000}))
        ->capture_default_str();
    app.add_option("--poll-interval", poll_interval,
                   "Seconds between looks at the queue when no notification comes")
        ->check(CLI::Range(0.05, 3600.0))
        ->capture_default_str();
    app.add_option("--stop-grace", stop_grace,
                   "Seconds that calls under way get to finish after SIGTERM")
        ->check(CLI::Range(0.0, 3600.0))
        ->capture_default_str();
    std::string log_level = "info";
    app.add_option("--log-level", log_level, "How much is logged")
        ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
        ->capture_default_str();
    app.add_flag("--check", options.check,
                 "Check configuration and connection, print the resources, call none, and exit")
        ->configurable(false);
    try {
        std::vector<std::string> all = arguments_from_environment();
        all.insert(all.end(), arguments + 1, arguments + argument_count);
        std::reverse(all.begin(), all.end());  // as CLI11 wants them
        app.parse(std::move(all));
    } catch (const CLI::ParseError& error) {
        parsed.exit_code = app.exit(error) == 0 ? 0 : 2;
        return parsed;
    }
    options.poll_interval = seconds(poll_interval);
    options.stop_grace = seconds(stop_grace);
    options.log_level = level_of(log_level);
    if (options.name.empty()) options.name = default_name();
    return parsed;
}

}  // namespace tbs::bridge

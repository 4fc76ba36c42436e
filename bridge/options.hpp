// The command line, TBS_BRIDGE_* environment variables and the configuration file, in this order of
// precedence.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "bridge/clock.hpp"
#include "bridge/log.hpp"

namespace tbs::bridge {

struct Options {
    std::string database;  // libpq conninfo; empty: libpq's environment variables
    std::string environment;
    std::string name;
    std::size_t claim_size = 250;
    std::size_t maximum_in_flight = 500;
    Duration poll_interval = std::chrono::seconds{5};
    Duration stop_grace = std::chrono::seconds{20};
    log::Level log_level = log::Level::info;
    bool check = false;
};

// Prints help, version or what is wrong, and gives the exit code, when there is nothing to run.
struct ParsedOptions {
    Options options;
    std::optional<int> exit_code;
};
[[nodiscard]] ParsedOptions parse_options(int argument_count, const char* const* arguments);

[[nodiscard]] const char* version();

}  // namespace tbs::bridge

// The connection string of libpq, completed with what the bridge needs and the user did not say.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tbs::bridge {

using ConnectionParameters = std::vector<std::pair<std::string, std::string>>;

// Throws BridgeError for a malformed string. What the string or libpq's environment variables say
// wins over the defaults set here (target_session_attrs=read-write, keepalives, application_name).
[[nodiscard]] ConnectionParameters read_conninfo(std::string_view conninfo,
                                                 std::string_view application_name);

// The same hosts, beginning with number `first` (modulo their number): an attempt that hangs at one
// host is followed by one that begins with the next.
[[nodiscard]] ConnectionParameters rotate_hosts(ConnectionParameters parameters, std::size_t first);

// For logs: host, port and database, without user or password.
[[nodiscard]] std::string describe(const ConnectionParameters& parameters);

}  // namespace tbs::bridge

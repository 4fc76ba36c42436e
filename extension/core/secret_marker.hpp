// Secrets are never rendered. A template that names one gets a marker, which the bridge replaces
// just before sending; so no other text may look like a marker.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/json.hpp"

namespace tbs::core {

// The member, of the context or of an item, whose members are secrets.
inline constexpr std::string_view kSecretMember = "secret";

// The marker of a secret {"id": 77, "version": 2}: __TBS_SECRET_77_2__. Throws RenderError when the
// value is not of that shape; `name` is only used in the message.
[[nodiscard]] std::string secret_marker(const Json& secret, std::string_view name);

// How many markers a value holds, its member names included.
[[nodiscard]] std::size_t count_secret_markers(const Json& value);

// Throws RenderError unless `value` holds exactly `expected` markers: more of them were smuggled in
// by the data, whole or in pieces.
void check_secret_markers(const Json& value, std::size_t expected);

}  // namespace tbs::core

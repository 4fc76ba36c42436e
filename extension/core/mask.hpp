// Keeps the values of secret members out of logs.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json_events.hpp"

namespace tbs::core {

inline constexpr std::string_view kMask = "***";

// Names of members whose values are secret; case does not matter.
class SecretMembers {
 public:
    explicit SecretMembers(std::vector<std::string> names) : names_(std::move(names)) {}
    [[nodiscard]] bool contains(std::string_view name) const noexcept;

 private:
    std::vector<std::string> names_;
};

// name=value, name: value, "name": value and <name>value</name> in a text of any kind, also in one
// that was cut off: rather too much is masked than too little.
[[nodiscard]] std::string mask_text(std::string_view text, const SecretMembers& secrets);

// Members of a document, at any depth, and texts within its strings. A null stays, since it tells
// nothing but that there is no value. The events point into `events` or into the list itself.
[[nodiscard]] JsonEventList mask_events(std::span<const JsonEvent> events,
                                        const SecretMembers& secrets);

// A JSON text as compact JSON with masked members, at least `enough` bytes of it if there are so
// many. False when it is no JSON up to there; `masked` is then of no use.
[[nodiscard]] bool mask_json_text(std::string_view text, const SecretMembers& secrets,
                                  std::size_t enough, std::string& masked);

}  // namespace tbs::core

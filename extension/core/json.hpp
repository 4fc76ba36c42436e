// The JSON value of the core.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace tbs::core {

// Members stay in the order of the document; look-ups in objects of this size are as fast as in a
// tree, and building costs far fewer allocations.
using Json = nlohmann::ordered_json;

inline constexpr std::size_t kMaximumDepth = 64;

// A whole number as such, any other as a double if that is exact; throws RenderError otherwise,
// because a value that is sent must never differ from the value that is stored.
[[nodiscard]] Json exact_number(std::string_view text);

// Compact JSON. Never throws for ill-formed UTF-8.
[[nodiscard]] std::string to_json_text(const Json& value);

// As it is put into text: a string as it is, anything else as compact JSON.
[[nodiscard]] std::string to_text(const Json& value);

[[nodiscard]] bool is_scalar(const Json& value) noexcept;

// Member of an object; nullptr when it is missing, null, or `value` is no object.
[[nodiscard]] const Json* find_member(const Json& value, std::string_view name);

}  // namespace tbs::core

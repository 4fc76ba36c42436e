// JSON helpers that never throw for data.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace tbs::simulator {

using Json = nlohmann::json;

// Compact text; invalid UTF-8 becomes U+FFFD instead of an exception.
std::string to_text(const Json& value);

// A JSON string literal with its quotes.
std::string json_string(std::string_view text);

// The object that the text holds; nothing when it is broken or no object.
std::optional<Json> parse_object(std::string_view text);

// A string member, or a number in its JSON spelling; "" when there is none.
std::string text_member(const Json& object, const std::string& name);

}  // namespace tbs::simulator

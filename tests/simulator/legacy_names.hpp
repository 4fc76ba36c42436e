// The words of API v1 for what v2 calls differently.
#pragma once

#include <string>
#include <string_view>

namespace tbs::simulator {

// The name of a member of `object` (subscriber, device, ...) in the other version; itself where
// both have one word for it.
std::string current_name(std::string_view object, std::string_view name);
std::string legacy_name(std::string_view object, std::string_view name);

// What a number does: "sip:start@to-user" is "to-user".
std::string current_responder(std::string_view responder);
std::string legacy_responder(std::string_view application);

}  // namespace tbs::simulator

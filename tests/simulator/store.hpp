// Everything the switch knows. Keys: domain "acme"; site, user and device "acme/NAME" (no name of a
// domain holds a slash); phone: MAC in lower case; phone number: its digits.
#pragma once

#include <string>
#include <string_view>

#include "table.hpp"

namespace tbs::simulator {

struct Store {
    Table domains;
    Table sites;
    Table users{[](const Json& user) { return text_member(user, "login-username"); }};
    Table devices{[](const Json& device) {
        return text_member(device, "domain") + "/" + text_member(device, "user");
    }};
    Table phones{[](const Json& phone) { return text_member(phone, "domain"); }};
    Table phone_numbers{[](const Json& number) { return text_member(number, "domain"); }};

    void advance(Microseconds now);

    // All that was accepted, visible or not, as JSON text: kind → name → object, names as
    // NAME@DOMAIN.
    std::string state_text() const;
};

std::string child_key(std::string_view domain, std::string_view name);

}  // namespace tbs::simulator

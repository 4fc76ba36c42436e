// Everything the switch knows. Keys: domain "acme"; site, user, device, call queue and address
// "acme/NAME" (no name of a domain holds a slash); answer rule "acme/USER/TIMEFRAME"; agent
// "acme/QUEUE/AGENT"; phone: MAC in lower case; phone number and endpoint: its digits.
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
    Table answer_rules;
    Table call_queues;
    Table agents;
    Table addresses;
    Table endpoints{[](const Json& endpoint) { return text_member(endpoint, "domain"); }};

    void advance(Microseconds now);

    // All that was accepted, visible or not, as JSON text: kind → name → object, names as
    // NAME@DOMAIN, "AGENT in QUEUE@DOMAIN", "TIMEFRAME of USER@DOMAIN".
    std::string state_text() const;
};

std::string child_key(std::string_view domain, std::string_view name);

}  // namespace tbs::simulator

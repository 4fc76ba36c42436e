// Answer rules of a user, by time frame; the one of the time frame "*" comes with the user.
#include <array>

#include "switch.hpp"

namespace tbs::simulator {

namespace {

constexpr std::array<std::string_view, 4> kFixedOfRule = {"domain", "user", "time-frame",
                                                          "created-datetime"};
constexpr std::array<std::string_view, 10> kWithParameters = {
    "simultaneous-ring",      "forward-always",       "forward-on-active",
    "forward-on-busy",        "forward-no-answer",    "forward-when-unregistered",
    "forward-on-dnd",         "forward-on-spam-call", "phone-numbers-to-allow",
    "phone-numbers-to-reject"};
constexpr std::array<std::string_view, 2> kWithout = {"do-not-disturb", "call-screening"};

bool is_feature(const Json& value, bool has_parameters) {
    if (!value.is_object()) return false;
    const std::string enabled = text_member(value, "enabled");
    if (enabled != "yes" && enabled != "no") return false;
    const auto parameters = value.find("parameters");
    return parameters == value.end() || (has_parameters && parameters->is_array());
}

std::optional<Response> invalid_rule(const Json& rule) {
    if (auto problem = missing_member(rule, {"enabled"})) return problem;
    if (auto problem = invalid_choice(rule, {"enabled"}, {"yes", "no"})) return problem;
    for (const std::string_view name : kWithParameters)
        if (rule.contains(name) && !is_feature(rule[std::string(name)], true))
            return refusal(400, "Invalid " + std::string(name) + ".");
    for (const std::string_view name : kWithout)
        if (rule.contains(name) && !is_feature(rule[std::string(name)], false))
            return refusal(400, "Invalid " + std::string(name) + ".");
    return std::nullopt;
}

// The user's name: its key is DOMAIN/USER.
std::string user_of(const std::string& user_key) {
    return user_key.substr(user_key.find('/') + 1);
}

}  // namespace

Response Switch::answer_rules(Call& call, const std::string& user_key, Segments path) {
    if (path.empty()) {
        if (call.get()) return page(call, in_domain(store_.answer_rules, user_key));
        return call.post() ? create_answer_rule(call, user_key) : no_route();
    }
    if (path.size() > 1) return no_route();
    if (call.get() && path[0] == "count")
        return total(in_domain(store_.answer_rules, user_key).size());
    if (call.put())
        if (auto problem = invalid_rule(call.body)) return *problem;
    return item(call, store_.answer_rules, child_key(user_key, path[0]), kFixedOfRule);
}

Response Switch::create_answer_rule(Call& call, const std::string& user_key) {
    if (auto problem = missing_member(call.body, {"synchronous", "time-frame"})) return *problem;
    const bool synchronous = call.take_synchronous();
    if (auto problem = invalid_rule(call.body)) return *problem;
    const std::string frame = text_member(call.body, "time-frame");
    if (frame.empty()) return refusal(400, "Invalid time-frame.");
    const std::string key = child_key(user_key, frame);
    if (store_.answer_rules.visible(key) != nullptr)
        if (auto problem = duplicate(options_.duplicate_device, "Answerrule")) return *problem;
    call.body["domain"] = user_key.substr(0, user_key.find('/'));
    call.body["user"] = user_of(user_key);
    return created(call, store_.answer_rules, key, synchronous);
}

void Switch::add_default_rule(const std::string& user_key, Microseconds due, Microseconds now) {
    auto rule = std::make_shared<Json>(
        Json{{"domain", user_key.substr(0, user_key.find('/'))},
             {"user", user_of(user_key)},
             {"time-frame", "*"},
             {"enabled", "yes"},
             {"simultaneous-ring", {{"enabled", "yes"}, {"parameters", {"<OwnDevices>"}}}}});
    stamp(*rule);
    store_.answer_rules.write(child_key(user_key, "*"), std::move(rule), due, now, true);
}

}  // namespace tbs::simulator

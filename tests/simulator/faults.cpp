#include "faults.hpp"

#include <algorithm>
#include <array>

namespace tbs::simulator {

namespace {

constexpr std::array<std::string_view, 14> kMembers = {
    "method",       "path",   "query", "probability",  "count",   "effect",      "fault",
    "milliseconds", "status", "body",  "content_type", "headers", "connections", "name"};
constexpr std::string_view kLoginPage =
    "<!DOCTYPE html><html><head><title>Login</title></head><body><form method=\"post\">"
    "<input name=\"username\"><input name=\"password\" type=\"password\"></form></body></html>";

std::optional<Microseconds> milliseconds(const Json& text) {
    const auto found = text.find("milliseconds");
    if (found == text.end() || !found->is_number() || found->get<double>() < 0) return std::nullopt;
    return Microseconds(static_cast<std::int64_t>(found->get<double>() * 1000));
}

std::string status_response(const Json& text, Decision& decision) {
    const auto status = text.find("status");
    if (status == text.end() || !status->is_number_integer() || *status < 200 || *status > 599)
        return "\"status\" must be a number from 200 to 599";
    Response response = refusal(status->get<int>(), "Fault");
    if (const auto body = text.find("body"); body != text.end()) {
        response.body = body->is_string() ? body->get<std::string>() : to_text(*body);
        if (body->is_string()) response.content_type = "text/plain";
    }
    if (const auto type = text.find("content_type"); type != text.end()) {
        if (!type->is_string()) return "\"content_type\" must be a string";
        response.content_type = type->get<std::string>();
    }
    if (const auto headers = text.find("headers"); headers != text.end()) {
        if (!headers->is_object()) return "\"headers\" must be an object";
        for (const auto& [name, value] : headers->items())
            response.headers.emplace_back(
                name, value.is_string() ? value.get<std::string>() : to_text(value));
    }
    decision.response = std::move(response);
    return {};
}

std::string parse_effect(const Json& text, Effect& effect) {
    const auto found = text.find("effect");
    if (found == text.end()) return {};
    if (*found == true || *found == "before")
        effect = Effect::before;
    else if (*found == "after")
        effect = Effect::after;
    else if (*found == false)
        effect = Effect::none;
    else
        return "\"effect\" must be true, false, \"before\" or \"after\"";
    return {};
}

// What is wrong with the regular expression of this member; "" when nothing is, or it is not there.
std::string expression(const Json& text, const std::string& name,
                       std::optional<std::regex>& result) {
    const auto member = text.find(name);
    if (member == text.end()) return {};
    if (!member->is_string()) return "\"" + name + "\" must be a string";
    try {
        result.emplace(member->get<std::string>(), std::regex::ECMAScript);
    } catch (const std::regex_error& problem) {
        return "\"" + name + "\" is no regular expression: " + problem.what();
    }
    return {};
}

}  // namespace

std::string Faults::parse(const Json& text, Rule& rule, std::optional<Refusal>& refusal) {
    if (!text.is_object()) return "a rule must be an object";
    for (const auto& [name, value] : text.items())
        if (std::find(kMembers.begin(), kMembers.end(), name) == kMembers.end())
            return "unknown member \"" + name + "\"";
    rule.text = text;
    rule.method = text_member(text, "method");
    if (std::string problem = expression(text, "path", rule.path); !problem.empty()) return problem;
    if (std::string problem = expression(text, "query", rule.query); !problem.empty())
        return problem;
    if (const auto probability = text.find("probability"); probability != text.end()) {
        if (!probability->is_number() || *probability < 0 || *probability > 1)
            return "\"probability\" must be a number from 0 to 1";
        rule.probability = probability->get<double>();
    }
    if (const auto count = text.find("count"); count != text.end()) {
        if (!count->is_number_unsigned()) return "\"count\" must be a whole number";
        rule.left = count->get<std::uint64_t>();
    }

    rule.name = text_member(text, "fault");
    Decision& decision = rule.decision;
    const std::optional<Microseconds> duration = milliseconds(text);
    if (text.contains("milliseconds") && !duration) return "\"milliseconds\" must be a number";
    if (rule.name == "latency" || rule.name == "visibility") {
        if (!duration) return "\"milliseconds\" is missing";
        if (text.contains("effect") && text["effect"] == false)
            return "\"effect\": false needs a fault that answers or ends the connection";
        rule.ends = false;
        if (rule.name == "latency")
            decision.latency = *duration;
        else
            decision.visibility_delay = *duration;
    } else if (rule.name == "status") {
        decision.effect = Effect::none;
        if (std::string problem = status_response(text, decision); !problem.empty()) return problem;
    } else if (rule.name == "html") {
        decision.effect = Effect::none;
        decision.response.emplace();
        decision.response->body = kLoginPage;
        decision.response->content_type = "text/html";
    } else if (rule.name == "reset_before") {
        decision.effect = Effect::none;
        decision.ending = Ending::reset;
    } else if (rule.name == "reset_after") {
        decision.ending = Ending::reset;
    } else if (rule.name == "hang") {
        decision.effect = Effect::none;
        decision.ending = Ending::hang;
    } else if (rule.name == "refuse") {
        for (const char* name : {"method", "path", "query", "probability", "count", "effect"})
            if (text.contains(name))
                return "\"refuse\" is about the whole switch, it takes no \"" + std::string(name) +
                       "\"";
        rule.hits = 1;
        refusal = Refusal{duration, text_member(text, "connections") != "keep"};
    } else {
        return "\"fault\" must be latency, status, refuse, reset_before, reset_after, hang, html "
               "or "
               "visibility";
    }
    return parse_effect(text, decision.effect);
}

std::string Faults::add(const Json& rules, std::optional<Refusal>& refusal) {
    std::vector<Rule> added;
    const Json list = rules.is_array() ? rules : Json::array({rules});
    for (const Json& text : list) {
        Rule rule;
        if (std::string problem = parse(text, rule, refusal); !problem.empty()) return problem;
        added.push_back(std::move(rule));
    }
    for (Rule& rule : added) {
        rule.id = ++last_id_;
        rules_.push_back(std::move(rule));
    }
    return {};
}

Json Faults::describe() const {
    Json list = Json::array();
    for (const Rule& rule : rules_) {
        Json text = rule.text;
        text["id"] = rule.id;
        text["hits"] = rule.hits;
        list.push_back(std::move(text));
    }
    return {{"rules", std::move(list)}};
}

bool Faults::matches(Rule& rule, const Request& request) {
    if (rule.name == "refuse" || rule.left == 0) return false;
    if (!rule.method.empty() && rule.method != request.method) return false;
    if (rule.path && !std::regex_search(request.path, *rule.path)) return false;
    if (rule.query && !std::regex_search(request.query, *rule.query)) return false;
    return rule.probability >= 1 ||
           std::uniform_real_distribution<double>(0, 1)(random_) < rule.probability;
}

Decision Faults::decide(const Request& request) {
    Decision decision;
    for (Rule& rule : rules_) {
        if (!matches(rule, request)) continue;
        ++rule.hits;
        if (rule.left) --*rule.left;
        if (!decision.names.empty()) decision.names.push_back('+');
        decision.names += rule.name;
        decision.latency += rule.decision.latency;
        if (rule.decision.visibility_delay)
            decision.visibility_delay = rule.decision.visibility_delay;
        if (rule.decision.effect != Effect::before) decision.effect = rule.decision.effect;
        if (!rule.ends) continue;
        decision.ending = rule.decision.ending;
        decision.response = rule.decision.response;
        break;
    }
    return decision;
}

}  // namespace tbs::simulator

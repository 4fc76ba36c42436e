#include "switch.hpp"

#include <algorithm>
#include <charconv>

#include "legacy.hpp"
#include "target.hpp"

namespace tbs::simulator {

namespace {

constexpr std::size_t kDefaultLimit = 100;
constexpr std::size_t kMaximumLimit = 1000;

// Nothing when the text is no whole number.
std::optional<std::size_t> whole_number(const std::string& text) {
    std::size_t number = 0;
    const char* end = text.data() + text.size();
    const auto [stop, problem] = std::from_chars(text.data(), end, number);
    if (problem != std::errc() || stop != end) return std::nullopt;
    return number;
}

}  // namespace

Response no_route() {
    return refusal(404, "No Route Found [92]");
}

Response not_found() {
    return refusal(404, "Resource not found.");
}

std::optional<Response> missing_member(const Json& body,
                                       std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names)
        if (!body.contains(name) || body[std::string(name)].is_null())
            return refusal(400, "Missing " + std::string(name) + ".");
    return std::nullopt;
}

// "" clears a member, whatever its type.
bool is_blank(const Json& value) {
    return value.is_string() && value.get_ref<const std::string&>().empty();
}

std::optional<Response> invalid_choice(const Json& body,
                                       std::initializer_list<std::string_view> names,
                                       std::initializer_list<std::string_view> choices) {
    for (const std::string_view name : names) {
        const auto found = body.find(name);
        if (found == body.end() || is_blank(*found)) continue;
        const bool known = std::any_of(choices.begin(), choices.end(), [&](std::string_view one) {
            return found->is_string() && *found == one;
        });
        if (!known) return refusal(400, "Invalid " + std::string(name) + ".");
    }
    return std::nullopt;
}

std::optional<Response> invalid_integer(const Json& body,
                                        std::initializer_list<std::string_view> names) {
    for (const std::string_view name : names) {
        const auto found = body.find(name);
        if (found != body.end() && !is_blank(*found) && !found->is_number_integer())
            return refusal(400, "Invalid " + std::string(name) + ".");
    }
    return std::nullopt;
}

Switch::Switch(SwitchOptions options, const Clock& clock, std::mt19937_64& random)
    : options_(std::move(options)),
      clock_(clock),
      random_(random),
      credentials_(options_.credentials, random) {}

bool Switch::Call::take_synchronous() {
    const bool synchronous = text_member(body, "synchronous") == "yes";
    body.erase("synchronous");
    return synchronous;
}

Response Switch::handle(const Request& request, std::optional<Microseconds> visibility_delay) {
    const std::string_view target = request.path;
    if (target == kLegacyTokenPath || target == std::string(kLegacyTokenPath) + "/")
        return grant(request, true);
    if (target == kLegacyPath) {
        store_.advance(clock_.now());
        const auto current = [&](const Request& inner) { return handle(inner, visibility_delay); };
        return Legacy(store_, clock_.now(), current).handle(request);
    }
    if (!target.starts_with(kApiPath) || target.size() == kApiPath.size() ||
        target[kApiPath.size()] != '/')
        return no_route();

    const std::vector<std::string> segments = path_segments(target.substr(kApiPath.size()));
    if (segments.size() == 1 && segments[0] == "tokens" && request.method == "POST")
        return grant(request, false);

    const Microseconds now = clock_.now();
    store_.advance(now);
    const bool version = segments.size() == 1 && segments[0] == "version";
    if (!version) {
        const Credentials::Scope scope = credentials_.scope(request.authorization, now);
        if (scope == Credentials::Scope::none) return refusal(401, "Authentication Required");
        const bool own_key = segments.size() == 2 && segments[0] == "apikeys" && segments[1] == "~";
        if (scope == Credentials::Scope::low && !own_key)
            return refusal(401, "Invalid Scope [APP001]");
    }

    Call call{request, now, now + visibility_delay.value_or(options_.visibility_delay),
              Json::object()};
    if (!request.body.empty() && request.method != "GET") {
        std::optional<Json> body = parse_object(request.body);
        if (!body) return refusal(400, "Invalid JSON.");
        call.body = std::move(*body);
    }
    return route(call, segments);
}

Response Switch::route(Call& call, Segments path) {
    const std::string& kind = path[0];
    if (kind == "domains") return domains(call, path.subspan(1));
    if (kind == "phonenumbers") return phone_numbers(call, {}, path.subspan(1));
    if (kind == "phones") return phones(call, {}, path.subspan(1));
    if (kind == "version" && path.size() == 1 && call.get())
        return json_response({{"apiversion", "45.0"},
                              {"hostname", "tbs-switch"},
                              {"current-time", clock_.wall_text()}});
    if (kind == "apikeys" && path.size() == 2 && path[1] == "~" && call.get()) {
        const std::optional<Json> key = credentials_.describe_key(call.request.authorization);
        return key ? json_response(*key) : not_found();
    }
    return no_route();
}

// The legacy URL takes a form, in the body or in the query; the v2 one takes JSON.
Response Switch::grant(const Request& request, bool legacy) {
    const Microseconds now = clock_.now();
    if (legacy) {
        std::map<std::string, std::string> fields = parse_form(request.query);
        fields.merge(parse_form(request.body));
        return credentials_.grant(fields, now);
    }
    const std::optional<Json> body = parse_object(request.body);
    if (!body) return refusal(400, "Invalid JSON.");
    std::map<std::string, std::string> fields;
    for (const auto& [name, value] : body->items())
        if (value.is_string()) fields[name] = value.get<std::string>();
    return credentials_.grant(fields, now);
}

bool Switch::merge(Table& table, const std::string& key, const Call& call,
                   std::span<const std::string_view> fixed, Microseconds due) {
    const JsonPointer before = table.accepted(key);
    if (before == nullptr) return false;
    auto after = std::make_shared<Json>(*before);
    for (const auto& [name, value] : call.body.items())
        if (std::find(fixed.begin(), fixed.end(), name) == fixed.end()) (*after)[name] = value;
    (*after)["last-modified-datetime"] = clock_.wall_text();
    table.write(key, std::move(after), due, call.now, table.automatic(key));
    return true;
}

Response Switch::item(Call& call, Table& table, const std::string& key,
                      std::span<const std::string_view> fixed) {
    if (!call.get() && !call.put() && !call.remove()) return no_route();
    const JsonPointer object = table.visible(key);
    if (object == nullptr) return not_found();
    if (call.get()) return json_response(*object);
    if (call.put()) {
        call.take_synchronous();
        return accepted(merge(table, key, call, fixed, call.due));
    }
    const bool effect = table.accepted(key) != nullptr;
    table.write(key, nullptr, call.due, call.now);
    return accepted(effect);
}

std::optional<Response> Switch::duplicate(Duplicate behaviour, const std::string& what) {
    if (behaviour == Duplicate::conflict) return refusal(409, what + " already exists.");
    if (behaviour == Duplicate::bad_request) return refusal(400, what + " already exists.");
    return std::nullopt;
}

Response Switch::created(Call& call, Table& table, const std::string& key, bool synchronous) {
    stamp(call.body);
    auto object = std::make_shared<const Json>(std::move(call.body));
    table.write(key, object, synchronous ? call.now : call.due, call.now);
    if (!synchronous) return accepted();
    Response response = json_response(*object);
    response.effect = true;
    return response;
}

void Switch::stamp(Json& object) const {
    object["created-datetime"] = clock_.wall_text();
    object["last-modified-datetime"] = object["created-datetime"];
}

std::vector<JsonPointer> Switch::in_domain(const Table& table, const std::string& domain) {
    std::vector<JsonPointer> objects;
    table.for_prefix(child_key(domain, {}), [&](const std::string&, const Table::Entry& entry) {
        if (entry.visible != nullptr) objects.push_back(entry.visible);
    });
    return objects;
}

std::vector<JsonPointer> Switch::in_group(const Table& table, const std::string& group) {
    std::vector<JsonPointer> objects;
    for (const std::string& key : table.group(group)) {
        const JsonPointer object = table.visible(key);
        if (object != nullptr && table.group_of(*object) == group) objects.push_back(object);
    }
    return objects;
}

std::vector<JsonPointer> Switch::all(const Table& table) {
    std::vector<JsonPointer> objects;
    for (const auto& [key, entry] : table.entries())
        if (entry.visible != nullptr) objects.push_back(entry.visible);
    return objects;
}

// Passwords are only readable on the item itself.
Response Switch::page(const Call& call, const std::vector<JsonPointer>& objects) {
    const std::map<std::string, std::string> query = parse_form(call.request.query);
    std::size_t start = 0;
    std::size_t limit = kDefaultLimit;
    for (const auto& [name, value] : query) {
        if (name != "start" && name != "limit") continue;
        const std::optional<std::size_t> number = whole_number(value);
        if (!number || (name == "limit" && *number == 0))
            return refusal(400, "Invalid " + name + ".");
        if (name == "start")
            start = *number;
        else
            limit = std::min(*number, kMaximumLimit);
    }
    Json rows = Json::array();
    for (std::size_t i = start; i < objects.size() && rows.size() < limit; ++i) {
        rows.push_back(*objects[i]);
        const auto password = rows.back().find("device-sip-registration-password");
        if (password != rows.back().end()) *password = "****";
    }
    return json_response(rows);
}

Response Switch::total(std::size_t count) {
    return json_response({{"total", count}});
}

}  // namespace tbs::simulator

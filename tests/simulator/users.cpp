// Users, the switch's word for extensions.
#include <algorithm>
#include <array>

#include "switch.hpp"
#include "target.hpp"

namespace tbs::simulator {

namespace {

constexpr std::size_t kMaximumUser = 16;
constexpr std::array<std::string_view, 3> kFixedOfUser = {"domain", "user", "created-datetime"};
constexpr std::string_view kHiddenServiceCode = "system-";
// What /users/list may be asked for.
constexpr std::array<std::string_view, 12> kListFields = {
    "domain", "user",           "name-first-name", "name-last-name", "name-full-name", "department",
    "site",   "login-username", "email-address",   "service-code",   "user-scope",     "time-zone"};

Response login_conflict() {
    return refusal(409, "login-username already exists.");
}

}  // namespace

Response Switch::users(Call& call, const std::string& domain, Segments path) {
    if (path.empty()) {
        if (call.get()) return page(call, in_domain(store_.users, domain));
        return call.post() ? create_user(call, domain) : no_route();
    }
    const std::string& user = path[0];
    if (path.size() == 1) {
        if (call.get() && user == "list") return user_list(call, domain);
        if (call.get() && user == "count") {
            const std::vector<JsonPointer> objects = in_domain(store_.users, domain);
            const auto count = std::count_if(objects.begin(), objects.end(), [](const auto& row) {
                return !text_member(*row, "service-code").starts_with(kHiddenServiceCode);
            });
            return total(static_cast<std::size_t>(count));
        }
        return user_item(call, domain, user);
    }
    if (path[1] != "devices" && path[1] != "answerrules") return no_route();
    if (store_.users.visible(child_key(domain, user)) == nullptr)
        return refusal(404, "User " + user + " does not exist in domain " + domain);
    if (call.post() && store_.users.accepted(child_key(domain, user)) == nullptr)
        return accepted(false);
    if (path[1] == "answerrules")
        return answer_rules(call, child_key(domain, user), path.subspan(2));
    return devices(call, domain, user, path.subspan(2));
}

Response Switch::user_item(Call& call, const std::string& domain, const std::string& user) {
    if (!call.get() && !call.put() && !call.remove()) return no_route();
    const std::string key = child_key(domain, user);
    const JsonPointer object = store_.users.visible(key);
    if (object == nullptr) return not_found();
    if (call.get()) return json_response(*object);
    if (call.remove()) {
        const bool effect = store_.users.accepted(key) != nullptr;
        remove_user(key, call.due, call.now);
        return accepted(effect);
    }
    call.take_synchronous();
    if (auto problem = invalid_user(call.body, domain)) return *problem;
    const std::string login = text_member(call.body, "login-username");
    if (login.empty())
        call.body.erase("login-username");  // a user cannot be without
    else if (login_in_use(login, key))
        return login_conflict();
    const bool effect = merge(store_.users, key, call, kFixedOfUser, call.due);
    if (effect) ensure_site(domain, call.body, call.due, call.now);
    return accepted(effect);
}

Response Switch::create_user(Call& call, const std::string& domain) {
    const bool synchronous = call.take_synchronous();
    if (auto problem = missing_member(call.body, {"user", "name-first-name", "name-last-name",
                                                  "email-address", "user-scope"}))
        return *problem;
    const std::string user = text_member(call.body, "user");
    if (user.empty() || user.size() > kMaximumUser || user.find('/') != std::string::npos)
        return refusal(400, "Invalid user.");
    if (auto problem = invalid_user(call.body, domain)) return *problem;
    const std::string key = child_key(domain, user);
    if (store_.users.visible(key) != nullptr) return refusal(409, "UID already exists.");
    std::string login = text_member(call.body, "login-username");
    if (login.empty()) login = user + "@" + domain;
    if (login_in_use(login, key)) return login_conflict();

    call.body["domain"] = domain;
    call.body["login-username"] = login;
    stamp(call.body);
    const Microseconds due = synchronous ? call.now : call.due;
    auto object = std::make_shared<const Json>(std::move(call.body));
    store_.users.write(key, object, due, call.now);
    add_default_rule(key, due, call.now);
    ensure_site(domain, *object, due, call.now);
    if (!synchronous) return accepted();
    Response response = json_response(*object);
    response.effect = true;
    return response;
}

Response Switch::user_list(const Call& call, const std::string& domain) const {
    std::vector<std::string> fields;
    std::string asked = parse_form(call.request.query)["fields"];
    while (!asked.empty()) {
        const std::size_t comma = asked.find(',');
        fields.push_back(asked.substr(0, comma));
        asked.erase(0, comma == std::string::npos ? comma : comma + 1);
        if (std::find(kListFields.begin(), kListFields.end(), fields.back()) == kListFields.end())
            return refusal(400, "Invalid field " + fields.back() + ".");
    }
    if (fields.empty()) fields.assign(kListFields.begin(), kListFields.end());

    std::vector<JsonPointer> rows;
    for (const JsonPointer& user : in_domain(store_.users, domain)) {
        Json row = Json::object();
        for (const std::string& field : fields)
            if (user->contains(field)) row[field] = user->at(field);
        rows.push_back(std::make_shared<const Json>(std::move(row)));
    }
    return page(call, rows);
}

bool Switch::login_in_use(const std::string& login, const std::string& key) const {
    const Table::Keys& keys = store_.users.group(login);
    return std::any_of(keys.begin(), keys.end(), [&](const std::string& other) {
        if (other == key) return false;
        const JsonPointer user = store_.users.visible(other);
        return user != nullptr && text_member(*user, "login-username") == login;
    });
}

std::optional<Response> Switch::invalid_user(const Json& user, const std::string& domain) const {
    if (auto problem = invalid_choice(
            user,
            {"privacy", "voicemail-enabled", "voicemail-user-control-enabled",
             "voicemail-receive-broadcast-enabled", "directory-name-visible-in-list-enabled",
             "email-send-alert-new-voicemail-enabled"},
            {"yes", "no"}))
        return problem;
    const std::string pin = text_member(user, "voicemail-login-pin");
    if (!std::all_of(pin.begin(), pin.end(), [](char c) { return c >= '0' && c <= '9'; }))
        return refusal(400, "Invalid voicemail-login-pin.");
    const std::string address = text_member(user, "emergency-address-id");
    if (!address.empty() && store_.addresses.visible(child_key(domain, address)) == nullptr)
        return refusal(400, "Invalid emergency-address-id.");
    return std::nullopt;
}

// Its devices and answer rules go with a user; phone numbers that lead to it, and what it is an
// agent of, stay, as on the real switch.
void Switch::remove_user(const std::string& key, Microseconds due, Microseconds now) {
    const Table::Keys devices = store_.devices.group(key);
    for (const std::string& device : devices) {
        const JsonPointer object = store_.devices.accepted(device);
        if (object != nullptr && store_.devices.group_of(*object) == key)
            store_.devices.write(device, nullptr, due, now);
    }
    std::vector<std::string> rules;
    store_.answer_rules.for_prefix(
        key + "/", [&](const std::string& rule, const Table::Entry&) { rules.push_back(rule); });
    for (const std::string& rule : rules) store_.answer_rules.write(rule, nullptr, due, now);
    store_.users.write(key, nullptr, due, now);
}

}  // namespace tbs::simulator

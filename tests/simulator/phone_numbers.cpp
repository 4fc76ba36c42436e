// Phone numbers: unique over the whole switch, whatever the domain. Never synchronous.
#include <algorithm>
#include <array>

#include "switch.hpp"

namespace tbs::simulator {

namespace {

constexpr std::array<std::string_view, 3> kFixedOfNumber = {"domain", "phonenumber",
                                                            "created-datetime"};
constexpr const char* kDestinationUser = "dial-rule-translation-destination-user";

bool valid_number(const std::string& number) {
    return !number.empty() &&
           std::all_of(number.begin(), number.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Response number_conflict() {
    return refusal(409, "Phone number already exists");
}

bool says_nothing_new(const Json& body, const Json& object) {
    for (const auto& [name, value] : body.items()) {
        const auto known = object.find(name);
        if (known == object.end() || *known != value) return false;
    }
    return true;
}

}  // namespace

bool Switch::belongs(const JsonPointer& object, const std::string& domain) {
    return object != nullptr && (domain.empty() || text_member(*object, "domain") == domain);
}

Response Switch::phone_numbers(Call& call, const std::string& domain, Segments path) {
    const auto objects = [&] {
        return domain.empty() ? all(store_.phone_numbers) : in_group(store_.phone_numbers, domain);
    };
    if (path.empty() && call.get()) return page(call, objects());
    if (path.size() == 1 && path[0] == "count" && call.get()) return total(objects().size());
    // Writes and items are only found below a domain.
    if (domain.empty() || path.size() > 1) return no_route();
    if (path.empty()) {
        if (call.post()) return create_phone_number(call, domain);
        if (!call.put()) return no_route();
        if (auto problem = missing_member(call.body, {"phonenumber"})) return *problem;
        return phone_number_item(call, domain, text_member(call.body, "phonenumber"));
    }
    return phone_number_item(call, domain, path[0]);
}

Response Switch::phone_number_item(Call& call, const std::string& domain,
                                   const std::string& number) {
    if (!call.get() && !call.put() && !call.remove()) return no_route();
    const JsonPointer object = store_.phone_numbers.visible(number);
    if (!belongs(object, domain))
        return object != nullptr && call.put() ? number_conflict() : not_found();
    if (call.get()) return json_response(*object);
    if (call.put()) {
        call.take_synchronous();
        // The trap of the real switch: a PUT without a destination takes the number's destination
        // away.
        if (!call.body.contains(kDestinationUser)) call.body[kDestinationUser] = "";
        return accepted(merge(store_.phone_numbers, number, call, kFixedOfNumber, call.due));
    }
    const bool effect = store_.phone_numbers.accepted(number) != nullptr;
    store_.phone_numbers.write(number, nullptr, call.due, call.now);
    return accepted(effect);
}

Response Switch::create_phone_number(Call& call, const std::string& domain) {
    call.take_synchronous();
    if (auto problem = missing_member(call.body, {"phonenumber", kDestinationUser}))
        return *problem;
    const std::string number = text_member(call.body, "phonenumber");
    if (!valid_number(number)) return refusal(400, "Invalid phonenumber.");
    if (store_.phone_numbers.visible(number) != nullptr) return number_conflict();
    // On its way into another domain, but not there yet, or the same once more: accepted, and lost
    // when the first one has arrived.
    const JsonPointer racing = store_.phone_numbers.accepted(number);
    if (racing != nullptr && (!belongs(racing, domain) || says_nothing_new(call.body, *racing)))
        return accepted(false);

    Json& object = call.body;
    object["domain"] = domain;
    object["phonenumber"] = number;
    for (const auto& [name, value] :
         {std::pair("dial-rule-translation-destination-host", "[*]"),
          std::pair("dial-rule-translation-source-name", "[*]"), std::pair("enabled", "yes")})
        if (!object.contains(name)) object[name] = value;
    stamp(object);
    store_.phone_numbers.write(number, std::make_shared<const Json>(std::move(object)), call.due,
                               call.now);
    return accepted();
}

}  // namespace tbs::simulator

// Addresses for emergency calls, and endpoints: numbers at the emergency carrier.
#include <array>

#include "switch.hpp"

namespace tbs::simulator {

namespace {

constexpr const char* kAddress = "emergency-address-id";
constexpr const char* kNumber = "address-callback-number";
constexpr const char* kFormatted = "address-formatted-pidflo";
constexpr const char* kPostalCode = "address-postal-code";
constexpr std::array<std::string_view, 3> kFixedOfAddress = {"domain", kAddress,
                                                             "created-datetime"};
constexpr std::array<std::string_view, 3> kFixedOfEndpoint = {"domain", kNumber,
                                                              "created-datetime"};
// No such place.
constexpr const char* kNoPostalCode = "00000";

std::optional<Response> missing_part(const Json& address) {
    return missing_member(address, {"address-name", "caller-name", "address-line-1", "address-city",
                                    "address-state-province-abbreviation", kPostalCode,
                                    "address-country-abbreviation"});
}

Response validated(const Json& address) {
    if (auto problem = missing_part(address)) return *problem;
    if (auto problem = missing_member(address, {"address-location-description"})) return *problem;
    Json answer = address;
    answer[kFormatted] = {
        {"StreetName", text_member(address, "address-line-1")},
        {"City", text_member(address, "address-city")},
        {"StateCode", text_member(address, "address-state-province-abbreviation")},
        {"Zip", text_member(address, kPostalCode)},
        {"Country", text_member(address, "address-country-abbreviation")},
        {"ValidationStatus",
         text_member(address, kPostalCode) == kNoPostalCode ? "INVALID" : "VALID"}};
    return json_response(answer);
}

}  // namespace

Response Switch::addresses(Call& call, const std::string& domain, Segments path) {
    if (path.empty()) {
        if (call.get()) return page(call, in_domain(store_.addresses, domain));
        return call.post() ? create_address(call, domain) : no_route();
    }
    if (path[0] == "endpoints") return endpoints(call, domain, path.subspan(1));
    if (path.size() > 1) return no_route();
    if (call.post() && path[0] == "validate") return validated(call.body);
    if (call.get())
        return path[0] == "count" ? total(in_domain(store_.addresses, domain).size()) : no_route();
    if (call.put()) {
        if (auto problem = missing_part(call.body)) return *problem;
        if (auto problem = missing_member(call.body, {kFormatted})) return *problem;
    }
    return item(call, store_.addresses, child_key(domain, path[0]), kFixedOfAddress);
}

// Shows at once, without being asked to.
Response Switch::create_address(Call& call, const std::string& domain) {
    if (auto problem = missing_member(call.body, {kAddress, kFormatted})) return *problem;
    if (auto problem = missing_part(call.body)) return *problem;
    const std::string key = child_key(domain, text_member(call.body, kAddress));
    if (store_.addresses.visible(key) != nullptr) return refusal(409, "Conflicting address_id");
    call.body["domain"] = domain;
    return created(call, store_.addresses, key, true);
}

Response Switch::endpoints(Call& call, const std::string& domain, Segments path) {
    if (path.empty()) {
        if (call.get()) return page(call, in_group(store_.endpoints, domain));
        return call.post() ? create_endpoint(call, domain) : no_route();
    }
    if (path.size() > 1 || call.get()) return no_route();
    const JsonPointer endpoint = store_.endpoints.visible(path[0]);
    if (!belongs(endpoint, domain)) return not_found();
    if (call.put())
        if (auto problem = missing_member(call.body, {"address-name", "caller-name"}))
            return *problem;
    if (call.remove()) {
        if (auto problem = missing_member(call.body, {"carrier"})) return *problem;
        if (call.body["carrier"] != text_member(*endpoint, "carrier")) return not_found();
    }
    return item(call, store_.endpoints, path[0], kFixedOfEndpoint);
}

Response Switch::create_endpoint(Call& call, const std::string& domain) {
    if (auto problem = missing_member(call.body, {kNumber, "address-name", "caller-name"}))
        return *problem;
    const std::string address = text_member(call.body, "location-id");
    if (address.empty() && !call.body.contains(kFormatted))
        return refusal(400, "Missing location-id.");
    if (!address.empty() && store_.addresses.visible(child_key(domain, address)) == nullptr)
        return refusal(404, "Address " + address + " does not exist");
    const std::string number = text_member(call.body, kNumber);
    const JsonPointer present = store_.endpoints.visible(number);
    if (present != nullptr)
        if (auto problem = duplicate(options_.duplicate_device, "Endpoint")) return *problem;
    call.body["domain"] = domain;
    return created(call, store_.endpoints, number, false);
}

}  // namespace tbs::simulator

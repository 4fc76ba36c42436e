// Phones by MAC. The MAC stands in the body of PUT and DELETE, and may also be sent under its old
// name "mac". Never synchronous.
#include <array>

#include "switch.hpp"

namespace tbs::simulator {

namespace {

constexpr const char* kMac = "device-provisioning-mac-address";
constexpr std::array<std::string_view, 3> kFixedOfPhone = {kMac, "mac", "created-datetime"};
constexpr std::array<std::string_view, 4> kFixedOfPhoneInDomain = {kMac, "mac", "domain",
                                                                   "created-datetime"};
constexpr std::size_t kMacLength = 12;

// Twelve hexadecimal digits in lower case; "" when it is no MAC.
std::string normal_mac(const std::string& text) {
    if (text.size() != kMacLength) return {};
    std::string mac;
    for (const char c : text) {
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))
            mac.push_back(c);
        else if (c >= 'A' && c <= 'F')
            mac.push_back(static_cast<char>(c - 'A' + 'a'));
        else
            return {};
    }
    return mac;
}

std::string mac_member(const Json& body) {
    const std::string mac = text_member(body, kMac);
    return mac.empty() ? text_member(body, "mac") : mac;
}

}  // namespace

Response Switch::phones(Call& call, const std::string& domain, Segments path) {
    const auto objects = [&] {
        return domain.empty() ? all(store_.phones) : in_group(store_.phones, domain);
    };
    if (path.size() > 1 || (path.size() == 1 && !call.get())) return no_route();
    if (path.size() == 1) {
        if (path[0] == "count") return total(objects().size());
        const JsonPointer phone = store_.phones.visible(normal_mac(path[0]));
        return belongs(phone, domain) ? json_response(*phone) : not_found();
    }
    if (call.get()) return page(call, objects());
    if (!call.post() && !call.put() && !call.remove()) return no_route();

    const std::string sent = mac_member(call.body);
    if (sent.empty()) return refusal(400, "Missing " + std::string(kMac) + ".");
    const std::string mac = normal_mac(sent);
    if (mac.empty()) return refusal(400, "Invalid " + std::string(kMac) + ".");
    call.take_synchronous();
    if (call.post()) return create_phone(call, domain, mac);

    if (!belongs(store_.phones.visible(mac), domain)) return not_found();
    if (call.remove()) {
        const bool effect = store_.phones.accepted(mac) != nullptr;
        store_.phones.write(mac, nullptr, call.due, call.now);
        return accepted(effect);
    }
    if (!domain.empty())
        return accepted(merge(store_.phones, mac, call, kFixedOfPhoneInDomain, call.due));
    const std::string moved_to = text_member(call.body, "domain");
    if (call.body.contains("domain") && store_.domains.visible(moved_to) == nullptr)
        return refusal(404, "Domain " + moved_to + " does not exist");
    return accepted(merge(store_.phones, mac, call, kFixedOfPhone, call.due));
}

Response Switch::create_phone(Call& call, std::string domain, const std::string& mac) {
    if (domain.empty()) {
        if (auto problem = missing_member(call.body, {"domain"})) return *problem;
        domain = text_member(call.body, "domain");
        if (store_.domains.visible(domain) == nullptr)
            return refusal(404, "Domain " + domain + " does not exist");
    }
    if (store_.phones.visible(mac) != nullptr)
        if (auto problem = duplicate(options_.duplicate_phone, "MAC")) return *problem;
    Json& object = call.body;
    object["domain"] = domain;
    if (!object.contains(kMac)) object[kMac] = mac;
    stamp(object);
    store_.phones.write(mac, std::make_shared<const Json>(std::move(object)), call.due, call.now);
    return accepted();
}

}  // namespace tbs::simulator

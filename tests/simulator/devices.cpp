// Devices: the SIP accounts of a user.
#include <array>

#include "switch.hpp"

namespace tbs::simulator {

namespace {

constexpr std::size_t kPasswordLength = 16;
constexpr std::array<std::string_view, 5> kFixedOfDevice = {
    "domain", "user", "device", "device-sip-registration-uri", "created-datetime"};
constexpr const char* kPassword = "device-sip-registration-password";

}  // namespace

Response Switch::devices(Call& call, const std::string& domain, const std::string& user,
                         Segments path) {
    if (path.empty()) {
        if (call.get()) return page(call, in_group(store_.devices, child_key(domain, user)));
        return call.post() ? create_device(call, domain, user) : no_route();
    }
    if (path.size() > 1) return no_route();
    if (call.get() && path[0] == "count")
        return total(in_group(store_.devices, child_key(domain, user)).size());

    if (!call.get() && !call.put() && !call.remove()) return no_route();
    const std::string key = child_key(domain, path[0]);
    const JsonPointer device = store_.devices.visible(key);
    if (device == nullptr || text_member(*device, "user") != user) return not_found();
    return device_item(call, key);
}

Response Switch::device_item(Call& call, const std::string& key) {
    if (call.get()) return json_response(*store_.devices.visible(key));
    if (call.put()) {
        call.take_synchronous();
        return accepted(merge(store_.devices, key, call, kFixedOfDevice, call.due));
    }
    const bool effect = store_.devices.accepted(key) != nullptr;
    store_.devices.write(key, nullptr, call.due, call.now);
    return accepted(effect);
}

Response Switch::create_device(Call& call, const std::string& domain, const std::string& user) {
    const bool synchronous = call.take_synchronous();
    if (auto problem = missing_member(call.body, {"device"})) return *problem;
    const std::string device = text_member(call.body, "device");
    if (device.empty()) return refusal(400, "Invalid device.");
    const std::string key = child_key(domain, device);
    if (store_.devices.visible(key) != nullptr)
        if (auto problem = duplicate(options_.duplicate_device, "Device")) return *problem;

    Json& object = call.body;
    object["domain"] = domain;
    object["user"] = user;
    object["device-sip-registration-uri"] = "sip:" + device + "@" + domain;
    object["device-sip-registration-state"] = "unregistered";
    if (text_member(object, kPassword).empty())
        object[kPassword] = random_text(random_, kPasswordLength);
    if (!object.contains("device-sip-registration-expiry-seconds"))
        object["device-sip-registration-expiry-seconds"] = 60;
    if (!object.contains("caller-id-number-emergency"))
        object["caller-id-number-emergency"] = "[*]";
    stamp(object);
    auto shared = std::make_shared<const Json>(std::move(object));
    store_.devices.write(key, shared, synchronous ? call.now : call.due, call.now);
    if (!synchronous) return accepted();
    Response response = json_response(*shared);
    response.effect = true;
    return response;
}

}  // namespace tbs::simulator

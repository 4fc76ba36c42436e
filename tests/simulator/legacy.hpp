// API v1 of the switch: one URL, ?object=...&action=..., forms. A call is carried out as the calls
// of v2 that do the same, on the same objects; what differs is spelling and answers.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "message.hpp"
#include "store.hpp"

namespace tbs::simulator {

inline constexpr std::string_view kLegacyPath = "/ns-api/";

class Legacy {
 public:
    using Fields = std::map<std::string, std::string>;
    using Inner = std::function<Response(const Request&)>;

    // The store must outlive this object; `inner` answers a request of v2.
    Legacy(Store& store, Microseconds now, Inner inner)
        : store_(store), now_(now), inner_(std::move(inner)) {}

    Response handle(const Request& request);

 private:
    struct Call {
        std::string_view object;
        std::string_view action;
        std::string_view required;  // names, each with a space behind it
        Response (Legacy::*carry_out)();
    };
    static std::span<const Call> calls();

    Response domain_count();
    Response domain_create();
    Response domain_read();
    Response domain_update();
    Response domain_delete();
    Response subscriber_create();
    Response subscriber_read();
    Response subscriber_update();
    Response subscriber_delete();
    Response device_create();
    Response device_read();
    Response device_update();
    Response device_delete();
    Response mac_create();
    Response mac_read();
    Response mac_update();
    Response mac_delete();
    Response number_create();
    Response number_read();
    Response number_update();
    Response number_delete();

    std::string field(const std::string& name) const;
    // The fields in the spelling of v2, but for those that say which object is meant.
    Json members(std::string_view not_these) const;
    // "/domains/D/users/U" of a user, "" of one whose uid is none.
    static std::string user_path(const std::string& uid);
    // The same of a device, by "sip:ID@DOMAIN": v2 asks for its user.
    std::string device_path(const std::string& sip_uri) const;
    // Digits of "sip:DIGITS@*".
    std::string number() const;

    Response write(const char* method, const std::string& path, const Json& body = nullptr);
    Response read(const std::string& path);
    Response ask(const char* method, const std::string& path, const Json& body);
    Response document(const Json& value) const;

    Store& store_;
    Microseconds now_;
    Inner inner_;
    const Request* request_ = nullptr;
    Fields fields_;
};

}  // namespace tbs::simulator

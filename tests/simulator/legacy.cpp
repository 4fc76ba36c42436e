#include "legacy.hpp"

#include <algorithm>
#include <array>

#include "legacy_names.hpp"
#include "switch.hpp"
#include "target.hpp"

namespace tbs::simulator {

namespace {

constexpr std::string_view kDialPlan = "DID Table";
constexpr std::string_view kSipScheme = "sip:";

std::string escaped_xml(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '<')
            escaped += "&lt;";
        else if (c == '&')
            escaped += "&amp;";
        else
            escaped.push_back(c);
    }
    return escaped;
}

// The names of the headers that carry an error's detail are not known: a page of XML has it.
Response error(int status, std::string_view message) {
    Response response;
    response.status = status;
    response.content_type = "text/xml";
    response.body = "<xml><code>" + std::to_string(status) + "</code><message>" +
                    escaped_xml(message) + "</message></xml>";
    return response;
}

std::string segment(std::string_view text) {
    constexpr std::string_view kHexadecimal = "0123456789ABCDEF";
    std::string encoded;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            c == '-' || c == '.' || c == '_') {
            encoded.push_back(c);
        } else {
            encoded.push_back('%');
            encoded.push_back(kHexadecimal[byte / 16]);
            encoded.push_back(kHexadecimal[byte % 16]);
        }
    }
    return encoded;
}

// "1001@acme" → {"1001", "acme"}; two empty texts when it is no such thing.
std::pair<std::string, std::string> split_address(std::string_view text) {
    if (text.starts_with(kSipScheme)) text.remove_prefix(kSipScheme.size());
    const std::size_t at = text.find('@');
    if (at == std::string_view::npos) return {};
    return {std::string(text.substr(0, at)), std::string(text.substr(at + 1))};
}

std::string item(const char* kind, const std::string& domain, const std::string& name) {
    return "/domains/" + segment(domain) + "/" + kind + "/" + segment(name);
}

bool is_named(std::string_view names, std::string_view name) {
    for (std::size_t at = names.find(name); at != std::string_view::npos;
         at = names.find(name, at + 1))
        if ((at == 0 || names[at - 1] == ' ') && names[at + name.size()] == ' ') return true;
    return false;
}

}  // namespace

std::span<const Legacy::Call> Legacy::calls() {
    static constexpr std::array kCalls = {
        Call{"domain", "count", "format ", &Legacy::domain_count},
        Call{"domain", "create", "format domain territory ", &Legacy::domain_create},
        Call{"domain", "read", "format domain ", &Legacy::domain_read},
        Call{"domain", "update", "format domain ", &Legacy::domain_update},
        Call{"domain", "delete", "format domain ", &Legacy::domain_delete},
        Call{"subscriber", "create", "format user domain ", &Legacy::subscriber_create},
        Call{"subscriber", "read", "format user domain ", &Legacy::subscriber_read},
        Call{"subscriber", "update", "format uid ", &Legacy::subscriber_update},
        Call{"subscriber", "delete", "format uid ", &Legacy::subscriber_delete},
        Call{"device", "create", "format domain device user mac model ", &Legacy::device_create},
        Call{"device", "read", "format domain ", &Legacy::device_read},
        Call{"device", "update", "format device transport ", &Legacy::device_update},
        Call{"device", "delete", "format device termination_match ", &Legacy::device_delete},
        Call{"mac", "create", "format mac domain model ", &Legacy::mac_create},
        Call{"mac", "read", "format mac extension checkExistance ", &Legacy::mac_read},
        Call{"mac", "update", "format mac ", &Legacy::mac_update},
        Call{"mac", "delete", "format mac domain ", &Legacy::mac_delete},
        Call{"phonenumber", "create",
             "format dest_domain dialplan matchrule responder to_user to_host ",
             &Legacy::number_create},
        Call{"phonenumber", "read", "format dialplan ", &Legacy::number_read},
        Call{"phonenumber", "update", "format dest_domain dialplan matchrule ",
             &Legacy::number_update},
        Call{"phonenumber", "delete", "format domain dialplan matchrule ", &Legacy::number_delete},
    };
    return kCalls;
}

Response Legacy::handle(const Request& request) {
    request_ = &request;
    fields_ = parse_form(request.query);
    fields_.merge(parse_form(request.body));
    for (const Call& call : calls()) {
        if (call.object != field("object") || call.action != field("action")) continue;
        std::string_view names = call.required;
        while (!names.empty()) {
            const std::size_t space = names.find(' ');
            const std::string name(names.substr(0, space));
            if (fields_.find(name) == fields_.end()) return error(400, "Missing " + name);
            names.remove_prefix(space + 1);
        }
        return (this->*call.carry_out)();
    }
    return error(400, "Unknown object or action");
}

// ---- domains

Response Legacy::domain_count() {
    Response response = ask("GET", "/domains/count", nullptr);
    if (response.status != 200) return response;
    return document(Json::parse(response.body, nullptr, false));
}

// Unlike v2, this makes no user that holds the domain's defaults.
Response Legacy::domain_create() {
    Response response = write("POST", "/domains", members(""));
    if (response.effect)
        store_.users.write(child_key(field("domain"), "domain"), nullptr, now_, now_);
    return response;
}

Response Legacy::domain_read() {
    return read("/domains/" + segment(field("domain")));
}

Response Legacy::domain_update() {
    return write("PUT", "/domains/" + segment(field("domain")), members("domain "));
}

Response Legacy::domain_delete() {
    return write("DELETE", "/domains/" + segment(field("domain")));
}

// ---- users

Response Legacy::subscriber_create() {
    Json body = members("domain uid ");
    for (const auto& [name, value] :
         {std::pair("name-first-name", ""), std::pair("name-last-name", ""),
          std::pair("email-address", ""), std::pair("user-scope", "Basic User")})
        if (!body.contains(name)) body[name] = value;
    return write("POST", "/domains/" + segment(field("domain")) + "/users", body);
}

Response Legacy::subscriber_read() {
    return read(item("users", field("domain"), field("user")));
}

Response Legacy::subscriber_update() {
    return write("PUT", user_path(field("uid")), members("uid user domain "));
}

Response Legacy::subscriber_delete() {
    return write("DELETE", user_path(field("uid")));
}

// ---- devices

Response Legacy::device_create() {
    Json body = members("domain device user ");
    body["device"] = split_address(field("device")).first;
    // Empty ones say that there is no phone.
    for (const char* name : {"device-models-model", "device-provisioning-mac-address"})
        if (text_member(body, name).empty()) body.erase(name);
    return write("POST", item("users", field("domain"), field("user")) + "/devices", body);
}

Response Legacy::device_read() {
    return read(device_path(field("device")));
}

Response Legacy::device_update() {
    return write("PUT", device_path(field("device")), members("domain device "));
}

Response Legacy::device_delete() {
    if (split_address(field("device")).second != field("termination_match"))
        return error(404, "Not found");
    return write("DELETE", device_path(field("device")));
}

// ---- phones

Response Legacy::mac_create() {
    return write("POST", "/phones", members(""));
}

Response Legacy::mac_read() {
    return read("/phones/" + segment(field("mac")));
}

Response Legacy::mac_update() {
    return write("PUT", "/phones", members(""));
}

Response Legacy::mac_delete() {
    return write("DELETE", "/domains/" + segment(field("domain")) + "/phones", members("domain "));
}

// ---- numbers

Response Legacy::number_create() {
    Json body = members("dest_domain dialplan matchrule ");
    body["phonenumber"] = number();
    return write("POST", "/domains/" + segment(field("dest_domain")) + "/phonenumbers", body);
}

// Without a domain: wherever the number is.
Response Legacy::number_read() {
    std::string domain = field("dest_domain");
    const JsonPointer object = store_.phone_numbers.visible(number());
    if (domain.empty() && object != nullptr) domain = text_member(*object, "domain");
    return read(item("phonenumbers", domain.empty() ? "~" : domain, number()));
}

Response Legacy::number_update() {
    return write("PUT", item("phonenumbers", field("dest_domain"), number()),
                 members("dest_domain dialplan matchrule "));
}

Response Legacy::number_delete() {
    return write("DELETE", item("phonenumbers", field("domain"), number()));
}

// ---- words

std::string Legacy::field(const std::string& name) const {
    const auto found = fields_.find(name);
    return found == fields_.end() ? std::string() : found->second;
}

Json Legacy::members(std::string_view not_these) const {
    Json body = Json::object();
    for (const auto& [name, value] : fields_) {
        if (name == "object" || name == "action" || name == "format" || is_named(not_these, name))
            continue;
        body[current_name(field("object"), name)] =
            name == "responder" ? current_responder(value) : value;
    }
    return body;
}

std::string Legacy::user_path(const std::string& uid) {
    const auto [user, domain] = split_address(uid);
    return item("users", domain, user);
}

std::string Legacy::device_path(const std::string& sip_uri) const {
    const auto [device, domain] = split_address(sip_uri);
    const JsonPointer object = store_.devices.visible(child_key(domain, device));
    const std::string user = object == nullptr ? "~" : text_member(*object, "user");
    return item("users", domain, user) + "/devices/" + segment(device);
}

std::string Legacy::number() const {
    if (field("dialplan") != kDialPlan) return "~";
    return split_address(field("matchrule")).first;
}

// ---- answers

Response Legacy::write(const char* method, const std::string& path, const Json& body) {
    Response response = ask(method, path, body);
    if (response.status > 299) return response;
    response.status = 202;
    response.body.clear();
    response.content_type = "text/plain";
    return response;
}

Response Legacy::read(const std::string& path) {
    Response response = ask("GET", path, nullptr);
    if (response.status == 404) return document(Json::array());
    if (response.status != 200) return response;
    const Json object = Json::parse(response.body, nullptr, false);
    Json row = Json::object();
    for (const auto& [name, value] : object.items())
        row[legacy_name(field("object"), name)] =
            name == "dial-rule-application" ? Json(legacy_responder(text_member(object, name)))
                                            : value;
    return document(Json::array({std::move(row)}));
}

Response Legacy::ask(const char* method, const std::string& path, const Json& body) {
    Request inner;
    inner.method = method;
    inner.path = std::string(kApiPath) + path;
    if (!body.is_null()) inner.body = to_text(body);
    inner.authorization = request_->authorization;
    Response response = inner_(inner);
    if (response.status < 300) return response;
    return error(response.status,
                 text_member(Json::parse(response.body, nullptr, false), "message"));
}

// JSON with the content type that the server has for it; XML unless JSON was asked for.
Response Legacy::document(const Json& value) const {
    Response response;
    if (field("format") == "json") {
        response.body = to_text(value);
        response.content_type = "text/html";
        return response;
    }
    response.content_type = "text/xml";
    response.body = "<xml>";
    for (const Json& row : value.is_array() ? value : Json::array({value})) {
        response.body += "<" + field("object") + ">";
        for (const auto& [name, content] : row.items())
            response.body.append("<" + name + ">")
                .append(escaped_xml(text_member(row, name)))
                .append("</" + name + ">");
        response.body += "</" + field("object") + ">";
    }
    response.body += "</xml>";
    return response;
}

}  // namespace tbs::simulator

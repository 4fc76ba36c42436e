#include "bridge/authentication.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "bridge/text.hpp"

namespace tbs::bridge {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaximumErrorText = 300;

std::string text_member(const Json& document, const char* name) {
    const auto found = document.find(name);
    return found != document.end() && found->is_string() ? found->get<std::string>()
                                                         : std::string{};
}

// Reads members that hold references, and remembers the first problem.
class References {
 public:
    References(const Json& document, const SecretValues& secrets)
        : document_{document}, secrets_{secrets} {}

    std::string required(const char* name, bool literal_allowed) {
        return read(name, literal_allowed, true);
    }
    std::string optional(const char* name, bool literal_allowed) {
        return read(name, literal_allowed, false);
    }
    [[nodiscard]] std::string take_problem() { return std::move(problem_); }

 private:
    std::string read(const char* name, bool literal_allowed, bool needed) {
        const auto found = document_.find(name);
        if (found == document_.end() || found->is_null()) {
            if (needed) note(name, "is missing");
            return {};
        }
        if (!found->is_string()) {
            note(name, "is not a string");
            return {};
        }
        ResolvedSecret secret =
            resolve_reference(found->get_ref<const std::string&>(), secrets_, literal_allowed);
        if (!secret.ok()) note(name, secret.problem);
        return std::move(secret.value);
    }

    void note(const char* name, const std::string& what) {
        if (problem_.empty()) problem_ = std::string{"authentication: "} + name + ": " + what;
    }

    const Json& document_;
    const SecretValues& secrets_;
    std::string problem_;
};

bool breaks_header(std::string_view value) {
    return std::any_of(value.begin(), value.end(),
                       [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

void resolve_oauth(Authentication& result, const Json& document, References& references,
                   OAuthSettings::Kind kind, std::string_view base_url) {
    OAuthSettings settings;
    settings.kind = kind;
    const std::string url = text_member(document, "token_url");
    if (url.starts_with("https://") || url.starts_with("http://")) {
        settings.token_url = url;
    } else {
        settings.token_url = std::string{base_url};
        if (!url.starts_with('/')) settings.token_url += '/';
        settings.token_url += url;
    }
    if (url.empty()) result.problem = "authentication: token_url is missing";
    const std::string format = text_member(document, "body_format");
    settings.json_body = format == "json";
    if (!format.empty() && format != "json" && format != "form") {
        result.problem = "authentication: body_format is neither form nor json";
    }
    settings.client_id = references.required("client_id", true);
    if (kind == OAuthSettings::Kind::password) {
        settings.client_secret = references.optional("client_secret", false);
        settings.username = references.required("username", true);
        settings.password = references.required("password", false);
    } else {
        settings.client_secret = references.required("client_secret", false);
    }
    settings.scope = references.optional("scope", true);
    result.oauth = std::move(settings);
}

// The part of an error answer that is meant for people (RFC 6749 section 5.2); nothing else of it
// is passed on, because servers repeat what they were sent.
std::string error_text(const Json& document, const SecretValues& known) {
    std::string text = text_member(document, "error");
    const std::string description = text_member(document, "error_description");
    if (!description.empty()) text += text.empty() ? description : ": " + description;
    return mask_values(text.substr(0, kMaximumErrorText), known);
}

}  // namespace

Authentication resolve_authentication(std::string_view document_text, const SecretValues& secrets,
                                      std::string_view base_url) {
    Authentication result;
    if (document_text.empty()) return result;
    const Json document = Json::parse(document_text, nullptr, false);
    if (document.is_null()) return result;
    if (!document.is_object()) {
        result.problem = "authentication: is not a JSON object";
        return result;
    }
    References references{document, secrets};
    const std::string kind = text_member(document, "kind");
    if (kind == "basic") {
        const std::string user = references.required("user", true);
        const std::string password = references.required("password", false);
        result.header_name = "Authorization";
        result.header_value = "Basic " + base64(user + ":" + password);
    } else if (kind == "bearer") {
        result.header_name = "Authorization";
        result.header_value = "Bearer " + references.required("token", false);
    } else if (kind == "header") {
        result.header_name = text_member(document, "name");
        result.header_value = references.required("value", false);
        if (result.header_name.empty()) result.problem = "authentication: name is missing";
    } else if (kind == "oauth2_password") {
        resolve_oauth(result, document, references, OAuthSettings::Kind::password, base_url);
    } else if (kind == "oauth2_client_credentials") {
        resolve_oauth(result, document, references, OAuthSettings::Kind::client_credentials,
                      base_url);
    } else if (kind != "none") {
        result.problem = "authentication: kind \"" + kind + "\" is not known to this bridge";
    }
    if (result.problem.empty()) result.problem = references.take_problem();
    if (result.problem.empty() &&
        (breaks_header(result.header_name) || breaks_header(result.header_value))) {
        result.problem =
            "authentication: a value with a line end or NUL cannot be sent in a header";
    }
    return result;
}

std::string token_request_body(const OAuthSettings& settings, Grant grant,
                               std::string_view refresh_token) {
    std::vector<std::pair<std::string_view, std::string_view>> members;
    if (grant == Grant::refresh) {
        members.emplace_back("grant_type", "refresh_token");
        members.emplace_back("refresh_token", refresh_token);
    } else if (settings.kind == OAuthSettings::Kind::password) {
        members.emplace_back("grant_type", "password");
        members.emplace_back("username", settings.username);
        members.emplace_back("password", settings.password);
    } else {
        members.emplace_back("grant_type", "client_credentials");
    }
    members.emplace_back("client_id", settings.client_id);
    if (!settings.client_secret.empty()) {
        members.emplace_back("client_secret", settings.client_secret);
    }
    if (!settings.scope.empty()) members.emplace_back("scope", settings.scope);

    std::string body;
    for (const auto& [name, value] : members) {
        if (settings.json_body) {
            body += body.empty() ? "{\"" : ",\"";
            append_json_escaped(body, name);
            body += "\":\"";
            append_json_escaped(body, value);
            body += '"';
        } else {
            if (!body.empty()) body += '&';
            append_form_escaped(body, name);
            body += '=';
            append_form_escaped(body, value);
        }
    }
    if (settings.json_body) body += '}';
    return body;
}

std::variant<FetchedToken, TokenFailure> read_token_answer(const OAuthSettings& settings,
                                                           std::string_view refresh_token,
                                                           int curl_result, int http_status,
                                                           std::string_view answer) {
    // No answer: what is wrong is the way there, not the credentials.
    if (curl_result != 0) return TokenFailure{curl_result, 0, {}};
    const Json document = Json::parse(answer, nullptr, false);
    const bool object = document.is_object();
    if (http_status >= 200 && http_status < 300 && object) {
        FetchedToken token;
        token.access_token = text_member(document, "access_token");
        token.refresh_token = text_member(document, "refresh_token");
        const auto expires = document.find("expires_in");
        if (expires != document.end()) {
            // Some servers send the number as a string.
            if (expires->is_number()) {
                const double seconds = std::clamp(expires->get<double>(), 0.0, 1e9);
                token.expires_in = std::chrono::seconds{static_cast<std::int64_t>(seconds)};
            } else if (expires->is_string()) {
                const auto& text = expires->get_ref<const std::string&>();
                const bool digits = !text.empty() && text.size() < 10 &&
                                    text.find_first_not_of("0123456789") == std::string::npos;
                if (digits) token.expires_in = std::chrono::seconds{std::stol(text)};
            }
        }
        if (!token.access_token.empty() && !breaks_header(token.access_token)) return token;
    }
    SecretValues known{{"client_secret", settings.client_secret},
                       {"password", settings.password},
                       {"refresh_token", std::string{refresh_token}}};
    if (object) {
        known.emplace("new_access_token", text_member(document, "access_token"));
        known.emplace("new_refresh_token", text_member(document, "refresh_token"));
    }
    TokenFailure failure;
    // A server that is down or throttles says nothing about the credentials either.
    const bool temporary = http_status >= 500 || http_status == 429 || http_status == 408;
    failure.http_status = temporary ? http_status : 401;
    failure.answer = R"({"error":"no access token","token_status":)" + std::to_string(http_status);
    const std::string text = object ? error_text(document, known) : std::string{};
    if (!text.empty()) {
        failure.answer += R"(,"token_error":")";
        append_json_escaped(failure.answer, text);
        failure.answer += '"';
    } else if (http_status >= 200 && http_status < 300) {
        failure.answer += R"(,"token_error":"the answer has no access_token")";
    }
    failure.answer += '}';
    return failure;
}

}  // namespace tbs::bridge

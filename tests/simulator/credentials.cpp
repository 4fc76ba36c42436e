#include "credentials.hpp"

#include <algorithm>

namespace tbs::simulator {

namespace {

constexpr std::string_view kBearer = "Bearer ";
constexpr std::size_t kTokenLength = 40;
constexpr std::size_t kKeyIdLength = 12;

std::string_view bearer_token(std::string_view authorization) {
    if (!authorization.starts_with(kBearer)) return {};
    return authorization.substr(kBearer.size());
}

bool contains(const std::vector<std::string>& keys, std::string_view key) {
    return !key.empty() && std::find(keys.begin(), keys.end(), key) != keys.end();
}

// Both spellings of an error body: that of RFC 6749 and that of the rest of the switch.
Response grant_refusal(int status, std::string_view error, std::string_view description) {
    Response response = refusal(status, description);
    response.body.pop_back();
    response.body += R"(,"error":)" + json_string(error) + R"(,"error_description":)" +
                     json_string(description) + "}";
    return response;
}

}  // namespace

std::string random_text(std::mt19937_64& random, std::size_t length) {
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    std::uniform_int_distribution<std::size_t> position(0, kAlphabet.size() - 1);
    std::string text(length, ' ');
    for (char& c : text) c = kAlphabet[position(random)];
    return text;
}

bool Credentials::open() const {
    return options_.api_keys.empty() && options_.low_scope_keys.empty() &&
           options_.client_id.empty();
}

Credentials::Scope Credentials::scope(std::string_view authorization, Microseconds now) {
    if (open()) return Scope::full;
    const std::string_view token = bearer_token(authorization);
    if (contains(options_.api_keys, token)) return Scope::full;
    if (contains(options_.low_scope_keys, token)) return Scope::low;
    const auto found = access_tokens_.find(token);
    if (found == access_tokens_.end()) return Scope::none;
    if (found->second > now) return Scope::full;
    access_tokens_.erase(found);
    return Scope::none;
}

Response Credentials::grant(const std::map<std::string, std::string>& fields, Microseconds now) {
    const auto field = [&fields](const std::string& name) {
        const auto found = fields.find(name);
        return found == fields.end() ? std::string() : found->second;
    };
    if (options_.client_id.empty() || field("client_id") != options_.client_id ||
        field("client_secret") != options_.client_secret)
        return grant_refusal(401, "invalid_client", "Client authentication failed");

    const std::string type = field("grant_type");
    if (type == "password") {
        if (field("username") != options_.user_name || field("password") != options_.password)
            return grant_refusal(401, "invalid_grant", "Invalid username and password combination");
        return token_response(issue(refresh_tokens_, options_.refresh_lifetime, now), now);
    }
    if (type == "refresh_token") {
        const auto found = refresh_tokens_.find(field("refresh_token"));
        if (found == refresh_tokens_.end() || found->second <= now)
            return grant_refusal(400, "invalid_grant", "Invalid refresh token");
        if (!options_.rotate_refresh_tokens) return token_response({}, now);
        refresh_tokens_.erase(found);
        return token_response(issue(refresh_tokens_, options_.refresh_lifetime, now), now);
    }
    return grant_refusal(400, "unsupported_grant_type", "Grant type is not supported");
}

std::string Credentials::issue(Tokens& tokens, std::chrono::seconds lifetime, Microseconds now) {
    std::erase_if(tokens, [now](const auto& token) { return token.second <= now; });
    std::string token = random_text(random_, kTokenLength);
    tokens.emplace(token, now + lifetime);
    return token;
}

Response Credentials::token_response(const std::string& refresh_token, Microseconds now) {
    Json answer = {{"access_token", issue(access_tokens_, options_.token_lifetime, now)},
                   {"expires_in", options_.token_lifetime.count()},
                   {"token_type", "Bearer"},
                   {"scope", "Super User"},
                   {"client_id", options_.client_id},
                   {"username", options_.user_name},
                   {"apiversion", "45.0"}};
    if (!refresh_token.empty()) answer["refresh_token"] = refresh_token;
    return json_response(answer);
}

std::optional<Json> Credentials::describe_key(std::string_view authorization) const {
    const std::string_view key = bearer_token(authorization);
    const bool full = contains(options_.api_keys, key);
    if (!full && !contains(options_.low_scope_keys, key)) return std::nullopt;
    return Json{{"key-id", key.substr(0, kKeyIdLength)},
                {"user-scope", full ? "Super User" : "Basic User"},
                {"readonly", "no"},
                {"can-create-keys", "no"}};
}

}  // namespace tbs::simulator

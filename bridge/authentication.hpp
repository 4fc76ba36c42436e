// How a resource wants to be talked to: the authentication document of its configuration with its
// references resolved. Pure apart from reading environment variables and files.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "bridge/oauth.hpp"
#include "bridge/secrets.hpp"

namespace tbs::bridge {

struct OAuthSettings {
    enum class Kind { password, client_credentials };
    Kind kind = Kind::client_credentials;
    std::string token_url;
    bool json_body = false;
    std::string client_id;
    std::string client_secret;
    std::string username;
    std::string password;
    std::string scope;

    bool operator==(const OAuthSettings&) const = default;
};

struct Authentication {
    // A header that goes with every call (kinds basic, bearer and header); empty name: none.
    std::string header_name;
    std::string header_value;
    std::optional<OAuthSettings> oauth;
    // Why nothing can be sent; empty when all is well. Never holds a secret.
    std::string problem;

    bool operator==(const Authentication&) const = default;
};

// `document` is the JSON of the contract; a missing one means kind none.
[[nodiscard]] Authentication resolve_authentication(std::string_view document,
                                                    const SecretValues& secrets,
                                                    std::string_view base_url);

[[nodiscard]] std::string token_request_body(const OAuthSettings& settings, Grant grant,
                                             std::string_view refresh_token);

// What a token endpoint answered. Texts of a failure never hold a secret of `settings`.
[[nodiscard]] std::variant<FetchedToken, TokenFailure> read_token_answer(
    const OAuthSettings& settings, std::string_view refresh_token, int curl_result, int http_status,
    std::string_view answer);

}  // namespace tbs::bridge

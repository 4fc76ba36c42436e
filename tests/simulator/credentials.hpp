// API keys and OAuth 2 tokens of the switch. With neither keys nor an OAuth client configured every
// request is let in.
#pragma once

#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "clock.hpp"
#include "message.hpp"

namespace tbs::simulator {

struct CredentialOptions {
    std::vector<std::string> api_keys;
    std::vector<std::string> low_scope_keys;  // known, but may do nothing but ask who they are
    std::string client_id;
    std::string client_secret;
    std::string user_name;
    std::string password;
    std::chrono::seconds token_lifetime{3600};
    std::chrono::seconds refresh_lifetime{86400};
    bool rotate_refresh_tokens =
        true;  // a refresh answers a new refresh token and voids the old one
};

// Letters and digits from the seeded generator of the run.
std::string random_text(std::mt19937_64& random, std::size_t length);

class Credentials {
 public:
    // The generator must outlive this object.
    Credentials(CredentialOptions options, std::mt19937_64& random)
        : options_(std::move(options)), random_(random) {}

    enum class Scope { none, low, full };
    // What the value of an Authorization header is good for.
    Scope scope(std::string_view authorization, Microseconds now);

    // The answer to a grant request with these fields.
    Response grant(const std::map<std::string, std::string>& fields, Microseconds now);

    // The answer to GET /apikeys/~; nothing when the credentials are no API key.
    std::optional<Json> describe_key(std::string_view authorization) const;

    // Voids all access tokens; refresh tokens stay good.
    void revoke_access_tokens() { access_tokens_.clear(); }

 private:
    using Tokens = std::map<std::string, Microseconds, std::less<>>;  // token → expires at

    bool open() const;
    std::string issue(Tokens& tokens, std::chrono::seconds lifetime, Microseconds now);
    Response token_response(const std::string& refresh_token, Microseconds now);

    CredentialOptions options_;
    std::mt19937_64& random_;
    Tokens access_tokens_;
    Tokens refresh_tokens_;
};

}  // namespace tbs::simulator

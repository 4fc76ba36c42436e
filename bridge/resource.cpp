#include "bridge/resource.hpp"

#include <nlohmann/json.hpp>

namespace tbs::bridge {

namespace {

void read_tls(ResourceConfiguration& resource, std::string_view text) {
    if (text.empty()) return;
    const auto document = nlohmann::json::parse(text, nullptr, false);
    if (document.is_null()) return;
    if (!document.is_object()) {
        resource.problem = "tls: is not a JSON object";
        return;
    }
    const auto read = [&](const char* name, std::string& target) {
        const auto found = document.find(name);
        if (found == document.end() || found->is_null()) return;
        if (found->is_string()) {
            target = found->get<std::string>();
        } else {
            resource.problem = std::string{"tls: "} + name + " is not a string";
        }
    };
    read("ca_file", resource.tls.ca_file);
    read("client_certificate_file", resource.tls.client_certificate_file);
    read("client_key_file", resource.tls.client_key_file);
    const auto verify = document.find("verify");
    if (verify != document.end() && !verify->is_null()) {
        // Anything but a plain false keeps the check.
        resource.tls.verify = !(verify->is_boolean() && !verify->get<bool>());
    }
}

}  // namespace

void read_resource(ResourceConfiguration& resource, std::string_view base_url,
                   std::string_view authentication, std::string_view secrets,
                   std::string_view tls) {
    while (base_url.ends_with('/')) base_url.remove_suffix(1);
    resource.base_url = std::string{base_url};
    if (!base_url.starts_with("https://") && !base_url.starts_with("http://")) {
        resource.problem = "base URL: only http and https URLs are accepted";
    }
    const auto values = parse_secrets(secrets);
    if (!values) resource.problem = "secrets: is not a JSON object of strings";
    read_tls(resource, tls);
    resource.authentication =
        resolve_authentication(authentication, values.value_or(SecretValues{}), resource.base_url);
    if (resource.problem.empty()) resource.problem = resource.authentication.problem;
}

std::string origin_of(std::string_view url) {
    const std::size_t scheme = url.find("://");
    if (scheme == std::string_view::npos) return {};
    const std::size_t start = scheme + 3;
    std::string_view authority = url.substr(start, url.find_first_of("/?#", start) - start);
    const std::size_t user = authority.rfind('@');
    if (user != std::string_view::npos) authority.remove_prefix(user + 1);
    return std::string{url.substr(0, start)} + std::string{authority};
}

}  // namespace tbs::bridge

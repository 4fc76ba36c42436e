// One network resource as the database describes it: where it is and how it is reached. No kinds,
// no rules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "bridge/authentication.hpp"
#include "bridge/clock.hpp"

namespace tbs::bridge {

struct TlsSettings {
    std::string ca_file;
    std::string client_certificate_file;
    std::string client_key_file;
    bool verify = true;

    bool operator==(const TlsSettings&) const = default;
};

struct ResourceConfiguration {
    std::int32_t id = 0;
    std::string name;
    std::string base_url;  // without trailing slash
    Authentication authentication;
    TlsSettings tls;
    std::size_t connections = 1;
    std::chrono::milliseconds timeout{30000};
    std::chrono::milliseconds connect_timeout{10000};
    std::size_t maximum_answer_bytes = std::size_t{1} << 20U;
    // Why nothing can be sent to it; empty when all is well. Never holds a secret.
    std::string problem;
};

// The JSON and text columns of bridge_configuration. Resolves the references.
void read_resource(ResourceConfiguration& resource, std::string_view base_url,
                   std::string_view authentication, std::string_view secrets, std::string_view tls);

// For logs: scheme, host and port of a URL.
[[nodiscard]] std::string origin_of(std::string_view url);

}  // namespace tbs::bridge

// Secret references of the configuration, and secrets that are put into bodies. Nothing here logs.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace tbs::bridge {

using SecretValues = std::map<std::string, std::string, std::less<>>;

struct ResolvedSecret {
    std::string value;
    std::string problem;  // empty when resolved; never holds the value
    [[nodiscard]] bool ok() const { return problem.empty(); }
};

// `env:NAME`, `file:/path` (one trailing line end is not part of it) or `secret:NAME` (from
// `secrets`). Other text is the value itself where `literal_allowed`.
[[nodiscard]] ResolvedSecret resolve_reference(std::string_view reference,
                                               const SecretValues& secrets, bool literal_allowed);

// Reads {"NAME": "value"}; nullopt when it is anything else.
[[nodiscard]] std::optional<SecretValues> parse_secrets(std::string_view json);

enum class BodyEscape { none, json, form, xml };

[[nodiscard]] BodyEscape escape_for(std::string_view content_type);

// `body` with each placeholder of `secrets` replaced by its value, escaped. Values are not looked
// at again, so one cannot smuggle in another.
[[nodiscard]] std::string substitute_secrets(std::string_view body, const SecretValues& secrets,
                                             BodyEscape escape);

// `text` with every known value replaced by ***.
[[nodiscard]] std::string mask_values(std::string_view text, const SecretValues& secrets);

}  // namespace tbs::bridge

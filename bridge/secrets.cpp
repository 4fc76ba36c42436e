#include "bridge/secrets.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "bridge/text.hpp"

namespace tbs::bridge {

namespace {

constexpr std::string_view kPlaceholder = "__TBS_SECRET_";
constexpr std::size_t kMaximumSecretBytes = 65536;

ResolvedSecret read_file(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    if (!file) return {{}, "file " + path + " cannot be read"};
    std::string value{std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{}};
    if (file.bad()) return {{}, "file " + path + " cannot be read"};
    if (value.size() > kMaximumSecretBytes) return {{}, "file " + path + " is too large"};
    if (value.ends_with('\n')) value.pop_back();
    if (value.ends_with('\r')) value.pop_back();
    if (value.empty()) return {{}, "file " + path + " is empty"};
    return {std::move(value), {}};
}

}  // namespace

ResolvedSecret resolve_reference(std::string_view reference, const SecretValues& secrets,
                                 bool literal_allowed) {
    if (reference.starts_with("env:")) {
        const std::string name{reference.substr(4)};
        const char* const value = std::getenv(name.c_str());
        if (value == nullptr || *value == '\0') {
            return {{}, "environment variable " + name + " is not set"};
        }
        return {value, {}};
    }
    if (reference.starts_with("file:")) return read_file(std::string{reference.substr(5)});
    if (reference.starts_with("secret:")) {
        const auto found = secrets.find(reference.substr(7));
        if (found == secrets.end()) {
            return {{}, "secret " + std::string{reference.substr(7)} + " is not in the database"};
        }
        return {found->second, {}};
    }
    if (literal_allowed) return {std::string{reference}, {}};
    // The text may be a secret that somebody wrote in the wrong place: it is not repeated.
    return {{}, "a reference (env:NAME, file:/path or secret:NAME) is expected here"};
}

std::optional<SecretValues> parse_secrets(std::string_view json) {
    if (json.empty() || json == "{}") return SecretValues{};
    const auto document = nlohmann::json::parse(json, nullptr, false);
    if (document.is_null()) return SecretValues{};
    if (!document.is_object()) return std::nullopt;
    SecretValues values;
    for (const auto& [name, value] : document.items()) {
        if (!value.is_string()) return std::nullopt;
        values.emplace(name, value.get<std::string>());
    }
    return values;
}

BodyEscape escape_for(std::string_view content_type) {
    const std::string type = lower_case(trim(content_type.substr(0, content_type.find(';'))));
    if (type == "application/json" || type.ends_with("+json")) return BodyEscape::json;
    if (type == "application/x-www-form-urlencoded") return BodyEscape::form;
    if (type == "application/xml" || type == "text/xml" || type.ends_with("+xml")) {
        return BodyEscape::xml;
    }
    return BodyEscape::none;
}

std::string substitute_secrets(std::string_view body, const SecretValues& secrets,
                               BodyEscape escape) {
    std::string out;
    out.reserve(body.size() + 64);
    std::size_t copied = 0;
    for (std::size_t at = body.find(kPlaceholder); at != std::string_view::npos;
         at = body.find(kPlaceholder, at)) {
        // __TBS_SECRET_<id>_<version>__
        const std::size_t end = body.find("__", at + kPlaceholder.size());
        if (end == std::string_view::npos) break;
        const auto found = secrets.find(body.substr(at, end + 2 - at));
        if (found == secrets.end()) {
            at += kPlaceholder.size();
            continue;
        }
        out += body.substr(copied, at - copied);
        switch (escape) {
            case BodyEscape::none:
                out += found->second;
                break;
            case BodyEscape::json:
                append_json_escaped(out, found->second);
                break;
            case BodyEscape::form:
                append_form_escaped(out, found->second);
                break;
            case BodyEscape::xml:
                append_xml_escaped(out, found->second);
                break;
        }
        at = end + 2;
        copied = at;
    }
    out += body.substr(copied);
    return out;
}

std::string mask_values(std::string_view text, const SecretValues& secrets) {
    std::string out{text};
    for (const auto& [name, value] : secrets) {
        if (value.empty()) continue;
        for (std::size_t at = out.find(value); at != std::string::npos; at = out.find(value, at)) {
            out.replace(at, value.size(), "***");
            at += 3;
        }
    }
    return out;
}

}  // namespace tbs::bridge

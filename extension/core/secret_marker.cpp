#include "core/secret_marker.hpp"

#include "core/error.hpp"

namespace tbs::core {

namespace {

constexpr std::string_view kMarkerBegin = "__TBS_SECRET_";

[[nodiscard]] std::size_t count_in_text(std::string_view text) noexcept {
    std::size_t count = 0;
    for (std::size_t at = text.find(kMarkerBegin); at != std::string_view::npos;
         at = text.find(kMarkerBegin, at + 1))
        ++count;
    return count;
}

}  // namespace

std::string secret_marker(const Json& secret, std::string_view name) {
    const Json* const id = find_member(secret, "id");
    const Json* const version = find_member(secret, "version");
    if (id == nullptr || version == nullptr || !id->is_number_integer() ||
        !version->is_number_integer())
        throw RenderError("the secret {" + std::string(name) + "} has no id and version");
    return std::string(kMarkerBegin) + id->dump() + '_' + version->dump() + "__";
}

std::size_t count_secret_markers(const Json& value) {
    if (const auto* text = value.get_ptr<const std::string*>()) return count_in_text(*text);
    std::size_t count = 0;
    if (const auto* elements = value.get_ptr<const Json::array_t*>())
        for (const Json& element : *elements) count += count_secret_markers(element);
    if (const auto* members = value.get_ptr<const Json::object_t*>())
        for (const auto& [name, member] : *members)
            count += count_in_text(name) + count_secret_markers(member);
    return count;
}

void check_secret_markers(const Json& value, std::size_t expected) {
    if (count_secret_markers(value) != expected)
        throw RenderError("the value contains the text \"" + std::string(kMarkerBegin) +
                          "\", which is reserved for secrets");
}

}  // namespace tbs::core

#include "core/header.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace tbs::core {

void check_header_name(std::string_view name) {
    constexpr std::string_view kOther = "!#$%&'*+-.^_`|~";
    const auto is_token = [&](char c) {
        return is_alphanumeric(c) || kOther.find(c) != std::string_view::npos;
    };
    if (name.empty() || !std::all_of(name.begin(), name.end(), is_token))
        throw RenderError(in_quotes(name) + " is not a header name");
}

void check_header_value(std::string_view value) {
    if (std::any_of(value.begin(), value.end(), [](char c) { return is_control(c) && c != '\t'; }))
        throw RenderError("the value contains a line break or another control character");
}

}  // namespace tbs::core

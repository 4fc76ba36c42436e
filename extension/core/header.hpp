// What may stand in an HTTP header.
#pragma once

#include <string_view>

namespace tbs::core {

// Throws RenderError unless `name` is a token of RFC 9110.
void check_header_name(std::string_view name);

// Throws RenderError for CR, LF, NUL and every other control character but tab: they would end the
// header and begin another.
void check_header_value(std::string_view value);

}  // namespace tbs::core

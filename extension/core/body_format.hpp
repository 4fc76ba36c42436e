// How a rendered document becomes the bytes of a request.
#pragma once

#include <string>
#include <string_view>

#include "core/json.hpp"

namespace tbs::core {

enum class BodyFormat : unsigned char { json, form, xml, text };

// Throws RenderError for an unknown name.
[[nodiscard]] BodyFormat body_format(std::string_view name);

[[nodiscard]] std::string_view content_type(BodyFormat format) noexcept;

// Throws RenderError when the document does not fit the format.
[[nodiscard]] std::string serialise(const Json& document, BodyFormat format);

}  // namespace tbs::core

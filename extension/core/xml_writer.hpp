// A JSON document as XML.
#pragma once

#include <string>

#include "core/json.hpp"

namespace tbs::core {

// The single member of `document` is the root element. Members become child elements, arrays repeat
// the element, "@name" becomes an attribute and "#text" the text of the element. Throws RenderError
// for a document of another shape, a name that is no XML name and characters that XML cannot hold.
[[nodiscard]] std::string to_xml(const Json& document);

}  // namespace tbs::core

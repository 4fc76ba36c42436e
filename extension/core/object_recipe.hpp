// Identity, key and content of a remote object.
// {"identity": {NAME: TEMPLATE}, "key": TEMPLATE, "find_value": TEMPLATE, "content": {...},
//  "values_from": LAYER, "business_values": {...}}, all optional.
#pragma once

#include <optional>
#include <string>

#include "core/content_recipe.hpp"
#include "core/document_template.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/layered_values.hpp"
#include "core/template.hpp"

namespace tbs::core {

// What could be made; a problem leaves out only what it concerns, so that an object whose content
// cannot be rendered still has its key.
struct RenderedObject {
    std::optional<std::string> key;
    std::optional<Json> identity;
    std::optional<std::string> find_value;
    std::optional<Json> content;
    std::optional<Problem> problem;  // the first one
};

class ObjectRecipe {
 public:
    // Throws TemplateError and RenderError.
    [[nodiscard]] static ObjectRecipe parse(const Json& recipe);

    // Does not throw for data. `item` may be nullptr.
    [[nodiscard]] RenderedObject render(const Json& context, const Json* item) const;

 private:
    std::optional<DocumentTemplate> identity_;
    std::optional<Template> key_;
    std::optional<Template> find_value_;
    std::optional<ContentRecipe> content_;
    LayerRecipe layers_;
};

}  // namespace tbs::core

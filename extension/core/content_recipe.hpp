// What an object should look like: a body document and the layered values that go into it.
// {"body": DOCUMENT, "accepts": [NAME...], "body_format": NAME}, all optional.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/body_format.hpp"
#include "core/document_template.hpp"
#include "core/json.hpp"
#include "core/layered_values.hpp"
#include "core/scope.hpp"

namespace tbs::core {

class ContentRecipe {
 public:
    // Throws TemplateError and RenderError.
    [[nodiscard]] static ContentRecipe parse(const Json& recipe);

    // The document before it is serialised: the rendered body, without the members that a layer
    // says not to send, with every accepted value. nullopt when there is nothing to send.
    // `scope.values` has to be set. Throws RenderError.
    [[nodiscard]] std::optional<Json> render(const Scope& scope) const;

    [[nodiscard]] BodyFormat format() const noexcept { return format_; }

 private:
    void apply_values(Json& document, const LayeredValues& values) const;

    std::optional<DocumentTemplate> body_;
    std::vector<std::string> accepts_;
    BodyFormat format_ = BodyFormat::json;
};

}  // namespace tbs::core

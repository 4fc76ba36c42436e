// One HTTP request: a step of an activity type.
// {"method", "path": URI TEMPLATE, "query": {NAME: TEMPLATE}, "headers": {NAME: TEMPLATE}, "body",
//  "body_format", "accepts", "values_from", "business_values"}; only method and path are required.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/content_recipe.hpp"
#include "core/error.hpp"
#include "core/json.hpp"
#include "core/layered_values.hpp"
#include "core/template.hpp"
#include "core/uri_template.hpp"

namespace tbs::core {

struct RenderedRequest {
    std::string method;
    std::string path;  // with the query
    Json headers;      // {NAME: VALUE}
    std::optional<std::string> body;
};

class RequestRecipe {
 public:
    // Throws TemplateError and RenderError.
    [[nodiscard]] static RequestRecipe parse(const Json& step);

    // `item` and `object` may be nullptr. context.resource.default_headers and default_query go
    // with every request; a header or parameter of the step wins over a default of its name.
    // Throws RenderError.
    [[nodiscard]] RenderedRequest render(const Json& context, const Json* item,
                                         const Json* object) const;

 private:
    using Named = std::vector<std::pair<std::string, Template>>;

    static Named parse_named(const Json& step, const char* list, const char* kind);
    [[nodiscard]] std::string render_path(const Scope& scope) const;
    [[nodiscard]] Json render_headers(const Scope& scope, bool has_body) const;

    std::string method_;
    UriTemplate path_;
    Named query_;
    Named headers_;
    ContentRecipe content_;
    LayerRecipe layers_;
};

}  // namespace tbs::core

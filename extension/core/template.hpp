// A string with references: "{line.first_name} {line.last_name?|upper}".
//
//   {path}            the value at a path of the scope; an error when there is none
//   {path?}           optional: alone in the text it drops what it stands for, else it is empty
//   {path|name:text}  filters, from left to right; an argument runs to the next | or }
//   {secret.NAME}     the marker of a secret, where the scope allows it; also {item.secret.NAME}
//   {{ and }}         literal braces
//
// Immutable after parse(), so one object may serve any number of renderings.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/filter.hpp"
#include "core/json.hpp"
#include "core/path.hpp"
#include "core/scope.hpp"

namespace tbs::core {

class Template {
 public:
    // Throws TemplateError.
    [[nodiscard]] static Template parse(std::string_view text);

    // nullopt when the template is one optional reference without a value. A template that is one
    // reference keeps the type of its value. Throws RenderError.
    [[nodiscard]] std::optional<Json> render(const Scope& scope) const;

    // As render(), but every reference is optional, and a text in which no reference has a value is
    // no value either.
    [[nodiscard]] std::optional<Json> render_if_any(const Scope& scope) const;

    // Appends the referenced paths in the order of the text, each once.
    void collect_references(std::vector<std::string>& references) const;

 private:
    struct Reference {
        Path path;
        bool optional = false;
        bool secret = false;
        std::vector<Filter> filters;
    };
    using Part = std::variant<std::string, Reference>;
    class Parser;

    [[nodiscard]] static std::optional<Json> value_of(const Reference& reference,
                                                      const Scope& scope);
    [[nodiscard]] std::optional<Json> render(const Scope& scope, bool all_optional) const;

    std::vector<Part> parts_;
};

// Appends `name` unless it is there already.
void add_reference(std::vector<std::string>& references, const std::string& name);

}  // namespace tbs::core

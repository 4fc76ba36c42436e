// RFC 6570 URI templates, all four levels. Variable names may be dotted paths of the scope; beyond
// the RFC a name may also hold a hyphen, because names of values do.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/path.hpp"
#include "core/scope.hpp"

namespace tbs::core {

class UriTemplate {
 public:
    // Throws TemplateError.
    [[nodiscard]] static UriTemplate parse(std::string_view text);

    // Strictly as the RFC says: what has no value is left out. Throws RenderError for a value that
    // has no expansion (an array of objects, a prefix of a list).
    [[nodiscard]] std::string expand(const Scope& scope) const;

    // The path of a request. It addresses something that is changed or deleted, so what the RFC
    // would leave out of the path itself is an error here: a variable without a value, an empty
    // one, "." and ".." as segments. In {?x}, {&x}, {;x} and {#x} the RFC's rule stays. Secrets are
    // refused, and so is a path that does not begin with a slash.
    [[nodiscard]] std::string expand_path(const Scope& scope) const;

    void collect_references(std::vector<std::string>& references) const;

 private:
    struct Operator;
    struct Variable {
        Path path;
        bool explode = false;
        std::size_t prefix = 0;  // 0: the whole value
    };
    struct Expression {
        const Operator* kind;
        std::vector<Variable> variables;
    };
    using Part = std::variant<std::string, Expression>;
    class Parser;

    static void check_no_hole(const Expression& expression, const Scope& scope);
    static void append(std::string& result, const Expression& expression, const Scope& scope);

    std::vector<Part> parts_;
};

}  // namespace tbs::core

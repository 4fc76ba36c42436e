// A JSON document whose string leaves are templates. Member names are taken as they are.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/json.hpp"
#include "core/scope.hpp"
#include "core/template.hpp"

namespace tbs::core {

class DocumentTemplate {
 public:
    // Throws TemplateError, or RenderError for a document that is too deep; both name the member,
    // as the errors of render() do, beginning with `root` if that is not empty.
    [[nodiscard]] static DocumentTemplate parse(const Json& document, const std::string& root = {});

    // nullopt when the whole document is one optional reference without a value. Members and array
    // elements of that kind are left out. Throws RenderError with the dotted path of the member.
    [[nodiscard]] std::optional<Json> render(const Scope& scope) const;

    void collect_references(std::vector<std::string>& references) const;

 private:
    struct Leaf {
        Template text;
        std::string member;  // where it stands, for error messages
    };
    struct Node;
    using Members = std::vector<std::pair<std::string, Node>>;
    using Elements = std::vector<Node>;
    struct Node {
        std::variant<Json, Leaf, Members, Elements> content;
    };

    static Node compile(const Json& document, const std::string& member, std::size_t depth);
    static std::optional<Json> render(const Node& node, const Scope& scope);
    static void collect_references(const Node& node, std::vector<std::string>& references);

    Node root_;
};

}  // namespace tbs::core

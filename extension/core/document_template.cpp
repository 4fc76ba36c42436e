#include "core/document_template.hpp"

#include "core/error.hpp"

namespace tbs::core {

namespace {

// The name of a body that is a single leaf.
const std::string kWholeDocument = "body";

std::string member_of(const std::string& parent, const std::string& name) {
    return parent.empty() ? name : parent + '.' + name;
}

Template parse_leaf(const std::string& text, const std::string& member) {
    try {
        return Template::parse(text);
    } catch (const TemplateError& error) {
        throw TemplateError(error.what(), error.problem(), error.hint(), member);
    }
}

}  // namespace

DocumentTemplate DocumentTemplate::parse(const Json& document, const std::string& root) {
    DocumentTemplate result;
    result.root_ = compile(document, root, 0);
    return result;
}

std::optional<Json> DocumentTemplate::render(const Scope& scope) const {
    return render(root_, scope);
}

void DocumentTemplate::collect_references(std::vector<std::string>& references) const {
    collect_references(root_, references);
}

DocumentTemplate::Node DocumentTemplate::compile(const Json& document, const std::string& member,
                                                 std::size_t depth) {
    if (depth > kMaximumDepth)
        throw RenderError(
            "the document is nested more than " + std::to_string(kMaximumDepth) + " levels deep",
            member);
    if (const auto* text = document.get_ptr<const std::string*>()) {
        const std::string& name = member.empty() ? kWholeDocument : member;
        return Node{Leaf{parse_leaf(*text, name), name}};
    }
    if (const auto* members = document.get_ptr<const Json::object_t*>()) {
        Members compiled;
        compiled.reserve(members->size());
        for (const auto& [name, value] : *members)
            compiled.emplace_back(name, compile(value, member_of(member, name), depth + 1));
        return Node{std::move(compiled)};
    }
    if (const auto* elements = document.get_ptr<const Json::array_t*>()) {
        Elements compiled;
        compiled.reserve(elements->size());
        for (const Json& value : *elements)
            compiled.push_back(
                compile(value, member_of(member, std::to_string(compiled.size())), depth + 1));
        return Node{std::move(compiled)};
    }
    return Node{document};
}

std::optional<Json> DocumentTemplate::render(const Node& node, const Scope& scope) {
    if (const auto* constant = std::get_if<Json>(&node.content)) return *constant;
    if (const auto* leaf = std::get_if<Leaf>(&node.content))
        return at_member(leaf->member, [&] { return leaf->text.render(scope); });
    if (const auto* members = std::get_if<Members>(&node.content)) {
        Json result = Json::object();
        auto& object = result.get_ref<Json::object_t&>();
        object.reserve(members->size());
        for (const auto& [name, member] : *members)
            if (std::optional<Json> value = render(member, scope))
                object.push_back({name, std::move(*value)});
        return result;
    }
    Json result = Json::array();
    for (const Node& element : std::get<Elements>(node.content))
        if (std::optional<Json> value = render(element, scope)) result.push_back(std::move(*value));
    return result;
}

void DocumentTemplate::collect_references(const Node& node, std::vector<std::string>& references) {
    if (const auto* leaf = std::get_if<Leaf>(&node.content))
        leaf->text.collect_references(references);
    if (const auto* members = std::get_if<Members>(&node.content))
        for (const auto& [name, member] : *members) collect_references(member, references);
    if (const auto* elements = std::get_if<Elements>(&node.content))
        for (const Node& element : *elements) collect_references(element, references);
}

}  // namespace tbs::core

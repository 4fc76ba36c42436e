#include "core/content_recipe.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/secret_marker.hpp"

namespace tbs::core {

namespace {

void erase_member(Json::object_t& members, std::string_view name) {
    const auto found = std::find_if(members.begin(), members.end(),
                                    [&](const auto& member) { return member.first == name; });
    if (found != members.end()) members.erase(found);
}

}  // namespace

ContentRecipe ContentRecipe::parse(const Json& recipe) {
    ContentRecipe result;
    if (const Json* const format = find_member(recipe, "body_format"))
        result.format_ = body_format(to_text(*format));
    if (const Json* const body = find_member(recipe, "body"))
        result.body_ = DocumentTemplate::parse(*body);
    if (const Json* const accepts = find_member(recipe, "accepts")) {
        if (!accepts->is_array()) throw RenderError("accepts is a list of names", "accepts");
        for (const Json& name : *accepts) result.accepts_.push_back(to_text(name));
    }
    if (!result.accepts_.empty() && result.format_ == BodyFormat::text)
        throw RenderError("a text body has no members to accept values", "accepts");
    return result;
}

std::optional<Json> ContentRecipe::render(const Scope& scope) const {
    std::optional<Json> document;
    if (body_) {
        Scope body_scope = scope;
        body_scope.has_secrets = true;
        document = body_->render(body_scope);
    }
    if (!document && !accepts_.empty()) document = Json::object();
    if (document) apply_values(*document, *scope.values);
    return document;
}

void ContentRecipe::apply_values(Json& document, const LayeredValues& values) const {
    Json* target = &document;
    // In XML the members are those of the root element.
    if (format_ == BodyFormat::xml && document.is_object() && document.size() == 1)
        target = &document.front();
    auto* members = target->get_ptr<Json::object_t*>();
    if (members == nullptr) {
        if (!accepts_.empty()) throw RenderError("only an object accepts values", "body");
        return;
    }
    for (const LayeredValue& value : values.all())
        if (value.value->is_null()) erase_member(*members, value.name);
    for (const std::string& name : accepts_) {
        const Json* const value = values.find(name);
        if (value == nullptr) continue;
        at_member(name, [&] { check_secret_markers(*value, 0); });
        (*target)[name] = *value;
    }
}

}  // namespace tbs::core

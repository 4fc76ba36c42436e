#include "core/object_recipe.hpp"

namespace tbs::core {

namespace {

std::optional<Template> parse_member(const Json& recipe, const std::string& name) {
    const Json* const text = find_member(recipe, name);
    if (text == nullptr) return std::nullopt;
    return at_member(name, [&] { return Template::parse(to_text(*text)); });
}

std::optional<std::string> render_text(const Template& text, const Scope& scope) {
    const std::optional<Json> value = text.render(scope);
    if (!value) return std::nullopt;
    return to_text(*value);
}

// Runs one part of a rendering and keeps the first problem. Tells whether the part was made.
template <typename F>
bool attempt(std::optional<Problem>& problem, const std::string& member, F&& part) {
    try {
        at_member(member, part);
        return true;
    } catch (const RenderError& error) {
        if (!problem) problem = Problem{error.what(), error.member()};
        return false;
    }
}

}  // namespace

ObjectRecipe ObjectRecipe::parse(const Json& recipe) {
    ObjectRecipe result;
    result.layers_ = LayerRecipe::parse(recipe);
    if (const Json* const identity = find_member(recipe, "identity"))
        result.identity_ =
            at_member("identity", [&] { return DocumentTemplate::parse(*identity, "identity"); });
    result.key_ = parse_member(recipe, "key");
    result.find_value_ = parse_member(recipe, "find_value");
    if (const Json* const content = find_member(recipe, "content"))
        result.content_ = at_member("content", [&] { return ContentRecipe::parse(*content); });
    return result;
}

RenderedObject ObjectRecipe::render(const Json& context, const Json* item) const {
    RenderedObject result;
    Scope scope;
    scope.context = &context;
    scope.item = item;

    LayeredValues values;
    if (!attempt(result.problem, "values", [&] { values = layers_.merge(context); })) return result;
    scope.values = &values;
    if (identity_) {
        if (!attempt(result.problem, "identity",
                     [&] { result.identity = identity_->render(scope); }))
            return result;
        if (result.identity) scope.object = &*result.identity;
    }
    if (key_)
        attempt(result.problem, "key", [&] {
            result.key = render_text(*key_, scope);
            if (result.key && result.key->empty()) {
                result.key.reset();
                throw RenderError("the key is empty");
            }
        });
    if (find_value_)
        attempt(result.problem, "find_value",
                [&] { result.find_value = render_text(*find_value_, scope); });
    if (content_)
        attempt(result.problem, "content", [&] { result.content = content_->render(scope); });
    return result;
}

}  // namespace tbs::core

#include "core/request_recipe.hpp"

#include <algorithm>

#include "core/header.hpp"
#include "core/percent.hpp"
#include "core/secret_marker.hpp"
#include "core/text.hpp"

namespace tbs::core {

namespace {

constexpr const char* kQuery = "query ";
constexpr const char* kHeader = "header ";

std::string parse_method(const Json& step) {
    const Json* const method = find_member(step, "method");
    std::string text = method == nullptr ? std::string() : to_text(*method);
    if (text.empty() || !std::all_of(text.begin(), text.end(), is_upper))
        throw RenderError("a step needs a method in capital letters", "method");
    return text;
}

// The defaults of the resource; nullptr when it has none.
const Json::object_t* defaults_of(const Json& context, std::string_view name) {
    const Json* const resource = find_member(context, "resource");
    const Json* const defaults = resource == nullptr ? nullptr : find_member(*resource, name);
    return defaults == nullptr ? nullptr : defaults->get_ptr<const Json::object_t*>();
}

// Puts parameters behind a path, which may have some already.
class QueryWriter {
 public:
    explicit QueryWriter(std::string path) : path_(std::move(path)) {
        const std::size_t fragment = path_.find('#');
        if (fragment != std::string::npos) path_.resize(fragment);  // is never sent
        const std::size_t mark = path_.find('?');
        if (mark == std::string::npos) return;
        has_query_ = true;
        for (std::size_t begin = mark + 1; begin < path_.size();) {
            const std::size_t end = std::min(path_.find('&', begin), path_.size());
            names_.push_back(path_.substr(begin, std::min(path_.find('=', begin), end) - begin));
            begin = end + 1;
        }
    }

    [[nodiscard]] bool has(const std::string& name) const {
        const std::string encoded = percent_encoded(name, PercentSet::unreserved);
        return std::find(names_.begin(), names_.end(), encoded) != names_.end();
    }

    // An array repeats the name.
    void add(const std::string& name, const Json& value) {
        if (const auto* elements = value.get_ptr<const Json::array_t*>()) {
            for (const Json& element : *elements) add_one(name, element);
        } else {
            add_one(name, value);
        }
    }

    [[nodiscard]] std::string finish() { return std::move(path_); }

 private:
    void add_one(const std::string& name, const Json& value) {
        if (!is_scalar(value)) throw RenderError("a query parameter has no members");
        check_secret_markers(value, 0);
        const std::string encoded = percent_encoded(name, PercentSet::unreserved);
        if (!has_query_) {
            path_ += '?';
        } else if (!path_.ends_with('?') && !path_.ends_with('&')) {
            path_ += '&';
        }
        has_query_ = true;
        names_.push_back(encoded);
        path_ += encoded;
        path_ += '=';
        if (!value.is_null()) path_ += percent_encoded(to_text(value), PercentSet::unreserved);
    }

    std::string path_;
    bool has_query_ = false;
    std::vector<std::string> names_;
};

// Adds a header unless one of that name, in any case, is there.
void add_header(Json& headers, const std::string& name, const Json& value) {
    auto& members = headers.get_ref<Json::object_t&>();
    for (const auto& [other, present] : members)
        if (equals_ignoring_case(other, name)) return;
    check_header_name(name);
    std::string text = to_text(value);
    check_header_value(text);
    members.push_back({name, std::move(text)});
}

}  // namespace

RequestRecipe RequestRecipe::parse(const Json& step) {
    RequestRecipe result;
    result.method_ = parse_method(step);
    const Json* const path = find_member(step, "path");
    if (path == nullptr) throw RenderError("a step needs a path", "path");
    result.path_ = at_member("path", [&] { return UriTemplate::parse(to_text(*path)); });
    result.query_ = parse_named(step, "query", kQuery);
    result.headers_ = parse_named(step, "headers", kHeader);
    result.content_ = at_member("body", [&] { return ContentRecipe::parse(step); });
    result.layers_ = LayerRecipe::parse(step);
    return result;
}

RequestRecipe::Named RequestRecipe::parse_named(const Json& step, const char* list,
                                                const char* kind) {
    Named result;
    const Json* const templates = find_member(step, list);
    const auto* members =
        templates == nullptr ? nullptr : templates->get_ptr<const Json::object_t*>();
    if (templates != nullptr && members == nullptr)
        throw RenderError("an object of names and templates is needed", list);
    if (members == nullptr) return result;
    for (const auto& [name, text] : *members)
        result.emplace_back(name, at_member(kind + name, [&text = text] {
                                return Template::parse(to_text(text));
                            }));
    return result;
}

RenderedRequest RequestRecipe::render(const Json& context, const Json* item,
                                      const Json* object) const {
    const LayeredValues values = at_member("values", [&] { return layers_.merge(context); });
    Scope scope;
    scope.context = &context;
    scope.object = object;
    scope.item = item;
    scope.values = &values;

    RenderedRequest result;
    result.method = method_;
    result.path = render_path(scope);
    const std::optional<Json> content = at_member("body", [&] { return content_.render(scope); });
    if (content)
        result.body = at_member("body", [&] { return serialise(*content, content_.format()); });
    result.headers = render_headers(scope, result.body.has_value());
    return result;
}

std::string RequestRecipe::render_path(const Scope& scope) const {
    QueryWriter writer(at_member("path", [&] { return path_.expand_path(scope); }));
    for (const auto& [name, text] : query_)
        at_member(kQuery + name, [&, &name = name, &text = text] {
            if (const std::optional<Json> value = text.render(scope)) writer.add(name, *value);
        });
    if (const auto* defaults = defaults_of(*scope.context, "default_query"))
        for (const auto& [name, value] : *defaults)
            if (!value.is_null() && !writer.has(name))
                at_member(kQuery + name,
                          [&, &name = name, &value = value] { writer.add(name, value); });
    return writer.finish();
}

Json RequestRecipe::render_headers(const Scope& scope, bool has_body) const {
    Json headers = Json::object();
    for (const auto& [name, text] : headers_)
        at_member(kHeader + name, [&, &name = name, &text = text] {
            if (const std::optional<Json> value = text.render(scope))
                add_header(headers, name, *value);
        });
    if (const auto* defaults = defaults_of(*scope.context, "default_headers"))
        for (const auto& [name, value] : *defaults)
            if (!value.is_null())
                at_member(kHeader + name, [&, &name = name, &value = value] {
                    check_secret_markers(value, 0);
                    add_header(headers, name, value);
                });
    if (has_body) add_header(headers, "Content-Type", Json(content_type(content_.format())));
    return headers;
}

}  // namespace tbs::core

#include "core/template.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "core/error.hpp"
#include "core/secret_marker.hpp"
#include "core/text.hpp"

namespace tbs::core {

class Template::Parser {
 public:
    explicit Parser(std::string_view text) : text_(text) {}

    std::vector<Part> parse() {
        while (position_ < text_.size()) {
            const char c = text_[position_];
            if (c != '{' && c != '}') {
                literal_ += c;
                ++position_;
            } else if (position_ + 1 < text_.size() && text_[position_ + 1] == c) {
                literal_ += c;
                position_ += 2;
            } else if (c == '}') {
                fail("unbalanced brace", position_, "A literal brace is written twice: {{ or }}.");
            } else {
                finish_literal();
                parts_.emplace_back(reference());
            }
        }
        finish_literal();
        return std::move(parts_);
    }

 private:
    [[noreturn]] void fail(const std::string& what, std::size_t at, const std::string& hint) const {
        throw TemplateError(
            "malformed template " + in_quotes(text_),
            what + " at offset " + std::to_string(count_characters(text_.substr(0, at))), hint);
    }

    void finish_literal() {
        if (!literal_.empty()) parts_.emplace_back(std::exchange(literal_, {}));
    }

    Reference reference() {
        const std::size_t begin = position_ + 1;
        const std::size_t end = text_.find_first_of("{}", begin);
        if (end == std::string_view::npos || text_[end] == '{')
            fail("unbalanced brace", position_, "A literal brace is written twice: {{ or }}.");
        position_ = end + 1;

        const std::string_view inside = text_.substr(begin, end - begin);
        std::size_t bar = std::min(inside.find('|'), inside.size());
        std::string_view path = inside.substr(0, bar);
        const bool optional = path.ends_with('?');
        if (optional) path.remove_suffix(1);
        if (!Path::is_valid(path))
            fail("invalid reference " + in_quotes(inside), begin,
                 "A reference is a dotted path of letters, digits, _ and -, such as "
                 "{line.extension}.");

        Reference result{Path(path), optional, false, {}};
        result.secret = result.path.has_segment(kSecretMember);
        const std::size_t segments = result.path.size();
        if (result.secret && (bar != inside.size() || segments < 2 ||
                              result.path.name(segments - 2) != kSecretMember))
            fail("invalid reference " + in_quotes(inside), begin,
                 "A secret is written {secret.NAME}, or {item.secret.NAME} for one of a list's "
                 "element, and takes no filters.");
        while (bar < inside.size()) {
            const std::size_t next = std::min(inside.find('|', bar + 1), inside.size());
            result.filters.push_back(
                filter(inside.substr(bar + 1, next - bar - 1), begin + bar + 1));
            bar = next;
        }
        return result;
    }

    [[nodiscard]] Filter filter(std::string_view specification, std::size_t at) const {
        try {
            return Filter::parse(specification);
        } catch (const std::invalid_argument& error) {
            fail(error.what(), at, "Known filters: " + Filter::known() + '.');
        }
    }

    std::string_view text_;
    std::size_t position_ = 0;
    std::string literal_;
    std::vector<Part> parts_;
};

Template Template::parse(std::string_view text) {
    Template result;
    result.parts_ = Parser(text).parse();
    return result;
}

std::optional<Json> Template::render(const Scope& scope) const {
    return render(scope, false);
}

std::optional<Json> Template::render_if_any(const Scope& scope) const {
    return render(scope, true);
}

std::optional<Json> Template::value_of(const Reference& reference, const Scope& scope) {
    if (reference.secret && !scope.has_secrets)
        throw RenderError("the secret {" + reference.path.dotted() +
                          "} can only be put into a body");
    const Json* const found = scope.find(reference.path);
    if (reference.secret)
        return found == nullptr
                   ? std::nullopt
                   : std::optional<Json>(secret_marker(*found, reference.path.dotted()));
    std::optional<Json> value;
    if (found != nullptr) value = *found;
    for (const Filter& filter : reference.filters) value = filter.apply(std::move(value));
    return value;
}

std::optional<Json> Template::render(const Scope& scope, bool all_optional) const {
    std::string text;
    std::size_t secrets = 0;
    bool any_reference = false;
    bool any_value = false;
    for (const Part& part : parts_) {
        if (const auto* literal = std::get_if<std::string>(&part)) {
            text += *literal;
            continue;
        }
        const Reference& reference = std::get<Reference>(part);
        std::optional<Json> value = value_of(reference, scope);
        any_reference = true;
        if (value) {
            any_value = true;
            if (reference.secret) ++secrets;
            if (parts_.size() == 1) {
                check_secret_markers(*value, secrets);
                return value;
            }
            text += to_text(*value);
        } else if (!reference.optional && !all_optional) {
            throw RenderError("no value for {" + reference.path.dotted() + '}');
        } else if (parts_.size() == 1) {
            return std::nullopt;
        }
    }
    if (all_optional && any_reference && !any_value) return std::nullopt;
    Json result(std::move(text));
    check_secret_markers(result, secrets);
    return result;
}

void Template::collect_references(std::vector<std::string>& references) const {
    for (const Part& part : parts_)
        if (const auto* reference = std::get_if<Reference>(&part))
            add_reference(references, reference->path.dotted());
}

void add_reference(std::vector<std::string>& references, const std::string& name) {
    if (std::find(references.begin(), references.end(), name) == references.end())
        references.push_back(name);
}

}  // namespace tbs::core

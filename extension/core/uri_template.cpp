#include "core/uri_template.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "core/percent.hpp"
#include "core/secret_marker.hpp"
#include "core/template.hpp"
#include "core/text.hpp"

namespace tbs::core {

// The table of RFC 6570, appendix A.
struct UriTemplate::Operator {
    std::string_view first;
    std::string_view separator;
    std::string_view if_empty;
    char symbol;  // 0: simple expansion
    bool named;
    PercentSet allowed;
    bool may_be_left_out;  // of a path, without addressing another object

    [[nodiscard]] static const Operator* find(char symbol) noexcept;
};

const UriTemplate::Operator* UriTemplate::Operator::find(char symbol) noexcept {
    static constexpr Operator kAll[] = {
        {"", ",", "", '\0', false, PercentSet::unreserved, false},
        {"", ",", "", '+', false, PercentSet::reserved, false},
        {"#", ",", "", '#', false, PercentSet::reserved, true},
        {".", ".", "", '.', false, PercentSet::unreserved, false},
        {"/", "/", "", '/', false, PercentSet::unreserved, false},
        {";", ";", "", ';', true, PercentSet::unreserved, true},
        {"?", "&", "=", '?', true, PercentSet::unreserved, true},
        {"&", "&", "=", '&', true, PercentSet::unreserved, true},
    };
    const auto* const found = std::find_if(std::begin(kAll), std::end(kAll),
                                           [&](const Operator& o) { return o.symbol == symbol; });
    return found == std::end(kAll) ? nullptr : found;
}

class UriTemplate::Parser {
 public:
    explicit Parser(std::string_view text) : text_(text) {}

    std::vector<Part> parse() {
        while (position_ < text_.size()) {
            if (text_[position_] == '{') {
                finish_literal();
                parts_.emplace_back(expression());
            } else {
                literal();
            }
        }
        finish_literal();
        return std::move(parts_);
    }

 private:
    [[noreturn]] void fail(const std::string& what, std::size_t at, const std::string& hint) const {
        throw TemplateError(
            "malformed URI template " + in_quotes(text_),
            what + " at offset " + std::to_string(count_characters(text_.substr(0, at))), hint);
    }

    void finish_literal() {
        if (!literal_.empty()) parts_.emplace_back(std::exchange(literal_, {}));
    }

    void literal() {
        constexpr std::string_view kForbidden = " \"<>\\^`|}";
        const char c = text_[position_];
        if (c == '}')
            fail("unbalanced brace", position_, "A brace in a URI is written %7B or %7D.");
        const bool percent = c == '%' && !is_percent_triplet(text_, position_);
        if (percent || is_control(c) || kForbidden.find(c) != std::string_view::npos)
            fail("character not allowed in a URI", position_,
                 "Percent-encode it, such as %20 for a space.");
        // A triplet is copied as it is; characters beyond ASCII are encoded.
        const std::size_t length =
            c == '%' ? 3 : std::max<std::size_t>(utf8_length(text_, position_), 1);
        literal_ += percent_encoded(text_.substr(position_, length), PercentSet::reserved);
        position_ += length;
    }

    Expression expression() {
        const std::size_t begin = position_ + 1;
        const std::size_t end = text_.find_first_of("{}", begin);
        if (end == std::string_view::npos || text_[end] == '{')
            fail("unbalanced brace", position_, "A brace in a URI is written %7B or %7D.");
        position_ = end + 1;

        std::string_view inside = text_.substr(begin, end - begin);
        std::size_t at = begin;
        const Operator* kind = Operator::find('\0');
        if (!inside.empty() && !is_name_character(inside.front())) {
            kind = Operator::find(inside.front());
            if (kind == nullptr)
                fail("unknown operator " + in_quotes(inside.substr(0, 1)), at,
                     "The operators of RFC 6570 are + # . / ; ? and &.");
            inside.remove_prefix(1);
            ++at;
        }
        Expression result{kind, {}};
        for (std::size_t from = 0; from <= inside.size();) {
            const std::size_t comma = std::min(inside.find(',', from), inside.size());
            result.variables.push_back(variable(inside.substr(from, comma - from), at + from));
            from = comma + 1;
        }
        return result;
    }

    Variable variable(std::string_view specification, std::size_t at) const {
        std::string_view name = specification;
        bool explode = false;
        std::size_t prefix = 0;
        if (name.ends_with('*')) {
            explode = true;
            name.remove_suffix(1);
        } else if (const std::size_t colon = name.find(':'); colon != std::string_view::npos) {
            prefix = prefix_length(name.substr(colon + 1), at + colon + 1);
            name = name.substr(0, colon);
        }
        if (!is_name(name))
            fail("invalid variable " + in_quotes(specification), at,
                 "A variable is a dotted path, such as {line.extension}, with :N or * after it.");
        return Variable{Path(name), explode, prefix};
    }

    [[nodiscard]] std::size_t prefix_length(std::string_view digits, std::size_t at) const {
        constexpr std::size_t kMaximumPrefix = 9999;
        std::size_t length = 0;
        const auto [end, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), length);
        if (error != std::errc{} || end != digits.data() + digits.size() || length == 0 ||
            length > kMaximumPrefix)
            fail("invalid prefix length", at, "A prefix length is 1 to 9999.");
        return length;
    }

    [[nodiscard]] static bool is_name_character(char c) noexcept {
        return is_alphanumeric(c) || c == '_' || c == '%' || c == '-';
    }

    // varname of the RFC: dots only between other characters, % only in triplets.
    [[nodiscard]] static bool is_name(std::string_view name) noexcept {
        bool after_dot = true;
        for (std::size_t i = 0; i < name.size(); ++i) {
            if (name[i] == '.') {
                if (after_dot) return false;
                after_dot = true;
                continue;
            }
            if (!is_name_character(name[i])) return false;
            if (name[i] == '%' && !is_percent_triplet(name, i)) return false;
            after_dot = false;
        }
        return !after_dot;
    }

    std::string_view text_;
    std::size_t position_ = 0;
    std::string literal_;
    std::vector<Part> parts_;
};

namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string scalar_text(const Json& value, const Path& path) {
    if (!is_scalar(value))
        throw RenderError("the value of {" + path.dotted() + "} is nested too deep for a URI");
    return to_text(value);
}

// Elements of an array, members of an object; what is null is left out as undefined.
Pairs pairs_of(const Json& value, const Path& path) {
    Pairs pairs;
    if (const auto* elements = value.get_ptr<const Json::array_t*>()) {
        for (const Json& element : *elements)
            if (!element.is_null()) pairs.emplace_back(std::string{}, scalar_text(element, path));
    } else if (const auto* members = value.get_ptr<const Json::object_t*>()) {
        for (const auto& [name, member] : *members)
            if (!member.is_null()) pairs.emplace_back(name, scalar_text(member, path));
    }
    return pairs;
}

// Whether the expansion of a value is empty, or has an empty element.
[[nodiscard]] bool leaves_hole(const Json& value, const Path& path) {
    if (is_scalar(value)) return to_text(value).empty();
    const Pairs pairs = pairs_of(value, path);
    return pairs.empty() || std::any_of(pairs.begin(), pairs.end(),
                                        [](const auto& pair) { return pair.second.empty(); });
}

[[nodiscard]] std::size_t segment_end(std::string_view path, std::size_t begin) noexcept {
    return std::min(path.find('/', begin), path.size());
}

// "." and "..", also in percent-encoded spelling: clients and servers resolve them.
[[nodiscard]] bool is_dot_segment(std::string_view segment) noexcept {
    std::size_t dots = 0;
    for (std::size_t i = 0; i < segment.size(); ++i, ++dots) {
        if (segment[i] == '.') continue;
        const std::string_view triplet = segment.substr(i, 3);
        if (triplet != "%2E" && triplet != "%2e") return false;
        i += 2;
    }
    return dots == 1 || dots == 2;
}

}  // namespace

UriTemplate UriTemplate::parse(std::string_view text) {
    UriTemplate result;
    result.parts_ = Parser(text).parse();
    return result;
}

void UriTemplate::append(std::string& result, const Expression& expression, const Scope& scope) {
    const Operator& kind = *expression.kind;
    bool any = false;
    const auto begin_item = [&] {
        result += any ? kind.separator : kind.first;
        any = true;
    };
    const auto append_named = [&](std::string_view name, const std::string& encoded) {
        result += name;
        if (encoded.empty()) {
            result += kind.if_empty;
        } else {
            result += '=';
            result += encoded;
        }
    };

    for (const Variable& variable : expression.variables) {
        const Json* const value = scope.find(variable.path);
        if (value == nullptr) continue;
        const std::string& name = variable.path.dotted();

        if (is_scalar(*value)) {
            std::string text = to_text(*value);
            if (variable.prefix > 0) text.resize(byte_offset(text, variable.prefix));
            const std::string encoded = percent_encoded(text, kind.allowed);
            begin_item();
            if (kind.named) {
                append_named(name, encoded);
            } else {
                result += encoded;
            }
            continue;
        }

        if (variable.prefix > 0)
            throw RenderError("the value of {" + name + "} has no prefix: it is no text");
        const Pairs pairs = pairs_of(*value, variable.path);
        const bool is_object = value->is_object();
        if (pairs.empty()) continue;
        if (variable.explode) {
            for (const auto& [key, text] : pairs) {
                const std::string encoded = percent_encoded(text, kind.allowed);
                begin_item();
                if (kind.named) {
                    append_named(is_object ? percent_encoded(key, kind.allowed) : name, encoded);
                } else if (is_object) {
                    result += percent_encoded(key, kind.allowed);
                    result += '=';
                    result += encoded;
                } else {
                    result += encoded;
                }
            }
        } else {
            std::string joined;
            for (const auto& [key, text] : pairs) {
                if (&key != &pairs.front().first) joined += ',';
                if (is_object) joined += percent_encoded(key, kind.allowed) + ',';
                joined += percent_encoded(text, kind.allowed);
            }
            begin_item();
            if (kind.named) {
                append_named(name, joined);
            } else {
                result += joined;
            }
        }
    }
}

std::string UriTemplate::expand(const Scope& scope) const {
    std::string result;
    for (const Part& part : parts_) {
        if (const auto* literal = std::get_if<std::string>(&part)) {
            result += *literal;
        } else {
            append(result, std::get<Expression>(part), scope);
        }
    }
    return result;
}

void UriTemplate::check_no_hole(const Expression& expression, const Scope& scope) {
    for (const Variable& variable : expression.variables) {
        const std::string& name = variable.path.dotted();
        if (variable.path.has_segment(kSecretMember))
            throw RenderError("the secret {" + name + "} can only be put into a body");
        if (expression.kind->may_be_left_out) continue;
        const Json* const value = scope.find(variable.path);
        if (value == nullptr) throw RenderError("no value for {" + name + '}');
        if (leaves_hole(*value, variable.path))
            throw RenderError("the value of {" + name +
                              "} is empty, which leaves a hole in the path");
    }
}

std::string UriTemplate::expand_path(const Scope& scope) const {
    for (const Part& part : parts_)
        if (const auto* expression = std::get_if<Expression>(&part))
            check_no_hole(*expression, scope);
    std::string result = expand(scope);
    check_secret_markers(Json(result), 0);

    if (!result.starts_with('/')) throw RenderError("the path does not begin with a slash");
    const std::string_view path = std::string_view(result).substr(0, result.find_first_of("?#"));
    for (std::size_t begin = 1; begin <= path.size(); begin = segment_end(path, begin) + 1)
        if (is_dot_segment(path.substr(begin, segment_end(path, begin) - begin)))
            throw RenderError("the path has a segment of dots only");
    return result;
}

void UriTemplate::collect_references(std::vector<std::string>& references) const {
    for (const Part& part : parts_)
        if (const auto* expression = std::get_if<Expression>(&part))
            for (const Variable& variable : expression->variables)
                add_reference(references, variable.path.dotted());
}

}  // namespace tbs::core

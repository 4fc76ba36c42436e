#include "core/mask.hpp"

#include <algorithm>
#include <utility>

#include "core/text.hpp"

namespace tbs::core {

namespace {

using Kind = JsonEvent::Kind;

[[nodiscard]] bool is_word(char c) noexcept {
    return is_alphanumeric(c) || c == '_' || c == '-';
}
[[nodiscard]] bool is_quote(char c) noexcept {
    return c == '"' || c == '\'';
}
[[nodiscard]] bool is_space(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

class TextMasker {
 public:
    TextMasker(std::string_view text, const SecretMembers& secrets)
        : text_(text), secrets_(secrets) {}

    std::string mask() {
        while (position_ < text_.size()) {
            if (!is_word(text_[position_])) {
                out_ += text_[position_++];
                continue;
            }
            const std::size_t begin = position_;
            copy_to(skip(position_, is_word));
            const std::string_view word = text_.substr(begin, position_ - begin);
            if (!secrets_.contains(word)) continue;
            if (opens_element(begin)) {
                mask_element(word);
            } else {
                mask_assigned();
            }
        }
        return std::move(out_);
    }

 private:
    template <typename Predicate>
    [[nodiscard]] std::size_t skip(std::size_t from, Predicate predicate) const {
        while (from < text_.size() && predicate(text_[from])) ++from;
        return from;
    }

    void copy_to(std::size_t end) {
        out_ += text_.substr(position_, end - position_);
        position_ = end;
    }

    void replace_to(std::size_t end) {
        if (end > position_) out_ += kMask;
        position_ = end;
    }

    // Whether a word is the name of an opening tag: <name or <prefix:name.
    [[nodiscard]] bool opens_element(std::size_t word) const {
        std::size_t at = word;
        if (at > 0 && text_[at - 1] == ':') {
            --at;
            while (at > 0 && is_word(text_[at - 1])) --at;
        }
        return at > 0 && text_[at - 1] == '<';
    }

    void mask_element(std::string_view name) {
        const std::size_t tag_end = text_.find('>', position_);
        if (tag_end == std::string_view::npos) {
            replace_to(text_.size());
            return;
        }
        const bool has_content = text_[tag_end - 1] != '/';
        // Attributes of a secret element are as secret as its text.
        if (skip(position_, is_space) < tag_end - (has_content ? 0 : 1)) {
            out_ += ' ';
            replace_to(tag_end - (has_content ? 0 : 1));
        }
        copy_to(tag_end + 1);
        if (has_content) replace_to(closing_tag(name));
    }

    [[nodiscard]] std::size_t closing_tag(std::string_view name) const {
        std::size_t at = text_.find("</", position_);
        while (at != std::string_view::npos) {
            std::size_t begin = at + 2;
            std::size_t end = skip(begin, is_word);
            if (end < text_.size() && text_[end] == ':') {
                begin = end + 1;
                end = skip(begin, is_word);
            }
            if (equals_ignoring_case(text_.substr(begin, end - begin), name)) return at;
            at = text_.find("</", at + 2);
        }
        return text_.size();
    }

    // = or : after a name, which may be quoted, and the value behind it.
    void mask_assigned() {
        std::size_t at = skip_quote(position_);
        at = skip(at, is_space);
        if (at >= text_.size() || (text_[at] != '=' && text_[at] != ':')) return;
        const bool colon = text_[at] == ':';
        at = skip(at + 1, is_space);
        copy_to(at);
        if (at >= text_.size()) return;

        const std::size_t quote = skip(at, [](char c) { return c == '\\'; });
        if (quote < text_.size() && is_quote(text_[quote])) {
            copy_to(quote + 1);
            replace_to(closing_quote(text_[quote], quote > at));
        } else if (text_[at] == '{' || text_[at] == '[') {
            replace_to(closing_bracket(at));
        } else {
            replace_to(skip(at, [&](char c) { return !ends_bare_value(c, colon); }));
        }
    }

    [[nodiscard]] std::size_t skip_quote(std::size_t at) const {
        const std::size_t quote = skip(at, [](char c) { return c == '\\'; });
        return quote < text_.size() && is_quote(text_[quote]) ? quote + 1 : at;
    }

    // "name: value" goes to the end of the line, as in a header; "name=value" to the next space.
    [[nodiscard]] static bool ends_bare_value(char c, bool colon) noexcept {
        if (c == '\n' || c == '\r') return true;
        if (!colon && is_space(c)) return true;
        return std::string_view("&;,<>}]\"'").find(c) != std::string_view::npos;
    }

    // `escaped`: the whole document stands in a string, so its quotes have backslashes.
    [[nodiscard]] std::size_t closing_quote(char quote, bool escaped) const {
        for (std::size_t at = position_; at < text_.size(); ++at) {
            if (text_[at] == '\\' && !escaped) {
                ++at;
            } else if (text_[at] == quote) {
                while (escaped && at > position_ && text_[at - 1] == '\\') --at;
                return at;
            }
        }
        return text_.size();
    }

    [[nodiscard]] std::size_t closing_bracket(std::size_t begin) const {
        std::size_t depth = 0;
        bool in_string = false;
        for (std::size_t at = begin; at < text_.size(); ++at) {
            const char c = text_[at];
            if (in_string) {
                if (c == '\\') ++at;
                if (c == '"') in_string = false;
            } else if (c == '"') {
                in_string = true;
            } else if (c == '{' || c == '[') {
                ++depth;
            } else if ((c == '}' || c == ']') && --depth == 0) {
                return at + 1;
            }
        }
        return text_.size();
    }

    std::string_view text_;
    const SecretMembers& secrets_;
    std::size_t position_ = 0;
    std::string out_;
};

// Writes what it is told as compact JSON. The interface is the one of the parser's SAX events.
class MaskingWriter {
 public:
    MaskingWriter(const SecretMembers& secrets, std::size_t enough, std::string& out)
        : secrets_(secrets), enough_(enough), out_(out) {}

    [[nodiscard]] bool has_enough() const noexcept { return out_.size() > enough_; }

    bool null() { return value("null", true); }
    bool boolean(bool truth) { return value(truth ? "true" : "false"); }
    bool number_integer(Json::number_integer_t number) { return value(std::to_string(number)); }
    bool number_unsigned(Json::number_unsigned_t number) { return value(std::to_string(number)); }
    bool number_float(Json::number_float_t /*number*/, const std::string& spelling) {
        return value(spelling);
    }
    bool string(std::string& text) { return value(quoted_json(mask_text(text, secrets_))); }
    bool binary(Json::binary_t& /*unused*/) { return false; }
    bool start_object(std::size_t /*unknown*/) { return begin('{'); }
    bool end_object() { return end('}'); }
    bool start_array(std::size_t /*unknown*/) { return begin('['); }
    bool end_array() { return end(']'); }

    bool key(std::string& name) {
        if (hidden_ > 0) return true;
        separate();
        out_ += quoted_json(name);
        out_ += ':';
        after_key_ = true;
        masked_ = secrets_.contains(name);
        return !has_enough();
    }

    static bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                            const nlohmann::detail::exception& /*error*/) {
        return false;
    }

 private:
    static std::string quoted_json(std::string text) { return to_json_text(Json(std::move(text))); }

    void separate() {
        if (after_key_) {
            after_key_ = false;
        } else if (!out_.empty() && out_.back() != '{' && out_.back() != '[') {
            out_ += ',';
        }
    }

    bool value(std::string_view text, bool is_null = false) {
        if (hidden_ > 0) return true;
        separate();
        out_ += std::exchange(masked_, false) && !is_null ? quoted_mask() : std::string(text);
        return !has_enough();
    }

    bool begin(char bracket) {
        if (hidden_ > 0 || masked_) {
            if (hidden_ == 0) value({});
            ++hidden_;
            return !has_enough();
        }
        separate();
        out_ += bracket;
        return !has_enough();
    }

    bool end(char bracket) {
        if (hidden_ > 0) {
            --hidden_;
            return true;
        }
        out_ += bracket;
        return !has_enough();
    }

    static std::string quoted_mask() { return '"' + std::string(kMask) + '"'; }

    const SecretMembers& secrets_;
    std::size_t enough_;
    std::string& out_;
    bool after_key_ = false;
    bool masked_ = false;     // the next value is secret
    std::size_t hidden_ = 0;  // containers open within a secret value
};

[[nodiscard]] int depth_change(Kind kind) noexcept {
    if (kind == Kind::begin_object || kind == Kind::begin_array) return 1;
    if (kind == Kind::end_object || kind == Kind::end_array) return -1;
    return 0;
}

}  // namespace

bool SecretMembers::contains(std::string_view name) const noexcept {
    return std::any_of(names_.begin(), names_.end(), [&](const std::string& secret) {
        return equals_ignoring_case(secret, name);
    });
}

std::string mask_text(std::string_view text, const SecretMembers& secrets) {
    return TextMasker(text, secrets).mask();
}

JsonEventList mask_events(std::span<const JsonEvent> events, const SecretMembers& secrets) {
    JsonEventList result;
    result.events.reserve(events.size());
    for (std::size_t i = 0; i < events.size(); ++i) {
        const JsonEvent& event = events[i];
        const bool after_secret_key =
            i > 0 && events[i - 1].kind == Kind::key && secrets.contains(events[i - 1].text);
        if (after_secret_key && event.kind != Kind::null) {
            int depth = depth_change(event.kind);
            while (depth > 0 && i + 1 < events.size()) depth += depth_change(events[++i].kind);
            result.add(Kind::string, kMask);
        } else if (event.kind == Kind::string) {
            std::string masked = mask_text(event.text, secrets);
            if (masked == event.text) {
                result.events.push_back(event);
            } else {
                result.add_own(Kind::string, std::move(masked));
            }
        } else {
            result.events.push_back(event);
        }
    }
    return result;
}

bool mask_json_text(std::string_view text, const SecretMembers& secrets, std::size_t enough,
                    std::string& masked) {
    // The parser would take a NUL for the end of the text.
    if (text.find('\0') != std::string_view::npos) return false;
    MaskingWriter writer(secrets, enough, masked);
    return Json::sax_parse(text.begin(), text.end(), &writer) || writer.has_enough();
}

}  // namespace tbs::core

#include "core/answer.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "core/json.hpp"
#include "core/text.hpp"

namespace tbs::core {

namespace {

// A jsonb is at most 256 MiB and at most six times as long as its text.
constexpr std::size_t kMaximumBytes = std::size_t{32} << 20U;
constexpr std::size_t kMaximumAnswerDepth = 256;

// The limits of PostgreSQL's numeric: digits before and after the decimal point.
constexpr long kMaximumExponent = 131072;
constexpr long kMaximumScale = 16383;

[[nodiscard]] bool fits_numeric(std::string_view number) noexcept {
    const std::size_t mark = std::min(number.find_first_of("eE"), number.size());
    const std::size_t point = std::min(number.find('.'), mark);
    const std::size_t fraction = point < mark ? mark - point - 1 : 0;
    long exponent = 0;
    if (mark < number.size()) {
        std::string_view digits = number.substr(mark + 1);
        if (digits.starts_with('+')) digits.remove_prefix(1);
        const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
        if (parsed.ec != std::errc{}) return false;
    }
    if (exponent > kMaximumExponent || exponent < -kMaximumScale) return false;
    return static_cast<long>(fraction) - exponent <= kMaximumScale &&
           static_cast<long>(point) + exponent <= kMaximumExponent;
}

// Accepts the events of the parser until one cannot be stored.
class StorableCheck {
 public:
    static bool null() { return true; }
    static bool boolean(bool /*value*/) { return true; }
    static bool number_integer(Json::number_integer_t /*value*/) { return true; }
    static bool number_unsigned(Json::number_unsigned_t /*value*/) { return true; }
    static bool number_float(Json::number_float_t /*value*/, const std::string& spelling) {
        return fits_numeric(spelling);
    }
    static bool string(const std::string& text) { return text.find('\0') == std::string::npos; }
    static bool key(const std::string& name) { return string(name); }
    static bool binary(const Json::binary_t& /*value*/) { return false; }
    bool start_object(std::size_t /*unknown*/) { return ++depth_ <= kMaximumAnswerDepth; }
    bool start_array(std::size_t /*unknown*/) { return ++depth_ <= kMaximumAnswerDepth; }
    bool end_object() { return end(); }
    bool end_array() { return end(); }
    static bool parse_error(std::size_t /*position*/, const std::string& /*token*/,
                            const nlohmann::detail::exception& /*error*/) {
        return false;
    }

 private:
    bool end() {
        --depth_;
        return true;
    }

    std::size_t depth_ = 0;
};

}  // namespace

std::optional<std::string_view> storable_json(std::string_view answer) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (answer.starts_with(kByteOrderMark)) answer.remove_prefix(kByteOrderMark.size());
    // The parser would skip another mark, and take a NUL for the end of the text.
    if (answer.starts_with(kByteOrderMark) || answer.find('\0') != std::string_view::npos)
        return std::nullopt;
    if (answer.size() > kMaximumBytes) return std::nullopt;
    StorableCheck check;
    if (!Json::sax_parse(answer.begin(), answer.end(), &check)) return std::nullopt;
    return answer;
}

std::string answer_text(std::string_view answer, std::size_t maximum_characters,
                        const SecretMembers& secrets) {
    // A character has at most four bytes.
    const std::size_t enough = 4 * maximum_characters;
    std::string json;
    if (mask_json_text(answer, secrets, enough, json))
        return shortened(std::move(json), maximum_characters);

    // Masking shortens a text; look at more of it than is shown, but not at all of any length.
    constexpr std::size_t kSpare = 65536;
    const std::string_view beginning = answer.substr(0, 2 * enough + kSpare);
    std::string text = mask_text(printable(beginning), secrets);
    if (beginning.size() < answer.size()) text += "\xE2\x80\xA6";
    return shortened(std::move(text), maximum_characters);
}

}  // namespace tbs::core

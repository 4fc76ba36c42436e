#include "core/text.hpp"

namespace tbs::core {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";
constexpr std::size_t kQuotedCharacters = 120;

[[nodiscard]] bool is_continuation(unsigned char byte) noexcept {
    return (byte & 0xC0U) == 0x80U;
}

}  // namespace

bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept {
    if (left.size() != right.size()) return false;
    for (std::size_t i = 0; i < left.size(); ++i)
        if (to_lower(left[i]) != to_lower(right[i])) return false;
    return true;
}

std::size_t utf8_length(std::string_view text, std::size_t offset) noexcept {
    const auto byte = [&](std::size_t i) noexcept {
        return static_cast<unsigned char>(text[offset + i]);
    };
    if (offset >= text.size()) return 0;
    const std::size_t left = text.size() - offset;
    const unsigned char first = byte(0);
    if (first < 0x80U) return 1;
    if (first >= 0xC2U && first <= 0xDFU) return left >= 2 && is_continuation(byte(1)) ? 2 : 0;
    if (first >= 0xE0U && first <= 0xEFU) {
        if (left < 3 || !is_continuation(byte(1)) || !is_continuation(byte(2))) return 0;
        if (first == 0xE0U && byte(1) < 0xA0U) return 0;   // over-long
        if (first == 0xEDU && byte(1) >= 0xA0U) return 0;  // surrogate
        return 3;
    }
    if (first >= 0xF0U && first <= 0xF4U) {
        if (left < 4 || !is_continuation(byte(1)) || !is_continuation(byte(2)) ||
            !is_continuation(byte(3)))
            return 0;
        if (first == 0xF0U && byte(1) < 0x90U) return 0;   // over-long
        if (first == 0xF4U && byte(1) >= 0x90U) return 0;  // beyond U+10FFFF
        return 4;
    }
    return 0;
}

std::size_t count_characters(std::string_view text) noexcept {
    std::size_t count = 0;
    for (std::size_t offset = 0; offset < text.size(); ++count) {
        const std::size_t length = utf8_length(text, offset);
        offset += length == 0 ? 1 : length;
    }
    return count;
}

std::size_t byte_offset(std::string_view text, std::size_t characters) noexcept {
    std::size_t offset = 0;
    for (; characters > 0 && offset < text.size(); --characters) {
        const std::size_t length = utf8_length(text, offset);
        offset += length == 0 ? 1 : length;
    }
    return offset;
}

std::string in_quotes(std::string_view text) {
    return '"' + shortened(printable(text), kQuotedCharacters) + '"';
}

std::string printable(std::string_view bytes) {
    std::string result;
    result.reserve(bytes.size());
    for (std::size_t offset = 0; offset < bytes.size();) {
        const char c = bytes[offset];
        const std::size_t length = utf8_length(bytes, offset);
        const bool shown = length > 1 || !is_control(c) || c == '\t' || c == '\n' || c == '\r';
        if (length > 0 && shown) {
            result.append(bytes.substr(offset, length));
        } else {
            result.append(kReplacement);
        }
        offset += length == 0 ? 1 : length;
    }
    return result;
}

std::string shortened(std::string text, std::size_t maximum) {
    // As many bytes as characters are allowed: no need to count.
    if (text.size() <= maximum) return text;
    if (byte_offset(text, maximum) == text.size()) return text;
    if (maximum == 0) return {};
    text.resize(byte_offset(text, maximum - 1));
    text.append(kEllipsis);
    return text;
}

}  // namespace tbs::core

// Small text helpers: ASCII classes that ignore the locale, and UTF-8 that survives any bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tbs::core {

[[nodiscard]] constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
[[nodiscard]] constexpr bool is_upper(char c) noexcept {
    return c >= 'A' && c <= 'Z';
}
[[nodiscard]] constexpr bool is_lower(char c) noexcept {
    return c >= 'a' && c <= 'z';
}
[[nodiscard]] constexpr bool is_letter(char c) noexcept {
    return is_upper(c) || is_lower(c);
}
[[nodiscard]] constexpr bool is_alphanumeric(char c) noexcept {
    return is_letter(c) || is_digit(c);
}
[[nodiscard]] constexpr bool is_hex(char c) noexcept {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}
[[nodiscard]] constexpr bool is_control(char c) noexcept {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}
[[nodiscard]] constexpr char to_lower(char c) noexcept {
    return is_upper(c) ? static_cast<char>(c + ('a' - 'A')) : c;
}
[[nodiscard]] constexpr char to_upper(char c) noexcept {
    return is_lower(c) ? static_cast<char>(c - ('a' - 'A')) : c;
}

[[nodiscard]] bool equals_ignoring_case(std::string_view left, std::string_view right) noexcept;

// Length in bytes of the well-formed UTF-8 character at `offset`, 0 when the bytes there are none.
[[nodiscard]] std::size_t utf8_length(std::string_view text, std::size_t offset) noexcept;

// Characters of a text. A byte that belongs to no well-formed character counts as one.
[[nodiscard]] std::size_t count_characters(std::string_view text) noexcept;

// Byte offset at which `characters` characters have passed (the end of the text at most).
[[nodiscard]] std::size_t byte_offset(std::string_view text, std::size_t characters) noexcept;

// "text" in quotes for a message, shortened when it is long.
[[nodiscard]] std::string in_quotes(std::string_view text);

// Text that PostgreSQL can store and a terminal can show: ill-formed UTF-8 and control characters
// other than tab, line feed and carriage return become U+FFFD.
[[nodiscard]] std::string printable(std::string_view bytes);

// At most `maximum` characters; what was cut off is shown by an ellipsis, which is counted.
[[nodiscard]] std::string shortened(std::string text, std::size_t maximum);

}  // namespace tbs::core

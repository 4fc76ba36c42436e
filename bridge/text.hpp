// Escaping of text for the places where it lands. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace tbs::bridge {

// Into a JSON string, without the quotes. Invalid UTF-8 and NUL become U+FFFD, so that the result
// is always a document that PostgreSQL can store.
void append_json_escaped(std::string& out, std::string_view text);
// application/x-www-form-urlencoded: a space is '+'.
void append_form_escaped(std::string& out, std::string_view text);
// Element or attribute content.
void append_xml_escaped(std::string& out, std::string_view text);

[[nodiscard]] std::string base64(std::string_view bytes);
[[nodiscard]] std::string lower_case(std::string_view text);
[[nodiscard]] std::string_view trim(std::string_view text);
[[nodiscard]] bool equal_ignoring_case(std::string_view left, std::string_view right);

}  // namespace tbs::bridge

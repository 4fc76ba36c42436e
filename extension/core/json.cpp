#include "core/json.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"

namespace tbs::core {

namespace {

// A decimal number of so many significant digits survives the way through a double.
constexpr std::ptrdiff_t kExactDigits = std::numeric_limits<double>::digits10;

template <typename Number>
[[nodiscard]] bool parse_whole(std::string_view text, Number& number) noexcept {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc{} && end == text.data() + text.size();
}

[[nodiscard]] std::ptrdiff_t significant_digits(std::string_view text) {
    const std::string_view mantissa = text.substr(0, text.find_first_of("eE"));
    std::string digits;
    std::copy_if(mantissa.begin(), mantissa.end(), std::back_inserter(digits), is_digit);
    const std::size_t first = digits.find_first_not_of('0');
    if (first == std::string::npos) return 0;
    return static_cast<std::ptrdiff_t>(digits.find_last_not_of('0') - first) + 1;
}

}  // namespace

Json exact_number(std::string_view text) {
    std::int64_t whole = 0;
    if (parse_whole(text, whole)) return Json(whole);
    std::uint64_t natural = 0;
    if (parse_whole(text, natural)) return Json(natural);

    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool parsed =
        error == std::errc{} && end == text.data() + text.size() && std::isfinite(number);
    if (!parsed || significant_digits(text) > kExactDigits)
        throw RenderError("the number " + in_quotes(text) +
                          " cannot be sent without losing digits");
    return Json(number);
}

std::string to_json_text(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string to_text(const Json& value) {
    if (const auto* text = value.get_ptr<const std::string*>()) return *text;
    return to_json_text(value);
}

bool is_scalar(const Json& value) noexcept {
    return !value.is_structured();
}

const Json* find_member(const Json& value, std::string_view name) {
    const auto* members = value.get_ptr<const Json::object_t*>();
    if (members == nullptr) return nullptr;
    for (const auto& [key, member] : *members)
        if (key == name) return member.is_null() ? nullptr : &member;
    return nullptr;
}

}  // namespace tbs::core

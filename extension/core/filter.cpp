#include "core/filter.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"

namespace tbs::core {

namespace {

constexpr std::size_t kMacDigits = 12;
constexpr std::size_t kMaximumE164Digits = 15;

std::string only_digits(std::string_view text) {
    std::string digits;
    std::copy_if(text.begin(), text.end(), std::back_inserter(digits), is_digit);
    return digits;
}

std::string e164(std::string_view text) {
    std::string digits = only_digits(text);
    if (digits.empty() || digits.size() > kMaximumE164Digits)
        throw RenderError(in_quotes(text) + " is not a telephone number");
    return '+' + digits;
}

std::string mac(std::string_view text) {
    std::string digits;
    for (const char c : text) {
        if (c == ':' || c == '-' || c == '.') continue;
        if (!is_hex(c)) throw RenderError(in_quotes(text) + " is not a MAC address");
        digits.push_back(to_lower(c));
    }
    if (digits.size() != kMacDigits) throw RenderError(in_quotes(text) + " is not a MAC address");
    return digits;
}

std::string yes_no(const Json& value) {
    if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
    if (const auto* text = value.get_ptr<const std::string*>()) {
        if (*text == "yes" || *text == "true") return "yes";
        if (*text == "no" || *text == "false") return "no";
    }
    throw RenderError(in_quotes(to_text(value)) + " is neither true nor false");
}

// A date or timestamp in ISO spelling, field by field as written: nothing is converted between
// time zones, because what is sent has to be what the row shows.
class IsoDate {
 public:
    explicit IsoDate(std::string_view text) : text_(text) {
        year_ = field(4);
        expect('-');
        month_ = field(2);
        expect('-');
        day_ = field(2);
        if (position_ < text_.size()) {
            if (text_[position_] != 'T' && text_[position_] != ' ') fail();
            ++position_;
            hour_ = field(2);
            expect(':');
            minute_ = field(2);
            if (position_ < text_.size() && text_[position_] == ':') {
                ++position_;
                second_ = field(2);
            }
            zone();
        }
        check(month_, "01", "12");
        check(day_, "01", last_day());
        check(hour_, "00", "23");
        check(minute_, "00", "59");
        check(second_, "00", "60");
    }

    [[nodiscard]] std::string formatted(std::string_view format) const {
        std::string result;
        for (std::size_t i = 0; i < format.size(); ++i) {
            if (format[i] == '%') {
                result += part(format[++i]);
            } else {
                result += format[i];
            }
        }
        return result;
    }

    // The letter after % of a format, or not.
    [[nodiscard]] static bool is_part(char letter) noexcept {
        return std::string_view("YmdHMS%").find(letter) != std::string_view::npos;
    }

 private:
    [[noreturn]] void fail() const {
        throw RenderError(in_quotes(text_) + " is not an ISO date or timestamp");
    }

    std::string_view field(std::size_t length) {
        const std::string_view digits = text_.substr(std::min(position_, text_.size()), length);
        if (digits.size() != length || !std::all_of(digits.begin(), digits.end(), is_digit)) fail();
        position_ += length;
        return digits;
    }

    void expect(char c) {
        if (position_ >= text_.size() || text_[position_] != c) fail();
        ++position_;
    }

    // Fractions of a second and the time zone are allowed and not used.
    void zone() {
        const std::string_view rest = text_.substr(position_);
        const auto allowed = [](char c) {
            return is_digit(c) || c == '.' || c == '+' || c == '-' || c == ':' || c == 'Z';
        };
        if (!std::all_of(rest.begin(), rest.end(), allowed)) fail();
    }

    void check(std::string_view value, std::string_view first, std::string_view last) const {
        if (value < first || value > last) fail();
    }

    [[nodiscard]] std::string_view last_day() const noexcept {
        if (month_ == "04" || month_ == "06" || month_ == "09" || month_ == "11") return "30";
        if (month_ != "02") return "31";
        int year = 0;
        std::from_chars(year_.data(), year_.data() + year_.size(), year);
        const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        return leap ? "29" : "28";
    }

    [[nodiscard]] std::string_view part(char letter) const noexcept {
        switch (letter) {
            case 'Y':
                return year_;
            case 'm':
                return month_;
            case 'd':
                return day_;
            case 'H':
                return hour_;
            case 'M':
                return minute_;
            case 'S':
                return second_;
            default:
                return "%";
        }
    }

    std::string_view text_;
    std::size_t position_ = 0;
    std::string_view year_, month_, day_;
    std::string_view hour_ = "00", minute_ = "00", second_ = "00";
};

void check_date_format(std::string_view format) {
    if (format.empty()) throw std::invalid_argument("filter date needs a format");
    for (std::size_t i = 0; i < format.size(); ++i) {
        if (format[i] != '%') continue;
        ++i;
        if (i == format.size() || !IsoDate::is_part(format[i]))
            throw std::invalid_argument("filter date knows %Y, %m, %d, %H, %M, %S and %%");
    }
}

[[nodiscard]] bool parse_count(std::string_view text, std::size_t& count) noexcept {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

const Filter::Known Filter::kKnown[] = {
    {"digits", Kind::digits, false}, {"e164", Kind::e164, false},
    {"lower", Kind::lower, false},   {"upper", Kind::upper, false},
    {"mac", Kind::mac, false},       {"date", Kind::date, true},
    {"yes_no", Kind::yes_no, false}, {"default", Kind::default_text, true},
    {"slice", Kind::slice, true},    {"json", Kind::json, false},
};

std::string Filter::known() {
    std::string names;
    for (const Known& known : kKnown) {
        if (!names.empty()) names += ", ";
        names += known.name;
    }
    return names;
}

Filter Filter::parse(std::string_view specification) {
    const std::size_t colon = specification.find(':');
    const std::string_view name = specification.substr(0, colon);
    const bool has_argument = colon != std::string_view::npos;
    const auto* const known = std::find_if(std::begin(kKnown), std::end(kKnown),
                                           [&](const Known& k) { return k.name == name; });
    if (known == std::end(kKnown)) throw std::invalid_argument("unknown filter " + in_quotes(name));
    if (has_argument != known->has_argument)
        throw std::invalid_argument("filter " + std::string(name) +
                                    (has_argument ? " takes no argument" : " needs an argument"));

    Filter filter(known->kind, has_argument ? specification.substr(colon + 1) : std::string_view{});
    if (filter.kind_ == Kind::date) check_date_format(filter.argument_);
    if (filter.kind_ == Kind::slice) filter.parse_slice();
    return filter;
}

void Filter::parse_slice() {
    const std::string_view argument = argument_;
    const std::size_t colon = argument.find(':');
    if (colon == std::string_view::npos || !parse_count(argument.substr(0, colon), start_) ||
        !parse_count(argument.substr(colon + 1), length_))
        throw std::invalid_argument("filter slice needs slice:START:LENGTH");
}

std::optional<Json> Filter::apply(std::optional<Json> value) const {
    if (!value) return kind_ == Kind::default_text ? std::optional<Json>(argument_) : std::nullopt;
    switch (kind_) {
        case Kind::default_text:
            return value;
        case Kind::yes_no:
            return Json(yes_no(*value));
        case Kind::json:
            return Json(to_json_text(*value));
        default:
            return Json(apply_to_text(to_text(*value)));
    }
}

std::string Filter::apply_to_text(std::string text) const {
    switch (kind_) {
        case Kind::digits:
            return only_digits(text);
        case Kind::e164:
            return e164(text);
        case Kind::lower:
            std::transform(text.begin(), text.end(), text.begin(), to_lower);
            return text;
        case Kind::upper:
            std::transform(text.begin(), text.end(), text.begin(), to_upper);
            return text;
        case Kind::mac:
            return mac(text);
        case Kind::date:
            return IsoDate(text).formatted(argument_);
        case Kind::slice: {
            const std::size_t begin = byte_offset(text, start_);
            const std::string_view rest = std::string_view(text).substr(begin);
            return std::string(rest.substr(0, byte_offset(rest, length_)));
        }
        default:
            return text;
    }
}

}  // namespace tbs::core

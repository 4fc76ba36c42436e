#include "core/percent.hpp"

#include "core/text.hpp"

namespace tbs::core {

namespace {

[[nodiscard]] bool is_kept(char c, PercentSet set) noexcept {
    constexpr std::string_view kUnreserved = "-._~";
    constexpr std::string_view kReserved = "-._~:/?#[]@!$&'()*+,;=";
    constexpr std::string_view kForm = "*-._";
    if (is_alphanumeric(c)) return true;
    switch (set) {
        case PercentSet::reserved:
            return kReserved.find(c) != std::string_view::npos;
        case PercentSet::form:
            return kForm.find(c) != std::string_view::npos;
        default:
            return kUnreserved.find(c) != std::string_view::npos;
    }
}

}  // namespace

std::string percent_encoded(std::string_view text, PercentSet set) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string result;
    result.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (is_kept(c, set) || (set == PercentSet::reserved && is_percent_triplet(text, i))) {
            result += c;
        } else if (set == PercentSet::form && c == ' ') {
            result += '+';
        } else {
            const auto byte = static_cast<unsigned char>(c);
            result += '%';
            result += kHex[byte >> 4U];
            result += kHex[byte & 0x0FU];
        }
    }
    return result;
}

bool is_percent_triplet(std::string_view text, std::size_t offset) noexcept {
    return offset + 2 < text.size() && text[offset] == '%' && is_hex(text[offset + 1]) &&
           is_hex(text[offset + 2]);
}

}  // namespace tbs::core

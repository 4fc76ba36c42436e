#include "core/random_text.hpp"

#include <string_view>

namespace tbs::core {

std::size_t fill_random_text(std::span<char> text, std::span<const std::uint8_t> random) noexcept {
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    constexpr std::size_t kFair = 256 / kAlphabet.size() * kAlphabet.size();
    std::size_t filled = 0;
    for (const std::uint8_t byte : random) {
        if (filled == text.size()) break;
        if (byte < kFair) text[filled++] = kAlphabet[byte % kAlphabet.size()];
    }
    return filled;
}

}  // namespace tbs::core

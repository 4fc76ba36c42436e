// Random letters and digits for secrets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tbs::core {

// Fills `text` from `random`, every letter and digit equally likely: bytes that would favour some
// are passed over. Returns how many characters were filled; fewer than asked for means that more
// random bytes are needed.
std::size_t fill_random_text(std::span<char> text, std::span<const std::uint8_t> random) noexcept;

}  // namespace tbs::core

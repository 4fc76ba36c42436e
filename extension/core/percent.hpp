// Percent-encoding of RFC 3986 and of HTML forms.
#pragma once

#include <string>
#include <string_view>

namespace tbs::core {

enum class PercentSet : unsigned char {
    unreserved,  // keeps letters, digits and -._~
    reserved,    // keeps also the reserved characters and existing %XX triplets
    form         // application/x-www-form-urlencoded: keeps *-._ and writes a space as +
};

[[nodiscard]] std::string percent_encoded(std::string_view text, PercentSet set);

// Whether `text` has a %XX triplet at `offset`.
[[nodiscard]] bool is_percent_triplet(std::string_view text, std::size_t offset) noexcept;

}  // namespace tbs::core

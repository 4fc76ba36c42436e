// What a resource answered: any bytes at all, from anybody.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/mask.hpp"

namespace tbs::core {

// The JSON text in an answer, without a byte order mark, if it is JSON that a jsonb can hold for
// certain; nullopt otherwise: invalid UTF-8, NUL, lone surrogates, broken syntax, more than 256
// levels, numbers out of range, more than 32 MiB.
[[nodiscard]] std::optional<std::string_view> storable_json(std::string_view answer);

// At most `maximum_characters` of an answer for the log, printable and masked. JSON is shown as
// compact JSON.
[[nodiscard]] std::string answer_text(std::string_view answer, std::size_t maximum_characters,
                                      const SecretMembers& secrets);

}  // namespace tbs::core

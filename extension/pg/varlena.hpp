// What a text or a bytea holds.
#pragma once

#include <cstddef>
#include <string_view>

#include "pg/server.hpp"

namespace tbs::pg {

[[nodiscard]] inline std::string_view bytes_of(const varlena* value) {
    return {VARDATA_ANY(value), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value))};
}

}  // namespace tbs::pg

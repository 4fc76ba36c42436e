// Between jsonb and the neutral event list of the core. Server calls only: both functions may raise
// an ERROR, so they are called within pg_call or with nothing alive.
#pragma once

#include <span>
#include <string_view>

#include "core/json_events.hpp"
#include "pg/server.hpp"

namespace tbs::pg {

// The events point into the jsonb and into memory of the current context.
[[nodiscard]] std::span<const core::JsonEvent> read_jsonb(Jsonb* document);

[[nodiscard]] Jsonb* write_jsonb(std::span<const core::JsonEvent> events);

// The bytes of a detoasted jsonb, for comparisons.
[[nodiscard]] inline std::string_view bytes_of(const Jsonb* document) noexcept {
    return {reinterpret_cast<const char*>(document), VARSIZE(document)};
}

}  // namespace tbs::pg

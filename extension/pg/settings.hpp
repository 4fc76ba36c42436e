// The settings of the extension.
#pragma once

namespace tbs::pg {

// Defines tbs.* and reserves the prefix. Called once, from _PG_init.
void define_settings();

[[nodiscard]] bool allow_drop() noexcept;  // tbs.allow_drop
[[nodiscard]] bool wake_up() noexcept;     // tbs.wake_up

}  // namespace tbs::pg

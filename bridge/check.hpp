// --check: says whether a bridge with these options could work, without calling any resource.
#pragma once

#include "bridge/options.hpp"

namespace tbs::bridge {

// Prints to standard output; 0 when all is well, otherwise 1.
[[nodiscard]] int check(const Options& options);

}  // namespace tbs::bridge

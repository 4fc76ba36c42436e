// How a commit wakes up a sleeping bridge without queueing behind other commits. See bell.cpp.
#pragma once

namespace tbs::pg {

// Registers the transaction callbacks and the hook. Called once, from _PG_init.
void install_bell();

}  // namespace tbs::pg

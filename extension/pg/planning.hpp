// How large the planner takes the tables of the queue for. See planning.cpp.
#pragma once

namespace tbs::pg {

// Registers the hook. Called once, from _PG_init.
void install_planning();

}  // namespace tbs::pg

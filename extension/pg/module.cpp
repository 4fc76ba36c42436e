// What the server calls when it loads the library.
#include "pg/bell.hpp"
#include "pg/planning.hpp"
#include "pg/server.hpp"
#include "pg/settings.hpp"

extern "C" {

#if PG_VERSION_NUM >= 180000
PG_MODULE_MAGIC_EXT(.name = "tbs");
#else
PG_MODULE_MAGIC;
#endif

// The headers of 15 do not declare it.
PGDLLEXPORT void _PG_init(void);  // NOLINT(bugprone-reserved-identifier): the server's choice

void _PG_init(void) {
    tbs::pg::define_settings();
    tbs::pg::install_bell();
    tbs::pg::install_planning();
}
}

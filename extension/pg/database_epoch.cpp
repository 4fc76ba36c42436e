// Which database this is. tbs.database_epoch: which history of which server; it changes with a
// restore from a base backup and with a promotion, after which the database may have forgotten
// calls that were made. tbs.is_this_database: whether a row was written here, and not in the
// database that this one was copied from.
#include "pg/server.hpp"

extern "C" {

PG_FUNCTION_INFO_V1(tbs_database_epoch);

Datum tbs_database_epoch(FunctionCallInfo /*fcinfo*/) {
    TimeLineID timeline = 0;
    if (RecoveryInProgress()) {
        GetXLogReplayRecPtr(&timeline);
    } else {
        timeline = GetWALInsertionTimeLine();
    }
    PG_RETURN_TEXT_P(
        cstring_to_text(psprintf(UINT64_FORMAT "/%u", GetSystemIdentifier(), timeline)));
}

PG_FUNCTION_INFO_V1(tbs_is_this_database);

Datum tbs_is_this_database(PG_FUNCTION_ARGS) {
    const char* const system_identifier = text_to_cstring(PG_GETARG_TEXT_PP(0));
    PG_RETURN_BOOL(PG_GETARG_OID(1) == MyDatabaseId &&
                   strcmp(system_identifier, psprintf(UINT64_FORMAT, GetSystemIdentifier())) == 0);
}
}

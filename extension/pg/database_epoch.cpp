// tbs.database_epoch: which history of which server this is. It changes with a restore from a base
// backup and with a promotion, after which the database may have forgotten calls that were made.
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
}

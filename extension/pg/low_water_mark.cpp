// tbs.low_water_mark and tbs.raise_low_water_mark.
//
// While somebody holds a snapshot nothing that is dead can be removed, and an index of the queue
// keeps an entry for each activity that was ever in it. A look that begins at the first entry
// passes them all. So each session remembers, for each index range that it looks through, the
// transaction before which nothing is left: rows are in the index in the order of the transactions
// that put them there (tbs.activity.state_xid).
//
// A mark never passes what could still come: a row that is not to be seen yet belongs to a
// transaction that is not over, and so is not older than the xmin of the snapshot that looked. And
// it is not raised by a transaction that has written itself: what it has taken off the queue is
// there again when it is rolled back.
#include <map>
#include <utility>

#include "pg/guard.hpp"
#include "pg/server.hpp"

namespace tbs::pg {

namespace {

using Range = std::pair<int32, int32>;  // network resource and lane

std::map<Range, FullTransactionId>& marks() {
    static std::map<Range, FullTransactionId> marks;
    return marks;
}

Range range_of(FunctionCallInfo fcinfo) {
    return {PG_GETARG_INT32(0), PG_GETARG_INT32(1)};
}

// The oldest transaction that was not over for the active snapshot, with its epoch.
FullTransactionId oldest_not_over() {
    const FullTransactionId next = ReadNextFullTransactionId();
    const TransactionId xmin = GetActiveSnapshot()->xmin;
    const uint32 epoch = EpochFromFullTransactionId(next);
    // Numbers begin again after 2^32: one that is larger than the next is of the epoch before.
    return FullTransactionIdFromEpochAndXid(
        xmin > XidFromFullTransactionId(next) ? epoch - 1 : epoch, xmin);
}

}  // namespace

}  // namespace tbs::pg

extern "C" {

PG_FUNCTION_INFO_V1(tbs_low_water_mark);
PG_FUNCTION_INFO_V1(tbs_raise_low_water_mark);

Datum tbs_low_water_mark(PG_FUNCTION_ARGS) {
    const auto mark = tbs::pg::marks().find(tbs::pg::range_of(fcinfo));
    const bool is_known = mark != tbs::pg::marks().end();
    PG_RETURN_FULLTRANSACTIONID(is_known ? mark->second : FullTransactionIdFromU64(0));
}

Datum tbs_raise_low_water_mark(PG_FUNCTION_ARGS) {
    return tbs::pg::pg_boundary([&]() -> Datum {
        const bool is_found = !PG_ARGISNULL(2);
        if (PG_ARGISNULL(0) || PG_ARGISNULL(1)) return BoolGetDatum(is_found);
        if (FullTransactionIdIsValid(GetTopFullTransactionIdIfAny())) return BoolGetDatum(is_found);
        FullTransactionId raised = tbs::pg::oldest_not_over();
        if (is_found && FullTransactionIdPrecedes(PG_GETARG_FULLTRANSACTIONID(2), raised))
            raised = PG_GETARG_FULLTRANSACTIONID(2);
        FullTransactionId& mark = tbs::pg::marks()[tbs::pg::range_of(fcinfo)];
        if (FullTransactionIdPrecedes(mark, raised)) mark = raised;
        return BoolGetDatum(is_found);
    });
}
}

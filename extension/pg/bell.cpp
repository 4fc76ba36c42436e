// tbs.ring, tbs.bell_sleep and tbs.bell_wake. Server calls only: nothing here throws.
//
// NOTIFY takes a lock of the whole cluster at commit, so a NOTIFY in every business transaction
// would put them in a queue. While a bridge is awake nobody needs one. Therefore:
//
//   1. A bridge that is about to sleep takes the bell lock exclusively, for its session and without
//      waiting, looks for work once more, and sleeps.
//   2. A transaction that makes something claimable is marked (tbs.ring). Before it commits it
//   tries
//      the same lock shared, without waiting. If it gets the lock, nobody sleeps, and since it
//      keeps the lock until its changes are visible, nobody can fall asleep without seeing them. If
//      it is refused, somebody sleeps, and it sends a NOTIFY.
//   3. PREPARE TRANSACTION cannot be combined with NOTIFY, so nothing happens there; the bridges'
//      own poll finds what a prepared transaction brings.
//
// The tag is an advisory lock with field4 = 3. SQL's advisory locks use 1 and 2 there, so no SQL
// command can take this lock; pg_advisory_unlock_all() and DISCARD ALL release it.
#include "pg/bell.hpp"

#include "pg/compat.hpp"
#include "pg/server.hpp"
#include "pg/settings.hpp"

namespace tbs::pg {

namespace {

constexpr const char* kChannel = "tbs_activity";

// The current transaction rang. Stays when only the savepoint that rang is rolled back: a wake-up
// for nothing is harmless.
bool marked = false;

LOCKTAG bell_tag() {
    constexpr uint32 kFirst = 0x544253;  // "TBS"
    constexpr uint32 kSecond = 0;
    constexpr uint16 kOutOfReach = 3;
    LOCKTAG tag;
    SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, kFirst, kSecond, kOutOfReach);
    return tag;
}

void on_transaction_event(XactEvent event, void* /*unused*/) {
    switch (event) {
        case XACT_EVENT_PRE_COMMIT:
            if (marked && wake_up()) {
                const LOCKTAG tag = bell_tag();
                if (!try_transaction_lock(&tag, ShareLock)) Async_Notify(kChannel, "");
            }
            break;
        case XACT_EVENT_COMMIT:
        case XACT_EVENT_ABORT:
        case XACT_EVENT_PREPARE:
            marked = false;
            break;
        default:
            break;
    }
}

}  // namespace

void install_bell() {
    RegisterXactCallback(on_transaction_event, nullptr);
}

}  // namespace tbs::pg

extern "C" {

PG_FUNCTION_INFO_V1(tbs_ring);
PG_FUNCTION_INFO_V1(tbs_bell_sleep);
PG_FUNCTION_INFO_V1(tbs_bell_wake);

Datum tbs_ring(FunctionCallInfo /*fcinfo*/) {
    tbs::pg::marked = true;
    PG_RETURN_VOID();
}

Datum tbs_bell_sleep(FunctionCallInfo /*fcinfo*/) {
    const LOCKTAG tag = tbs::pg::bell_tag();
    const LockAcquireResult result = LockAcquire(&tag, ExclusiveLock, true, true);
    // Session locks are counted: one tbs.bell_wake() has to be enough.
    if (result == LOCKACQUIRE_ALREADY_HELD) LockRelease(&tag, ExclusiveLock, true);
    PG_RETURN_BOOL(result != LOCKACQUIRE_NOT_AVAIL);
}

Datum tbs_bell_wake(FunctionCallInfo /*fcinfo*/) {
    const LOCKTAG tag = tbs::pg::bell_tag();
    if (tbs::pg::lock_held_by_me(&tag, ExclusiveLock)) LockRelease(&tag, ExclusiveLock, true);
    PG_RETURN_VOID();
}
}

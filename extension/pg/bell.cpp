// tbs.ring, tbs.bell_sleep and tbs.bell_wake. Server calls only: nothing here throws.
//
// NOTIFY takes a lock of the whole cluster at commit, so a NOTIFY in every business transaction
// would put them in a queue. While a bridge is awake nobody needs one. Therefore:
//
//   1. A bridge that is about to sleep takes the bell lock exclusively, for its session and without
//      waiting, looks for work once more, and sleeps. If it is refused, either another bridge
//      sleeps, which will be woken; or a transaction that rang is just committing (2), to nobody:
//      then the bridge is told to ask again soon.
//   2. A transaction that makes something claimable is marked (tbs.ring). Before it commits it
//      tries the same lock shared, without waiting. If it gets the lock, nobody sleeps, and since
//      it keeps the lock until its changes are visible, nobody can fall asleep without seeing them.
//      If it is refused, somebody sleeps, and it sends a NOTIFY.
//   3. PREPARE TRANSACTION cannot be combined with NOTIFY, so nothing happens there. COMMIT
//      PREPARED is a transaction of its own, which nothing tells what the prepared one did: it
//      rings always, wherever this library is loaded (setting session_preload_libraries does that
//      for sessions that do nothing else). Where it is not, the bridges' own poll finds the work.
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

// The outermost (sub)transaction of the current transaction that rang, by its nesting level; 0:
// none. What is rolled back to a savepoint has not rung.
int marked_level = 0;

ProcessUtility_hook_type next_process_utility = nullptr;

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
            if (marked_level > 0 && wake_up()) {
                const LOCKTAG tag = bell_tag();
                if (!try_transaction_lock(&tag, ShareLock)) Async_Notify(kChannel, "");
            }
            break;
        case XACT_EVENT_COMMIT:
        case XACT_EVENT_ABORT:
        case XACT_EVENT_PREPARE:
            marked_level = 0;
            break;
        default:
            break;
    }
}

void on_subtransaction_event(SubXactEvent event, SubTransactionId /*own*/,
                             SubTransactionId /*parent*/, void* /*unused*/) {
    const int level = GetCurrentTransactionNestLevel();
    if (marked_level < level) return;
    if (event == SUBXACT_EVENT_ABORT_SUB) marked_level = 0;
    if (event == SUBXACT_EVENT_COMMIT_SUB) marked_level = level - 1;
}

void ring() {
    const int level = GetCurrentTransactionNestLevel();
    if (marked_level == 0 || level < marked_level) marked_level = level;
}

void process_utility(PlannedStmt* statement, const char* source, bool read_only_tree,
                     ProcessUtilityContext context, ParamListInfo parameters,
                     QueryEnvironment* environment, DestReceiver* receiver,
                     QueryCompletion* completion) {
    const bool ends_prepared =
        IsA(statement->utilityStmt, TransactionStmt) &&
        castNode(TransactionStmt, statement->utilityStmt)->kind == TRANS_STMT_COMMIT_PREPARED;
    auto* const next =
        next_process_utility != nullptr ? next_process_utility : standard_ProcessUtility;
    next(statement, source, read_only_tree, context, parameters, environment, receiver, completion);
    if (ends_prepared) ring();
}

}  // namespace

void install_bell() {
    RegisterXactCallback(on_transaction_event, nullptr);
    RegisterSubXactCallback(on_subtransaction_event, nullptr);
    next_process_utility = ProcessUtility_hook;
    ProcessUtility_hook = process_utility;
}

}  // namespace tbs::pg

extern "C" {

PG_FUNCTION_INFO_V1(tbs_ring);
PG_FUNCTION_INFO_V1(tbs_bell_sleep);
PG_FUNCTION_INFO_V1(tbs_bell_wake);

Datum tbs_ring(FunctionCallInfo /*fcinfo*/) {
    tbs::pg::ring();
    PG_RETURN_VOID();
}

Datum tbs_bell_sleep(FunctionCallInfo fcinfo) {
    const LOCKTAG tag = tbs::pg::bell_tag();
    const LockAcquireResult result = LockAcquire(&tag, ExclusiveLock, true, true);
    // Session locks are counted: one tbs.bell_wake() has to be enough.
    if (result == LOCKACQUIRE_ALREADY_HELD) LockRelease(&tag, ExclusiveLock, true);
    if (result != LOCKACQUIRE_NOT_AVAIL) PG_RETURN_BOOL(true);
    // Nobody who sleeps lets it be shared.
    if (tbs::pg::try_transaction_lock(&tag, ShareLock)) PG_RETURN_NULL();
    PG_RETURN_BOOL(false);
}

Datum tbs_bell_wake(FunctionCallInfo /*fcinfo*/) {
    const LOCKTAG tag = tbs::pg::bell_tag();
    if (tbs::pg::lock_held_by_me(&tag, ExclusiveLock)) LockRelease(&tag, ExclusiveLock, true);
    PG_RETURN_VOID();
}
}

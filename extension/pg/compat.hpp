// Differences between server versions, one named shim for each.
#pragma once

#include "pg/server.hpp"

namespace tbs::pg {

// 16 merged the ownership checks of all kinds of objects.
inline bool owns_extension(Oid extension, Oid role) {
#if PG_VERSION_NUM >= 160000
    return object_ownercheck(ExtensionRelationId, extension, role);
#else
    return pg_extension_ownercheck(extension, role);
#endif
}

// 17 added a parameter for stronger modes.
inline bool lock_held_by_me(const LOCKTAG* tag, LOCKMODE mode) {
#if PG_VERSION_NUM >= 170000
    return LockHeldByMe(tag, mode, false);
#else
    return LockHeldByMe(tag, mode);
#endif
}

// Tries a lock for the rest of the transaction; a full lock table counts as "not available" instead
// of failing the transaction. 18 added a parameter for logging.
inline bool try_transaction_lock(const LOCKTAG* tag, LOCKMODE mode) {
#if PG_VERSION_NUM >= 180000
    return LockAcquireExtended(tag, mode, false, true, false, nullptr, false) !=
           LOCKACQUIRE_NOT_AVAIL;
#else
    return LockAcquireExtended(tag, mode, false, true, false, nullptr) != LOCKACQUIRE_NOT_AVAIL;
#endif
}

}  // namespace tbs::pg

// tbs.guard_drop: the extension owns business data, so dropping it takes more than one command. An
// event trigger for ddl_command_start; the extension's own sql_drop trigger would not fire for it.
#include <string>

#include "pg/compat.hpp"
#include "pg/guard.hpp"
#include "pg/server.hpp"
#include "pg/settings.hpp"

namespace tbs::pg {

namespace {

constexpr const char* kName = "tbs";  // of the extension and of its schema

// Whether dropping extension `other` with CASCADE takes `extension` along.
bool requires_extension(Oid extension, Oid other) {
    check_stack_depth();
    bool found = false;
    ScanKeyData keys[2];
    ScanKeyInit(&keys[0], Anum_pg_depend_classid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(ExtensionRelationId));
    ScanKeyInit(&keys[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(extension));
    Relation const depend = table_open(DependRelationId, AccessShareLock);
    SysScanDesc const scan =
        systable_beginscan(depend, DependDependerIndexId, true, nullptr, 2, keys);
    for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple) && !found;
         tuple = systable_getnext(scan)) {
        const auto* const row = reinterpret_cast<Form_pg_depend>(GETSTRUCT(tuple));
        if (row->refclassid == ExtensionRelationId)
            found = row->refobjid == other || requires_extension(row->refobjid, other);
    }
    systable_endscan(scan);
    table_close(depend, AccessShareLock);
    return found;
}

Oid owner_of(Oid extension) {
    ScanKeyData key;
    ScanKeyInit(&key, Anum_pg_extension_oid, BTEqualStrategyNumber, F_OIDEQ,
                ObjectIdGetDatum(extension));
    Relation const extensions = table_open(ExtensionRelationId, AccessShareLock);
    SysScanDesc const scan =
        systable_beginscan(extensions, ExtensionOidIndexId, true, nullptr, 1, &key);
    HeapTuple const tuple = systable_getnext(scan);
    const Oid owner = HeapTupleIsValid(tuple)
                          ? reinterpret_cast<Form_pg_extension>(GETSTRUCT(tuple))->extowner
                          : InvalidOid;
    systable_endscan(scan);
    table_close(extensions, AccessShareLock);
    return owner;
}

bool drops(const DropStmt* statement, Oid extension) {
    ListCell* cell = nullptr;
    foreach (cell, statement->objects) {
        if (statement->removeType == OBJECT_SCHEMA && strcmp(strVal(lfirst(cell)), kName) == 0)
            return true;
        if (statement->removeType != OBJECT_EXTENSION) continue;
        const Oid other = get_extension_oid(strVal(lfirst(cell)), true);
        if (other == extension) return true;
        if (OidIsValid(other) && statement->behavior == DROP_CASCADE &&
            requires_extension(extension, other))
            return true;
    }
    return false;
}

bool drops_owned(const DropOwnedStmt* statement, Oid extension) {
    const Oid owner = owner_of(extension);
    ListCell* cell = nullptr;
    foreach (cell, statement->roles)
        if (get_rolespec_oid(static_cast<RoleSpec*>(lfirst(cell)), true) == owner) return true;
    return false;
}

// Whether the command would take the extension. One that its user may not carry out fails by
// itself.
bool takes_extension(const Node* command) {
    const Oid extension = get_extension_oid(kName, true);
    if (!OidIsValid(extension) || !owns_extension(extension, GetUserId())) return false;
    if (IsA(command, DropStmt)) return drops(reinterpret_cast<const DropStmt*>(command), extension);
    if (IsA(command, DropOwnedStmt))
        return drops_owned(reinterpret_cast<const DropOwnedStmt*>(command), extension);
    return false;
}

int64 count_rows() {
    SPI_connect();
    bool is_null = true;
    int64 count = 0;
    if (SPI_execute("SELECT pg_catalog.count(*) FROM tbs.customer", false, 0) == SPI_OK_SELECT &&
        SPI_processed == 1)
        count =
            DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
    SPI_finish();
    return count;
}

// How many customers there are; 0 when the table is not there.
int64 count_customers() {
    const Oid schema = get_namespace_oid(kName, true);
    const Oid table = OidIsValid(schema) ? get_relname_relid("customer", schema) : InvalidOid;
    if (!OidIsValid(table)) return 0;
    // A command that is refused must not make anybody wait. One that goes ahead takes this lock
    // anyway; the second look makes sure that nobody has added a customer in between.
    int64 count = count_rows();
    if (count == 0) {
        LockRelationOid(table, AccessExclusiveLock);
        count = count_rows();
    }
    return count;
}

Datum guard_drop(const Node* command) {
    const int64 customers =
        pg_call([&] { return takes_extension(command) ? count_customers() : int64{0}; });
    if (customers > 0)
        throw SqlError(ERRCODE_DEPENDENT_OBJECTS_STILL_EXIST,
                       "cannot drop extension tbs while it holds customers",
                       "Rows in tbs.customer: " + std::to_string(customers) + ".",
                       "Take a dump first, then SET tbs.allow_drop = on.");
    return Datum{0};
}

}  // namespace

}  // namespace tbs::pg

extern "C" {

PG_FUNCTION_INFO_V1(tbs_guard_drop);

Datum tbs_guard_drop(PG_FUNCTION_ARGS) {
    if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("tbs.guard_drop can only be called as an event trigger")));
    const Node* const command = reinterpret_cast<EventTriggerData*>(fcinfo->context)->parsetree;
    if (tbs::pg::allow_drop()) PG_RETURN_NULL();
    tbs::pg::pg_boundary([&] { return tbs::pg::guard_drop(command); });
    PG_RETURN_NULL();
}
}

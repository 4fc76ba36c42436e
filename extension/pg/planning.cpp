// A queue is mostly empty when its statistics are gathered, and a session keeps its plans. To the
// planner all indexes of an empty table are equally good, also one that has to be read from end to
// end; and that one is long when the queue was, or when somebody holds a snapshot. So where a plan
// is for look-ups only (enable_seqscan is off, as in the functions of the bridge), the tables that
// come and go are never taken for smaller than this: then the index whose columns the query names
// is the cheapest, and the plan is right for any size.
#include "pg/planning.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "pg/server.hpp"

namespace tbs::pg {

namespace {

constexpr std::array<std::string_view, 4> kTables = {"activity", "remote_object",
                                                     "remote_object_use", "line_usoc_state"};
constexpr BlockNumber kPages = 10000;
constexpr double kRows = 100000;
constexpr double kRowsOfPartialIndex = 10000;

get_relation_info_hook_type next_get_relation_info = nullptr;

bool is_table_of_queue(Oid relation) {
    if (get_rel_namespace(relation) != get_namespace_oid("tbs", true)) return false;
    const char* const name = get_rel_name(relation);
    return name != nullptr && std::find(kTables.begin(), kTables.end(), name) != kTables.end();
}

void get_relation_info(PlannerInfo* planner, Oid relation, bool is_parent, RelOptInfo* info) {
    if (next_get_relation_info != nullptr)
        next_get_relation_info(planner, relation, is_parent, info);
    if (enable_seqscan || !is_table_of_queue(relation)) return;
    info->pages = std::max(info->pages, kPages);
    info->tuples = std::max(info->tuples, kRows);
    for (int i = 0; i < list_length(info->indexlist); ++i) {
        auto* const index = static_cast<IndexOptInfo*>(list_nth(info->indexlist, i));
        index->tuples =
            std::max(index->tuples, index->indpred == NIL ? kRows : kRowsOfPartialIndex);
    }
}

}  // namespace

void install_planning() {
    next_get_relation_info = get_relation_info_hook;
    get_relation_info_hook = get_relation_info;
}

}  // namespace tbs::pg

// tbs.capture_reason is here too: reading the setting through C loads the library first, and with
// it the rule that only a superuser may set it. A placeholder set before by anybody else is
// dropped.
#include "pg/settings.hpp"

#include "pg/server.hpp"

namespace tbs::pg {

namespace {

bool allow_drop_value = false;
bool wake_up_value = true;
char* without_capture_value = nullptr;
char* order_number_value = nullptr;
char* user_name_value = nullptr;
char* lane_value = nullptr;

void define_text(const char* name, const char* description, char** value, GucContext context) {
    DefineCustomStringVariable(name, description, nullptr, value, "", context, 0, nullptr, nullptr,
                               nullptr);
}

void define_switch(const char* name, const char* description, bool* value, bool initial) {
    DefineCustomBoolVariable(name, description, nullptr, value, initial, PGC_SUSET, 0, nullptr,
                             nullptr, nullptr);
}

}  // namespace

void define_settings() {
    define_switch("tbs.allow_drop",
                  "Allows commands that drop the extension while there are customers.",
                  &allow_drop_value, false);
    define_switch("tbs.wake_up", "Wakes up a sleeping bridge when something becomes claimable.",
                  &wake_up_value, true);
    define_text("tbs.without_capture", "Reason why changes are not captured; empty: they are.",
                &without_capture_value, PGC_SUSET);
    define_text("tbs.order_number", "Order that the changes of this transaction belong to.",
                &order_number_value, PGC_USERSET);
    define_text("tbs.user_name", "Person who makes the changes of this transaction.",
                &user_name_value, PGC_USERSET);
    define_text("tbs.lane", "Lane of what is captured in this transaction; see tbs.set_lane().",
                &lane_value, PGC_USERSET);
    MarkGUCPrefixReserved("tbs");
}

bool allow_drop() noexcept {
    return allow_drop_value;
}
bool wake_up() noexcept {
    return wake_up_value;
}

}  // namespace tbs::pg

extern "C" {

PG_FUNCTION_INFO_V1(tbs_capture_reason);

Datum tbs_capture_reason(PG_FUNCTION_ARGS) {
    const char* const reason = tbs::pg::without_capture_value;
    if (reason == nullptr || reason[0] == '\0') PG_RETURN_NULL();
    PG_RETURN_TEXT_P(cstring_to_text(reason));
}
}

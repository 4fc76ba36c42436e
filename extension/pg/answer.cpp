// tbs.answer_json, tbs.answer_text and tbs.mask_secrets: what may be kept of an answer.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "core/answer.hpp"
#include "core/mask.hpp"
#include "pg/guard.hpp"
#include "pg/jsonb.hpp"
#include "pg/text_array.hpp"
#include "pg/varlena.hpp"

namespace tbs::pg {

namespace {

// NULL (a zero Datum) when the answer is no JSON that can be stored.
Datum answer_json(std::string_view answer) {
    const std::optional<std::string_view> json = core::storable_json(answer);
    if (!json) return Datum{0};
    return pg_call([&] {
        return DirectFunctionCall1(jsonb_in, CStringGetDatum(pnstrdup(json->data(), json->size())));
    });
}

Datum answer_text(std::string_view answer, int32 maximum_characters, const TextArray& secrets) {
    const std::string shown =
        core::answer_text(answer, static_cast<std::size_t>(std::max(maximum_characters, 0)),
                          core::SecretMembers(strings_of(secrets)));
    return pg_call([&] {
        return PointerGetDatum(
            cstring_to_text_with_len(shown.data(), static_cast<int>(shown.size())));
    });
}

Datum mask_secrets(std::span<const core::JsonEvent> events, const TextArray& secrets) {
    const core::JsonEventList masked =
        core::mask_events(events, core::SecretMembers(strings_of(secrets)));
    return pg_call([&] { return JsonbPGetDatum(write_jsonb(masked.events)); });
}

}  // namespace

}  // namespace tbs::pg

extern "C" {

PG_FUNCTION_INFO_V1(tbs_answer_json);
PG_FUNCTION_INFO_V1(tbs_answer_text);
PG_FUNCTION_INFO_V1(tbs_mask_secrets);

Datum tbs_answer_json(PG_FUNCTION_ARGS) {
    const bytea* const answer = PG_GETARG_BYTEA_PP(0);
    const Datum result =
        tbs::pg::pg_boundary([&] { return tbs::pg::answer_json(tbs::pg::bytes_of(answer)); });
    if (result == Datum{0}) PG_RETURN_NULL();
    return result;
}

Datum tbs_answer_text(PG_FUNCTION_ARGS) {
    const bytea* const answer = PG_GETARG_BYTEA_PP(0);
    const int32 maximum_characters = PG_GETARG_INT32(1);
    const tbs::pg::TextArray secrets = tbs::pg::read_text_array(PG_GETARG_ARRAYTYPE_P(2));
    return tbs::pg::pg_boundary([&] {
        return tbs::pg::answer_text(tbs::pg::bytes_of(answer), maximum_characters, secrets);
    });
}

Datum tbs_mask_secrets(PG_FUNCTION_ARGS) {
    const std::span<const tbs::core::JsonEvent> events = tbs::pg::read_jsonb(PG_GETARG_JSONB_P(0));
    const tbs::pg::TextArray secrets = tbs::pg::read_text_array(PG_GETARG_ARRAYTYPE_P(1));
    return tbs::pg::pg_boundary([&] { return tbs::pg::mask_secrets(events, secrets); });
}
}

// tbs.template_references, tbs.uri_template_references and tbs.document_references: what a template
// refers to. A malformed one is an error here, so that it is refused when it is written.
#include <string>
#include <vector>

#include "core/document_template.hpp"
#include "core/template.hpp"
#include "core/uri_template.hpp"
#include "pg/guard.hpp"
#include "pg/jsonb.hpp"
#include "pg/text_array.hpp"
#include "pg/varlena.hpp"

namespace tbs::pg {

namespace {

template <typename Template, typename Source>
Datum references_of(const Source& source) {
    std::vector<std::string> references;
    Template::parse(source).collect_references(references);
    return pg_call([&] { return write_text_array(references); });
}

}  // namespace

}  // namespace tbs::pg

extern "C" {

PG_FUNCTION_INFO_V1(tbs_template_references);
PG_FUNCTION_INFO_V1(tbs_uri_template_references);
PG_FUNCTION_INFO_V1(tbs_document_references);

Datum tbs_template_references(PG_FUNCTION_ARGS) {
    const text* const source = PG_GETARG_TEXT_PP(0);
    return tbs::pg::pg_boundary(
        [&] { return tbs::pg::references_of<tbs::core::Template>(tbs::pg::bytes_of(source)); });
}

Datum tbs_uri_template_references(PG_FUNCTION_ARGS) {
    const text* const source = PG_GETARG_TEXT_PP(0);
    return tbs::pg::pg_boundary(
        [&] { return tbs::pg::references_of<tbs::core::UriTemplate>(tbs::pg::bytes_of(source)); });
}

Datum tbs_document_references(PG_FUNCTION_ARGS) {
    const std::span<const tbs::core::JsonEvent> events = tbs::pg::read_jsonb(PG_GETARG_JSONB_P(0));
    return tbs::pg::pg_boundary([&] {
        return tbs::pg::references_of<tbs::core::DocumentTemplate>(tbs::core::build_json(events));
    });
}
}

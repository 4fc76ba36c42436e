// tbs.render_object, tbs.render_request and tbs.explain_layers. Problems of the data and of recipes
// are returned as values, because one activity must not fail the batch it is claimed with.
#include <optional>
#include <string>
#include <vector>

#include "core/object_recipe.hpp"
#include "core/request_recipe.hpp"
#include "pg/byte_cache.hpp"
#include "pg/guard.hpp"
#include "pg/jsonb.hpp"

namespace tbs::pg {

namespace {

using core::Json;

struct Caches {
    ByteCache<Json, 4> contexts;
    ByteCache<core::ObjectRecipe, 64> objects;
    ByteCache<core::RequestRecipe, 64> requests;
};

Caches& caches() {
    static auto* const all = new Caches;  // for the life of the backend: no destructor at exit
    return *all;
}

Json parse(Jsonb* document) {
    return core::build_json(pg_call([&] { return read_jsonb(document); }));
}

std::optional<Json> parse_optional(Jsonb* document, const char* name) {
    if (document == nullptr) return std::nullopt;
    return core::at_member(name, [&] { return parse(document); });
}

const Json& cached_context(Jsonb* context) {
    return caches().contexts.get(bytes_of(context), [&] {
        return core::at_member("context", [&] { return parse(context); });
    });
}

const Json* pointer(const std::optional<Json>& value) {
    return value ? &*value : nullptr;
}

// One column of a result: a text, a document, or NULL.
struct Column {
    const std::string* text = nullptr;
    const core::JsonEventList* document = nullptr;

    [[nodiscard]] Datum datum() const {
        return text != nullptr ? PointerGetDatum(cstring_to_text_with_len(
                                     text->data(), static_cast<int>(text->size())))
                               : JsonbPGetDatum(write_jsonb(document->events));
    }
    [[nodiscard]] bool is_null() const { return text == nullptr && document == nullptr; }
};

Column column(const std::optional<std::string>& text) {
    return {text ? &*text : nullptr, nullptr};
}
Column column(const std::optional<core::JsonEventList>& document) {
    return {nullptr, document ? &*document : nullptr};
}

std::optional<core::JsonEventList> events_of(const std::optional<Json>& value) {
    if (!value) return std::nullopt;
    return core::to_events(*value);
}

TupleDesc result_type(FunctionCallInfo fcinfo) {
    FmgrInfo* const function = fcinfo->flinfo;
    if (function->fn_extra == nullptr) {
        TupleDesc type = nullptr;
        if (get_call_result_type(fcinfo, nullptr, &type) != TYPEFUNC_COMPOSITE)
            elog(ERROR, "return type must be a row type");
        MemoryContext const old = MemoryContextSwitchTo(function->fn_mcxt);
        function->fn_extra = BlessTupleDesc(CreateTupleDescCopy(type));
        MemoryContextSwitchTo(old);
    }
    return static_cast<TupleDesc>(function->fn_extra);
}

template <std::size_t kColumns>
Datum make_row(FunctionCallInfo fcinfo, const Column (&columns)[kColumns]) {
    return pg_call([&] {
        Datum values[kColumns];
        bool nulls[kColumns];
        for (std::size_t i = 0; i < kColumns; ++i) {
            nulls[i] = columns[i].is_null();
            values[i] = nulls[i] ? Datum{0} : columns[i].datum();
        }
        return HeapTupleGetDatum(heap_form_tuple(result_type(fcinfo), values, nulls));
    });
}

Datum render_object(FunctionCallInfo fcinfo, Jsonb* recipe, Jsonb* context, Jsonb* item) {
    core::RenderedObject object;
    try {
        core::at_member("recipe", [&] {
            const core::ObjectRecipe& compiled = caches().objects.get(
                bytes_of(recipe), [&] { return core::ObjectRecipe::parse(parse(recipe)); });
            const std::optional<Json> item_value = parse_optional(item, "item");
            object = compiled.render(cached_context(context), pointer(item_value));
        });
    } catch (const core::RenderError& error) {
        object.problem = core::Problem{error.what(), error.member()};
    }

    std::optional<std::string> message;
    std::optional<std::string> member;
    if (object.problem) {
        message = object.problem->message;
        member = object.problem->member;
    }
    const std::optional<core::JsonEventList> identity = events_of(object.identity);
    const std::optional<core::JsonEventList> content = events_of(object.content);
    return make_row(fcinfo, {column(object.key), column(identity), column(object.find_value),
                             column(content), column(message), column(member)});
}

Datum render_request(FunctionCallInfo fcinfo, Jsonb* step, Jsonb* context, Jsonb* item,
                     Jsonb* object) {
    std::optional<std::string> method;
    std::optional<std::string> path;
    std::optional<core::JsonEventList> headers;
    std::optional<std::string> body;
    std::optional<std::string> message;
    std::optional<std::string> member;
    std::optional<Json> rendered_headers;
    try {
        core::at_member("step", [&] {
            const core::RequestRecipe& compiled = caches().requests.get(
                bytes_of(step), [&] { return core::RequestRecipe::parse(parse(step)); });
            const std::optional<Json> item_value = parse_optional(item, "item");
            const std::optional<Json> object_value = parse_optional(object, "object");
            core::RenderedRequest request = compiled.render(
                cached_context(context), pointer(item_value), pointer(object_value));
            method = std::move(request.method);
            path = std::move(request.path);
            body = std::move(request.body);
            rendered_headers = std::move(request.headers);
        });
        headers = events_of(rendered_headers);
    } catch (const core::RenderError& error) {
        message = error.what();
        member = error.member();
    }
    return make_row(fcinfo, {column(method), column(path), column(headers), column(body),
                             column(message), column(member)});
}

Datum explain_layers(FunctionCallInfo fcinfo, Jsonb* recipe, Jsonb* context) {
    const core::LayerRecipe layers = core::LayerRecipe::parse(parse(recipe));
    const core::LayeredValues values = layers.merge(cached_context(context));
    std::vector<core::JsonEventList> documents;
    documents.reserve(values.all().size());
    for (const core::LayeredValue& value : values.all())
        documents.push_back(core::to_events(*value.value));

    pg_call([&] {
        auto* const result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
        for (std::size_t i = 0; i < documents.size(); ++i) {
            const core::LayeredValue& value = values.all()[i];
            bool nulls[] = {false, false, false};
            Datum row[] = {PointerGetDatum(cstring_to_text_with_len(
                               value.name.data(), static_cast<int>(value.name.size()))),
                           JsonbPGetDatum(write_jsonb(documents[i].events)),
                           PointerGetDatum(cstring_to_text_with_len(
                               value.layer.data(), static_cast<int>(value.layer.size())))};
            tuplestore_putvalues(result->setResult, result->setDesc, row, nulls);
        }
    });
    return Datum{0};
}

// Arguments of functions that take NULL for some of them. Server calls only.
Jsonb* optional_argument(FunctionCallInfo fcinfo, int i) {
    return PG_ARGISNULL(i) ? nullptr : PG_GETARG_JSONB_P(i);
}

Jsonb* required_argument(FunctionCallInfo fcinfo, int i, const char* name) {
    if (PG_ARGISNULL(i))
        ereport(ERROR,
                (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED), errmsg("%s must not be null", name)));
    return PG_GETARG_JSONB_P(i);
}

}  // namespace

}  // namespace tbs::pg

extern "C" {

PG_FUNCTION_INFO_V1(tbs_render_object);
PG_FUNCTION_INFO_V1(tbs_render_request);
PG_FUNCTION_INFO_V1(tbs_explain_layers);

Datum tbs_render_object(PG_FUNCTION_ARGS) {
    Jsonb* const recipe = tbs::pg::required_argument(fcinfo, 0, "recipe");
    Jsonb* const context = tbs::pg::required_argument(fcinfo, 1, "context");
    Jsonb* const item = tbs::pg::optional_argument(fcinfo, 2);
    return tbs::pg::pg_boundary(
        [&] { return tbs::pg::render_object(fcinfo, recipe, context, item); });
}

Datum tbs_render_request(PG_FUNCTION_ARGS) {
    Jsonb* const step = tbs::pg::required_argument(fcinfo, 0, "step");
    Jsonb* const context = tbs::pg::required_argument(fcinfo, 1, "context");
    Jsonb* const item = tbs::pg::optional_argument(fcinfo, 2);
    Jsonb* const object = tbs::pg::optional_argument(fcinfo, 3);
    return tbs::pg::pg_boundary(
        [&] { return tbs::pg::render_request(fcinfo, step, context, item, object); });
}

Datum tbs_explain_layers(PG_FUNCTION_ARGS) {
    InitMaterializedSRF(fcinfo, 0);
    Jsonb* const recipe = PG_GETARG_JSONB_P(0);
    Jsonb* const context = PG_GETARG_JSONB_P(1);
    return tbs::pg::pg_boundary([&] { return tbs::pg::explain_layers(fcinfo, recipe, context); });
}
}

// tbs.*_context and tbs.compose_context: the business rows as the documents that templates look
// values up in. Server calls only, and nothing alive in them that has a destructor.
#include <cstring>
#include <span>
#include <string_view>

#include "pg/server.hpp"
#include "pg/varlena.hpp"

namespace tbs::pg {

namespace {

using Columns = std::span<const char* const>;

// The one list of columns that provisioning reads of each table, in the order of the table.
constexpr const char* kCustomer[] = {"customer_id", "account_number", "name", "parameters"};
constexpr const char* kNetworkInformation[] = {"network_information_id",
                                               "parent_id",
                                               "name",
                                               "network_resource_id",
                                               "switch_domain",
                                               "reseller",
                                               "site",
                                               "time_zone",
                                               "caller_id_name",
                                               "caller_id_number",
                                               "emergency_address",
                                               "parameters"};
constexpr const char* kOrder[] = {"order_number", "due_date"};
constexpr const char* kUsoc[] = {"usoc", "description", "parameters"};
constexpr const char* kLine[] = {"line_id",          "customer_id", "network_information_id",
                                 "telephone_number", "extension",   "first_name",
                                 "last_name",        "email",       "suspended",
                                 "parameters"};
constexpr const char* kLineUsoc[] = {"line_usoc_id",     "line_id",   "usoc",
                                     "telephone_number", "quantity",  "active_date",
                                     "disconnect_date",  "parameters"};
constexpr const char* kDevice[] = {"device_id", "mac", "brand", "model", "parameters"};
constexpr const char* kLineDevice[] = {"line_device_id", "line_id", "device_id", "sip_account",
                                       "slot",           "shared",  "parameters"};
constexpr const char* kLineMember[] = {"line_member_id", "line_id", "member_line_id", "position",
                                       "parameters"};

// A value with its type; null without one.
struct Value {
    Datum datum = 0;
    Oid type = InvalidOid;
    bool is_null = true;
};

// A row, or none: then all its columns are null.
class Row {
 public:
    static Row argument(FunctionCallInfo fcinfo, int number) {
        Row row;
        if (PG_ARGISNULL(number)) return row;
        HeapTupleHeader const header = PG_GETARG_HEAPTUPLEHEADER(number);
        row.type_ = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(header),
                                           HeapTupleHeaderGetTypMod(header));
        HeapTupleData tuple;
        tuple.t_len = HeapTupleHeaderGetDatumLength(header);
        ItemPointerSetInvalid(&tuple.t_self);
        tuple.t_tableOid = InvalidOid;
        tuple.t_data = header;
        const auto count = static_cast<std::size_t>(row.type_->natts);
        row.values_ = static_cast<Datum*>(palloc(count * sizeof(Datum)));
        row.nulls_ = static_cast<bool*>(palloc(count * sizeof(bool)));
        heap_deform_tuple(&tuple, row.type_, row.values_, row.nulls_);
        return row;
    }

    // Mostly asked in the order of the columns, so that the next one is found at once.
    Value get(const char* column) {
        if (type_ == nullptr) return {};
        for (int i = 0; i < type_->natts; ++i) {
            const int place = (next_ + i) % type_->natts;
            const FormData_pg_attribute* const attribute = TupleDescAttr(type_, place);
            if (attribute->attisdropped || std::strcmp(NameStr(attribute->attname), column) != 0)
                continue;
            next_ = place + 1;
            return {values_[place], attribute->atttypid, nulls_[place]};
        }
        elog(ERROR, "column \"%s\" not found", column);
    }

    void release() {
        if (type_ != nullptr) ReleaseTupleDesc(type_);
    }

 private:
    TupleDesc type_ = nullptr;
    Datum* values_ = nullptr;
    bool* nulls_ = nullptr;
    int next_ = 0;
};

// A document that is being written. Of two members with one name the later one counts.
class Writer {
 public:
    void begin_object() { result_ = pushJsonbValue(&state_, WJB_BEGIN_OBJECT, nullptr); }
    void end_object() { result_ = pushJsonbValue(&state_, WJB_END_OBJECT, nullptr); }
    void begin_array() { result_ = pushJsonbValue(&state_, WJB_BEGIN_ARRAY, nullptr); }
    void end_array() { result_ = pushJsonbValue(&state_, WJB_END_ARRAY, nullptr); }

    void key(std::string_view name) {
        JsonbValue value = string(name);
        result_ = pushJsonbValue(&state_, WJB_KEY, &value);
    }

    void value(const Value& value) {
        JsonbValue json = converted(value);
        result_ = pushJsonbValue(&state_, WJB_VALUE, &json);
    }

    void member(std::string_view name, const Value& value) {
        key(name);
        this->value(value);
    }

    void member(std::string_view name, std::string_view text) {
        key(name);
        JsonbValue value = string(text);
        result_ = pushJsonbValue(&state_, WJB_VALUE, &value);
    }

    // What a document has under this name; null where it has nothing, and without a document.
    void member_of(const Value& document, std::string_view name) {
        JsonbValue none;
        none.type = jbvNull;
        JsonbValue* found = nullptr;
        Jsonb* const object = document.is_null ? nullptr : DatumGetJsonbP(document.datum);
        if (object != nullptr && JB_ROOT_IS_OBJECT(object))
            found = getKeyJsonValueFromContainer(&object->root, name.data(),
                                                 static_cast<int>(name.size()), nullptr);
        result_ = pushJsonbValue(&state_, WJB_VALUE, found == nullptr ? &none : found);
    }

    void columns(Row& row, Columns names) {
        for (const char* name : names) member(name, row.get(name));
    }

    // What the object, or the array, consists of.
    void contents(Jsonb* document) {
        JsonbIterator* iterator = JsonbIteratorInit(&document->root);
        JsonbValue value;
        for (JsonbIteratorToken token = JsonbIteratorNext(&iterator, &value, true);
             token != WJB_DONE; token = JsonbIteratorNext(&iterator, &value, true))
            if (token == WJB_KEY || token == WJB_VALUE || token == WJB_ELEM)
                result_ = pushJsonbValue(&state_, token, &value);
    }

    [[nodiscard]] Datum result() const { return JsonbPGetDatum(JsonbValueToJsonb(result_)); }

 private:
    static JsonbValue string(std::string_view text) {
        JsonbValue value;
        value.type = jbvString;
        value.val.string.val = const_cast<char*>(text.data());
        value.val.string.len = static_cast<int>(text.size());
        return value;
    }

    static JsonbValue number(int64 number) {
        JsonbValue value;
        value.type = jbvNumeric;
        value.val.numeric = int64_to_numeric(number);
        return value;
    }

    // As jsonb_build_object() does.
    static JsonbValue converted(const Value& value) {
        JsonbValue json;
        json.type = jbvNull;
        if (value.is_null) return json;
        switch (value.type) {
            case TEXTOID: {
                const varlena* const text = PG_DETOAST_DATUM_PACKED(value.datum);
                return string(bytes_of(text));
            }
            case BOOLOID:
                json.type = jbvBool;
                json.val.boolean = DatumGetBool(value.datum);
                return json;
            case INT2OID:
                return number(DatumGetInt16(value.datum));
            case INT4OID:
                return number(DatumGetInt32(value.datum));
            case INT8OID:
                return number(DatumGetInt64(value.datum));
            case JSONBOID: {
                Jsonb* const document = DatumGetJsonbP(value.datum);
                json.type = jbvBinary;
                json.val.binary.data = &document->root;
                json.val.binary.len = static_cast<int>(VARSIZE(document) - VARHDRSZ);
                return json;
            }
            case DATEOID:
                return string(JsonEncodeDateTime(nullptr, value.datum, DATEOID, nullptr));
            default: {
                Oid output = InvalidOid;
                bool is_varlena = false;
                getTypeOutputInfo(value.type, &output, &is_varlena);
                return string(OidOutputFunctionCall(output, value.datum));
            }
        }
    }

    JsonbParseState* state_ = nullptr;
    JsonbValue* result_ = nullptr;
};

// An argument that is not a row.
Value argument(FunctionCallInfo fcinfo, int number, Oid type) {
    return {PG_ARGISNULL(number) ? Datum{0} : PG_GETARG_DATUM(number), type, PG_ARGISNULL(number)};
}

std::string_view text_of(const Value& value) {
    if (value.is_null) return {};
    const varlena* const text = PG_DETOAST_DATUM_PACKED(value.datum);
    return bytes_of(text);
}

Datum row_context(FunctionCallInfo fcinfo, Columns names) {
    Row row = Row::argument(fcinfo, 0);
    Writer writer;
    writer.begin_object();
    writer.columns(row, names);
    writer.end_object();
    row.release();
    return writer.result();
}

// The rows that a context is made of.
struct Rows {
    Row customer;
    Row order;
    Row usoc;
    Row line;
    Row line_usoc;
    Row network_information;
    Row parent;
    Row resource;
};

// A layer of a business row: its columns, and its parameters for this type of network resource.
void add_layer(Writer& writer, std::string_view layer, Row& row, Columns names,
               std::string_view type, const Value* suspended = nullptr) {
    writer.begin_object();
    writer.member("layer", layer);
    writer.key("columns");
    writer.begin_object();
    writer.columns(row, names);
    if (suspended != nullptr) writer.member("suspended", *suspended);
    writer.end_object();
    writer.key("parameters");
    writer.member_of(row.get("parameters"), type);
    writer.end_object();
}

// Values that defaults, association and business rows set, farthest first; merged by the renderer.
void add_layers(Writer& writer, Rows& rows, const Value& association, std::string_view type,
                const Value& suspended) {
    writer.begin_array();
    writer.contents(DatumGetJsonbP(rows.resource.get("layers").datum));
    writer.begin_object();
    writer.member("layer", "association");
    writer.member("parameters", association);
    writer.end_object();
    writer.begin_object();
    writer.member("layer", "master_usoc");
    writer.key("parameters");
    writer.member_of(rows.usoc.get("parameters"), type);
    writer.end_object();
    if (rows.network_information.get("parent_id").is_null) {
        add_layer(writer, "network_information_parent", rows.network_information,
                  kNetworkInformation, type);
    } else {
        add_layer(writer, "network_information_parent", rows.parent, kNetworkInformation, type);
        add_layer(writer, "network_information", rows.network_information, kNetworkInformation,
                  type);
    }
    add_layer(writer, "customer", rows.customer, kCustomer, type);
    add_layer(writer, "line", rows.line, kLine, type, &suspended);
    add_layer(writer, "line_usoc", rows.line_usoc, kLineUsoc, type);
    if (DatumGetBool(suspended.datum))
        writer.contents(DatumGetJsonbP(rows.resource.get("suspension").datum));
    writer.end_array();
}

// What a site has no value for is its parent's.
void add_network_information(Writer& writer, Row& own, Row& parent) {
    writer.begin_object();
    writer.columns(own, kNetworkInformation);
    for (const char* name : {"switch_domain", "reseller", "time_zone", "emergency_address"}) {
        const Value value = own.get(name);
        writer.member(name, value.is_null ? parent.get(name) : value);
    }
    Value address;
    if (!own.get("emergency_address").is_null)
        address = own.get("network_information_id");
    else if (!parent.get("emergency_address").is_null)
        address = parent.get("network_information_id");
    writer.member("emergency_address_id", address);
    writer.key("parent");
    if (own.get("parent_id").is_null) {
        writer.value(Value());
    } else {
        writer.begin_object();
        writer.columns(parent, kNetworkInformation);
        writer.end_object();
    }
    writer.end_object();
}

void add_line(Writer& writer, Row& line, const Value& suspended) {
    writer.begin_object();
    writer.columns(line, kLine);
    writer.member("suspended", suspended);
    writer.member("marker",
                  psprintf("tbs:" INT64_FORMAT, DatumGetInt64(line.get("line_id").datum)));
    writer.end_object();
}

void add_line_usoc(Writer& writer, Row& line_usoc, Row& line) {
    writer.begin_object();
    writer.columns(line_usoc, kLineUsoc);
    const Value number = line_usoc.get("telephone_number");
    writer.member("telephone_number", number.is_null ? line.get("telephone_number") : number);
    writer.end_object();
}

// The document that templates look values up in.
Datum compose_context(FunctionCallInfo fcinfo) {
    const Value trigger_type = argument(fcinfo, 0, TEXTOID);
    const Value service = argument(fcinfo, 1, TEXTOID);
    const std::string_view resource_type = text_of(argument(fcinfo, 2, TEXTOID));
    const Value suspended = argument(fcinfo, 3, BOOLOID);
    Rows rows = {Row::argument(fcinfo, 4),  Row::argument(fcinfo, 5), Row::argument(fcinfo, 6),
                 Row::argument(fcinfo, 7),  Row::argument(fcinfo, 8), Row::argument(fcinfo, 9),
                 Row::argument(fcinfo, 10), Row::argument(fcinfo, 11)};
    const Value association = argument(fcinfo, 12, JSONBOID);
    const Value lists = argument(fcinfo, 13, JSONBOID);

    Writer writer;
    writer.begin_object();
    writer.key("event");
    writer.begin_object();
    writer.member("trigger_type", trigger_type);
    writer.member("service", service);
    writer.end_object();
    writer.key("customer");
    writer.begin_object();
    writer.columns(rows.customer, kCustomer);
    writer.end_object();
    writer.key("order");
    writer.begin_object();
    writer.columns(rows.order, kOrder);
    writer.end_object();
    writer.key("line");
    add_line(writer, rows.line, suspended);
    writer.key("usoc");
    writer.begin_object();
    writer.columns(rows.usoc, kUsoc);
    writer.member("service", service);
    writer.end_object();
    writer.key("line_usoc");
    add_line_usoc(writer, rows.line_usoc, rows.line);
    writer.key("network_information");
    add_network_information(writer, rows.network_information, rows.parent);
    writer.member("resource", rows.resource.get("context"));
    writer.key("layers");
    add_layers(writer, rows, association, resource_type, suspended);
    writer.contents(DatumGetJsonbP(lists.datum));
    writer.end_object();
    for (Row* row : {&rows.customer, &rows.order, &rows.usoc, &rows.line, &rows.line_usoc,
                     &rows.network_information, &rows.parent, &rows.resource})
        row->release();
    return writer.result();
}

}  // namespace

}  // namespace tbs::pg

extern "C" {

PG_FUNCTION_INFO_V1(tbs_customer_context);
PG_FUNCTION_INFO_V1(tbs_network_information_context);
PG_FUNCTION_INFO_V1(tbs_line_context);
PG_FUNCTION_INFO_V1(tbs_line_usoc_context);
PG_FUNCTION_INFO_V1(tbs_device_context);
PG_FUNCTION_INFO_V1(tbs_line_device_context);
PG_FUNCTION_INFO_V1(tbs_line_member_context);
PG_FUNCTION_INFO_V1(tbs_compose_context);

Datum tbs_customer_context(PG_FUNCTION_ARGS) {
    return tbs::pg::row_context(fcinfo, tbs::pg::kCustomer);
}

Datum tbs_network_information_context(PG_FUNCTION_ARGS) {
    return tbs::pg::row_context(fcinfo, tbs::pg::kNetworkInformation);
}

Datum tbs_line_context(PG_FUNCTION_ARGS) {
    return tbs::pg::row_context(fcinfo, tbs::pg::kLine);
}

Datum tbs_line_usoc_context(PG_FUNCTION_ARGS) {
    return tbs::pg::row_context(fcinfo, tbs::pg::kLineUsoc);
}

Datum tbs_device_context(PG_FUNCTION_ARGS) {
    return tbs::pg::row_context(fcinfo, tbs::pg::kDevice);
}

Datum tbs_line_device_context(PG_FUNCTION_ARGS) {
    return tbs::pg::row_context(fcinfo, tbs::pg::kLineDevice);
}

Datum tbs_line_member_context(PG_FUNCTION_ARGS) {
    return tbs::pg::row_context(fcinfo, tbs::pg::kLineMember);
}

Datum tbs_compose_context(PG_FUNCTION_ARGS) {
    return tbs::pg::compose_context(fcinfo);
}
}

#include "pg/jsonb.hpp"

#include <type_traits>

namespace tbs::pg {

namespace {

using core::JsonEvent;
using Kind = JsonEvent::Kind;

static_assert(std::is_trivially_copyable_v<JsonEvent>);  // it is kept in palloc'd memory

// A growing array in the current memory context.
struct EventArray {
    JsonEvent* items;
    std::size_t count;
    std::size_t capacity;

    void add(Kind kind, std::size_t size, std::string_view text) {
        if (count == capacity) {
            capacity *= 2;
            items = static_cast<JsonEvent*>(repalloc_huge(items, capacity * sizeof(JsonEvent)));
        }
        items[count++] = JsonEvent{kind, size, text};
    }
};

EventArray new_array() {
    constexpr std::size_t kInitial = 128;
    return {static_cast<JsonEvent*>(palloc(kInitial * sizeof(JsonEvent))), 0, kInitial};
}

void add_scalar(EventArray& events, const JsonbValue& value) {
    switch (value.type) {
        case jbvString:
            events.add(Kind::string, 0,
                       {value.val.string.val, static_cast<std::size_t>(value.val.string.len)});
            break;
        case jbvNumeric:
            events.add(Kind::number, 0,
                       DatumGetCString(
                           DirectFunctionCall1(numeric_out, NumericGetDatum(value.val.numeric))));
            break;
        case jbvBool:
            events.add(value.val.boolean ? Kind::boolean_true : Kind::boolean_false, 0, {});
            break;
        default:
            events.add(Kind::null, 0, {});
    }
}

JsonbValue scalar_of(const JsonEvent& event) {
    JsonbValue value;
    switch (event.kind) {
        case Kind::key:
        case Kind::string:
            value.type = jbvString;
            value.val.string.val = const_cast<char*>(event.text.data());
            value.val.string.len = static_cast<int>(event.text.size());
            break;
        case Kind::number:
            value.type = jbvNumeric;
            value.val.numeric = DatumGetNumeric(DirectFunctionCall3(
                numeric_in, CStringGetDatum(pnstrdup(event.text.data(), event.text.size())),
                ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
            break;
        case Kind::boolean_true:
        case Kind::boolean_false:
            value.type = jbvBool;
            value.val.boolean = event.kind == Kind::boolean_true;
            break;
        default:
            value.type = jbvNull;
    }
    return value;
}

}  // namespace

std::span<const JsonEvent> read_jsonb(Jsonb* document) {
    EventArray events = new_array();
    JsonbIterator* iterator = JsonbIteratorInit(&document->root);
    JsonbValue value;
    for (JsonbIteratorToken token = JsonbIteratorNext(&iterator, &value, false); token != WJB_DONE;
         token = JsonbIteratorNext(&iterator, &value, false)) {
        CHECK_FOR_INTERRUPTS();
        switch (token) {
            case WJB_KEY:
                events.add(Kind::key, 0,
                           {value.val.string.val, static_cast<std::size_t>(value.val.string.len)});
                break;
            case WJB_VALUE:
            case WJB_ELEM:
                add_scalar(events, value);
                break;
            case WJB_BEGIN_OBJECT:
                events.add(Kind::begin_object, static_cast<std::size_t>(value.val.object.nPairs),
                           {});
                break;
            case WJB_END_OBJECT:
                events.add(Kind::end_object, 0, {});
                break;
            case WJB_BEGIN_ARRAY:
                // A scalar on its own is stored as an array that says so.
                if (!value.val.array.rawScalar)
                    events.add(Kind::begin_array, static_cast<std::size_t>(value.val.array.nElems),
                               {});
                break;
            default:
                if (!JB_ROOT_IS_SCALAR(document)) events.add(Kind::end_array, 0, {});
        }
    }
    return {events.items, events.count};
}

Jsonb* write_jsonb(std::span<const JsonEvent> events) {
    JsonbParseState* state = nullptr;
    JsonbValue* result = nullptr;
    bool after_key = false;
    if (events.size() == 1) {
        JsonbValue scalar = scalar_of(events.front());
        return JsonbValueToJsonb(&scalar);
    }
    for (const JsonEvent& event : events) {
        CHECK_FOR_INTERRUPTS();
        switch (event.kind) {
            case Kind::begin_object:
                result = pushJsonbValue(&state, WJB_BEGIN_OBJECT, nullptr);
                break;
            case Kind::end_object:
                result = pushJsonbValue(&state, WJB_END_OBJECT, nullptr);
                break;
            case Kind::begin_array:
                result = pushJsonbValue(&state, WJB_BEGIN_ARRAY, nullptr);
                break;
            case Kind::end_array:
                result = pushJsonbValue(&state, WJB_END_ARRAY, nullptr);
                break;
            default: {
                JsonbValue value = scalar_of(event);
                const JsonbIteratorToken token = event.kind == Kind::key ? WJB_KEY
                                                 : after_key             ? WJB_VALUE
                                                                         : WJB_ELEM;
                result = pushJsonbValue(&state, token, &value);
            }
        }
        after_key = event.kind == Kind::key;
    }
    return JsonbValueToJsonb(result);
}

}  // namespace tbs::pg

#include "core/json_events.hpp"

#include <utility>

#include "core/error.hpp"

namespace tbs::core {

namespace {

using Kind = JsonEvent::Kind;

class Builder {
 public:
    explicit Builder(std::span<const JsonEvent> events) noexcept : events_(events) {}

    Json value(std::size_t depth) {
        const JsonEvent& event = next();
        switch (event.kind) {
            case Kind::begin_object:
                return object(event, depth + 1);
            case Kind::begin_array:
                return array(event, depth + 1);
            case Kind::string:
                return Json(std::string(event.text));
            case Kind::number:
                return exact_number(event.text);
            case Kind::boolean_true:
                return Json(true);
            case Kind::boolean_false:
                return Json(false);
            default:
                return Json(nullptr);
        }
    }

 private:
    Json object(const JsonEvent& begin, std::size_t depth) {
        check_depth(depth);
        Json result = Json::object();
        auto& members = result.get_ref<Json::object_t&>();
        members.reserve(begin.size);
        while (!at_end()) {
            std::string name(next().text);
            // A jsonb has no duplicate names, so there is nothing to look for.
            members.push_back({std::move(name), value(depth)});
        }
        ++position_;
        return result;
    }

    Json array(const JsonEvent& begin, std::size_t depth) {
        check_depth(depth);
        Json result = Json::array();
        auto& elements = result.get_ref<Json::array_t&>();
        elements.reserve(begin.size);
        while (!at_end()) elements.push_back(value(depth));
        ++position_;
        return result;
    }

    static void check_depth(std::size_t depth) {
        if (depth > kMaximumDepth)
            throw RenderError("the document is nested more than " + std::to_string(kMaximumDepth) +
                              " levels deep");
    }

    [[nodiscard]] bool at_end() const noexcept {
        return position_ >= events_.size() || events_[position_].kind == Kind::end_object ||
               events_[position_].kind == Kind::end_array;
    }

    const JsonEvent& next() noexcept {
        static constexpr JsonEvent kNothing{Kind::null, 0, {}};
        return position_ < events_.size() ? events_[position_++] : kNothing;
    }

    std::span<const JsonEvent> events_;
    std::size_t position_ = 0;
};

void append_events(JsonEventList& list, const Json& value) {
    if (const auto* members = value.get_ptr<const Json::object_t*>()) {
        list.add(Kind::begin_object);
        for (const auto& [name, member] : *members) {
            list.add(Kind::key, name);
            append_events(list, member);
        }
        list.add(Kind::end_object);
    } else if (const auto* elements = value.get_ptr<const Json::array_t*>()) {
        list.add(Kind::begin_array);
        for (const Json& element : *elements) append_events(list, element);
        list.add(Kind::end_array);
    } else if (const auto* text = value.get_ptr<const std::string*>()) {
        list.add(Kind::string, *text);
    } else if (value.is_boolean()) {
        list.add(value.get<bool>() ? Kind::boolean_true : Kind::boolean_false);
    } else if (value.is_number()) {
        list.add_own(Kind::number, value.dump());
    } else {
        list.add(Kind::null);
    }
}

}  // namespace

Json build_json(std::span<const JsonEvent> events) {
    return Builder(events).value(0);
}

JsonEventList to_events(const Json& value) {
    JsonEventList list;
    append_events(list, value);
    return list;
}

}  // namespace tbs::core

// A JSON document as a flat list of events: the neutral ground between a jsonb and the core. The
// shell reads and writes such a list with server calls only, the core with C++ only, so that
// neither kind of error meets the other.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.hpp"

namespace tbs::core {

// Plain data. `text` points into memory that somebody else keeps alive.
struct JsonEvent {
    enum class Kind : unsigned char {
        begin_object,
        end_object,
        begin_array,
        end_array,
        key,
        string,
        number,
        boolean_true,
        boolean_false,
        null
    };
    Kind kind;
    std::size_t size;       // members of the container that begins
    std::string_view text;  // of keys, strings and numbers
};

// A list that keeps the texts that were made for it. The rest of the texts belong to the source.
struct JsonEventList {
    std::vector<JsonEvent> events;
    std::deque<std::string> texts;

    void add(JsonEvent::Kind kind, std::string_view text = {}) {
        events.push_back({kind, 0, text});
    }
    void add_own(JsonEvent::Kind kind, std::string text) {
        add(kind, texts.emplace_back(std::move(text)));
    }
};

// Throws RenderError for a document that is too deep or has a number that would lose digits.
[[nodiscard]] Json build_json(std::span<const JsonEvent> events);

// The events of a value, whose strings they point to.
[[nodiscard]] JsonEventList to_events(const Json& value);

}  // namespace tbs::core

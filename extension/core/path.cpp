#include "core/path.hpp"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "core/text.hpp"

namespace tbs::core {

Path::Path(std::string_view dotted) : dotted_(dotted) {
    for (std::size_t begin = 0; begin <= dotted.size();) {
        const std::size_t end = std::min(dotted.find('.', begin), dotted.size());
        Segment segment{std::string(dotted.substr(begin, end - begin))};
        if (!segment.name.empty() &&
            std::all_of(segment.name.begin(), segment.name.end(), is_digit)) {
            const char* const last = segment.name.data() + segment.name.size();
            std::size_t index = 0;
            if (std::from_chars(segment.name.data(), last, index).ec == std::errc{})
                segment.index = index;
        }
        segments_.push_back(std::move(segment));
        begin = end + 1;
    }
}

bool Path::is_valid(std::string_view dotted) noexcept {
    bool empty_segment = true;
    for (const char c : dotted) {
        if (c == '.') {
            if (empty_segment) return false;
            empty_segment = true;
        } else if (is_alphanumeric(c) || c == '_' || c == '-') {
            empty_segment = false;
        } else {
            return false;
        }
    }
    return !empty_segment;
}

bool Path::has_segment(std::string_view name) const noexcept {
    return std::any_of(segments_.begin(), segments_.end(),
                       [&](const Segment& segment) { return segment.name == name; });
}

const Json* Path::find(const Json& document, std::size_t skipped) const {
    const Json* value = &document;
    for (std::size_t i = skipped; i < segments_.size() && value != nullptr; ++i) {
        const Segment& segment = segments_[i];
        if (value->is_array()) {
            value = segment.index < value->size() ? &(*value)[segment.index] : nullptr;
        } else {
            value = find_member(*value, segment.name);
        }
    }
    return value == nullptr || value->is_null() ? nullptr : value;
}

}  // namespace tbs::core

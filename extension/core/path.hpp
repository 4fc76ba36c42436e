// A dotted path into a JSON document: line.telephone_number, devices.0.mac.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.hpp"

namespace tbs::core {

class Path {
 public:
    // Splits at dots. Does not judge the segments: see is_valid().
    explicit Path(std::string_view dotted);

    // Segments of letters, digits, _ and -, none of them empty.
    [[nodiscard]] static bool is_valid(std::string_view dotted) noexcept;

    [[nodiscard]] const std::string& dotted() const noexcept { return dotted_; }
    [[nodiscard]] const std::string& root() const noexcept { return segments_.front().name; }
    [[nodiscard]] const std::string& name(std::size_t i) const noexcept {
        return segments_[i].name;
    }
    [[nodiscard]] std::size_t size() const noexcept { return segments_.size(); }
    [[nodiscard]] bool has_segment(std::string_view name) const noexcept;

    // What the path leads to, leaving out its first `skipped` segments; nullptr when it is missing
    // or null. An array is entered by a segment of digits.
    [[nodiscard]] const Json* find(const Json& document, std::size_t skipped = 0) const;

 private:
    static constexpr std::size_t kNoIndex = std::numeric_limits<std::size_t>::max();

    struct Segment {
        std::string name;
        std::size_t index = kNoIndex;
    };

    std::string dotted_;
    std::vector<Segment> segments_;
};

}  // namespace tbs::core

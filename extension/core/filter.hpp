// The filters of a reference: {line.telephone_number|digits|slice:0:3}.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/json.hpp"

namespace tbs::core {

class Filter {
 public:
    // "name" or "name:argument". Throws std::invalid_argument saying what is wrong.
    [[nodiscard]] static Filter parse(std::string_view specification);

    // The names of all filters, for a hint.
    [[nodiscard]] static std::string known();

    // No value stays no value, except with "default". Throws RenderError.
    [[nodiscard]] std::optional<Json> apply(std::optional<Json> value) const;

 private:
    enum class Kind : unsigned char {
        digits,
        e164,
        lower,
        upper,
        mac,
        date,
        yes_no,
        default_text,
        slice,
        json
    };
    struct Known {
        std::string_view name;
        Kind kind;
        bool has_argument;
    };
    static const Known kKnown[];

    Filter(Kind kind, std::string_view argument) : kind_(kind), argument_(argument) {}
    void parse_slice();
    [[nodiscard]] std::string apply_to_text(std::string text) const;

    Kind kind_;
    std::string argument_;
    std::size_t start_ = 0;   // of slice
    std::size_t length_ = 0;  // of slice
};

}  // namespace tbs::core

// Values that are looked up in layers (defaults, association, ... , line, device), the nearest
// winning.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/json.hpp"
#include "core/template.hpp"

namespace tbs::core {

struct LayeredValue {
    std::string_view name;
    const Json* value;       // null: "stop looking, do not send"
    std::string_view layer;  // the layer that won
};

// The result of a merge. Points into the context and the recipe it was made of, so it must not
// outlive them; it owns only what was rendered.
class LayeredValues {
 public:
    LayeredValues() = default;
    LayeredValues(LayeredValues&&) = default;
    LayeredValues& operator=(LayeredValues&&) = default;
    LayeredValues(const LayeredValues&) = delete;  // points into itself
    LayeredValues& operator=(const LayeredValues&) = delete;
    ~LayeredValues() = default;

    // A value that is sent; nullptr for an unknown name and for "do not send".
    [[nodiscard]] const Json* find(std::string_view name) const;

    // Every name with its winner, in the order in which the names first appeared.
    [[nodiscard]] const std::vector<LayeredValue>& all() const noexcept { return values_; }

    // All values that are sent, as one object. Built when it is first asked for.
    [[nodiscard]] const Json& sent() const;

 private:
    friend class LayerRecipe;
    void set(std::string_view name, const Json& value, std::string_view layer);

    std::vector<LayeredValue> values_;
    std::map<std::string_view, std::size_t> index_;
    std::deque<Json> rendered_;
    mutable std::optional<Json> sent_;
};

// The part of a recipe that says which layers count and which columns of each are values:
// {"values_from": LAYER, "business_values": {LAYER: {NAME: TEMPLATE}}}, both optional.
class LayerRecipe {
 public:
    // Throws TemplateError, or RenderError for a layer that does not exist.
    [[nodiscard]] static LayerRecipe parse(const Json& recipe);

    // Merges context.layers, which is ordered from the farthest to the nearest. Throws RenderError.
    [[nodiscard]] LayeredValues merge(const Json& context) const;

 private:
    using Business = std::vector<std::pair<std::string, std::variant<Json, Template>>>;

    // Whether a layer counts. What hangs on network information alone (a domain, a site) is shared
    // by lines with different USOCs, so what a USOC or its association says never reaches it.
    [[nodiscard]] bool counts(std::size_t rank) const noexcept;

    std::size_t last_ = 0;            // rank of the nearest layer that counts
    std::vector<Business> business_;  // by rank
};

}  // namespace tbs::core

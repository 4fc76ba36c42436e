#include "core/layered_values.hpp"

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "core/secret_marker.hpp"
#include "core/text.hpp"

namespace tbs::core {

namespace {

// From the farthest to the nearest.
constexpr std::array<std::string_view, 12> kLayers = {"type_default",
                                                      "resource_default",
                                                      "association",
                                                      "master_usoc",
                                                      "network_information_parent",
                                                      "network_information",
                                                      "customer",
                                                      "line",
                                                      "line_usoc",
                                                      "device",
                                                      "suspension",
                                                      "correction"};

std::size_t rank_of(std::string_view layer) {
    const auto* const found = std::find(kLayers.begin(), kLayers.end(), layer);
    if (found == kLayers.end()) throw RenderError("there is no layer " + in_quotes(layer));
    return static_cast<std::size_t>(found - kLayers.begin());
}

// The layers of a context from the farthest to the nearest, whatever their order in the document: a
// device's values are added to a context last, and are not the nearest.
std::vector<std::pair<std::size_t, const Json*>> in_order(const Json& layers) {
    std::vector<std::pair<std::size_t, const Json*>> result;
    for (const Json& layer : layers) {
        const Json* const layer_name = find_member(layer, "layer");
        const auto* const name =
            layer_name == nullptr ? nullptr : layer_name->get_ptr<const std::string*>();
        if (name == nullptr) throw RenderError("a layer of the context has no name", "values");
        result.emplace_back(at_member("values", [&] { return rank_of(*name); }), &layer);
    }
    std::stable_sort(result.begin(), result.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    return result;
}

const Json::object_t* members_of(const Json& value, std::string_view name) {
    const Json* const member = find_member(value, name);
    return member == nullptr ? nullptr : member->get_ptr<const Json::object_t*>();
}

}  // namespace

const Json* LayeredValues::find(std::string_view name) const {
    const auto found = index_.find(name);
    if (found == index_.end()) return nullptr;
    const Json* const value = values_[found->second].value;
    return value->is_null() ? nullptr : value;
}

const Json& LayeredValues::sent() const {
    if (!sent_) {
        sent_ = Json::object();
        for (const LayeredValue& value : values_)
            if (!value.value->is_null()) (*sent_)[std::string(value.name)] = *value.value;
    }
    return *sent_;
}

void LayeredValues::set(std::string_view name, const Json& value, std::string_view layer) {
    const auto [place, added] = index_.try_emplace(name, values_.size());
    if (added) {
        values_.push_back({name, &value, layer});
    } else {
        values_[place->second].value = &value;
        values_[place->second].layer = layer;
    }
}

LayerRecipe LayerRecipe::parse(const Json& recipe) {
    LayerRecipe result;
    result.business_.resize(kLayers.size());
    result.last_ = kLayers.size() - 1;
    if (const Json* const nearest = find_member(recipe, "values_from"))
        result.last_ = at_member("values_from", [&] { return rank_of(to_text(*nearest)); });

    const auto* const layers = members_of(recipe, "business_values");
    if (layers == nullptr) return result;
    for (const auto& [layer, values] : *layers) {
        Business& business = result.business_[at_member(
            "business_values", [&layer = layer] { return rank_of(layer); })];
        const auto* const members = values.get_ptr<const Json::object_t*>();
        if (members == nullptr) continue;
        for (const auto& [name, value] : *members) {
            if (const auto* text = value.get_ptr<const std::string*>()) {
                business.emplace_back(
                    name, at_member("values." + name, [&] { return Template::parse(*text); }));
            } else {
                business.emplace_back(name, value);
            }
        }
    }
    return result;
}

bool LayerRecipe::counts(std::size_t rank) const noexcept {
    const auto is_either = [](std::size_t value, std::string_view first, std::string_view last) {
        return kLayers[value] == first || kLayers[value] == last;
    };
    if (is_either(last_, "network_information_parent", "network_information") &&
        is_either(rank, "association", "master_usoc"))
        return false;
    // Said of a line: not for what lines share.
    if (is_either(rank, "suspension", "correction")) return last_ >= rank_of("line");
    return rank <= last_;
}

LayeredValues LayerRecipe::merge(const Json& context) const {
    LayeredValues result;
    const Json* const layers = find_member(context, "layers");
    if (layers == nullptr) return result;
    for (const auto& [rank, place] : in_order(*layers)) {
        const Json& layer = *place;
        if (!counts(rank)) continue;
        const std::string_view name = kLayers[rank];

        if (const Json* const columns = find_member(layer, "columns")) {
            Scope scope;
            scope.context = columns;
            for (const auto& [value_name, source] : business_[rank]) {
                if (const auto* constant = std::get_if<Json>(&source)) {
                    result.set(value_name, *constant, name);
                    continue;
                }
                std::optional<Json> value =
                    at_member("values." + value_name, [&, &source = source] {
                        return std::get<Template>(source).render_if_any(scope);
                    });
                if (!value) continue;
                result.rendered_.push_back(std::move(*value));
                result.set(value_name, result.rendered_.back(), name);
            }
        }
        if (const auto* const parameters = members_of(layer, "parameters"))
            for (const auto& [value_name, value] : *parameters) result.set(value_name, value, name);
    }
    return result;
}

}  // namespace tbs::core

// Where a reference looks: the context, and the few names that shadow its members.
#pragma once

#include "core/json.hpp"
#include "core/path.hpp"

namespace tbs::core {

class LayeredValues;

// Points at values that the caller keeps alive. A pointer that is null adds nothing.
struct Scope {
    const Json* context = nullptr;
    const Json* object = nullptr;           // {object...}: the rendered identity
    const Json* item = nullptr;             // {item...}: the element a step runs for
    const LayeredValues* values = nullptr;  // {values...}: the merged layers
    bool has_secrets = false;               // {secret.NAME} may be used here

    // nullptr when there is no value (missing or null).
    [[nodiscard]] const Json* find(const Path& path) const;
};

}  // namespace tbs::core

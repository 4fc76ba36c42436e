#include "core/scope.hpp"

#include "core/layered_values.hpp"

namespace tbs::core {

const Json* Scope::find(const Path& path) const {
    if (object != nullptr && path.root() == "object") return path.find(*object, 1);
    if (item != nullptr && path.root() == "item") return path.find(*item, 1);
    if (values != nullptr && path.root() == "values") {
        if (path.size() == 1) return &values->sent();
        const Json* const value = values->find(path.name(1));
        return value == nullptr ? nullptr : path.find(*value, 2);
    }
    return context == nullptr ? nullptr : path.find(*context);
}

}  // namespace tbs::core

// Shared by the tests of the core.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/json_events.hpp"

namespace tbs::core::testing {

inline Json json(const std::string& text) {
    return Json::parse(text);
}

// "member: message" of the render error that `f` throws, "" when it throws none.
inline std::string problem_of(const std::function<void()>& f) {
    try {
        f();
    } catch (const RenderError& error) {
        return error.member() + ": " + error.what();
    }
    return {};
}

// The detail of the template error that `f` throws, "" when it throws none.
inline std::string detail_of(const std::function<void()>& f) {
    try {
        f();
    } catch (const TemplateError& error) {
        return error.detail();
    }
    return {};
}

template <typename T>
std::vector<std::string> references_of(const T& source) {
    std::vector<std::string> references;
    source.collect_references(references);
    return references;
}

}  // namespace tbs::core::testing

// The two kinds of failure of the core. Both are thrown; neither depends on the server.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include "core/text.hpp"

namespace tbs::core {

// A template or recipe that is wrong whatever the data: an administrator has to change it.
class TemplateError final : public std::invalid_argument {
 public:
    // `problem` goes into the middle of a sentence: "unbalanced brace at offset 12". `member` is
    // the place in the document that the template stands in, empty for a template on its own.
    TemplateError(const std::string& message, std::string problem, std::string hint,
                  std::string member = {})
        : std::invalid_argument(message),
          problem_(std::move(problem)),
          hint_(std::move(hint)),
          member_(std::move(member)),
          detail_(problem_ + (member_.empty() ? "" : " in member " + printable(member_)) + '.') {
        detail_.front() = to_upper(detail_.front());
    }
    [[nodiscard]] const std::string& problem() const noexcept { return problem_; }
    [[nodiscard]] const std::string& hint() const noexcept { return hint_; }
    [[nodiscard]] const std::string& member() const noexcept { return member_; }
    [[nodiscard]] const std::string& detail() const noexcept { return detail_; }  // a sentence

 private:
    std::string problem_;
    std::string hint_;
    std::string member_;
    std::string detail_;
};

// The template is fine, but this data cannot be rendered with it. `member` names the place in what
// was to be made: the dotted path of a body member, or "path", "key", "header X" and the like.
class RenderError final : public std::runtime_error {
 public:
    explicit RenderError(const std::string& message, std::string member = {})
        : std::runtime_error(message), member_(std::move(member)) {}
    [[nodiscard]] const std::string& member() const noexcept { return member_; }

 private:
    std::string member_;
};

// What a caller that reports errors as values keeps of either.
struct Problem {
    std::string message;
    std::string member;
};

// Runs `f`; an error that does not know its member yet gets `member`. A malformed template becomes
// a render error here, because to the activity that uses it both mean "cannot be sent".
template <typename F>
auto at_member(const std::string& member, F&& f) -> decltype(f()) {
    try {
        return f();
    } catch (const TemplateError& error) {
        throw RenderError(std::string(error.what()) + ": " + error.problem(),
                          error.member().empty() ? member : error.member());
    } catch (const RenderError& error) {
        if (!error.member().empty()) throw;
        throw RenderError(error.what(), member);
    }
}

}  // namespace tbs::core

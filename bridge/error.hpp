// The one exception type of the bridge: something that stops it, or stops a command line from being
// used. What is expected while running (a lost connection, a failed call) is a value, not this.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace tbs::bridge {

class BridgeError : public std::runtime_error {
 public:
    explicit BridgeError(const std::string& message, std::string hint = {})
        : std::runtime_error{message}, hint_{std::move(hint)} {}

    [[nodiscard]] const std::string& hint() const { return hint_; }

 private:
    std::string hint_;
};

}  // namespace tbs::bridge

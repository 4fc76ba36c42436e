// Statement parameters in PostgreSQL's binary format: answers go as they are, without escaping.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/clock.hpp"

namespace tbs::bridge {

class PgParameters {
 public:
    PgParameters& int32(std::int32_t value);
    PgParameters& int64(std::int64_t value);
    PgParameters& text(std::string_view value);
    PgParameters& json(std::string_view value);  // jsonb

    PgParameters& int64_array(std::span<const std::int64_t> values);
    // Arrays whose elements are taken one by one, so that no second copy of them is made.
    PgParameters& int64_array(std::size_t count,
                              const std::function<std::int64_t(std::size_t)>& at);
    PgParameters& int32_array(std::size_t count,
                              const std::function<std::int32_t(std::size_t)>& at);
    PgParameters& bytes_array(std::size_t count,
                              const std::function<std::string_view(std::size_t)>& at);
    PgParameters& time_array(std::size_t count, const std::function<WallTime(std::size_t)>& at);

    [[nodiscard]] int count() const { return static_cast<int>(values_.size()); }
    [[nodiscard]] const std::vector<std::uint32_t>& types() const { return types_; }
    [[nodiscard]] const std::string& value(std::size_t index) const { return values_[index]; }
    [[nodiscard]] std::vector<const char*> pointers() const;
    [[nodiscard]] std::vector<int> lengths() const;

 private:
    std::string& add(std::uint32_t type);

    std::vector<std::uint32_t> types_;
    std::vector<std::string> values_;
};

}  // namespace tbs::bridge

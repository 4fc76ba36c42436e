#include "bridge/pg_parameters.hpp"

#include <cstddef>
#include <utility>

namespace tbs::bridge {

namespace {

// Type numbers that are fixed for good in PostgreSQL's catalogue.
constexpr std::uint32_t kBytea = 17;
constexpr std::uint32_t kInt8 = 20;
constexpr std::uint32_t kInt4 = 23;
constexpr std::uint32_t kText = 25;
constexpr std::uint32_t kByteaArray = 1001;
constexpr std::uint32_t kInt4Array = 1007;
constexpr std::uint32_t kInt8Array = 1016;
constexpr std::uint32_t kTimestamptz = 1184;
constexpr std::uint32_t kTimestamptzArray = 1185;
constexpr std::uint32_t kJsonb = 3802;

// 1970-01-01 to 2000-01-01, where PostgreSQL's time starts.
constexpr std::int64_t kEpochMicroseconds = std::int64_t{946'684'800} * 1'000'000;

template <typename Number>
void append_number(std::string& out, Number number) {
    using Bits = std::make_unsigned_t<Number>;
    const auto bits = static_cast<Bits>(number);
    for (std::size_t shift = sizeof(Bits) * 8; shift > 0; shift -= 8) {
        out += static_cast<char>(static_cast<unsigned char>((bits >> (shift - 8)) & 0xffU));
    }
}

void append_array_header(std::string& out, std::uint32_t element, std::size_t count) {
    append_number<std::int32_t>(out, count == 0 ? 0 : 1);  // dimensions
    append_number<std::int32_t>(out, 0);                   // no nulls
    append_number<std::uint32_t>(out, element);
    if (count == 0) return;
    append_number<std::int32_t>(out, static_cast<std::int32_t>(count));
    append_number<std::int32_t>(out, 1);  // lower bound
}

}  // namespace

std::string& PgParameters::add(std::uint32_t type) {
    types_.push_back(type);
    return values_.emplace_back();
}

PgParameters& PgParameters::int32(std::int32_t value) {
    append_number(add(kInt4), value);
    return *this;
}

PgParameters& PgParameters::int64(std::int64_t value) {
    append_number(add(kInt8), value);
    return *this;
}

PgParameters& PgParameters::text(std::string_view value) {
    add(kText) = value;
    return *this;
}

PgParameters& PgParameters::json(std::string_view value) {
    std::string& out = add(kJsonb);
    out.reserve(value.size() + 1);
    out += '\x01';  // version of jsonb's binary form
    out += value;
    return *this;
}

PgParameters& PgParameters::int64_array(std::span<const std::int64_t> values) {
    return int64_array(values.size(), [values](std::size_t index) { return values[index]; });
}

PgParameters& PgParameters::int64_array(std::size_t count,
                                        const std::function<std::int64_t(std::size_t)>& at) {
    std::string& out = add(kInt8Array);
    out.reserve(20 + count * 12);
    append_array_header(out, kInt8, count);
    for (std::size_t i = 0; i < count; ++i) {
        append_number<std::int32_t>(out, 8);
        append_number<std::int64_t>(out, at(i));
    }
    return *this;
}

PgParameters& PgParameters::int32_array(std::size_t count,
                                        const std::function<std::int32_t(std::size_t)>& at) {
    std::string& out = add(kInt4Array);
    out.reserve(20 + count * 8);
    append_array_header(out, kInt4, count);
    for (std::size_t i = 0; i < count; ++i) {
        append_number<std::int32_t>(out, 4);
        append_number<std::int32_t>(out, at(i));
    }
    return *this;
}

PgParameters& PgParameters::bytes_array(std::size_t count,
                                        const std::function<std::string_view(std::size_t)>& at) {
    std::string& out = add(kByteaArray);
    std::size_t size = 20;
    for (std::size_t i = 0; i < count; ++i) size += 4 + at(i).size();
    out.reserve(size);
    append_array_header(out, kBytea, count);
    for (std::size_t i = 0; i < count; ++i) {
        const std::string_view bytes = at(i);
        append_number<std::int32_t>(out, static_cast<std::int32_t>(bytes.size()));
        out += bytes;
    }
    return *this;
}

PgParameters& PgParameters::time_array(std::size_t count,
                                       const std::function<WallTime(std::size_t)>& at) {
    std::string& out = add(kTimestamptzArray);
    out.reserve(20 + count * 12);
    append_array_header(out, kTimestamptz, count);
    for (std::size_t i = 0; i < count; ++i) {
        append_number<std::int32_t>(out, 8);
        append_number<std::int64_t>(out, at(i).time_since_epoch().count() - kEpochMicroseconds);
    }
    return *this;
}

std::vector<const char*> PgParameters::pointers() const {
    std::vector<const char*> pointers;
    pointers.reserve(values_.size());
    for (const std::string& value : values_) pointers.push_back(value.data());
    return pointers;
}

std::vector<int> PgParameters::lengths() const {
    std::vector<int> lengths;
    lengths.reserve(values_.size());
    for (const std::string& value : values_) lengths.push_back(static_cast<int>(value.size()));
    return lengths;
}

}  // namespace tbs::bridge

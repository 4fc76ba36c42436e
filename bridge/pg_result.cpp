#include "bridge/pg_result.hpp"

#include <charconv>

namespace tbs::bridge {

PgResult::PgResult(PGresult* result) {
    if (result != nullptr) result_.reset(result, &PQclear);
}

std::string_view PgResult::text(int row, int column) const {
    return {PQgetvalue(result_.get(), row, column),
            static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t PgResult::int64(int row, int column) const {
    const std::string_view value = text(row, column);
    std::int64_t number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    return number;
}

std::int32_t PgResult::int32(int row, int column) const {
    return static_cast<std::int32_t>(int64(row, column));
}

std::vector<std::int64_t> PgResult::int64_array(int row, int column) const {
    std::vector<std::int64_t> numbers;
    const std::string_view value = text(row, column);  // {1,2,3}
    const char* at = value.data();
    const char* const end = at + value.size();
    while (at < end) {
        std::int64_t number = 0;
        const auto [stopped, error] = std::from_chars(at, end, number);
        if (error == std::errc{}) {
            numbers.push_back(number);
            at = stopped;
        } else {
            ++at;
        }
    }
    return numbers;
}

PgError PgResult::error() const {
    const auto field = [this](int code) {
        const char* const value = PQresultErrorField(result_.get(), code);
        return std::string{value == nullptr ? "" : value};
    };
    PgError error;
    error.sqlstate = field(PG_DIAG_SQLSTATE);
    error.message = field(PG_DIAG_MESSAGE_PRIMARY);
    error.detail = field(PG_DIAG_MESSAGE_DETAIL);
    error.hint = field(PG_DIAG_MESSAGE_HINT);
    if (error.message.empty()) error.message = PQresultErrorMessage(result_.get());
    return error;
}

}  // namespace tbs::bridge

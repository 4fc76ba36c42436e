// A result of the database: shared, because what it holds (bodies above all) is used in place.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tbs::bridge {

// An error of a statement, or the loss of the connection (empty sqlstate).
struct PgError {
    std::string sqlstate;
    std::string message;
    std::string detail;
    std::string hint;
    bool connection_lost = false;
};

class PgResult {
 public:
    PgResult() = default;
    // Takes ownership; null is allowed.
    explicit PgResult(PGresult* result);

    [[nodiscard]] int rows() const { return result_ ? PQntuples(result_.get()) : 0; }
    [[nodiscard]] bool is_null(int row, int column) const {
        return PQgetisnull(result_.get(), row, column) != 0;
    }
    // Lives as long as this result or a copy of it. Empty for NULL.
    [[nodiscard]] std::string_view text(int row, int column) const;
    // 0 for NULL.
    [[nodiscard]] std::int64_t int64(int row, int column) const;
    [[nodiscard]] std::int32_t int32(int row, int column) const;
    [[nodiscard]] bool boolean(int row, int column) const { return text(row, column) == "t"; }
    [[nodiscard]] std::vector<std::int64_t> int64_array(int row, int column) const;

    [[nodiscard]] bool empty() const { return result_ == nullptr; }
    [[nodiscard]] ExecStatusType status() const { return PQresultStatus(result_.get()); }
    [[nodiscard]] PgError error() const;

 private:
    std::shared_ptr<PGresult> result_;
};

}  // namespace tbs::bridge

// The access token of one resource: when to fetch it, with which grant, and what waits for it.
// Pure.
//
// Single flight: there is at most one fetch at a time. A token is refreshed 60 s before it expires
// (at half its life when it lives shorter than two minutes); until it really expires it stays in
// use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bridge/clock.hpp"

namespace tbs::bridge {

enum class Grant { full, refresh };

// Why there is no token, in the shape of the answer that waiting calls are reported with.
struct TokenFailure {
    int curl_result = 0;
    int http_status = 0;
    std::string answer;
};

struct FetchedToken {
    std::string access_token;
    std::optional<std::chrono::seconds> expires_in;  // none: valid until it is refused
    std::string refresh_token;                       // empty: none
};

class TokenKeeper {
 public:
    enum class State { usable, waiting, failed };

    // `usable`: token() may be sent now.
    [[nodiscard]] State state(TimePoint now) const;
    // The fetch that has to be started now, if any.
    [[nodiscard]] std::optional<Grant> wanted(TimePoint now) const;

    void fetch_started(Grant grant, TimePoint now);
    void fetched(FetchedToken token);
    // `refused`: the server answered, and gave no token. A refused refresh is followed by a full
    // grant.
    void fetch_failed(TokenFailure failure, bool refused, TimePoint now);
    // A call with the token of this number was answered with 401.
    void refused(std::uint64_t number);
    void forget();

    [[nodiscard]] const std::string& token() const { return token_; }
    [[nodiscard]] const std::string& refresh_token() const { return refresh_token_; }
    [[nodiscard]] std::uint64_t number() const { return number_; }
    [[nodiscard]] const TokenFailure& failure() const { return failure_; }
    [[nodiscard]] bool fetching() const { return fetching_.has_value(); }

 private:
    std::string token_;
    std::string refresh_token_;
    std::uint64_t number_ = 0;
    TimePoint expires_at_{};
    TimePoint refresh_at_ = TimePoint::max();
    std::optional<Grant> fetching_;
    TimePoint fetch_started_{};
    bool failed_ = false;
    TokenFailure failure_;
    TimePoint retry_at_{};
};

}  // namespace tbs::bridge

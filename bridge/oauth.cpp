#include "bridge/oauth.hpp"

#include <algorithm>
#include <utility>

namespace tbs::bridge {

namespace {

constexpr Duration kRefreshAhead = std::chrono::seconds{60};
// Calls that come within this time after a failed fetch share its failure.
constexpr Duration kFailurePause = std::chrono::seconds{1};
// Shorter, and a token could be over before it is used, again and again.
constexpr std::chrono::seconds kShortestLife{5};
// While the old token still works, a failed refresh is not urgent.
constexpr Duration kEarlyFailurePause = std::chrono::seconds{5};

}  // namespace

TokenKeeper::State TokenKeeper::state(TimePoint now) const {
    if (!token_.empty() && now < expires_at_) return State::usable;
    if (!fetching_ && failed_ && now < retry_at_) return State::failed;
    return State::waiting;
}

std::optional<Grant> TokenKeeper::wanted(TimePoint now) const {
    if (fetching_ || now < retry_at_) return std::nullopt;
    if (!token_.empty() && now < refresh_at_) return std::nullopt;
    return refresh_token_.empty() ? Grant::full : Grant::refresh;
}

void TokenKeeper::fetch_started(Grant grant, TimePoint now) {
    fetching_ = grant;
    fetch_started_ = now;
}

void TokenKeeper::fetched(FetchedToken token) {
    const bool by_refresh = fetching_ == Grant::refresh;
    fetching_.reset();
    failed_ = false;
    retry_at_ = {};
    ++number_;
    token_ = std::move(token.access_token);
    // RFC 6749 section 6: an answer to a refresh without a refresh token leaves the old one valid.
    if (!token.refresh_token.empty() || !by_refresh) {
        refresh_token_ = std::move(token.refresh_token);
    }
    expires_at_ = TimePoint::max();
    refresh_at_ = TimePoint::max();
    if (token.expires_in) {
        // Bounded, so that no number a server may send overflows; counted from the request.
        const Duration life = std::clamp<std::chrono::seconds>(*token.expires_in, kShortestLife,
                                                               std::chrono::hours{24 * 365});
        expires_at_ = fetch_started_ + life;
        refresh_at_ = fetch_started_ + std::max<Duration>(life - kRefreshAhead, life / 2);
    }
}

void TokenKeeper::fetch_failed(TokenFailure failure, bool refused, TimePoint now) {
    const bool by_refresh = fetching_ == Grant::refresh;
    fetching_.reset();
    if (by_refresh && refused) {
        refresh_token_.clear();
        retry_at_ = {};
        return;
    }
    failed_ = true;
    failure_ = std::move(failure);
    const bool usable = !token_.empty() && now < expires_at_;
    retry_at_ = now + (usable ? kEarlyFailurePause : kFailurePause);
}

void TokenKeeper::refused(std::uint64_t number) {
    if (number != number_ || token_.empty()) return;  // there is a newer one already
    token_.clear();
    // A failed early refresh must not keep the calls from trying once more now.
    failed_ = false;
    retry_at_ = {};
}

void TokenKeeper::forget() {
    const std::uint64_t number = number_;
    *this = TokenKeeper{};
    number_ = number;
}

}  // namespace tbs::bridge

#include "bridge/report_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tbs::bridge {

namespace {

// Short statements: a beat never waits long behind a report.
constexpr std::size_t kBatchResults = 500;
constexpr std::size_t kBatchBytes = std::size_t{4} << 20U;
constexpr unsigned kFailuresOfOne = 5;
constexpr Duration kAgainPause = std::chrono::milliseconds{100};
constexpr Duration kFirstPause = std::chrono::milliseconds{50};
constexpr Duration kLastPause = std::chrono::seconds{5};

}  // namespace

void ReportQueue::add(CallResult result) {
    waiting_.push_back(std::move(result));
}

bool ReportQueue::ready(TimePoint now) const {
    return !under_way_ && !empty() && now >= not_before_;
}

std::span<const CallResult> ReportQueue::start_batch() {
    const std::size_t limit = limit_ == 0 ? kBatchResults : limit_;
    std::size_t bytes = 0;
    for (const CallResult& result : batch_) bytes += result.answer.size();
    while (!waiting_.empty() && batch_.size() < limit) {
        bytes += waiting_.front().answer.size();
        if (!batch_.empty() && bytes > kBatchBytes) break;
        batch_.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
    }
    under_way_ = true;
    return batch_;
}

void ReportQueue::confirmed(std::span<const std::int64_t> again, TimePoint now) {
    for (CallResult& result : batch_) {
        if (std::find(again.begin(), again.end(), result.activity_id) == again.end()) continue;
        waiting_.push_back(std::move(result));
        not_before_ = now + kAgainPause;
    }
    batch_.clear();
    under_way_ = false;
    failures_ = 0;
    // Back to the usual size step by step: the result that was refused may be the next one.
    if (limit_ != 0) {
        limit_ *= 2;
        if (limit_ >= kBatchResults) limit_ = 0;
    }
}

void ReportQueue::interrupted() {
    under_way_ = false;
}

std::vector<CallResult> ReportQueue::refused(TimePoint now) {
    under_way_ = false;
    std::vector<CallResult> given_up;
    const unsigned shift = std::min(failures_, 7U);
    not_before_ = now + std::min<Duration>(kFirstPause * (1U << shift), kLastPause);
    ++failures_;
    if (batch_.size() <= 1) {
        if (failures_ >= kFailuresOfOne) {
            given_up.swap(batch_);
            failures_ = 0;
        }
        return given_up;
    }
    limit_ = batch_.size() / 2;
    failures_ = 0;
    const auto keep = static_cast<std::ptrdiff_t>(limit_);
    waiting_.insert(waiting_.begin(), std::make_move_iterator(batch_.begin() + keep),
                    std::make_move_iterator(batch_.end()));
    batch_.erase(batch_.begin() + keep, batch_.end());
    return given_up;
}

void ReportQueue::carry_over() {
    under_way_ = false;
    waiting_.insert(waiting_.begin(), std::make_move_iterator(batch_.begin()),
                    std::make_move_iterator(batch_.end()));
    batch_.clear();
    const auto stale = [](const CallResult& result) {
        // Offered before, or nothing to tell: the database has taken it back already.
        return result.carried_over || result.curl_result == kNotSent;
    };
    waiting_.erase(std::remove_if(waiting_.begin(), waiting_.end(), stale), waiting_.end());
    for (CallResult& result : waiting_) result.carried_over = true;
}

void ReportQueue::append_held(std::vector<std::int64_t>& ids) const {
    for (const CallResult& result : batch_) ids.push_back(result.activity_id);
    for (const CallResult& result : waiting_) ids.push_back(result.activity_id);
}

}  // namespace tbs::bridge

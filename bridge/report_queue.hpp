// Answers on their way to the database. One batch is under way at a time; it is kept until the
// database has confirmed it, and repeated when that is not known (a report is idempotent). Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "bridge/clock.hpp"

namespace tbs::bridge {

// Not a code of libcurl: the call was claimed, and nothing of it was sent.
inline constexpr int kNotSent = -1;

struct CallResult {
    std::int64_t activity_id = 0;
    std::int32_t call_number = 0;
    std::int32_t curl_result = 0;
    std::int32_t http_status = 0;
    std::string headers;  // a JSON object
    std::string answer;
    WallTime started_at{};
    std::int64_t elapsed_microseconds = 0;
    bool carried_over = false;  // made under a registration that is gone
};

class ReportQueue {
 public:
    void add(CallResult result);

    [[nodiscard]] bool empty() const { return waiting_.empty() && batch_.empty(); }
    [[nodiscard]] std::size_t size() const { return waiting_.size() + batch_.size(); }
    // Something to send, and nothing under way?
    [[nodiscard]] bool ready(TimePoint now) const;
    [[nodiscard]] bool under_way() const { return under_way_; }
    [[nodiscard]] TimePoint not_before() const { return not_before_; }

    // The next batch; stays valid until one of the calls below.
    [[nodiscard]] std::span<const CallResult> start_batch();
    // The batch is recorded, but for these activities, whose line somebody else has: they go once
    // more, behind the others and a little later.
    void confirmed(std::span<const std::int64_t> again = {}, TimePoint now = {});
    // The connection is gone, or the registration: repeat as it is.
    void interrupted();
    // The database refused the statement: repeat later in smaller batches. A single result that
    // goes on being refused is given up, and given back for the log.
    [[nodiscard]] std::vector<CallResult> refused(TimePoint now);
    // The registration is gone: what was answered is offered once more under the next one.
    void carry_over();

    void append_held(std::vector<std::int64_t>& ids) const;

 private:
    std::deque<CallResult> waiting_;
    std::vector<CallResult> batch_;
    bool under_way_ = false;
    std::size_t limit_ = 0;  // 0: the usual one
    unsigned failures_ = 0;
    TimePoint not_before_{};
};

}  // namespace tbs::bridge

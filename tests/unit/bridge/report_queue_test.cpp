#include "bridge/report_queue.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace tbs::bridge {
namespace {

using namespace std::chrono_literals;

CallResult result(std::int64_t activity, std::size_t bytes = 0, int curl_result = 0) {
    CallResult result;
    result.activity_id = activity;
    result.curl_result = curl_result;
    result.answer.assign(bytes, 'x');
    return result;
}

class ReportQueueTest : public ::testing::Test {
 protected:
    void add(std::int64_t first, std::int64_t last) {
        for (std::int64_t id = first; id <= last; ++id) queue_.add(result(id));
    }
    [[nodiscard]] std::vector<std::int64_t> held() const {
        std::vector<std::int64_t> ids;
        queue_.append_held(ids);
        std::sort(ids.begin(), ids.end());
        return ids;
    }

    TimePoint now_{1h};
    ReportQueue queue_;
};

TEST_F(ReportQueueTest, SendsEverythingThatCameIn) {
    EXPECT_FALSE(queue_.ready(now_));
    add(1, 3);
    ASSERT_TRUE(queue_.ready(now_));
    EXPECT_EQ(queue_.start_batch().size(), 3U);
    add(4, 5);
    EXPECT_FALSE(queue_.ready(now_));  // one at a time
    EXPECT_EQ(queue_.size(), 5U);
    queue_.confirmed();
    EXPECT_EQ(queue_.start_batch().size(), 2U);
    queue_.confirmed();
    EXPECT_TRUE(queue_.empty());
}

TEST_F(ReportQueueTest, BatchesAreBoundedInNumberAndBytes) {
    add(1, 1200);
    EXPECT_EQ(queue_.start_batch().size(), 500U);
    queue_.confirmed();
    EXPECT_EQ(queue_.start_batch().size(), 500U);
    queue_.confirmed();
    EXPECT_EQ(queue_.start_batch().size(), 200U);
    queue_.confirmed();
    for (int i = 0; i < 4; ++i) queue_.add(result(i, std::size_t{3} << 20U));
    EXPECT_EQ(queue_.start_batch().size(), 1U);
}

TEST_F(ReportQueueTest, WhatCouldNotBeTakenGoesOnceMoreBehindTheOthers) {
    add(1, 3);
    EXPECT_EQ(queue_.start_batch().size(), 3U);
    add(4, 4);
    queue_.confirmed(std::vector<std::int64_t>{2}, now_);
    EXPECT_EQ(held(), (std::vector<std::int64_t>{2, 4}));
    EXPECT_FALSE(queue_.ready(now_));
    EXPECT_GT(queue_.not_before(), now_);
    now_ = queue_.not_before();
    ASSERT_TRUE(queue_.ready(now_));
    const auto batch = queue_.start_batch();
    ASSERT_EQ(batch.size(), 2U);
    EXPECT_EQ(batch[1].activity_id, 2);
    queue_.confirmed();
    EXPECT_TRUE(queue_.empty());
}

TEST_F(ReportQueueTest, AnInterruptedBatchIsRepeatedFirst) {
    add(1, 2);
    static_cast<void>(queue_.start_batch());
    add(3, 3);
    queue_.interrupted();
    EXPECT_EQ(held(), (std::vector<std::int64_t>{1, 2, 3}));
    const auto batch = queue_.start_batch();
    ASSERT_EQ(batch.size(), 3U);
    EXPECT_EQ(batch[0].activity_id, 1);
}

TEST_F(ReportQueueTest, ARefusedBatchIsHalvedUntilTheBadOneStandsAlone) {
    add(1, 8);
    const std::int64_t bad = 6;
    std::vector<std::int64_t> confirmed;
    std::vector<CallResult> given_up;
    for (int rounds = 0; rounds < 100 && !queue_.empty(); ++rounds) {
        now_ = std::max(now_, queue_.not_before());
        ASSERT_TRUE(queue_.ready(now_));
        const auto batch = queue_.start_batch();
        const bool holds_bad = std::any_of(
            batch.begin(), batch.end(), [&](const CallResult& r) { return r.activity_id == bad; });
        if (holds_bad) {
            for (CallResult& one : queue_.refused(now_)) given_up.push_back(std::move(one));
            EXPECT_TRUE(queue_.empty() || !queue_.ready(now_));
        } else {
            for (const CallResult& one : batch) confirmed.push_back(one.activity_id);
            queue_.confirmed();
        }
    }
    EXPECT_TRUE(queue_.empty());
    ASSERT_EQ(given_up.size(), 1U);
    EXPECT_EQ(given_up[0].activity_id, bad);
    EXPECT_EQ(confirmed, (std::vector<std::int64_t>{1, 2, 3, 4, 5, 7, 8}));
}

TEST_F(ReportQueueTest, WhatWasAnsweredIsOfferedOnceUnderTheNextRegistration) {
    add(1, 2);
    queue_.add(result(3, 0, kNotSent));
    static_cast<void>(queue_.start_batch());
    queue_.carry_over();
    EXPECT_EQ(held(), (std::vector<std::int64_t>{1, 2}));
    add(4, 4);
    static_cast<void>(queue_.start_batch());
    queue_.carry_over();
    EXPECT_EQ(held(), (std::vector<std::int64_t>{4}));
}

}  // namespace
}  // namespace tbs::bridge

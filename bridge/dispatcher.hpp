// The calls in hand, from claim to answer: queues them by resource, puts credentials and secrets
// in, hands them to libcurl within each resource's number of connections, and turns answers into
// results.
//
// Single-threaded. Nothing is handed over while the gate says no; what waits then goes on waiting.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "bridge/database.hpp"
#include "bridge/http_client.hpp"
#include "bridge/oauth.hpp"
#include "bridge/report_queue.hpp"
#include "bridge/resource.hpp"

namespace tbs::bridge {

class Dispatcher final : public HttpObserver {
 public:
    Dispatcher(const Clock& clock, HttpClient& http, const SendGate& gate, ReportQueue& reports);

    // Takes the resources over; calls that wait for one that is gone are given back.
    void configure(std::vector<ResourceConfiguration> resources);
    void accept(std::vector<ClaimedCall> calls);
    // Hands over what may be sent now.
    void pump();

    // Calls whose resource is not in the configuration wait for the next one.
    [[nodiscard]] bool configuration_wanted() const { return !homeless_.empty(); }

    // The database no longer holds these for this bridge: what was not sent is dropped, what is
    // under way is aborted and reported as a call that was made without an answer.
    void drop(std::span<const std::int64_t> activity_ids);
    void drop_all();
    // Stopping: what was not sent goes back.
    void give_back_waiting();
    void abort_in_flight();

    [[nodiscard]] std::size_t size() const { return calls_.size(); }
    [[nodiscard]] std::size_t in_flight() const { return http_.in_flight(); }
    [[nodiscard]] std::uint64_t answered() const { return answered_; }
    void append_held(std::vector<std::int64_t>& ids) const;

    void on_answer(std::uint64_t ticket, HttpAnswer answer) override;

 private:
    struct Call {
        ClaimedCall claimed;
        bool prepared = false;
        std::vector<std::string> headers;
        std::optional<std::string> body;  // with secrets put in; otherwise the claimed one is used
        std::uint64_t ticket = 0;         // 0: waiting
        // When it was first handed over to be sent, by both clocks: one to tell, one to measure.
        WallTime started_at{};
        TimePoint handed_over{};
        std::uint64_t token_number = 0;
        // The answer before the one repeat that 401 leads to.
        std::optional<HttpAnswer> refused;
    };

    struct Resource {
        ResourceConfiguration configuration;
        std::shared_ptr<const HttpProfile> profile;
        TokenKeeper tokens;
        std::uint64_t token_ticket = 0;
        std::string token_body;
        std::deque<std::int64_t> waiting;
        std::size_t in_flight = 0;
    };

    // What an answer belongs to.
    struct Ticket {
        std::int32_t resource_id = 0;
        std::int64_t activity_id = 0;
        bool token = false;
    };

    void pump(Resource& resource);
    // The header for calls to it; none while a token is missing.
    [[nodiscard]] bool authorized(Resource& resource);
    void fetch_token(Resource& resource, Grant grant);
    void on_token_answer(Resource& resource, const HttpAnswer& answer);
    void on_call_answer(Resource& resource, Call& call, HttpAnswer answer);
    [[nodiscard]] std::string prepare(Call& call) const;
    void send(Resource& resource, Call& call);
    void fail_waiting(Resource& resource, int curl_result, int http_status,
                      const std::string& answer);
    void start(Call& call) const;
    [[nodiscard]] std::int64_t elapsed_microseconds(const Call& call) const;
    void finish(Call& call, HttpAnswer answer);
    void give_back(Call& call);
    enum class Unsent { give_back, forget };
    void abort(Call& call, Unsent unsent);
    void forget_token(Resource& resource);
    [[nodiscard]] Call* find(std::int64_t activity_id);

    const Clock& clock_;
    HttpClient& http_;
    const SendGate& gate_;
    ReportQueue& reports_;
    std::unordered_map<std::int32_t, Resource> resources_;
    std::unordered_map<std::int64_t, Call> calls_;  // by activity
    std::unordered_map<std::uint64_t, Ticket> tickets_;
    std::vector<std::int64_t> homeless_;
    std::uint64_t answered_ = 0;
};

}  // namespace tbs::bridge

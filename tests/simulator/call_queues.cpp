// Call queues and their agents. A removed queue leaves its agents behind, as on the real switch.
#include <array>

#include "switch.hpp"

namespace tbs::simulator {

namespace {

constexpr std::array<std::string_view, 3> kFixedOfQueue = {"domain", "callqueue",
                                                           "created-datetime"};
constexpr std::array<std::string_view, 4> kFixedOfAgent = {
    "domain", "callqueue", "callqueue-agent-id", "created-datetime"};

std::optional<Response> invalid_queue(const Json& queue) {
    if (auto problem = invalid_choice(queue, {"callqueue-dispatch-type"},
                                      {"Round-robin", "Tiered Round-robin", "Ring All",
                                       "Linear Cascade", "Linear Hunt", "Call Park"}))
        return problem;
    if (auto problem =
            invalid_choice(queue,
                           {"callqueue-calculate-statistics", "callqueue-force-full-intro-playback",
                            "callqueue-require-available-agents-to-accept-new-callers",
                            "callqueue-agent-auto-logout-after-missed"},
                           {"yes", "no"}))
        return problem;
    return invalid_integer(
        queue, {"callqueue-agent-dispatch-timeout-seconds", "callqueue-max-callback-queueing-hours",
                "callqueue-max-current-callers-to-accept-new-callers",
                "callqueue-max-current-wait-to-accept-new-callers-seconds",
                "callqueue-max-wait-timeout-minutes", "callqueue-sim-ring-1st-round",
                "callqueue-sim-ring-increment"});
}

std::optional<Response> invalid_agent(const Json& agent) {
    if (auto problem = invalid_choice(agent, {"callqueue-agent-availability-type"},
                                      {"automatic", "manual", "disabled", "offnet-automatic"}))
        return problem;
    return invalid_integer(agent, {"callqueue-agent-wrap-up-allowance-seconds",
                                   "callqueue-agent-dispatch-order-ordinal",
                                   "callqueue-agent-dispatch-queue-priority-ordinal"});
}

}  // namespace

Response Switch::call_queues(Call& call, const std::string& domain, Segments path) {
    if (path.empty()) {
        if (call.get()) return page(call, in_domain(store_.call_queues, domain));
        return call.post() ? create_call_queue(call, domain) : no_route();
    }
    if (path.size() == 1 && call.get() && path[0] == "list")
        return page(call, in_domain(store_.call_queues, domain));
    if (path.size() == 1) {
        if (call.put())
            if (auto problem = invalid_queue(call.body)) return *problem;
        return item(call, store_.call_queues, child_key(domain, path[0]), kFixedOfQueue);
    }
    if (path[1] != "agents") return no_route();
    return agents(call, domain, path[0], path.subspan(2));
}

Response Switch::create_call_queue(Call& call, const std::string& domain) {
    if (auto problem = missing_member(call.body, {"synchronous", "callqueue", "domain"}))
        return *problem;
    const bool synchronous = call.take_synchronous();
    const std::string queue = text_member(call.body, "callqueue");
    if (queue.empty() || queue.find('/') != std::string::npos)
        return refusal(400, "Invalid callqueue.");
    if (text_member(call.body, "domain") != domain) return refusal(400, "Invalid domain.");
    if (auto problem = invalid_queue(call.body)) return *problem;
    const std::string key = child_key(domain, queue);
    if (store_.call_queues.visible(key) != nullptr)
        if (auto problem = duplicate(options_.duplicate_device, "Callqueue")) return *problem;
    return created(call, store_.call_queues, key, synchronous);
}

Response Switch::agents(Call& call, const std::string& domain, const std::string& queue,
                        Segments path) {
    const std::string queue_key = child_key(domain, queue);
    if (path.empty()) {
        if (call.get()) return page(call, in_domain(store_.agents, queue_key));
        return call.post() ? create_agent(call, domain, queue) : no_route();
    }
    if (path.size() > 1) return no_route();
    if (call.get() && path[0] == "count") return total(in_domain(store_.agents, queue_key).size());
    if (call.put())
        if (auto problem = invalid_agent(call.body)) return *problem;
    return item(call, store_.agents, child_key(queue_key, path[0]), kFixedOfAgent);
}

Response Switch::create_agent(Call& call, const std::string& domain, const std::string& queue) {
    const bool synchronous = call.take_synchronous();
    if (auto problem = missing_member(call.body, {"callqueue-agent-id"})) return *problem;
    const std::string agent = text_member(call.body, "callqueue-agent-id");
    if (agent.find('@') == std::string::npos) return refusal(400, "Invalid callqueue-agent-id.");
    if (auto problem = invalid_agent(call.body)) return *problem;
    const std::string queue_key = child_key(domain, queue);
    if (store_.call_queues.visible(queue_key) == nullptr)
        return refusal(404, "Callqueue " + queue + " does not exist in domain " + domain);
    const std::string key = child_key(queue_key, agent);
    if (store_.agents.visible(key) != nullptr)
        if (auto problem = duplicate(options_.duplicate_device, "Agent")) return *problem;
    call.body["domain"] = domain;
    call.body["callqueue"] = queue;
    return created(call, store_.agents, key, synchronous);
}

}  // namespace tbs::simulator

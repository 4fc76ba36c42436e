#include "service.hpp"

#include <charconv>

#include "target.hpp"

namespace tbs::simulator {

namespace {

constexpr std::string_view kSink = "/sink";

bool is_sink(std::string_view path) {
    return path.starts_with(kSink) && (path.size() == kSink.size() || path[kSink.size()] == '/');
}

Response problem(int status, const std::string& text) {
    Response response = json_response({{"error", text}});
    response.status = status;
    return response;
}

}  // namespace

Service::Service(SwitchOptions options, std::size_t journal_limit, std::uint64_t seed,
                 const Clock& clock)
    : seed_(seed),
      clock_(clock),
      random_(seed),
      switch_(std::move(options), clock, random_),
      faults_(random_),
      journal_(clock, journal_limit) {}

Exchange Service::arrive(const Request& request) {
    Exchange exchange;
    if (request.path.starts_with("/_")) {
        exchange.response = control(request);
        return exchange;
    }
    exchange.number = journal_.arrive(request);
    exchange.decision = faults_.decide(request);
    if (exchange.decision.effect == Effect::before) work(exchange, request);
    return exchange;
}

void Service::conclude(Exchange& exchange, const Request& request) {
    if (exchange.control()) return;
    Decision& decision = exchange.decision;
    if (decision.effect == Effect::after) work(exchange, request);
    if (decision.ending == Ending::hang) return;
    if (decision.ending == Ending::reset) {
        abandon(exchange);
        return;
    }
    if (decision.response) exchange.response = std::move(*decision.response);
    journal_.complete(exchange.number, exchange.response.status, exchange.effect, decision.names);
}

void Service::abandon(const Exchange& exchange) {
    if (!exchange.control())
        journal_.complete(exchange.number, 0, exchange.effect, exchange.decision.names);
}

void Service::work(Exchange& exchange, const Request& request) {
    if (is_sink(request.path)) {
        exchange.response.body = R"({"code":200})";
        exchange.effect = true;
        return;
    }
    exchange.response = switch_.handle(request, exchange.decision.visibility_delay);
    exchange.effect = exchange.response.effect;
}

Response Service::control(const Request& request) {
    const bool get = request.method == "GET";
    const bool post = request.method == "POST";
    const bool remove = request.method == "DELETE";
    Response response;
    response.body = "{}";
    if (request.path == "/_ready" && get) {
        const auto started_at =
            std::chrono::duration_cast<Microseconds>(clock_.started_at().time_since_epoch());
        return json_response({{"ready", true},
                              {"seed", seed_},
                              {"started_at", started_at.count()},
                              {"now", clock_.now().count()}});
    }
    if (request.path == "/_state" && get) {
        response.body = switch_.state_text();
        return response;
    }
    if (request.path == "/_journal" && get) {
        const std::string after = parse_form(request.query)["after"];
        std::uint64_t number = 0;
        const char* end = after.data() + after.size();
        if (!after.empty() && std::from_chars(after.data(), end, number).ptr != end)
            return problem(400, "\"after\" must be a whole number");
        response.body = journal_.text(number);
        return response;
    }
    if (request.path == "/_journal" && remove) {
        journal_.clear();
        return response;
    }
    if (request.path == "/_faults" && get) return json_response(faults_.describe());
    if (request.path == "/_faults" && post) return change_faults(request);
    if (request.path == "/_faults" && remove) {
        faults_.clear();
        network_->restore();
        return response;
    }
    if (request.path == "/_tokens" && remove) {
        switch_.revoke_access_tokens();
        return response;
    }
    if (request.path == "/_reset" && post) {
        faults_.clear();
        network_->restore();
        switch_.reset();
        journal_.clear();
        return response;
    }
    return problem(404, "no control route " + request.method + " " + request.path);
}

Response Service::change_faults(const Request& request) {
    const Json rules = Json::parse(request.body, nullptr, false);
    if (rules.is_discarded()) return problem(400, "the body is no JSON");
    std::optional<Refusal> refusal;
    const std::string wrong = faults_.add(rules, refusal);
    if (!wrong.empty()) return problem(400, wrong);
    if (refusal) network_->refuse(*refusal);
    return json_response(faults_.describe());
}

}  // namespace tbs::simulator

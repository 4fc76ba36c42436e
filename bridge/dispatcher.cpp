#include "bridge/dispatcher.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "bridge/log.hpp"
#include "bridge/secrets.hpp"
#include "bridge/text.hpp"

namespace tbs::bridge {

namespace {

constexpr int kUnauthorized = 401;

bool is_method(std::string_view method) {
    return !method.empty() && method.size() <= 20 &&
           std::all_of(method.begin(), method.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

// Only what may follow the host: anything else could name another host ("https://host" + "@other").
bool is_path(std::string_view path) {
    return (path.empty() || path.front() == '/' || path.front() == '?') &&
           std::all_of(path.begin(), path.end(), [](char c) {
               const auto byte = static_cast<unsigned char>(c);
               return byte > ' ' && byte != 0x7f;
           });
}

bool is_header_name(std::string_view name) {
    static constexpr std::string_view kOther = "!#$%&'*+-.^_`|~";
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               kOther.find(c) != std::string_view::npos;
    });
}

bool is_header_value(std::string_view value) {
    return value.find_first_of(std::string_view{"\r\n\0", 3}) == std::string_view::npos;
}

std::string problem_json(std::string_view problem) {
    std::string json = R"({"error":")";
    append_json_escaped(json, problem);
    json += "\"}";
    return json;
}

}  // namespace

Dispatcher::Dispatcher(const Clock& clock, HttpClient& http, const SendGate& gate,
                       ReportQueue& reports)
    : clock_{clock}, http_{http}, gate_{gate}, reports_{reports} {}

void Dispatcher::configure(std::vector<ResourceConfiguration> resources) {
    std::size_t connections = 0;
    std::vector<std::int32_t> known;
    for (ResourceConfiguration& configuration : resources) {
        known.push_back(configuration.id);
        connections += configuration.connections;
        if (!configuration.problem.empty()) {
            log::error("resource_unusable",
                       {{"resource", configuration.name}, {"reason", configuration.problem}});
        }
        Resource& resource = resources_[configuration.id];
        if (resource.configuration.authentication != configuration.authentication) {
            forget_token(resource);
        }
        HttpProfile profile{configuration.tls, configuration.connect_timeout,
                            configuration.maximum_answer_bytes};
        if (resource.profile == nullptr || *resource.profile != profile) {
            http_.retire(resource.profile.get());
            resource.profile = std::make_shared<const HttpProfile>(std::move(profile));
        }
        resource.configuration = std::move(configuration);
    }
    for (auto entry = resources_.begin(); entry != resources_.end();) {
        Resource& resource = entry->second;
        const bool keep = std::find(known.begin(), known.end(), entry->first) != known.end();
        if (!keep) {
            for (const std::int64_t id : std::exchange(resource.waiting, {})) {
                if (Call* const call = find(id); call != nullptr && call->ticket == 0) {
                    give_back(*call);
                }
            }
        }
        // One that has calls under way goes with a later configuration.
        if (!keep && resource.in_flight == 0) {
            forget_token(resource);
            http_.retire(resource.profile.get());
            entry = resources_.erase(entry);
        } else {
            ++entry;
        }
    }
    for (const std::int64_t id : std::exchange(homeless_, {})) {
        Call* const call = find(id);
        if (call == nullptr || call->ticket != 0) continue;
        const auto resource = resources_.find(call->claimed.network_resource_id);
        if (resource != resources_.end()) {
            resource->second.waiting.push_back(id);
        } else {
            give_back(*call);
        }
    }
    http_.keep_connections(connections + 8);
}

void Dispatcher::accept(std::vector<ClaimedCall> calls) {
    for (ClaimedCall& claimed : calls) {
        const std::int64_t id = claimed.activity_id;
        const auto [entry, added] = calls_.try_emplace(id);
        if (!added) {
            log::warning("call_claimed_twice", {{"activity", id}});
            continue;
        }
        const auto resource = resources_.find(claimed.network_resource_id);
        entry->second.claimed = std::move(claimed);
        if (resource != resources_.end()) {
            resource->second.waiting.push_back(id);
        } else {
            homeless_.push_back(id);
        }
    }
}

void Dispatcher::pump() {
    for (auto& [id, resource] : resources_) {
        if (!resource.waiting.empty()) pump(resource);
    }
}

void Dispatcher::pump(Resource& resource) {
    if (!resource.configuration.problem.empty()) {
        // Reported as refused credentials: the database pauses the resource and says so.
        fail_waiting(resource, 0, kUnauthorized, problem_json(resource.configuration.problem));
        return;
    }
    while (!resource.waiting.empty() && resource.in_flight < resource.configuration.connections) {
        Call* const call = find(resource.waiting.front());
        if (call == nullptr || call->ticket != 0) {  // dropped since
            resource.waiting.pop_front();
            continue;
        }
        if (!call->prepared) {
            std::string problem = prepare(*call);
            if (!problem.empty()) {
                resource.waiting.pop_front();
                HttpAnswer answer;
                answer.curl_result = CURLE_URL_MALFORMAT;
                answer.body = problem_json(problem);
                start(*call);
                finish(*call, std::move(answer));
                continue;
            }
        }
        if (!gate_.may_send() || !authorized(resource)) return;
        resource.waiting.pop_front();
        send(resource, *call);
    }
}

// Everything about a call that does not depend on time; returns what is wrong with it.
std::string Dispatcher::prepare(Call& call) const {
    const ClaimedCall& claimed = call.claimed;
    if (!is_method(claimed.method)) return "the method is not a word of capital letters";
    if (!is_path(claimed.path)) {
        return "the path does not begin with a slash, or holds a blank or control character";
    }
    std::string content_type;
    if (!claimed.headers.empty() && claimed.headers != "{}") {
        const auto document = nlohmann::json::parse(claimed.headers, nullptr, false);
        if (!document.is_object()) return "the headers are not a JSON object";
        for (const auto& [name, value] : document.items()) {
            const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
            if (!is_header_name(name) || !is_header_value(text)) {
                return "a header has a malformed name or value";
            }
            if (equal_ignoring_case(name, "content-type")) content_type = text;
            // "Name;" is how libcurl is told to send an empty value.
            std::string& line = call.headers.emplace_back(name);
            line += text.empty() ? ";" : ": ";
            line += text;
        }
    }
    if (claimed.has_body && !claimed.secrets.empty() && claimed.secrets != "{}") {
        const auto secrets = parse_secrets(claimed.secrets);
        if (!secrets) return "the secrets are not a JSON object of strings";
        if (!secrets->empty()) {
            call.body = substitute_secrets(claimed.body, *secrets, escape_for(content_type));
        }
    }
    call.prepared = true;
    return {};
}

bool Dispatcher::authorized(Resource& resource) {
    if (!resource.configuration.authentication.oauth) return true;
    const TimePoint now = clock_.now();
    TokenKeeper& tokens = resource.tokens;
    if (tokens.state(now) == TokenKeeper::State::failed) {
        const TokenFailure failure = tokens.failure();
        fail_waiting(resource, failure.curl_result, failure.http_status, failure.answer);
        return false;
    }
    if (const auto grant = tokens.wanted(now)) fetch_token(resource, *grant);
    return tokens.state(now) == TokenKeeper::State::usable;
}

void Dispatcher::fetch_token(Resource& resource, Grant grant) {
    const OAuthSettings& settings = *resource.configuration.authentication.oauth;
    resource.token_body = token_request_body(settings, grant, resource.tokens.refresh_token());
    HttpRequest request;
    request.method = "POST";
    request.url = settings.token_url;
    request.headers = {settings.json_body ? "Content-Type: application/json"
                                          : "Content-Type: application/x-www-form-urlencoded",
                       "Accept: application/json"};
    request.body = resource.token_body;
    request.has_body = true;
    request.timeout = resource.configuration.timeout;
    request.fenced = false;  // a token changes nothing; the calls that use it are fenced
    resource.tokens.fetch_started(grant, clock_.now());
    resource.token_ticket = http_.start(resource.profile, std::move(request), *this);
    tickets_.emplace(resource.token_ticket, Ticket{resource.configuration.id, 0, true});
    log::debug("token_requested", {{"resource", resource.configuration.name},
                                   {"grant", grant == Grant::refresh ? "refresh" : "full"}});
}

void Dispatcher::forget_token(Resource& resource) {
    if (resource.token_ticket != 0) {
        http_.cancel(resource.token_ticket);
        tickets_.erase(resource.token_ticket);
        resource.token_ticket = 0;
    }
    resource.tokens.forget();
}

void Dispatcher::send(Resource& resource, Call& call) {
    const Authentication& authentication = resource.configuration.authentication;
    HttpRequest request;
    request.method = std::string{call.claimed.method};
    request.url = resource.configuration.base_url;
    request.url += call.claimed.path;
    std::string_view own_header = authentication.header_name;
    if (authentication.oauth) own_header = "Authorization";
    request.headers.reserve(call.headers.size() + 1);
    for (const std::string& header : call.headers) {
        // The resource's credentials are not for a template to replace.
        const std::string_view name =
            std::string_view{header}.substr(0, header.find_first_of(":;"));
        if (own_header.empty() || !equal_ignoring_case(name, own_header)) {
            request.headers.push_back(header);
        }
    }
    if (authentication.oauth) {
        request.headers.push_back("Authorization: Bearer " + resource.tokens.token());
        call.token_number = resource.tokens.number();
    } else if (!own_header.empty()) {
        request.headers.push_back(authentication.header_name + ": " + authentication.header_value);
    }
    request.body = call.body ? std::string_view{*call.body} : call.claimed.body;
    request.has_body = call.claimed.has_body;
    request.timeout = call.claimed.timeout_milliseconds > 0
                          ? std::chrono::milliseconds{call.claimed.timeout_milliseconds}
                          : resource.configuration.timeout;
    if (!call.refused) start(call);
    call.ticket = http_.start(resource.profile, std::move(request), *this);
    tickets_.emplace(call.ticket,
                     Ticket{resource.configuration.id, call.claimed.activity_id, false});
    ++resource.in_flight;
}

void Dispatcher::on_answer(std::uint64_t ticket, HttpAnswer answer) {
    const auto found = tickets_.find(ticket);
    if (found == tickets_.end()) return;
    const Ticket meaning = found->second;
    tickets_.erase(found);
    const auto entry = resources_.find(meaning.resource_id);
    if (entry == resources_.end()) return;
    Resource& resource = entry->second;
    if (meaning.token) {
        resource.token_ticket = 0;
        on_token_answer(resource, answer);
        return;
    }
    --resource.in_flight;
    Call* const call = find(meaning.activity_id);
    if (call == nullptr || call->ticket != ticket) return;
    call->ticket = 0;
    on_call_answer(resource, *call, std::move(answer));
}

void Dispatcher::on_token_answer(Resource& resource, const HttpAnswer& answer) {
    const auto& settings = resource.configuration.authentication.oauth;
    if (!settings) return;
    auto outcome = read_token_answer(*settings, resource.tokens.refresh_token(), answer.curl_result,
                                     answer.http_status, answer.body);
    if (auto* const token = std::get_if<FetchedToken>(&outcome)) {
        resource.tokens.fetched(std::move(*token));
        return;
    }
    auto& failure = std::get<TokenFailure>(outcome);
    log::warning("token_refused", {{"resource", resource.configuration.name},
                                   {"dest", origin_of(settings->token_url)},
                                   {"curl_result", failure.curl_result},
                                   {"http_status", answer.http_status}});
    const bool refused = failure.curl_result == 0 && failure.http_status == kUnauthorized;
    resource.tokens.fetch_failed(std::move(failure), refused, clock_.now());
}

void Dispatcher::on_call_answer(Resource& resource, Call& call, HttpAnswer answer) {
    if (answer.held_back) {
        // The lease ended between here and the wire: it goes when the lease is renewed, or is
        // dropped.
        resource.waiting.push_front(call.claimed.activity_id);
        return;
    }
    if (answer.curl_result == 0 && answer.http_status == kUnauthorized && !call.refused &&
        resource.configuration.authentication.oauth) {
        resource.tokens.refused(call.token_number);
        call.refused = std::move(answer);
        resource.waiting.push_front(call.claimed.activity_id);
        return;
    }
    log::debug("answered", {{"activity", call.claimed.activity_id},
                            {"resource", resource.configuration.name},
                            {"dest", origin_of(resource.configuration.base_url)},
                            {"curl_result", answer.curl_result},
                            {"http_status", answer.http_status},
                            {"elapsed_us", elapsed_microseconds(call)}});
    finish(call, std::move(answer));
}

void Dispatcher::start(Call& call) const {
    call.started_at = clock_.wall_time();
    call.handed_over = clock_.now();
}

// From hand-over to completion, and not libcurl's own time: what waited in between belongs to it,
// and started_at and this together reach from before the request to after the answer.
std::int64_t Dispatcher::elapsed_microseconds(const Call& call) const {
    return std::chrono::duration_cast<std::chrono::microseconds>(clock_.now() - call.handed_over)
        .count();
}

void Dispatcher::finish(Call& call, HttpAnswer answer) {
    CallResult result;
    result.activity_id = call.claimed.activity_id;
    result.call_number = call.claimed.call_number;
    result.curl_result = answer.curl_result;
    result.http_status = answer.http_status;
    result.headers = std::move(answer.headers);
    result.answer = std::move(answer.body);
    result.started_at = call.started_at;
    result.elapsed_microseconds = elapsed_microseconds(call);
    if (result.curl_result != kNotSent) ++answered_;
    reports_.add(std::move(result));
    calls_.erase(call.claimed.activity_id);
}

void Dispatcher::fail_waiting(Resource& resource, int curl_result, int http_status,
                              const std::string& answer) {
    for (const std::int64_t id : std::exchange(resource.waiting, {})) {
        Call* const call = find(id);
        if (call == nullptr || call->ticket != 0) continue;
        if (call->refused) {  // it has an answer of its own
            finish(*call, std::exchange(call->refused, std::nullopt).value_or(HttpAnswer{}));
            continue;
        }
        start(*call);
        HttpAnswer failed;
        failed.curl_result = curl_result;
        failed.http_status = http_status;
        failed.body = answer;
        finish(*call, std::move(failed));
    }
}

void Dispatcher::give_back(Call& call) {
    if (call.refused) {
        finish(call, std::exchange(call.refused, std::nullopt).value_or(HttpAnswer{}));
        return;
    }
    start(call);
    HttpAnswer answer;
    answer.curl_result = kNotSent;
    finish(call, std::move(answer));
}

void Dispatcher::abort(Call& call, Unsent unsent) {
    const auto ticket = tickets_.find(call.ticket);
    if (ticket != tickets_.end()) {
        const auto resource = resources_.find(ticket->second.resource_id);
        if (resource != resources_.end()) --resource->second.in_flight;
        tickets_.erase(ticket);
    }
    const bool sent = http_.cancel(std::exchange(call.ticket, 0));
    if (!sent && !call.refused && unsent == Unsent::forget) {
        calls_.erase(call.claimed.activity_id);
        return;
    }
    if (!sent) {
        give_back(call);
        return;
    }
    HttpAnswer answer;
    answer.curl_result = CURLE_OPERATION_TIMEDOUT;  // no answer in the time there was
    finish(call, std::move(answer));
}

void Dispatcher::drop(std::span<const std::int64_t> activity_ids) {
    for (const std::int64_t id : activity_ids) {
        Call* const call = find(id);
        if (call == nullptr) continue;
        // What was never sent is not reported: somebody else may be sending it already.
        if (call->ticket != 0) {
            abort(*call, Unsent::forget);
        } else if (call->refused) {
            give_back(*call);
        } else {
            calls_.erase(id);
        }
    }
}

void Dispatcher::drop_all() {
    std::vector<std::int64_t> ids;
    append_held(ids);
    drop(ids);
}

void Dispatcher::give_back_waiting() {
    std::vector<std::int64_t> ids;
    append_held(ids);
    for (const std::int64_t id : ids) {
        Call* const call = find(id);
        if (call != nullptr && call->ticket == 0) give_back(*call);
    }
}

void Dispatcher::abort_in_flight() {
    std::vector<std::int64_t> ids;
    append_held(ids);
    for (const std::int64_t id : ids) {
        Call* const call = find(id);
        if (call == nullptr) continue;
        if (call->ticket != 0) {
            abort(*call, Unsent::give_back);
        } else {
            give_back(*call);
        }
    }
}

void Dispatcher::append_held(std::vector<std::int64_t>& ids) const {
    for (const auto& [id, call] : calls_) ids.push_back(id);
}

Dispatcher::Call* Dispatcher::find(std::int64_t activity_id) {
    const auto found = calls_.find(activity_id);
    return found == calls_.end() ? nullptr : &found->second;
}

}  // namespace tbs::bridge

#include "journal.hpp"

#include <algorithm>

namespace tbs::simulator {

Microseconds Journal::tick() {
    last_tick_ = std::max(clock_.now(), last_tick_ + Microseconds(1));
    return last_tick_;
}

std::uint64_t Journal::arrive(const Request& request) {
    ++last_number_;
    if (limit_ == 0) return last_number_;
    if (entries_.size() >= limit_) entries_.pop_front();
    Entry& entry = entries_.emplace_back();
    entry.number = last_number_;
    entry.arrived_at = tick();
    entry.method = request.method;
    entry.path = request.path;
    entry.query = request.query;
    entry.body = request.body;
    entry.headers = request.noted_headers;
    return last_number_;
}

void Journal::complete(std::uint64_t number, int status, bool effect, const std::string& fault) {
    ++last_completion_;
    // Gone when it was cleared or pushed out while the request was on its way.
    if (entries_.empty() || number < entries_.front().number) return;
    Entry& entry = entries_[number - entries_.front().number];
    entry.completed_at = tick();
    entry.completion = last_completion_;
    entry.status = status;
    entry.effect = effect;
    entry.fault = fault;
}

void Journal::append(std::string& text, const Entry& entry) {
    const bool open = entry.completion == 0;
    const auto count = [](auto number) { return std::to_string(number); };
    text += R"({"number":)" + count(entry.number) + R"(,"arrived_at":)" +
            count(entry.arrived_at.count()) + R"(,"completed_at":)" +
            (open ? "null" : count(entry.completed_at.count())) + R"(,"completion":)" +
            (open ? "null" : count(entry.completion)) + R"(,"method":)" +
            json_string(entry.method) + R"(,"path":)" + json_string(entry.path) + R"(,"query":)" +
            json_string(entry.query) + R"(,"headers":{)";
    bool first = true;
    for (const auto& [name, value] : entry.headers) {
        if (!first) text += ',';
        first = false;
        text += json_string(name) + ":" + json_string(value);
    }
    // A body that is JSON goes out as it came in.
    text += R"(},"body":)";
    if (entry.body.empty())
        text += "null";
    else
        text += Json::accept(entry.body) ? entry.body : json_string(entry.body);
    text += R"(,"status":)" + (entry.status == 0 ? "null" : count(entry.status)) + R"(,"effect":)" +
            (entry.effect ? "true" : "false") + R"(,"fault":)" +
            (entry.fault.empty() ? "null" : json_string(entry.fault)) + "}";
}

std::string Journal::text(std::uint64_t after) const {
    std::string text = "[";
    for (const Entry& entry : entries_) {
        if (entry.number <= after) continue;
        if (text.size() > 1) text += ",\n";
        append(text, entry);
    }
    return text += "]";
}

}  // namespace tbs::simulator

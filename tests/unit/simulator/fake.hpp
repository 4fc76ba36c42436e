// What the tests of the switch share: a clock that stands still until it is told to go on, and
// short ways to ask.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <random>

#include "clock.hpp"
#include "message.hpp"
#include "target.hpp"

namespace tbs::simulator {

class FakeClock final : public Clock {
 public:
    Microseconds now() const override { return now_; }
    std::chrono::system_clock::time_point started_at() const override {
        return std::chrono::system_clock::time_point(std::chrono::seconds(1'700'000'000));
    }
    void advance(Microseconds time) { now_ += time; }

 private:
    Microseconds now_{0};
};

inline Request request_to(std::string method, std::string_view target, const Json& body = nullptr) {
    Request request;
    request.method = std::move(method);
    const Target parts = split_target(target);
    request.path = parts.path;
    request.query = parts.query;
    if (!body.is_null()) request.body = body.is_string() ? body.get<std::string>() : to_text(body);
    return request;
}

// An object with some members changed.
inline Json with(Json object, const Json& changes) {
    object.update(changes);
    return object;
}

inline Json json_of(const Response& response) {
    return Json::parse(response.body);
}

inline std::string message_of(const Response& response) {
    return text_member(json_of(response), "message");
}

// "404 Resource not found."
inline std::string summary(const Response& response) {
    return std::to_string(response.status) + " " + message_of(response);
}

}  // namespace tbs::simulator

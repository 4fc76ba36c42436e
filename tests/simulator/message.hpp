// A request and its response, free of sockets.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json.hpp"

namespace tbs::simulator {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
    std::string method;
    std::string path;   // as sent, still percent-encoded
    std::string query;  // without the question mark
    std::string body;
    std::string authorization;
    Headers noted_headers;  // content-type and x-..., lower-case names: what the journal keeps
};

struct Response {
    int status = 200;
    std::string body;
    std::string content_type = "application/json";
    Headers headers;
    bool effect = false;  // the switch's state was changed (or will be, when it becomes visible)
};

// {"code":STATUS,"message":MESSAGE}, the body of every error of the switch.
Response refusal(int status, std::string_view message);

// 202 {"code":202,"message":"Accepted"}
Response accepted(bool effect = true);

Response json_response(const Json& value);

}  // namespace tbs::simulator

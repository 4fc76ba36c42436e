#include "message.hpp"

namespace tbs::simulator {

namespace {

std::string code_and_message(int status, std::string_view message) {
    return R"({"code":)" + std::to_string(status) + R"(,"message":)" + json_string(message) + "}";
}

}  // namespace

Response refusal(int status, std::string_view message) {
    Response response;
    response.status = status;
    response.body = code_and_message(status, message);
    return response;
}

Response accepted(bool effect) {
    Response response = refusal(202, "Accepted");
    response.effect = effect;
    return response;
}

Response json_response(const Json& value) {
    Response response;
    response.body = to_text(value);
    return response;
}

}  // namespace tbs::simulator

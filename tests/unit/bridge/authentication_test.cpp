#include "bridge/authentication.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace tbs::bridge {
namespace {

const SecretValues kSecrets{{"user", "al:ice"}, {"pw", "s3cret pw"}, {"id", "cid"}, {"cs", "c&s"}};
constexpr std::string_view kBase = "https://switch.example/ns-api/v2";

Authentication resolve(std::string_view document) {
    return resolve_authentication(document, kSecrets, kBase);
}

TEST(AuthenticationTest, None) {
    for (const char* const text : {"", "null", R"({"kind":"none"})"}) {
        const Authentication result = resolve(text);
        EXPECT_EQ(result.problem, "");
        EXPECT_EQ(result.header_name, "");
        EXPECT_FALSE(result.oauth);
    }
}

TEST(AuthenticationTest, FixedHeaders) {
    Authentication result = resolve(R"({"kind":"basic","user":"bob","password":"secret:pw"})");
    EXPECT_EQ(result.header_name, "Authorization");
    EXPECT_EQ(result.header_value, "Basic Ym9iOnMzY3JldCBwdw==");
    result = resolve(R"({"kind":"bearer","token":"secret:pw"})");
    EXPECT_EQ(result.header_value, "Bearer s3cret pw");
    result = resolve(R"({"kind":"header","name":"X-Api-Key","value":"secret:pw"})");
    EXPECT_EQ(result.header_name, "X-Api-Key");
    EXPECT_EQ(result.header_value, "s3cret pw");
    EXPECT_EQ(result.problem, "");
}

TEST(AuthenticationTest, ProblemsNameTheMemberAndNeverTheValue) {
    EXPECT_EQ(resolve(R"({"kind":"bearer","token":"env:TBS_NOT_SET"})").problem,
              "authentication: token: environment variable TBS_NOT_SET is not set");
    EXPECT_EQ(resolve(R"({"kind":"basic","user":"bob"})").problem,
              "authentication: password: is missing");
    const std::string literal = resolve(R"({"kind":"bearer","token":"hunter2"})").problem;
    EXPECT_NE(literal, "");
    EXPECT_EQ(literal.find("hunter2"), std::string::npos);
    EXPECT_NE(resolve(R"({"kind":"kerberos"})").problem, "");
    EXPECT_NE(resolve("[]").problem, "");
    EXPECT_NE(resolve("{").problem, "");
    EXPECT_NE(resolve(R"({"kind":"oauth2_password"})").problem, "");
    EXPECT_NE(
        resolve_authentication(R"({"kind":"bearer","token":"secret:t"})", {{"t", "a\r\nb"}}, kBase)
            .problem,
        "");
}

TEST(AuthenticationTest, OAuthPassword) {
    const Authentication result = resolve(
        R"({"kind":"oauth2_password","token_url":"/tokens","body_format":"json",
            "client_id":"secret:id","client_secret":"secret:cs","username":"secret:user",
            "password":"secret:pw"})");
    ASSERT_EQ(result.problem, "");
    ASSERT_TRUE(result.oauth);
    EXPECT_EQ(result.oauth->token_url, "https://switch.example/ns-api/v2/tokens");
    const auto body = nlohmann::json::parse(token_request_body(*result.oauth, Grant::full, ""));
    EXPECT_EQ(body, nlohmann::json::parse(R"({"grant_type":"password","username":"al:ice",
        "password":"s3cret pw","client_id":"cid","client_secret":"c&s"})"));
    const auto refresh =
        nlohmann::json::parse(token_request_body(*result.oauth, Grant::refresh, "rt\"1"));
    EXPECT_EQ(refresh, nlohmann::json::parse(R"({"grant_type":"refresh_token",
        "refresh_token":"rt\"1","client_id":"cid","client_secret":"c&s"})"));
}

TEST(AuthenticationTest, OAuthClientCredentials) {
    const Authentication result = resolve(
        R"({"kind":"oauth2_client_credentials","token_url":"https://id.example/t",
            "client_id":"me","client_secret":"secret:cs","scope":"a b"})");
    ASSERT_TRUE(result.oauth);
    EXPECT_EQ(result.oauth->token_url, "https://id.example/t");
    EXPECT_EQ(token_request_body(*result.oauth, Grant::full, ""),
              "grant_type=client_credentials&client_id=me&client_secret=c%26s&scope=a+b");
}

class TokenAnswerTest : public ::testing::Test {
 protected:
    TokenAnswerTest() {
        settings_.client_secret = "topsecret";
        settings_.password = "hunter2";
    }
    std::variant<FetchedToken, TokenFailure> read(int status, std::string_view text,
                                                  int curl_result = 0) {
        return read_token_answer(settings_, "refresh-me", curl_result, status, text);
    }
    OAuthSettings settings_;
};

TEST_F(TokenAnswerTest, Token) {
    const auto outcome =
        read(200, R"({"access_token":"abc","expires_in":3600,"refresh_token":"def","scope":null})");
    const auto& token = std::get<FetchedToken>(outcome);
    EXPECT_EQ(token.access_token, "abc");
    EXPECT_EQ(token.refresh_token, "def");
    EXPECT_EQ(token.expires_in, std::chrono::seconds{3600});
}

TEST_F(TokenAnswerTest, OddLives) {
    const auto life = [this](const std::string& value) {
        const auto outcome = read(201, R"({"access_token":"abc","expires_in":)" + value + "}");
        return std::get<FetchedToken>(outcome).expires_in;
    };
    EXPECT_EQ(life("\"60\""), std::chrono::seconds{60});
    EXPECT_EQ(life("1e300"), std::chrono::seconds{1'000'000'000});
    EXPECT_EQ(life("-5"), std::chrono::seconds{0});
    EXPECT_EQ(life("null"), std::nullopt);
    EXPECT_EQ(life("\"soon\""), std::nullopt);
}

TEST_F(TokenAnswerTest, SuccessWithoutATokenIsAFailure) {
    for (const char* const text : {"{}", R"({"access_token":""})", "<html>", "",
                                   R"({"access_token":"a\nb"})", R"({"access_token":1})"}) {
        const auto outcome = read(200, text);
        ASSERT_TRUE(std::holds_alternative<TokenFailure>(outcome)) << text;
        const auto& failure = std::get<TokenFailure>(outcome);
        EXPECT_EQ(failure.http_status, 401);
        EXPECT_NE(failure.answer.find("\"token_status\":200"), std::string::npos);
    }
}

TEST_F(TokenAnswerTest, FailuresAreToldWithoutSecrets) {
    const auto outcome = read(
        400,
        R"({"error":"invalid_grant","error_description":"hunter2 is wrong for topsecret refresh-me",
            "password":"hunter2","access_token":"leak"})");
    const auto& failure = std::get<TokenFailure>(outcome);
    EXPECT_EQ(failure.http_status, 401);
    EXPECT_EQ(failure.answer, R"({"error":"no access token","token_status":400,)"
                              R"("token_error":"invalid_grant: *** is wrong for *** ***"})");
}

TEST_F(TokenAnswerTest, AServerThatIsDownIsNotARefusal) {
    EXPECT_EQ(std::get<TokenFailure>(read(503, "busy")).http_status, 503);
    EXPECT_EQ(std::get<TokenFailure>(read(429, "{}")).http_status, 429);
    const auto unreachable = std::get<TokenFailure>(read(0, "", 7));
    EXPECT_EQ(unreachable.curl_result, 7);
    EXPECT_EQ(unreachable.http_status, 0);
}

}  // namespace
}  // namespace tbs::bridge

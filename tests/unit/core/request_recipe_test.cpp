#include "core/request_recipe.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace tbs::core {
namespace {

using testing::json;
using testing::problem_of;

const char* const kRequestContext = R"({
    "line": {"extension": "1001", "first_name": "Ann", "email": null, "evil": "a\r\nX-Evil: 1",
             "flags": ["a", "b&c"]},
    "resource": {"default_headers": {"X-Reseller": "acme", "Accept": "application/json", "X-None": null},
                 "default_query": {"format": "json", "none": null}},
    "secret": {"pin": {"id": 7, "version": 3}},
    "layers": [{"layer": "type_default", "parameters": {"dial-plan": "US", "area-code": "858"}},
               {"layer": "line", "parameters": {"area-code": null}}]})";

RenderedRequest render_request(const std::string& step,
                               const std::string& context = kRequestContext) {
    const Json data = json(context);
    const Json object = json(R"({"user": "1001", "domain": "ac me"})");
    return RequestRecipe::parse(json(step)).render(data, nullptr, &object);
}

TEST(RequestRecipeTest, RendersAWholeRequest) {
    const RenderedRequest request = render_request(R"({
        "method": "PUT", "path": "/domains/{object.domain}/users/{object.user}",
        "query": {"first": "{line.first_name}", "email": "{line.email?}", "flag": "{line.flags}"},
        "headers": {"X-User": "{object.user}", "accept": "text/plain", "X-Email": "{line.email?}"},
        "body": {"user": "{object.user}", "pin": "{secret.pin}", "area-code": "x"},
        "accepts": ["dial-plan"]})");
    EXPECT_EQ(request.method, "PUT");
    EXPECT_EQ(request.path, "/domains/ac%20me/users/1001?first=Ann&flag=a&flag=b%26c&format=json");
    EXPECT_EQ(request.headers,
              json(R"({"X-User": "1001", "accept": "text/plain", "X-Reseller": "acme",
                                        "Content-Type": "application/json"})"));
    EXPECT_EQ(request.body, R"({"user":"1001","pin":"__TBS_SECRET_7_3__","dial-plan":"US"})");
}

TEST(RequestRecipeTest, HasNoBodyWhenTheStepHasNone) {
    const RenderedRequest request = render_request(R"({"method": "DELETE", "path": "/a"})", "{}");
    EXPECT_EQ(request.path, "/a");
    EXPECT_EQ(request.headers, json("{}"));
    EXPECT_FALSE(request.body);
}

TEST(RequestRecipeTest, SaysWhatTheBodyIs) {
    const auto content_type = [](const std::string& more) {
        return render_request(R"({"method": "POST", "path": "/a", "body": {"r": "x"})" + more + "}",
                              "{}")
            .headers.at("Content-Type")
            .get<std::string>();
    };
    EXPECT_EQ(content_type(""), "application/json");
    EXPECT_EQ(content_type(R"(, "body_format": "form")"), "application/x-www-form-urlencoded");
    EXPECT_EQ(content_type(R"(, "body_format": "xml")"), "application/xml; charset=utf-8");
    EXPECT_EQ(content_type(R"(, "body_format": "text", "body": "x")"), "text/plain; charset=utf-8");
    EXPECT_EQ(content_type(R"(, "headers": {"Content-Type": "application/vnd.x+json"})"),
              "application/vnd.x+json");
}

TEST(RequestRecipeTest, RendersTextBodies) {
    EXPECT_EQ(render_request(R"({"method": "POST", "path": "/a", "body_format": "text",
                         "body": "user={line.extension} pin={secret.pin}"})")
                  .body,
              "user=1001 pin=__TBS_SECRET_7_3__");
    EXPECT_FALSE(render_request(R"({"method": "POST", "path": "/a", "body_format": "text",
                            "body": "{line.email?}"})")
                     .body);
}

TEST(RequestRecipeTest, PutsParametersBehindThoseOfThePath) {
    const auto path = [](const std::string& step) {
        return render_request(R"({"method": "GET", )" + step + "}").path;
    };
    EXPECT_EQ(path(R"("path": "/a?x=1", "query": {"y": "2"})"), "/a?x=1&y=2&format=json");
    EXPECT_EQ(path(R"("path": "/a?x=1&format=xml")"), "/a?x=1&format=xml");
    EXPECT_EQ(path(R"("path": "/a{?line.email}", "query": {"format": "csv"})"), "/a?format=csv");
    EXPECT_EQ(path(R"("path": "/a?", "query": {"a b": "c d"})"), "/a?a%20b=c%20d&format=json");
    EXPECT_EQ(path(R"("path": "/a#part")"), "/a?format=json");
}

TEST(RequestRecipeTest, RefusesHeaderInjection) {
    EXPECT_EQ(
        problem_of([] {
            render_request(R"({"method": "GET", "path": "/a", "headers": {"X-A": "{line.evil}"}})");
        }),
        "header X-A: the value contains a line break or another control character");
    EXPECT_NE(problem_of([] {
                  render_request(R"({"method": "GET", "path": "/a", "headers": {"X A": "b"}})");
              }),
              "");
    EXPECT_NE(problem_of([] {
                  render_request(R"({"method": "GET", "path": "/a"})",
                                 R"({"resource": {"default_headers": {"X-A": "a\nb"}}})");
              }),
              "");
}

TEST(RequestRecipeTest, NamesThePartThatFailed) {
    const auto problem = [](const std::string& step) {
        return problem_of(
            [&] { render_request(R"({"method": "POST", "path": "/a", )" + step + "}"); });
    };
    EXPECT_EQ(problem(R"("path": "/a/{line.email}")"), "path: no value for {line.email}");
    EXPECT_EQ(problem(R"("headers": {"X-E": "{line.email}"})"),
              "header X-E: no value for {line.email}");
    EXPECT_EQ(problem(R"("query": {"e": "{line.email}"})"), "query e: no value for {line.email}");
    EXPECT_EQ(problem(R"("body": {"a": {"b": "{line.email}"}})"), "a.b: no value for {line.email}");
    EXPECT_EQ(problem(R"("query": {"e": "{line}"})"), "query e: a query parameter has no members");
    EXPECT_EQ(problem(R"("body_format": "form", "body": {"a": {"b": 1}})"),
              "a: a form has no nested members");
    EXPECT_EQ(problem(R"("headers": {"X-E": "{"})"),
              "header X-E: malformed template \"{\": unbalanced brace at offset 0");
    EXPECT_EQ(problem(R"("body": {"a": ["{x|y}"]})"),
              "a.0: malformed template \"{x|y}\": unknown filter \"y\" at offset 3");
}

TEST(RequestRecipeTest, KeepsSecretsInTheBody) {
    for (const char* step : {R"("path": "/a/{secret.pin}")", R"("query": {"a": "{secret.pin}"})",
                             R"("headers": {"X-A": "{secret.pin}"})"})
        EXPECT_NE(
            problem_of([&] {
                render_request(R"({"method": "GET", "path": "/a", )" + std::string(step) + "}");
            }),
            "")
            << step;
    EXPECT_NE(problem_of([] {
                  render_request(R"({"method": "GET", "path": "/a"})",
                                 R"({"resource": {"default_query": {"a": "__TBS_SECRET_1_1__"}}})");
              }),
              "");
}

TEST(RequestRecipeTest, RefusesMalformedSteps) {
    for (const char* step :
         {"{}", "[]", "1", R"({"method": "GET"})", R"({"path": "/a"})",
          R"({"method": "get", "path": "/a"})", R"({"method": "G T", "path": "/a"})",
          R"({"method": "GET", "path": "a"})", R"({"method": "GET", "path": "/{"})",
          R"({"method": "GET", "path": "/a", "query": "x"})",
          R"({"method": "GET", "path": "/a", "headers": []})",
          R"({"method": "GET", "path": "/a", "body": "x", "body_format": "pdf"})",
          R"({"method": "GET", "path": "/a", "body": "x", "body_format": "text",
                                 "accepts": ["a"]})"})
        EXPECT_NE(problem_of([&] { render_request(step); }), "") << step;
}

}  // namespace
}  // namespace tbs::core

#include "core/body_format.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace tbs::core {
namespace {

using testing::json;
using testing::problem_of;

std::string form(const std::string& document) {
    return serialise(json(document), BodyFormat::form);
}

std::string xml(const std::string& document) {
    const std::string text = serialise(json(document), BodyFormat::xml);
    const std::string declaration = R"(<?xml version="1.0" encoding="UTF-8"?>)";
    EXPECT_TRUE(text.starts_with(declaration));
    return text.substr(declaration.size());
}

TEST(BodyFormatTest, KnowsItsNames) {
    EXPECT_EQ(body_format("json"), BodyFormat::json);
    EXPECT_EQ(body_format("text"), BodyFormat::text);
    EXPECT_THROW((void)body_format("yaml"), RenderError);
    EXPECT_EQ(content_type(BodyFormat::form), "application/x-www-form-urlencoded");
}

TEST(BodyFormatTest, WritesJson) {
    EXPECT_EQ(
        serialise(json(R"({"b": 1, "a": ["x", null, true, 1.5, "q\"\n"]})"), BodyFormat::json),
        R"({"b":1,"a":["x",null,true,1.5,"q\"\n"]})");
    EXPECT_EQ(serialise(Json("text"), BodyFormat::json), R"("text")");
}

TEST(BodyFormatTest, WritesForms) {
    EXPECT_EQ(form(R"({"a": "x y&z=1", "b c": [1, true, "+"], "e": "", "n": null})"),
              "a=x+y%26z%3D1&b+c=1&b+c=true&b+c=%2B&e=&n=");
    EXPECT_EQ(form("{\"u\": \"\xC3\xA9~*-._\"}"), "u=%C3%A9%7E*-._");
    EXPECT_EQ(form(R"({"s": "__TBS_SECRET_7_1__"})"), "s=__TBS_SECRET_7_1__");
    EXPECT_EQ(form("{}"), "");
    EXPECT_EQ(problem_of([] { form(R"({"a": {"b": 1}})"); }), "a: a form has no nested members");
    EXPECT_EQ(problem_of([] { form(R"({"a": [[1]]})"); }), "a: a form has no nested members");
    EXPECT_EQ(problem_of([] { form("[1]"); }), "body: a form body is an object");
}

TEST(BodyFormatTest, WritesXml) {
    EXPECT_EQ(xml(R"({"user": {"name": "Ann & <Lee> \"x\"", "mac": ["a", "b"], "on": true, "n": 1.5,
                               "none": null, "empty": {}, "list": []}})"),
              "<user><name>Ann &amp; &lt;Lee&gt; &quot;x&quot;</name><mac>a</mac><mac>b</mac>"
              "<on>true</on><n>1.5</n><none/><empty/></user>");
    EXPECT_EQ(xml(R"({"a": {"@xmlns": "urn:\"x\"", "@n": 1, "#text": "t", "b": {"@c": "\t"}}})"),
              "<a xmlns=\"urn:&quot;x&quot;\" n=\"1\">t<b c=\"&#9;\"/></a>");
    EXPECT_EQ(xml(R"({"soap:Envelope": "x"})"), "<soap:Envelope>x</soap:Envelope>");
    EXPECT_EQ(xml(R"({"root": ""})"), "<root/>");
}

TEST(BodyFormatTest, RefusesWhatXmlCannotHold) {
    for (const char* document :
         {"[]", "1", "{}", R"({"a": 1, "b": 2})", R"({"a": [1, 2]})", R"({"a b": 1})",
          R"({"1a": 1})", R"({"a": {"><evil": 1}})", R"({"a": {"b": [[1]]}})",
          R"({"a": {"@b": {}}})", R"({"a": {"@": 1}})", R"({"a": "\u0001"})", R"({"a": "\u0000"})",
          R"({"": 1})"})
        EXPECT_NE(problem_of([&] { (void)serialise(json(document), BodyFormat::xml); }), "")
            << document;
    EXPECT_EQ(
        problem_of([] { (void)serialise(json(R"({"a": {"b": "\u0001"}})"), BodyFormat::xml); }),
        "a.b: the value contains a character that XML cannot hold");
}

TEST(BodyFormatTest, WritesText) {
    EXPECT_EQ(serialise(Json("a\nb"), BodyFormat::text), "a\nb");
    EXPECT_EQ(serialise(Json(5), BodyFormat::text), "5");
}

}  // namespace
}  // namespace tbs::core

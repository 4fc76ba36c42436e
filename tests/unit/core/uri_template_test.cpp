#include "core/uri_template.hpp"

#include <gtest/gtest.h>

#include "core/layered_values.hpp"
#include "support.hpp"

namespace tbs::core {
namespace {

using testing::detail_of;
using testing::json;
using testing::problem_of;
using testing::references_of;

// The variables of RFC 6570, section 3.2.
const Json kVariables = json(R"({
    "count": ["one", "two", "three"], "dom": ["example", "com"], "dub": "me/too",
    "hello": "Hello World!", "half": "50%", "var": "value", "who": "fred",
    "base": "http://example.com/home/", "path": "/foo/bar", "list": ["red", "green", "blue"],
    "keys": {"semi": ";", "dot": ".", "comma": ","}, "v": "6", "x": "1024", "y": "768",
    "empty": "", "empty_keys": {}, "undef": null})");

struct Example {
    const char* expression;
    const char* expansion;
};

// All examples of sections 1.2, 2.4 and 3.2 of the RFC.
constexpr Example kExamples[] = {
    // 3.2.1
    {"{count}", "one,two,three"},
    {"{count*}", "one,two,three"},
    {"{/count}", "/one,two,three"},
    {"{/count*}", "/one/two/three"},
    {"{;count}", ";count=one,two,three"},
    {"{;count*}", ";count=one;count=two;count=three"},
    {"{?count}", "?count=one,two,three"},
    {"{?count*}", "?count=one&count=two&count=three"},
    {"{&count*}", "&count=one&count=two&count=three"},
    // 3.2.2 simple
    {"{var}", "value"},
    {"{hello}", "Hello%20World%21"},
    {"{half}", "50%25"},
    {"O{empty}X", "OX"},
    {"O{undef}X", "OX"},
    {"{x,y}", "1024,768"},
    {"{x,hello,y}", "1024,Hello%20World%21,768"},
    {"?{x,empty}", "?1024,"},
    {"?{x,undef}", "?1024"},
    {"?{undef,y}", "?768"},
    {"{var:3}", "val"},
    {"{var:30}", "value"},
    {"{list}", "red,green,blue"},
    {"{list*}", "red,green,blue"},
    {"{keys}", "semi,%3B,dot,.,comma,%2C"},
    {"{keys*}", "semi=%3B,dot=.,comma=%2C"},
    // 3.2.3 reserved
    {"{+var}", "value"},
    {"{+hello}", "Hello%20World!"},
    {"{+half}", "50%25"},
    {"{base}index", "http%3A%2F%2Fexample.com%2Fhome%2Findex"},
    {"{+base}index", "http://example.com/home/index"},
    {"O{+empty}X", "OX"},
    {"O{+undef}X", "OX"},
    {"{+path}/here", "/foo/bar/here"},
    {"here?ref={+path}", "here?ref=/foo/bar"},
    {"up{+path}{var}/here", "up/foo/barvalue/here"},
    {"{+x,hello,y}", "1024,Hello%20World!,768"},
    {"{+path,x}/here", "/foo/bar,1024/here"},
    {"{+path:6}/here", "/foo/b/here"},
    {"{+list}", "red,green,blue"},
    {"{+list*}", "red,green,blue"},
    {"{+keys}", "semi,;,dot,.,comma,,"},
    {"{+keys*}", "semi=;,dot=.,comma=,"},
    // 3.2.4 fragment
    {"{#var}", "#value"},
    {"{#hello}", "#Hello%20World!"},
    {"{#half}", "#50%25"},
    {"foo{#empty}", "foo#"},
    {"foo{#undef}", "foo"},
    {"{#x,hello,y}", "#1024,Hello%20World!,768"},
    {"{#path,x}/here", "#/foo/bar,1024/here"},
    {"{#path:6}/here", "#/foo/b/here"},
    {"{#list}", "#red,green,blue"},
    {"{#list*}", "#red,green,blue"},
    {"{#keys}", "#semi,;,dot,.,comma,,"},
    {"{#keys*}", "#semi=;,dot=.,comma=,"},
    // 3.2.5 label
    {"{.who}", ".fred"},
    {"{.who,who}", ".fred.fred"},
    {"{.half,who}", ".50%25.fred"},
    {"www{.dom*}", "www.example.com"},
    {"X{.var}", "X.value"},
    {"X{.empty}", "X."},
    {"X{.undef}", "X"},
    {"X{.var:3}", "X.val"},
    {"X{.list}", "X.red,green,blue"},
    {"X{.list*}", "X.red.green.blue"},
    {"X{.keys}", "X.semi,%3B,dot,.,comma,%2C"},
    {"X{.keys*}", "X.semi=%3B.dot=..comma=%2C"},
    {"X{.empty_keys}", "X"},
    {"X{.empty_keys*}", "X"},
    // 3.2.6 path segments
    {"{/who}", "/fred"},
    {"{/who,who}", "/fred/fred"},
    {"{/half,who}", "/50%25/fred"},
    {"{/who,dub}", "/fred/me%2Ftoo"},
    {"{/var}", "/value"},
    {"{/var,empty}", "/value/"},
    {"{/var,undef}", "/value"},
    {"{/var,x}/here", "/value/1024/here"},
    {"{/var:1,var}", "/v/value"},
    {"{/list}", "/red,green,blue"},
    {"{/list*}", "/red/green/blue"},
    {"{/list*,path:4}", "/red/green/blue/%2Ffoo"},
    {"{/keys}", "/semi,%3B,dot,.,comma,%2C"},
    {"{/keys*}", "/semi=%3B/dot=./comma=%2C"},
    // 3.2.7 path-style parameters
    {"{;who}", ";who=fred"},
    {"{;half}", ";half=50%25"},
    {"{;empty}", ";empty"},
    {"{;v,empty,who}", ";v=6;empty;who=fred"},
    {"{;v,bar,who}", ";v=6;who=fred"},
    {"{;x,y}", ";x=1024;y=768"},
    {"{;x,y,empty}", ";x=1024;y=768;empty"},
    {"{;x,y,undef}", ";x=1024;y=768"},
    {"{;hello:5}", ";hello=Hello"},
    {"{;list}", ";list=red,green,blue"},
    {"{;list*}", ";list=red;list=green;list=blue"},
    {"{;keys}", ";keys=semi,%3B,dot,.,comma,%2C"},
    {"{;keys*}", ";semi=%3B;dot=.;comma=%2C"},
    // 3.2.8 query
    {"{?who}", "?who=fred"},
    {"{?half}", "?half=50%25"},
    {"{?x,y}", "?x=1024&y=768"},
    {"{?x,y,empty}", "?x=1024&y=768&empty="},
    {"{?x,y,undef}", "?x=1024&y=768"},
    {"{?var:3}", "?var=val"},
    {"{?list}", "?list=red,green,blue"},
    {"{?list*}", "?list=red&list=green&list=blue"},
    {"{?keys}", "?keys=semi,%3B,dot,.,comma,%2C"},
    {"{?keys*}", "?semi=%3B&dot=.&comma=%2C"},
    // 3.2.9 query continuation
    {"{&who}", "&who=fred"},
    {"{&half}", "&half=50%25"},
    {"?fixed=yes{&x}", "?fixed=yes&x=1024"},
    {"{&x,y,empty}", "&x=1024&y=768&empty="},
    {"{&x,y,undef}", "&x=1024&y=768"},
    {"{&var:3}", "&var=val"},
    {"{&list}", "&list=red,green,blue"},
    {"{&list*}", "&list=red&list=green&list=blue"},
    {"{&keys}", "&keys=semi,%3B,dot,.,comma,%2C"},
    {"{&keys*}", "&semi=%3B&dot=.&comma=%2C"},
    // 1.2 levels, where they differ from the above
    {"map?{x,y}", "map?1024,768"},
    {"X{#var}", "X#value"},
    {"X{#hello}", "X#Hello%20World!"},
    {"X{.x,y}", "X.1024.768"},
    // 2.4.1 prefix
    {"{+base:11}x", "http://examx"},
};

std::string expand(const std::string& text, const Json& context) {
    Scope scope;
    scope.context = &context;
    return UriTemplate::parse(text).expand(scope);
}

std::string expand_path(const std::string& text, const std::string& context) {
    const Json data = json(context);
    Scope scope;
    scope.context = &data;
    return UriTemplate::parse(text).expand_path(scope);
}

TEST(UriTemplateTest, ExpandsTheExamplesOfTheRfc) {
    for (const Example& example : kExamples)
        EXPECT_EQ(expand(example.expression, kVariables), example.expansion) << example.expression;
}

TEST(UriTemplateTest, CutsPrefixesBetweenCharacters) {
    // Section 2.4.1: the prefix counts characters, before they are percent-encoded.
    const Json context = json(
        "{\"semi\": \";\", \"name\": \"\xC3\xA9\xE2\x82\xAC"
        "x\"}");
    EXPECT_EQ(expand("{semi:2}", context), "%3B");
    EXPECT_EQ(expand("{name:2}", context), "%C3%A9%E2%82%AC");
}

TEST(UriTemplateTest, ExpandsOtherScalarsAndSkipsNullElements) {
    const Json context = json(R"({"n": 5, "t": true, "l": [null, 1, null, "a"], "e": [],
                                  "nulls": [null], "o": {"a": null, "b c": 2}})");
    EXPECT_EQ(expand("/{n}/{t}{?l*,e*,nulls,o*}", context), "/5/true?l=1&l=a&b%20c=2");
    EXPECT_EQ(expand("{e}{nulls}", context), "");
    EXPECT_THROW(expand("{x}", json(R"({"x": [[1]]})")), RenderError);
    EXPECT_THROW(expand("{x}", json(R"({"x": {"a": {}}})")), RenderError);
    EXPECT_THROW(expand("{x:3}", json(R"({"x": ["a"]})")), RenderError);
}

TEST(UriTemplateTest, TakesDottedNamesAsPaths) {
    const Json context = json(R"({"line": {"extension": "1001"}, "values": {"dial-plan": "a b"}})");
    EXPECT_EQ(expand("/users/{line.extension}{?values.dial-plan}", context),
              "/users/1001?values.dial-plan=a%20b");
}

TEST(UriTemplateTest, EncodesLiterals) {
    EXPECT_EQ(expand("/caf\xC3\xA9/%20/a:b@c", kVariables), "/caf%C3%A9/%20/a:b@c");
}

TEST(UriTemplateTest, RefusesMalformedTemplates) {
    const Example cases[] = {
        {"/a{b", "Unbalanced brace at offset 2."},
        {"/a}b", "Unbalanced brace at offset 2."},
        {"/{a{b}}", "Unbalanced brace at offset 1."},
        {"/{}", "Invalid variable \"\" at offset 2."},
        {"/{a,}", "Invalid variable \"\" at offset 4."},
        {"/{a..b}", "Invalid variable \"a..b\" at offset 2."},
        {"/{a.}", "Invalid variable \"a.\" at offset 2."},
        {"/{a b}", "Invalid variable \"a b\" at offset 2."},
        {"/{a*:3}", "Invalid variable \"a*:3\" at offset 2."},
        {"/{a:3*}", "Invalid variable \"a:3*\" at offset 2."},
        {"/{a:0}", "Invalid prefix length at offset 4."},
        {"/{a:10000}", "Invalid prefix length at offset 4."},
        {"/{a:x}", "Invalid prefix length at offset 4."},
        {"/{=a}", "Unknown operator \"=\" at offset 2."},
        {"/{|a}", "Unknown operator \"|\" at offset 2."},
        {"/{%zz}", "Invalid variable \"%zz\" at offset 2."},
        {"/a b", "Character not allowed in a URI at offset 2."},
        {"/a%zz", "Character not allowed in a URI at offset 2."},
        {"/a\r\nHost: x", "Character not allowed in a URI at offset 2."},
    };
    for (const Example& each : cases)
        EXPECT_EQ(detail_of([&] { expand(each.expression, kVariables); }), each.expansion)
            << each.expression;
}

TEST(UriTemplateTest, ListsReferences) {
    EXPECT_EQ(references_of(UriTemplate::parse("/a/{line.x:3}{/y*,z}{?line.x,secret.q}")),
              (std::vector<std::string>{"line.x", "y", "z", "secret.q"}));
}

TEST(UriTemplateTest, RefusesAPathWithAHole) {
    EXPECT_EQ(expand_path("/users/{u}{?a,b}", R"({"u": "1", "b": "2"})"), "/users/1?b=2");
    EXPECT_EQ(problem_of([] { expand_path("/users/{u}", "{}"); }), ": no value for {u}");
    EXPECT_EQ(problem_of([] { expand_path("/users{/u}", "{}"); }), ": no value for {u}");
    EXPECT_EQ(problem_of([] { expand_path("/users/{+u}", R"({"u": null})"); }),
              ": no value for {u}");
    for (const char* context : {R"({"u": ""})", R"({"u": []})", R"({"u": {}})", R"({"u": [null]})",
                                R"({"u": ["a", ""]})"})
        for (const char* text : {"/users/{u}", "/users{/u*}", "/users/{+u}", "/users/x{.u}"})
            EXPECT_NE(problem_of([&] { expand_path(text, context); }), "") << text << context;
}

TEST(UriTemplateTest, RefusesAPathThatLeadsElsewhere) {
    for (const char* value : {"..", "."}) {
        const std::string context = std::string(R"({"u": ")") + value + R"("})";
        EXPECT_NE(problem_of([&] { expand_path("/users/{u}/x", context); }), "") << value;
        EXPECT_NE(problem_of([&] { expand_path("/users{/u}", context); }), "") << value;
    }
    EXPECT_NE(problem_of([] { expand_path("/a/{+u}", R"({"u": "b/../../c"})"); }), "");
    EXPECT_NE(problem_of([] { expand_path("/a/{+u}", R"({"u": "%2e%2E"})"); }), "");
    EXPECT_NE(problem_of([] { expand_path("{+u}", R"({"u": "@evil.example/"})"); }), "");
    EXPECT_EQ(expand_path("/a/{u}", R"({"u": "%2e%2e"})"), "/a/%252e%252e");
    EXPECT_EQ(expand_path("/a/{u}", R"({"u": "a/b"})"), "/a/a%2Fb");
    EXPECT_EQ(expand_path("/a/{u}{?u}", R"({"u": "..."})"), "/a/...?u=...");
    EXPECT_EQ(expand_path("/a{?u}", R"({"u": "/../"})"), "/a?u=%2F..%2F");
}

TEST(UriTemplateTest, RefusesSecretsInAPath) {
    const char* context =
        R"({"secret": {"pin": {"id": 1, "version": 1}}, "u": "__TBS_SECRET_1_1__"})";
    EXPECT_NE(problem_of([&] { expand_path("/a/{secret.pin}", context); }), "");
    EXPECT_NE(problem_of([&] { expand_path("/a{?secret.pin.id}", context); }), "");
    EXPECT_NE(problem_of([&] { expand_path("/a/{u}", context); }), "");
}

}  // namespace
}  // namespace tbs::core

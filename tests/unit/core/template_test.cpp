#include "core/template.hpp"

#include <gtest/gtest.h>

#include "core/layered_values.hpp"
#include "support.hpp"

namespace tbs::core {
namespace {

using testing::detail_of;
using testing::json;
using testing::problem_of;
using testing::references_of;

const Json kContext = json(R"({
    "line": {"extension": "1001", "slot": 2, "suspended": false, "ratio": 1.5, "email": null,
             "empty": "", "first-name": "Ann", "deep": {"er": {"still": "here"}}},
    "devices": [{"mac": "00:11:22:AA:BB:CC"}, {"mac": "001122aabbdd"}],
    "secret": {"sip_password": {"id": 77, "version": 2}, "broken": "plain text"},
    "0": "digits"
})");

std::optional<Json> render(const std::string& text, bool has_secrets = true) {
    Scope scope;
    scope.context = &kContext;
    scope.has_secrets = has_secrets;
    return Template::parse(text).render(scope);
}

TEST(TemplateTest, KeepsTheTypeOfASingleReference) {
    EXPECT_EQ(render("{line.extension}"), Json("1001"));
    EXPECT_EQ(render("{line.slot}"), Json(2));
    EXPECT_EQ(render("{line.suspended}"), Json(false));
    EXPECT_EQ(render("{line.deep}"), json(R"({"er": {"still": "here"}})"));
    EXPECT_EQ(render("{devices}"), kContext.at("devices"));
}

TEST(TemplateTest, MakesTextOfValuesWithinText) {
    EXPECT_EQ(render("x{line.slot}y"), Json("x2y"));
    EXPECT_EQ(render("{line.extension}-{line.suspended}"), Json("1001-false"));
    EXPECT_EQ(render("r={line.ratio}"), Json("r=1.5"));
    EXPECT_EQ(render("d={line.deep}"), Json(R"(d={"er":{"still":"here"}})"));
}

TEST(TemplateTest, EntersArraysByIndex) {
    EXPECT_EQ(render("{devices.1.mac}"), Json("001122aabbdd"));
    EXPECT_EQ(render("{devices.2.mac?}"), std::nullopt);
    EXPECT_EQ(render("{devices.mac?}"), std::nullopt);
    EXPECT_EQ(render("{devices.99999999999999999999999999?}"), std::nullopt);
    EXPECT_EQ(render("{0}"), Json("digits"));
}

TEST(TemplateTest, TreatsNullAndMissingAlike) {
    EXPECT_EQ(render("{line.email?}"), std::nullopt);
    EXPECT_EQ(render("{line.nothing?}"), std::nullopt);
    EXPECT_EQ(render("<{line.email?}>"), Json("<>"));
    EXPECT_EQ(render("{line.empty}"), Json(""));
    EXPECT_EQ(problem_of([] { render("{line.email}"); }), ": no value for {line.email}");
    EXPECT_EQ(problem_of([] { render("a{line.nothing.at.all}"); }),
              ": no value for {line.nothing.at.all}");
}

TEST(TemplateTest, WritesLiteralBraces) {
    EXPECT_EQ(render("{{}}"), Json("{}"));
    EXPECT_EQ(render("{{{line.extension}}}"), Json("{1001}"));
    EXPECT_EQ(render("{{line.extension}}"), Json("{line.extension}"));
    EXPECT_EQ(render(""), Json(""));
}

TEST(TemplateTest, AppliesFiltersInOrder) {
    EXPECT_EQ(render("{devices.0.mac|mac|slice:0:6|upper}"), Json("001122"));
    EXPECT_EQ(render("{line.nothing?|upper|default:none}"), Json("none"));
    EXPECT_EQ(render("{line.nothing|default:none|upper}"), Json("NONE"));
    EXPECT_EQ(render("{line.slot|default:9}"), Json(2));
    EXPECT_EQ(render("{line.nothing?|upper}"), std::nullopt);
}

TEST(TemplateTest, SaysWhatIsMalformedAndWhere) {
    EXPECT_EQ(detail_of([] { render("a{b"); }), "Unbalanced brace at offset 1.");
    EXPECT_EQ(detail_of([] { render("a}b"); }), "Unbalanced brace at offset 1.");
    EXPECT_EQ(detail_of([] { render("\xC3\xA9{a{b}"); }), "Unbalanced brace at offset 1.");
    EXPECT_EQ(detail_of([] { render("{}"); }), "Invalid reference \"\" at offset 1.");
    EXPECT_EQ(detail_of([] { render("x {a b}"); }), "Invalid reference \"a b\" at offset 3.");
    EXPECT_EQ(detail_of([] { render("{a..b}"); }), "Invalid reference \"a..b\" at offset 1.");
    EXPECT_EQ(detail_of([] { render("{.a}"); }), "Invalid reference \".a\" at offset 1.");
    EXPECT_EQ(detail_of([] { render("{a.}"); }), "Invalid reference \"a.\" at offset 1.");
    EXPECT_EQ(detail_of([] { render("{a??}"); }), "Invalid reference \"a?\?\" at offset 1.");
    EXPECT_EQ(detail_of([] { render("{a|}"); }), "Unknown filter \"\" at offset 3.");
    EXPECT_EQ(detail_of([] { render("{a|lower|nope:1}"); }),
              "Unknown filter \"nope\" at offset 9.");
}

TEST(TemplateTest, ListsReferencesOnceInTheirOrder) {
    const auto parsed = Template::parse("{b.c?|digits} {a} {b.c} {secret.x} {values.dial-plan}");
    EXPECT_EQ(references_of(parsed),
              (std::vector<std::string>{"b.c", "a", "secret.x", "values.dial-plan"}));
    EXPECT_TRUE(references_of(Template::parse("no {{reference}}")).empty());
}

TEST(TemplateTest, PutsAMarkerForASecret) {
    EXPECT_EQ(render("{secret.sip_password}"), Json("__TBS_SECRET_77_2__"));
    EXPECT_EQ(render("pw={secret.sip_password};"), Json("pw=__TBS_SECRET_77_2__;"));
    EXPECT_EQ(render("{secret.other?}"), std::nullopt);
    EXPECT_EQ(problem_of([] { render("{secret.other}"); }), ": no value for {secret.other}");
    EXPECT_EQ(problem_of([] { render("{secret.broken}"); }),
              ": the secret {secret.broken} has no id and version");
    EXPECT_EQ(problem_of([] { render("{secret.sip_password}", false); }),
              ": the secret {secret.sip_password} can only be put into a body");
}

TEST(TemplateTest, LetsAnItemHaveSecretsOfItsOwn) {
    const Json item = json(R"({"secret": {"sip_password": {"id": 5, "version": 1}}})");
    Scope scope;
    scope.context = &kContext;
    scope.item = &item;
    scope.has_secrets = true;
    EXPECT_EQ(Template::parse("{item.secret.sip_password}").render(scope),
              Json("__TBS_SECRET_5_1__"));
}

TEST(TemplateTest, RefusesOtherUsesOfASecret) {
    EXPECT_NE(detail_of([] { render("{secret}"); }), "");
    EXPECT_NE(detail_of([] { render("{secret.sip_password.id}"); }), "");
    EXPECT_NE(detail_of([] { render("{secret.sip_password|lower}"); }), "");
    EXPECT_NE(detail_of([] { render("{secret.x|default:y}"); }), "");
}

TEST(TemplateTest, LetsNobodySmuggleAMarkerIn) {
    const Json context = json(R"({
        "whole": "__TBS_SECRET_1_1__", "first": "__TBS_SE", "second": "CRET_1_1__",
        "small": "__tbs_secret_1_1__", "nested": {"a": ["x", "__TBS_SECRET_"]},
        "name": {"__TBS_SECRET_1_1__": 1}, "tail": "__TBS_SECRET_9_9",
        "secret": {"pin": {"id": 7, "version": 1}}})");
    Scope scope;
    scope.context = &context;
    scope.has_secrets = true;
    for (const char* text :
         {"{whole}", "a {whole}", "{first}{second}", "{small|upper}", "{nested}", "{nested|json}",
          "{name}", "__TBS_SECRET_1_1__", "{secret.pin}{whole}", "{tail}{secret.pin}"})
        EXPECT_NE(problem_of([&] { (void)Template::parse(text).render(scope); }), "") << text;
    EXPECT_EQ(Template::parse("{first} {second}").render(scope), Json("__TBS_SE CRET_1_1__"));
    EXPECT_EQ(Template::parse("{secret.pin}{secret.pin}").render(scope),
              Json("__TBS_SECRET_7_1____TBS_SECRET_7_1__"));
}

TEST(TemplateTest, LooksUpTheNamesOfTheScopeFirst) {
    const Json context = json(R"({"object": {"user": "context"}, "item": {"mac": "context"}})");
    const Json object = json(R"({"user": "1001"})");
    const Json item = json(R"({"mac": "0011"})");
    Scope scope;
    scope.context = &context;
    EXPECT_EQ(Template::parse("{object.user} {item.mac}").render(scope), Json("context context"));
    scope.object = &object;
    scope.item = &item;
    EXPECT_EQ(Template::parse("{object.user} {item.mac}").render(scope), Json("1001 0011"));
    EXPECT_EQ(Template::parse("{item}").render(scope), item);
}

TEST(TemplateTest, RendersIfAnyReferenceHasAValue) {
    Scope scope;
    scope.context = &kContext;
    EXPECT_EQ(Template::parse("{line.a} {line.b}").render_if_any(scope), std::nullopt);
    EXPECT_EQ(Template::parse("{line.a} {line.extension}").render_if_any(scope), Json(" 1001"));
    EXPECT_EQ(Template::parse("{line.a}").render_if_any(scope), std::nullopt);
    EXPECT_EQ(Template::parse("constant").render_if_any(scope), Json("constant"));
}

}  // namespace
}  // namespace tbs::core

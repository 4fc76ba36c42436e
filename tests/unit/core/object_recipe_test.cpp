#include "core/object_recipe.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace tbs::core {
namespace {

using testing::json;

const char* const kContext = R"({
    "line": {"extension": "1001", "telephone_number": "+18585551234", "email": null},
    "network_information": {"switch_domain": "acme"},
    "secret": {"pin": {"id": 7, "version": 3}},
    "layers": [{"layer": "type_default", "parameters": {"dial-plan": "US", "area-code": "858"}},
               {"layer": "line", "columns": {"first_name": "Ann"}, "parameters": {"area-code": null}}]})";

RenderedObject render(const std::string& recipe, const char* item = nullptr) {
    const Json context = json(kContext);
    if (item == nullptr) return ObjectRecipe::parse(json(recipe)).render(context, nullptr);
    const Json value = json(item);
    return ObjectRecipe::parse(json(recipe)).render(context, &value);
}

TEST(ObjectRecipeTest, RendersIdentityKeyFindValueAndContent) {
    const RenderedObject object = render(R"({
        "identity": {"user": "{line.extension}", "domain": "{network_information.switch_domain}"},
        "key": "{object.user}@{object.domain}",
        "find_value": "{line.telephone_number|digits}",
        "business_values": {"line": {"name-first-name": "{first_name}"}},
        "content": {"body": {"user": "{object.user}", "pin": "{secret.pin}", "plan": "{values.dial-plan}"},
                    "accepts": ["name-first-name", "area-code", "unknown"]}})");
    EXPECT_FALSE(object.problem);
    EXPECT_EQ(object.identity, json(R"({"user": "1001", "domain": "acme"})"));
    EXPECT_EQ(object.key, "1001@acme");
    EXPECT_EQ(object.find_value, "18585551234");
    EXPECT_EQ(object.content, json(R"({"user": "1001", "pin": "__TBS_SECRET_7_3__", "plan": "US",
                                       "name-first-name": "Ann"})"));
}

TEST(ObjectRecipeTest, UsesTheItem) {
    const RenderedObject object =
        render(R"({"identity": {"mac": "{item.mac|mac}"}, "key": "{object.mac}"})",
               R"({"mac": "00:11:22:33:44:55"})");
    EXPECT_EQ(object.key, "001122334455");
    const RenderedObject without = render(R"({"key": "{item.mac}"})");
    ASSERT_TRUE(without.problem);
    EXPECT_EQ(without.problem->member, "key");
}

TEST(ObjectRecipeTest, LeavesOutWhatTheRecipeDoesNotHave) {
    const RenderedObject object = render(R"({"key": "k", "find_value": null, "content": null})");
    EXPECT_FALSE(object.problem);
    EXPECT_EQ(object.key, "k");
    EXPECT_FALSE(object.identity);
    EXPECT_FALSE(object.find_value);
    EXPECT_FALSE(object.content);
    EXPECT_FALSE(render(R"({"content": {"path": "/x"}})").content);
    EXPECT_FALSE(render(R"({"find_value": "{line.email?}"})").find_value);
}

TEST(ObjectRecipeTest, MakesWhatCanBeMadeBesidesAProblem) {
    const RenderedObject object = render(R"({
        "identity": {"user": "{line.extension}"}, "key": "{object.user}",
        "content": {"body": {"a": {"email": "{line.email}"}}}})");
    EXPECT_EQ(object.key, "1001");
    EXPECT_FALSE(object.content);
    ASSERT_TRUE(object.problem);
    EXPECT_EQ(object.problem->member, "a.email");
    EXPECT_EQ(object.problem->message, "no value for {line.email}");
}

TEST(ObjectRecipeTest, ReportsTheFirstProblem) {
    const RenderedObject no_key = render(R"({"key": "{line.email}", "find_value": "{nothing}"})");
    ASSERT_TRUE(no_key.problem);
    EXPECT_EQ(no_key.problem->member, "key");
    const RenderedObject no_identity = render(R"({"identity": {"a": "{line.email}"}, "key": "x"})");
    ASSERT_TRUE(no_identity.problem);
    EXPECT_EQ(no_identity.problem->member, "identity.a");
    EXPECT_FALSE(no_identity.key);
    const RenderedObject empty_key = render(R"({"key": "{line.email?}{line.email?}"})");
    ASSERT_TRUE(empty_key.problem);
    EXPECT_FALSE(empty_key.key);
}

TEST(ObjectRecipeTest, KeepsSecretsOutOfIdentityAndKey) {
    EXPECT_TRUE(render(R"({"identity": {"a": "{secret.pin}"}})").problem);
    EXPECT_TRUE(render(R"({"key": "{secret.pin}"})").problem);
    EXPECT_TRUE(render(R"({"find_value": "{secret.pin}"})").problem);
}

TEST(ObjectRecipeTest, ReportsMalformedRecipes) {
    EXPECT_THROW(render(R"({"key": "{"})"), RenderError);
    EXPECT_THROW(render(R"({"identity": {"a": "{"}})"), RenderError);
    EXPECT_THROW(render(R"({"content": {"accepts": "name"}})"), RenderError);
    EXPECT_THROW(render(R"({"content": {"body": 1, "body_format": "yaml"}})"), RenderError);
}

TEST(ContentRecipeTest, ANullLayerDropsAMemberOfTheBody) {
    EXPECT_EQ(render(R"({"content": {"body": {"area-code": "619", "x": 1}}})").content,
              json(R"({"x": 1})"));
    EXPECT_EQ(render(R"({"values_from": "customer",
                         "content": {"body": {"area-code": "619"}, "accepts": ["area-code"]}})")
                  .content,
              json(R"({"area-code": "858"})"));
}

TEST(ContentRecipeTest, AcceptedValuesNeedNoBody) {
    EXPECT_EQ(render(R"({"content": {"accepts": ["dial-plan"]}})").content,
              json(R"({"dial-plan": "US"})"));
    EXPECT_EQ(render(R"({"content": {"accepts": ["nothing"]}})").content, json("{}"));
    EXPECT_TRUE(render(R"({"content": {"body": [1], "accepts": ["dial-plan"]}})").problem);
}

TEST(ContentRecipeTest, AcceptsIntoTheRootOfAnXmlBody) {
    EXPECT_EQ(render(R"({"content": {"body": {"user": {"a": 1}}, "body_format": "xml",
                                     "accepts": ["dial-plan"]}})")
                  .content,
              json(R"({"user": {"a": 1, "dial-plan": "US"}})"));
}

TEST(ContentRecipeTest, RefusesAMarkerInALayer) {
    const Json context = json(
        R"({"layers": [{"layer": "line", "parameters": {"a": {"b": ["__TBS_SECRET_1_1__"]}}}]})");
    const RenderedObject object =
        ObjectRecipe::parse(json(R"({"content": {"accepts": ["a"]}})")).render(context, nullptr);
    ASSERT_TRUE(object.problem);
    EXPECT_EQ(object.problem->member, "a");
}

}  // namespace
}  // namespace tbs::core

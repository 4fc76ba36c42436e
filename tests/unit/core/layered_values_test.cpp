#include "core/layered_values.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace tbs::core {
namespace {

using testing::json;
using testing::problem_of;

// name=value@layer for each name, in order.
std::vector<std::string> merge(const std::string& recipe, const std::string& layers) {
    const Json context = json(R"({"layers": )" + layers + "}");
    const LayerRecipe parsed = LayerRecipe::parse(json(recipe));
    const LayeredValues values = parsed.merge(context);
    std::vector<std::string> result;
    for (const LayeredValue& value : values.all())
        result.push_back(std::string(value.name) + '=' + value.value->dump() + '@' +
                         std::string(value.layer));
    return result;
}

using Lines = std::vector<std::string>;

TEST(LayeredValuesTest, LetsTheNearestWin) {
    EXPECT_EQ(merge("{}", R"([{"layer": "type_default", "parameters": {"a": 1, "b": 1, "c": 1}},
                              {"layer": "association", "parameters": {"b": 2, "c": 2}},
                              {"layer": "line", "parameters": {"c": 3}}])"),
              (Lines{"a=1@type_default", "b=2@association", "c=3@line"}));
}

TEST(LayeredValuesTest, ReadsBusinessValuesBeforeParameters) {
    EXPECT_EQ(
        merge(R"({"business_values": {"line": {"first": "{first_name}", "second": "{last_name}",
                                                     "both": "{x}{y}", "fixed": "yes", "raw": true}}})",
              R"([{"layer": "line", "columns": {"first_name": "Ann", "last_name": "Lee"},
                         "parameters": {"second": "Override"}}])"),
        (Lines{"first=\"Ann\"@line", "second=\"Override\"@line", "fixed=\"yes\"@line",
               "raw=true@line"}));
}

TEST(LayeredValuesTest, TakesStringsOfParametersAsValues) {
    EXPECT_EQ(merge("{}", R"([{"layer": "line", "parameters": {"a": "{first_name} {{"}}])"),
              Lines{"a=\"{first_name} {{\"@line"});
}

TEST(LayeredValuesTest, SuspensionAndCorrectionAreNearestWhereverTheyStand) {
    const std::string layers = R"([{"layer": "correction", "parameters": {"c": 3}},
                                   {"layer": "suspension", "parameters": {"b": 2, "c": 2}},
                                   {"layer": "device", "parameters": {"a": 1, "b": 1, "c": 1}}])";
    EXPECT_EQ(merge("{}", layers), (Lines{"a=1@device", "b=2@suspension", "c=3@correction"}));
    EXPECT_EQ(merge(R"({"values_from": "line"})", layers),
              (Lines{"b=2@suspension", "c=3@correction"}));
    // What several lines share does not follow one of them.
    EXPECT_EQ(merge(R"({"values_from": "network_information"})", layers), Lines{});
}

TEST(LayeredValuesTest, StopsAtNullAndKeepsEmptyText) {
    EXPECT_EQ(merge("{}", R"([{"layer": "type_default", "parameters": {"a": 1, "b": 1, "c": null}},
                              {"layer": "customer", "parameters": {"a": null, "b": "", "c": 2}}])"),
              (Lines{"a=null@customer", "b=\"\"@customer", "c=2@customer"}));
}

TEST(LayeredValuesTest, AColumnWithoutValueStopsNothing) {
    EXPECT_EQ(merge(R"({"business_values": {"line": {"a": "{name}"}}})",
                    R"([{"layer": "type_default", "parameters": {"a": 1}},
                        {"layer": "line", "columns": {"name": null}}])"),
              Lines{"a=1@type_default"});
}

TEST(LayeredValuesTest, IgnoresLayersNearerThanTheRecipeWants) {
    const char* layers = R"([{"layer": "type_default", "parameters": {"a": 1}},
                             {"layer": "line", "parameters": {"a": 2}},
                             {"layer": "line_usoc", "parameters": {"a": 3}},
                             {"layer": "device", "parameters": {"a": 4}}])";
    EXPECT_EQ(merge(R"({"values_from": "line"})", layers), Lines{"a=2@line"});
    EXPECT_EQ(merge(R"({"values_from": "device"})", layers), Lines{"a=4@device"});
    EXPECT_EQ(merge(R"({"values_from": null})", layers), Lines{"a=4@device"});
    EXPECT_EQ(merge(R"({"values_from": "resource_default"})", layers), Lines{"a=1@type_default"});
}

TEST(LayeredValuesTest, KeepsWhatAUsocSaysFromWhatHangsOnNetworkInformationAlone) {
    const char* layers = R"([{"layer": "type_default", "parameters": {"a": 1}},
                             {"layer": "association", "parameters": {"a": 2}},
                             {"layer": "master_usoc", "parameters": {"a": 3}},
                             {"layer": "network_information_parent", "parameters": {"b": 4}}])";
    EXPECT_EQ(merge(R"({"values_from": "network_information_parent"})", layers),
              (Lines{"a=1@type_default", "b=4@network_information_parent"}));
    EXPECT_EQ(merge(R"({"values_from": "network_information"})", layers),
              (Lines{"a=1@type_default", "b=4@network_information_parent"}));
    EXPECT_EQ(merge(R"({"values_from": "customer"})", layers),
              (Lines{"a=3@master_usoc", "b=4@network_information_parent"}));
    EXPECT_EQ(merge(R"({"values_from": "master_usoc"})", layers), Lines{"a=3@master_usoc"});
}

TEST(LayeredValuesTest, AcceptsSeveralLayersOfOneName) {
    EXPECT_EQ(merge(R"({"business_values": {"network_information": {"site": "{site}"}}})",
                    R"([{"layer": "network_information", "columns": {"site": "parent"}},
                        {"layer": "network_information", "columns": {"site": "child"}}])"),
              Lines{"site=\"child\"@network_information"});
}

TEST(LayeredValuesTest, DoesWithoutLayers) {
    EXPECT_TRUE(merge("{}", "[]").empty());
    EXPECT_TRUE(merge("{}", "null").empty());
    EXPECT_TRUE(merge("{}", R"([{"layer": "line"}])").empty());
}

TEST(LayeredValuesTest, ReportsProblems) {
    EXPECT_NE(problem_of([] { merge(R"({"values_from": "nowhere"})", "[]"); }), "");
    EXPECT_NE(problem_of([] { merge(R"({"business_values": {"nowhere": {}}})", "[]"); }), "");
    EXPECT_NE(problem_of([] { merge("{}", R"([{"layer": "nowhere"}])"); }), "");
    EXPECT_NE(problem_of([] { merge("{}", R"([{"parameters": {}}])"); }), "");
    EXPECT_EQ(problem_of([] {
                  merge(R"({"business_values": {"line": {"a": "{mac|mac}"}}})",
                        R"([{"layer": "line", "columns": {"mac": "x"}}])");
              }),
              "values.a: \"x\" is not a MAC address");
    EXPECT_NE(problem_of([] { merge(R"({"business_values": {"line": {"a": "{"}}})", "[]"); }), "");
}

TEST(LayeredValuesTest, FindsWhatIsSent) {
    const Json context =
        json(R"({"layers": [{"layer": "line", "parameters": {"a": {"b": 1}, "c": null}}]})");
    const LayerRecipe recipe = LayerRecipe::parse(json("{}"));
    const LayeredValues values = recipe.merge(context);
    ASSERT_NE(values.find("a"), nullptr);
    EXPECT_EQ(values.find("c"), nullptr);
    EXPECT_EQ(values.find("d"), nullptr);
    EXPECT_EQ(values.sent(), json(R"({"a": {"b": 1}})"));

    Scope scope;
    scope.values = &values;
    EXPECT_EQ(Template::parse("{values.a.b}").render(scope), Json(1));
    EXPECT_EQ(Template::parse("{values}").render(scope), json(R"({"a": {"b": 1}})"));
    EXPECT_EQ(Template::parse("{values.c?}").render(scope), std::nullopt);
}

}  // namespace
}  // namespace tbs::core

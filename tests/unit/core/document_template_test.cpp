#include "core/document_template.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace tbs::core {
namespace {

using testing::detail_of;
using testing::json;
using testing::problem_of;
using testing::references_of;

std::optional<Json> render(const std::string& document, const std::string& context) {
    const Json data = json(context);
    Scope scope;
    scope.context = &data;
    scope.has_secrets = true;
    return DocumentTemplate::parse(json(document)).render(scope);
}

TEST(DocumentTemplateTest, RendersLeavesAndKeepsTheRest) {
    EXPECT_EQ(render(R"({"a": "{x}", "b": {"c": ["{x}", 1, true, null, "t{x}"]}})", R"({"x": 5})"),
              json(R"({"a": 5, "b": {"c": [5, 1, true, null, "t5"]}})"));
}

TEST(DocumentTemplateTest, DropsOptionalMembersAndElements) {
    EXPECT_EQ(
        render(R"({"a": "{x?}", "b": ["{x?}", "{y}", "{x?}"], "c": "[{x?}]", "d": {"e": "{x?}"}})",
               R"({"y": 1})"),
        json(R"({"b": [1], "c": "[]", "d": {}})"));
    EXPECT_EQ(render(R"("{x?}")", "{}"), std::nullopt);
}

TEST(DocumentTemplateTest, NamesTheMemberOfAProblem) {
    EXPECT_EQ(problem_of([] { render(R"({"a": {"b": ["ok", "{x}"]}})", "{}"); }),
              "a.b.1: no value for {x}");
    EXPECT_EQ(problem_of([] { render(R"("{x}")", "{}"); }), "body: no value for {x}");
    EXPECT_EQ(detail_of([] { render(R"({"a": {"b": ["ok", "{x"]}})", "{}"); }),
              "Unbalanced brace at offset 0 in member a.b.1.");
}

TEST(DocumentTemplateTest, TakesMemberNamesAsTheyAre) {
    EXPECT_EQ(render(R"({"{x}": "{x}"})", R"({"x": 1})"), json(R"({"{x}": 1})"));
}

TEST(DocumentTemplateTest, ListsReferencesOfAllLeaves) {
    EXPECT_EQ(references_of(DocumentTemplate::parse(
                  json(R"({"a": "{x.y} {z}", "b": [{"c": "{secret.pin}"}, "{x.y?}"], "d": 1})"))),
              (std::vector<std::string>{"x.y", "z", "secret.pin"}));
}

TEST(DocumentTemplateTest, LimitsTheDepth) {
    Json deep = 1;
    for (std::size_t i = 0; i < kMaximumDepth; ++i) deep = Json::array({deep});
    EXPECT_NO_THROW((void)DocumentTemplate::parse(deep));
    EXPECT_THROW((void)DocumentTemplate::parse(Json::array({deep})), RenderError);
}

}  // namespace
}  // namespace tbs::core

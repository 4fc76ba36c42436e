#include "core/json.hpp"

#include <gtest/gtest.h>

#include "core/json_events.hpp"
#include "core/path.hpp"
#include "support.hpp"

namespace tbs::core {
namespace {

using testing::json;
using testing::problem_of;
using Kind = JsonEvent::Kind;

TEST(JsonTest, KeepsNumbersExact) {
    EXPECT_EQ(exact_number("18585551234").dump(), "18585551234");
    EXPECT_EQ(exact_number("-9223372036854775808").dump(), "-9223372036854775808");
    EXPECT_EQ(exact_number("18446744073709551615").dump(), "18446744073709551615");
    EXPECT_EQ(exact_number("1.50").dump(), "1.5");
    EXPECT_EQ(exact_number("0.1").dump(), "0.1");
    EXPECT_EQ(exact_number("-0.000000123456789").dump(), "-1.23456789e-07");
    EXPECT_EQ(exact_number("100000000000000000000").get<double>(), 1e20);
    EXPECT_EQ(exact_number("0.0").dump(), "0.0");
}

TEST(JsonTest, RefusesNumbersThatWouldLoseDigits) {
    for (const char* text : {"18446744073709551617", "0.1234567890123456", "1e400",
                             "123456789012345678.5", "", "x", "NaN"})
        EXPECT_THROW((void)exact_number(text), RenderError) << text;
}

TEST(JsonTest, MakesTextOfValues) {
    EXPECT_EQ(to_text(Json("as is")), "as is");
    EXPECT_EQ(to_text(Json(true)), "true");
    EXPECT_EQ(to_text(json(R"({"a": [1, null]})")), R"({"a":[1,null]})");
    EXPECT_EQ(to_json_text(Json("\xFF")), "\"\xEF\xBF\xBD\"");
}

TEST(JsonTest, BuildsValuesOfEventsAndEventsOfValues) {
    const Json value = json(
        R"({"s": "text", "n": [1, -2.5, true, false, null, []], "o": {"": {}}, "b": 18446744073709551615})");
    EXPECT_EQ(build_json(to_events(value).events), value);
    for (const char* scalar : {"1", "\"x\"", "null", "true", "[]", "{}"})
        EXPECT_EQ(build_json(to_events(json(scalar)).events), json(scalar));
}

TEST(JsonTest, SurvivesBrokenEvents) {
    EXPECT_EQ(build_json({}), Json(nullptr));
    for (const Kind kind :
         {Kind::begin_object, Kind::end_object, Kind::begin_array, Kind::end_array, Kind::key}) {
        const JsonEvent events[] = {{kind, 5, "a"}, {kind, 0, "b"}};
        EXPECT_NO_THROW((void)build_json(events));
    }
}

TEST(JsonTest, LimitsTheDepth) {
    const std::vector<JsonEvent> ok(kMaximumDepth, JsonEvent{Kind::begin_array, 1, {}});
    EXPECT_NO_THROW((void)build_json(ok));
    const std::vector<JsonEvent> deep(100000, JsonEvent{Kind::begin_array, 1, {}});
    EXPECT_EQ(problem_of([&] { (void)build_json(deep); }),
              ": the document is nested more than 64 levels deep");
}

TEST(PathTest, JudgesPaths) {
    for (const char* path : {"a", "a.b", "a-b.c_d.0", "0"}) EXPECT_TRUE(Path::is_valid(path));
    for (const char* path : {"", ".", "a.", ".a", "a..b", "a b", "a/b", "\xC3\xA9"})
        EXPECT_FALSE(Path::is_valid(path)) << path;
}

}  // namespace
}  // namespace tbs::core

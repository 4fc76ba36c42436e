#include "core/filter.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "support.hpp"

namespace tbs::core {
namespace {

std::string filtered(const std::string& filter, const Json& value) {
    return Filter::parse(filter).apply(value)->get<std::string>();
}

struct Case {
    const char* filter;
    Json value;
    const char* expected;
};

TEST(FilterTest, FormatsValues) {
    const Case cases[] = {
        {"digits", "+1 (858) 555-1234", "18585551234"},
        {"digits", 42, "42"},
        {"digits", "none", ""},
        {"e164", "+1 (858) 555-1234", "+18585551234"},
        {"e164", 18585551234, "+18585551234"},
        {"lower", "ABC\xC3\x89", "abc\xC3\x89"},
        {"upper", "straSSe 1", "STRASSE 1"},
        {"mac", "00:11:22:AA:bb:CC", "001122aabbcc"},
        {"mac", "0011.22AA.BBCC", "001122aabbcc"},
        {"mac", "00-11-22-aa-bb-cc", "001122aabbcc"},
        {"date:%Y%m%d", "2025-01-31", "20250131"},
        {"date:%d/%m/%Y %H:%M:%S", "2025-01-31T23:59:58.123456+00:00", "31/01/2025 23:59:58"},
        {"date:%Y-%m-%d %H:%M", "2024-02-29 07:08Z", "2024-02-29 07:08"},
        {"date:%H%%", "2025-01-31", "00%"},
        {"yes_no", true, "yes"},
        {"yes_no", false, "no"},
        {"yes_no", "false", "no"},
        {"yes_no", "yes", "yes"},
        {"default:x", "there", "there"},
        {"slice:0:3", "8585551234", "858"},
        {"slice:3:99", "8585551234", "5551234"},
        {"slice:99:1", "858", ""},
        {"slice:1:2", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z", "\xE2\x82\xAC\xF0\x9F\x98\x80"},
        {"json", "a\"b", R"("a\"b")"},
        {"json", Json::array({1, "a"}), R"([1,"a"])"},
    };
    for (const Case& each : cases)
        EXPECT_EQ(filtered(each.filter, each.value), each.expected)
            << each.filter << " of " << each.value;
}

TEST(FilterTest, RefusesValuesThatDoNotFit) {
    const std::pair<const char*, Json> cases[] = {
        {"e164", "no number"},
        {"e164", "1234567890123456"},
        {"mac", "001122aabbc"},
        {"mac", "001122aabbccdd"},
        {"mac", "001122aabbcg"},
        {"mac", ""},
        {"date:%Y", "2025-13-01"},
        {"date:%Y", "2025-02-29"},
        {"date:%Y", "2025-1-01"},
        {"date:%Y", "yesterday"},
        {"date:%Y", "2025-01-01x"},
        {"date:%H", "2025-01-01T25:00"},
        {"date:%H", "2025-01-01T1"},
        {"yes_no", "perhaps"},
        {"yes_no", 1},
        {"date:%Y", "1900-02-29"},
        {"date:%Y", ""},
        {"date:%Y", "2025-04-31"},
    };
    for (const auto& [filter, value] : cases)
        EXPECT_NE(
            testing::problem_of([&filter = filter, &value = value] { filtered(filter, value); }),
            "")
            << filter << " of " << value;
}

TEST(FilterTest, LeavesNoValueAlone) {
    for (const char* filter :
         {"digits", "e164", "lower", "upper", "mac", "date:%Y", "yes_no", "slice:0:1", "json"})
        EXPECT_EQ(Filter::parse(filter).apply(std::nullopt), std::nullopt) << filter;
    EXPECT_EQ(Filter::parse("default:a:b c").apply(std::nullopt), Json("a:b c"));
    EXPECT_EQ(Filter::parse("default:").apply(std::nullopt), Json(""));
}

TEST(FilterTest, RefusesMalformedFilters) {
    for (const char* filter :
         {"", "nope", "digits:1", "date", "date:", "date:%q", "date:%", "default", "slice",
          "slice:1", "slice:a:1", "slice:1:-1", "slice::", "slice:1:2:3", "Digits", " digits"})
        EXPECT_THROW((void)Filter::parse(filter), std::invalid_argument) << filter;
}

}  // namespace
}  // namespace tbs::core

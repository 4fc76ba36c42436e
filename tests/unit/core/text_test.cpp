#include "core/text.hpp"

#include <gtest/gtest.h>

namespace tbs::core {
namespace {

TEST(TextTest, TellsWellFormedUtf8) {
    EXPECT_EQ(utf8_length("a", 0), 1U);
    EXPECT_EQ(utf8_length("\xC3\xA9", 0), 2U);
    EXPECT_EQ(utf8_length("\xE2\x82\xAC", 0), 3U);
    EXPECT_EQ(utf8_length("\xF0\x9F\x98\x80", 0), 4U);
    for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3x", "\xE0\x80\x80",
                            "\xED\xA0\x80", "\xE2\x82", "\xF0\x80\x80\x80", "\xF4\x90\x80\x80",
                            "\xF5\x80\x80\x80", "\xFF", "\xF0\x9F\x98"})
        EXPECT_EQ(utf8_length(bad, 0), 0U) << bad;
    EXPECT_EQ(utf8_length("", 0), 0U);
}

TEST(TextTest, CountsCharactersAndStrayBytes) {
    EXPECT_EQ(count_characters("a\xC3\xA9\xFF"), 3U);
    EXPECT_EQ(byte_offset("a\xC3\xA9"
                          "b",
                          2),
              3U);
    EXPECT_EQ(byte_offset("ab", 9), 2U);
}

TEST(TextTest, ShortensBetweenCharacters) {
    EXPECT_EQ(shortened("abc", 3), "abc");
    EXPECT_EQ(shortened("\xC3\xA9\xC3\xA9", 2), "\xC3\xA9\xC3\xA9");
    EXPECT_EQ(shortened("\xC3\xA9\xC3\xA9\xC3\xA9", 2), "\xC3\xA9\xE2\x80\xA6");
    EXPECT_EQ(shortened("abc", 1), "\xE2\x80\xA6");
    EXPECT_EQ(shortened("abc", 0), "");
}

TEST(TextTest, QuotesForMessages) {
    EXPECT_EQ(in_quotes("a\x01\xFF"), "\"a\xEF\xBF\xBD\xEF\xBF\xBD\"");
    EXPECT_EQ(count_characters(in_quotes(std::string(5000, 'x'))), 122U);
}

TEST(TextTest, ComparesIgnoringCase) {
    EXPECT_TRUE(equals_ignoring_case("PassWord", "passwORD"));
    EXPECT_FALSE(equals_ignoring_case("a", "ab"));
    EXPECT_FALSE(equals_ignoring_case("a", "b"));
}

}  // namespace
}  // namespace tbs::core

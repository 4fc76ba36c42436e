#include "bridge/text.hpp"

#include <gtest/gtest.h>

namespace tbs::bridge {
namespace {

std::string json(std::string_view text) {
    std::string out;
    append_json_escaped(out, text);
    return out;
}

std::string form(std::string_view text) {
    std::string out;
    append_form_escaped(out, text);
    return out;
}

std::string xml(std::string_view text) {
    std::string out;
    append_xml_escaped(out, text);
    return out;
}

TEST(TextTest, JsonEscapes) {
    EXPECT_EQ(json("a\"b\\c\n\r\t\x01"), "a\\\"b\\\\c\\n\\r\\t\\u0001");
    EXPECT_EQ(json("Zürich €"), "Zürich €");
    EXPECT_EQ(json("\xf0\x9f\x93\x9e"), "\xf0\x9f\x93\x9e");
}

TEST(TextTest, JsonReplacesWhatPostgresqlCannotStore) {
    const std::string replacement = "\xef\xbf\xbd";
    EXPECT_EQ(json(std::string_view{"a\0b", 3}), "a" + replacement + "b");
    EXPECT_EQ(json("\xff"), replacement);
    EXPECT_EQ(json("\xc3"), replacement);                                      // cut off
    EXPECT_EQ(json("\xc0\xaf"), replacement + replacement);                    // overlong
    EXPECT_EQ(json("\xed\xa0\x80"), replacement + replacement + replacement);  // surrogate
    EXPECT_EQ(json("\xf4\x90\x80\x80").size(), 12U);                           // beyond Unicode
}

TEST(TextTest, FormEscapes) {
    EXPECT_EQ(form("a b+c&d=é"), "a+b%2Bc%26d%3D%C3%A9");
    EXPECT_EQ(form("-._*~"), "-._*%7E");
}

TEST(TextTest, XmlEscapes) {
    EXPECT_EQ(xml("<a b='\"'>&"), "&lt;a b=&apos;&quot;&apos;&gt;&amp;");
}

TEST(TextTest, Base64) {
    EXPECT_EQ(base64(""), "");
    EXPECT_EQ(base64("f"), "Zg==");
    EXPECT_EQ(base64("fo"), "Zm8=");
    EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(base64("\xff\xfe"), "//4=");
}

TEST(TextTest, SmallOnes) {
    EXPECT_EQ(lower_case("Content-TYPE"), "content-type");
    EXPECT_EQ(trim("  a b \r\n"), "a b");
    EXPECT_EQ(trim(" \t"), "");
    EXPECT_TRUE(equal_ignoring_case("AbC", "aBc"));
    EXPECT_FALSE(equal_ignoring_case("abc", "abcd"));
}

}  // namespace
}  // namespace tbs::bridge

#include "core/answer.hpp"

#include <gtest/gtest.h>

#include "core/text.hpp"
#include "support.hpp"

namespace tbs::core {
namespace {

const SecretMembers kSecrets({"password"});

bool is_storable(std::string_view answer) {
    return storable_json(answer).has_value();
}

std::string nested(std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
}

TEST(AnswerTest, TakesJson) {
    for (const char* answer : {"{}", "[]", "1", "\"x\"", "null", " {\"a\": [1, -2.5e3, true]} \r\n",
                               "\"\\u00e9\\ud83d\\ude00\"", "12345678901234567890123456789",
                               "1e308", "1e-16000", "{\"a\": 1, \"a\": 2}", "0e5"})
        EXPECT_TRUE(is_storable(answer)) << answer;
    EXPECT_EQ(storable_json("\xEF\xBB\xBF{}"), "{}");
}

TEST(AnswerTest, RefusesWhatCannotBeStored) {
    for (const char* answer : {"",
                               " ",
                               "{",
                               "{}x",
                               "nope",
                               "{'a': 1}",
                               "[1,]",
                               "\"\n\"",
                               "01",
                               "+1",
                               ".5",
                               "NaN",
                               "1e400",
                               "-1e400",
                               "1e-16384",
                               "1e-99999999999999999999",
                               "0e999999999",
                               "\"\\u0000\"",
                               "{\"\\u0000\": 1}",
                               "\"\\ud800\"",
                               "\"\\udc00\\ud800\"",
                               "\"\xFF\"",
                               "\"\xC0\x80\"",
                               "\"\xED\xA0\x80\"",
                               "\"\xF5\x80\x80\x80\"",
                               "// comment\n{}",
                               "\xEF\xBB\xBF\xEF\xBB\xBF{}",
                               "\xFF\xFE{}",
                               "<html></html>"})
        EXPECT_FALSE(is_storable(answer)) << answer;
    EXPECT_FALSE(is_storable(std::string_view("{}\0", 3)));
    EXPECT_FALSE(is_storable(std::string_view("{}\0garbage", 10)));
    EXPECT_FALSE(is_storable("0." + std::string(16384, '0') + "1"));
    EXPECT_TRUE(is_storable("0." + std::string(16000, '0') + "1"));
}

TEST(AnswerTest, LimitsTheDepth) {
    EXPECT_TRUE(is_storable(nested(256)));
    EXPECT_FALSE(is_storable(nested(257)));
    EXPECT_FALSE(is_storable(std::string(1000000, '[')));
}

TEST(AnswerTest, ShowsJsonCompactAndMasked) {
    EXPECT_EQ(answer_text(R"({ "a": 1, "password": "x" })", 100, kSecrets),
              R"({"a":1,"password":"***"})");
}

TEST(AnswerTest, ShowsAnyBytesAsText) {
    EXPECT_EQ(answer_text(std::string_view("a\0b\xFF\x1B[1m\t\n", 10), 100, kSecrets),
              "a\xEF\xBF\xBD"
              "b\xEF\xBF\xBD\xEF\xBF\xBD[1m\t\n");
    EXPECT_EQ(answer_text("<password>x</password>", 100, kSecrets), "<password>***</password>");
    EXPECT_EQ(answer_text(std::string_view("{\"password\":\"x\"}\0", 17), 100, kSecrets),
              "{\"password\":\"***\"}\xEF\xBF\xBD");
    EXPECT_EQ(answer_text("", 100, kSecrets), "");
}

TEST(AnswerTest, ShortensAndSaysSo) {
    EXPECT_EQ(answer_text("abcdef", 6, kSecrets), "abcdef");
    EXPECT_EQ(answer_text("abcdef", 5, kSecrets), "abcd\xE2\x80\xA6");
    EXPECT_EQ(answer_text("\xC3\xA9\xC3\xA9\xC3\xA9", 3, kSecrets), "\xC3\xA9\xC3\xA9\xC3\xA9");
    EXPECT_EQ(answer_text("\xC3\xA9\xC3\xA9\xC3\xA9", 2, kSecrets), "\xC3\xA9\xE2\x80\xA6");
    EXPECT_EQ(answer_text("abc", 0, kSecrets), "");
    EXPECT_EQ(answer_text(R"(["abcdef"])", 4, kSecrets), "[\"a\xE2\x80\xA6");
    EXPECT_EQ(count_characters(answer_text(std::string(1000000, 'x'), 4000, kSecrets)), 4000);
    EXPECT_EQ(count_characters(answer_text('"' + std::string(1000000, 'x') + '"', 4000, kSecrets)),
              4000);
}

TEST(AnswerTest, MasksASecretThatIsCutOff) {
    const std::string answer = R"({"password":")" + std::string(1000000, 's');
    EXPECT_EQ(answer_text(answer, 100, kSecrets), "{\"password\":\"***\xE2\x80\xA6");
}

}  // namespace
}  // namespace tbs::core

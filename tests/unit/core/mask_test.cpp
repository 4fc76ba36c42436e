#include "core/mask.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace tbs::core {
namespace {

using testing::json;

const SecretMembers kMasked({"password", "pin", "authentication-key"});

std::string masked_json(const std::string& document) {
    const Json value = json(document);
    const JsonEventList events = to_events(value);
    return build_json(mask_events(events.events, kMasked).events).dump();
}

TEST(MaskTest, MasksMembersOfDocuments) {
    EXPECT_EQ(masked_json(R"({"password": "x", "a": [{"PIN": 12, "b": "keep"}], "c": null})"),
              R"({"password":"***","a":[{"PIN":"***","b":"keep"}],"c":null})");
    EXPECT_EQ(masked_json(R"({"password": {"deep": ["x", {"y": 1}]}, "after": 1})"),
              R"({"password":"***","after":1})");
    EXPECT_EQ(masked_json(R"({"password": null, "passwords": "keep"})"),
              R"({"password":null,"passwords":"keep"})");
    EXPECT_EQ(masked_json(R"({"m": "bad request: password=abc"})"),
              R"({"m":"bad request: password=***"})");
    EXPECT_EQ(masked_json(R"("pin=1234")"), R"("pin=***")");
    EXPECT_EQ(masked_json("5"), "5");
}

TEST(MaskTest, MasksTexts) {
    const std::pair<const char*, const char*> cases[] = {
        {"a=1&password=x%20y&b=2", "a=1&password=***&b=2"},
        {"PASSWORD=x", "PASSWORD=***"},
        {"password = 'x y' rest", "password = '***' rest"},
        {"password: x y z\nnext", "password: ***\nnext"},
        {"Authentication-Key: a b\r\nHost: c", "Authentication-Key: ***\r\nHost: c"},
        {"<pin>1234</pin><a>b</a>", "<pin>***</pin><a>b</a>"},
        {"<ns:Pin a=\"1\">12<x/>34</ns:Pin>z", "<ns:Pin ***>***</ns:Pin>z"},
        {"<pin/><a/>", "<pin/><a/>"},
        {"<pin value='1'/><a/>", "<pin ***/><a/>"},
        {"<user password=\"x&quot;y\" id=\"1\">", "<user password=\"***\" id=\"1\">"},
        {"<pin>never closed", "<pin>***"},
        {"<pin", "<pin"},
        {"<pin a=1", "<pin***"},
        {R"({"password":"x\"y","a":1, broken)", R"({"password":"***","a":1, broken)"},
        {R"({"password":"cut off)", R"({"password":"***)"},
        {R"({"password": {"a": "}", "b": [1, 2]}, "c": 1, broken)",
         R"({"password": ***, "c": 1, broken)"},
        {R"({"password": [1, 2)", R"({"password": ***)"},
        {R"({"pin":1234,"a":1)", R"({"pin":***,"a":1)"},
        {R"("{\"password\":\"x\",\"a\":1}")", R"("{\"password\":\"***\",\"a\":1}")"},
        {"the password is wrong", "the password is wrong"},
        {"mypassword=1 password_hint=2", "mypassword=1 password_hint=2"},
        {"password=", "password="},
        {"password", "password"},
        {"", ""},
    };
    for (const auto& [text, expected] : cases)
        EXPECT_EQ(mask_text(text, kMasked), expected) << text;
}

TEST(MaskTest, RewritesJsonTexts) {
    std::string masked;
    EXPECT_TRUE(mask_json_text(
        R"( {"a": [1, 2.50, 1e3, 12345678901234567890123, true, null], "pin": [[{"x": 1}], 2], "s": "q\"", "e": {}} )",
        kMasked, 1000, masked));
    EXPECT_EQ(
        masked,
        R"({"a":[1,2.50,1e3,12345678901234567890123,true,null],"pin":"***","s":"q\"","e":{}})");
    for (const char* broken : {"", "{", "nope", "{} {}", R"({"a": })", "[1,]", R"("\ud800")"}) {
        std::string out;
        EXPECT_FALSE(mask_json_text(broken, kMasked, 1000, out)) << broken;
    }
}

TEST(MaskTest, StopsWhenItHasEnough) {
    std::string masked;
    EXPECT_TRUE(mask_json_text(R"({"a": "0123456789", "b": broken)", kMasked, 8, masked));
    EXPECT_EQ(masked, R"({"a":"0123456789")");
}

}  // namespace
}  // namespace tbs::core

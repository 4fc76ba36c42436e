#include "bridge/secrets.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>

namespace tbs::bridge {
namespace {

class SecretFile {
 public:
    explicit SecretFile(const std::string& content) : path_{::testing::TempDir() + "secret_test"} {
        std::ofstream{path_, std::ios::binary} << content;
    }
    ~SecretFile() { unlink(path_.c_str()); }
    SecretFile(const SecretFile&) = delete;
    SecretFile& operator=(const SecretFile&) = delete;
    SecretFile(SecretFile&&) = delete;
    SecretFile& operator=(SecretFile&&) = delete;
    [[nodiscard]] std::string reference() const { return "file:" + path_; }

 private:
    std::string path_;
};

TEST(SecretReferenceTest, Environment) {
    setenv("TBS_TEST_SECRET", "value", 1);
    EXPECT_EQ(resolve_reference("env:TBS_TEST_SECRET", {}, false).value, "value");
    unsetenv("TBS_TEST_SECRET");
    const ResolvedSecret missing = resolve_reference("env:TBS_TEST_SECRET", {}, false);
    EXPECT_FALSE(missing.ok());
    EXPECT_EQ(missing.problem, "environment variable TBS_TEST_SECRET is not set");
}

TEST(SecretReferenceTest, FileWithoutItsLineEnd) {
    EXPECT_EQ(resolve_reference(SecretFile{"abc\r\n"}.reference(), {}, false).value, "abc");
    EXPECT_EQ(resolve_reference(SecretFile{" abc "}.reference(), {}, false).value, " abc ");
    EXPECT_FALSE(resolve_reference(SecretFile{"\n"}.reference(), {}, false).ok());
    EXPECT_FALSE(
        resolve_reference(SecretFile{std::string(70000, 'x')}.reference(), {}, false).ok());
    EXPECT_FALSE(resolve_reference("file:/nonexistent/x", {}, false).ok());
}

TEST(SecretReferenceTest, RowOfTheDatabase) {
    const SecretValues secrets{{"key", "from row"}};
    EXPECT_EQ(resolve_reference("secret:key", secrets, false).value, "from row");
    EXPECT_FALSE(resolve_reference("secret:other", secrets, false).ok());
}

TEST(SecretReferenceTest, LiteralsOnlyWhereTheyAreAllowed) {
    EXPECT_EQ(resolve_reference("alice", {}, true).value, "alice");
    const ResolvedSecret refused = resolve_reference("hunter2", {}, false);
    EXPECT_FALSE(refused.ok());
    EXPECT_EQ(refused.problem.find("hunter2"), std::string::npos);
}

TEST(SecretsTest, Parses) {
    EXPECT_TRUE(parse_secrets("")->empty());
    EXPECT_TRUE(parse_secrets("null")->empty());
    EXPECT_EQ(parse_secrets(R"({"a":"b"})")->at("a"), "b");
    EXPECT_FALSE(parse_secrets("[]"));
    EXPECT_FALSE(parse_secrets(R"({"a":1})"));
    EXPECT_FALSE(parse_secrets("{"));
}

TEST(SecretsTest, EscapeFollowsTheContentType) {
    EXPECT_EQ(escape_for("application/json"), BodyEscape::json);
    EXPECT_EQ(escape_for(" Application/Problem+JSON ; charset=utf-8"), BodyEscape::json);
    EXPECT_EQ(escape_for("application/x-www-form-urlencoded"), BodyEscape::form);
    EXPECT_EQ(escape_for("text/xml;charset=utf-8"), BodyEscape::xml);
    EXPECT_EQ(escape_for("application/soap+xml"), BodyEscape::xml);
    EXPECT_EQ(escape_for("text/plain"), BodyEscape::none);
    EXPECT_EQ(escape_for(""), BodyEscape::none);
}

TEST(SecretsTest, SubstitutesEscaped) {
    const SecretValues secrets{{"__TBS_SECRET_7_1__", "a\"&<b c"}, {"__TBS_SECRET_77_2__", "x"}};
    const std::string body = "[__TBS_SECRET_7_1__|__TBS_SECRET_77_2__|__TBS_SECRET_7_1__]";
    EXPECT_EQ(substitute_secrets(body, secrets, BodyEscape::json), "[a\\\"&<b c|x|a\\\"&<b c]");
    EXPECT_EQ(substitute_secrets(body, secrets, BodyEscape::form),
              "[a%22%26%3Cb+c|x|a%22%26%3Cb+c]");
    EXPECT_EQ(substitute_secrets(body, secrets, BodyEscape::xml),
              "[a&quot;&amp;&lt;b c|x|a&quot;&amp;&lt;b c]");
    EXPECT_EQ(substitute_secrets(body, secrets, BodyEscape::none), "[a\"&<b c|x|a\"&<b c]");
}

TEST(SecretsTest, ValuesAreNotLookedAtAgain) {
    const SecretValues secrets{{"__TBS_SECRET_1_1__", "__TBS_SECRET_2_1__"},
                               {"__TBS_SECRET_2_1__", "other"}};
    EXPECT_EQ(substitute_secrets("__TBS_SECRET_1_1__", secrets, BodyEscape::none),
              "__TBS_SECRET_2_1__");
}

TEST(SecretsTest, UnknownAndBrokenPlaceholdersStay) {
    const SecretValues secrets{{"__TBS_SECRET_1_1__", "v"}};
    for (const char* const body :
         {"__TBS_SECRET_9_9__", "__TBS_SECRET_", "a__TBS_SECRET_1_1_", "", "plain"}) {
        EXPECT_EQ(substitute_secrets(body, secrets, BodyEscape::none), body);
    }
    EXPECT_EQ(substitute_secrets("__TBS_SECRET___TBS_SECRET_1_1__", secrets, BodyEscape::none),
              "__TBS_SECRET_v");
}

TEST(SecretsTest, Masks) {
    const SecretValues secrets{{"a", "hunter2"}, {"b", ""}};
    EXPECT_EQ(mask_values("is hunter2, hunter2?", secrets), "is ***, ***?");
    EXPECT_EQ(mask_values("***", {{"a", "*"}}), "*********");
}

}  // namespace
}  // namespace tbs::bridge

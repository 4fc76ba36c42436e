#include "bridge/resource.hpp"

#include <gtest/gtest.h>

namespace tbs::bridge {
namespace {

ResourceConfiguration read(std::string_view url, std::string_view tls = "",
                           std::string_view secrets = "{}",
                           std::string_view authentication = R"({"kind":"none"})") {
    ResourceConfiguration resource;
    read_resource(resource, url, authentication, secrets, tls);
    return resource;
}

TEST(ResourceTest, BaseUrl) {
    EXPECT_EQ(read("https://a.example/v2//").base_url, "https://a.example/v2");
    EXPECT_EQ(read("https://a.example/v2").problem, "");
    EXPECT_NE(read("ftp://a.example/").problem, "");
    EXPECT_NE(read("a.example").problem, "");
}

TEST(ResourceTest, Tls) {
    const auto resource = read("https://a.example", R"({"ca_file":"/ca","client_certificate_file":
        "/crt","client_key_file":"/key","verify":false})");
    EXPECT_EQ(resource.tls.ca_file, "/ca");
    EXPECT_EQ(resource.tls.client_certificate_file, "/crt");
    EXPECT_EQ(resource.tls.client_key_file, "/key");
    EXPECT_FALSE(resource.tls.verify);
    for (const char* const tls : {"", "null", "{}", R"({"verify":null})", R"({"verify":"no"})"}) {
        EXPECT_TRUE(read("https://a.example", tls).tls.verify) << tls;
    }
    EXPECT_NE(read("https://a.example", "[]").problem, "");
    EXPECT_NE(read("https://a.example", R"({"ca_file":1})").problem, "");
}

TEST(ResourceTest, SecretsAndAuthentication) {
    EXPECT_NE(read("https://a.example", "", "[]").problem, "");
    const auto resource = read("https://a.example", "", R"({"k":"v"})",
                               R"({"kind":"header","name":"X-Key","value":"secret:k"})");
    EXPECT_EQ(resource.problem, "");
    EXPECT_EQ(resource.authentication.header_value, "v");
    EXPECT_NE(
        read("https://a.example", "", "{}", R"({"kind":"bearer","token":"secret:k"})").problem, "");
}

TEST(ResourceTest, Origin) {
    EXPECT_EQ(origin_of("https://user:pw@a.example:8443/x?key=secret"), "https://a.example:8443");
    EXPECT_EQ(origin_of("http://a.example?q=1"), "http://a.example");
    EXPECT_EQ(origin_of("nonsense"), "");
}

}  // namespace
}  // namespace tbs::bridge

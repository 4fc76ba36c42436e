#include "legacy.hpp"

#include "fake.hpp"
#include "legacy_names.hpp"
#include "switch.hpp"

namespace tbs::simulator {
namespace {

class LegacyTest : public testing::Test {
 protected:
    LegacyTest() : switch_({}, clock_, random_) {}

    Response call(const std::string& object, const std::string& action, const std::string& form) {
        return switch_.handle(
            request_to("POST", "/ns-api/?object=" + object + "&action=" + action, form),
            std::nullopt);
    }
    Json state() { return Json::parse(switch_.state_text()); }
    void make_user() {
        call("domain", "create", "format=json&domain=acme&territory=north");
        call("subscriber", "create",
             "format=json&domain=acme&user=1001&first_name=Ada&srv_code=mine&dial_policy=a%26b");
    }

    FakeClock clock_;
    std::mt19937_64 random_{1};
    Switch switch_;
};

TEST_F(LegacyTest, AWriteIsAcceptedWithNothing) {
    const Response response = call("domain", "create", "format=json&domain=acme&territory=north");
    EXPECT_EQ(response.status, 202);
    EXPECT_EQ(response.body, "");
    EXPECT_EQ(response.content_type, "text/plain");
    EXPECT_EQ(state()["domains"]["acme"]["reseller"], "north");
}

TEST_F(LegacyTest, ADomainHasNoUserOfItsOwn) {
    make_user();
    EXPECT_EQ(state()["users"].size(), 1);
}

TEST_F(LegacyTest, TheObjectsAreThoseOfTheCurrentApi) {
    make_user();
    const Json user = state()["users"]["1001@acme"];
    EXPECT_EQ(user["name-first-name"], "Ada");
    EXPECT_EQ(user["service-code"], "mine");
    EXPECT_EQ(user["dial-policy"], "a&b");
    EXPECT_EQ(switch_.handle(request_to("GET", "/ns-api/v2/domains/acme/users/1001"), std::nullopt)
                  .status,
              200);
}

TEST_F(LegacyTest, ReadsAnswerAListWithTheOldNames) {
    make_user();
    const Response found = call("subscriber", "read", "format=json&domain=acme&user=1001");
    EXPECT_EQ(found.content_type, "text/html");
    EXPECT_EQ(json_of(found).at(0)["srv_code"], "mine");
    const Response nothing = call("subscriber", "read", "format=json&domain=acme&user=1002");
    EXPECT_EQ(nothing.status, 200);
    EXPECT_EQ(nothing.body, "[]");
}

TEST_F(LegacyTest, WithoutFormatItIsXml) {
    make_user();
    const Response response = call("subscriber", "read", "format=xml&domain=acme&user=1001");
    EXPECT_EQ(response.content_type, "text/xml");
    EXPECT_NE(response.body.find("<dial_policy>a&amp;b</dial_policy>"), std::string::npos);
}

TEST_F(LegacyTest, MandatoryFieldsAreAskedFor) {
    EXPECT_EQ(call("subscriber", "create", "format=json&domain=acme").status, 400);
    EXPECT_EQ(call("subscriber", "update", "uid=1001%40acme").status, 400);
    EXPECT_EQ(call("weather", "read", "format=json").status, 400);
}

TEST_F(LegacyTest, AnErrorIsXmlWithItsStatus) {
    make_user();
    const Response response = call("subscriber", "create", "format=json&domain=acme&user=1001");
    EXPECT_EQ(response.status, 409);
    EXPECT_NE(response.body.find("<message>UID already exists.</message>"), std::string::npos);
    EXPECT_EQ(call("subscriber", "delete", "format=json&uid=1002%40acme").status, 404);
}

TEST_F(LegacyTest, ANumberIsFoundInWhateverDomain) {
    make_user();
    const std::string rule = "format=json&dialplan=DID+Table&matchrule=sip%3A18585550101%40%2A";
    EXPECT_EQ(call("phonenumber", "create",
                   rule + "&dest_domain=acme&responder=AvailableDID&to_user=%5B%2A%5D&to_host=acme")
                  .status,
              202);
    EXPECT_EQ(state()["phonenumbers"]["18585550101"]["dial-rule-application"], "available-number");
    EXPECT_EQ(json_of(call("phonenumber", "read", rule)).at(0)["responder"], "AvailableDID");
    EXPECT_EQ(call("phonenumber", "delete", rule + "&domain=other").status, 404);
    EXPECT_EQ(call("phonenumber", "delete", rule + "&domain=acme").status, 202);
}

TEST(LegacyNames, LineKeysAreTranslatedBothWays) {
    EXPECT_EQ(current_name("mac", "line3_share"),
              "device-provisioning-sip-uri-3-shared-line-enabled");
    EXPECT_EQ(legacy_name("mac", "device-provisioning-line-8-enabled"), "line8_enable");
    EXPECT_EQ(current_name("mac", "device9"), "device9");
}

}  // namespace
}  // namespace tbs::simulator

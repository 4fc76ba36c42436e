// Answer rules, call queues and emergency addresses of the stand-in switch.
#include "fake.hpp"
#include "switch.hpp"

namespace tbs::simulator {
namespace {

class ServicesOfUsersTest : public testing::Test {
 protected:
    ServicesOfUsersTest() : switch_(SwitchOptions{}, clock_, random_) {
        call("POST", "/domains", {{"domain", "acme"}, {"reseller", "~"}, {"synchronous", "yes"}});
        make_user();
    }

    Response call(std::string method, const std::string& path, const Json& body = nullptr) {
        return switch_.handle(request_to(std::move(method), std::string(kApiPath) + path, body),
                              std::nullopt);
    }
    void make_user() {
        EXPECT_EQ(call("POST", "/domains/acme/users",
                       {{"user", "1001"},
                        {"name-first-name", "Ada"},
                        {"name-last-name", "Byron"},
                        {"email-address", ""},
                        {"user-scope", "Basic User"},
                        {"synchronous", "yes"}})
                      .status,
                  200);
    }
    Json state(const std::string& kind) { return Json::parse(switch_.state_text())[kind]; }

    FakeClock clock_;
    std::mt19937_64 random_{1};
    Switch switch_;
};

const std::string kRules = "/domains/acme/users/1001/answerrules";
const std::string kQueues = "/domains/acme/callqueues";
const std::string kAddresses = "/domains/acme/addresses";
const std::string kEndpoints = kAddresses + "/endpoints";
const Json kQueue = {{"synchronous", "yes"}, {"callqueue", "2000"}, {"domain", "acme"}};
const Json kPlace = {{"address-name", "HQ"},
                     {"caller-name", "Acme"},
                     {"address-line-1", "1 Main St"},
                     {"address-city", "San Diego"},
                     {"address-state-province-abbreviation", "CA"},
                     {"address-postal-code", "92101"},
                     {"address-country-abbreviation", "US"},
                     {"address-location-description", ""}};

TEST_F(ServicesOfUsersTest, RuleForAllTimesComesAndGoesWithTheUser) {
    EXPECT_TRUE(state("answerrules").contains("* of 1001@acme"));
    EXPECT_EQ(
        call("PUT", kRules + "/%2A", {{"enabled", "yes"}, {"do-not-disturb", {{"enabled", "yes"}}}})
            .status,
        202);
    EXPECT_EQ(json_of(call("GET", kRules + "/%2A"))["do-not-disturb"]["enabled"], "yes");
    EXPECT_EQ(call("DELETE", "/domains/acme/users/1001").status, 202);
    EXPECT_TRUE(state("answerrules").empty());
}

TEST_F(ServicesOfUsersTest, RulesAreTakenAsDocumentedOnly) {
    const Json rule = {{"synchronous", "yes"}, {"time-frame", "Vacation"}, {"enabled", "yes"}};
    EXPECT_EQ(summary(call("POST", kRules, {{"time-frame", "Vacation"}, {"enabled", "yes"}})),
              "400 Missing synchronous.");
    EXPECT_EQ(summary(call("POST", kRules, with(rule, {{"forward-always", "18005550111"}}))),
              "400 Invalid forward-always.");
    EXPECT_EQ(
        summary(call(
            "POST", kRules,
            with(rule, {{"do-not-disturb", {{"enabled", "yes"}, {"parameters", Json::array()}}}}))),
        "400 Invalid do-not-disturb.");
    EXPECT_EQ(call("POST", kRules, rule).status, 200);
    EXPECT_EQ(summary(call("POST", kRules, rule)), "409 Answerrule already exists.");
    EXPECT_EQ(summary(call("PUT", kRules + "/Vacation", Json::object())), "400 Missing enabled.");
    EXPECT_EQ(call("DELETE", kRules + "/Vacation").status, 202);
    EXPECT_EQ(call("GET", kRules + "/Vacation").status, 404);
}

TEST_F(ServicesOfUsersTest, QueueThatGoesLeavesItsAgents) {
    EXPECT_EQ(summary(call("POST", kQueues, with(kQueue, {{"domain", "other"}}))),
              "400 Invalid domain.");
    EXPECT_EQ(summary(call("POST", kQueues, with(kQueue, {{"callqueue-dispatch-type", "Any"}}))),
              "400 Invalid callqueue-dispatch-type.");
    EXPECT_EQ(summary(call("POST", kQueues, with(kQueue, {{"callqueue-sim-ring-increment", "1"}}))),
              "400 Invalid callqueue-sim-ring-increment.");
    const Json agent = {{"synchronous", "yes"}, {"callqueue-agent-id", "1001@acme"}};
    EXPECT_EQ(call("POST", kQueues + "/2000/agents", agent).status, 404);
    EXPECT_EQ(call("POST", kQueues, kQueue).status, 200);
    EXPECT_EQ(call("POST", kQueues + "/2000/agents", agent).status, 200);
    EXPECT_EQ(call("DELETE", kQueues + "/2000").status, 202);
    EXPECT_TRUE(state("agents").contains("1001@acme in 2000@acme"));
    EXPECT_EQ(call("DELETE", kQueues + "/2000/agents/1001%40acme").status, 202);
    EXPECT_TRUE(state("agents").empty());
}

TEST_F(ServicesOfUsersTest, AddressIsValidatedThenMadeThenUsed) {
    EXPECT_EQ(summary(call("POST", kAddresses + "/validate", {{"address-name", "HQ"}})),
              "400 Missing caller-name.");
    const Json nowhere = json_of(
        call("POST", kAddresses + "/validate", with(kPlace, {{"address-postal-code", "00000"}})));
    EXPECT_EQ(nowhere["address-formatted-pidflo"]["ValidationStatus"], "INVALID");
    const Json formatted =
        json_of(call("POST", kAddresses + "/validate", kPlace))["address-formatted-pidflo"];
    EXPECT_EQ(formatted["ValidationStatus"], "VALID");

    EXPECT_EQ(summary(call("PUT", "/domains/acme/users/1001", {{"emergency-address-id", "a1"}})),
              "400 Invalid emergency-address-id.");
    const Json address = with(kPlace, {{"emergency-address-id", "a1"}});
    EXPECT_EQ(summary(call("POST", kAddresses, address)), "400 Missing address-formatted-pidflo.");
    const Json whole = with(address, {{"address-formatted-pidflo", formatted}});
    EXPECT_EQ(call("POST", kAddresses, whole).status, 200);
    EXPECT_EQ(summary(call("POST", kAddresses, whole)), "409 Conflicting address_id");
    EXPECT_EQ(call("PUT", "/domains/acme/users/1001", {{"emergency-address-id", "a1"}}).status,
              202);
}

TEST_F(ServicesOfUsersTest, EndpointIsRemovedAtItsCarrierOnly) {
    const Json endpoint = with(kPlace, {{"address-callback-number", "18585551234"},
                                        {"location-id", "a1"},
                                        {"carrier", "bandwidth"}});
    EXPECT_EQ(summary(call("POST", kEndpoints, endpoint)), "404 Address a1 does not exist");
    call("POST", kAddresses,
         with(kPlace, {{"emergency-address-id", "a1"}, {"address-formatted-pidflo", "x"}}));
    EXPECT_EQ(call("POST", kEndpoints, endpoint).status, 202);
    EXPECT_EQ(summary(call("POST", kEndpoints, endpoint)), "409 Endpoint already exists.");
    EXPECT_EQ(summary(call("DELETE", kEndpoints + "/18585551234", Json::object())),
              "400 Missing carrier.");
    EXPECT_EQ(call("DELETE", kEndpoints + "/18585551234", {{"carrier", "brightlink"}}).status, 404);
    EXPECT_EQ(call("DELETE", kEndpoints + "/18585551234", {{"carrier", "bandwidth"}}).status, 202);
    EXPECT_TRUE(state("endpoints").empty());
}

TEST_F(ServicesOfUsersTest, MembersOfUsersAreTakenAsDocumentedOnly) {
    const std::string user = "/domains/acme/users/1001";
    EXPECT_EQ(summary(call("PUT", user, {{"voicemail-enabled", true}})),
              "400 Invalid voicemail-enabled.");
    EXPECT_EQ(summary(call("PUT", user, {{"voicemail-login-pin", "12ab"}})),
              "400 Invalid voicemail-login-pin.");
    EXPECT_EQ(call("PUT", user, {{"voicemail-enabled", ""}, {"privacy", "yes"}}).status, 202);
}

}  // namespace
}  // namespace tbs::simulator

#include "switch.hpp"

#include "fake.hpp"

namespace tbs::simulator {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Json kDomain = {{"domain", "acme"}, {"reseller", "north"}, {"synchronous", "yes"}};
const Json kUser = {{"user", "1001"},
                    {"name-first-name", "Ada"},
                    {"name-last-name", "Byron"},
                    {"email-address", "ada@example.com"},
                    {"user-scope", "Basic User"},
                    {"synchronous", "yes"}};
const Json kNumber = {{"phonenumber", "18585551234"},
                      {"dial-rule-translation-destination-user", "1001"}};

class SwitchTest : public testing::Test {
 protected:
    explicit SwitchTest(SwitchOptions options = {})
        : switch_(std::move(options), clock_, random_) {}

    Response call(std::string method, const std::string& path, const Json& body = nullptr) {
        return switch_.handle(request_to(std::move(method), std::string(kApiPath) + path, body),
                              std::nullopt);
    }
    Json state() { return Json::parse(switch_.state_text()); }
    void expect_empty() {
        const Json left = state();
        for (const auto& [kind, objects] : left.items()) EXPECT_TRUE(objects.empty()) << kind;
    }
    void make_line() {
        ASSERT_EQ(call("POST", "/domains", kDomain).status, 200);
        ASSERT_EQ(call("POST", "/domains/acme/users", kUser).status, 200);
        ASSERT_EQ(call("POST", "/domains/acme/users/1001/devices", {{"device", "1001"}}).status,
                  202);
        ASSERT_EQ(call("POST", "/domains/acme/phonenumbers", kNumber).status, 202);
    }

    FakeClock clock_;
    std::mt19937_64 random_{1};
    Switch switch_;
};

TEST_F(SwitchTest, UnknownUrlIsNoRouteNotAMissingObject) {
    EXPECT_EQ(summary(call("GET", "/nothing")), "404 No Route Found [92]");
    EXPECT_EQ(summary(call("PATCH", "/domains")), "404 No Route Found [92]");
    EXPECT_EQ(summary(switch_.handle(request_to("GET", "/ns-api/v3/domains"), std::nullopt)),
              "404 No Route Found [92]");
    make_line();
    EXPECT_EQ(summary(call("DELETE", "/domains/acme/sites/hq")), "404 No Route Found [92]");
}

TEST_F(SwitchTest, VersionNeedsNothing) {
    const Json version = json_of(call("GET", "/version"));
    EXPECT_EQ(version["apiversion"], "45.0");
    EXPECT_EQ(version["current-time"], "2023-11-14T22:13:20+00:00");
}

TEST_F(SwitchTest, BrokenJsonAndMissingMembersAreRefused) {
    EXPECT_EQ(summary(call("POST", "/domains", "{\"domain\":")), "400 Invalid JSON.");
    EXPECT_EQ(summary(call("POST", "/domains", "[1]")), "400 Invalid JSON.");
    EXPECT_EQ(summary(call("POST", "/domains", {{"domain", "acme"}})), "400 Missing reseller.");
    EXPECT_EQ(call("POST", "/domains", with(kDomain, {{"domain", "a/b"}})).status, 400);
    make_line();
    EXPECT_EQ(
        summary(call("POST", "/domains/acme/users", with(kUser, {{"email-address", nullptr}}))),
        "400 Missing email-address.");
    EXPECT_EQ(summary(call("POST", "/domains/acme/phonenumbers", {{"phonenumber", "18585550000"}})),
              "400 Missing dial-rule-translation-destination-user.");
    EXPECT_EQ(
        call("POST", "/domains/acme/users", with(kUser, {{"user", "12345678901234567"}})).status,
        400);
}

TEST_F(SwitchTest, SynchronousCreateAnswersTheObjectOthersAreAccepted) {
    const Response domain = call("POST", "/domains", kDomain);
    EXPECT_EQ(domain.status, 200);
    EXPECT_EQ(json_of(domain)["domain"], "acme");
    EXPECT_FALSE(json_of(domain).contains("synchronous"));
    const Response user = call("POST", "/domains/acme/users", with(kUser, {{"synchronous", "no"}}));
    EXPECT_EQ(user.body, R"({"code":202,"message":"Accepted"})");
    EXPECT_TRUE(user.effect);
    // Never synchronous, whatever the body says.
    EXPECT_EQ(
        call("POST", "/domains/acme/phonenumbers", with(kNumber, {{"synchronous", "yes"}})).status,
        202);
    EXPECT_EQ(call("POST", "/phones",
                   {{"device-provisioning-mac-address", "001122334455"},
                    {"domain", "acme"},
                    {"synchronous", "yes"}})
                  .status,
              202);
    EXPECT_EQ(call("PUT", "/domains/acme/users/1001", {{"synchronous", "yes"}}).status, 202);
    EXPECT_EQ(call("POST", "/domains/acme/sites", {{"site", "hq"}, {"synchronous", "yes"}}).status,
              200);
    const Json site = json_of(
        call("PUT", "/domains/acme/sites/hq", {{"area-code", 619}, {"synchronous", "yes"}}));
    EXPECT_EQ(site, state()["sites"]["hq@acme"]);
}

TEST_F(SwitchTest, DuplicatesConflict) {
    make_line();
    EXPECT_EQ(call("POST", "/domains", kDomain).status, 409);
    EXPECT_EQ(summary(call("POST", "/domains/acme/users", kUser)), "409 UID already exists.");
    ASSERT_EQ(call("POST", "/domains", with(kDomain, {{"domain", "other"}})).status, 200);
    // Phone numbers are unique over the whole switch.
    EXPECT_EQ(summary(call("POST", "/domains/other/phonenumbers", kNumber)),
              "409 Phone number already exists");
    EXPECT_EQ(summary(call("PUT", "/domains/other/phonenumbers/18585551234", kNumber)),
              "409 Phone number already exists");
    EXPECT_EQ(call("POST", "/domains/acme/users/1001/devices", {{"device", "1001"}}).status, 409);
}

TEST_F(SwitchTest, LoginIsUniqueOverTheWholeSwitch) {
    make_line();
    ASSERT_EQ(call("POST", "/domains", with(kDomain, {{"domain", "other"}})).status, 200);
    const Json taken = with(kUser, {{"login-username", "1001@acme"}});
    EXPECT_EQ(call("POST", "/domains/other/users", taken).status, 409);
    EXPECT_EQ(call("POST", "/domains/other/users", kUser).status, 200);
    EXPECT_EQ(call("PUT", "/domains/other/users/1001", {{"login-username", "1001@acme"}}).status,
              409);
    EXPECT_EQ(call("PUT", "/domains/other/users/1001", {{"login-username", "1001@other"}}).status,
              202);
    ASSERT_EQ(call("DELETE", "/domains/acme/users/1001").status, 202);
    EXPECT_EQ(call("PUT", "/domains/other/users/1001", {{"login-username", "1001@acme"}}).status,
              202);
}

TEST_F(SwitchTest, MissingObjectsSayWhatIsMissing) {
    EXPECT_EQ(summary(call("GET", "/domains/example")), "404 Domain example does not exist");
    EXPECT_EQ(summary(call("POST", "/domains/example/users", kUser)),
              "404 Domain example does not exist");
    make_line();
    EXPECT_EQ(summary(call("GET", "/domains/acme/users/1000/devices")),
              "404 User 1000 does not exist in domain acme");
    for (const std::string method : {"GET", "PUT", "DELETE"}) {
        const Json body = {{"device-provisioning-mac-address", "001122334455"}};
        EXPECT_EQ(summary(call(method, "/domains/acme/users/1000", body)),
                  "404 Resource not found.");
        EXPECT_EQ(summary(call(method, "/domains/acme/users/1001/devices/x", body)),
                  "404 Resource not found.");
        EXPECT_EQ(summary(call(method, "/domains/acme/phonenumbers/1", body)),
                  "404 Resource not found.");
        if (method == "GET") continue;
        EXPECT_EQ(summary(call(method, "/phones", body)), "404 Resource not found.");
    }
    EXPECT_EQ(summary(call("GET", "/phones/001122334455")), "404 Resource not found.");
}

TEST_F(SwitchTest, PutKeepsWhatIsLeftOutClearsWhatIsEmptyAndKeepsUnknownMembers) {
    make_line();
    ASSERT_EQ(call("PUT", "/domains/acme/users/1001",
                   {{"name-first-name", "Augusta"},
                    {"email-address", ""},
                    {"shoe-size", 37},
                    {"user", "2002"}})
                  .status,
              202);
    const Json user = json_of(call("GET", "/domains/acme/users/1001"));
    EXPECT_EQ(user["name-first-name"], "Augusta");
    EXPECT_EQ(user["name-last-name"], "Byron");
    EXPECT_EQ(user["email-address"], "");
    EXPECT_EQ(user["shoe-size"], 37);
    EXPECT_EQ(user["user"], "1001");
}

TEST_F(SwitchTest, PhoneNumberPutWithoutDestinationLosesIt) {
    make_line();
    ASSERT_EQ(call("PUT", "/domains/acme/phonenumbers",
                   {{"phonenumber", "18585551234"}, {"enabled", "no"}})
                  .status,
              202);
    const Json number = json_of(call("GET", "/domains/acme/phonenumbers/18585551234"));
    EXPECT_EQ(number["dial-rule-translation-destination-user"], "");
    EXPECT_EQ(number["enabled"], "no");
    EXPECT_EQ(number["dial-rule-translation-destination-host"], "[*]");
    ASSERT_EQ(call("PUT", "/domains/acme/phonenumbers/18585551234",
                   {{"dial-rule-translation-destination-user", "1002"}})
                  .status,
              202);
    EXPECT_EQ(state()["phonenumbers"]["18585551234"]["dial-rule-translation-destination-user"],
              "1002");
}

TEST_F(SwitchTest, DomainBringsItsUserAndTakesEverythingAlong) {
    make_line();
    ASSERT_EQ(call("POST", "/domains/acme/phones", {{"mac", "AABBCCDDEEFF"}}).status, 202);
    ASSERT_EQ(call("PUT", "/domains/acme/users/1001", {{"site", "hq"}}).status, 202);
    EXPECT_EQ(state()["users"]["domain@acme"]["automatic"], true);
    EXPECT_EQ(state()["sites"]["hq@acme"]["automatic"], true);
    EXPECT_FALSE(state()["users"]["1001@acme"].contains("automatic"));
    EXPECT_FALSE(json_of(call("GET", "/domains/acme/sites/hq")).contains("automatic"));
    EXPECT_EQ(json_of(call("GET", "/domains/acme/users/count"))["total"], 1);
    ASSERT_EQ(call("DELETE", "/domains/acme").status, 202);
    expect_empty();
}

TEST_F(SwitchTest, DeletedUserTakesDevicesAlongButNotPhoneNumbers) {
    make_line();
    ASSERT_EQ(call("POST", "/domains/acme/users", with(kUser, {{"user", "1002"}})).status, 200);
    ASSERT_EQ(call("POST", "/domains/acme/users/1002/devices", {{"device", "1002"}}).status, 202);
    ASSERT_EQ(call("DELETE", "/domains/acme/users/1001").status, 202);
    const Json after = state();
    EXPECT_FALSE(after["users"].contains("1001@acme"));
    EXPECT_FALSE(after["devices"].contains("1001@acme"));
    EXPECT_TRUE(after["devices"].contains("1002@acme"));
    EXPECT_TRUE(after["phonenumbers"].contains("18585551234"));
}

TEST_F(SwitchTest, DeviceWithoutPasswordGetsOneThatListsMask) {
    make_line();
    const Json device = json_of(call("POST", "/domains/acme/users/1001/devices",
                                     {{"device", "1001x"}, {"synchronous", "yes"}}));
    const std::string password = device["device-sip-registration-password"];
    EXPECT_EQ(password.size(), 16U);
    EXPECT_EQ(device["device-sip-registration-uri"], "sip:1001x@acme");
    EXPECT_EQ(json_of(call("GET", "/domains/acme/users/1001/devices/1001x")), device);
    const Json list = json_of(call("GET", "/domains/acme/users/1001/devices"));
    ASSERT_EQ(list.size(), 2U);
    EXPECT_EQ(list[1]["device-sip-registration-password"], "****");
    EXPECT_EQ(state()["devices"]["1001x@acme"]["device-sip-registration-password"], password);
    EXPECT_EQ(json_of(call("GET", "/domains/acme/users/1001/devices/count"))["total"], 2);
    EXPECT_EQ(json_of(call("GET", "/domains/acme/devices/count"))["total"], 2);
}

TEST_F(SwitchTest, DeviceBelongsToItsUserOnly) {
    make_line();
    EXPECT_EQ(call("GET", "/domains/acme/users/domain/devices/1001").status, 404);
    EXPECT_EQ(call("DELETE", "/domains/acme/users/domain/devices/1001").status, 404);
}

TEST_F(SwitchTest, PhonesGoByMacInAnyCase) {
    make_line();
    const std::string mac = "device-provisioning-mac-address";
    ASSERT_EQ(call("POST", "/phones", {{mac, "AABBCCDDEEFF"}, {"domain", "acme"}}).status, 202);
    EXPECT_EQ(json_of(call("GET", "/phones/aabbccddeeff"))[mac], "AABBCCDDEEFF");
    EXPECT_TRUE(state()["phones"].contains("aabbccddeeff"));
    EXPECT_EQ(summary(call("POST", "/domains/acme/phones", {{mac, "aabbccddeeff"}})),
              "409 MAC already exists.");
    EXPECT_EQ(call("PUT", "/phones", {{mac, "aabbccddeeff"}, {"notes", "lobby"}}).status, 202);
    EXPECT_EQ(json_of(call("GET", "/domains/acme/phones/AABBCCDDEEFF"))["notes"], "lobby");
    EXPECT_EQ(call("PUT", "/phones", {{mac, "aabbccddeeff"}, {"domain", "nowhere"}}).status, 404);
    EXPECT_EQ(call("POST", "/phones", {{mac, "aa:bb:cc:dd"}, {"domain", "acme"}}).status, 400);
    EXPECT_EQ(call("POST", "/phones", {{mac, "aabbccddee00"}}).status, 400);
    EXPECT_EQ(call("DELETE", "/domains/acme/phones", {{mac, "AAbbCCddEEff"}}).status, 202);
    EXPECT_EQ(json_of(call("GET", "/phones/count"))["total"], 0);
}

TEST_F(SwitchTest, ListsComeInPages) {
    ASSERT_EQ(call("POST", "/domains", kDomain).status, 200);
    for (int user = 1000; user < 1149; ++user)
        ASSERT_EQ(call("POST", "/domains/acme/users", with(kUser, {{"user", std::to_string(user)}}))
                      .status,
                  200);
    // With the domain's own user there are 150.
    EXPECT_EQ(json_of(call("GET", "/domains/acme/users")).size(), 100U);
    const Json second = json_of(call("GET", "/domains/acme/users?start=100"));
    EXPECT_EQ(second.size(), 50U);
    EXPECT_EQ(second[0]["user"], "1100");
    EXPECT_EQ(json_of(call("GET", "/domains/acme/users?limit=7&start=3")).size(), 7U);
    EXPECT_EQ(json_of(call("GET", "/domains/acme/users?start=500")).size(), 0U);
    EXPECT_EQ(json_of(call("GET", "/domains/acme/users?limit=100000")).size(), 150U);
    EXPECT_EQ(call("GET", "/domains/acme/users?limit=x").status, 400);
    EXPECT_EQ(call("GET", "/domains/acme/users?limit=0").status, 400);
    EXPECT_EQ(json_of(call("GET", "/domains/acme/users/count"))["total"], 149);
}

TEST_F(SwitchTest, UserListGivesTheAskedFields) {
    make_line();
    const Json rows = json_of(call("GET", "/domains/acme/users/list?fields=user,name-first-name"));
    EXPECT_EQ(rows[0], (Json{{"user", "1001"}, {"name-first-name", "Ada"}}));
    EXPECT_EQ(call("GET", "/domains/acme/users/list?fields=user,voicemail-login-pin").status, 400);
}

TEST_F(SwitchTest, PathSegmentsArePercentDecoded) {
    make_line();
    EXPECT_EQ(call("GET", "/domains/a%63me/users/%31001").status, 200);
    EXPECT_EQ(summary(call("GET", "/domains/%ff%00")).substr(0, 11), "404 Domain ");
}

TEST_F(SwitchTest, ResetForgetsEverything) {
    make_line();
    switch_.reset();
    EXPECT_EQ(call("GET", "/domains/acme").status, 404);
    expect_empty();
}

class SlowSwitchTest : public SwitchTest {
 protected:
    static SwitchOptions slow() {
        SwitchOptions options;
        options.visibility_delay = milliseconds(500);
        return options;
    }
    SlowSwitchTest() : SwitchTest(slow()) {}
};

TEST_F(SlowSwitchTest, AcceptedWritesShowAfterTheDelay) {
    ASSERT_EQ(call("POST", "/domains", kDomain).status, 200);
    const Json user = with(kUser, {{"synchronous", "no"}});
    ASSERT_EQ(call("POST", "/domains/acme/users", user).status, 202);
    EXPECT_EQ(call("GET", "/domains/acme/users/1001").status, 404);
    EXPECT_EQ(call("PUT", "/domains/acme/users/1001", {{"site", "x"}}).status, 404);
    EXPECT_EQ(summary(call("POST", "/domains/acme/users/1001/devices", {{"device", "1001"}})),
              "404 User 1001 does not exist in domain acme");
    EXPECT_TRUE(state()["users"].contains("1001@acme"));
    clock_.advance(milliseconds(499));
    EXPECT_EQ(call("GET", "/domains/acme/users/1001").status, 404);
    // Existence is not seen either.
    EXPECT_EQ(call("POST", "/domains/acme/users", user).status, 202);
    clock_.advance(milliseconds(1));
    EXPECT_EQ(call("GET", "/domains/acme/users/1001").status, 200);
    EXPECT_EQ(call("POST", "/domains/acme/users", user).status, 409);
}

TEST_F(SlowSwitchTest, SynchronousCreateShowsAtOnce) {
    ASSERT_EQ(call("POST", "/domains", kDomain).status, 200);
    ASSERT_EQ(call("POST", "/domains/acme/users", kUser).status, 200);
    EXPECT_EQ(call("GET", "/domains/acme/users/1001").status, 200);
}

TEST_F(SlowSwitchTest, DeletedObjectsCanBeReadUntilTheDelayIsOver) {
    make_line();
    ASSERT_EQ(call("DELETE", "/domains/acme/users/1001").status, 202);
    EXPECT_EQ(call("GET", "/domains/acme/users/1001").status, 200);
    EXPECT_EQ(call("POST", "/domains/acme/users", kUser).status, 409);
    // Accepted, but there will be nothing to change.
    const Response late = call("PUT", "/domains/acme/users/1001", {{"name-first-name", "Eve"}});
    EXPECT_EQ(late.status, 202);
    EXPECT_FALSE(late.effect);
    EXPECT_FALSE(state()["users"].contains("1001@acme"));
    clock_.advance(milliseconds(500));
    EXPECT_EQ(call("GET", "/domains/acme/users/1001").status, 404);
    EXPECT_EQ(call("POST", "/domains/acme/users", kUser).status, 200);
}

TEST_F(SlowSwitchTest, ChangesBuildOnWhatWasAcceptedBefore) {
    make_line();
    ASSERT_EQ(call("PUT", "/domains/acme/users/1001", {{"department", "A"}}).status, 202);
    clock_.advance(milliseconds(300));
    ASSERT_EQ(call("PUT", "/domains/acme/users/1001", {{"service-code", "B"}}).status, 202);
    clock_.advance(milliseconds(300));
    Json user = json_of(call("GET", "/domains/acme/users/1001"));
    EXPECT_EQ(user["department"], "A");
    EXPECT_FALSE(user.contains("service-code"));
    clock_.advance(milliseconds(300));
    user = json_of(call("GET", "/domains/acme/users/1001"));
    EXPECT_EQ(user["department"], "A");
    EXPECT_EQ(user["service-code"], "B");
}

TEST_F(SlowSwitchTest, LaterWriteThatShowsFirstIsNotUndone) {
    make_line();
    clock_.advance(seconds(1));
    const auto put = [this](const Json& body, Microseconds delay) {
        return switch_
            .handle(request_to("PUT", std::string(kApiPath) + "/domains/acme/users/1001", body),
                    delay)
            .status;
    };
    ASSERT_EQ(put({{"department", "old"}}, seconds(2)), 202);
    ASSERT_EQ(put({{"department", "new"}}, milliseconds(0)), 202);
    EXPECT_EQ(json_of(call("GET", "/domains/acme/users/1001"))["department"], "new");
    clock_.advance(seconds(3));
    EXPECT_EQ(json_of(call("GET", "/domains/acme/users/1001"))["department"], "new");
}

TEST_F(SlowSwitchTest, NumberOnItsWayIntoAnotherDomainIsLostThere) {
    ASSERT_EQ(call("POST", "/domains", kDomain).status, 200);
    ASSERT_EQ(call("POST", "/domains", with(kDomain, {{"domain", "other"}})).status, 200);
    ASSERT_EQ(call("POST", "/domains/acme/phonenumbers", kNumber).status, 202);
    const Response late = call("POST", "/domains/other/phonenumbers", kNumber);
    EXPECT_EQ(late.status, 202);
    EXPECT_FALSE(late.effect);
    EXPECT_EQ(state()["phonenumbers"]["18585551234"]["domain"], "acme");
}

TEST_F(SlowSwitchTest, NumberOnItsWayThatIsMadeOnceMoreChangesNothing) {
    ASSERT_EQ(call("POST", "/domains", kDomain).status, 200);
    ASSERT_EQ(call("POST", "/domains/acme/phonenumbers", kNumber).status, 202);
    const Response again = call("POST", "/domains/acme/phonenumbers", kNumber);
    EXPECT_EQ(again.status, 202);
    EXPECT_FALSE(again.effect);
    const Response other = call("POST", "/domains/acme/phonenumbers",
                                with(kNumber, {{"dial-rule-description", "another one"}}));
    EXPECT_EQ(other.status, 202);
    EXPECT_TRUE(other.effect);
}

class OverwritingSwitchTest : public SwitchTest {
 protected:
    static SwitchOptions overwriting() {
        SwitchOptions options;
        options.duplicate_device = Duplicate::overwrite;
        options.duplicate_phone = Duplicate::bad_request;
        return options;
    }
    OverwritingSwitchTest() : SwitchTest(overwriting()) {}
};

TEST_F(OverwritingSwitchTest, DuplicateBehaviourIsChosen) {
    make_line();
    ASSERT_EQ(
        call("POST", "/domains/acme/users/1001/devices", {{"device", "1001"}, {"x", 1}}).status,
        202);
    EXPECT_EQ(json_of(call("GET", "/domains/acme/users/1001/devices/1001"))["x"], 1);
    const Json phone = {{"mac", "001122334455"}};
    ASSERT_EQ(call("POST", "/domains/acme/phones", phone).status, 202);
    EXPECT_EQ(call("POST", "/domains/acme/phones", phone).status, 400);
}

class GuardedSwitchTest : public SwitchTest {
 protected:
    static SwitchOptions guarded(bool rotate) {
        SwitchOptions options;
        CredentialOptions& credentials = options.credentials;
        credentials.api_keys = {"nss_abcdefghijklmnop"};
        credentials.low_scope_keys = {"nsu_low"};
        credentials.client_id = "client";
        credentials.client_secret = "s&cret";
        credentials.user_name = "bridge@acme";
        credentials.password = "pass";
        credentials.token_lifetime = seconds(60);
        credentials.rotate_refresh_tokens = rotate;
        return options;
    }
    explicit GuardedSwitchTest(bool rotate = true) : SwitchTest(guarded(rotate)) {}

    int status_with(const std::string& authorization) {
        Request request = request_to("GET", std::string(kApiPath) + "/domains");
        request.authorization = authorization;
        return switch_.handle(request, std::nullopt).status;
    }
    Response grant(const Json& body) { return call("POST", "/tokens", body); }
    Response refresh(const Json& token) {
        return grant({{"grant_type", "refresh_token"},
                      {"client_id", "client"},
                      {"client_secret", "s&cret"},
                      {"refresh_token", token}});
    }
    const Json password_grant_ = {{"grant_type", "password"},
                                  {"client_id", "client"},
                                  {"client_secret", "s&cret"},
                                  {"username", "bridge@acme"},
                                  {"password", "pass"}};
};

TEST_F(GuardedSwitchTest, KeysDecideWhoGetsIn) {
    EXPECT_EQ(call("GET", "/domains").status, 401);
    EXPECT_EQ(call("GET", "/version").status, 200);
    EXPECT_EQ(status_with("Bearer nss_abcdefghijklmnop"), 200);
    EXPECT_EQ(status_with("Bearer wrong"), 401);
    EXPECT_EQ(status_with("Basic nss_abcdefghijklmnop"), 401);
    EXPECT_EQ(status_with("Bearer "), 401);

    Request request = request_to("GET", std::string(kApiPath) + "/domains");
    request.authorization = "Bearer nsu_low";
    EXPECT_EQ(summary(switch_.handle(request, std::nullopt)), "401 Invalid Scope [APP001]");
    request.path = std::string(kApiPath) + "/apikeys/~";
    EXPECT_EQ(json_of(switch_.handle(request, std::nullopt))["user-scope"], "Basic User");
    request.authorization = "Bearer nss_abcdefghijklmnop";
    EXPECT_EQ(json_of(switch_.handle(request, std::nullopt))["key-id"], "nss_abcdefgh");
}

TEST_F(GuardedSwitchTest, TokensComeFromBothUrlsAndExpire) {
    const Json token = json_of(grant(password_grant_));
    EXPECT_EQ(token["token_type"], "Bearer");
    EXPECT_EQ(token["expires_in"], 60);
    const std::string bearer = "Bearer " + token["access_token"].get<std::string>();
    EXPECT_EQ(status_with(bearer), 200);
    clock_.advance(seconds(60));
    EXPECT_EQ(status_with(bearer), 401);

    const std::string form =
        "grant_type=password&client_id=client&client_secret=s%26cret&username=bridge%40acme&"
        "password=pass";
    for (const std::string path : {"/ns-api/oauth2/token/", "/ns-api/oauth2/token"})
        EXPECT_EQ(switch_.handle(request_to("POST", path, form), std::nullopt).status, 200);
}

TEST_F(GuardedSwitchTest, WrongGrantsAreRefused) {
    EXPECT_EQ(grant(with(password_grant_, {{"client_secret", "x"}})).status, 401);
    const Response wrong = grant(with(password_grant_, {{"password", "x"}}));
    EXPECT_EQ(wrong.status, 401);
    EXPECT_EQ(json_of(wrong)["error"], "invalid_grant");
    EXPECT_EQ(grant(with(password_grant_, {{"grant_type", "magic"}})).status, 400);
    EXPECT_EQ(grant("nonsense").status, 400);
    EXPECT_EQ(refresh("unknown").status, 400);
}

TEST_F(GuardedSwitchTest, RefreshRotatesItsToken) {
    const Json first = json_of(grant(password_grant_));
    const Json second = json_of(refresh(first["refresh_token"]));
    EXPECT_EQ(status_with("Bearer " + second["access_token"].get<std::string>()), 200);
    EXPECT_NE(second["refresh_token"], first["refresh_token"]);
    EXPECT_EQ(refresh(first["refresh_token"]).status, 400);
    EXPECT_EQ(refresh(second["refresh_token"]).status, 200);
}

TEST_F(GuardedSwitchTest, RevokedAccessTokenCanBeRefreshed) {
    const Json token = json_of(grant(password_grant_));
    switch_.revoke_access_tokens();
    EXPECT_EQ(status_with("Bearer " + token["access_token"].get<std::string>()), 401);
    EXPECT_EQ(refresh(token["refresh_token"]).status, 200);
}

class KeepingSwitchTest : public GuardedSwitchTest {
 protected:
    KeepingSwitchTest() : GuardedSwitchTest(false) {}
};

TEST_F(KeepingSwitchTest, RefreshMayKeepItsToken) {
    const Json first = json_of(grant(password_grant_));
    const Json second = json_of(refresh(first["refresh_token"]));
    EXPECT_FALSE(second.contains("refresh_token"));
    EXPECT_EQ(refresh(first["refresh_token"]).status, 200);
}

}  // namespace
}  // namespace tbs::simulator

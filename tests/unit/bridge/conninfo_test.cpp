#include "bridge/conninfo.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "bridge/error.hpp"

namespace tbs::bridge {
namespace {

std::string value_of(const ConnectionParameters& parameters, std::string_view keyword) {
    const auto found = std::find_if(parameters.begin(), parameters.end(),
                                    [&](const auto& entry) { return entry.first == keyword; });
    return found == parameters.end() ? "(none)" : found->second;
}

TEST(ConninfoTest, AddsWhatIsNotSaid) {
    const auto parameters = read_conninfo("host=a dbname=b", "name");
    EXPECT_EQ(value_of(parameters, "target_session_attrs"), "read-write");
    EXPECT_EQ(value_of(parameters, "fallback_application_name"), "name");
    EXPECT_EQ(value_of(parameters, "keepalives_idle"), "10");
    EXPECT_EQ(value_of(parameters, "client_encoding"), "UTF8");
}

TEST(ConninfoTest, LeavesWhatIsSaid) {
    const auto parameters = read_conninfo(
        "postgresql://u@a:1,b:2/"
        "db?target_session_attrs=any&keepalives_idle=3&client_encoding=LATIN1",
        "name");
    EXPECT_EQ(value_of(parameters, "host"), "a,b");
    EXPECT_EQ(value_of(parameters, "port"), "1,2");
    EXPECT_EQ(value_of(parameters, "target_session_attrs"), "any");
    EXPECT_EQ(value_of(parameters, "keepalives_idle"), "3");
    EXPECT_EQ(value_of(parameters, "client_encoding"), "UTF8");
}

TEST(ConninfoTest, EmptyMeansTheEnvironment) {
    EXPECT_EQ(describe(read_conninfo("", "name")), "libpq environment");
}

TEST(ConninfoTest, RefusesWhatIsMalformed) {
    EXPECT_THROW(static_cast<void>(read_conninfo("host", "name")), BridgeError);
    EXPECT_THROW(static_cast<void>(read_conninfo("nonsense=1", "name")), BridgeError);
}

TEST(ConninfoTest, RotatesHostsAndWhatBelongsToThem) {
    const auto parameters = read_conninfo("host=a,b,c port=1,2,3", "name");
    const auto second = rotate_hosts(parameters, 1);
    EXPECT_EQ(value_of(second, "host"), "b,c,a");
    EXPECT_EQ(value_of(second, "port"), "2,3,1");
    EXPECT_EQ(value_of(rotate_hosts(parameters, 3), "host"), "a,b,c");
    const auto one_port = rotate_hosts(read_conninfo("host=a,b port=5", "name"), 1);
    EXPECT_EQ(value_of(one_port, "host"), "b,a");
    EXPECT_EQ(value_of(one_port, "port"), "5");
    EXPECT_EQ(value_of(rotate_hosts(read_conninfo("host=a", "name"), 7), "host"), "a");
}

TEST(ConninfoTest, DescriptionHasNoPassword) {
    EXPECT_EQ(describe(read_conninfo("postgresql://u:secret@a:5/db", "name")),
              "host:a port:5 dbname:db");
}

}  // namespace
}  // namespace tbs::bridge

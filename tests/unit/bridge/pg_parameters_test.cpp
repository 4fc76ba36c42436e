#include "bridge/pg_parameters.hpp"

#include <gtest/gtest.h>

#include <array>

namespace tbs::bridge {
namespace {

using namespace std::string_literals;

TEST(PgParametersTest, Scalars) {
    PgParameters parameters;
    parameters.int32(-2).int64(258).text("abc").json("{}");
    ASSERT_EQ(parameters.count(), 4);
    EXPECT_EQ(parameters.types(), (std::vector<std::uint32_t>{23, 20, 25, 3802}));
    EXPECT_EQ(parameters.value(0), "\xff\xff\xff\xfe");
    EXPECT_EQ(parameters.value(1), "\0\0\0\0\0\0\x01\x02"s);
    EXPECT_EQ(parameters.value(2), "abc");
    EXPECT_EQ(parameters.value(3), "\x01{}");
    EXPECT_EQ(parameters.lengths(), (std::vector<int>{4, 8, 3, 3}));
    EXPECT_EQ(parameters.pointers().size(), 4U);
}

TEST(PgParametersTest, Arrays) {
    PgParameters parameters;
    const std::array<std::int64_t, 1> ids{7};
    parameters.int64_array(ids);
    parameters.int64_array({});
    static const std::array<std::string, 2> bytes{"a\0b"s, ""s};
    parameters.bytes_array(2, [](std::size_t i) { return std::string_view{bytes[i]}; });
    EXPECT_EQ(parameters.value(0),
              "\0\0\0\x01\0\0\0\0\0\0\0\x14\0\0\0\x01\0\0\0\x01\0\0\0\x08\0\0\0\0\0\0\0\x07"s);
    EXPECT_EQ(parameters.value(1), "\0\0\0\0\0\0\0\0\0\0\0\x14"s);
    EXPECT_EQ(parameters.value(2).substr(20),
              "\0\0\0\x03"
              "a\0b\0\0\0\0"s);
}

TEST(PgParametersTest, TimesCountFrom2000) {
    PgParameters parameters;
    parameters.time_array(1, [](std::size_t) {
        return WallTime{std::chrono::seconds{946'684'800} + std::chrono::microseconds{1}};
    });
    EXPECT_EQ(parameters.value(0).substr(20), "\0\0\0\x08\0\0\0\0\0\0\0\x01"s);
}

}  // namespace
}  // namespace tbs::bridge

#include "core/random_text.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <numeric>
#include <vector>

#include "core/text.hpp"

namespace tbs::core {
namespace {

TEST(RandomTextTest, FavoursNoCharacter) {
    std::array<std::uint8_t, 256> random{};
    std::iota(random.begin(), random.end(), std::uint8_t{0});
    std::vector<char> text(256);
    const std::size_t filled = fill_random_text(text, random);
    EXPECT_EQ(filled, 248U);
    std::map<char, int> counts;
    for (std::size_t i = 0; i < filled; ++i) ++counts[text[i]];
    EXPECT_EQ(counts.size(), 62U);
    for (const auto& [character, count] : counts) {
        EXPECT_TRUE(is_alphanumeric(character));
        EXPECT_EQ(count, 4) << character;
    }
}

TEST(RandomTextTest, StopsWhenTheTextIsFull) {
    const std::array<std::uint8_t, 4> random{255, 0, 1, 2};
    std::array<char, 2> text{};
    EXPECT_EQ(fill_random_text(text, random), 2U);
    EXPECT_EQ(text[0], 'A');
    EXPECT_EQ(text[1], 'B');
    EXPECT_EQ(fill_random_text({}, random), 0U);
}

}  // namespace
}  // namespace tbs::core

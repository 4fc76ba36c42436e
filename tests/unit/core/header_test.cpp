#include "core/header.hpp"

#include <gtest/gtest.h>

#include <string_view>

#include "core/error.hpp"

namespace tbs::core {
namespace {

TEST(HeaderTest, RefusesValuesThatEndTheHeader) {
    for (const char* value : {"a\r\nX-Evil: 1", "a\nb", "a\rb", "\x01", "\x7F"})
        EXPECT_THROW(check_header_value(value), RenderError) << value;
    EXPECT_THROW(check_header_value(std::string_view("a\0b", 3)), RenderError);
    EXPECT_NO_THROW(check_header_value(""));
    EXPECT_NO_THROW(check_header_value("tab\tand \xC3\xA9 and \"quotes\""));
}

TEST(HeaderTest, RefusesNamesThatAreNoTokens) {
    for (const char* name : {"", "a b", "a:", "a\n", "\xC3\xA9", "(a)"})
        EXPECT_THROW(check_header_name(name), RenderError) << name;
    EXPECT_NO_THROW(check_header_name("X-Api_Key.1"));
}

}  // namespace
}  // namespace tbs::core

#include "bridge/log.hpp"

#include <gtest/gtest.h>

namespace tbs::bridge::log {
namespace {

TEST(LogTest, OneLinePerEvent) {
    EXPECT_EQ(format_line(Level::info, "started", {{"name", "a"}, {"count", 3}, {"on", true}}),
              "level=info event=started name=a count=3 on=true");
    EXPECT_EQ(format_line(Level::warning, "x", {}), "level=warning event=x");
}

TEST(LogTest, EscapesValues) {
    EXPECT_EQ(format_line(Level::error, "e",
                          {{"empty", ""}, {"blank", "a b"}, {"quote", "a\"b\\"}, {"eq", "a=b"}}),
              R"(level=error event=e empty="" blank="a b" quote="a\"b\\" eq="a=b")");
    EXPECT_EQ(format_line(Level::error, "e", {{"lines", "a\nlevel=info event=fake\x1b[0m"}}),
              R"(level=error event=e lines="a\nlevel=info event=fake\x1b[0m")");
}

TEST(LogTest, SilentBeforeItIsStarted) {
    EXPECT_FALSE(enabled(Level::error));
    error("nobody_hears_this");
}

}  // namespace
}  // namespace tbs::bridge::log

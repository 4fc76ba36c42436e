#include "bridge/options.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <vector>

namespace tbs::bridge {
namespace {

using namespace std::chrono_literals;

ParsedOptions parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "tbs-bridge");
    return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

TEST(OptionsTest, Defaults) {
    const ParsedOptions parsed = parse({"--environment", "test"});
    ASSERT_FALSE(parsed.exit_code);
    EXPECT_EQ(parsed.options.environment, "test");
    EXPECT_EQ(parsed.options.database, "");
    EXPECT_NE(parsed.options.name.find(':'), std::string::npos);
    EXPECT_EQ(parsed.options.claim_size, 250U);
    EXPECT_EQ(parsed.options.maximum_in_flight, 500U);
    EXPECT_EQ(parsed.options.poll_interval, 5s);
    EXPECT_EQ(parsed.options.stop_grace, 20s);
    EXPECT_EQ(parsed.options.log_level, log::Level::info);
    EXPECT_FALSE(parsed.options.check);
}

TEST(OptionsTest, CommandLineWinsOverEnvironmentWinsOverFile) {
    const std::string path = ::testing::TempDir() + "tbs-bridge-options.conf";
    std::ofstream{path} << "environment = \"file\"\nname = file\npoll-interval = 0.5\n";
    setenv("TBS_BRIDGE_NAME", "environment", 1);
    setenv("TBS_BRIDGE_LOG_LEVEL", "debug", 1);
    const ParsedOptions parsed =
        parse({"--config", path.c_str(), "--environment", "line", "--check"});
    unsetenv("TBS_BRIDGE_NAME");
    unsetenv("TBS_BRIDGE_LOG_LEVEL");
    unlink(path.c_str());
    ASSERT_FALSE(parsed.exit_code);
    EXPECT_EQ(parsed.options.environment, "line");
    EXPECT_EQ(parsed.options.name, "environment");
    EXPECT_EQ(parsed.options.poll_interval, 500ms);
    EXPECT_EQ(parsed.options.log_level, log::Level::debug);
    EXPECT_TRUE(parsed.options.check);
}

TEST(OptionsTest, ExitCodes) {
    EXPECT_EQ(parse({"--version"}).exit_code, 0);
    EXPECT_EQ(parse({"--help"}).exit_code, 0);
    EXPECT_EQ(parse({}).exit_code, 2);  // the environment is required
    EXPECT_EQ(parse({"--environment", "x", "--claim-size", "0"}).exit_code, 2);
    EXPECT_EQ(parse({"--environment", "x", "--log-level", "loud"}).exit_code, 2);
    EXPECT_EQ(parse({"--environment", "x", "--nonsense"}).exit_code, 2);
}

TEST(OptionsTest, TheExampleFileIsUnderstood) {
    const ParsedOptions parsed = parse({"--config", TBS_EXAMPLE_CONFIGURATION});
    ASSERT_FALSE(parsed.exit_code);
    EXPECT_EQ(parsed.options.environment, "production");
    EXPECT_TRUE(parsed.options.database.starts_with("host=db1.example.net,"));
}

}  // namespace
}  // namespace tbs::bridge

#include "bridge/systemd.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <string>

namespace tbs::bridge {
namespace {

class SystemdTest : public ::testing::Test {
 public:
    SystemdTest() : name_{"@tbs-bridge-test-" + std::to_string(getpid())} {
        fd_ = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, name_.data(), name_.size());
        address.sun_path[0] = '\0';
        EXPECT_EQ(bind(fd_, reinterpret_cast<sockaddr*>(&address),
                       static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size())),
                  0);
        setenv("NOTIFY_SOCKET", name_.c_str(), 1);
    }
    ~SystemdTest() override {
        unsetenv("NOTIFY_SOCKET");
        unsetenv("WATCHDOG_USEC");
        unsetenv("WATCHDOG_PID");
        close(fd_);
    }
    SystemdTest(const SystemdTest&) = delete;
    SystemdTest& operator=(const SystemdTest&) = delete;
    SystemdTest(SystemdTest&&) = delete;
    SystemdTest& operator=(SystemdTest&&) = delete;

 protected:
    [[nodiscard]] std::string received() const {
        std::array<char, 512> buffer{};
        const ssize_t count = recv(fd_, buffer.data(), buffer.size(), 0);
        return count < 0 ? "(nothing)"
                         : std::string(buffer.data(), static_cast<std::size_t>(count));
    }

 private:
    std::string name_;
    int fd_ = -1;
};

TEST_F(SystemdTest, SpeaksTheProtocol) {
    const Systemd systemd;
    systemd.ready();
    EXPECT_EQ(received(), "READY=1");
    systemd.stopping();
    EXPECT_EQ(received(), "STOPPING=1");
    systemd.status("fine");
    EXPECT_EQ(received(), "STATUS=fine");
    systemd.watchdog();
    EXPECT_EQ(received(), "WATCHDOG=1");
    systemd.reloading();
    EXPECT_TRUE(received().starts_with("RELOADING=1\nMONOTONIC_USEC="));
}

TEST_F(SystemdTest, WatchdogIsAnsweredAtHalfItsTime) {
    EXPECT_FALSE(Systemd{}.watchdog_interval());
    setenv("WATCHDOG_USEC", "30000000", 1);
    EXPECT_EQ(Systemd{}.watchdog_interval(), std::chrono::seconds{15});
    setenv("WATCHDOG_PID", "1", 1);  // meant for another process
    EXPECT_FALSE(Systemd{}.watchdog_interval());
    setenv("WATCHDOG_PID", std::to_string(getpid()).c_str(), 1);
    EXPECT_TRUE(Systemd{}.watchdog_interval());
    setenv("WATCHDOG_USEC", "soon", 1);
    EXPECT_FALSE(Systemd{}.watchdog_interval());
}

TEST_F(SystemdTest, WaitsForNobodyWhoDoesNotRead) {
    const Systemd systemd;
    alarm(20);  // ends the test that would wait for ever
    for (int n = 0; n < 10000; ++n) systemd.status(std::to_string(n));
    alarm(0);
    EXPECT_EQ(received(), "STATUS=0");
}

TEST_F(SystemdTest, SilentWithoutASocket) {
    unsetenv("NOTIFY_SOCKET");
    Systemd{}.ready();
    EXPECT_EQ(received(), "(nothing)");
}

}  // namespace
}  // namespace tbs::bridge

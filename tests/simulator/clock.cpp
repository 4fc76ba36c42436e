#include "clock.hpp"

#include <time.h>

#include <array>

namespace tbs::simulator {

std::string Clock::wall_text() const {
    const auto wall =
        std::chrono::time_point_cast<std::chrono::system_clock::duration>(started_at() + now());
    const std::time_t seconds = std::chrono::system_clock::to_time_t(wall);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const std::size_t length =
        std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S+00:00", &parts);
    return {text.data(), length};
}

}  // namespace tbs::simulator

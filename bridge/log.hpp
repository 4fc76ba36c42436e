// One line per event: `level=info event=started key=value ...`. Values are escaped; callers never
// pass secrets, bodies or query strings. Single-threaded.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>

namespace tbs::bridge::log {

enum class Level { debug, info, warning, error };

struct Field {
    Field(std::string_view name, std::string_view text) : key{name}, value{text} {}
    Field(std::string_view name, const std::string& text) : key{name}, value{text} {}
    Field(std::string_view name, const char* text) : key{name}, value{text} {}
    Field(std::string_view name, bool flag) : key{name}, value{flag ? "true" : "false"} {}
    template <std::integral Number>
    requires(!std::same_as<Number, bool>) Field(std::string_view name, Number number)
        : key{name}, value{std::to_string(number)} {}

    std::string_view key;
    std::string value;
};

using Fields = std::initializer_list<Field>;

// Writes to standard error; the time is added unless the journal adds it.
void start(Level level);
[[nodiscard]] bool enabled(Level level);

// What is written, without time: for tests too.
[[nodiscard]] std::string format_line(Level level, std::string_view event, Fields fields);

void write(Level level, std::string_view event, Fields fields);

inline void debug(std::string_view event, Fields fields = {}) {
    if (enabled(Level::debug)) write(Level::debug, event, fields);
}
inline void info(std::string_view event, Fields fields = {}) {
    write(Level::info, event, fields);
}
inline void warning(std::string_view event, Fields fields = {}) {
    write(Level::warning, event, fields);
}
inline void error(std::string_view event, Fields fields = {}) {
    write(Level::error, event, fields);
}

}  // namespace tbs::bridge::log

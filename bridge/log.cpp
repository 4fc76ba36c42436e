#include "bridge/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <memory>

namespace tbs::bridge::log {

namespace {

constexpr std::string_view name_of(Level level) {
    switch (level) {
        case Level::debug:
            return "debug";
        case Level::info:
            return "info";
        case Level::warning:
            return "warning";
        case Level::error:
            return "error";
    }
    return "error";
}

spdlog::level::level_enum spdlog_level(Level level) {
    switch (level) {
        case Level::debug:
            return spdlog::level::debug;
        case Level::info:
            return spdlog::level::info;
        case Level::warning:
            return spdlog::level::warn;
        case Level::error:
            break;
    }
    return spdlog::level::err;
}

std::shared_ptr<spdlog::logger>& logger() {
    static std::shared_ptr<spdlog::logger> instance;
    return instance;
}

void append_value(std::string& line, std::string_view value) {
    bool plain = !value.empty();
    for (const char c : value) {
        if (static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\\' ||
            c == '\x7f') {
            plain = false;
            break;
        }
    }
    if (plain) {
        line += value;
        return;
    }
    static constexpr std::string_view kHex = "0123456789abcdef";
    line += '"';
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            line += '\\';
            line += c;
        } else if (c == '\n') {
            line += "\\n";
        } else if (byte < ' ' || byte == 0x7f) {
            line += "\\x";
            line += kHex[byte >> 4U];
            line += kHex[byte & 0xfU];
        } else {
            line += c;
        }
    }
    line += '"';
}

}  // namespace

void start(Level level) {
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
    logger() = std::make_shared<spdlog::logger>("tbs-bridge", std::move(sink));
    logger()->set_level(spdlog_level(level));
    const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
    logger()->set_pattern(journal ? "%v" : "%v time=%Y-%m-%dT%H:%M:%S.%eZ",
                          spdlog::pattern_time_type::utc);
}

bool enabled(Level level) {
    return logger() != nullptr && logger()->should_log(spdlog_level(level));
}

std::string format_line(Level level, std::string_view event, Fields fields) {
    std::string line = "level=";
    line += name_of(level);
    line += " event=";
    append_value(line, event);
    for (const Field& field : fields) {
        line += ' ';
        line += field.key;
        line += '=';
        append_value(line, field.value);
    }
    return line;
}

void write(Level level, std::string_view event, Fields fields) {
    if (!enabled(level)) return;
    logger()->log(spdlog_level(level), spdlog::string_view_t{format_line(level, event, fields)});
}

}  // namespace tbs::bridge::log

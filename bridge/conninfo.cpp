#include "bridge/conninfo.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "bridge/error.hpp"

namespace tbs::bridge {

namespace {

struct Default {
    const char* keyword;
    const char* environment;  // libpq's own variable for it; nullptr: there is none
    const char* value;
};

constexpr std::array kDefaults = {
    // A standby takes neither claims nor LISTEN.
    Default{"target_session_attrs", "PGTARGETSESSIONATTRS", "read-write"},
    // A peer that vanished is noticed within half a minute.
    Default{"keepalives_idle", nullptr, "10"},
    Default{"keepalives_interval", nullptr, "5"},
    Default{"keepalives_count", nullptr, "3"},
    Default{"tcp_user_timeout", nullptr, "25000"},
};

std::string* find(ConnectionParameters& parameters, std::string_view keyword) {
    const auto found = std::find_if(parameters.begin(), parameters.end(),
                                    [&](const auto& entry) { return entry.first == keyword; });
    return found == parameters.end() ? nullptr : &found->second;
}

std::vector<std::string> split(const std::string& list) {
    std::vector<std::string> parts;
    std::size_t start = 0;
    while (true) {
        const std::size_t comma = list.find(',', start);
        parts.push_back(list.substr(start, comma - start));
        if (comma == std::string::npos) return parts;
        start = comma + 1;
    }
}

void rotate_list(std::string& list, std::size_t first, std::size_t expected) {
    std::vector<std::string> parts = split(list);
    if (parts.size() != expected) return;  // a single port for all hosts, for example
    const auto middle = static_cast<std::ptrdiff_t>(first % parts.size());
    std::rotate(parts.begin(), parts.begin() + middle, parts.end());
    list.clear();
    for (std::size_t i = 0; i < parts.size(); ++i) {
        if (i > 0) list += ',';
        list += parts[i];
    }
}

}  // namespace

ConnectionParameters read_conninfo(std::string_view conninfo, std::string_view application_name) {
    char* message = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options{
        PQconninfoParse(std::string{conninfo}.c_str(), &message), &PQconninfoFree};
    const std::unique_ptr<char, decltype(&PQfreemem)> message_owner{message, &PQfreemem};
    if (options == nullptr) {
        std::string text = message == nullptr ? "out of memory" : message;
        while (text.ends_with('\n')) text.pop_back();
        throw BridgeError{
            "invalid database connection string: " + text,
            "Use a conninfo such as \"host=db1,db2 dbname=billing user=tbs_bridge\" or a "
            "postgresql:// URI."};
    }
    ConnectionParameters parameters;
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val != nullptr && *option->val != '\0') {
            parameters.emplace_back(option->keyword, option->val);
        }
    }
    for (const Default& entry : kDefaults) {
        if (find(parameters, entry.keyword) != nullptr) continue;
        if (entry.environment != nullptr && std::getenv(entry.environment) != nullptr) continue;
        parameters.emplace_back(entry.keyword, entry.value);
    }
    if (find(parameters, "fallback_application_name") == nullptr) {
        parameters.emplace_back("fallback_application_name", application_name);
    }
    // Not left to the user: bodies and answers are UTF-8.
    if (std::string* const encoding = find(parameters, "client_encoding")) {
        *encoding = "UTF8";
    } else {
        parameters.emplace_back("client_encoding", "UTF8");
    }
    return parameters;
}

ConnectionParameters rotate_hosts(ConnectionParameters parameters, std::size_t first) {
    std::string* const hosts = find(parameters, "host");
    std::string* const addresses = find(parameters, "hostaddr");
    const std::string* const list = addresses != nullptr ? addresses : hosts;
    if (list == nullptr) return parameters;
    const std::size_t count = split(*list).size();
    if (count < 2) return parameters;
    for (const char* const keyword : {"host", "hostaddr", "port"}) {
        if (std::string* const value = find(parameters, keyword)) rotate_list(*value, first, count);
    }
    return parameters;
}

std::string describe(const ConnectionParameters& parameters) {
    std::string text;
    for (const char* const keyword : {"host", "hostaddr", "port", "service", "dbname"}) {
        for (const auto& [name, value] : parameters) {
            // A dbname may itself be a connection string with a password in it.
            const bool plain = value.find_first_of("=:@") == std::string::npos;
            if (name != keyword || (name == "dbname" && !plain)) continue;
            if (!text.empty()) text += ' ';
            text += name;
            text += ':';
            text += value;
        }
    }
    return text.empty() ? "libpq environment" : text;
}

}  // namespace tbs::bridge

#include "store.hpp"

namespace tbs::simulator {

namespace {

// How a key is written in the state: as it is, or turned round.
enum class Names { as_key, below_domain, agent, answer_rule };

std::string state_name(const std::string& key, Names names) {
    if (names == Names::as_key) return key;
    const std::size_t first = key.find('/');
    const std::string domain = key.substr(0, first);
    const std::string rest = key.substr(first + 1);
    if (names == Names::below_domain) return rest + "@" + domain;
    const std::size_t second = rest.find('/');
    return rest.substr(second + 1) + (names == Names::agent ? " in " : " of ") +
           rest.substr(0, second) + "@" + domain;
}

void append_table(std::string& text, std::string_view kind, const Table& table, Names names) {
    if (text.size() > 1) text.push_back(',');
    text.append(json_string(kind)).append(":{");
    bool first = true;
    for (const auto& [key, entry] : table.entries()) {
        if (entry.accepted == nullptr) continue;
        if (!first) text.push_back(',');
        first = false;
        text.append(json_string(state_name(key, names))).push_back(':');
        if (entry.automatic) {
            Json marked = *entry.accepted;
            marked["automatic"] = true;
            text.append(to_text(marked));
        } else {
            text.append(to_text(*entry.accepted));
        }
    }
    text.push_back('}');
}

}  // namespace

void Store::advance(Microseconds now) {
    for (Table* table : {&domains, &sites, &users, &devices, &phones, &phone_numbers, &answer_rules,
                         &call_queues, &agents, &addresses, &endpoints})
        table->advance(now);
}

std::string Store::state_text() const {
    std::string text = "{";
    append_table(text, "domains", domains, Names::as_key);
    append_table(text, "sites", sites, Names::below_domain);
    append_table(text, "users", users, Names::below_domain);
    append_table(text, "devices", devices, Names::below_domain);
    append_table(text, "phones", phones, Names::as_key);
    append_table(text, "phonenumbers", phone_numbers, Names::as_key);
    append_table(text, "answerrules", answer_rules, Names::answer_rule);
    append_table(text, "callqueues", call_queues, Names::below_domain);
    append_table(text, "agents", agents, Names::agent);
    append_table(text, "addresses", addresses, Names::below_domain);
    append_table(text, "endpoints", endpoints, Names::as_key);
    text.push_back('}');
    return text;
}

std::string child_key(std::string_view domain, std::string_view name) {
    std::string key;
    key.reserve(domain.size() + 1 + name.size());
    return key.append(domain).append("/").append(name);
}

}  // namespace tbs::simulator

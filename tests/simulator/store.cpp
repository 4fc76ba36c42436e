#include "store.hpp"

namespace tbs::simulator {

namespace {

void append_table(std::string& text, std::string_view kind, const Table& table, bool below_domain) {
    if (text.size() > 1) text.push_back(',');
    text.append(json_string(kind)).append(":{");
    bool first = true;
    for (const auto& [key, entry] : table.entries()) {
        if (entry.accepted == nullptr) continue;
        std::string name = key;
        if (below_domain) {
            const std::size_t slash = key.find('/');
            name = key.substr(slash + 1) + "@" + key.substr(0, slash);
        }
        if (!first) text.push_back(',');
        first = false;
        text.append(json_string(name)).push_back(':');
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
    for (Table* table : {&domains, &sites, &users, &devices, &phones, &phone_numbers})
        table->advance(now);
}

std::string Store::state_text() const {
    std::string text = "{";
    append_table(text, "domains", domains, false);
    append_table(text, "sites", sites, true);
    append_table(text, "users", users, true);
    append_table(text, "devices", devices, true);
    append_table(text, "phones", phones, false);
    append_table(text, "phonenumbers", phone_numbers, false);
    text.push_back('}');
    return text;
}

std::string child_key(std::string_view domain, std::string_view name) {
    std::string key;
    key.reserve(domain.size() + 1 + name.size());
    return key.append(domain).append("/").append(name);
}

}  // namespace tbs::simulator

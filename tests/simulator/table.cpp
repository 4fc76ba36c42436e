#include "table.hpp"

#include <utility>

namespace tbs::simulator {

JsonPointer Table::visible(std::string_view key) const {
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : found->second.visible;
}

JsonPointer Table::accepted(std::string_view key) const {
    const auto found = entries_.find(key);
    return found == entries_.end() ? nullptr : found->second.accepted;
}

bool Table::automatic(std::string_view key) const {
    const auto found = entries_.find(key);
    return found != entries_.end() && found->second.automatic;
}

void Table::write(const std::string& key, JsonPointer value, Microseconds due, Microseconds now,
                  bool automatic) {
    const auto [found, added] = entries_.try_emplace(key);
    Entry& entry = found->second;
    // What is still to become visible of an object that had this key before must not show in the
    // new one.
    if (added) entry.visible_version = last_version_;
    entry.accepted = value;
    const std::uint64_t version = ++last_version_;
    entry.automatic = automatic;
    if (group_ && value != nullptr) groups_[group_(*value)].insert(key);
    if (due <= now)
        show(key, value, version);
    else
        pending_.emplace(due, Pending{key, std::move(value), version});
}

void Table::advance(Microseconds now) {
    while (!pending_.empty() && pending_.begin()->first <= now) {
        const Pending pending = std::move(pending_.begin()->second);
        pending_.erase(pending_.begin());
        show(pending.key, pending.value, pending.version);
    }
}

// A later write may have become visible first (another delay, or a synchronous create): an older
// face never comes back.
void Table::show(const std::string& key, const JsonPointer& value, std::uint64_t version) {
    const auto found = entries_.find(key);
    if (found == entries_.end() || found->second.visible_version > version) return;
    Entry& entry = found->second;
    const JsonPointer previous = std::exchange(entry.visible, value);
    entry.visible_version = version;
    if (entry.visible != nullptr || entry.accepted != nullptr) return;
    if (group_ && previous != nullptr) {
        const auto group = groups_.find(group_(*previous));
        if (group != groups_.end()) {
            group->second.erase(key);
            if (group->second.empty()) groups_.erase(group);
        }
    }
    entries_.erase(found);
}

const Table::Keys& Table::group(std::string_view name) const {
    const auto found = groups_.find(name);
    return found == groups_.end() ? no_keys_ : found->second;
}

void Table::for_prefix(std::string_view prefix,
                       const std::function<void(const std::string&, const Entry&)>& call) const {
    for (auto at = entries_.lower_bound(prefix);
         at != entries_.end() && at->first.starts_with(prefix); ++at)
        call(at->first, at->second);
}

}  // namespace tbs::simulator

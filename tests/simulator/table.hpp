// One kind of objects, each with two faces: what has been accepted, and what reads and existence
// checks see. A write becomes visible when its time has come; until then the old face shows. Used
// from one thread only; never fails for data.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "clock.hpp"
#include "json.hpp"

namespace tbs::simulator {

using JsonPointer = std::shared_ptr<const Json>;

class Table {
 public:
    struct Entry {
        JsonPointer accepted;  // null: deleted
        JsonPointer visible;   // null: not there for a reader
        std::uint64_t visible_version = 0;
        bool automatic = false;  // made by the switch itself
    };
    using Entries = std::map<std::string, Entry, std::less<>>;
    using Keys = std::set<std::string, std::less<>>;
    // Under what an object can be found besides its key (its domain, its user, its login).
    using Group = std::function<std::string(const Json&)>;

    Table() = default;
    explicit Table(Group group) : group_(std::move(group)) {}

    // Null when a reader does not see the object.
    JsonPointer visible(std::string_view key) const;
    JsonPointer accepted(std::string_view key) const;
    const Entries& entries() const { return entries_; }

    bool automatic(std::string_view key) const;

    // Accepts a write (null = delete); it shows from `due` on, or at once when that has passed.
    void write(const std::string& key, JsonPointer value, Microseconds due, Microseconds now,
               bool automatic = false);

    // Makes visible what is due.
    void advance(Microseconds now);

    // Keys whose object is, was or will be in the group: a superset, so look at the object.
    const Keys& group(std::string_view name) const;
    std::string group_of(const Json& object) const { return group_(object); }
    // Calls with (key, entry) for all keys that begin with the prefix, in order.
    void for_prefix(std::string_view prefix,
                    const std::function<void(const std::string&, const Entry&)>& call) const;

 private:
    struct Pending {
        std::string key;
        JsonPointer value;
        std::uint64_t version = 0;
    };

    void show(const std::string& key, const JsonPointer& value, std::uint64_t version);

    Group group_;
    Entries entries_;
    std::multimap<Microseconds, Pending> pending_;
    std::map<std::string, Keys, std::less<>> groups_;
    Keys no_keys_;
    std::uint64_t last_version_ = 0;
};

}  // namespace tbs::simulator

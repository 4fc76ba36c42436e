// Keeps what was made of the last few byte strings, such as parsed recipes, for the life of the
// backend. The same recipe is rendered thousands of times and the same context several times in a
// row, so the newest entries are looked at first and compared byte by byte.
#pragma once

#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <utility>

namespace tbs::pg {

template <typename T, std::size_t kEntries>
class ByteCache {
 public:
    // The result stays valid until the next call. What make() throws comes out, and nothing is
    // kept.
    template <typename Make>
    const T& get(std::string_view bytes, Make&& make) {
        for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
            if (entry->bytes != bytes) continue;
            entries_.splice(entries_.begin(), entries_, entry);
            return entry->value;
        }
        entries_.push_front(Entry{std::string(bytes), make()});
        // Whatever is unusually big is dropped first, so that one huge document does not stay.
        for (auto entry = std::next(entries_.begin()); entry != entries_.end();)
            entry = entry->bytes.size() > kBig ? entries_.erase(entry) : std::next(entry);
        if (entries_.size() > kEntries) entries_.pop_back();
        return entries_.front().value;
    }

 private:
    static constexpr std::size_t kBig = 65536;

    struct Entry {
        std::string bytes;
        T value;
    };
    std::list<Entry> entries_;
};

}  // namespace tbs::pg

// The record of every request, in the order of arrival. Bounded: the oldest entries go first. All
// its times are different, so that two times always tell which was first.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "clock.hpp"
#include "message.hpp"

namespace tbs::simulator {

class Journal {
 public:
    // The clock must outlive this object. limit 0: keeps nothing.
    Journal(const Clock& clock, std::size_t limit) : clock_(clock), limit_(limit) {}

    // The number of the new entry; numbers start at 1 and go on over a clear().
    std::uint64_t arrive(const Request& request);
    // To be called just before the first byte of the answer leaves, or before the connection is
    // given up (status 0: no answer).
    void complete(std::uint64_t number, int status, bool effect, const std::string& fault);
    void clear() { entries_.clear(); }

    // A JSON array of the entries with numbers above `after`.
    std::string text(std::uint64_t after) const;

 private:
    struct Entry {
        std::uint64_t number = 0;
        Microseconds arrived_at{0};
        Microseconds completed_at{0};
        std::uint64_t completion = 0;  // 0: still open
        std::string method;
        std::string path;
        std::string query;
        std::string body;
        Headers headers;
        int status = 0;
        bool effect = false;
        std::string fault;
    };

    Microseconds tick();
    static void append(std::string& text, const Entry& entry);

    const Clock& clock_;
    std::size_t limit_;
    std::deque<Entry> entries_;
    std::uint64_t last_number_ = 0;
    std::uint64_t last_completion_ = 0;
    Microseconds last_tick_{-1};
};

}  // namespace tbs::simulator

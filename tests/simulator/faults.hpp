// The rules that make the switch misbehave. Rules are tried in the order of their ids; "latency"
// and "visibility" change a request and let it go on to the next rule, all others end the search.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "clock.hpp"
#include "message.hpp"

namespace tbs::simulator {

// When the request does its work: on arrival, when it is answered, or not at all.
enum class Effect { before, after, none };

enum class Ending { answer, reset, hang };

// What the rules do to one request.
struct Decision {
    std::string names;  // "latency+status"; "" when no rule matched
    Microseconds latency{0};
    std::optional<Microseconds> visibility_delay;
    Effect effect = Effect::before;
    Ending ending = Ending::answer;
    std::optional<Response> response;  // instead of the switch's own
};

// The switch as a whole is down: the listening socket is closed.
struct Refusal {
    std::optional<Microseconds> duration;  // nothing: until the faults are deleted
    bool cut_connections = true;
};

class Faults {
 public:
    // The generator must outlive this object.
    explicit Faults(std::mt19937_64& random) : random_(random) {}

    // Adds the rules of a list (or one rule). All or none: the text says what is wrong, "" when
    // nothing is. A rule "refuse" matches no request; it is given back to be carried out.
    std::string add(const Json& rules, std::optional<Refusal>& refusal);
    void clear() { rules_.clear(); }
    // {"rules":[...]} as given, each with its id and hits.
    Json describe() const;

    Decision decide(const Request& request);

 private:
    struct Rule {
        std::uint64_t id = 0;
        Json text;  // as given
        std::string name;
        std::string method;
        std::optional<std::regex> path;
        std::optional<std::regex> query;
        double probability = 1;
        std::optional<std::uint64_t> left;
        std::uint64_t hits = 0;
        Decision decision;
        bool ends = true;
    };

    static std::string parse(const Json& text, Rule& rule, std::optional<Refusal>& refusal);
    bool matches(Rule& rule, const Request& request);

    std::mt19937_64& random_;
    std::vector<Rule> rules_;
    std::uint64_t last_id_ = 0;
};

}  // namespace tbs::simulator

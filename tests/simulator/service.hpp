// What happens to a request between its arrival and the end of its answer, without sockets: control
// routes, sink, faults, journal, switch. The server calls arrive() when a request has been read,
// waits for `latency`, calls conclude() and does what `ending` says. A request that gets no answer
// because its connection ends first, or hangs and ends at last, is reported by abandon().
#pragma once

#include <cstdint>
#include <random>

#include "faults.hpp"
#include "journal.hpp"
#include "switch.hpp"

namespace tbs::simulator {

// What control routes do to the sockets.
class Network {
 public:
    Network() = default;
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;
    Network(Network&&) = delete;
    Network& operator=(Network&&) = delete;
    virtual ~Network() = default;

    virtual void refuse(const Refusal& refusal) = 0;
    // Listens again and closes the connections of hung requests.
    virtual void restore() = 0;
};

struct Exchange {
    std::uint64_t number = 0;  // of the journal; 0 for a control route
    Decision decision;
    Response response;
    bool effect = false;

    bool control() const { return number == 0; }
};

class Service {
 public:
    // All that is referred to must outlive this object.
    Service(SwitchOptions options, std::size_t journal_limit, std::uint64_t seed,
            const Clock& clock);

    // Before the first request.
    void attach(Network& network) { network_ = &network; }

    Exchange arrive(const Request& request);
    void conclude(Exchange& exchange, const Request& request);
    void abandon(const Exchange& exchange);

 private:
    Response control(const Request& request);
    Response change_faults(const Request& request);
    void work(Exchange& exchange, const Request& request);

    std::uint64_t seed_;
    const Clock& clock_;
    std::mt19937_64 random_;
    Switch switch_;
    Faults faults_;
    Journal journal_;
    Network* network_ = nullptr;
};

}  // namespace tbs::simulator

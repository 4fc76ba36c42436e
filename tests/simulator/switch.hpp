// The logic of a Netsapiens v2 switch: a request in, a response out. No sockets, no threads, no
// sleeping: time comes from the clock. An asynchronous write (202) is accepted at once and shows
// after the visibility delay; a synchronous create shows at once.
#pragma once

#include <optional>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "clock.hpp"
#include "credentials.hpp"
#include "message.hpp"
#include "store.hpp"

namespace tbs::simulator {

// What a second create of the same device, phone, answer rule, call queue, agent or endpoint gets:
// nobody has documented it.
enum class Duplicate { conflict, overwrite, bad_request };

struct SwitchOptions {
    CredentialOptions credentials;
    Microseconds visibility_delay{0};
    Duplicate duplicate_device = Duplicate::conflict;
    Duplicate duplicate_phone = Duplicate::conflict;
};

inline constexpr std::string_view kApiPath = "/ns-api/v2";
inline constexpr std::string_view kLegacyTokenPath = "/ns-api/oauth2/token";

class Switch {
 public:
    // The clock and the generator must outlive this object.
    Switch(SwitchOptions options, const Clock& clock, std::mt19937_64& random);

    // `visibility_delay` replaces the configured one for this request.
    Response handle(const Request& request, std::optional<Microseconds> visibility_delay);

    // Everything accepted so far, visible or not.
    std::string state_text() const { return store_.state_text(); }
    void reset() { store_ = Store(); }
    void revoke_access_tokens() { credentials_.revoke_access_tokens(); }

 private:
    using Segments = std::span<const std::string>;

    // One request on its way through the routes.
    struct Call {
        const Request& request;
        Microseconds now;
        Microseconds due;  // when an asynchronous write shows
        Json body;         // an object; empty for requests without a body

        bool get() const { return request.method == "GET"; }
        bool post() const { return request.method == "POST"; }
        bool put() const { return request.method == "PUT"; }
        bool remove() const { return request.method == "DELETE"; }
        // Also takes the member away: it is an instruction, no property of the object.
        bool take_synchronous();
    };

    Response route(Call& call, Segments path);
    Response grant(const Request& request, bool legacy);

    Response domains(Call& call, Segments path);
    Response domain_item(Call& call, const std::string& domain);
    Response create_domain(Call& call);

    Response sites(Call& call, const std::string& domain, Segments path);
    Response create_site(Call& call, const std::string& domain);
    // Makes the site that a user names, when it is not there.
    void ensure_site(const std::string& domain, const Json& user, Microseconds due,
                     Microseconds now);

    Response users(Call& call, const std::string& domain, Segments path);
    Response user_item(Call& call, const std::string& domain, const std::string& user);
    Response create_user(Call& call, const std::string& domain);
    Response user_list(const Call& call, const std::string& domain) const;
    bool login_in_use(const std::string& login, const std::string& key) const;
    // The 400 for a user with a member that the switch does not take.
    std::optional<Response> invalid_user(const Json& user, const std::string& domain) const;
    void remove_user(const std::string& key, Microseconds due, Microseconds now);

    Response devices(Call& call, const std::string& domain, const std::string& user, Segments path);
    Response device_item(Call& call, const std::string& key);
    Response create_device(Call& call, const std::string& domain, const std::string& user);

    Response answer_rules(Call& call, const std::string& user_key, Segments path);
    Response create_answer_rule(Call& call, const std::string& user_key);
    // The rule that rings all devices of a new user.
    void add_default_rule(const std::string& user_key, Microseconds due, Microseconds now);

    Response call_queues(Call& call, const std::string& domain, Segments path);
    Response create_call_queue(Call& call, const std::string& domain);
    Response agents(Call& call, const std::string& domain, const std::string& queue, Segments path);
    Response create_agent(Call& call, const std::string& domain, const std::string& queue);

    Response addresses(Call& call, const std::string& domain, Segments path);
    Response create_address(Call& call, const std::string& domain);
    Response endpoints(Call& call, const std::string& domain, Segments path);
    Response create_endpoint(Call& call, const std::string& domain);

    // GET, PUT and DELETE of an object in a table; `fixed` members stay.
    Response item(Call& call, Table& table, const std::string& key,
                  std::span<const std::string_view> fixed);
    // The answer to a second create, where it is no success.
    static std::optional<Response> duplicate(Duplicate behaviour, const std::string& what);
    // Accepts a new object; the answer shows it when the create was synchronous.
    Response created(Call& call, Table& table, const std::string& key, bool synchronous);

    // `domain` is empty for the routes over the whole switch.
    Response phone_numbers(Call& call, const std::string& domain, Segments path);
    Response phone_number_item(Call& call, const std::string& domain, const std::string& number);
    Response create_phone_number(Call& call, const std::string& domain);
    Response phones(Call& call, const std::string& domain, Segments path);
    Response create_phone(Call& call, std::string domain, const std::string& mac);
    // Whether the visible phone or number is there for a caller that asks below this domain.
    static bool belongs(const JsonPointer& object, const std::string& domain);

    // Writes what a PUT changes over what has been accepted; `fixed` members stay. False when the
    // object is on its way out.
    bool merge(Table& table, const std::string& key, const Call& call,
               std::span<const std::string_view> fixed, Microseconds due);
    void stamp(Json& object) const;
    // The visible objects of one domain: of a table with "domain/name" keys, or of one that is
    // grouped by domain.
    static std::vector<JsonPointer> in_domain(const Table& table, const std::string& domain);
    static std::vector<JsonPointer> in_group(const Table& table, const std::string& group);
    static std::vector<JsonPointer> all(const Table& table);
    static Response page(const Call& call, const std::vector<JsonPointer>& objects);
    static Response total(std::size_t count);

    SwitchOptions options_;
    const Clock& clock_;
    std::mt19937_64& random_;
    Credentials credentials_;
    Store store_;
};

Response no_route();
Response not_found();
// The 400 for the first of these members that the body does not have.
std::optional<Response> missing_member(const Json& body,
                                       std::initializer_list<std::string_view> names);
// The 400 for the first of these members that is there, is not empty, and is none of the choices.
std::optional<Response> invalid_choice(const Json& body,
                                       std::initializer_list<std::string_view> names,
                                       std::initializer_list<std::string_view> choices);
// The 400 for the first of these members that is there, is not empty, and is no whole number.
std::optional<Response> invalid_integer(const Json& body,
                                        std::initializer_list<std::string_view> names);

}  // namespace tbs::simulator

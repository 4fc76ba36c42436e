// Domains and their sites.
#include <algorithm>
#include <array>

#include "switch.hpp"

namespace tbs::simulator {

namespace {

constexpr std::size_t kMaximumDomain = 64;
// `~` stands for the caller's own reseller.
constexpr std::string_view kOwnReseller = "reseller";
constexpr std::array<std::string_view, 2> kFixedOfDomain = {"domain", "created-datetime"};
constexpr std::array<std::string_view, 3> kFixedOfSite = {"domain", "site", "created-datetime"};

bool valid_domain(const std::string& name) {
    return !name.empty() && name.size() <= kMaximumDomain &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '.' || c == '_' || c == '-';
           });
}

void replace_own_reseller(Json& body) {
    const auto reseller = body.find("reseller");
    if (reseller != body.end() && *reseller == "~") *reseller = kOwnReseller;
}

}  // namespace

Response Switch::domains(Call& call, Segments path) {
    if (path.empty()) {
        if (call.get()) return page(call, all(store_.domains));
        return call.post() ? create_domain(call) : no_route();
    }
    const std::string& domain = path[0];
    if (path.size() == 1 && domain == "count" && call.get())
        return total(all(store_.domains).size());
    if (path.size() == 1 && !call.get() && !call.put() && !call.remove()) return no_route();

    if (store_.domains.visible(domain) == nullptr)
        return refusal(404, "Domain " + domain + " does not exist");
    if (path.size() == 1) return domain_item(call, domain);
    // On its way out: what is created in it now is lost with it.
    if (call.post() && store_.domains.accepted(domain) == nullptr) return accepted(false);

    const std::string& kind = path[1];
    const Segments rest = path.subspan(2);
    if (kind == "count" && rest.empty() && call.get()) return total(1);
    if (kind == "sites") return sites(call, domain, rest);
    if (kind == "users") return users(call, domain, rest);
    if (kind == "devices" && call.get()) {
        if (rest.empty()) return page(call, in_domain(store_.devices, domain));
        if (rest.size() == 1 && rest[0] == "count")
            return total(in_domain(store_.devices, domain).size());
        return no_route();
    }
    if (kind == "phonenumbers") return phone_numbers(call, domain, rest);
    if (kind == "phones") return phones(call, domain, rest);
    if (kind == "callqueues") return call_queues(call, domain, rest);
    if (kind == "agents" && rest.empty() && call.get())
        return page(call, in_domain(store_.agents, domain));
    if (kind == "addresses") return addresses(call, domain, rest);
    return no_route();
}

Response Switch::domain_item(Call& call, const std::string& domain) {
    if (call.get()) return json_response(*store_.domains.visible(domain));
    if (call.put()) {
        call.take_synchronous();
        replace_own_reseller(call.body);
        return accepted(merge(store_.domains, domain, call, kFixedOfDomain, call.due));
    }
    // All that is in the domain goes with it.
    for (Table* table : {&store_.sites, &store_.users, &store_.devices, &store_.answer_rules,
                         &store_.call_queues, &store_.agents, &store_.addresses}) {
        std::vector<std::string> keys;
        table->for_prefix(child_key(domain, {}), [&](const std::string& key, const Table::Entry&) {
            keys.push_back(key);
        });
        for (const std::string& key : keys) table->write(key, nullptr, call.due, call.now);
    }
    for (Table* table : {&store_.phones, &store_.phone_numbers, &store_.endpoints}) {
        const Table::Keys keys = table->group(domain);
        for (const std::string& key : keys) {
            const JsonPointer object = table->accepted(key);
            if (object != nullptr && table->group_of(*object) == domain)
                table->write(key, nullptr, call.due, call.now);
        }
    }
    const bool effect = store_.domains.accepted(domain) != nullptr;
    store_.domains.write(domain, nullptr, call.due, call.now);
    return accepted(effect);
}

Response Switch::create_domain(Call& call) {
    const bool synchronous = call.take_synchronous();
    if (auto problem = missing_member(call.body, {"domain", "reseller"})) return *problem;
    const std::string domain = text_member(call.body, "domain");
    if (!valid_domain(domain)) return refusal(400, "Invalid domain.");
    if (store_.domains.visible(domain) != nullptr) return refusal(409, "Domain already exists.");

    const Microseconds due = synchronous ? call.now : call.due;
    replace_own_reseller(call.body);
    stamp(call.body);
    auto object = std::make_shared<const Json>(std::move(call.body));
    store_.domains.write(domain, object, due, call.now);

    // The user that holds the domain's defaults.
    auto user = std::make_shared<Json>(Json{{"domain", domain},
                                            {"user", "domain"},
                                            {"login-username", "domain@" + domain},
                                            {"name-first-name", "Domain"},
                                            {"name-last-name", "Defaults"},
                                            {"email-address", ""},
                                            {"user-scope", "No Portal"},
                                            {"service-code", "system-domain"}});
    stamp(*user);
    store_.users.write(child_key(domain, "domain"), std::move(user), due, call.now, true);

    if (!synchronous) return accepted();
    Response response = json_response(*object);
    response.effect = true;
    return response;
}

Response Switch::sites(Call& call, const std::string& domain, Segments path) {
    if (path.empty()) {
        if (call.get()) return page(call, in_domain(store_.sites, domain));
        return call.post() ? create_site(call, domain) : no_route();
    }
    if (path.size() > 1) return no_route();
    if (call.get() && path[0] == "count") return total(in_domain(store_.sites, domain).size());
    if (call.get() && path[0] == "list") return page(call, in_domain(store_.sites, domain));
    // A site has no DELETE.
    if (!call.get() && !call.put()) return no_route();

    const std::string key = child_key(domain, path[0]);
    const JsonPointer site = store_.sites.visible(key);
    if (site == nullptr) return not_found();
    if (call.get()) return json_response(*site);
    const bool synchronous = call.take_synchronous();
    const bool effect =
        merge(store_.sites, key, call, kFixedOfSite, synchronous ? call.now : call.due);
    if (!synchronous || !effect) return accepted(effect);
    Response response = json_response(*store_.sites.visible(key));
    response.effect = true;
    return response;
}

Response Switch::create_site(Call& call, const std::string& domain) {
    const bool synchronous = call.take_synchronous();
    if (auto problem = missing_member(call.body, {"site"})) return *problem;
    const std::string site = text_member(call.body, "site");
    if (site.empty()) return refusal(400, "Invalid site.");
    const std::string key = child_key(domain, site);
    if (store_.sites.visible(key) != nullptr) return refusal(409, "Site already exists.");

    call.body["domain"] = domain;
    stamp(call.body);
    auto object = std::make_shared<const Json>(std::move(call.body));
    store_.sites.write(key, object, synchronous ? call.now : call.due, call.now);
    if (!synchronous) return accepted();
    Response response = json_response(*object);
    response.effect = true;
    return response;
}

void Switch::ensure_site(const std::string& domain, const Json& user, Microseconds due,
                         Microseconds now) {
    const std::string site = text_member(user, "site");
    if (site.empty()) return;
    const std::string key = child_key(domain, site);
    if (store_.sites.accepted(key) != nullptr) return;
    auto object = std::make_shared<Json>(Json{{"domain", domain}, {"site", site}});
    stamp(*object);
    store_.sites.write(key, std::move(object), due, now, true);
}

}  // namespace tbs::simulator

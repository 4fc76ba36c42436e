// tbs-switch: options, start and end of the program.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>

#include "server.hpp"

namespace {

using namespace tbs::simulator;

struct Options {
    std::string listen = "127.0.0.1";
    std::uint16_t port = 8080;
    std::string port_file;
    std::optional<std::uint16_t> control_port;
    std::string control_port_file;
    std::string oauth_client;
    std::string oauth_user;
    double visibility_delay = 0;
    std::int64_t idle_timeout = 0;
    std::size_t journal_limit = 1'000'000;
    std::optional<std::uint64_t> seed;
    std::int64_t token_lifetime = 3600;
    std::int64_t refresh_lifetime = 86400;
    bool keep_refresh_token = false;
    SwitchOptions behaviour;
};

void declare(CLI::App& app, Options& options) {
    const std::map<std::string, Duplicate> duplicates = {{"409", Duplicate::conflict},
                                                         {"202", Duplicate::overwrite},
                                                         {"400", Duplicate::bad_request}};
    CredentialOptions& credentials = options.behaviour.credentials;
    app.add_option("--listen", options.listen, "Address to listen on")->capture_default_str();
    app.add_option("--port", options.port, "Port; 0 takes any free one")->capture_default_str();
    app.add_option("--port-file", options.port_file, "Write the port to this file");
    app.add_option("--control-port", options.control_port,
                   "A second port that stays open while the switch refuses connections; 0 = any");
    app.add_option("--control-port-file", options.control_port_file,
                   "Write the control port to this file");
    app.add_option("--api-key", credentials.api_keys, "An API key that is let in (repeatable)");
    app.add_option("--low-scope-key", credentials.low_scope_keys,
                   "An API key that may do nothing: 401 Invalid Scope (repeatable)");
    app.add_option("--oauth-client", options.oauth_client, "OAuth 2 client as ID:SECRET");
    app.add_option("--oauth-user", options.oauth_user, "OAuth 2 user as USER:PASSWORD");
    app.add_option("--token-lifetime", options.token_lifetime, "Seconds an access token is good")
        ->capture_default_str();
    app.add_option("--refresh-lifetime", options.refresh_lifetime,
                   "Seconds a refresh token is good")
        ->capture_default_str();
    app.add_flag("--keep-refresh-token", options.keep_refresh_token,
                 "A refresh answers no new refresh token; the old one stays good");
    app.add_option("--visibility-delay", options.visibility_delay,
                   "Milliseconds until an asynchronous write can be read")
        ->check(CLI::NonNegativeNumber)
        ->capture_default_str();
    app.add_option("--duplicate-device", options.behaviour.duplicate_device,
                   "Second create of a device: 409, 202 (overwrites) or 400")
        ->transform(CLI::CheckedTransformer(duplicates));
    app.add_option("--duplicate-phone", options.behaviour.duplicate_phone,
                   "Second create of a phone: 409, 202 (overwrites) or 400")
        ->transform(CLI::CheckedTransformer(duplicates));
    app.add_option("--idle-timeout", options.idle_timeout,
                   "Milliseconds until an idle connection is reset; 0 = never")
        ->capture_default_str();
    app.add_option("--journal-limit", options.journal_limit,
                   "Requests that the journal keeps; 0 = none")
        ->capture_default_str();
    app.add_option("--seed", options.seed, "Seed of all random choices");
}

// Splits "a:b"; without a colon the second part is empty.
std::pair<std::string, std::string> split_pair(const std::string& text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) return {text, {}};
    return {text.substr(0, colon), text.substr(colon + 1)};
}

// Renamed into place, so that a reader never sees half a number.
void write_port_file(const std::string& path, std::uint16_t port) {
    if (path.empty()) return;
    const std::string draft = path + ".new";
    std::ofstream file(draft);
    file << port << '\n';
    file.close();
    if (!file) throw std::runtime_error("could not write \"" + draft + "\"");
    std::filesystem::rename(draft, path);
}

void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    static_cast<void>(setrlimit(RLIMIT_NOFILE, &limit));
}

void serve(Options& options) {
    CredentialOptions& credentials = options.behaviour.credentials;
    std::tie(credentials.client_id, credentials.client_secret) = split_pair(options.oauth_client);
    std::tie(credentials.user_name, credentials.password) = split_pair(options.oauth_user);
    credentials.token_lifetime = std::chrono::seconds(options.token_lifetime);
    credentials.refresh_lifetime = std::chrono::seconds(options.refresh_lifetime);
    credentials.rotate_refresh_tokens = !options.keep_refresh_token;
    options.behaviour.visibility_delay =
        Microseconds(static_cast<std::int64_t>(options.visibility_delay * 1000));
    const std::uint64_t seed = options.seed ? *options.seed : std::random_device()();

    raise_descriptor_limit();
    const SystemClock clock;
    Service service(options.behaviour, options.journal_limit, seed, clock);
    Server server(service, options.listen, options.port, options.control_port,
                  std::chrono::milliseconds(options.idle_timeout));
    std::cout << "tbs-switch: listening on " << options.listen << ":" << server.port();
    if (options.control_port) std::cout << ", control port " << server.control_port();
    std::cout << ", seed " << seed << std::endl;
    write_port_file(options.port_file, server.port());
    write_port_file(options.control_port_file, server.control_port());
    server.run();
}

}  // namespace

int main(int argument_count, char** arguments) {
    CLI::App app("A stand-in for a Netsapiens v2 switch, with faults on request.", "tbs-switch");
    Options options;
    declare(app, options);
    CLI11_PARSE(app, argument_count, arguments);
    try {
        serve(options);
    } catch (const std::exception& problem) {
        std::cerr << "tbs-switch: " << problem.what() << '\n';
        return 1;
    }
    return 0;
}

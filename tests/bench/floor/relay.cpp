// tbs-relay: the least that a bridge can do for a change. It listens, commits one row for each
// notification, and then POSTs, over connections that are kept. What lies between a commit and the
// call's arrival here is the machine's, PostgreSQL's and libcurl's.
#include <curl/curl.h>
#include <libpq-fe.h>
#include <poll.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>

namespace {

using Connection = std::unique_ptr<PGconn, decltype(&PQfinish)>;
using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Headers = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

Connection connect() {
    Connection connection(PQconnectdb(""), &PQfinish);
    if (PQstatus(connection.get()) != CONNECTION_OK)
        throw std::runtime_error(PQerrorMessage(connection.get()));
    return connection;
}

void execute(const Connection& connection, const std::string& statement) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(
        PQexec(connection.get(), statement.c_str()), &PQclear);
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        throw std::runtime_error(PQerrorMessage(connection.get()));
}

std::size_t ignore(char* /*data*/, std::size_t size, std::size_t count, void* /*self*/) {
    return size * count;
}

class Poster {
 public:
    explicit Poster(std::string url)
        : url_(std::move(url)),
          headers_(curl_slist_append(nullptr, "Content-Type: application/json"),
                   &curl_slist_free_all),
          easy_(curl_easy_init(), &curl_easy_cleanup) {
        curl_easy_setopt(easy_.get(), CURLOPT_HTTPHEADER, headers_.get());
        curl_easy_setopt(easy_.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body_.size()));
        curl_easy_setopt(easy_.get(), CURLOPT_POSTFIELDS, body_.data());
        curl_easy_setopt(easy_.get(), CURLOPT_WRITEFUNCTION, &ignore);
        curl_easy_setopt(easy_.get(), CURLOPT_NOSIGNAL, 1L);
    }

    void post(const std::string& name) const {
        curl_easy_setopt(easy_.get(), CURLOPT_URL, (url_ + "/" + name).c_str());
        const CURLcode result = curl_easy_perform(easy_.get());
        if (result != CURLE_OK) throw std::runtime_error(curl_easy_strerror(result));
    }

 private:
    std::string url_;
    std::string body_ = R"({"padding":")" + std::string(200, 'x') + R"("})";
    Headers headers_;
    Easy easy_;
};

void relay(const std::string& url) {
    const Connection listening = connect();
    const Connection working = connect();
    const Poster poster(url);
    execute(listening, "LISTEN relay");
    execute(working, "PREPARE taken(bigint) AS INSERT INTO relayed VALUES ($1)");
    std::cout << "ready" << std::endl;
    while (true) {
        pollfd socket{PQsocket(listening.get()), POLLIN, 0};
        if (poll(&socket, 1, -1) < 0 && errno != EINTR)
            throw std::system_error(errno, std::generic_category(), "poll");
        if (PQconsumeInput(listening.get()) != 1)
            throw std::runtime_error(PQerrorMessage(listening.get()));
        while (PGnotify* const notification = PQnotifies(listening.get())) {
            const std::unique_ptr<PGnotify, decltype(&PQfreemem)> owner(notification, &PQfreemem);
            execute(working, std::string("EXECUTE taken(") + notification->extra + ")");
            poster.post(notification->extra);
        }
    }
}

}  // namespace

int main(int argument_count, char** arguments) {
    CLI::App app("LISTEN relay; for each notification one committed row and one POST.",
                 "tbs-relay");
    std::string url;
    app.add_option("url", url, "Where to; the notification's payload is appended")->required();
    CLI11_PARSE(app, argument_count, arguments);
    try {
        relay(url);
    } catch (const std::exception& problem) {
        std::cerr << "tbs-relay: " << problem.what() << '\n';
    }
    return 1;
}

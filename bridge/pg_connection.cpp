#include "bridge/pg_connection.hpp"

#include <sys/epoll.h>

#include <utility>
#include <vector>

#include "bridge/log.hpp"

namespace tbs::bridge {

namespace {

constexpr Duration kConnectTimeout = std::chrono::seconds{10};
// No statement of the bridge takes this long; the session's statement_timeout is shorter.
constexpr Duration kAnswerTimeout = std::chrono::seconds{20};
// Between two results libpq gives one NULL; a server that dies may make it give nothing else.
constexpr unsigned kMaximumEmptyReads = 8;

std::string last_message(const PGconn* connection) {
    std::string text = PQerrorMessage(connection);
    while (text.ends_with('\n')) text.pop_back();
    return text.empty() ? "connection lost" : text;
}

void ignore_notice(void* /*unused*/, const PGresult* result) {
    const char* const text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (text != nullptr) log::debug("database_notice", {{"message", text}});
}

}  // namespace

PgConnection::PgConnection(Reactor& reactor, PgObserver& observer)
    : reactor_{reactor},
      observer_{observer},
      connect_timer_{reactor, [this] { lose("no connection within 10 s"); }},
      answer_timer_{reactor, [this] { lose("no answer within 20 s"); }},
      failure_timer_{reactor, [this] { lose(failure_); }} {}

PgConnection::~PgConnection() {
    release();
}

void PgConnection::open(const ConnectionParameters& parameters) {
    close();
    std::vector<const char*> keywords;
    std::vector<const char*> values;
    for (const auto& [keyword, value] : parameters) {
        keywords.push_back(keyword.c_str());
        values.push_back(value.c_str());
    }
    keywords.push_back(nullptr);
    values.push_back(nullptr);
    state_ = State::connecting;
    connection_.reset(PQconnectStartParams(keywords.data(), values.data(), 0));
    if (connection_ == nullptr || PQstatus(connection_.get()) == CONNECTION_BAD) {
        fail_later(connection_ == nullptr ? "out of memory" : last_message(connection_.get()));
        return;
    }
    PQsetNoticeReceiver(connection_.get(), &ignore_notice, nullptr);
    connect_timer_.arm_after(kConnectTimeout);
    fd_ = PQsocket(connection_.get());
    watch(EPOLLOUT);
}

void PgConnection::close() {
    ++generation_;
    release();
    outstanding_.clear();
    state_ = State::closed;
}

void PgConnection::release() {
    connect_timer_.disarm();
    answer_timer_.disarm();
    failure_timer_.disarm();
    // The descriptor belongs to libpq: out of the loop before libpq closes it.
    reactor_.forget(fd_);
    fd_ = -1;
    connection_.reset();
    empty_reads_ = 0;
}

void PgConnection::on_io(int /*fd*/, std::uint32_t /*events*/) {
    if (state_ == State::connecting) {
        continue_connecting();
    } else if (state_ == State::connected) {
        receive();
    }
}

void PgConnection::continue_connecting() {
    // libpq may close this socket and open another, even one of the same number.
    reactor_.forget(fd_);
    const PostgresPollingStatusType status = PQconnectPoll(connection_.get());
    fd_ = PQsocket(connection_.get());
    switch (status) {
        case PGRES_POLLING_READING:
            watch(EPOLLIN);
            return;
        case PGRES_POLLING_WRITING:
            watch(EPOLLOUT);
            return;
        case PGRES_POLLING_OK:
            break;
        default:
            lose(last_message(connection_.get()));
            return;
    }
    connect_timer_.disarm();
    if (PQsetnonblocking(connection_.get(), 1) != 0 ||
        PQenterPipelineMode(connection_.get()) == 0) {
        lose(last_message(connection_.get()));
        return;
    }
    state_ = State::connected;
    watch(EPOLLIN);
    observer_.on_connected();
}

void PgConnection::prepare(const char* name, const char* sql, const PgParameters& types,
                           Callback callback) {
    if (state_ != State::connected) return;
    sent(PQsendPrepare(connection_.get(), name, sql, types.count(), types.types().data()),
         std::move(callback));
}

void PgConnection::execute(const char* name, const PgParameters& parameters, Callback callback) {
    if (state_ != State::connected) return;
    const std::vector<int> formats(static_cast<std::size_t>(parameters.count()), 1);
    sent(PQsendQueryPrepared(connection_.get(), name, parameters.count(),
                             parameters.pointers().data(), parameters.lengths().data(),
                             formats.data(), 0),
         std::move(callback));
}

void PgConnection::query(const char* sql, const PgParameters& parameters, Callback callback) {
    if (state_ != State::connected) return;
    const std::vector<int> formats(static_cast<std::size_t>(parameters.count()), 1);
    sent(PQsendQueryParams(connection_.get(), sql, parameters.count(), parameters.types().data(),
                           parameters.pointers().data(), parameters.lengths().data(),
                           formats.data(), 0),
         std::move(callback));
}

void PgConnection::sent(int ok, Callback callback) {
    Statement& statement = outstanding_.emplace_back();
    statement.callback = std::move(callback);
    if (ok == 0 || PQpipelineSync(connection_.get()) == 0) {
        fail_later(last_message(connection_.get()));
        return;
    }
    if (!answer_timer_.armed()) answer_timer_.arm_after(kAnswerTimeout);
    flush();
}

void PgConnection::flush() {
    const int left = PQflush(connection_.get());
    if (left < 0) {
        fail_later(last_message(connection_.get()));
        return;
    }
    // While something is left both directions are awaited: the server may have to be read first.
    watch(left == 0 ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

void PgConnection::watch(std::uint32_t events) {
    if (fd_ >= 0) reactor_.watch(fd_, events, *this);
}

void PgConnection::receive() {
    if (PQconsumeInput(connection_.get()) == 0) {
        lose(last_message(connection_.get()));
        return;
    }
    const unsigned generation = generation_;
    flush();
    read_results();
    if (generation != generation_ || state_ != State::connected) return;
    read_notifications();
}

void PgConnection::read_results() {
    const unsigned generation = generation_;
    while (!outstanding_.empty() && PQisBusy(connection_.get()) == 0) {
        PgResult result{PQgetResult(connection_.get())};
        if (PQstatus(connection_.get()) == CONNECTION_BAD) {
            lose(last_message(connection_.get()));
            return;
        }
        if (result.empty()) {
            if (++empty_reads_ <= kMaximumEmptyReads) continue;
            lose("the server ended the conversation");
            return;
        }
        empty_reads_ = 0;
        Statement& front = outstanding_.front();
        switch (result.status()) {
            case PGRES_PIPELINE_SYNC: {
                Statement done = std::move(front);
                outstanding_.pop_front();
                answer_timer_.disarm();
                if (!outstanding_.empty()) answer_timer_.arm_after(kAnswerTimeout);
                if (done.callback) done.callback(done.result, done.failed ? &done.error : nullptr);
                if (generation != generation_) return;
                break;
            }
            case PGRES_FATAL_ERROR:
            case PGRES_PIPELINE_ABORTED:
                if (!front.failed) front.error = result.error();
                front.failed = true;
                break;
            default:
                front.result = std::move(result);
        }
    }
}

void PgConnection::read_notifications() {
    const unsigned generation = generation_;
    while (true) {
        const std::unique_ptr<PGnotify, decltype(&PQfreemem)> notification{
            PQnotifies(connection_.get()), &PQfreemem};
        if (notification == nullptr) return;
        observer_.on_notification(notification->relname, notification->extra);
        if (generation != generation_) return;
    }
}

void PgConnection::fail_later(std::string reason) {
    failure_ = std::move(reason);
    failure_timer_.arm_after(Duration::zero());
}

// By value: the reason may be a member that goes away here.
void PgConnection::lose(std::string reason) {
    if (state_ == State::closed) return;
    std::deque<Statement> statements;
    statements.swap(outstanding_);
    close();
    const unsigned generation = generation_;
    PgError error;
    error.message = std::move(reason);
    error.connection_lost = true;
    for (const Statement& statement : statements) {
        if (statement.callback) statement.callback(PgResult{}, &error);
        if (generation != generation_) return;
    }
    observer_.on_connection_lost(error.message);
}

}  // namespace tbs::bridge

#include "bridge/http_transfer.hpp"

#include <algorithm>
#include <new>

#include "bridge/text.hpp"

namespace tbs::bridge {

namespace {

constexpr std::size_t kMaximumHeaderBytes = 32768;

bool is_read(std::string_view method) {
    return method == "GET" || method == "HEAD";
}

}  // namespace

HttpTransfer::HttpTransfer(std::shared_ptr<const HttpProfile> profile, const SendGate& gate)
    : profile_{std::move(profile)}, gate_{gate}, easy_{curl_easy_init()} {
    if (easy_ == nullptr) throw std::bad_alloc{};
    set_up();
}

void HttpTransfer::set_up() {
    CURL* const easy = easy_.get();
    curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_.data());
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    // The path goes out as it was rendered.
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "tbs-bridge/" TBS_VERSION);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &HttpTransfer::on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &HttpTransfer::on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &HttpTransfer::on_before_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(profile_->connect_timeout.count()));
    const TlsSettings& tls = profile_->tls;
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, tls.verify ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, tls.verify ? 2L : 0L);
    if (!tls.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, tls.ca_file.c_str());
    if (!tls.client_certificate_file.empty()) {
        curl_easy_setopt(easy, CURLOPT_SSLCERT, tls.client_certificate_file.c_str());
    }
    if (!tls.client_key_file.empty()) {
        curl_easy_setopt(easy, CURLOPT_SSLKEY, tls.client_key_file.c_str());
    }
}

bool HttpTransfer::prepare(HttpRequest request, std::uint64_t ticket, HttpObserver& observer) {
    request_ = std::move(request);
    ticket_ = ticket;
    observer_ = &observer;
    body_.clear();
    headers_.clear();
    header_bytes_ = 0;
    sent_ = false;
    held_back_ = false;
    repeat_refused_ = false;
    too_large_ = false;
    error_[0] = '\0';

    CURL* const easy = easy_.get();
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);  // also takes back POST and NOBODY of the last one
    const std::string& method = request_.method;
    if (method == "HEAD") {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, nullptr);
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else {
        if (request_.has_body || method == "POST" || method == "PUT" || method == "PATCH") {
            curl_easy_setopt(easy, CURLOPT_POST, 1L);
            curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                             static_cast<curl_off_t>(request_.body.size()));
            // Not copied: the caller keeps it.
            curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                             request_.body.empty() ? "" : request_.body.data());
        }
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
    }
    // Without these two libcurl would add an Expect of its own and guess a content type.
    static constexpr std::array<const char*, 2> kUnwanted = {"Expect:", "Content-Type:"};
    curl_slist* list = nullptr;
    const auto append = [&list](const char* line) {
        curl_slist* const longer = curl_slist_append(list, line);
        if (longer == nullptr) {
            curl_slist_free_all(list);
            throw std::bad_alloc{};
        }
        list = longer;
    };
    append(kUnwanted[0]);
    const bool has_type =
        std::any_of(request_.headers.begin(), request_.headers.end(), [](const std::string& line) {
            return equal_ignoring_case(line.substr(0, line.find(':')), "content-type");
        });
    if (!has_type) append(kUnwanted[1]);
    for (const std::string& line : request_.headers) append(line.c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    header_list_.reset(list);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request_.timeout.count()));
    return curl_easy_setopt(easy, CURLOPT_URL, request_.url.c_str()) == CURLE_OK;
}

HttpAnswer HttpTransfer::finish(CURLcode result) {
    HttpAnswer answer;
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    answer.curl_result = result;
    if (too_large_) answer.curl_result = CURLE_FILESIZE_EXCEEDED;
    // libcurl wanted to send once more after a connection that was kept alive broke: what became of
    // the first sending is not known.
    if (repeat_refused_) answer.curl_result = CURLE_GOT_NOTHING;
    answer.http_status = static_cast<int>(status);
    answer.sent = sent_;
    answer.held_back = held_back_ && !sent_;
    answer.headers = headers_json();
    answer.body = std::move(body_);
    // The header list stays set until the next prepare(), which replaces it before it is freed.
    return answer;
}

std::size_t HttpTransfer::on_body(char* data, std::size_t size, std::size_t count,
                                  void* self) noexcept {
    auto& transfer = *static_cast<HttpTransfer*>(self);
    const std::size_t bytes = size * count;
    try {
        const std::size_t limit = transfer.profile_->maximum_answer_bytes;
        const std::size_t room = limit - std::min(limit, transfer.body_.size());
        transfer.body_.append(data, std::min(bytes, room));
        if (bytes <= room) return bytes;
        transfer.too_large_ = true;
    } catch (...) {
        transfer.too_large_ = true;
    }
    return 0;  // ends the transfer
}

std::size_t HttpTransfer::on_header(char* data, std::size_t size, std::size_t count,
                                    void* self) noexcept {
    const std::size_t bytes = size * count;
    try {
        static_cast<HttpTransfer*>(self)->add_header({data, bytes});
        return bytes;
    } catch (...) {
        return 0;
    }
}

int HttpTransfer::on_before_send(void* self, char* /*remote_address*/, char* /*local_address*/,
                                 int /*remote_port*/, int /*local_port*/) noexcept {
    auto& transfer = *static_cast<HttpTransfer*>(self);
    if (transfer.sent_ && !is_read(transfer.request_.method)) {
        transfer.repeat_refused_ = true;
        return CURL_PREREQFUNC_ABORT;
    }
    if (transfer.request_.fenced && !transfer.gate_.may_send()) {
        transfer.held_back_ = true;
        return CURL_PREREQFUNC_ABORT;
    }
    transfer.sent_ = true;
    return CURL_PREREQFUNC_OK;
}

void HttpTransfer::add_header(std::string_view line) {
    if (line.starts_with("HTTP/")) {  // also after 100 Continue
        headers_.clear();
        header_bytes_ = 0;
        return;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || header_bytes_ + line.size() > kMaximumHeaderBytes) {
        return;
    }
    std::string name = lower_case(trim(line.substr(0, colon)));
    // Session secrets of the other side; nothing decides by them.
    if (name.empty() || name == "set-cookie") return;
    header_bytes_ += line.size();
    const std::string_view value = trim(line.substr(colon + 1));
    const auto known = std::find_if(headers_.begin(), headers_.end(),
                                    [&](const auto& header) { return header.first == name; });
    if (known != headers_.end()) {
        known->second += ", ";
        known->second += value;
    } else {
        headers_.emplace_back(std::move(name), value);
    }
}

std::string HttpTransfer::headers_json() const {
    std::string json = "{";
    for (const auto& [name, value] : headers_) {
        json += json.size() > 1 ? ",\"" : "\"";
        append_json_escaped(json, name);
        json += "\":\"";
        append_json_escaped(json, value);
        json += '"';
    }
    json += '}';
    return json;
}

}  // namespace tbs::bridge

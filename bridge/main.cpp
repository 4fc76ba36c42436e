// tbs-bridge: makes the API calls that the extension tbs has queued, and reports the answers.
#include <curl/curl.h>

#include <exception>

#include "bridge/bridge.hpp"
#include "bridge/check.hpp"
#include "bridge/error.hpp"
#include "bridge/log.hpp"
#include "bridge/options.hpp"

int main(int argument_count, char** arguments) {
    using namespace tbs::bridge;
    const ParsedOptions parsed = parse_options(argument_count, arguments);
    if (parsed.exit_code) return *parsed.exit_code;
    log::start(parsed.options.log_level);
    try {
        if (parsed.options.check) return check(parsed.options);
        if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
            throw BridgeError{"libcurl cannot be started"};
        }
        const curl_version_info_data* const curl = curl_version_info(CURLVERSION_NOW);
        if ((static_cast<unsigned>(curl->features) & CURL_VERSION_ASYNCHDNS) == 0U) {
            throw BridgeError{"this libcurl waits while it looks names up",
                              "Use a libcurl with the threaded resolver or c-ares."};
        }
        Bridge bridge{parsed.options};
        const int exit_code = bridge.run();
        return exit_code;
    } catch (const BridgeError& error) {
        log::error("fatal", {{"reason", error.what()}, {"hint", error.hint()}});
    } catch (const std::exception& error) {
        log::error("fatal", {{"reason", error.what()}});
    }
    return 1;
}

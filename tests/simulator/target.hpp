// The parts of a request target.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tbs::simulator {

// Splits "path?query"; the query is empty when there is none.
struct Target {
    std::string_view path;
    std::string_view query;
};
Target split_target(std::string_view target);

// The segments of a path, percent-decoded after the split (so an encoded slash stays inside its
// segment).
std::vector<std::string> path_segments(std::string_view path);

// Decodes %XX; a broken escape stays as it is. `plus_is_space` as in forms and queries.
std::string percent_decode(std::string_view text, bool plus_is_space);

// a=1&b=2, as in a query or an application/x-www-form-urlencoded body. The last of a repeated name
// wins.
std::map<std::string, std::string> parse_form(std::string_view text);

}  // namespace tbs::simulator

#include "legacy_names.hpp"

#include <array>
#include <span>

namespace tbs::simulator {

namespace {

struct Pair {
    std::string_view legacy;
    std::string_view current;
};

constexpr std::array kOfDomain = {
    Pair{"territory", "reseller"},
    Pair{"call_limit", "limits-max-active-calls-total"},
    Pair{"call_limit_ext", "limits-max-active-calls-offnet"},
    Pair{"sub_limit", "limits-max-subcriber-resources-total"},
    Pair{"max_user", "limits-max-users"},
    Pair{"max_call_queue", "limits-max-call-queues"},
    Pair{"max_aa", "limits-max-auto-attendants"},
    Pair{"max_conference", "limits-max-conferences"},
    Pair{"max_department", "limits-max-departments"},
    Pair{"max_site", "limits-max-sites"},
    Pair{"dial_plan", "dial-plan"},
    Pair{"dial_policy", "dial-policy"},
};
constexpr std::array kOfSubscriber = {
    Pair{"subscriber_login", "login-username"},
    Pair{"first_name", "name-first-name"},
    Pair{"last_name", "name-last-name"},
    Pair{"email", "email-address"},
    Pair{"scope", "user-scope"},
    Pair{"group", "department"},
    Pair{"dir", "directory-name-number-dtmf-mapping"},
    Pair{"subscriber_pin", "voicemail-login-pin"},
    Pair{"vmail_enabled", "voicemail-enabled"},
    Pair{"vmail_provisioned", "voicemail-user-control-enabled"},
    Pair{"vmail_transcribe", "voicemail-transcription-enabled"},
    Pair{"call_limit", "limits-max-active-calls-total"},
    Pair{"data_limit", "limits-max-data-storage-kilobytes"},
    Pair{"dial_plan", "dial-plan"},
    Pair{"dial_policy", "dial-policy"},
    Pair{"area_code", "area-code"},
    Pair{"time_zone", "time-zone"},
    Pair{"language", "language-token"},
    Pair{"callid_name", "caller-id-name"},
    Pair{"callid_nmbr", "caller-id-number"},
    Pair{"callid_emgr", "caller-id-number-emergency"},
    Pair{"no_answer_timeout", "ring-no-answer-timeout-seconds"},
    Pair{"dir_anc", "directory-announce-in-dial-by-name-enabled"},
    Pair{"dir_list", "directory-name-visible-in-list-enabled"},
    Pair{"srv_code", "service-code"},
};
constexpr std::array kOfDevice = {
    Pair{"authentication_key", "device-sip-registration-password"},
    Pair{"model", "device-models-model"},
    Pair{"mac", "device-provisioning-mac-address"},
    Pair{"transport", "device-provisioning-sip-transport-protocol"},
};
constexpr std::array kOfMac = {
    Pair{"mac", "device-provisioning-mac-address"},
    Pair{"model", "device-models-brand-and-model"},
    Pair{"server", "device-provisioning-registration-core-server"},
    Pair{"transport", "device-provisioning-sip-transport-protocol"},
    Pair{"overrides", "device-models-overrides-blob"},
    Pair{"redundancy", "redundency"},
};
constexpr std::array kOfNumber = {
    Pair{"responder", "dial-rule-application"},
    Pair{"parameter", "dial-rule-parameter"},
    Pair{"to_user", "dial-rule-translation-destination-user"},
    Pair{"to_host", "dial-rule-translation-destination-host"},
    Pair{"from_name", "dial-rule-translation-source-name"},
    Pair{"plan_description", "dial-rule-description"},
    Pair{"enable", "enabled"},
};
constexpr std::array kResponders = {
    Pair{"AvailableDID", "available-number"},
    Pair{"sip:start@to-user", "to-user"},
    Pair{"sip:start@to-user-resi", "to-user-residential"},
    Pair{"sip:start@to-owned-device", "to-single-device"},
    Pair{"sip:start@to-vmail", "to-voicemail"},
    Pair{"Residential VMail", "to-voicemail-residential"},
    Pair{"sip:start@call-queuing", "to-callqueue"},
    Pair{"sip:start@to-connection", "to-connection"},
};

std::span<const Pair> names_of(std::string_view object) {
    if (object == "domain") return kOfDomain;
    if (object == "subscriber") return kOfSubscriber;
    if (object == "device") return kOfDevice;
    if (object == "mac") return kOfMac;
    return kOfNumber;
}

// The line keys of a phone: device1, line1_enable, line1_share.
struct KeyPattern {
    std::string_view legacy_before, legacy_after, current_before, current_after;
};
constexpr std::array kLineKeys = {
    KeyPattern{"device", "", "device-provisioning-sip-uri-", ""},
    KeyPattern{"line", "_enable", "device-provisioning-line-", "-enabled"},
    KeyPattern{"line", "_share", "device-provisioning-sip-uri-", "-shared-line-enabled"},
};

// The one digit between the two parts; nothing when the name is another one.
std::string_view digit_between(std::string_view name, std::string_view before,
                               std::string_view after) {
    if (name.size() != before.size() + 1 + after.size() || !name.starts_with(before) ||
        !name.ends_with(after) || name[before.size()] < '1' || name[before.size()] > '8')
        return {};
    return name.substr(before.size(), 1);
}

std::string joined(std::string_view before, std::string_view digit, std::string_view after) {
    return std::string(before).append(digit).append(after);
}

std::string translated(std::span<const Pair> pairs, std::string_view text,
                       std::string_view Pair::*from, std::string_view Pair::*to) {
    for (const Pair& pair : pairs)
        if (pair.*from == text) return std::string(pair.*to);
    return std::string(text);
}

}  // namespace

std::string current_name(std::string_view object, std::string_view name) {
    if (object == "mac")
        for (const KeyPattern& key : kLineKeys)
            if (const auto digit = digit_between(name, key.legacy_before, key.legacy_after);
                !digit.empty())
                return joined(key.current_before, digit, key.current_after);
    return translated(names_of(object), name, &Pair::legacy, &Pair::current);
}

std::string legacy_name(std::string_view object, std::string_view name) {
    if (object == "mac")
        for (const KeyPattern& key : kLineKeys)
            if (const auto digit = digit_between(name, key.current_before, key.current_after);
                !digit.empty())
                return joined(key.legacy_before, digit, key.legacy_after);
    return translated(names_of(object), name, &Pair::current, &Pair::legacy);
}

std::string current_responder(std::string_view responder) {
    return translated(kResponders, responder, &Pair::legacy, &Pair::current);
}

std::string legacy_responder(std::string_view application) {
    return translated(kResponders, application, &Pair::current, &Pair::legacy);
}

}  // namespace tbs::simulator

#include "core/body_format.hpp"

#include "core/error.hpp"
#include "core/percent.hpp"
#include "core/text.hpp"
#include "core/xml_writer.hpp"

namespace tbs::core {

namespace {

void append_form_field(std::string& form, const std::string& name, const Json& value) {
    if (!is_scalar(value)) throw RenderError("a form has no nested members", name);
    if (!form.empty()) form += '&';
    form += percent_encoded(name, PercentSet::form);
    form += '=';
    if (!value.is_null()) form += percent_encoded(to_text(value), PercentSet::form);
}

std::string to_form(const Json& document) {
    const auto* members = document.get_ptr<const Json::object_t*>();
    if (members == nullptr) throw RenderError("a form body is an object", "body");
    std::string form;
    for (const auto& [name, value] : *members) {
        if (const auto* elements = value.get_ptr<const Json::array_t*>()) {
            for (const Json& element : *elements) append_form_field(form, name, element);
        } else {
            append_form_field(form, name, value);
        }
    }
    return form;
}

}  // namespace

BodyFormat body_format(std::string_view name) {
    if (name == "json") return BodyFormat::json;
    if (name == "form") return BodyFormat::form;
    if (name == "xml") return BodyFormat::xml;
    if (name == "text") return BodyFormat::text;
    throw RenderError(
        "unknown body format " + in_quotes(name) + ": known are json, form, xml, text",
        "body_format");
}

std::string_view content_type(BodyFormat format) noexcept {
    switch (format) {
        case BodyFormat::form:
            return "application/x-www-form-urlencoded";
        case BodyFormat::xml:
            return "application/xml; charset=utf-8";
        case BodyFormat::text:
            return "text/plain; charset=utf-8";
        default:
            return "application/json";
    }
}

std::string serialise(const Json& document, BodyFormat format) {
    switch (format) {
        case BodyFormat::form:
            return to_form(document);
        case BodyFormat::xml:
            return to_xml(document);
        case BodyFormat::text:
            return to_text(document);
        default:
            return to_json_text(document);
    }
}

}  // namespace tbs::core

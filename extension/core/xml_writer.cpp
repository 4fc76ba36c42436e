#include "core/xml_writer.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace tbs::core {

namespace {

class XmlWriter {
 public:
    std::string document(const Json& document) {
        const auto* members = document.get_ptr<const Json::object_t*>();
        if (members == nullptr || members->size() != 1 || members->front().second.is_array())
            throw RenderError("an XML body is an object with one member, the root element", "body");
        out_ = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>";
        const auto& [name, root] = members->front();
        element(name, root, name);
        return std::move(out_);
    }

 private:
    void element(const std::string& name, const Json& value, const std::string& member) {
        check_name(name, member);
        if (const auto* elements = value.get_ptr<const Json::array_t*>()) {
            for (const Json& each : *elements) {
                if (each.is_array()) throw RenderError("XML has no array in an array", member);
                element(name, each, member);
            }
            return;
        }
        out_ += '<';
        out_ += name;
        const auto* members = value.get_ptr<const Json::object_t*>();
        if (members != nullptr) attributes(*members, member);
        const std::size_t content = out_.size() + 1;
        out_ += '>';
        if (members != nullptr) {
            children(*members, member);
        } else if (!value.is_null()) {
            escaped(to_text(value), member);
        }
        if (out_.size() == content) {
            out_.back() = '/';
            out_ += '>';
            return;
        }
        out_ += "</";
        out_ += name;
        out_ += '>';
    }

    void attributes(const Json::object_t& members, const std::string& parent) {
        for (const auto& [name, value] : members) {
            if (!name.starts_with('@')) continue;
            const std::string member = member_of(parent, name);
            const std::string attribute = name.substr(1);
            check_name(attribute, member);
            if (!is_scalar(value)) throw RenderError("an XML attribute is a text", member);
            out_ += ' ';
            out_ += attribute;
            out_ += "=\"";
            escaped(to_text(value), member);
            out_ += '"';
        }
    }

    void children(const Json::object_t& members, const std::string& parent) {
        for (const auto& [name, value] : members) {
            if (name.starts_with('@')) continue;
            const std::string member = member_of(parent, name);
            if (name == "#text") {
                escaped(to_text(value), member);
            } else {
                element(name, value, member);
            }
        }
    }

    void escaped(const std::string& text, const std::string& member) {
        for (const char c : text) {
            switch (c) {
                case '&':
                    out_ += "&amp;";
                    break;
                case '<':
                    out_ += "&lt;";
                    break;
                case '>':
                    out_ += "&gt;";
                    break;
                case '"':
                    out_ += "&quot;";
                    break;
                case '\t':
                case '\n':
                case '\r':
                    // A parser would make a space of them in an attribute.
                    out_ += "&#" + std::to_string(static_cast<int>(c)) + ';';
                    break;
                default:
                    if (is_control(c) && c != '\x7F')
                        throw RenderError("the value contains a character that XML cannot hold",
                                          member);
                    out_ += c;
            }
        }
    }

    // Where a value stands, for error messages.
    static std::string member_of(std::string member, const std::string& name) {
        member += '.';
        member += name;
        return member;
    }

    static void check_name(const std::string& name, const std::string& member) {
        const auto starts = [](char c) {
            return is_letter(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80U;
        };
        const auto continues = [&](char c) {
            return starts(c) || is_digit(c) || c == '-' || c == '.' || c == ':';
        };
        if (name.empty() || !starts(name.front()) ||
            !std::all_of(name.begin(), name.end(), continues))
            throw RenderError(in_quotes(name) + " is not an XML name", member);
    }

    std::string out_;
};

}  // namespace

std::string to_xml(const Json& document) {
    return XmlWriter().document(document);
}

}  // namespace tbs::core

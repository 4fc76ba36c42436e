// Every entry point that takes bytes from outside, fed with bytes that nobody would send. What
// comes out matters less than that it comes out: no crash, nothing but the errors of the core, and
// always text that PostgreSQL can store.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "core/answer.hpp"
#include "core/document_template.hpp"
#include "core/mask.hpp"
#include "core/request_recipe.hpp"
#include "core/template.hpp"
#include "core/text.hpp"
#include "core/uri_template.hpp"
#include "support.hpp"

namespace tbs::core {
namespace {

constexpr int kRounds = 4000;
const SecretMembers kHidden({"password", "pin"});

// Bytes that are likelier to lead somewhere than purely random ones.
class Generator {
 public:
    std::string text() {
        static constexpr const char* kPieces[] = {
            "{",        "}",  "{{",   "}}", "a",   ".",    "?",        "|",        ":",
            "digits",   "*",  "+",    "/",  "#",   "\"",   "\\",       "[",        "]",
            "password", "=",  "<",    ">",  "</",  "pin",  "\xC3\xA9", "\xFF",     "\xED",
            "\n",       ",",  "1e9",  "%2", "%2e", "..",   "secret.",  "slice:1:", "date:%",
            "\\u",      "d8", "null", "-",  "'",   "item", "true",     "__TBS_",   "SECRET_",
            "default:", " ",  ";",    "&",  "json"};
        std::string result;
        const int count = pick(24);
        for (int i = 0; i < count; ++i) {
            if (pick(12) == 0) {
                result += static_cast<char>(pick(256));
            } else {
                result += kPieces[pick(static_cast<int>(std::size(kPieces)))];
            }
        }
        return result;
    }

    int pick(int bound) { return static_cast<int>(engine_() % static_cast<unsigned>(bound)); }

 private:
    std::mt19937 engine_{20250131};
};

bool is_storable_text(const std::string& text) {
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = utf8_length(text, i);
        if (length == 0 || text[i] == '\0') return false;
        i += length;
    }
    return true;
}

template <typename F>
void expect_only_our_errors(const std::string& input, F&& f) {
    try {
        f();
    } catch (const TemplateError& error) {
        EXPECT_TRUE(is_storable_text(error.what()) && is_storable_text(error.detail())) << input;
    } catch (const RenderError& error) {
        EXPECT_TRUE(is_storable_text(error.what())) << input;
    } catch (const std::exception& error) {
        ADD_FAILURE() << error.what() << " for " << input;
    }
}

TEST(HostileBytesTest, TemplatesRenderOrFailAsTheyShould) {
    Generator generator;
    for (int i = 0; i < kRounds; ++i) {
        const std::string text = generator.text();
        const Json context{{"a", generator.text()}, {"item", {{"1e9", generator.text()}}}};
        Scope scope;
        scope.context = &context;
        scope.has_secrets = true;
        expect_only_our_errors(text, [&] { (void)Template::parse(text).render(scope); });
        expect_only_our_errors(text, [&] { (void)Template::parse(text).render_if_any(scope); });
        expect_only_our_errors(text, [&] { (void)UriTemplate::parse(text).expand(scope); });
        expect_only_our_errors(text, [&] {
            const std::string path = UriTemplate::parse('/' + text).expand_path(scope);
            for (const char c : path) EXPECT_TRUE(c > 0x20 && c < 0x7F) << path;
        });
        expect_only_our_errors(text, [&] {
            (void)DocumentTemplate::parse(Json{{text, {text}}}).render(scope);
        });
    }
}

TEST(HostileBytesTest, RequestsNeverHoldALineBreakOutsideTheBody) {
    Generator generator;
    for (int i = 0; i < kRounds; ++i) {
        const Json context{{"a", generator.text()}};
        const Json step{{"method", "POST"},
                        {"path", "/x/{a}"},
                        {"query", {{generator.text(), "{a}"}}},
                        {"headers", {{"X-A", "{a}"}, {generator.text(), "{a}"}}},
                        {"body", {{generator.text(), "{a}"}}},
                        {"body_format", generator.pick(2) == 0 ? "form" : "xml"}};
        expect_only_our_errors(step.dump(-1, ' ', false, Json::error_handler_t::replace), [&] {
            const RenderedRequest request =
                RequestRecipe::parse(step).render(context, nullptr, nullptr);
            for (const char c : request.path) EXPECT_TRUE(c > 0x20 && c < 0x7F);
            for (const auto& [name, value] : request.headers.items())
                EXPECT_EQ(value.get<std::string>().find_first_of("\r\n"), std::string::npos);
        });
    }
}

TEST(HostileBytesTest, AnswersBecomeTextThatCanBeStored) {
    Generator generator;
    for (int i = 0; i < kRounds; ++i) {
        const std::string bytes = generator.text();
        (void)storable_json(bytes);
        for (const std::size_t maximum : {0U, 1U, 7U, 1000U}) {
            const std::string text = answer_text(bytes, maximum, kHidden);
            EXPECT_TRUE(is_storable_text(text)) << bytes;
            EXPECT_LE(count_characters(text), maximum);
        }
    }
}

TEST(HostileBytesTest, EveryCutOfAnAnswerHidesTheSecret) {
    const std::string secret = "s3cr3t";
    const std::string answers[] = {
        R"({"a":1,"password":"s3cr3t","b":{"pin":{"x":["s3cr3t"]}}})",
        R"(<r><password>s3cr3t</password><x pin="s3cr3t"/></r>)", "a=1&password=s3cr3t&pin=s3cr3t",
        "HTTP error\r\nPassword: s3cr3t\r\n", R"("{\"password\":\"s3cr3t\"}")"};
    for (const std::string& answer : answers)
        for (std::size_t length = 0; length <= answer.size(); ++length) {
            const std::string text = answer_text(answer.substr(0, length), 1000, kHidden);
            EXPECT_EQ(text.find("s3c"), std::string::npos) << text;
        }
}

TEST(HostileBytesTest, BigAnswersTakeTimeInProportion) {
    const std::string brackets(1 << 20, '[');
    const std::string opening = R"({"password":)" + brackets;
    std::string tags;
    for (int i = 0; i < 20000; ++i) tags += "<password>";
    std::string names;
    for (int i = 0; i < 20000; ++i) names += "password=\"";
    for (const std::string& answer : {brackets, opening, tags, names}) {
        (void)storable_json(answer);
        EXPECT_LE(count_characters(answer_text(answer, 4000, kHidden)), 4000U);
    }
}

}  // namespace
}  // namespace tbs::core

// The border between the two kinds of error. A server ERROR is a longjmp that skips destructors; a
// C++ exception must not unwind the server's frames. This header is the only one that knows setjmp.
//
//   pg_call(f)      C++ calls the server: an ERROR in `f` comes out as a PgError.
//   pg_boundary(f)  the server calls C++: an exception of `f` comes out as an ERROR.
//
// SQLSTATE, detail and hint survive both ways. A PgError is carried to the boundary and never
// swallowed: the transaction is aborted already.
#pragma once

#include <cstddef>
#include <exception>
#include <new>
#include <stdexcept>
#include <string_view>
#include <type_traits>

#include "core/error.hpp"
#include "pg/server.hpp"

namespace tbs::pg {

class PgError final : public std::exception {
 public:
    explicit PgError(ErrorData* data) noexcept : data_(data) {}
    [[nodiscard]] ErrorData* data() const noexcept { return data_; }
    [[nodiscard]] const char* what() const noexcept override { return data_->message; }

 private:
    ErrorData* data_;  // owned by the memory context that was current at the call
};

// An error of our own with its SQLSTATE, for use on the C++ side.
class SqlError final : public std::runtime_error {
 public:
    SqlError(int code, const std::string& message, std::string detail = {}, std::string hint = {})
        : std::runtime_error(message),
          code_(code),
          detail_(std::move(detail)),
          hint_(std::move(hint)) {}
    [[nodiscard]] int code() const noexcept { return code_; }
    [[nodiscard]] const std::string& detail() const noexcept { return detail_; }
    [[nodiscard]] const std::string& hint() const noexcept { return hint_; }

 private:
    int code_;
    std::string detail_;
    std::string hint_;
};

// `f` must not throw C++ exceptions, and only trivially destructible objects may live in it.
template <typename F>
auto pg_call(F&& f) -> std::invoke_result_t<F&> {
    using R = std::invoke_result_t<F&>;
    static_assert(std::is_void_v<R> || std::is_trivially_destructible_v<R>);
    static_assert(std::is_trivially_destructible_v<std::remove_reference_t<F>>);
    MemoryContext const context = CurrentMemoryContext;
    sigjmp_buf* const stack = PG_exception_stack;
    ErrorContextCallback* const callbacks = error_context_stack;
    sigjmp_buf here;
    if (sigsetjmp(here, 0) == 0) {
        PG_exception_stack = &here;
        if constexpr (std::is_void_v<R>) {
            f();
            PG_exception_stack = stack;
            error_context_stack = callbacks;
            return;
        } else {
            R result = f();
            PG_exception_stack = stack;
            error_context_stack = callbacks;
            return result;
        }
    }
    PG_exception_stack = stack;
    error_context_stack = callbacks;
    MemoryContextSwitchTo(context);
    // Copying can run out of memory itself; that ERROR would skip every frame of ours.
    ErrorData* volatile data = nullptr;
    if (sigsetjmp(here, 0) == 0) {
        PG_exception_stack = &here;
        data = CopyErrorData();
    }
    PG_exception_stack = stack;
    error_context_stack = callbacks;
    MemoryContextSwitchTo(context);
    FlushErrorState();
    if (data == nullptr) throw std::bad_alloc();
    throw PgError(data);
}

// What is left of a C++ exception when its handler has ended: plain memory, since the ERROR is a
// longjmp and must find nothing to destroy.
struct PlainError {
    PlainError() noexcept {}  // NOLINT(modernize-use-equals-default): leaves the buffers alone

    void set(int sqlstate, std::string_view text, std::string_view more = {},
             std::string_view advice = {}) noexcept {
        code = sqlstate;
        copy(message, sizeof message, text);
        copy(detail, sizeof detail, more);
        copy(hint, sizeof hint, advice);
    }

    int code = 0;
    char message[512];
    char detail[1024];
    char hint[512];

 private:
    static void copy(char* target, std::size_t size, std::string_view text) noexcept {
        std::size_t length = text.size() < size ? text.size() : size - 1;
        // Not in the middle of a UTF-8 character.
        while (length > 0 && length < text.size() &&
               (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U)
            --length;
        text.copy(target, length);
        target[length] = '\0';
    }
};

// Runs `f` and keeps what it throws as plain data.
template <typename F>
Datum run_guarded(F&& f, PlainError& plain, ErrorData*& server) noexcept {
    try {
        return f();
    } catch (const PgError& error) {
        server = error.data();
    } catch (const SqlError& error) {
        plain.set(error.code(), error.what(), error.detail(), error.hint());
    } catch (const core::TemplateError& error) {
        plain.set(ERRCODE_INVALID_PARAMETER_VALUE, error.what(), error.detail(), error.hint());
    } catch (const core::RenderError& error) {
        plain.set(ERRCODE_INVALID_PARAMETER_VALUE, error.what(), error.member());
    } catch (const std::bad_alloc&) {
        plain.set(ERRCODE_OUT_OF_MEMORY, "out of memory");
    } catch (const std::exception& error) {
        plain.set(ERRCODE_INTERNAL_ERROR, error.what());
    } catch (...) {
        plain.set(ERRCODE_INTERNAL_ERROR, "unrecognized C++ exception");
    }
    return Datum{0};
}

// The whole body of an SQL-callable function. The only place that turns an exception into an ERROR,
// and it does so after the handler has ended.
template <typename F>
Datum pg_boundary(F&& f) {
    PlainError plain;
    ErrorData* server = nullptr;
    const Datum result = run_guarded(f, plain, server);
    if (server != nullptr) ReThrowError(server);
    if (plain.code != 0)
        ereport(ERROR, (errcode(plain.code), errmsg("%s", plain.message),
                        plain.detail[0] == '\0' ? 0 : errdetail("%s", plain.detail),
                        plain.hint[0] == '\0' ? 0 : errhint("%s", plain.hint)));
    return result;
}

}  // namespace tbs::pg

// tbs.random_secret: letters and digits from the server's strong random source. Server calls and
// plain data only: nothing here throws.
#include "core/random_text.hpp"
#include "pg/server.hpp"

extern "C" {

PG_FUNCTION_INFO_V1(tbs_random_secret);

Datum tbs_random_secret(PG_FUNCTION_ARGS) {
    constexpr int32 kShortest = 8;
    constexpr int32 kLongest = 128;
    const int32 length = PG_GETARG_INT32(0);
    if (length < kShortest || length > kLongest)
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("invalid length of a secret: %d", length),
                        errhint("A secret has %d to %d characters.", kShortest, kLongest)));

    char secret[kLongest];
    const std::span<char> wanted(secret, static_cast<std::size_t>(length));
    for (std::size_t filled = 0; filled < wanted.size();) {
        std::uint8_t random[kLongest];
        if (!pg_strong_random(random, sizeof random))
            ereport(ERROR,
                    (errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not generate random values")));
        filled += tbs::core::fill_random_text(wanted.subspan(filled), random);
        explicit_bzero(random, sizeof random);
    }
    text* const result = cstring_to_text_with_len(secret, length);
    explicit_bzero(secret, sizeof secret);
    PG_RETURN_TEXT_P(result);
}
}

#include "pg/text_array.hpp"

namespace tbs::pg {

TextArray read_text_array(ArrayType* array) {
    TextArray result{nullptr, 0};
    bool* nulls = nullptr;
    int count = 0;
    deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &result.elements, &nulls, &count);
    for (int i = 0; i < count; ++i)
        if (!nulls[i])
            result.elements[result.count++] =
                PointerGetDatum(PG_DETOAST_DATUM_PACKED(result.elements[i]));
    return result;
}

Datum write_text_array(std::span<const std::string> texts) {
    auto* const elements = static_cast<Datum*>(palloc(sizeof(Datum) * (texts.size() + 1)));
    for (std::size_t i = 0; i < texts.size(); ++i)
        elements[i] = PointerGetDatum(
            cstring_to_text_with_len(texts[i].data(), static_cast<int>(texts[i].size())));
    return PointerGetDatum(construct_array(elements, static_cast<int>(texts.size()), TEXTOID, -1,
                                           false, TYPALIGN_INT));
}

std::vector<std::string> strings_of(const TextArray& array) {
    std::vector<std::string> strings;
    for (int i = 0; i < array.count; ++i) {
        const auto* const text =
            reinterpret_cast<const varlena*>(DatumGetPointer(array.elements[i]));
        strings.emplace_back(VARDATA_ANY(text), VARSIZE_ANY_EXHDR(text));
    }
    return strings;
}

}  // namespace tbs::pg

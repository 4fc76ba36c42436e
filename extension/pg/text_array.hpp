// text[] in and out.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "pg/server.hpp"

namespace tbs::pg {

// The elements of a text[] as plain data. Server calls only.
struct TextArray {
    Datum* elements;
    int count;
};

// Elements that are NULL are left out.
[[nodiscard]] TextArray read_text_array(ArrayType* array);

// To be called within pg_call.
[[nodiscard]] Datum write_text_array(std::span<const std::string> texts);

// C++ only.
[[nodiscard]] std::vector<std::string> strings_of(const TextArray& array);

}  // namespace tbs::pg

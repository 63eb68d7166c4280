#include "fields.h"
#include <cstring>
#include "../../dispatch/table.h"

namespace fastpostgres::scalar {
namespace {

#include "fields_rows.inl"

size_t cut_lines(Bytes source, size_t start, uint8_t delimiter, uint32_t fields, size_t limit, uint32_t* ends) {
  size_t lines = 0;
  uint32_t count = 0;
  uint32_t* end = ends;
  *end++ = static_cast<uint32_t>(start) - 1;
  for (size_t at = start; at < source.size && lines < limit; at++) {
    const uint8_t byte = source.bytes[at];
    if (byte == delimiter) {
      if (++count == fields) return lines;
      *end++ = static_cast<uint32_t>(at);
    } else if (byte == '\n') {
      if (count + 1 != fields) return lines;
      *end++ = static_cast<uint32_t>(at);
      count = 0;
      lines++;
    } else if (byte == '\\' || byte == '\r' || byte == 0) {
      return lines;
    }
  }
  return lines;
}

}  // namespace

const FieldsKernels fields = {cut_lines, parse_decimals, parse_dates, copy_fields};

}  // namespace fastpostgres::scalar

#include "selection.h"
#include <cstring>
#include "../../dispatch/table.h"

namespace fastpostgres::scalar {
namespace {

bool is_set(Bytes bitmap, size_t row) { return ((bitmap.bytes[row / 8] >> (row % 8)) & 1) != 0; }

size_t select(Bytes bitmap, size_t count, MutableColumn target) {
  size_t found = 0;
  for (size_t row = 0; row < count; row++) {
    if (!is_set(bitmap, row)) continue;
    std::memcpy(target.bytes + found * target.width, &row, target.width);
    found++;
  }
  return found;
}

size_t count_bits(Bytes bitmap, size_t count) {
  size_t found = 0;
  for (size_t row = 0; row < count; row++) found += is_set(bitmap, row);
  return found;
}

}  // namespace

const SelectionKernels selection = {select, count_bits};

}  // namespace fastpostgres::scalar

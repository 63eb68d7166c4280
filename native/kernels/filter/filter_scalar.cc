// The truth: one row at a time.
#include "filter.h"
#include <cstring>
#include "../../dispatch/table.h"

namespace fastpostgres::scalar {
namespace {

template <class Pass>
void write_rows(Bitmap target, Combine combine, Pass pass) {
  for (size_t at = 0; at < target.count; at += 8) {
    uint32_t bits = 0;
    size_t end = target.count - at < 8 ? target.count - at : 8;
    for (size_t k = 0; k < end; k++) bits |= static_cast<uint32_t>(pass(at + k)) << k;
    uint8_t& byte = target.bytes[at / 8];
    byte = static_cast<uint8_t>(combine == Combine::store ? bits : byte & bits);
  }
}

template <class T>
T load(const uint8_t* bytes, size_t i) {
  T value;
  std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
  return value;
}

template <class T>
void range_of(Column values, uint64_t low, uint64_t high, bool negate, Bitmap target, Combine combine) {
  const T from = static_cast<T>(low);
  const T span = static_cast<T>(static_cast<T>(high) - from);
  write_rows(target, combine, [&](size_t i) { return (static_cast<T>(load<T>(values.bytes, i) - from) <= span) != negate; });
}

void range(Column values, uint64_t low, uint64_t high, bool negate, Bitmap target, Combine combine) {
  switch (values.width) {
    case 1: return range_of<uint8_t>(values, low, high, negate, target, combine);
    case 2: return range_of<uint16_t>(values, low, high, negate, target, combine);
    case 4: return range_of<uint32_t>(values, low, high, negate, target, combine);
    default: return range_of<uint64_t>(values, low, high, negate, target, combine);
  }
}

void range_f64(Column values, double low, double high, bool nan_passes, bool negate, Bitmap target, Combine combine) {
  write_rows(target, combine, [&](size_t i) {
    const double x = load<double>(values.bytes, i);
    const bool pass = x != x ? nan_passes : (low <= x && x <= high);
    return pass != negate;
  });
}

void codes(Column column, Bytes table, Bitmap target, Combine combine) {
  write_rows(target, combine, [&](size_t i) {
    const size_t code = column.width == 1 ? load<uint8_t>(column.bytes, i) : load<uint16_t>(column.bytes, i);
    return code < table.size && table.bytes[code] != 0;
  });
}

}  // namespace

const FilterKernels filter = {range, range_f64, codes};

}  // namespace fastpostgres::scalar

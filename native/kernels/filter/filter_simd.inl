// Filters in steps of 32 rows: compare with GCC's vectors, one movemask per vector, one 32-bit store.
#include "filter.h"

namespace fastpostgres::KERNEL_ISA {
namespace {

// Writes 32 rows' bits at row i (a multiple of 32).
inline void put32(Bitmap target, size_t i, uint32_t bits, Combine combine) {
  uint8_t* at = target.bytes + i / 8;
  if (combine == Combine::intersect) {
    uint32_t before;
    std::memcpy(&before, at, 4);
    bits &= before;
  }
  std::memcpy(at, &bits, 4);
}

inline void put_rest(Bitmap target, size_t i, size_t n, uint32_t bits, Combine combine) {
  for (size_t k = 0; k < n; k += 8) {
    uint8_t& byte = target.bytes[(i + k) / 8];
    const uint8_t some = static_cast<uint8_t>(bits >> k);
    byte = combine == Combine::store ? some : static_cast<uint8_t>(byte & some);
  }
}

template <class Step, class One>
inline void filter_rows(Bitmap target, Combine combine, Step step, One one) {
  step_and_rest<32>(
      target.count, [&](size_t i) { put32(target, i, step(i), combine); },
      [&](size_t i, size_t n) {
        uint32_t bits = 0;
        for (size_t k = 0; k < n; k++) bits |= static_cast<uint32_t>(one(i + k)) << k;
        put_rest(target, i, n, bits, combine);
      });
}

template <class T>
inline T load_one(const uint8_t* bytes, size_t i) {
  T value;
  std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
  return value;
}

// Sign bits of 32 rows, `test` giving the comparison of the vector at byte offset.
template <class T, class Test>
inline uint32_t bits_of_32(Test test) {
  constexpr size_t lanes = kVectorBytes / sizeof(T);
  if constexpr (sizeof(T) == 2) {
    uint32_t bits = 0;
    for (size_t k = 0; k < 32; k += 2 * lanes) bits |= static_cast<uint32_t>(mask16(test(k), test(k + lanes))) << (k & 31);
    return bits;
  } else {
    uint32_t bits = 0;
    for (size_t k = 0; k < 32; k += lanes) bits |= static_cast<uint32_t>(mask_of<sizeof(T)>(test(k))) << k;
    return bits;
  }
}

template <class T>
void range_of(Column values, uint64_t low, uint64_t high, bool negate, Bitmap target, Combine combine) {
  using V = VectorOf<T>;
  const T from = static_cast<T>(low);
  const T span = static_cast<T>(static_cast<T>(high) - from);
  const uint32_t flip = negate ? 0xffffffffu : 0;
  const uint8_t* bytes = values.bytes;
  filter_rows(
      target, combine,
      [&](size_t i) {
        return flip ^ bits_of_32<T>([&](size_t k) {
                 V x;
                 std::memcpy(&x, bytes + (i + k) * sizeof(T), kVectorBytes);
                 return reinterpret_cast<RawVector>((x - from) <= (V{} + span));
               });
      },
      [&](size_t i) { return (static_cast<T>(load_one<T>(bytes, i) - from) <= span) != negate; });
}

void filter_range(Column values, uint64_t low, uint64_t high, bool negate, Bitmap target, Combine combine) {
  switch (values.width) {
    case 1: return range_of<uint8_t>(values, low, high, negate, target, combine);
    case 2: return range_of<uint16_t>(values, low, high, negate, target, combine);
    case 4: return range_of<uint32_t>(values, low, high, negate, target, combine);
    default: return range_of<uint64_t>(values, low, high, negate, target, combine);
  }
}

void filter_range_f64(Column values, double low, double high, bool nan_passes, bool negate, Bitmap target, Combine combine) {
  using V = VectorOf<double>;
  const uint32_t flip = negate ? 0xffffffffu : 0;
  const uint8_t* bytes = values.bytes;
  filter_rows(
      target, combine,
      [&](size_t i) {
        return flip ^ bits_of_32<double>([&](size_t k) {
                 V x;
                 std::memcpy(&x, bytes + (i + k) * sizeof(double), kVectorBytes);
                 auto pass = (x >= (V{} + low)) & (x <= (V{} + high));
                 if (nan_passes) pass |= x != x;
                 return reinterpret_cast<RawVector>(pass);
               });
      },
      [&](size_t i) {
        const double x = load_one<double>(bytes, i);
        return (x != x ? nan_passes : (low <= x && x <= high)) != negate;
      });
}

void filter_codes(Column codes, Bytes table, Bitmap target, Combine combine) {
  if (codes.width == 1) {
    const auto pass = [&](size_t i) {
      const uint8_t code = codes.bytes[i];
      return code < table.size && table.bytes[code] != 0;
    };
    if (table.size <= 16) {
      // The whole table fits a byte shuffle; codes of 16 and more are cleared by the comparison.
      uint8_t padded[16] = {};
      for (size_t k = 0; k < table.size; k++) padded[k] = table.bytes[k] != 0 ? 0xff : 0;
      filter_rows(
          target, combine, [&](size_t i) { return bits_of_32<uint8_t>([&](size_t k) { return look_up16(codes.bytes + i + k, padded); }); },
          pass);
    } else {
      uint8_t full[256] = {};
      for (size_t k = 0; k < table.size && k < 256; k++) full[k] = table.bytes[k] != 0;
      filter_rows(
          target, combine,
          [&](size_t i) {
            uint32_t bits = 0;
            for (size_t k = 0; k < 32; k++) bits |= static_cast<uint32_t>(full[codes.bytes[i + k]]) << k;
            return bits;
          },
          pass);
    }
    return;
  }
  const auto pass = [&](size_t i) {
    const uint16_t code = load_one<uint16_t>(codes.bytes, i);
    return code < table.size && table.bytes[code] != 0;
  };
  filter_rows(
      target, combine,
      [&](size_t i) {
        uint32_t bits = 0;
        for (size_t k = 0; k < 32; k++) bits |= static_cast<uint32_t>(pass(i + k)) << k;
        return bits;
      },
      pass);
}

}  // namespace

const FilterKernels filter = {filter_range, filter_range_f64, filter_codes};

}  // namespace fastpostgres::KERNEL_ISA

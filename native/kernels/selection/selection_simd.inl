// By 64-bit words: empty ones cost one test, others one step per set bit.
#include "selection.h"

namespace fastpostgres::KERNEL_ISA {
namespace {

template <class Word>
inline void words(Bytes bitmap, size_t count, Word word) {
  step_and_rest<64>(
      count,
      [&](size_t row) {
        uint64_t bits;
        std::memcpy(&bits, bitmap.bytes + row / 8, 8);
        word(row, bits);
      },
      [&](size_t row, size_t n) {
        uint64_t bits = 0;
        std::memcpy(&bits, bitmap.bytes + row / 8, (n + 7) / 8);
        word(row, bits & ((uint64_t{1} << n) - 1));
      });
}

template <class P>
size_t select_to(Bytes bitmap, size_t count, MutableColumn target) {
  P* out = reinterpret_cast<P*>(target.bytes);
  P* at = out;
  words(bitmap, count, [&](size_t row, uint64_t bits) {
    while (bits != 0) {
      *at++ = static_cast<P>(row + static_cast<size_t>(__builtin_ctzll(bits)));
      bits &= bits - 1;
    }
  });
  return static_cast<size_t>(at - out);
}

size_t select(Bytes bitmap, size_t count, MutableColumn target) {
  return target.width == 2 ? select_to<uint16_t>(bitmap, count, target) : select_to<uint32_t>(bitmap, count, target);
}

size_t count_bits(Bytes bitmap, size_t count) {
  size_t found = 0;
  words(bitmap, count, [&](size_t, uint64_t bits) { found += static_cast<size_t>(__builtin_popcountll(bits)); });
  return found;
}

}  // namespace

const SelectionKernels selection = {select, count_bits};

}  // namespace fastpostgres::KERNEL_ISA

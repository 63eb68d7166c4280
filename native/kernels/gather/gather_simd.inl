// Two passes: the largest position first (a vector loop), then loads without a test. Gather instructions are slower than loads on the
// machines measured.
#include "gather.h"

namespace fastpostgres::KERNEL_ISA {
namespace {

template <class P, class T>
bool gather_of(Column source, Column positions, MutableColumn target) {
  const P* __restrict at = reinterpret_cast<const P*>(positions.bytes);
  P largest = 0;
  for (size_t i = 0; i < target.count; i++) largest = at[i] > largest ? at[i] : largest;
  if (target.count > 0 && largest >= source.count) return false;
  const T* __restrict in = reinterpret_cast<const T*>(source.bytes);
  T* __restrict out = reinterpret_cast<T*>(target.bytes);
  for (size_t i = 0; i < target.count; i++) out[i] = in[at[i]];
  return true;
}

template <class P>
bool gather_by(Column source, Column positions, MutableColumn target) {
  switch (source.width) {
    case 1: return gather_of<P, uint8_t>(source, positions, target);
    case 2: return gather_of<P, uint16_t>(source, positions, target);
    case 4: return gather_of<P, uint32_t>(source, positions, target);
    default: return gather_of<P, uint64_t>(source, positions, target);
  }
}

bool gather_rows(Column source, Column positions, MutableColumn target) {
  return positions.width == 2 ? gather_by<uint16_t>(source, positions, target) : gather_by<uint32_t>(source, positions, target);
}

}  // namespace

const GatherKernels gather = {gather_rows};

}  // namespace fastpostgres::KERNEL_ISA

// The loops are plain: compiled for the instruction set, GCC turns `fixed` into vectors. Strings gain nothing and share the scalar code.
#include "hash.h"

namespace fastpostgres::KERNEL_ISA {
namespace {

inline uint32_t mix(uint32_t h) {
  h ^= h >> 16;
  h *= 0x85ebca6bu;
  h ^= h >> 13;
  h *= 0xc2b2ae35u;
  return h ^ (h >> 16);
}

template <class S>
void fixed_of(Column values, uint32_t seed, MutableColumn target) {
  const S* __restrict in = reinterpret_cast<const S*>(values.bytes);
  uint32_t* __restrict out = reinterpret_cast<uint32_t*>(target.bytes);
  for (size_t i = 0; i < target.count; i++) {
    const uint64_t value = static_cast<uint64_t>(static_cast<int64_t>(in[i]));
    out[i] = mix(static_cast<uint32_t>(value) ^ mix(static_cast<uint32_t>(value >> 32) ^ seed));
  }
}

void fixed(Column values, uint32_t seed, MutableColumn target) {
  switch (values.width) {
    case 1: return fixed_of<int8_t>(values, seed, target);
    case 2: return fixed_of<int16_t>(values, seed, target);
    case 4: return fixed_of<int32_t>(values, seed, target);
    default: return fixed_of<int64_t>(values, seed, target);
  }
}

void bytes(Bytes source, const uint32_t* offsets, uint32_t seed, MutableColumn target) { scalar::hash.bytes(source, offsets, seed, target); }

}  // namespace

const HashKernels hash = {fixed, bytes};

}  // namespace fastpostgres::KERNEL_ISA

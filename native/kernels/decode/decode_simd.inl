#include "decode.h"

namespace fastpostgres::KERNEL_ISA {
namespace {

// Eight bytes per code: any width up to 57 bits after the shift by up to 7. Safe while eight bytes remain.
inline uint64_t code_fast(const uint8_t* bytes, size_t bit, uint64_t mask) {
  uint64_t word;
  std::memcpy(&word, bytes + bit / 8, 8);
  return (word >> (bit % 8)) & mask;
}

inline uint64_t code_safe(Bytes source, size_t bit, uint64_t mask) {
  uint64_t word = 0;
  const size_t at = bit / 8;
  const size_t left = source.size - at;
  std::memcpy(&word, source.bytes + at, left < 8 ? left : 8);
  return (word >> (bit % 8)) & mask;
}

// How many of `count` codes from `start` may be read with loads of `reach` bytes at their first byte.
inline size_t readable(Bytes source, uint32_t bits, size_t start, size_t count, size_t reach) {
  if (source.size < reach) return 0;
  const size_t codes = ((source.size - reach) * 8 + 7) / bits + 1;
  const size_t usable = codes > start ? codes - start : 0;
  return usable < count ? usable : count;
}

template <class T>
void unpack_to(Bytes source, uint32_t bits, size_t start, uint64_t base, MutableColumn target) {
  const uint64_t mask = (uint64_t{1} << bits) - 1;
  T* out = reinterpret_cast<T*>(target.bytes);
  size_t done = 0;
  if constexpr (sizeof(T) == 4) done = unpack_vectors(source, bits, start, static_cast<uint32_t>(base), target);
  const size_t fast = readable(source, bits, start, target.count, 8);
  size_t i = done;
  for (; i < fast; i++) out[i] = static_cast<T>(base + code_fast(source.bytes, (start + i) * bits, mask));
  for (; i < target.count; i++) out[i] = static_cast<T>(base + code_safe(source, (start + i) * bits, mask));
}

void unpack(Bytes source, uint32_t bits, size_t start, uint64_t base, MutableColumn target) {
  switch (target.width) {
    case 1: return unpack_to<uint8_t>(source, bits, start, base, target);
    case 2: return unpack_to<uint16_t>(source, bits, start, base, target);
    case 4: return unpack_to<uint32_t>(source, bits, start, base, target);
    default: return unpack_to<uint64_t>(source, bits, start, base, target);
  }
}

template <class S, class T>
void narrow_to(Column source, uint64_t base, MutableColumn target) {
  const S* __restrict in = reinterpret_cast<const S*>(source.bytes);
  T* __restrict out = reinterpret_cast<T*>(target.bytes);
  for (size_t i = 0; i < target.count; i++) out[i] = static_cast<T>(static_cast<uint64_t>(static_cast<int64_t>(in[i])) - base);
}

template <class S>
void narrow_from(Column source, uint64_t base, MutableColumn target) {
  switch (target.width) {
    case 1: return narrow_to<S, uint8_t>(source, base, target);
    case 2: return narrow_to<S, uint16_t>(source, base, target);
    case 4: return narrow_to<S, uint32_t>(source, base, target);
    default: return narrow_to<S, uint64_t>(source, base, target);
  }
}

void narrow(Column source, uint64_t base, MutableColumn target) {
  switch (source.width) {
    case 1: return narrow_from<int8_t>(source, base, target);
    case 2: return narrow_from<int16_t>(source, base, target);
    case 4: return narrow_from<int32_t>(source, base, target);
    default: return narrow_from<int64_t>(source, base, target);
  }
}

template <class T>
void expand_to(Column values, const uint32_t* ends, MutableColumn target) {
  const T* in = reinterpret_cast<const T*>(values.bytes);
  T* out = reinterpret_cast<T*>(target.bytes);
  size_t i = 0;
  for (size_t r = 0; r < values.count; r++) {
    const T value = in[r];
    const size_t end = ends[r];
    for (; i < end; i++) out[i] = value;
  }
}

void expand_runs(Column values, const uint32_t* ends, MutableColumn target) {
  switch (target.width) {
    case 1: return expand_to<uint8_t>(values, ends, target);
    case 2: return expand_to<uint16_t>(values, ends, target);
    case 4: return expand_to<uint32_t>(values, ends, target);
    default: return expand_to<uint64_t>(values, ends, target);
  }
}

}  // namespace

const DecodeKernels decode = {unpack, narrow, expand_runs};

}  // namespace fastpostgres::KERNEL_ISA

// All SIMD bodies, compiled once per instruction set with KERNEL_ISA set by the build script.
#include <cstring>
#include <immintrin.h>
#include "../include/abi.h"
#include "../include/loops.h"
#include "table.h"

namespace fastpostgres::KERNEL_ISA {
namespace {

#if defined(__AVX2__)
constexpr size_t kVectorBytes = 32;
using RawVector = long long __attribute__((vector_size(32)));
#else
constexpr size_t kVectorBytes = 16;
using RawVector = long long __attribute__((vector_size(16)));
#endif

template <class T>
struct VectorType {
  typedef T type __attribute__((vector_size(kVectorBytes)));
};
template <class T>
using VectorOf = typename VectorType<T>::type;

// One bit per lane of a comparison result.
template <size_t Width>
inline uint32_t mask_of(RawVector v) {
#if defined(__AVX2__)
  if constexpr (Width == 1) return static_cast<uint32_t>(_mm256_movemask_epi8(reinterpret_cast<__m256i>(v)));
  if constexpr (Width == 4) return static_cast<uint32_t>(_mm256_movemask_ps(reinterpret_cast<__m256>(v)));
  return static_cast<uint32_t>(_mm256_movemask_pd(reinterpret_cast<__m256d>(v)));
#else
  if constexpr (Width == 1) return static_cast<uint32_t>(_mm_movemask_epi8(reinterpret_cast<__m128i>(v)));
  if constexpr (Width == 4) return static_cast<uint32_t>(_mm_movemask_ps(reinterpret_cast<__m128>(v)));
  return static_cast<uint32_t>(_mm_movemask_pd(reinterpret_cast<__m128d>(v)));
#endif
}

// One bit per lane of two comparison results over 16-bit lanes.
inline uint32_t mask16(RawVector first, RawVector second) {
#if defined(__AVX2__)
  const __m256i packed = _mm256_packs_epi16(reinterpret_cast<__m256i>(first), reinterpret_cast<__m256i>(second));
  return static_cast<uint32_t>(_mm256_movemask_epi8(_mm256_permute4x64_epi64(packed, 0xd8)));
#else
  return static_cast<uint32_t>(_mm_movemask_epi8(_mm_packs_epi16(reinterpret_cast<__m128i>(first), reinterpret_cast<__m128i>(second))));
#endif
}

// Table bytes of one vector of codes; 0 for codes of 16 and more.
inline RawVector look_up16(const uint8_t* codes, const uint8_t table[16]) {
#if defined(__AVX2__)
  const __m256i entries = _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(table)));
  const __m256i code = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(codes));
  const __m256i in_table = _mm256_cmpeq_epi8(_mm256_min_epu8(code, _mm256_set1_epi8(15)), code);
  return reinterpret_cast<RawVector>(_mm256_and_si256(_mm256_shuffle_epi8(entries, code), in_table));
#else
  const __m128i entries = _mm_loadu_si128(reinterpret_cast<const __m128i*>(table));
  const __m128i code = _mm_loadu_si128(reinterpret_cast<const __m128i*>(codes));
  const __m128i in_table = _mm_cmpeq_epi8(_mm_min_epu8(code, _mm_set1_epi8(15)), code);
  return reinterpret_cast<RawVector>(_mm_and_si128(_mm_shuffle_epi8(entries, code), in_table));
#endif
}

// Codes of up to 25 bits, eight a step: four bytes of each code into its lane, shift, mask. Returns how many were written.
inline size_t unpack_vectors(Bytes source, uint32_t bits, size_t start, uint32_t base, MutableColumn target) {
#if defined(__AVX2__)
  // Groups of eight codes begin on a byte only when start * bits does.
  if (bits > 25 || (start * bits) % 8 != 0) return 0;
  alignas(32) uint8_t pick[32];
  alignas(32) uint32_t shift[8];
  const uint32_t upper = (4 * bits) / 8;
  for (uint32_t k = 0; k < 8; k++) {
    const uint32_t bit = k * bits - (k < 4 ? 0 : 8 * upper);
    for (uint32_t b = 0; b < 4; b++) pick[4 * k + b] = static_cast<uint8_t>(bit / 8 + b);
    shift[k] = bit % 8;
  }
  const __m256i picks = _mm256_load_si256(reinterpret_cast<const __m256i*>(pick));
  const __m256i shifts = _mm256_load_si256(reinterpret_cast<const __m256i*>(shift));
  const __m256i mask = _mm256_set1_epi32(static_cast<int>((uint32_t{1} << bits) - 1));
  const __m256i bases = _mm256_set1_epi32(static_cast<int>(base));
  const uint8_t* at = source.bytes + start * bits / 8;
  const uint8_t* end = source.bytes + source.size;
  size_t i = 0;
  for (; target.count - i >= 8 && end - at >= static_cast<ptrdiff_t>(upper + 16); i += 8, at += bits) {
    const __m256i words = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(at))),
                                                  _mm_loadu_si128(reinterpret_cast<const __m128i*>(at + upper)), 1);
    const __m256i codes = _mm256_and_si256(_mm256_srlv_epi32(_mm256_shuffle_epi8(words, picks), shifts), mask);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(target.bytes + i * 4), _mm256_add_epi32(codes, bases));
  }
  return i;
#else
  (void)source, (void)bits, (void)start, (void)base, (void)target;
  return 0;
#endif
}

}  // namespace
}  // namespace fastpostgres::KERNEL_ISA

#include "../kernels/checksum/checksum_simd.inl"
#include "../kernels/decode/decode_simd.inl"
#include "../kernels/fields/fields_simd.inl"
#include "../kernels/filter/filter_simd.inl"
#include "../kernels/gather/gather_simd.inl"
#include "../kernels/hash/hash_simd.inl"
#include "../kernels/selection/selection_simd.inl"

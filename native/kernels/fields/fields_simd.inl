// One mask a vector for all bytes that end something; the bits are then taken one by one.
#include "fields.h"

namespace fastpostgres::KERNEL_ISA {
namespace {

#include "fields_rows.inl"

inline uint32_t marks_of(const uint8_t* bytes, uint8_t delimiter) {
#if defined(__AVX2__)
  const __m256i value = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(bytes));
  __m256i hit = _mm256_cmpeq_epi8(value, _mm256_set1_epi8(static_cast<char>(delimiter)));
  hit = _mm256_or_si256(hit, _mm256_cmpeq_epi8(value, _mm256_set1_epi8('\n')));
  hit = _mm256_or_si256(hit, _mm256_cmpeq_epi8(value, _mm256_set1_epi8('\r')));
  hit = _mm256_or_si256(hit, _mm256_cmpeq_epi8(value, _mm256_set1_epi8('\\')));
  hit = _mm256_or_si256(hit, _mm256_cmpeq_epi8(value, _mm256_setzero_si256()));
  return static_cast<uint32_t>(_mm256_movemask_epi8(hit));
#else
  const __m128i value = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes));
  __m128i hit = _mm_cmpeq_epi8(value, _mm_set1_epi8(static_cast<char>(delimiter)));
  hit = _mm_or_si128(hit, _mm_cmpeq_epi8(value, _mm_set1_epi8('\n')));
  hit = _mm_or_si128(hit, _mm_cmpeq_epi8(value, _mm_set1_epi8('\r')));
  hit = _mm_or_si128(hit, _mm_cmpeq_epi8(value, _mm_set1_epi8('\\')));
  hit = _mm_or_si128(hit, _mm_cmpeq_epi8(value, _mm_setzero_si128()));
  return static_cast<uint32_t>(_mm_movemask_epi8(hit));
#endif
}

size_t cut_lines(Bytes source, size_t start, uint8_t delimiter, uint32_t fields, size_t limit, uint32_t* ends) {
  size_t lines = 0;
  uint32_t count = 0;
  uint32_t* end = ends;
  *end++ = static_cast<uint32_t>(start) - 1;
  // False when the cutting ends with the byte at `at`.
  const auto take = [&](size_t at) {
    const uint8_t byte = source.bytes[at];
    if (byte == delimiter) {
      if (++count == fields) return false;
      *end++ = static_cast<uint32_t>(at);
      return true;
    }
    if (byte != '\n' || count + 1 != fields) return false;
    *end++ = static_cast<uint32_t>(at);
    count = 0;
    return ++lines < limit;
  };
  if (limit == 0 || start >= source.size) return 0;
  bool ended = false;
  step_and_rest<kVectorBytes>(
      source.size - start,
      [&](size_t i) {
        if (ended) return;
        for (uint32_t marks = marks_of(source.bytes + start + i, delimiter); marks != 0; marks &= marks - 1) {
          if (take(start + i + static_cast<size_t>(__builtin_ctz(marks)))) continue;
          ended = true;
          return;
        }
      },
      [&](size_t i, size_t rest) {
        for (size_t at = start + i; at < start + i + rest && !ended; at++) {
          const uint8_t byte = source.bytes[at];
          if (byte == delimiter || byte == '\n' || byte == '\r' || byte == '\\' || byte == 0) ended = !take(at);
        }
      });
  return lines;
}

}  // namespace

const FieldsKernels fields = {cut_lines, parse_decimals, parse_dates, copy_fields};

}  // namespace fastpostgres::KERNEL_ISA

#include "decode.h"
#include <cstring>
#include "../../dispatch/table.h"

namespace fastpostgres::scalar {
namespace {

uint64_t code_at(Bytes source, uint32_t bits, size_t index) {
  uint64_t code = 0;
  for (uint32_t k = 0; k < bits; k++) {
    const size_t bit = index * bits + k;
    code |= static_cast<uint64_t>((source.bytes[bit / 8] >> (bit % 8)) & 1) << k;
  }
  return code;
}

void store(MutableColumn target, size_t i, uint64_t value) { std::memcpy(target.bytes + i * target.width, &value, target.width); }

uint64_t load(Column source, size_t i) {
  uint64_t value = 0;
  std::memcpy(&value, source.bytes + i * source.width, source.width);
  return value;
}

// Narrower sources are sign-extended, so that widening keeps negative values.
uint64_t load_signed(Column source, size_t i) {
  const uint32_t unused = 64 - 8 * source.width;
  return static_cast<uint64_t>(static_cast<int64_t>(load(source, i) << unused) >> unused);
}

void unpack(Bytes source, uint32_t bits, size_t start, uint64_t base, MutableColumn target) {
  for (size_t i = 0; i < target.count; i++) store(target, i, base + code_at(source, bits, start + i));
}

void narrow(Column source, uint64_t base, MutableColumn target) {
  for (size_t i = 0; i < target.count; i++) store(target, i, load_signed(source, i) - base);
}

void expand_runs(Column values, const uint32_t* ends, MutableColumn target) {
  size_t i = 0;
  for (size_t r = 0; r < values.count; r++)
    for (; i < ends[r]; i++) store(target, i, load(values, r));
}

}  // namespace

const DecodeKernels decode = {unpack, narrow, expand_runs};

}  // namespace fastpostgres::scalar

#include "hash.h"
#include <cstring>
#include "../../dispatch/table.h"

namespace fastpostgres::scalar {
namespace {

uint32_t mix(uint32_t h) {
  h ^= h >> 16;
  h *= 0x85ebca6bu;
  h ^= h >> 13;
  h *= 0xc2b2ae35u;
  return h ^ (h >> 16);
}

void fixed(Column values, uint32_t seed, MutableColumn target) {
  for (size_t i = 0; i < target.count; i++) {
    uint64_t value = 0;
    std::memcpy(&value, values.bytes + i * values.width, values.width);
    const uint32_t unused = 64 - 8 * values.width;
    value = static_cast<uint64_t>(static_cast<int64_t>(value << unused) >> unused);
    const uint32_t hash = mix(static_cast<uint32_t>(value) ^ mix(static_cast<uint32_t>(value >> 32) ^ seed));
    std::memcpy(target.bytes + i * 4, &hash, 4);
  }
}

uint32_t rotate(uint32_t x, int by) { return (x << by) | (x >> (32 - by)); }

void bytes(Bytes source, const uint32_t* offsets, uint32_t seed, MutableColumn target) {
  for (size_t i = 0; i < target.count; i++) {
    const uint8_t* at = source.bytes + offsets[i];
    const uint32_t length = offsets[i + 1] - offsets[i];
    uint32_t h = seed;
    uint32_t left = length;
    for (; left >= 4; left -= 4, at += 4) {
      uint32_t k;
      std::memcpy(&k, at, 4);
      h = rotate(h ^ (rotate(k * 0xcc9e2d51u, 15) * 0x1b873593u), 13) * 5 + 0xe6546b64u;
    }
    if (left > 0) {
      uint32_t k = 0;
      std::memcpy(&k, at, left);
      h ^= rotate(k * 0xcc9e2d51u, 15) * 0x1b873593u;
    }
    const uint32_t hash = mix(h ^ length);
    std::memcpy(target.bytes + i * 4, &hash, 4);
  }
}

}  // namespace

const HashKernels hash = {fixed, bytes};

}  // namespace fastpostgres::scalar

// 32-bit hashes (MurmurHash3's mixing, public domain). Equal on every machine and in the TypeScript twin; not stored on disk.
#pragma once
#include "../../include/abi.h"

namespace fastpostgres {

// target[i] = mix(low ^ mix(high ^ seed)) of the value widened to 64 bits with its sign. target.width is 4.
using HashFixed = void (*)(Column values, uint32_t seed, MutableColumn target);

// MurmurHash3 (x86, 32 bits) of the bytes [offsets[i], offsets[i + 1]); offsets are checked by the caller.
using HashBytes = void (*)(Bytes source, const uint32_t* offsets, uint32_t seed, MutableColumn target);

struct HashKernels {
  HashFixed fixed;
  HashBytes bytes;
};

}  // namespace fastpostgres

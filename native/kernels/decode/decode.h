// Decoding of compressed integers.
#pragma once
#include "../../include/abi.h"

namespace fastpostgres {

// target[i] = base + code[start + i] (modulo the target's width): codes of `bits` (1 to 57) bits, least significant bit first, without gaps.
// The caller has checked that (start + count) * bits <= 8 * source.size. Nothing past the source is read.
using UnpackBits = void (*)(Bytes source, uint32_t bits, size_t start, uint64_t base, MutableColumn target);

// target[i] = source[i] - base (modulo the target's width); source width 1, 2, 4 or 8.
using Narrow = void (*)(Column source, uint64_t base, MutableColumn target);

// Fills runs: value[r] in rows [end[r - 1], end[r]). ends ascend and the last equals target.count (checked by the caller).
using ExpandRuns = void (*)(Column values, const uint32_t* ends, MutableColumn target);

struct DecodeKernels {
  UnpackBits unpack;
  Narrow narrow;
  ExpandRuns expand_runs;
};

}  // namespace fastpostgres

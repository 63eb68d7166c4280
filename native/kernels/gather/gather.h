// Fetch by position.
#pragma once
#include "../../include/abi.h"

namespace fastpostgres {

// target[i] = source[positions[i]]; positions are 2 or 4 bytes wide. False, with the target partly written, when one is out of range.
using Gather = bool (*)(Column source, Column positions, MutableColumn target);

struct GatherKernels {
  Gather gather;
};

}  // namespace fastpostgres

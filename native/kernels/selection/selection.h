// Between bitmaps and lists of row positions.
#pragma once
#include "../../include/abi.h"

namespace fastpostgres {

// Positions of the set bits of the first `count` rows, ascending, into target (width 2 or 4, room for all of them). Returns their number.
using Select = size_t (*)(Bytes bitmap, size_t count, MutableColumn target);

// Number of set bits among the first `count` rows.
using CountBits = size_t (*)(Bytes bitmap, size_t count);

struct SelectionKernels {
  Select select;
  CountBits count;
};

}  // namespace fastpostgres

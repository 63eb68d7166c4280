// Filters over one column: a bitmap of the rows that pass.
#pragma once
#include "../../include/abi.h"

namespace fastpostgres {

// Rows with (x - low) <= (high - low) modulo 2^width, or its complement. Covers =, <, <=, >, >=, BETWEEN and (negated) <> on signed and
// unsigned integers and on frame-of-reference codes alike. low and high are given modulo 2^width.
using FilterRange = void (*)(Column values, uint64_t low, uint64_t high, bool negate, Bitmap target, Combine combine);

// low <= x <= high on doubles; NaN passes when nan_passes (PostgreSQL sorts NaN above everything). -0 equals 0.
using FilterRangeF64 = void (*)(Column values, double low, double high, bool nan_passes, bool negate, Bitmap target, Combine combine);

// Rows whose code (width 1 or 2) has a non-zero byte in `table`; codes beyond the table fail.
using FilterCodes = void (*)(Column codes, Bytes table, Bitmap target, Combine combine);

struct FilterKernels {
  FilterRange range;
  FilterRangeF64 range_f64;
  FilterCodes codes;
};

}  // namespace fastpostgres

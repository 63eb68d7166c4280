// Delimited text: lines cut into fields, and columns of fields parsed.
//
// Ends   for `rows` lines of `fields` fields, rows * fields + 1 positions: field f of row r is the bytes (ends[r * fields + f], ends[r * fields + f + 1]),
//        both ends exclusive; ends[0] is the position before the first line (modulo 2^32).
// Each parser stops at the first row it cannot take and returns the rows before it.
#pragma once
#include "../../include/abi.h"

namespace fastpostgres {

struct Fields {
  Bytes source;
  const uint32_t* ends;
  uint32_t fields;
  uint32_t field;
  size_t rows;
};

// Cuts at most `limit` whole lines of exactly `fields` fields, from `start`; returns their number. Stops before a line with a backslash, a carriage
// return or a zero byte, with another number of fields, or without an end. Fills limit * fields + 1 positions at most.
using CutLines = size_t (*)(Bytes source, size_t start, uint8_t delimiter, uint32_t fields, size_t limit, uint32_t* ends);

// -digits.digits as integers scaled by 10^scale, below `limit` in magnitude, of at most 15 digits with those the scale adds; the point is refused unless
// `has_point`, as are more decimals than `scale`. Target width 2, 4 or 8.
using ParseDecimals = size_t (*)(Fields fields, uint32_t scale, bool has_point, uint64_t limit, MutableColumn target);

// yyyy-mm-dd, year 1 to 9999, as days since 2000-01-01; 29 February and days that the month lacks are refused. Target width 4.
using ParseDates = size_t (*)(Fields fields, MutableColumn target);

// Copies fields of at most `most` bytes behind target[at], each filled up with blanks to `least` bytes (then they must be ASCII), and writes the rows'
// ends into offsets[1..]; offsets[0] is `at`. Stops when the target is full.
using CopyFields = size_t (*)(Fields fields, uint32_t least, uint32_t most, MutableColumn target, size_t at, uint32_t* offsets);

struct FieldsKernels {
  CutLines cut_lines;
  ParseDecimals parse_decimals;
  ParseDates parse_dates;
  CopyFields copy_fields;
};

}  // namespace fastpostgres

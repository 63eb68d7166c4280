// Views that kernels work on. A kernel never gets a bare address: pointer, count and meaning travel together.
//
// Widths   values are 1, 2, 4 or 8 bytes; signed and unsigned integers share kernels (arithmetic modulo 2^width).
// Bitmaps  one bit per row, least significant bit first; bits past the count are written as zero.
// Owner    kernels borrow everything until they return, allocate nothing, and read or write no byte outside of a view.
#pragma once
#include <cstddef>
#include <cstdint>

namespace fastpostgres {

struct Column {
  const uint8_t* bytes;
  size_t count;
  uint32_t width;
};

struct MutableColumn {
  uint8_t* bytes;
  size_t count;
  uint32_t width;
};

struct Bytes {
  const uint8_t* bytes;
  size_t size;
};

struct Bitmap {
  uint8_t* bytes;
  size_t count;
};

static_assert(sizeof(size_t) == 8, "64-bit only");
static_assert(sizeof(Column) == 24 && offsetof(Column, count) == 8 && offsetof(Column, width) == 16);

// How a filter writes its bitmap: replace it, or keep only what was set before.
enum class Combine : uint32_t { store = 0, intersect = 1 };

}  // namespace fastpostgres

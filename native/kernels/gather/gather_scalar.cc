#include "gather.h"
#include <cstring>
#include "../../dispatch/table.h"

namespace fastpostgres::scalar {
namespace {

bool gather_rows(Column source, Column positions, MutableColumn target) {
  for (size_t i = 0; i < target.count; i++) {
    uint32_t position = 0;
    std::memcpy(&position, positions.bytes + i * positions.width, positions.width);
    if (position >= source.count) return false;
    std::memcpy(target.bytes + i * target.width, source.bytes + position * size_t{source.width}, source.width);
  }
  return true;
}

}  // namespace

const GatherKernels gather = {gather_rows};

}  // namespace fastpostgres::scalar

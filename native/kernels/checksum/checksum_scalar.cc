#include "checksum.h"
#include "../../dispatch/table.h"

namespace fastpostgres::scalar {
namespace {

uint32_t crc32c(Bytes source, uint32_t previous) {
  uint32_t crc = ~previous;
  for (size_t i = 0; i < source.size; i++) {
    crc ^= source.bytes[i];
    for (int k = 0; k < 8; k++) crc = (crc >> 1) ^ (0x82f63b78u & (0u - (crc & 1)));
  }
  return ~crc;
}

}  // namespace

const ChecksumKernels checksum = {crc32c};

}  // namespace fastpostgres::scalar

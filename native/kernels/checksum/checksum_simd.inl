#include "checksum.h"

namespace fastpostgres::KERNEL_ISA {
namespace {

uint32_t crc32c(Bytes source, uint32_t previous) {
  uint64_t crc = ~previous;
  steps<8>(
      source.size,
      [&](size_t i) {
        uint64_t word;
        std::memcpy(&word, source.bytes + i, 8);
        crc = _mm_crc32_u64(crc, word);
      },
      [&](size_t i) { crc = _mm_crc32_u8(static_cast<uint32_t>(crc), source.bytes[i]); });
  return ~static_cast<uint32_t>(crc);
}

}  // namespace

const ChecksumKernels checksum = {crc32c};

}  // namespace fastpostgres::KERNEL_ISA

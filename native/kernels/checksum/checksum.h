// CRC-32C (Castagnoli, reflected, as in iSCSI): initial value and final inversion inside.
#pragma once
#include "../../include/abi.h"

namespace fastpostgres {

// Continues from the checksum of the bytes before (0 = none).
using Crc32c = uint32_t (*)(Bytes source, uint32_t previous);

struct ChecksumKernels {
  Crc32c crc32c;
};

}  // namespace fastpostgres

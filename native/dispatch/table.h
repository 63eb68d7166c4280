// One table of kernels per instruction set; the processor decides once, tests may override.
#pragma once
#include "../kernels/checksum/checksum.h"
#include "../kernels/decode/decode.h"
#include "../kernels/fields/fields.h"
#include "../kernels/filter/filter.h"
#include "../kernels/gather/gather.h"
#include "../kernels/hash/hash.h"
#include "../kernels/selection/selection.h"

namespace fastpostgres {

struct KernelTable {
  const char* name;
  const FilterKernels* filter;
  const DecodeKernels* decode;
  const ChecksumKernels* checksum;
  const HashKernels* hash;
  const GatherKernels* gather;
  const SelectionKernels* selection;
  const FieldsKernels* fields;
};

#define FASTPOSTGRES_DECLARE(ISA)              \
  namespace ISA {                              \
  extern const FilterKernels filter;           \
  extern const DecodeKernels decode;           \
  extern const ChecksumKernels checksum;       \
  extern const HashKernels hash;               \
  extern const GatherKernels gather;           \
  extern const SelectionKernels selection;     \
  extern const FieldsKernels fields;           \
  }
FASTPOSTGRES_DECLARE(scalar)
#if defined(__x86_64__)
FASTPOSTGRES_DECLARE(sse42)
FASTPOSTGRES_DECLARE(avx2)
#endif
#undef FASTPOSTGRES_DECLARE

// Number of tables this processor can run, best first; the scalar one is always last.
size_t supported_tables(const KernelTable** tables, size_t limit);

// The best table, or the one named by the environment variable FASTPOSTGRES_NATIVE_ISA if it can run here.
const KernelTable* choose_table();

}  // namespace fastpostgres

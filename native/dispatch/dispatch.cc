#include <cstdlib>
#include <cstring>
#include "table.h"

namespace fastpostgres {
namespace {

#define FASTPOSTGRES_TABLE(ISA) {#ISA, &ISA::filter, &ISA::decode, &ISA::checksum, &ISA::hash, &ISA::gather, &ISA::selection, &ISA::fields}
const KernelTable scalar_table = FASTPOSTGRES_TABLE(scalar);
#if defined(__x86_64__)
const KernelTable sse42_table = FASTPOSTGRES_TABLE(sse42);
const KernelTable avx2_table = FASTPOSTGRES_TABLE(avx2);
#endif
#undef FASTPOSTGRES_TABLE

}  // namespace

size_t supported_tables(const KernelTable** tables, size_t limit) {
  size_t count = 0;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  if (count < limit && has_avx2 && __builtin_cpu_supports("popcnt")) tables[count++] = &avx2_table;
  if (count < limit && __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt")) tables[count++] = &sse42_table;
#endif
  if (count < limit) tables[count++] = &scalar_table;
  return count;
}

const KernelTable* choose_table() {
  const KernelTable* tables[4];
  const size_t count = supported_tables(tables, 4);
  if (const char* wanted = std::getenv("FASTPOSTGRES_NATIVE_ISA"))
    for (size_t i = 0; i < count; i++)
      if (std::strcmp(tables[i]->name, wanted) == 0) return tables[i];
  return tables[0];
}

}  // namespace fastpostgres

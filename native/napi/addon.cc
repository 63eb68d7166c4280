// The door between JavaScript and the kernels: arguments and lifetime only, no algorithms.
#include <atomic>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>
#include "../dispatch/table.h"
#include "arguments.h"

namespace fastpostgres {
namespace {

// Shared by all threads of the process; replaced only by tests.
std::atomic<const KernelTable*> active{nullptr};

const KernelTable* kernels() { return active.load(std::memory_order_relaxed); }

napi_value undefined(napi_env env) {
  napi_value value = nullptr;
  napi_get_undefined(env, &value);
  return value;
}

napi_value number(napi_env env, double of) {
  napi_value value = nullptr;
  napi_create_double(env, of, &value);
  return value;
}

napi_value text(napi_env env, const char* of) {
  napi_value value = nullptr;
  napi_create_string_utf8(env, of, NAPI_AUTO_LENGTH, &value);
  return value;
}

Combine combine_of(Arguments& arguments, size_t index) { return arguments.flag(index) ? Combine::intersect : Combine::store; }

// instructionSet(): the one in use.
napi_value instruction_set(napi_env env, napi_callback_info) { return text(env, kernels()->name); }

// instructionSets(): those this processor can run, best first.
napi_value instruction_sets(napi_env env, napi_callback_info) {
  const KernelTable* tables[4];
  const size_t count = supported_tables(tables, 4);
  napi_value list = nullptr;
  napi_create_array_with_length(env, count, &list);
  for (size_t i = 0; i < count; i++) napi_set_element(env, list, static_cast<uint32_t>(i), text(env, tables[i]->name));
  return list;
}

// useInstructionSet(name): false when it cannot run here. For tests.
napi_value use_instruction_set(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 1);
  char name[32] = {};
  size_t length = 0;
  if (arguments.ok() && napi_get_value_string_utf8(env, arguments.value(0), name, sizeof name, &length) != napi_ok) arguments.fail("a name is expected");
  if (!arguments.ok()) return nullptr;
  const KernelTable* tables[4];
  const size_t count = supported_tables(tables, 4);
  bool found = false;
  for (size_t i = 0; i < count; i++) {
    if (std::strcmp(tables[i]->name, name) != 0) continue;
    active.store(tables[i], std::memory_order_relaxed);
    found = true;
  }
  napi_value result = nullptr;
  napi_get_boolean(env, found, &result);
  return result;
}

// filterRange(values, width, count, low, high, negate, target, intersect)
napi_value filter_range(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 8);
  const uint32_t width = arguments.width(1);
  const uint32_t count = arguments.number(2);
  const Column values = arguments.column(0, width, count);
  const uint64_t low = arguments.word(3);
  const uint64_t high = arguments.word(4);
  const bool negate = arguments.flag(5);
  const Bitmap target = arguments.bitmap(6, count);
  const Combine combine = combine_of(arguments, 7);
  if (!arguments.ok()) return nullptr;
  kernels()->filter->range(values, low, high, negate, target, combine);
  return undefined(env);
}

// filterRangeF64(values, count, low, high, nanPasses, negate, target, intersect)
napi_value filter_range_f64(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 8);
  const uint32_t count = arguments.number(1);
  const Column values = arguments.column(0, 8, count);
  const double low = arguments.float64(2);
  const double high = arguments.float64(3);
  const bool nan_passes = arguments.flag(4);
  const bool negate = arguments.flag(5);
  const Bitmap target = arguments.bitmap(6, count);
  const Combine combine = combine_of(arguments, 7);
  if (!arguments.ok()) return nullptr;
  kernels()->filter->range_f64(values, low, high, nan_passes, negate, target, combine);
  return undefined(env);
}

// filterCodes(codes, width, count, table, target, intersect)
napi_value filter_codes(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 6);
  const uint32_t width = arguments.width(1);
  if (arguments.ok() && width > 2) arguments.fail("codes are 1 or 2 bytes wide");
  const uint32_t count = arguments.number(2);
  const Column codes = arguments.column(0, width, count);
  const Bytes table = arguments.bytes(3);
  const Bitmap target = arguments.bitmap(4, count);
  const Combine combine = combine_of(arguments, 5);
  if (!arguments.ok()) return nullptr;
  kernels()->filter->codes(codes, table, target, combine);
  return undefined(env);
}

// unpackBits(source, bits, start, base, target, targetWidth, count)
napi_value unpack_bits(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 7);
  const Bytes source = arguments.bytes(0);
  const uint32_t bits = arguments.number(1);
  const uint32_t start = arguments.number(2);
  const uint64_t base = arguments.word(3);
  const uint32_t width = arguments.width(5);
  const uint32_t count = arguments.number(6);
  const MutableColumn target = arguments.target(4, width, count);
  if (arguments.ok() && (bits < 1 || bits > 57)) arguments.fail("codes have 1 to 57 bits");
  if (arguments.ok() && (uint64_t{start} + count) * bits > uint64_t{source.size} * 8) arguments.fail("the packed codes are too short");
  if (!arguments.ok()) return nullptr;
  kernels()->decode->unpack(source, bits, start, base, target);
  return undefined(env);
}

// narrow(source, sourceWidth, base, target, targetWidth, count)
napi_value narrow(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 6);
  const uint32_t source_width = arguments.width(1);
  const uint64_t base = arguments.word(2);
  const uint32_t target_width = arguments.width(4);
  const uint32_t count = arguments.number(5);
  const Column source = arguments.column(0, source_width, count);
  const MutableColumn target = arguments.target(3, target_width, count);
  if (!arguments.ok()) return nullptr;
  kernels()->decode->narrow(source, base, target);
  return undefined(env);
}

// expandRuns(values, width, ends, runCount, target, count)
napi_value expand_runs(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 6);
  const uint32_t width = arguments.width(1);
  const uint32_t runs = arguments.number(3);
  const uint32_t count = arguments.number(5);
  const Column values = arguments.column(0, width, runs);
  const Column ends = arguments.column(2, 4, runs);
  const MutableColumn target = arguments.target(4, width, count);
  if (!arguments.ok()) return nullptr;
  const uint32_t* end = reinterpret_cast<const uint32_t*>(ends.bytes);
  for (uint32_t r = 0; r < runs; r++)
    if (end[r] > count || (r > 0 && end[r] < end[r - 1])) arguments.fail("the ends of the runs do not ascend within the target");
  if (arguments.ok() && (runs == 0 ? count != 0 : end[runs - 1] != count)) arguments.fail("the runs do not add up to the target");
  if (!arguments.ok()) return nullptr;
  kernels()->decode->expand_runs(values, end, target);
  return undefined(env);
}

// crc32c(source, previous): number
napi_value crc32c(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 2);
  const Bytes source = arguments.bytes(0);
  const uint32_t previous = arguments.number(1);
  if (!arguments.ok()) return nullptr;
  return number(env, kernels()->checksum->crc32c(source, previous));
}

// hashFixed(values, width, count, seed, target)
napi_value hash_fixed(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 5);
  const uint32_t width = arguments.width(1);
  const uint32_t count = arguments.number(2);
  const Column values = arguments.column(0, width, count);
  const uint32_t seed = arguments.number(3);
  const MutableColumn target = arguments.target(4, 4, count);
  if (!arguments.ok()) return nullptr;
  kernels()->hash->fixed(values, seed, target);
  return undefined(env);
}

// hashBytes(source, offsets, count, seed, target)
napi_value hash_bytes(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 5);
  const Bytes source = arguments.bytes(0);
  const uint32_t count = arguments.number(2);
  const Column offsets = arguments.column(1, 4, size_t{count} + 1);
  const uint32_t seed = arguments.number(3);
  const MutableColumn target = arguments.target(4, 4, count);
  if (!arguments.ok()) return nullptr;
  const uint32_t* offset = reinterpret_cast<const uint32_t*>(offsets.bytes);
  bool ascends = true;
  for (uint32_t i = 0; i < count; i++) ascends &= offset[i] <= offset[i + 1];
  if (!ascends || offset[count] > source.size) arguments.fail("the offsets do not ascend within the bytes");
  if (!arguments.ok()) return nullptr;
  kernels()->hash->bytes(source, offset, seed, target);
  return undefined(env);
}

// gather(source, width, sourceCount, positions, positionWidth, target, count)
napi_value gather(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 7);
  const uint32_t width = arguments.width(1);
  const uint32_t source_count = arguments.number(2);
  const uint32_t position_width = arguments.width(4);
  const uint32_t count = arguments.number(6);
  if (arguments.ok() && position_width != 2 && position_width != 4) arguments.fail("positions are 2 or 4 bytes wide");
  const Column source = arguments.column(0, width, source_count);
  const Column positions = arguments.column(3, position_width, count);
  const MutableColumn target = arguments.target(5, width, count);
  if (!arguments.ok()) return nullptr;
  if (!kernels()->gather->gather(source, positions, target)) arguments.fail("a position is out of range");
  return arguments.ok() ? undefined(env) : nullptr;
}

// select(bitmap, count, target, targetWidth): number. The target needs room for the set bits only.
napi_value select(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 4);
  const uint32_t count = arguments.number(1);
  const Bitmap bitmap = arguments.bitmap(0, count);
  const uint32_t width = arguments.width(3);
  if (arguments.ok() && (width == 1 || width == 8)) arguments.fail("positions are 2 or 4 bytes wide");
  if (arguments.ok() && width == 2 && count > 65536) arguments.fail("positions of 2 bytes end at 65536 rows");
  if (!arguments.ok()) return nullptr;
  const Bytes bits = {bitmap.bytes, (size_t{count} + 7) / 8};
  const MutableColumn target = arguments.target(2, width, kernels()->selection->count(bits, count));
  if (!arguments.ok()) return nullptr;
  return number(env, static_cast<double>(kernels()->selection->select(bits, count, target)));
}

// countBits(bitmap, count): number
napi_value count_bits(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 2);
  const uint32_t count = arguments.number(1);
  const Bitmap bitmap = arguments.bitmap(0, count);
  if (!arguments.ok()) return nullptr;
  return number(env, static_cast<double>(kernels()->selection->count({bitmap.bytes, (size_t{count} + 7) / 8}, count)));
}

// One column of cut lines: (source, ends, fields, field, rows) from `index` on.
Fields fields_of(Arguments& arguments, size_t index) {
  const Bytes source = arguments.bytes(index);
  const uint32_t fields = arguments.number(index + 2);
  const uint32_t field = arguments.number(index + 3);
  const uint32_t rows = arguments.number(index + 4);
  const Column ends = arguments.column(index + 1, 4, size_t{rows} * fields + 1);
  if (arguments.ok() && field >= fields) arguments.fail("no such field");
  return {source, reinterpret_cast<const uint32_t*>(ends.bytes), fields, field, rows};
}

// cutLines(source, start, delimiter, fields, limit, ends): number
napi_value cut_lines(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 6);
  const Bytes source = arguments.bytes(0);
  const uint32_t start = arguments.number(1);
  const uint32_t delimiter = arguments.number(2);
  const uint32_t fields = arguments.number(3);
  const uint32_t limit = arguments.number(4);
  const MutableColumn ends = arguments.target(5, 4, size_t{limit} * fields + 1);
  if (arguments.ok() && (fields == 0 || delimiter > 127 || source.size > 0x7fffffff)) arguments.fail("fields, delimiter or size out of range");
  if (!arguments.ok()) return nullptr;
  return number(env, static_cast<double>(kernels()->fields->cut_lines(source, start, static_cast<uint8_t>(delimiter), fields, limit,
                                                                      reinterpret_cast<uint32_t*>(ends.bytes))));
}

// parseDecimals(source, ends, fields, field, rows, scale, hasPoint, limit, width, target): number
napi_value parse_decimals(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 10);
  const Fields in = fields_of(arguments, 0);
  const uint32_t scale = arguments.number(5);
  const bool has_point = arguments.flag(6);
  const double limit = arguments.float64(7);
  const uint32_t width = arguments.width(8);
  const MutableColumn target = arguments.target(9, width, in.rows);
  if (arguments.ok() && (width == 1 || scale > 15 || !(limit >= 0 && limit <= 1e15))) arguments.fail("width, scale or limit out of range");
  if (!arguments.ok()) return nullptr;
  return number(env, static_cast<double>(kernels()->fields->parse_decimals(in, scale, has_point, static_cast<uint64_t>(limit), target)));
}

// parseDates(source, ends, fields, field, rows, target): number
napi_value parse_dates(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 6);
  const Fields in = fields_of(arguments, 0);
  const MutableColumn target = arguments.target(5, 4, in.rows);
  if (!arguments.ok()) return nullptr;
  return number(env, static_cast<double>(kernels()->fields->parse_dates(in, target)));
}

// copyFields(source, ends, fields, field, rows, least, most, target, at, offsets): number
napi_value copy_fields(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 10);
  const Fields in = fields_of(arguments, 0);
  const uint32_t least = arguments.number(5);
  const uint32_t most = arguments.number(6);
  const Bytes target = arguments.bytes(7);
  const uint32_t at = arguments.number(8);
  const MutableColumn offsets = arguments.target(9, 4, in.rows + 1);
  if (arguments.ok() && (at > target.size || target.size > 0xffffffff)) arguments.fail("the target is too short");
  if (!arguments.ok()) return nullptr;
  const MutableColumn out = {const_cast<uint8_t*>(target.bytes), target.size, 1};
  return number(env, static_cast<double>(kernels()->fields->copy_fields(in, least, most, out, at, reinterpret_cast<uint32_t*>(offsets.bytes))));
}

// decommit(memory): gives the whole pages inside back to the operating system; they read as zero afterwards. Returns the bytes.
napi_value decommit(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 1);
  const Bytes memory = arguments.bytes(0);
  if (!arguments.ok()) return nullptr;
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t from = (reinterpret_cast<uintptr_t>(memory.bytes) + page - 1) & ~(page - 1);
  const uintptr_t to = (reinterpret_cast<uintptr_t>(memory.bytes) + memory.size) & ~(page - 1);
  if (to <= from || madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED) != 0) return number(env, 0);
  return number(env, static_cast<double>(to - from));
}

struct Guarded {
  void* mapping;
  size_t bytes;
};

void free_guarded(napi_env, void*, void* hint) {
  Guarded* guarded = static_cast<Guarded*>(hint);
  munmap(guarded->mapping, guarded->bytes);
  delete guarded;
}

// guardedBuffer(sizeBytes): an ArrayBuffer whose last byte is the last before an inaccessible page. For tests.
napi_value guarded_buffer(napi_env env, napi_callback_info info) {
  Arguments arguments(env, info, 1);
  const size_t size = arguments.number(0);
  if (!arguments.ok()) return nullptr;
  const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  const size_t room = (size + page - 1) / page * page;
  void* mapping = mmap(nullptr, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) {
    arguments.fail("no memory");
    return nullptr;
  }
  mprotect(static_cast<uint8_t*>(mapping) + room, page, PROT_NONE);
  napi_value buffer = nullptr;
  Guarded* guarded = new Guarded{mapping, room + page};
  if (napi_create_external_arraybuffer(env, static_cast<uint8_t*>(mapping) + (room - size), size, free_guarded, guarded, &buffer) != napi_ok) {
    free_guarded(env, nullptr, guarded);
    arguments.fail("no external buffer");
    return nullptr;
  }
  return buffer;
}

}  // namespace
}  // namespace fastpostgres

NAPI_MODULE_INIT() {
  using namespace fastpostgres;
  if (kernels() == nullptr) active.store(choose_table());
  const struct {
    const char* name;
    napi_callback call;
  } functions[] = {
      {"instructionSet", instruction_set},
      {"instructionSets", instruction_sets},
      {"useInstructionSet", use_instruction_set},
      {"filterRange", filter_range},
      {"filterRangeF64", filter_range_f64},
      {"filterCodes", filter_codes},
      {"unpackBits", unpack_bits},
      {"narrow", narrow},
      {"expandRuns", expand_runs},
      {"crc32c", crc32c},
      {"hashFixed", hash_fixed},
      {"hashBytes", hash_bytes},
      {"gather", gather},
      {"select", select},
      {"countBits", count_bits},
      {"cutLines", cut_lines},
      {"parseDecimals", parse_decimals},
      {"parseDates", parse_dates},
      {"copyFields", copy_fields},
      {"decommit", decommit},
      {"guardedBuffer", guarded_buffer},
  };
  for (const auto& function : functions) {
    napi_value value = nullptr;
    if (napi_create_function(env, function.name, NAPI_AUTO_LENGTH, function.call, nullptr, &value) != napi_ok) return nullptr;
    if (napi_set_named_property(env, exports, function.name, value) != napi_ok) return nullptr;
  }
  return exports;
}

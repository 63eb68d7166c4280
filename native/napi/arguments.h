// Argument checks: a call either gets views that lie inside the arrays it was given, or throws a TypeError and touches nothing.
#pragma once
#include <node_api.h>
#include "../include/abi.h"

namespace fastpostgres {

class Arguments {
 public:
  Arguments(napi_env env, napi_callback_info info, size_t expected) : env_(env) {
    size_t count = kMost;
    if (napi_get_cb_info(env, info, &count, values_, nullptr, nullptr) != napi_ok || count < expected) fail("too few arguments");
  }

  bool ok() const { return ok_; }

  void fail(const char* message) {
    if (ok_) napi_throw_type_error(env_, nullptr, message);
    ok_ = false;
  }

  // Any Uint8Array, over shared memory too.
  Bytes bytes(size_t index) {
    Bytes view = {nullptr, 0};
    if (!ok_) return view;
    napi_typedarray_type type;
    void* data = nullptr;
    if (napi_get_typedarray_info(env_, values_[index], &type, &view.size, &data, nullptr, nullptr) != napi_ok || type != napi_uint8_array) {
      fail("a Uint8Array is expected");
      return {nullptr, 0};
    }
    view.bytes = static_cast<const uint8_t*>(data);
    return view;
  }

  // `count` values of `width` bytes at the beginning of a Uint8Array.
  Column column(size_t index, uint32_t width, size_t count) {
    const Bytes view = bytes(index);
    check_room(view, width, count);
    return {view.bytes, count, width};
  }

  MutableColumn target(size_t index, uint32_t width, size_t count) {
    const Bytes view = bytes(index);
    check_room(view, width, count);
    return {const_cast<uint8_t*>(view.bytes), count, width};
  }

  Bitmap bitmap(size_t index, size_t count) {
    const Bytes view = bytes(index);
    if (ok_ && view.size < (count + 7) / 8) fail("the bitmap is too short");
    return {const_cast<uint8_t*>(view.bytes), count};
  }

  uint32_t width(size_t index) {
    const uint32_t value = number(index);
    if (ok_ && value != 1 && value != 2 && value != 4 && value != 8) fail("a width is 1, 2, 4 or 8");
    return value;
  }

  uint32_t number(size_t index) {
    double value = 0;
    if (!ok_) return 0;
    if (napi_get_value_double(env_, values_[index], &value) != napi_ok || !(value >= 0 && value <= 4294967295.0)) {
      fail("an unsigned 32-bit number is expected");
      return 0;
    }
    return static_cast<uint32_t>(value);
  }

  double float64(size_t index) {
    double value = 0;
    if (ok_ && napi_get_value_double(env_, values_[index], &value) != napi_ok) fail("a number is expected");
    return value;
  }

  // Modulo 2^64.
  uint64_t word(size_t index) {
    int64_t value = 0;
    bool lossless = false;
    if (ok_ && napi_get_value_bigint_int64(env_, values_[index], &value, &lossless) != napi_ok) fail("a bigint is expected");
    return static_cast<uint64_t>(value);
  }

  bool flag(size_t index) {
    bool value = false;
    if (ok_ && napi_get_value_bool(env_, values_[index], &value) != napi_ok) fail("a boolean is expected");
    return value;
  }

  napi_value value(size_t index) const { return values_[index]; }

 private:
  void check_room(Bytes view, uint32_t width, size_t count) {
    if (!ok_) return;
    if (view.size / (width == 0 ? 1 : width) < count) fail("the array is too short");
    // Vector code may assume that elements are aligned to their own size.
    else if (count > 0 && reinterpret_cast<uintptr_t>(view.bytes) % width != 0) fail("the array is not aligned to its width");
  }

  static constexpr size_t kMost = 12;
  napi_env env_;
  napi_value values_[kMost] = {};
  bool ok_ = true;
};

}  // namespace fastpostgres

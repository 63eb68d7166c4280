/** Instruction codes of the WebAssembly binary format that pipelines use (specification 5.4). */

export const VALUE_TYPE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;
export type WasmType = keyof typeof VALUE_TYPE;

export const OP = {
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  return: 0x0f,
  call: 0x10,
  drop: 0x1a,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  i32Const: 0x41,
  i64Const: 0x42,
  f64Const: 0x44,
  simd: 0xfd,
  atomic: 0xfe,
} as const;

/** Binary operations by result and operand type. */
export const BINARY = {
  i32Add: [0x6a, 'i32', 'i32'],
  i32Sub: [0x6b, 'i32', 'i32'],
  i32Mul: [0x6c, 'i32', 'i32'],
  i32And: [0x71, 'i32', 'i32'],
  i32Or: [0x72, 'i32', 'i32'],
  i32Xor: [0x73, 'i32', 'i32'],
  i32Shl: [0x74, 'i32', 'i32'],
  i32ShrS: [0x75, 'i32', 'i32'],
  i32ShrU: [0x76, 'i32', 'i32'],
  i32Eq: [0x46, 'i32', 'i32'],
  i32Ne: [0x47, 'i32', 'i32'],
  i32LtS: [0x48, 'i32', 'i32'],
  i32LtU: [0x49, 'i32', 'i32'],
  i32GtS: [0x4a, 'i32', 'i32'],
  i32GtU: [0x4b, 'i32', 'i32'],
  i32LeS: [0x4c, 'i32', 'i32'],
  i32LeU: [0x4d, 'i32', 'i32'],
  i32GeS: [0x4e, 'i32', 'i32'],
  i32GeU: [0x4f, 'i32', 'i32'],
  i64Add: [0x7c, 'i64', 'i64'],
  i64Sub: [0x7d, 'i64', 'i64'],
  i64Mul: [0x7e, 'i64', 'i64'],
  i64DivS: [0x7f, 'i64', 'i64'],
  i64RemS: [0x81, 'i64', 'i64'],
  i64And: [0x83, 'i64', 'i64'],
  i64Or: [0x84, 'i64', 'i64'],
  i64Xor: [0x85, 'i64', 'i64'],
  i64Shl: [0x86, 'i64', 'i64'],
  i64ShrS: [0x87, 'i64', 'i64'],
  i64ShrU: [0x88, 'i64', 'i64'],
  i64Eq: [0x51, 'i32', 'i64'],
  i64Ne: [0x52, 'i32', 'i64'],
  i64LtS: [0x53, 'i32', 'i64'],
  i64LtU: [0x54, 'i32', 'i64'],
  i64GtS: [0x55, 'i32', 'i64'],
  i64GtU: [0x56, 'i32', 'i64'],
  i64LeS: [0x57, 'i32', 'i64'],
  i64LeU: [0x58, 'i32', 'i64'],
  i64GeS: [0x59, 'i32', 'i64'],
  i64GeU: [0x5a, 'i32', 'i64'],
  f64Add: [0xa0, 'f64', 'f64'],
  f64Sub: [0xa1, 'f64', 'f64'],
  f64Mul: [0xa2, 'f64', 'f64'],
  f64Div: [0xa3, 'f64', 'f64'],
  f64Eq: [0x61, 'i32', 'f64'],
  f64Ne: [0x62, 'i32', 'f64'],
  f64Lt: [0x63, 'i32', 'f64'],
  f64Gt: [0x64, 'i32', 'f64'],
  f64Le: [0x65, 'i32', 'f64'],
  f64Ge: [0x66, 'i32', 'f64'],
} as const satisfies Record<string, readonly [number, WasmType, WasmType]>;
export type BinaryName = keyof typeof BINARY;

/** Unary operations: code, result, operand. */
export const UNARY = {
  i32Eqz: [0x45, 'i32', 'i32'],
  i32Ctz: [0x68, 'i32', 'i32'],
  i64Eqz: [0x50, 'i32', 'i64'],
  i64Ctz: [0x7a, 'i64', 'i64'],
  i32Popcnt: [0x69, 'i32', 'i32'],
  i64Popcnt: [0x7b, 'i64', 'i64'],
  i32WrapI64: [0xa7, 'i32', 'i64'],
  i64ExtendI32S: [0xac, 'i64', 'i32'],
  i64ExtendI32U: [0xad, 'i64', 'i32'],
  f64ConvertI64S: [0xb9, 'f64', 'i64'],
  f64PromoteF32: [0xbb, 'f64', 'f32'],
  f64Abs: [0x99, 'f64', 'f64'],
  f64Neg: [0x9a, 'f64', 'f64'],
  f64ReinterpretI64: [0xbf, 'f64', 'i64'],
  i64ReinterpretF64: [0xbd, 'i64', 'f64'],
} as const satisfies Record<string, readonly [number, WasmType, WasmType]>;
export type UnaryName = keyof typeof UNARY;

/** Loads: code, result, log2 of the natural alignment. */
export const LOAD = {
  i32Load: [0x28, 'i32', 2],
  i64Load: [0x29, 'i64', 3],
  f32Load: [0x2a, 'f32', 2],
  f64Load: [0x2b, 'f64', 3],
  i32Load8S: [0x2c, 'i32', 0],
  i32Load8U: [0x2d, 'i32', 0],
  i32Load16S: [0x2e, 'i32', 1],
  i32Load16U: [0x2f, 'i32', 1],
  i64Load8S: [0x30, 'i64', 0],
  i64Load8U: [0x31, 'i64', 0],
  i64Load16S: [0x32, 'i64', 1],
  i64Load16U: [0x33, 'i64', 1],
  i64Load32S: [0x34, 'i64', 2],
  i64Load32U: [0x35, 'i64', 2],
} as const satisfies Record<string, readonly [number, WasmType, number]>;
export type LoadName = keyof typeof LOAD;

/** Stores: code, operand, log2 of the natural alignment. */
export const STORE = {
  i32Store: [0x36, 'i32', 2],
  i64Store: [0x37, 'i64', 3],
  f64Store: [0x39, 'f64', 3],
  i64Store32: [0x3e, 'i64', 2],
  i32Store8: [0x3a, 'i32', 0],
  i32Store16: [0x3b, 'i32', 1],
} as const satisfies Record<string, readonly [number, WasmType, number]>;
export type StoreName = keyof typeof STORE;

/** SIMD operations on two vectors, after the prefix 0xfd. */
export const SIMD_BINARY = {
  i8x16Sub: 0x71,
  i16x8Sub: 0x91,
  i32x4Sub: 0xb1,
  i64x2Sub: 0xd1,
  i8x16LeU: 0x2a,
  i16x8LeU: 0x34,
  i32x4LeU: 0x3e,
  i8x16Eq: 0x23,
  i8x16LtS: 0x25,
  i64x2LeS: 0xda,
  v128And: 0x4e,
  v128Or: 0x50,
  v128Xor: 0x51,
  i8x16NarrowI16x8S: 0x65,
  i8x16NarrowI16x8U: 0x66,
  i16x8NarrowI32x4S: 0x85,
  f64x2Ge: 0x4c,
  f64x2Le: 0x4b,
  f64x2Ne: 0x48,
} as const;
export type SimdBinaryName = keyof typeof SIMD_BINARY;

/** SIMD operations that take one value: code, result, operand. */
export const SIMD_UNARY = {
  i8x16Splat: [0x0f, 'v128', 'i32'],
  i16x8Splat: [0x10, 'v128', 'i32'],
  i32x4Splat: [0x11, 'v128', 'i32'],
  i64x2Splat: [0x12, 'v128', 'i64'],
  f64x2Splat: [0x14, 'v128', 'f64'],
  i8x16Bitmask: [0x64, 'i32', 'v128'],
  i16x8Bitmask: [0x84, 'i32', 'v128'],
  i32x4Bitmask: [0xa4, 'i32', 'v128'],
  i64x2Bitmask: [0xc4, 'i32', 'v128'],
  v128Not: [0x4d, 'v128', 'v128'],
} as const satisfies Record<string, readonly [number, WasmType, WasmType]>;
export type SimdUnaryName = keyof typeof SIMD_UNARY;

/** Atomic read-modify-write operations on 32-bit words, after the prefix 0xfe: they yield the value before. */
export const ATOMIC_RMW = {
  i32AtomicAdd: 0x1e,
  i32AtomicOr: 0x33,
  i32AtomicExchange: 0x41,
} as const;
export type AtomicName = keyof typeof ATOMIC_RMW;

/** Public names of the storage room. */

export { BlockCache, type CacheCounters } from './block/cache.ts';
export { WorkerBlockSource } from './block/source.ts';
export { ByteReader, ByteWriter } from './byte-io.ts';
export { compareBytes, startsWith } from './byte-order.ts';
export { crc32 } from './checksum.ts';
export * from './contract.ts';
export { check, dataCorrupted, locate, PayloadDamage } from './corruption.ts';
export { translateDiskError } from './disk-error.ts';
export { useKernels } from './kernels.ts';
export { countNulls, isPresent } from './segment/column-encode.ts';
export {
  decodeSegmentDescriptor,
  encodeSegmentDescriptor,
  readRef,
  segmentBlocks,
  writeRef,
} from './segment/descriptor.ts';
export { SegmentReader } from './segment/reader.ts';
export { encodeSegment, writeSegment } from './segment/writer.ts';
export { canSkip, compareValues, judgeZone, type ZoneVerdict } from './segment/zone-map.ts';
export {
  createStorage,
  hasDatabase,
  openStorage,
  openWorkerBlocks,
  type StorageEnvironment,
  type StorageOptions,
  type StorageRoom,
} from './storage.ts';
